//! Holds a piece of work that can be timed, and says how fast it was.

use harmonium::Error;

use crate::args::Own;
use crate::record::Record;
use crate::spread::Spread;

/// Does the work once and gives the seconds that count.
pub(crate) type Once = Box<dyn FnMut() -> Result<f64, Error>>;

/// Is work that can be repeated.
pub(crate) struct Work {
    /// Does enough of it for caches and threads to be warm.
    pub(crate) warm: Once,
    pub(crate) once: Once,
    pub(crate) kind: Kind,
    /// The number of weights of the machine.
    pub(crate) weights: usize,
}

/// Says in what the speed of some work is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A number of samples.
    Samples(usize),
    /// Chains times sweeps.
    ChainSweeps(usize),
    /// Sites times sweeps.
    Flips(usize),
    /// Units times chains times sweeps.
    Updates(usize),
    /// The time alone.
    Seconds,
}

impl Kind {
    fn unit(self) -> &'static str {
        match self {
            Self::Samples(_) => "samples/s",
            Self::ChainSweeps(_) => "chain-sweeps/s",
            Self::Flips(_) => "flips/s",
            Self::Updates(_) => "unit-updates/s",
            Self::Seconds => "s",
        }
    }

    /// Gives what is reported of a repetition: a rate, or its seconds.
    fn value(self, seconds: f64) -> f64 {
        match self {
            Self::Samples(count) | Self::ChainSweeps(count) | Self::Flips(count) | Self::Updates(count) => {
                count as f64 / seconds
            }
            Self::Seconds => seconds,
        }
    }

    /// Counts the products of the weights that a dense program needs for a unit of work: three of Gibbs sampling and two
    /// of the gradient for a sample, two for a sweep.
    fn products(self) -> Option<usize> {
        match self {
            Self::Samples(_) => Some(5),
            Self::ChainSweeps(_) => Some(2),
            Self::Flips(_) | Self::Updates(_) | Self::Seconds => None,
        }
    }
}

impl Work {
    /// Gives a record for each repetition.
    pub(crate) fn records(&self, name: &str, args: &Own, seconds: &[f64]) -> Vec<Record> {
        let record = |&seconds| Record {
            name: name.into(),
            threads: args.threads,
            batch: args.batch,
            unit: self.kind.unit().into(),
            value: self.kind.value(seconds),
        };
        seconds.iter().map(record).collect()
    }

    /// Tells median and range in one line.
    pub(crate) fn report(&self, name: &str, args: &Own, seconds: &[f64]) -> String {
        report((self.kind, self.weights), name, args, seconds)
    }
}

fn report((kind, weights): (Kind, usize), name: &str, args: &Own, seconds: &[f64]) -> String {
    let Some(Spread { low: fast, median, high: slow }) = Spread::of(seconds) else { return String::new() };
    let head = format!("{name:18} th={}", args.threads);
    if kind == Kind::Seconds {
        return format!("{head} median {median:.2} s ({fast:.2}..{slow:.2})");
    }
    let (rate, unit, ends) = (kind.value(median), kind.unit(), [slow, fast].map(|s| kind.value(s)));
    let Some(products) = kind.products() else {
        return format!("{head} median {rate:14.0} {unit} ({:.0}..{:.0})", ends[0], ends[1]);
    };
    let gflops = (2 * products * weights) as f64 * rate / 1e9;
    let epoch = match kind {
        Kind::Samples(_) => format!("  epoch60k={:.2}s", 60_000.0 / rate),
        _ => String::new(),
    };
    format!(
        "{head} batch={} median {rate:14.0} {} ({:.0}..{:.0})  {gflops:8.1} GFLOP/s(dense-equiv){epoch}",
        args.batch, unit, ends[0], ends[1],
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        own: Own,
    }

    fn args(line: &[&str]) -> Own {
        Line::parse_from([&["own"], line].concat()).own
    }

    #[test]
    fn a_line_reads_as_one_of_the_peers() {
        // 10,000 samples in 0.5 s are 20,000 a second, 3 s for 60,000; 2 · 5 · 784 · 500 flop each: 78.4 GFLOP/s.
        let line =
            report((Kind::Samples(10_000), 784 * 500), "harmonium-cd1", &args(&["cd1"]), &[0.5, 0.4, 1.0]);
        let expected = "harmonium-cd1      th=2 batch=100 median          20000 samples/s (10000..25000)      78.4 \
                        GFLOP/s(dense-equiv)  epoch60k=3.00s";
        assert_eq!(line, expected);
    }

    #[test]
    fn sweeps_count_two_products_and_annealing_counts_time() {
        let args = args(&["gibbs", "--threads", "1"]);
        let line = report((Kind::ChainSweeps(1_000_000), 1000), "g", &args, &[1.0]);
        assert!(
            line.ends_with("1000000 chain-sweeps/s (1000000..1000000)       4.0 GFLOP/s(dense-equiv)"),
            "{line}"
        );
        let line = report((Kind::Flips(2_000_000), 0), "i", &args, &[0.5, 1.0, 0.25]);
        assert!(line.ends_with("median        4000000 flips/s (2000000..8000000)"), "{line}");
        let line = report((Kind::Seconds, 1), "a", &args, &[9.0, 11.0]);
        assert_eq!(line.trim_start_matches(['a', ' ']), "th=1 median 10.00 s (9.00..11.00)");
    }
}
