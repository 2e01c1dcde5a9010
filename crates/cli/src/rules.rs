//! Reads the rules of an update from the options of the command line, and writes them back as such.

use harmonium::Error;
use harmonium::train::{Adapt, Average, Clip, Constraints, Fit, GroupL1, Growth, Method, Schedule, Sparsity};

use crate::args::{Decline, Optimizer, TrainOptions};
use crate::hidden::Grown;

/// The settled defaults; the rates of adaptive rules are those of their papers.
const RATE: f64 = 0.05;
const ADAGRAD_RATE: f64 = 0.01;
const ADAM_RATE: f64 = 0.001;
const NESTEROV: f64 = 0.9;
const WEIGHT_DECAY: f32 = 0.01;

fn optimizer(options: &TrainOptions) -> Optimizer {
    let default = if options.adam { Optimizer::Adam } else { Optimizer::Sgd };
    options.optimizer.unwrap_or(default)
}

/// Makes the method.
///
/// # Errors
/// Names an option that the optimiser does not have.
pub(crate) fn method(options: &TrainOptions) -> Result<Method, Error> {
    let optimizer = optimizer(options);
    if let Some(momentum) = options.momentum.filter(|_| !has_momentum(optimizer)) {
        return Err(Error::option("momentum", "none but with sgd and nesterov", momentum));
    }
    if let Some(decay) = options.weight_decay.filter(|_| optimizer != Optimizer::Adamw) {
        return Err(Error::option("weight-decay", "none but with adamw", decay));
    }
    let momentum = |default| Schedule::Constant(options.momentum.unwrap_or(default));
    Ok(match optimizer {
        Optimizer::Sgd => Method::Sgd { momentum: momentum(0.0) },
        Optimizer::Nesterov => Method::Nesterov { momentum: momentum(NESTEROV) },
        Optimizer::Adam => Method::adam(),
        Optimizer::Adamw => Method::adamw(options.weight_decay.unwrap_or(WEIGHT_DECAY)),
        Optimizer::Adagrad => Method::adagrad(),
        Optimizer::Rmsprop => Method::rmsprop(),
    })
}

fn has_momentum(optimizer: Optimizer) -> bool {
    matches!(optimizer, Optimizer::Sgd | Optimizer::Nesterov)
}

/// Makes the schedule of the learning rate; `share` is what the data make of the default of rules that do not adapt.
pub(crate) fn rate(options: &TrainOptions, share: f64) -> Schedule {
    let default = match optimizer(options) {
        Optimizer::Sgd | Optimizer::Nesterov => RATE * share,
        Optimizer::Adagrad => ADAGRAD_RATE,
        Optimizer::Adam | Optimizer::Adamw | Optimizer::Rmsprop => ADAM_RATE,
    };
    let from = options.learning_rate.unwrap_or(default);
    match options.decline.unwrap_or(Decline::Linear) {
        Decline::Linear => Schedule::Linear { from, to: 0.0 },
        Decline::Cosine => Schedule::Cosine { from, to: 0.0 },
        Decline::Constant => Schedule::Constant(from),
    }
}

/// Makes the average: of the plain mean, the second half.
pub(crate) fn average(options: &TrainOptions) -> Option<Average> {
    let decay = options.average?;
    let whole = if decay < 1.0 { 0.0 } else { Average::default().start };
    Some(Average { decay, start: options.average_from.unwrap_or(whole) })
}

/// Makes the penalty within each hidden unit; 0 is none.
pub(crate) fn group_l1(options: &TrainOptions) -> Option<GroupL1> {
    options.group_l1.filter(|&strength| strength != 0.0).map(|strength| GroupL1 { strength })
}

/// Makes the pull towards a mean activity.
pub(crate) fn sparsity(options: &TrainOptions) -> Option<Sparsity> {
    let strength = options.sparsity_strength.unwrap_or(Sparsity::default().strength);
    options.sparsity.map(|target| Sparsity { target, strength })
}

/// Makes the bounds of the parameters.
pub(crate) fn constraints(options: &TrainOptions) -> Constraints {
    let proximal = options.proximal.unwrap_or(0.0);
    Constraints { proximal, max_norm: options.max_norm, ..Constraints::default() }
}

/// Makes the limit of the gradient.
pub(crate) fn clip(options: &TrainOptions) -> Option<Clip> {
    options.clip.map(|norm| Clip { norm })
}

/// Makes the adaptation of the rate.
pub(crate) fn adapt(options: &TrainOptions) -> Option<Adapt> {
    options.adapt_rate.map(|strength| Adapt { strength, ..Adapt::default() })
}

/// Makes the growth of the hidden layer.
pub(crate) fn growth(options: &TrainOptions) -> Vec<Growth> {
    let grown = |&Grown { epoch, hidden }: &Grown| Growth { epoch, hidden, ..Growth::default() };
    options.growth.iter().map(grown).collect()
}

/// Names rate and method as options.
pub(crate) fn method_words(fit: &Fit) -> Vec<String> {
    let decline = match fit.learning_rate {
        Schedule::Linear { .. } => "linear",
        Schedule::Cosine { .. } => "cosine",
        _ => "constant",
    };
    let mut words = vec![format!("--learning-rate {}", value(&fit.learning_rate))];
    words.push(format!("--decline {decline}"));
    words.push(match &fit.method {
        Method::Sgd { momentum } => format!("--momentum {}", value(momentum)),
        Method::Nesterov { momentum } => format!("--optimizer nesterov --momentum {}", value(momentum)),
        Method::Adam { .. } => "--adam".into(),
        Method::AdamW { decay, .. } => format!("--optimizer adamw --weight-decay {decay}"),
        Method::Adagrad { .. } => "--optimizer adagrad".into(),
        Method::RmsProp { .. } => "--optimizer rmsprop".into(),
    });
    words
}

/// Names what is set besides, as options.
pub(crate) fn extra_words(fit: &Fit) -> Vec<String> {
    let mut words = Vec::new();
    let mut option = |name: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("--{name} {value}")));
    };
    option("average", fit.average.map(|average| average.decay.to_string()));
    option("average-from", fit.average.map(|average| average.start.to_string()));
    let proximal = fit.constraints.proximal;
    option("proximal", (proximal != 0.0).then(|| proximal.to_string()));
    option("group-l1", fit.group_l1.map(|group| group.strength.to_string()));
    option("sparsity", fit.sparsity.map(|sparsity| sparsity.target.to_string()));
    option("sparsity-strength", fit.sparsity.map(|sparsity| sparsity.strength.to_string()));
    option("max-norm", fit.constraints.max_norm.map(|norm| norm.to_string()));
    option("clip", fit.clip.map(|clip| clip.norm.to_string()));
    option("adapt-rate", fit.adapt.map(|adapt| adapt.strength.to_string()));
    let grown: Vec<String> =
        fit.growth.iter().map(|growth| format!("{}:{}", growth.epoch, growth.hidden)).collect();
    option("growth", (!grown.is_empty()).then(|| grown.join(",")));
    words
}

/// Gives the value of a schedule at the start, which is what the command line names.
pub(crate) fn value(schedule: &Schedule) -> String {
    schedule.at(0, 1, 0).to_string()
}
