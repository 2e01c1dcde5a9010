//! Holds the figures that this project must reach, and compares them with what was measured.

use harmonium::Backend;

use super::job::Job;
use super::machine::Machine;
use super::measured::Measured;
use crate::args::{Peers, What};

/// Says how a figure is told, and whether more of it is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Times as fast: the more the better.
    Ratio,
    /// Seconds: the fewer the better.
    Seconds,
    /// Megabytes: the fewer the better.
    Megabytes,
}

/// Is a figure with what it must be, what would be splendid, and what it is, or why it is not known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Demand {
    pub(crate) figure: String,
    pub(crate) scale: Scale,
    pub(crate) must: f64,
    pub(crate) stretch: f64,
    pub(crate) value: Result<f64, String>,
}

impl Demand {
    /// Writes a row of the page: figure, value, must, stretch, verdict.
    pub(crate) fn cells(&self) -> Vec<String> {
        let (value, verdict) = match &self.value {
            Ok(value) => (self.scale.show(*value), self.verdict(*value).into()),
            Err(why) => ("–".into(), format!("not run ({why})")),
        };
        vec![self.figure.clone(), value, self.scale.show(self.must), self.scale.show(self.stretch), verdict]
    }

    fn verdict(&self, value: f64) -> &'static str {
        let reaches = |goal| if self.scale == Scale::Ratio { value >= goal } else { value <= goal };
        match (reaches(self.must), reaches(self.stretch)) {
            (_, true) => "pass, stretch too",
            (true, false) => "pass",
            (false, false) => "below",
        }
    }
}

impl Scale {
    fn show(self, value: f64) -> String {
        match self {
            Self::Ratio => format!("{value:.2} x"),
            Self::Seconds => format!("{value:.1} s"),
            Self::Megabytes => format!("{value:.0} MB"),
        }
    }
}

/// Compares all figures with what was measured.
pub(crate) fn all(
    measured: &[Measured],
    machine: &Machine,
    args: &Peers,
    memory: Result<f64, String>,
) -> Vec<Demand> {
    let facts = Facts { measured, machine, args };
    let mut demands = facts.against_scikit_learn();
    demands.extend(facts.against_torch());
    demands.extend(facts.scaling());
    demands.push(seconds("AIS, 100 runs, 14,501 temperatures", facts.median(&Job::own(What::Ais, args))));
    let figure = "peak memory of `train mnist`".into();
    demands.push(Demand { figure, scale: Scale::Megabytes, must: 150.0, stretch: 80.0, value: memory });
    demands
}

const TRAINED: [(What, &str, &str); 2] =
    [(What::Cd1, "CD-1", "torch-cd1"), (What::Pcd1, "PCD-1", "torch-pcd1")];

/// What was measured, where, and what was asked for.
struct Facts<'a> {
    measured: &'a [Measured],
    machine: &'a Machine,
    args: &'a Peers,
}

impl Facts<'_> {
    fn against_scikit_learn(&self) -> Vec<Demand> {
        let mut demands = Vec::new();
        for (what, name, _) in TRAINED {
            let over = |job| self.over(&job?, &Job::peer("sk32", self.args));
            let figure = |with: &str| format!("{name} over scikit-learn f32, batch 100, {with}");
            demands.push(ratio(figure("with AMX"), 8.0, 22.0, over(self.with_amx(what))));
            demands.push(ratio(figure("without AMX"), 4.5, 22.0, over(self.without_amx(what))));
        }
        for (what, name, _) in TRAINED {
            let small = |job| Job { batch: 10, ..job };
            let base = small(Job::peer("sk64b10", self.args));
            let value = self.over(&small(Job::own(what, self.args)), &base);
            demands.push(ratio(format!("{name} over scikit-learn f64, batch 10"), 4.0, 40.0, value));
        }
        demands
    }

    fn against_torch(&self) -> Vec<Demand> {
        let mut demands = Vec::new();
        for ((what, name, peer), musts) in TRAINED.into_iter().zip([[4.0, 2.3, 1.5], [3.5, 2.1, 1.4]]) {
            let jobs = [self.with_amx(what), self.without_amx(what), self.avx2(what)];
            for ((job, must), with) in
                jobs.into_iter().zip(musts).zip(["with AMX", "without AMX", "AVX2 alone"])
            {
                let value = job.and_then(|job| self.over(&job, &Job::peer(peer, self.args)));
                demands.push(ratio(format!("{name} over PyTorch f32, {with}"), must, 9.0, value));
            }
        }
        let value =
            self.with_amx(What::Cd1).and_then(|job| self.over(&job, &Job::peer("torch-cd1-bf16", self.args)));
        demands.push(ratio("CD-1 over PyTorch bf16, both with AMX".into(), 2.8, 5.0, value));
        let value = self.over(&Job::own(What::Gibbs, self.args), &Job::peer("gibbs-torch", self.args));
        demands.push(ratio("Gibbs sweeps of 1000 chains over PyTorch f32".into(), 6.0, 12.0, value));
        demands
    }

    fn scaling(&self) -> Vec<Demand> {
        let rows = [
            (What::Cd1, "CD-1", 1.4, 1.8),
            (What::Pcd1, "PCD-1", 1.4, 1.8),
            (What::Gibbs, "Gibbs", 1.9, 1.98),
        ];
        let demand = |(what, name, must, stretch)| {
            let job = Job::own(what, self.args);
            let value = self.over(&job, &Job { threads: 1, ..job.clone() });
            ratio(format!("{name}, {} threads over 1", self.args.threads), must, stretch, value)
        };
        rows.into_iter().map(demand).collect()
    }

    fn with_amx(&self, what: What) -> Result<Job, String> {
        let there = self.machine.backends.contains(&Backend::Amx);
        if there { Ok(Job::own(what, self.args)) } else { Err("no AMX".into()) }
    }

    /// Takes the fastest back end without matrix units.
    fn without_amx(&self, what: What) -> Result<Job, String> {
        let plain = |backend: &&Backend| **backend != Backend::Amx;
        let backend = self.machine.backends.iter().rfind(plain).copied().ok_or("no back end")?;
        Ok(self.on(what, backend))
    }

    fn avx2(&self, what: What) -> Result<Job, String> {
        let there = self.machine.backends.contains(&Backend::Avx2);
        if there { Ok(self.on(what, Backend::Avx2)) } else { Err("no AVX2".into()) }
    }

    /// Names the job on a back end, which is forced only where it isn't the fastest.
    fn on(&self, what: What, backend: Backend) -> Job {
        let forced = (backend != self.machine.fastest()).then_some(backend);
        Job { backend: forced, ..Job::own(what, self.args) }
    }

    fn find(&self, job: &Job) -> Result<&Measured, String> {
        let found = self.measured.iter().find(|one| one.job == *job && !one.values.is_empty());
        found.ok_or_else(|| format!("no figure of {job}"))
    }

    fn median(&self, job: &Job) -> Result<f64, String> {
        self.find(job)?.spread().map(|spread| spread.median).ok_or_else(|| "no figure".into())
    }

    fn over(&self, job: &Job, base: &Job) -> Result<f64, String> {
        self.find(job)?.over(self.find(base)?).ok_or_else(|| "other units".into())
    }
}

