//! Gathers the repetitions of a measurement over all rounds.

use super::job::Job;
use crate::record::Record;
use crate::spread::Spread;

/// Says why there are no figures, or no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A package is missing.
    Missing(String),
    /// Anything else.
    Failed(String),
}

impl Trouble {
    /// Tells a missing package from other reasons by the name that Python gives the error.
    pub(crate) fn of(reason: String) -> Self {
        let missing = ["ModuleNotFoundError", "ImportError"].iter().any(|name| reason.starts_with(name));
        if missing { Self::Missing(reason) } else { Self::Failed(reason) }
    }

    /// Says it in a line of the page.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Missing(reason) => format!("not installed: {reason}"),
            Self::Failed(reason) => format!("failed: {reason}"),
        }
    }
}

/// Is a measurement with what it gave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) job: Job,
    pub(crate) unit: String,
    /// Every repetition of every round, in this unit.
    pub(crate) values: Vec<f64>,
    pub(crate) trouble: Option<Trouble>,
}

impl Measured {
    /// Has nothing yet.
    pub(crate) fn new(job: Job) -> Self {
        Self { job, unit: String::new(), values: Vec::new(), trouble: None }
    }

    /// Takes in a round.
    pub(crate) fn add(&mut self, round: Result<Vec<Record>, Trouble>) {
        match round {
            Ok(records) => {
                self.unit = records.first().map_or(String::new(), |record| record.unit.clone());
                self.values.extend(records.iter().map(|record| record.value));
            }
            Err(trouble) => self.trouble = Some(trouble),
        }
    }

    /// Sums up all repetitions, if there are any.
    pub(crate) fn spread(&self) -> Option<Spread> {
        Spread::of(&self.values)
    }

    /// Gives the ratio of the medians, if both are there in the same unit.
    pub(crate) fn over(&self, base: &Self) -> Option<f64> {
        let ratio = self.spread()?.median / base.spread()?.median;
        (self.unit == base.unit).then_some(ratio)
    }
}

#[cfg(test)]
pub(crate) mod test {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command, Peers};

    /// Reads the options of `peers`.
    pub(crate) fn args(line: &[&str]) -> Peers {
        match Cli::parse_from([&["harmonium-bench", "peers"], line].concat()).command {
            Command::Peers(args) => args,
            Command::Own(_) | Command::Sweep(_) => panic!("`peers` is the command"),
        }
    }

    /// Makes a measurement of these rates.
    pub(crate) fn measured(job: Job, values: &[f64]) -> Measured {
        Measured { unit: "samples/s".into(), values: values.to_vec(), ..Measured::new(job) }
    }

    #[test]
    fn rounds_add_up_and_ratios_are_those_of_medians() {
        let job = Job::peer("sk32", &args(&[]));
        let mut ours = Measured::new(job.clone());
        for value in ["4", "8", "6"] {
            ours.add(Ok(vec![format!("a\t2\t100\tsamples/s\t{value}").parse().unwrap()]));
        }
        assert_eq!(ours.over(&measured(job.clone(), &[1.0, 2.0, 9.0])), Some(3.0));
        let seconds = Measured { unit: "s".into(), ..measured(job.clone(), &[1.0]) };
        assert_eq!((ours.over(&seconds), ours.over(&Measured::new(job))), (None, None));
    }

    #[test]
    fn a_missing_package_is_told_from_a_failure() {
        assert!(Trouble::of("ImportError: x".into()).sentence().starts_with("not installed: "));
        assert!(Trouble::of("ValueError: x".into()).sentence().starts_with("failed: "));
    }
}
