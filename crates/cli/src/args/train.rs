//! Declares the options of `train`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use harmonium::data::Kind;

use super::{Output, Reading, StackOptions};
use crate::hidden::{Grown, Hidden};
use crate::stop::Judge;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Algorithm {
    /// Contrastive divergence: chains start at the data.
    Cd,
    /// Persistent contrastive divergence: chains go on where they stood.
    Pcd,
    /// Fast PCD: chains run on weights that forget fast.
    Fpcd,
    /// PCD by parallel tempering: chains at several temperatures swap places.
    Pt,
    /// PCD by trajectory tempering: chains swap places with those of earlier models of the training.
    Ptt,
    /// The exact gradient, by enumeration of a layer of at most 2^20 states.
    Exact,
    /// The gradient of the pseudo-likelihood.
    Pl,
    /// Mean field with the terms of Thouless, Anderson and Palmer.
    Tap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decline {
    /// The rate falls in a straight line to zero.
    Linear,
    /// The rate falls to zero along half a cosine.
    Cosine,
    /// The rate stays.
    Constant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Optimizer {
    /// Stochastic gradient descent, with momentum if asked for.
    Sgd,
    /// Nesterov's momentum.
    Nesterov,
    /// Adam.
    Adam,
    /// Adam with a decay of the weights beside it.
    Adamw,
    /// Adagrad.
    Adagrad,
    /// RMSprop.
    Rmsprop,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  harmonium train mnist --hidden 500\n  harmonium train mnist --model dbn --layers 500,500,2000\n  \
harmonium train mnist --model dbm --layers 500,1000\n  harmonium train mnist --model autoencoder --layers 1000,500,250,30"
)]
pub(crate) struct Train {
    /// mnist, or a file: *.npy[.gz], *.npz, *.csv[.gz], *.data[.gz], *-ubyte[.gz]
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    pub(crate) data: Option<String>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) stack: StackOptions,
    #[command(flatten)]
    pub(crate) options: TrainOptions,
    /// Go on with the run in this folder; only --epochs, --profile, --threads, --json and --quiet may stand beside it
    #[arg(long, value_name = "DIR", conflicts_with_all = ["Reading", "TrainOptions", "StackOptions", "out"])]
    pub(crate) resume: Option<PathBuf>,
    /// Passes over the data [default: 30]
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<u32>,
    /// Where the run goes [default: the next free runs/NAME-NNN]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Tell after the training where the time of a step went, and which share of the machine's peak that was; the
    /// results have the same bits
    #[arg(long)]
    pub(crate) profile: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

// The options of a new run. Nothing may be flattened into it: the group that `--resume` refuses would then be empty.
#[derive(Clone, Debug, Default, Args)]
#[group(id = "TrainOptions", multiple = true)]
pub(crate) struct TrainOptions {
    /// Hidden units: their number, their kind (as --visible has it), or both as N,KIND [default: 500,bernoulli; fewer for few
    /// visible units of another kind]
    #[arg(long, value_name = "N,KIND")]
    pub(crate) hidden: Option<Hidden>,
    /// The kind of the visible units, for all columns: bernoulli, spin, categorical (categorical:N), gaussian, diagonal (gaussian with
    /// learned variances), relu, drelu, binomial (binomial:N) or poisson; real columns are scaled, and scaled back in what comes
    /// out. In csv files NA, ?, nan and empty fields are missing values [default: bernoulli, without missing values]
    #[arg(long, value_name = "KIND")]
    pub(crate) visible: Option<Kind>,
    /// What each column of a table is: a JSON file {"columns": [{"name": …, "kind": …, "classes": […]}, …]}, name being a
    /// heading or a number from 1 on, kind as in --visible, ignore or auto; or the word auto, to infer all from the values
    #[arg(long, value_name = "FILE", conflicts_with = "visible")]
    pub(crate) schema: Option<PathBuf>,
    /// Columns to leave out, say labels: headings or numbers from 1 on, with commas between; beside --visible or --schema
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) drop: Vec<String>,
    /// Add hidden units at the beginning of an epoch, counted from 0, so that there are N; more of it with commas between
    #[arg(long, value_name = "EPOCH:N", value_delimiter = ',', conflicts_with = "stop")]
    pub(crate) growth: Vec<Grown>,
    /// A weight for each row of the data, how they compare: a file of one column, read as the data are
    #[arg(long, value_name = "FILE", conflicts_with = "stream")]
    pub(crate) weights: Option<PathBuf>,
    /// Leave each Bernoulli hidden unit out with this probability, row by row, in cd and pcd; the model then has the weights that are
    /// expected without [default: 0]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, conflicts_with_all = ["stop", "growth"])]
    pub(crate) dropout: Option<f32>,
    /// How the negative phase is sampled [default: pcd]
    #[arg(long)]
    pub(crate) algorithm: Option<Algorithm>,
    /// Gibbs sweeps an update; for tap, steps of its equations [default: 1; 3 for tap]
    #[arg(long, value_name = "N")]
    pub(crate) k: Option<u32>,
    /// Persistent chains; for pt and ptt, of each rung; for tap, magnetisations [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) chains: Option<usize>,
    /// fpcd: learning rate of the fast weights [default: 0.05]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) fast_rate: Option<f32>,
    /// fpcd: what the fast weights are multiplied with at every update [default: 0.95]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) fast_decay: Option<f32>,
    /// pt: inverse temperatures, in equal steps from 1 down to the lowest [default: 11]
    #[arg(long, value_name = "N")]
    pub(crate) rungs: Option<usize>,
    /// pt: the lowest inverse temperature [default: 0.7]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) lowest_beta: Option<f32>,
    /// pt: updates at the beginning in which the temperatures are spaced anew, so that all neighbours swap equally often [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) adapt: Option<u64>,
    /// ptt: another model is kept when the share of swaps with the last falls below this [default: 0.25]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) threshold: Option<f32>,
    /// ptt: an update is taken back, as one that ran away is, when the share of swaps with the newest kept model falls below this; 0
    /// takes none back [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) least: Option<f32>,
    /// tap: order of the expansion in the couplings; 1 is naive mean field [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) order: Option<u8>,
    /// tap: share of the old magnetisations in the new ones [default: 0.5]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) damping: Option<f32>,
    /// Rows an update [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) batch: Option<usize>,
    /// Learning rate at the start [default: 0.05; 0.01 for adagrad, 0.001 for adam, adamw and rmsprop]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) learning_rate: Option<f64>,
    /// How the learning rate declines over the epochs [default: linear]
    #[arg(long)]
    pub(crate) decline: Option<Decline>,
    /// Adapt the learning rate to how gradients follow each other: faster where they agree by this much an update, say 0.02
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) adapt_rate: Option<f32>,
    /// Take the epochs, rate, centring, L2 and average that the number of rows and columns settles, for bits and pcd, where none is
    /// asked for
    #[arg(long)]
    pub(crate) settled: bool,
    /// The rule that turns gradients into steps [default: sgd]
    #[arg(long)]
    pub(crate) optimizer: Option<Optimizer>,
    /// Momentum of sgd and nesterov [default: 0; 0.9 for nesterov]
    #[arg(long, value_name = "X", allow_negative_numbers = true, conflicts_with = "adam")]
    pub(crate) momentum: Option<f64>,
    /// Use Adam: short for --optimizer adam
    #[arg(long, conflicts_with = "optimizer")]
    pub(crate) adam: bool,
    /// Decay of the weights beside the gradient, with adamw [default: 0.01]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) weight_decay: Option<f32>,
    /// Average the parameters and keep the average as the model: the decay of an exponential mean, or 1 for the plain one
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    pub(crate) average: Option<f32>,
    /// The part of the training that goes by before the average begins [default: 0; 0.5 for the plain mean]
    #[arg(long, value_name = "PART", allow_negative_numbers = true, requires = "average")]
    pub(crate) average_from: Option<f64>,
    /// Centre the gradient, the offsets following the data at this rate; 0 for none [default: 0.01]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) centre: Option<f32>,
    /// Strength of the L1 penalty on the weights [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) l1: Option<f32>,
    /// Strength of the L2 penalty on the weights [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) l2: Option<f32>,
    /// Strength of an L1 penalty as a proximal step, which makes exact zeros [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) proximal: Option<f32>,
    /// Strength of the squared L1 penalty on the weights of each hidden unit [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) group_l1: Option<f32>,
    /// Pull hidden units towards this mean activity, between 0 and 1
    #[arg(long, value_name = "TARGET", allow_negative_numbers = true)]
    pub(crate) sparsity: Option<f32>,
    /// Strength of that pull [default: 0.01]
    #[arg(long, value_name = "X", allow_negative_numbers = true, requires = "sparsity")]
    pub(crate) sparsity_strength: Option<f32>,
    /// The largest Euclidean norm of the weights of a hidden unit
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) max_norm: Option<f32>,
    /// The largest Euclidean norm of a gradient; longer ones are scaled down to it
    #[arg(long, value_name = "NORM", allow_negative_numbers = true)]
    pub(crate) clip: Option<f32>,
    /// Keep the last N training rows for validation [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) validation: Option<usize>,
    /// End the training when epochs stop getting better on the rows of --validation, and put the best one back
    #[arg(long, value_name = "BY")]
    pub(crate) stop: Option<Judge>,
    /// Epochs in a row that may be no better than the best before --stop ends the training [default: 5]
    #[arg(long, value_name = "N", requires = "stop")]
    pub(crate) patience: Option<u32>,
    /// Read rows from the file as they are needed instead of loading it, for data larger than memory: *.npy with
    /// --packed; the results have the same bits
    #[arg(long, requires = "packed")]
    pub(crate) stream: bool,
    /// The seed of all randomness [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Temperatures of the annealing that evaluates the result; 0 leaves it out [default: 14500]
    #[arg(long, value_name = "N")]
    pub(crate) betas: Option<usize>,
}
