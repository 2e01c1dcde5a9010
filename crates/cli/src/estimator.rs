//! Chooses how the gradient is estimated, from options and back to them.

use harmonium::Error;
use harmonium::rbm::{Dropout, Exact, MeanField, Order, PseudoLikelihood, Rbm};
use harmonium::train::{
    Cd, Estimator as Estimates, FastPcd, Kept, Ladder, Pcd, Schedule, Tempering, Trajectory,
};
use serde::{Deserialize, Serialize};

use crate::args::{Algorithm, TrainOptions};
use crate::rules::value;

/// Is an estimator by the name of its algorithm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Estimator {
    Cd(Cd),
    Pcd(Pcd),
    DropoutCd(Dropout<Cd>),
    DropoutPcd(Dropout<Pcd>),
    Fpcd(FastPcd),
    Pt(Tempering),
    Ptt(Trajectory),
    Exact(Exact),
    Pl(PseudoLikelihood),
    Tap(MeanField),
}

impl Estimator {
    /// Makes the estimator that options ask for.
    ///
    /// # Errors
    /// Names an option that belongs to another algorithm.
    pub(crate) fn new(options: &TrainOptions) -> Result<Self, Error> {
        let algorithm = options.algorithm.unwrap_or(Algorithm::Pcd);
        refuse_foreign(options, algorithm)?;
        let (k, chains) = (options.k.unwrap_or(1), options.chains.unwrap_or(100));
        if let Some(rate) = options.dropout {
            return match algorithm {
                Algorithm::Cd => Ok(Self::DropoutCd(Dropout::new(rate, Cd::new(k)))),
                Algorithm::Pcd => Ok(Self::DropoutPcd(Dropout::new(rate, Pcd::new(k, chains)))),
                _ => Err(Error::option("dropout", "cd or pcd beside it", rate)),
            };
        }
        Ok(match algorithm {
            Algorithm::Cd => Self::Cd(Cd::new(k)),
            Algorithm::Pcd => Self::Pcd(Pcd::new(k, chains)),
            Algorithm::Fpcd => Self::Fpcd(fast(options, k, chains)),
            Algorithm::Pt => Self::Pt(tempering(options, k, chains)),
            Algorithm::Ptt => Self::Ptt(trajectory(options, k, chains)),
            Algorithm::Exact => Self::Exact(Exact::new()),
            Algorithm::Pl => Self::Pl(PseudoLikelihood::new()),
            Algorithm::Tap => Self::Tap(mean_field(options, chains)),
        })
    }

    /// Lends the estimator itself.
    pub(crate) fn get(&self) -> &dyn Estimates<Rbm> {
        match self {
            Self::Cd(cd) => cd,
            Self::Pcd(pcd) => pcd,
            Self::DropoutCd(dropout) => dropout,
            Self::DropoutPcd(dropout) => dropout,
            Self::Fpcd(fast) => fast,
            Self::Pt(tempering) => tempering,
            Self::Ptt(trajectory) => trajectory,
            Self::Exact(exact) => exact,
            Self::Pl(pseudo) => pseudo,
            Self::Tap(mean) => mean,
        }
    }

    /// Makes the machine that stands for what was trained: with dropout, the one that is expected without.
    ///
    /// # Errors
    /// Refuses a rate out of range.
    pub(crate) fn finished(&self, rbm: Rbm) -> Result<Rbm, Error> {
        match self {
            Self::DropoutCd(dropout) => dropout.expected(&rbm),
            Self::DropoutPcd(dropout) => dropout.expected(&rbm),
            _ => Ok(rbm),
        }
    }

    /// Lends the estimator itself for a training.
    pub(crate) fn get_mut(&mut self) -> &mut dyn Estimates<Rbm> {
        match self {
            Self::Cd(cd) => cd,
            Self::Pcd(pcd) => pcd,
            Self::DropoutCd(dropout) => dropout,
            Self::DropoutPcd(dropout) => dropout,
            Self::Fpcd(fast) => fast,
            Self::Pt(tempering) => tempering,
            Self::Ptt(trajectory) => trajectory,
            Self::Exact(exact) => exact,
            Self::Pl(pseudo) => pseudo,
            Self::Tap(mean) => mean,
        }
    }

