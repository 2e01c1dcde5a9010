//! Declares the options of the commands that ask what is not known of rows, or how strange they are.

use std::path::PathBuf;

use clap::Args;
use harmonium::rbm::Clamping;

use super::{Output, Reading};
use crate::sampler::SamplerOptions;

/// How chains walk of which something is known.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Walk {
    /// Chains of each row
    #[arg(long, value_name = "N", default_value_t = 20)]
    chains: usize,
    /// Sweeps on the way from independent units to the model
    #[arg(long, value_name = "N", default_value_t = 50)]
    annealing: u32,
    /// Gibbs sweeps after these before anything is counted
    #[arg(long, value_name = "N", default_value_t = 20)]
    warming: u32,
    /// Gibbs sweeps that are counted
    #[arg(long, value_name = "N", default_value_t = 100)]
    sweeps: u32,
}

impl Walk {
    pub(crate) fn options(self) -> Clamping {
        let Self { chains, annealing, warming, sweeps } = self;
        Clamping { chains, annealing, warming, sweeps }
    }
}

/// Where the results of such chains go.
#[derive(Clone, Debug, Args)]
pub(crate) struct Found {
    /// Where the means go, of bits the probabilities that they are on: *.npy, f32
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// A picture: above what was known of the first rows, below what was found: *.png
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
    /// The rows to take, the first N [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
    /// The seed of all randomness [default: that of the run, else 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example, after `harmonium train mnist --binarize threshold --epochs 10 --out run`:
  harmonium denoise run --data mnist --binarize threshold --spoil 0.1 --rows 200 --out clean.npy --picture clean.png")]
pub(crate) struct Denoise {
    /// A model file or the folder of a run, of an rbm or a dbm; a dbm needs --flips
    pub(crate) model: PathBuf,
    /// The noisy rows: mnist (its test images) or a file
    #[arg(long)]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// The rate at which bits were flipped, or classes replaced [default: estimated from the rows]
    #[arg(long, value_name = "RATE", conflicts_with = "deviation", allow_negative_numbers = true)]
    pub(crate) flips: Option<f32>,
    /// The standard deviation of normal noise in real values, in their own units
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) deviation: Option<f32>,
    /// Flip bits at this rate first, and tell how many of them come back
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) spoil: Option<f32>,
    #[command(flatten)]
    pub(crate) walk: Walk,
    #[command(flatten)]
    pub(crate) found: Found,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example, after `harmonium train mnist --binarize threshold --epochs 10 --out run`:
  harmonium inpaint run --data mnist --binarize threshold --hide 393-784 --rows 100 --out whole.npy --picture whole.png")]
pub(crate) struct Inpaint {
    /// A model file or the folder of a run, of an rbm or a dbm; of a dbm each chain gives one draw a row, so that more --chains are needed
    pub(crate) model: PathBuf,
    /// The rows: mnist (its test images) or a file
    #[arg(long)]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Columns to hide, besides values that are missing: numbers from 1 on and ranges of them, with commas between
    #[arg(long, value_name = "COLUMNS")]
    pub(crate) hide: Option<String>,
    #[command(flatten)]
    pub(crate) walk: Walk,
    #[command(flatten)]
    pub(crate) found: Found,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example, after `harmonium train mnist --binarize threshold --epochs 10 --validation 10000 --out run`:
  harmonium anomaly run --data mnist --normal mnist --binarize threshold --out strange.csv"
)]
pub(crate) struct Anomaly {
    /// A model file or the folder of a run
    pub(crate) model: PathBuf,
    /// The rows to judge: mnist (its test images) or a file
    #[arg(long)]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Normal rows to rank scores among: mnist (its training images) or a file. Of the data that the model itself was trained on those
    /// rows are taken that the run kept apart (`train --validation N`); it is told which. Without normal rows there are scores and no
    /// p-values
    #[arg(long, value_name = "DATA")]
    pub(crate) normal: Option<String>,
    /// The strangest rows of which each column's part of the score is written; it needs --normal
    #[arg(long, value_name = "N", default_value_t = 0, requires = "normal")]
    pub(crate) explain: usize,
    /// Where the scores go: *.csv, a row's number, its free energy in nats, its p-value, and the columns' parts
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The seed of all randomness [default: that of the run, else 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example, after `harmonium train mnist --binarize threshold --epochs 10 --out run`:
  harmonium generate run --n 500 --data mnist --training mnist --binarize threshold --out new.png")]
pub(crate) struct Generate {
    /// A model file or the folder of a run
    pub(crate) model: PathBuf,
    /// Rows to generate, each from a chain of its own
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) n: usize,
    /// Gibbs sweeps of each chain
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) sweeps: u64,
    #[command(flatten)]
    pub(crate) sampler: SamplerOptions,
    /// Rows that the model has not seen, to compare with: mnist (its test images) or a file
    #[arg(long)]
    pub(crate) data: String,
    /// Rows that the model was trained on: whether it has learnt them by heart
    #[arg(long, value_name = "DATA")]
    pub(crate) training: Option<String>,
    /// A classifier's file, to tell how classes are balanced in the new rows and in the data
    #[arg(long, value_name = "FILE")]
    pub(crate) classifier: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Where the rows go: *.npy (bits, or values one a column), *.csv (values and words, in the data's own units) or *.png
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The seed of all randomness [default: that of the run, else 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) output: Output,
}
