//! Declares the commands and their options.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use harmonium::Backend;

/// Measures Harmonium, alone or beside other programs at the same work.
#[derive(Debug, Parser)]
#[command(name = "harmonium-bench", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure our own work: one thing in one process.
    Own(Box<Own>),
    /// Measure our work and that of other programs in turn, one process each, and print the tables.
    Peers(Peers),
    /// Train by 30 recipes on six sets, and compare the settled options with the best of them.
    Sweep(Sweep),
}

/// What of our own is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// An epoch of contrastive divergence, one sweep an update.
    Cd1,
    /// An epoch of persistent contrastive divergence, one sweep an update, as many chains as the batch has rows.
    Pcd1,
    /// Block Gibbs sweeps of v and h.
    Gibbs,
    /// Annealed importance sampling by the schedule of Salakhutdinov and Murray (2008), 100 runs.
    Ais,
    /// Metropolis sweeps of an Ising lattice of 1024 × 1024 sites.
    Ising,
    /// Sequential sweeps of chains of a dense machine of 1000 bits.
    Bm,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cd1 => "cd1",
            Self::Pcd1 => "pcd1",
            Self::Gibbs => "gibbs",
            Self::Ais => "ais",
            Self::Ising => "ising",
            Self::Bm => "bm",
        })
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Own {
    /// What is measured
    pub(crate) what: What,
    /// Threads to use
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = positive)]
    pub(crate) threads: usize,
    /// Rows an update
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = positive)]
    pub(crate) batch: usize,
    /// Rows of an epoch
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = positive)]
    pub(crate) n: usize,
    /// Measured repetitions, after one that is not
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = positive)]
    pub(crate) reps: usize,
    /// Visible units; other than 784 are trained on synthetic bits
    #[arg(long, value_name = "N", default_value_t = 784, value_parser = positive)]
    pub(crate) visible: usize,
    /// Hidden units
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = positive)]
    pub(crate) hidden: usize,
    /// Chains of gibbs and bm
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = positive)]
    pub(crate) chains: usize,
    /// Sweeps of gibbs, ising and bm
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = positive)]
    pub(crate) sweeps: usize,
    /// The machine of gibbs and ais [default: random weights of standard deviation 0.1, no biases]
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
    /// The back end to use [default: $HARMONIUM_BACKEND, else the fastest]
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<Backend>,
    /// The folder of MNIST [default: data/mnist here or above, or that of $HARMONIUM_DATA]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// Append every repetition to this file: name, threads, batch, unit, units per second
    #[arg(long, value_name = "FILE")]
    pub(crate) tsv: Option<PathBuf>,
}

/// Which comparisons are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// All of them.
    All,
    /// Epochs of training, batch 100.
    Train,
    /// Epochs of training, batch 10.
    Small,
    /// Block Gibbs sweeps of 1000 chains.
    Gibbs,
    /// Our own work on one thread and on all that were asked for.
    Scaling,
    /// Epochs of smaller and larger machines.
    Shapes,
    /// Annealed importance sampling, and the memory of `harmonium train mnist`.
    Limits,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Peers {
    /// Threads to use
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = positive)]
    pub(crate) threads: usize,
    /// Rounds over all programs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = positive)]
    pub(crate) rounds: usize,
    /// Measured repetitions of each program in each round, after one that is not
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = positive)]
    pub(crate) reps: usize,
    /// Rows of an epoch, whole hundreds
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = hundreds)]
    pub(crate) n: usize,
    /// The comparisons to make
    #[arg(long, default_value = "all")]
    pub(crate) group: Group,
    /// Write the tables to this file, too
    #[arg(long, value_name = "FILE.md")]
    pub(crate) out: Option<PathBuf>,
    /// The peers' script [default: bench_peers.py in $HARMONIUM_PEERS, else in ../shared/peers]
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    /// The Python that has the peers
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub(crate) python: PathBuf,
    /// The machine that annealed importance sampling is timed on [default: random weights]
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Sweep {
    /// The sets to train on; those whose files are not at hand are left out
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        default_value = "mnist,digits,nltcs,mushrooms,voting,house-votes"
    )]
    pub(crate) sets: Vec<String>,
    /// Seeds of each training, from 1 on
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seeds: u64,
    /// Only the first so many recipes
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = positive)]
    pub(crate) recipes: usize,
    /// The folder of the optional sets: house-votes-84, debd/nltcs, debd/mushrooms, debd/voting
    #[arg(long, value_name = "FOLDER")]
    pub(crate) extra: Option<PathBuf>,
    /// Write the table to this file, too
    #[arg(long, value_name = "FILE.md")]
    pub(crate) out: Option<PathBuf>,
}

fn hundreds(text: &str) -> Result<usize, String> {
    let number = positive(text)?;
    if number % 100 == 0 {
        Ok(number)
    } else {
        Err("expected whole hundreds, as a batch has 100 rows".into())
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected 1 or more".into()),
        Ok(number) => Ok(number),
        Err(e) => Err(format!("expected a number: {e}")),
    }
}
