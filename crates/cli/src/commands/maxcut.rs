//! Searches for the largest cut of a graph, or for the least value of a quadratic problem, by annealing.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use harmonium::bm::ground::{Anneal, Ground, Problem, Progress, Temper, anneal_until, temper};
use harmonium::bm::read;
use harmonium::{Error, Key};
use serde_json::json;

use crate::args::Output;
use crate::clock::Clock;
use crate::folder::{check_place, write_text};
use crate::report::{Curve, Figure, Kind, Report, Series, render};
use crate::{console, interrupt};

/// Rounds of a search that only the time ends.
const NO_END: u64 = 1 << 40;

#[derive(Debug, Args)]
pub(crate) struct MaxCut {
    /// The problem: a text file, plain or gzipped
    pub(crate) file: PathBuf,
    /// What the file holds
    #[arg(long, value_enum, default_value_t = Format::Gset)]
    pub(crate) format: Format,
    /// Seconds of search; what is found then depends on the machine. Without them a number of rounds is searched, with the same
    /// result everywhere
    #[arg(long, value_name = "S")]
    pub(crate) seconds: Option<f64>,
    /// Stop as soon as this cut, or this energy, is reached
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) target: Option<f64>,
    /// Rounds of search [default: 31, or no end with --seconds]
    #[arg(long, value_name = "N")]
    pub(crate) rounds: Option<u64>,
    /// How states are searched
    #[arg(long, value_enum, default_value_t = Method::Anneal)]
    pub(crate) method: Method,
    /// Annealing: sweeps of the shortest coolings; rounds take 1, 1, 2, 1, 1, 2, 4, … times as many [default: 1000]. Tempering: sweeps
    /// of a round [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) sweeps: Option<u64>,
    /// Annealing: copies that are cooled in a round [default: 8]. Tempering: temperatures, with two copies each [default: 24]
    #[arg(long, value_name = "N")]
    pub(crate) replicas: Option<usize>,
    /// The temperature to begin with [default: by the size of the costs]
    #[arg(long, value_name = "T")]
    pub(crate) hot: Option<f64>,
    /// The temperature to end with [default: by the size of the costs]
    #[arg(long, value_name = "T")]
    pub(crate) cold: Option<f64>,
    /// The seed of all randomness
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where the best state goes: *.csv with the side of each vertex, 0 or 1
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Where a page with the course of the search goes: *.html
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// Copies cool from random states, again and again.
    Anneal,
    /// Copies at many temperatures change places, and pairs exchange clusters: for lattices and other sparse glasses.
    Temper,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A graph to be cut: vertices and edges, then `i j weight` from 1.
    Gset,
    /// Bits: `p qubo 0 nodes diagonals elements`, then `i j value` from 0.
    Qubo,
    /// Coordinates: `# vartype=SPIN` or `BINARY`, then `i j value` from 0.
    Coo,
}

impl Format {
    fn read(self, file: &std::path::Path) -> Result<Problem, Error> {
        match self {
            Self::Gset => read::gset(file),
            Self::Qubo => read::qubo(file),
            Self::Coo => read::coo(file),
        }
    }

    /// Says what is searched for.
    fn name(self) -> &'static str {
        if self == Self::Gset { "cut" } else { "energy" }
    }

    /// Gives the value that a user knows an energy by.
    fn value(self, energy: f64) -> f64 {
        if self == Self::Gset { -energy } else { energy }
    }
}

/// Carries out `maxcut`.
///
/// # Errors
/// Refuses options out of range, says what the file has wrong, and what can't be written.
pub(crate) fn run(args: &MaxCut) -> Result<(), Error> {
    console::threads(args.output)?;
    if let Some(seconds) = args.seconds.filter(|s| !(*s > 0.0 && *s <= 1e9)) {
        return Err(Error::option("seconds", "above 0, to 1e9", seconds));
    }
    args.out.iter().chain(&args.report).try_for_each(|place| check_place(place))?;
    let clock = Clock::start();
    let problem = args.format.read(&args.file)?;
    let ground = interrupt::armed(|| search(args, &problem, clock))?;
    let seconds = clock.seconds();
    // What was found is told before anything more can go wrong with files.
    tell(args, &problem, &ground, seconds)?;
    if let Some(out) = &args.out {
        write_text(out, &sides(&ground))?;
    }
    if let Some(page) = &args.report {
        write_text(page, &render(&report(args, &problem, &ground, seconds)))?;
    }
    Ok(())
}