fn ratio(figure: String, must: f64, stretch: f64, value: Result<f64, String>) -> Demand {
    Demand { figure, scale: Scale::Ratio, must, stretch, value }
}

fn seconds(figure: &str, value: Result<f64, String>) -> Demand {
    Demand { figure: figure.into(), scale: Scale::Seconds, must: 60.0, stretch: 10.0, value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::measured::test::{args, measured};

    fn demands(amx: bool) -> Vec<Demand> {
        let args = args(&[]);
        let machine = Machine {
            processor: String::new(),
            cores: 2,
            backends: Backend::ALL
                .into_iter()
                .filter(|&b| b != Backend::Neon && (amx || b != Backend::Amx))
                .collect(),
            load: None,
        };
        let avx2 = Job { backend: Some(Backend::Avx2), ..Job::own(What::Cd1, &args) };
        let measured = [
            measured(Job::own(What::Cd1, &args), &[40.0, 60.0, 50.0]),
            measured(avx2, &[15.0]),
            measured(Job::peer("sk32", &args), &[5.0, 10.0, 30.0]),
            measured(Job::peer("torch-cd1", &args), &[11.0, 10.0, 5.0]),
            measured(Job::peer("torch-cd1-bf16", &args), &[10.0]),
        ];
        all(&measured, &machine, &args, Ok(151.0))
    }

    fn row(demands: &[Demand], figure: &str) -> [String; 2] {
        let found =
            demands.iter().find(|d| d.figure.starts_with(figure)).unwrap_or_else(|| panic!("{figure}"));
        let cells = found.cells();
        [cells[1].clone(), cells[4].clone()]
    }

    #[test]
    fn ratios_of_medians_meet_their_musts_or_not() {
        let demands = demands(false);
        assert_eq!(row(&demands, "CD-1 over scikit-learn f32, batch 100, without"), ["5.00 x", "pass"]);
        assert_eq!(row(&demands, "CD-1 over PyTorch f32, without"), ["5.00 x", "pass"]);
        assert_eq!(row(&demands, "CD-1 over PyTorch f32, AVX2"), ["1.50 x", "pass"]);
        assert_eq!(row(&demands, "peak memory"), ["151 MB", "below"]);
    }

    #[test]
    fn what_was_not_measured_is_not_run() {
        let without = demands(false);
        assert_eq!(row(&without, "CD-1 over scikit-learn f32, batch 100, with AMX")[1], "not run (no AMX)");
        assert_eq!(row(&without, "CD-1 over PyTorch bf16")[1], "not run (no AMX)");
        assert_eq!(
            row(&without, "PCD-1 over PyTorch f32, AVX2")[1],
            "not run (no figure of harmonium-pcd1@avx2, 784 × 500, batch 100, threads 2)"
        );
        let with = demands(true);
        assert_eq!(row(&with, "CD-1 over scikit-learn f32, batch 100, with AMX"), ["5.00 x", "below"]);
        assert_eq!(row(&with, "CD-1 over PyTorch bf16"), ["5.00 x", "pass, stretch too"]);
    }

    #[test]
    fn of_seconds_the_fewer_are_the_better() {
        let verdicts = [61.0, 60.0, 10.0].map(|value| seconds("", Ok(value)).cells()[4].clone());
        assert_eq!(verdicts, ["below", "pass", "pass, stretch too"]);
    }
}
