//! Declares the options of stacks: deep belief networks, deep Boltzmann machines, autoencoders and classifiers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Output, Reading};

/// What `train` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Made {
    /// A restricted Boltzmann machine.
    Rbm,
    /// A deep belief network: machines on each other, with labels at the top where there are some, and up-down.
    Dbn,
    /// A deep Boltzmann machine: pretrained layer by layer, then trained as a whole.
    Dbm,
    /// A deep autoencoder: machines on each other, unrolled and tuned by backpropagation.
    Autoencoder,
}

// A group of its own, so that `--resume` can refuse it.
#[derive(Clone, Debug, Default, Args)]
#[group(id = "StackOptions", multiple = true)]
pub(crate) struct StackOptions {
    /// What is trained [default: rbm]
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<Made>,
    /// Units of the hidden layers of a dbn, dbm or autoencoder, from the data up; the last are the code of an autoencoder. --epochs,
    /// --batch, --learning-rate, --k and --chains then count for each layer
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    pub(crate) layers: Option<Vec<usize>>,
    /// A class for each row: an IDX file or one of one column, whole numbers from 0 on, −1 for rows without; none leaves labels out
    /// [default: those of mnist, else none]
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<String>,
    /// Epochs after the layers: of up-down (dbn), of the whole machine (dbm), of backpropagation (autoencoder) [default: 10, 50, 100]
    #[arg(long, value_name = "N")]
    pub(crate) tune_epochs: Option<u32>,
    /// Learning rate at the start of these epochs; it declines [default: 0.02 (dbn), 0.005 (dbm), 0.001 (autoencoder)]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) tune_rate: Option<f64>,
    /// Codes of an autoencoder that are bits: sigmoid units with noise (semantic hashing), else linear ones
    #[arg(long)]
    pub(crate) binary_codes: bool,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  harmonium train mnist --model dbn --layers 500,500,2000 --out runs/dbn\n  \
harmonium finetune runs/dbn --data mnist --random --out runs/classifier\n  \
harmonium predict runs/classifier --data mnist --out predicted.csv"
)]
pub(crate) struct Finetune {
    /// The model to start from: a dbn, dbm or rbm, its file or the folder of its run
    pub(crate) model: PathBuf,
    /// The rows to train on: mnist or a file. Bits that are sampled are drawn anew in each epoch
    #[arg(long)]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// A class for each row: an IDX file or one of one column, whole numbers from 0 on, −1 for rows without [default: those of mnist]
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<String>,
    /// Passes over the data [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<u32>,
    /// Rows an update [default: 100, fewer for fewer than 5000 rows]
    #[arg(long, value_name = "N")]
    pub(crate) batch: Option<usize>,
    /// Learning rate at the start; it declines in a straight line [default: 0.1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) rate: Option<f64>,
    /// Leave hidden units out with this probability, inputs with 0.4 of it [default: 0]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) dropout: Option<f32>,
    /// The last rows of the data judge each epoch, and the best one's weights are kept; 0 for none [default: a sixth]
    #[arg(long, value_name = "N")]
    pub(crate) validation: Option<usize>,
    /// Train the same network from a random start beside it, for comparison
    #[arg(long)]
    pub(crate) random: bool,
    /// The seed of all randomness [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Where the run goes [default: the next free runs/NAME-NNN]; train --resume goes on with it
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  harmonium predict runs/classifier --data mnist --out predicted.csv")]
pub(crate) struct Predict {
    /// A classifier or a dbn with labels: its file or the folder of its run
    pub(crate) model: PathBuf,
    /// The rows: mnist (its test images) or a file
    #[arg(long)]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// The classes, if they are known, for the error rate and the confusion matrix: as in finetune
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<String>,
    /// Where the result goes: *.csv (class and probabilities) or *.npy (probabilities, f32) [default: nowhere]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  harmonium train mnist --model autoencoder --layers 1000,500,250,30 --out runs/codes\n  \
harmonium encode runs/codes --data mnist --out codes.npy\n  harmonium decode runs/codes --codes codes.npy --out back.npy"
)]
pub(crate) struct Encode {
    /// An autoencoder, or a dbn, dbm, rbm or classifier, whose top hidden layer is then the code
    pub(crate) model: PathBuf,
    /// The rows: mnist (its test images) or a file
    #[arg(long)]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Write bits, one byte each: above ½, or above 0 where codes are linear
    #[arg(long)]
    pub(crate) binary: bool,
    /// Where the codes go: *.npy
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  harmonium encode runs/codes --data mnist --out codes.npy\n  \
harmonium decode runs/codes --codes codes.npy --out back.npy")]
pub(crate) struct Decode {
    /// An autoencoder: its file or the folder of its run
    pub(crate) model: PathBuf,
    /// The codes, one row each: *.npy, as encode writes them
    #[arg(long, value_name = "FILE")]
    pub(crate) codes: PathBuf,
    /// Where the rows go: *.npy
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}