fn search(args: &MaxCut, problem: &Problem, clock: Clock) -> Result<Ground, Error> {
    let rounds = args.rounds.unwrap_or(if args.seconds.is_some() { NO_END } else { 31 });
    let over = || args.seconds.is_some_and(|s| clock.seconds() >= s) || interrupt::wanted();
    let reached = |now: &Progress| args.target.is_some_and(|target| now.energy <= args.format.value(target));
    let bar = console::bar(args.output, 1000, args.format.name());
    let mut watch = |now: &Progress| {
        let share = args.seconds.map_or(now.rounds as f64 / rounds as f64, |s| clock.seconds() / s);
        bar.set_position((1000.0 * share) as u64);
        bar.set_message(format!("{} {}", args.format.name(), args.format.value(now.energy)));
        reached(now)
    };
    let (hot, cold, key) = (args.hot, args.cold, Key::from_seed(args.seed));
    let ground = match args.method {
        Method::Anneal => {
            let standard = Anneal::default();
            let (sweeps, replicas) =
                (args.sweeps.unwrap_or(standard.sweeps), args.replicas.unwrap_or(standard.replicas));
            let options = Anneal { sweeps, rounds, replicas, hot, cold };
            anneal_until(problem, &options, key, &over, &mut watch)?
        }
        Method::Temper => {
            let standard = Temper::default();
            let (sweeps, rungs) =
                (args.sweeps.unwrap_or(standard.sweeps), args.replicas.unwrap_or(standard.rungs));
            temper(problem, &Temper { rungs, sweeps, rounds, hot, cold, ..standard }, key, &over, &mut watch)?
        }
    };
    bar.finish_and_clear();
    Ok(ground)
}

fn sides(ground: &Ground) -> String {
    let mut text = String::from("side\n");
    ground.up.iter().for_each(|&up| text.push_str(if up { "1\n" } else { "0\n" }));
    text
}

fn tell(args: &MaxCut, problem: &Problem, ground: &Ground, seconds: f64) -> Result<(), Error> {
    let value = args.format.value(ground.energy);
    let (rounds, sweeps) = ground.trace.last().map_or((0, 0), |last| (last.rounds, last.sweeps));
    let (name, vertices, edges) =
        (args.format.name(), problem.graph().vertices(), problem.graph().edges().len());
    if args.output.json {
        return console::json(&json!({
            name: value, "vertices": vertices, "edges": edges, "rounds": rounds, "sweeps": sweeps, "seconds": seconds,
            "seed": args.seed,
        }));
    }
    let mut text = format!("{name} {value}  {vertices} vertices, {edges} edges");
    let _ = write!(text, "  {rounds} rounds, {sweeps} sweeps of all copies, {seconds:.2} s");
    console::line(text)
}

fn report(args: &MaxCut, problem: &Problem, ground: &Ground, seconds: f64) -> Report {
    let (name, value) = (args.format.name(), |energy| args.format.value(energy));
    let of = |get: fn(&Progress) -> f64| ground.trace.iter().map(|at| value(get(at))).collect();
    let curve = Curve {
        name: format!("Best {name}"),
        x_label: "sweeps of all copies".into(),
        x: ground.trace.iter().map(|at| at.sweeps as f64).collect(),
        series: vec![
            Series::new("so far", of(|at| at.energy)),
            Series::new("of the round", of(|at| at.last)),
        ],
        note: match args.method {
            Method::Anneal => "Rounds differ in length: long coolings come seldom.".into(),
            Method::Temper => String::new(),
        },
        ..Curve::default()
    };
    let (vertices, edges) = (problem.graph().vertices(), problem.graph().edges().len());
    let file = args.file.file_name().unwrap_or_default();
    Report {
        kind: Kind::Search,
        title: format!("{} {} of {}", name, value(ground.energy), file.to_string_lossy()),
        summary: vec![
            Figure::exact(
                name,
                &value(ground.energy).to_string(),
                "the best state found; nothing proves that it is the best",
            ),
            Figure::exact("vertices", &vertices.to_string(), &format!("{edges} edges")),
            Figure::exact("seconds", &format!("{seconds:.2}"), &format!("{} rounds", ground.trace.len())),
        ],
        curves: vec![curve],
        recipe: vec![
            ("method".into(), format!("{:?}", args.method).to_lowercase()),
            ("rounds".into(), ground.trace.len().to_string()),
            ("seed".into(), args.seed.to_string()),
        ],
        ..Report::default()
    }
}
