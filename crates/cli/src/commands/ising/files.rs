//! Writes an Ising run to its folder: a table, a report with curves, and a picture of the lattice at each temperature.

use std::path::Path;

use harmonium::bm::lattice::exact;
use harmonium::persist::write_bytes_atomically;
use harmonium::{BitMatrix, Error};

use super::shown::Line;
use super::{Row, finite};
use crate::args::{self, Size};
use crate::console;
use crate::csv::Writer;
use crate::folder::{self, VFS};
use crate::picture::{Picture, Tile, Tone, encode, fitting, grid, spread};
use crate::report::{Curve, Kind, Plate, Report, Series, render};

/// The most sites of a side that a picture shows; of larger lattices it is a corner.
const SIDE: usize = 2048;
/// Places of an exact curve.
const PLACES: usize = 400;
/// Lattices in a row of the report.
const COLUMNS: usize = 6;

/// Makes the folder, before anything is computed for it.
///
/// # Errors
/// Says why it could not be made.
pub(super) fn prepare(out: &Path) -> Result<(), Error> {
    folder::create_all(out)
}

/// Writes all files.
///
/// # Errors
/// Says which could not be written.
pub(super) fn write(out: &Path, args: &args::Ising, rows: &[Row]) -> Result<(), Error> {
    let put = |name: &str, bytes: &[u8]| write_bytes_atomically(&VFS, &out.join(name), bytes);
    let lines: Vec<Line> = rows.iter().map(|row| Line::of(args, row)).collect();
    put("ising.csv", table(&lines).as_bytes())?;
    for row in rows {
        let picture = picture(&[&row.bits], args.size);
        put(&format!("lattice-{}.png", row.temperature), &encode(&picture))?;
    }
    put("report.html", render(&report(args, rows, &lines)).as_bytes())?;
    console::note(args.output, format_args!("table, pictures and report: {}", out.display()));
    Ok(())
}

fn table(lines: &[Line]) -> String {
    let mut out = Writer::default();
    let names = "temperature energy error infinite exact heat error infinite exact magnetization error infinite binder autocorrelation";
    names.split(' ').for_each(|name| out.cell(name));
    out.end();
    for l in lines {
        let energy = [l.temperature, l.energy, l.energy_error, l.energy_infinite, l.energy_exact];
        let heat = [l.heat, l.heat_error, l.heat_infinite, l.heat_exact];
        let rest =
            [l.magnetization, l.magnetization_error, l.magnetization_infinite, l.binder, l.autocorrelation];
        energy.iter().chain(&heat).chain(&rest).for_each(|x| out.cell(&x.to_string()));
        out.end();
    }
    out.text()
}

/// Draws lattices: spins up are white.
fn picture(lattices: &[&BitMatrix], size: Size) -> Picture {
    let (height, width) = (size.rows.min(SIDE), size.columns.min(SIDE));
    let spin = |bits: &BitMatrix, at: usize| f32::from(u8::from(bits.get(at / width, at % width)));
    let tile = |bits: &&BitMatrix| (0..height * width).map(|at| spin(bits, at)).collect();
    let tiles: Vec<Vec<f32>> = lattices.iter().map(tile).collect();
    grid(&tiles, width, height, COLUMNS, Tone::Grey)
}

fn report(args: &args::Ising, rows: &[Row], lines: &[Line]) -> Report {
    let Size { rows: height, columns: width } = args.size;
    let shown =
        spread(rows.len(), fitting(rows.len(), Tile { width: width.min(SIDE), height: height.min(SIDE) }));
    let temperatures: Vec<String> = shown.iter().map(|&i| format!("{:.4}", rows[i].temperature)).collect();
    let lattices: Vec<&BitMatrix> = shown.iter().map(|&i| &rows[i].bits).collect();
    let note = format!("The last lattice at T = {}.", temperatures.join(", "));
    let samples = Plate { ends: [-1.0, 1.0], ..Plate::new(picture(&lattices, args.size), note) };
    Report {
        title: format!("Ising lattice {height} × {width}"),
        kind: Kind::Lattice,
        curves: curves(args, lines),
        samples: Some(samples),
        recipe: recipe(args),
        ..Report::default()
    }
}

