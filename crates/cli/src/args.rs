//! Declares the commands and their options.

mod clamped;
mod ising;
mod stacks;
mod train;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use harmonium::data::Binarize;

use crate::commands::maxcut::MaxCut;
use crate::commands::recommend::Recommend;
use crate::sampler::SamplerOptions;

pub(crate) use self::clamped::{Anomaly, Denoise, Found, Generate, Inpaint};
pub(crate) use self::stacks::{Decode, Encode, Finetune, Made, Predict, StackOptions};
pub(crate) use self::train::{Algorithm, Decline, Optimizer, Train, TrainOptions};
pub(crate) use ising::{Ising, Size, Start};

/// Trains, evaluates and samples Boltzmann machines. The same seed gives the same bits with any number of threads, and for units of
/// discrete states on any CPU.
#[derive(Debug, Parser)]
#[command(name = "harmonium", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a restricted Boltzmann machine or a stack of them, evaluate it and write a report.
    Train(Box<Train>),
    /// Train a classifier by backpropagation, from a trained model.
    Finetune(Finetune),
    /// Tell the classes of rows.
    Predict(Predict),
    /// Compute the codes of rows.
    Encode(Encode),
    /// Compute rows from codes.
    Decode(Decode),
    /// Measure a model on data: log-likelihood with its interval.
    Evaluate(Evaluate),
    /// Draw samples from a model.
    Sample(Sample),
    /// Compute features: p(hidden = 1 | data).
    Transform(Convert),
    /// Reconstruct data in one pass up and down.
    Reconstruct(Convert),
    /// Fill in missing values of a table: what the model expects of them, and how sure it is.
    Impute(Impute),
    /// Take noise off rows: what the model expects below it, the noise clamped.
    Denoise(Denoise),
    /// Fill hidden columns and missing values of rows, by several chains a row.
    Inpaint(Inpaint),
    /// Tell how strange rows are: free energies, p-values, and each column's part.
    Anomaly(Anomaly),
    /// Generate rows, and tell how good they are.
    Generate(Generate),
    /// Sample an Ising lattice beside its exact solution.
    Ising(Ising),
    /// Tell what a file or a run holds.
    Inspect(Inspect),
    /// Make a model file from weights of another program.
    Import(Import),
    /// Write a model's weights for other programs.
    Export(Export),
    /// Write the report of a run anew.
    Report(Report),
    /// Search for the largest cut of a graph, or for the least value of a quadratic problem.
    Maxcut(MaxCut),
    /// Predict ratings of items by users, beside baselines, and list what a user may like.
    Recommend(Recommend),
}

/// How rows of data are read and become bits.
#[derive(Clone, Debug, Args)]
#[group(id = "Reading", multiple = true)]
pub(crate) struct Reading {
    /// How grey values become bits: threshold, sample or none [default: sample for mnist, else none]
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// The file holds rows of this many bits, eight to a byte, most significant first
    #[arg(long, value_name = "COLUMNS")]
    pub(crate) packed: Option<usize>,
    /// The name of the array in an npz file that holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) array: Option<String>,
}

/// What a command prints.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Output {
    /// Print one JSON object a line on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Print no progress
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Threads to use [default: one a core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// Enumerate the smaller layer.
    Exact,
    /// Annealed importance sampling.
    Ais,
    /// The pseudo-likelihood alone, which is no likelihood.
    Pseudo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Schedule {
    /// 0:1e-3:0.5, 0.5:1e-4:0.9, 0.9:1e-5:1, as Salakhutdinov and Murray (2008), with their smoothing of the base.
    Sm08,
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// A model file or the folder of a run
    pub(crate) model: PathBuf,
    /// The rows to evaluate: mnist (its test images) or a file
    #[arg(long)]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// How ln Z is found [default: exact up to 20 units in the smaller layer, else ais]
    #[arg(long)]
    pub(crate) method: Option<Method>,
    /// Annealing runs
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) runs: usize,
    /// Temperatures
    #[arg(long, value_name = "N", default_value_t = 14_500, conflicts_with = "schedule")]
    pub(crate) betas: usize,
    /// Place the temperatures by pilot runs, where the log weights of this model spread
    #[arg(long, conflicts_with = "schedule")]
    pub(crate) adaptive: bool,
    /// A published list of temperatures
    #[arg(long)]
    pub(crate) schedule: Option<Schedule>,
    /// Rows whose marginals are the base of the annealing: mnist (its training images) or a file [default: the base
    /// stored with the model]
    #[arg(long, value_name = "DATA")]
    pub(crate) base_data: Option<String>,
    /// Sweeps that chains walk from the base data (else the data) before they anneal back; 0 leaves that out
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) reverse_sweeps: u64,
    /// The seed of all randomness [default: that of the run, else 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Print an estimate however wide its interval is
    #[arg(long)]
    pub(crate) force: bool,
    /// Rows, spread evenly over the data, from each of which ten runs anneal down to the base: an estimate of their log-likelihood
    /// that errs low, without ln Z. 0 leaves that out
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) raise: usize,
    /// Samples to draw and compare with the data: moments, maximum mean discrepancy, nearest neighbours; with base data
    /// also whether these were learnt by heart. 0 draws none
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) samples: usize,
    /// Sweeps of each sample's chain
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "samples")]
    pub(crate) sweeps: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Sample {
    /// A model file or the folder of a run
    pub(crate) model: PathBuf,
    /// Samples to draw, each from a chain of its own
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) n: usize,
    /// Gibbs sweeps of each chain
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) sweeps: u64,
    /// Samples of this class alone, of a dbn with labels
    #[arg(long, value_name = "C")]
    pub(crate) class: Option<usize>,
    #[command(flatten)]
    pub(crate) sampler: SamplerOptions,
    /// Where the samples go: *.npy (bits, or values one a column), *.csv (values and words) or *.png (a grid)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The seed of all randomness [default: that of the run, else 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// A model file or the folder of a run
    pub(crate) model: PathBuf,
    /// The rows: mnist (its test images) or a file
    #[arg(long)]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Where the result goes: *.npy, f32
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The seed of all randomness [default: that of the run, else 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Impute {
    /// A table with missing values: *.csv[.gz] or *.data[.gz]
    pub(crate) data: PathBuf,
    /// A model file or the folder of a run
    #[arg(long)]
    pub(crate) model: PathBuf,
    /// Where the filled table goes: *.csv; beside each column with gaps stands one more, with the standard deviation of
    /// what was filled in, or for bits and classes its probability
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Gibbs sweeps before anything is counted
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) warming: u32,
    /// Gibbs sweeps that are counted
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub(crate) sweeps: u32,
    /// The seed of all randomness [default: that of the run, else 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A model file, a checkpoint or the folder of a run
    pub(crate) file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// W, visible × hidden: *.npy[.gz] or *.npz (scikit-learn's components_ is hidden × visible: see --transposed)
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: PathBuf,
    /// The visible biases: *.npy[.gz] or *.npz
    #[arg(long, value_name = "FILE")]
    pub(crate) visible_bias: PathBuf,
    /// The hidden biases: *.npy[.gz] or *.npz
    #[arg(long, value_name = "FILE")]
    pub(crate) hidden_bias: PathBuf,
    /// The weights are hidden × visible, as scikit-learn's components_
    #[arg(long)]
    pub(crate) transposed: bool,
    /// Where the model goes
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A model file or the folder of a run
    pub(crate) model: PathBuf,
    /// Where the weights go: *.safetensors or *.npz
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The folder of a run
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}
