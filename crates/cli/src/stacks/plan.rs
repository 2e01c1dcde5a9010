//! Turns options into the plan of a stack: what each machine is, how it is trained, and what follows.

use harmonium::Error;
use harmonium::dbn::net::{Noise, Omit, Score, Tuning};
use harmonium::dbn::stack::{Greedy, Learner, Recipe as Machine, UpDown};
use harmonium::train::{Action, Average, Cd, Centre, Fit, Guard, Method, Pcd, Schedule, Stopping};
use harmonium::units::Units;

use super::recipe::{EPOCHS, Goal};
use crate::args::{Finetune, Train, TrainOptions};

/// How fast the first rate of machines with bits and with linear codes is.
const RATE: f64 = 0.05;
const CODE_RATE: f64 = 0.002;
/// Sizes that a user can't mean.
const MOST: usize = 65_536;
/// The noise that drives the inputs of codes apart (Salakhutdinov & Hinton 2009, section 3.3).
const NOISE: f32 = 4.0;

/// Refuses options of single machines that mean nothing here, naming the first.
pub(super) fn check_options(options: &TrainOptions) -> Result<(), Error> {
    let mut rest = options.clone();
    (rest.batch, rest.learning_rate, rest.k, rest.chains) = (None, None, None, None);
    (rest.seed, rest.betas) = (None, None);
    // An option that nobody gave takes one line of what is printed, so that the first line that differs names the one given.
    let (given, none) = (format!("{rest:#?}"), format!("{:#?}", TrainOptions::default()));
    match given.lines().zip(none.lines()).find(|(a, b)| a != b) {
        None => Ok(()),
        Some((line, _)) => {
            let name = line.trim().split(':').next().unwrap_or_default().replace('_', "-");
            Err(Error::option(name, "--model rbm, or nothing, as stacks have no such option", "it"))
        }
    }
}

/// Says how the machines are trained.
pub(super) fn plan(goal: Goal, args: &Train) -> Result<Greedy, Error> {
    let layers = args.stack.layers.clone().unwrap_or_else(|| match goal {
        Goal::Dbn => vec![500, 500, 2000],
        Goal::Dbm => vec![500, 1000],
        _ => vec![1000, 500, 250, 30],
    });
    if let Some(wrong) = layers.iter().find(|units| !(1..=MOST).contains(*units)) {
        return Err(Error::option("layers", format!("1 to {MOST} units in each"), wrong));
    }
    let last = layers.len() - 1;
    let machine = |(n, &units): (usize, &usize)| machine(goal, args, units, n == last);
    let layers = layers.iter().enumerate().map(machine).collect();
    Ok(Greedy { layers, tuning: (goal == Goal::Dbn).then(|| updown(args)), ..Greedy::default() })
}

/// Says how one machine is trained: by CD, at the top of a dbn by PCD.
fn machine(goal: Goal, args: &Train, units: usize, top: bool) -> Machine {
    let options = &args.options;
    let linear = goal == Goal::Autoencoder && top && !args.stack.binary_codes;
    let rate = options.learning_rate.unwrap_or(if linear { CODE_RATE } else { RATE });
    let k = options.k.unwrap_or(1);
    let fit = Fit {
        epochs: args.epochs.unwrap_or(EPOCHS),
        batch: options.batch.unwrap_or(100),
        // What is handed on is not measured itself, so that a rate that declines to a fifth does.
        learning_rate: Schedule::Linear { from: rate, to: rate / 5.0 },
        centre: (!linear).then(Centre::default),
        guard: guard(),
        ..Fit::default()
    };
    let learner = if goal == Goal::Dbn && top {
        Learner::Pcd(Pcd::new(k, options.chains.unwrap_or(100)))
    } else {
        Learner::Cd(Cd::new(k))
    };
    let hidden = if linear { Units::Gaussian(units) } else { Units::Bernoulli(units) };
    Machine { hidden, fit, learner, transposed: false }
}

fn guard() -> Guard {
    Guard { action: Action::retry(), ..Guard::default() }
}

fn declining(args: &Train, rate: f64) -> Schedule {
    Schedule::Linear { from: args.stack.tune_rate.unwrap_or(rate), to: 0.0 }
}