    /// Gives the share of accepted swaps of each pair of temperatures or of earlier models, from what was kept of a training.
    ///
    /// # Errors
    /// Refuses what was kept of another training.
    pub(crate) fn swap_rates(&self, rbm: &Rbm, kept: &Kept) -> Result<Vec<f64>, Error> {
        match self {
            Self::Pt(tempering) => {
                let mut tempering = tempering.clone();
                tempering.restore(rbm, kept.clone())?;
                // Pairs of a ladder that was spaced anew just now have had no turn yet.
                Ok(tempering.swap_rates().into_iter().filter(|rate| rate.is_finite()).collect())
            }
            Self::Ptt(trajectory) => {
                let mut trajectory = trajectory.clone();
                trajectory.restore(rbm, kept.clone())?;
                // A copy that was kept just now has had no turn yet.
                Ok(trajectory.swap_rates().into_iter().filter(|rate| rate.is_finite()).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Gives the options that make this estimator, name and value.
    pub(crate) fn options(&self) -> Vec<(&'static str, String)> {
        let named = |name: &str| vec![("algorithm", name.to_owned())];
        let running = |name: &str, k: &Schedule, chains: usize| {
            [named(name), vec![("k", value(k)), ("chains", chains.to_string())]].concat()
        };
        match self {
            Self::Cd(cd) => [named("cd"), vec![("k", value(&cd.k))]].concat(),
            Self::Pcd(pcd) => running("pcd", &pcd.k, pcd.chains),
            Self::DropoutCd(Dropout { rate, estimator }) => {
                [named("cd"), vec![("k", value(&estimator.k)), ("dropout", rate.to_string())]].concat()
            }
            Self::DropoutPcd(Dropout { rate, estimator }) => {
                let rate = [("dropout", rate.to_string())];
                [&running("pcd", &estimator.k, estimator.chains)[..], &rate].concat()
            }
            Self::Fpcd(fast) => {
                let own = [("fast-rate", fast.rate.to_string()), ("fast-decay", fast.decay.to_string())];
                [&running("fpcd", &fast.k, fast.chains)[..], &own].concat()
            }
            Self::Pt(tempering) => {
                let mut out = running("pt", &tempering.k, tempering.chains);
                if let Ladder::Even { rungs, lowest } = tempering.ladder {
                    out.extend([("rungs", rungs.to_string()), ("lowest-beta", lowest.to_string())]);
                }
                if tempering.adapt > 0 {
                    out.push(("adapt", tempering.adapt.to_string()));
                }
                out
            }
            Self::Ptt(trajectory) => {
                let mut out = running("ptt", &trajectory.k, trajectory.chains);
                out.push(("threshold", trajectory.threshold.to_string()));
                // What is not set goes unsaid, so that commands stay those of versions without it.
                if trajectory.least > 0.0 {
                    out.push(("least", trajectory.least.to_string()));
                }
                out
            }
            Self::Exact(_) => named("exact"),
            Self::Pl(_) => named("pl"),
            Self::Tap(mean) => {
                let own = [("order", mean.order.to_string()), ("damping", mean.damping.to_string())];
                [&running("tap", &mean.k, mean.chains)[..], &own].concat()
            }
        }
    }
}

/// Refuses options that the algorithm does not have, but for the chains of CD, which have always been let pass.
fn refuse_foreign(options: &TrainOptions, algorithm: Algorithm) -> Result<(), Error> {
    use Algorithm::{Exact, Fpcd, Pl, Pt, Ptt, Tap};
    let drawn = !matches!(algorithm, Exact | Pl);
    let given = [
        ("k", options.k.map(|x| x.to_string()), drawn),
        ("chains", options.chains.map(|x| x.to_string()), drawn),
        ("fast-rate", options.fast_rate.map(|x| x.to_string()), algorithm == Fpcd),
        ("fast-decay", options.fast_decay.map(|x| x.to_string()), algorithm == Fpcd),
        ("rungs", options.rungs.map(|x| x.to_string()), algorithm == Pt),
        ("lowest-beta", options.lowest_beta.map(|x| x.to_string()), algorithm == Pt),
        ("adapt", options.adapt.map(|x| x.to_string()), algorithm == Pt),
        ("threshold", options.threshold.map(|x| x.to_string()), algorithm == Ptt),
        ("least", options.least.map(|x| x.to_string()), algorithm == Ptt),
        ("order", options.order.map(|x| x.to_string()), algorithm == Tap),
        ("damping", options.damping.map(|x| x.to_string()), algorithm == Tap),
    ];
    match given.into_iter().find(|(_, given, own)| given.is_some() && !own) {
        Some((name, given, _)) => {
            Err(Error::option(name, "an algorithm that has this option", given.unwrap_or_default()))
        }
        None => Ok(()),
    }
}

fn fast(options: &TrainOptions, k: u32, chains: usize) -> FastPcd {
    let mut out = FastPcd::new(k, chains);
    out.rate = options.fast_rate.unwrap_or(out.rate);
    out.decay = options.fast_decay.unwrap_or(out.decay);
    out
}

fn tempering(options: &TrainOptions, k: u32, chains: usize) -> Tempering {
    let mut out = Tempering::new(k, chains, ladder(options));
    out.adapt = options.adapt.unwrap_or(out.adapt);
    out
}

fn ladder(options: &TrainOptions) -> Ladder {
    let Ladder::Even { rungs, lowest } = Ladder::default() else { return Ladder::default() };
    Ladder::Even { rungs: options.rungs.unwrap_or(rungs), lowest: options.lowest_beta.unwrap_or(lowest) }
}

fn trajectory(options: &TrainOptions, k: u32, chains: usize) -> Trajectory {
    let mut out = Trajectory::new(k, chains);
    out.threshold = options.threshold.unwrap_or(out.threshold);
    out.least = options.least.unwrap_or(out.least);
    out
}

fn mean_field(options: &TrainOptions, chains: usize) -> MeanField {
    let order = match options.order {
        Some(1) => Order::First,
        Some(3) => Order::Third,
        _ => Order::Second,
    };
    let mut out = MeanField::new(order, options.k.unwrap_or(3), chains);
    out.damping = options.damping.unwrap_or(out.damping);
    out
}