fn recipe(args: &args::Ising) -> Vec<(String, String)> {
    let pair = |name: &str, value: &dyn ToString| (name.to_owned(), value.to_string());
    vec![
        pair("moves", &format!("{:?}", args.moves)),
        pair("start", &format!("{:?}", args.start)),
        pair("antiferromagnet", &args.antiferromagnet),
        pair("fast", &args.fast),
        pair("warming", &args.warming),
        pair("sweeps", &args.sweeps),
        pair("seed", &args.seed),
    ]
}

/// Draws energy, heat and magnetisation over the temperature, where there is more than one.
fn curves(args: &args::Ising, lines: &[Line]) -> Vec<Curve> {
    let ends = lines
        .iter()
        .map(|line| line.temperature)
        .fold([f64::INFINITY, 0.0], |[low, high]: [f64; 2], t| [low.min(t), high.max(t)]);
    if ends[0] >= ends[1] {
        return Vec::new();
    }
    let axis = axis(ends, lines);
    let size = format!("exact, {} × {}", args.size.rows, args.size.columns);
    let solved: Vec<(f64, f64)> = axis.iter().map(|&t| finite(args, t)).collect();
    let line = |name: &str, of: &dyn Fn(usize) -> f64| Series::new(name, (0..axis.len()).map(of).collect());
    let sampled = |of: &dyn Fn(&Line) -> (f64, f64)| sampled(&axis, lines, of);
    let curve = |name: &str, series: Vec<Series>, note: &str| Curve {
        name: name.into(),
        unit: String::new(),
        x_label: "temperature".into(),
        x: axis.clone(),
        series,
        note: note.into(),
    };
    let spin = if args.antiferromagnet { &|_| 0.0 } else { &exact::magnetization as &dyn Fn(f64) -> f64 };
    vec![
        curve(
            "Energy per site",
            vec![
                sampled(&|l| (l.energy, l.energy_error)),
                line(&size, &|i| solved[i].0),
                line("exact, infinite", &|i| exact::energy(axis[i])),
            ],
            "Sampled values with three standard errors; Kaufman’s solution of this size and Onsager’s of the infinite lattice.",
        ),
        curve(
            "Specific heat per site",
            vec![
                sampled(&|l| (l.heat, l.heat_error)),
                line(&size, &|i| solved[i].1),
                line("exact, infinite", &|i| exact::specific_heat(axis[i]).min(4.0)),
            ],
            "The infinite lattice diverges at T = 2.269; its curve is cut off at 4.",
        ),
        curve(
            "Mean magnitude of the magnetisation",
            vec![
                sampled(&|l| (l.magnetization, l.magnetization_error)),
                line("exact, infinite", &|i| spin(axis[i])),
            ],
            "Finite lattices keep some above the critical temperature.",
        ),
    ]
}

/// Gives places between both ends, and those of the samples, in order.
fn axis([low, high]: [f64; 2], lines: &[Line]) -> Vec<f64> {
    let between = (0..=PLACES).map(|n| low + (high - low) * n as f64 / PLACES as f64);
    let mut axis: Vec<f64> = between.chain(lines.iter().map(|line| line.temperature)).collect();
    axis.sort_by(f64::total_cmp);
    axis.dedup();
    axis
}

/// Gives the sampled values, joined by straight lines: a chart breaks a line where a value is missing.
fn sampled(axis: &[f64], lines: &[Line], of: &dyn Fn(&Line) -> (f64, f64)) -> Series {
    let mut known: Vec<&Line> = lines.iter().collect();
    known.sort_by(|a, b| a.temperature.total_cmp(&b.temperature));
    let at = |t: f64, value: &dyn Fn(&Line) -> f64| {
        let above = known.partition_point(|line| line.temperature < t).clamp(1, known.len() - 1);
        let (a, b) = (known[above - 1], known[above]);
        let share = (t - a.temperature) / (b.temperature - a.temperature);
        if b.temperature == a.temperature { value(a) } else { value(a) + share * (value(b) - value(a)) }
    };
    let line = |value: &dyn Fn(&Line) -> f64| axis.iter().map(|&t| at(t, value)).collect::<Vec<f64>>();
    let end = |sign: f64| line(&move |l: &Line| of(l).0 + sign * 3.0 * of(l).1);
    let interval = end(-1.0).into_iter().zip(end(1.0)).map(|(low, high)| [low, high]).collect();
    Series { name: "sampled".into(), values: line(&|l| of(l).0), interval: Some(interval) }
}