fn updown(args: &Train) -> UpDown {
    UpDown {
        epochs: args.stack.tune_epochs.unwrap_or(10),
        batch: args.options.batch.unwrap_or(100),
        learning_rate: declining(args, 0.02),
        guard: guard(),
        ..UpDown::default()
    }
}

pub(super) fn joint(args: &Train) -> (Fit, Pcd) {
    let fit = Fit {
        epochs: args.stack.tune_epochs.unwrap_or(50),
        batch: args.options.batch.unwrap_or(100),
        learning_rate: declining(args, 0.005),
        average: Some(Average::exponential(0.999)),
        guard: guard(),
        ..Fit::default()
    };
    (fit, Pcd::new(args.options.k.unwrap_or(5), args.options.chains.unwrap_or(100)))
}

pub(super) fn unrolled(args: &Train) -> Tuning {
    let rate = args.stack.tune_rate.unwrap_or(1e-3);
    let layers = args.stack.layers.as_ref().map_or(4, Vec::len);
    Tuning {
        epochs: args.stack.tune_epochs.unwrap_or(100),
        batch: args.options.batch.unwrap_or(100),
        learning_rate: Schedule::Linear { from: rate, to: rate / 100.0 },
        method: Method::adam(),
        noise: args.stack.binary_codes.then_some(Noise { layer: layers, deviation: NOISE }),
        guard: guard(),
        ..Tuning::default()
    }
}

pub(super) fn classes(args: &Finetune) -> Tuning {
    let (p, rate) = (args.dropout.unwrap_or(0.0), args.rate.unwrap_or(0.1));
    let judged = args.validation != Some(0);
    Tuning {
        epochs: args.epochs.unwrap_or(100),
        batch: args.batch.unwrap_or(100),
        learning_rate: Schedule::Linear { from: rate, to: rate / 100.0 },
        method: Method::nesterov(0.9),
        // Units that are left out want their weights bounded (Srivastava et al. 2014, appendix A).
        max_norm: (p > 0.0).then_some(4.0),
        dropout: Omit { inputs: 0.4 * p, hidden: p },
        head_first: 2,
        // A sixth is filled in where nobody asked, once the rows are counted.
        validation: args.validation.unwrap_or(1),
        score: Score::Errors,
        stopping: judged.then_some(Stopping { patience: 15 }),
        guard: guard(),
        ..Tuning::default()
    }
}

/// Writes what was given to `train`, but for the data, how they are read, and the seed.
pub(super) fn given_to_train(args: &Train) -> String {
    let (stack, options, mut out) = (&args.stack, &args.options, String::new());
    let model = stack.model.map(|model| format!("{model:?}").to_lowercase());
    let layers =
        stack.layers.as_ref().map(|all| all.iter().map(usize::to_string).collect::<Vec<_>>().join(","));
    let mut put = |name: &str, value: Option<String>| {
        out.extend(value.map(|value| format!(" --{name} {value}")));
    };
    put("model", model);
    put("layers", layers);
    put("epochs", args.epochs.map(|x| x.to_string()));
    put("batch", options.batch.map(|x| x.to_string()));
    put("learning-rate", options.learning_rate.map(|x| x.to_string()));
    put("k", options.k.map(|x| x.to_string()));
    put("chains", options.chains.map(|x| x.to_string()));
    put("betas", options.betas.map(|x| x.to_string()));
    put("tune-epochs", stack.tune_epochs.map(|x| x.to_string()));
    put("tune-rate", stack.tune_rate.map(|x| x.to_string()));
    if stack.binary_codes { out + " --binary-codes" } else { out }
}

/// Writes what was given to `finetune`, but for the model, the data, how they are read, and the seed.
pub(super) fn given_to_finetune(args: &Finetune) -> String {
    let mut out = String::new();
    let mut put = |name: &str, value: Option<String>| {
        out.extend(value.map(|value| format!(" --{name} {value}")));
    };
    put("epochs", args.epochs.map(|x| x.to_string()));
    put("batch", args.batch.map(|x| x.to_string()));
    put("rate", args.rate.map(|x| x.to_string()));
    put("dropout", args.dropout.map(|x| x.to_string()));
    put("validation", args.validation.map(|x| x.to_string()));
    if args.random { out + " --random" } else { out }
}
