//! Declares the options of `ising`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use harmonium::Error;
use harmonium::bm::lattice::{Moves, exact};

use super::Output;

/// The most temperatures of one run.
const MOST: usize = 1000;

#[derive(Debug, Args)]
pub(crate) struct Ising {
    /// Sites along a side, or rows x columns: 64 or 64x128; even sides are fast
    #[arg(long, value_name = "SIZE", default_value = "64")]
    pub(crate) size: Size,
    /// Temperatures in units of the coupling: 2.0 or 2.0,2.5, or first:last:count; critical is 2.269185
    #[arg(long, value_name = "T", default_value = "critical")]
    pub(crate) temperature: Temperatures,
    /// Sweeps that are counted, at each temperature
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) sweeps: usize,
    /// Sweeps before anything is counted
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) warming: usize,
    /// How spins move; clusters are best near the critical temperature
    #[arg(long, value_name = "MOVES", default_value = "metropolis")]
    pub(crate) moves: Way,
    /// Where the spins start: all up, or by the toss of a coin each
    #[arg(long, value_name = "START", default_value = "cold")]
    pub(crate) start: Start,
    /// Neighbours want to be unequal
    #[arg(long)]
    pub(crate) antiferromagnet: bool,
    /// Probabilities of 16 bits instead of 32
    #[arg(long)]
    pub(crate) fast: bool,
    /// The seed of all randomness
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// A folder for the table, the curves and a picture of the lattice at each temperature
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Names the moves on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// Single spins by the rule of Metropolis.
    Metropolis,
    /// Single spins given their neighbours.
    HeatBath,
    /// Clusters of bonds (Swendsen and Wang).
    Cluster,
}

impl From<Way> for Moves {
    fn from(way: Way) -> Self {
        match way {
            Way::Metropolis => Self::Metropolis,
            Way::HeatBath => Self::HeatBath,
            Way::Cluster => Self::Cluster,
        }
    }
}

/// Names where spins start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Start {
    /// All up.
    Cold,
    /// Fair coins.
    Hot,
}

/// Is rows and columns of a lattice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl FromStr for Size {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (rows, columns) = text.split_once('x').unwrap_or((text, text));
        let side = |side: &str| side.parse().ok();
        let both = side(rows).zip(side(columns)).map(|(rows, columns)| Self { rows, columns });
        both.ok_or_else(|| Error::option("size", "a number of sites, or rows x columns as 64x128", text))
    }
}

/// Is a list of temperatures, in the order in which they are visited.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Temperatures(pub(crate) Vec<f64>);

impl FromStr for Temperatures {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let expected = "temperatures as 2.0, 2.0,2.5, critical or 1.5:3.5:21";
        let list = text.split(',').map(part).collect::<Option<Vec<_>>>();
        let list =
            list.map(|parts| parts.concat()).ok_or_else(|| Error::option("temperature", expected, text))?;
        if list.len() > MOST {
            return Err(Error::option("temperature", format!("at most {MOST} of them"), list.len()));
        }
        Ok(Self(list))
    }
}

/// Reads one temperature or one range; none where the text is neither.
fn part(text: &str) -> Option<Vec<f64>> {
    let one =
        |text: &str| if text == "critical" { Some(exact::critical_temperature()) } else { text.parse().ok() };
    match *text.split(':').collect::<Vec<_>>() {
        [single] => Some(vec![one(single)?]),
        [first, last, count] => {
            let (first, last, count) = (one(first)?, one(last)?, count.parse::<usize>().ok()?);
            // Longer lists are refused by their length, which needs no more than this to show.
            let count = (2..).contains(&count).then_some(count.min(MOST + 1))?;
            let share = |n: usize| n as f64 / (count - 1) as f64;
            Some((0..count).map(|n| first + (last - first) * share(n)).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_temperatures_are_read() {
        assert_eq!("64".parse::<Size>().unwrap(), Size { rows: 64, columns: 64 });
        assert_eq!("3x5".parse::<Size>().unwrap(), Size { rows: 3, columns: 5 });
        assert_eq!("1:2:3,4".parse::<Temperatures>().unwrap().0, [1.0, 1.5, 2.0, 4.0]);
        assert_eq!("critical".parse::<Temperatures>().unwrap().0, [exact::critical_temperature()]);
        assert!(["", "x3", "-1", "3x", "2 x 2"].iter().all(|text| text.parse::<Size>().is_err()));
        let bad = ["", "1,", "1:2", "1:2:1", "1:2:x", "1:2:3:4", "1:2:9999999999"];
        assert!(bad.iter().all(|text| text.parse::<Temperatures>().is_err()));
    }
}
