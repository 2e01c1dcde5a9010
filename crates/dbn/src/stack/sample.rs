//! Samples a stack: chains of the machine at the top, and then downwards.

use harmonium_core::units::{States, Unit};
use harmonium_core::{Error, Gibbs, Key, Thermal};
use harmonium_kernels::parallel;
use harmonium_rbm::{Classifier, Rbm, State};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::top::{Crown, Top, given};
use super::{Dbn, keys};

/// Says how a stack is sampled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Chains of the top machine, each of which gives one sample.
    pub chains: usize,
    /// Their sweeps. In the first half the machine is warmed up: from independent units, or, where it has a label that is free,
    /// from β = 0.
    pub sweeps: u64,
    /// The class that is clamped; if not set, a label is drawn along.
    pub class: Option<usize>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { chains: 100, sweeps: 1000, class: None }
    }
}

/// Holds samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// Visible states, `(chains, visible)`, in the data's own units.
    pub states: States,
    /// The means that they were drawn with, `(chains, visible)`.
    pub means: Array2<f32>,
    /// The class of each sample, where the top machine has a label.
    pub labels: Option<Vec<usize>>,
}

/// Is where the chains of the top machine ended: what it shares with the machine below as states and as means given its hidden
/// units, and labels.
struct Reached {
    shared: States,
    means: Array2<f32>,
    labels: Option<Vec<usize>>,
}

impl Dbn {
    /// Draws fresh samples: Gibbs sweeps of the top machine, then one pass downwards. Chain r draws from stream r; `key` is that of
    /// the seed, and `watch` hears how many sweeps are done.
    ///
    /// # Errors
    /// Refuses no chains and no sweeps, a class that is none, and one where the top machine has no label.
    pub fn sample(
        &self,
        options: &Sampling,
        key: Key,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Generated, Error> {
        self.check_sampling(options)?;
        let key = keys::evaluate(key, keys::GENERATE);
        let (top, down) = (key.fold_in(0), key.fold_in(1));
        parallel::team(|| {
            let Reached { shared, means, labels } = match (&self.top, options.class) {
                (Top::Plain(rbm), _) => warmed(rbm, options, top, watch),
                (Top::Labelled(model), None) => free(model, options, top, watch),
                (Top::Labelled(model), class) => {
                    let ended = warmed(&given(model, class)?, options, top, watch);
                    Reached { labels: class.map(|class| vec![class; options.chains]), ..ended }
                }
            };
            let (states, means) = match self.lower.len() {
                0 => (self.give(shared), self.give(States::Reals(means)).to_array()),
                layers => self.down(mutant!("B237", shared, shared_of(&means)), layers, down),
            };
            Ok(Generated { states, means, labels })
        })
    }

    fn check_sampling(&self, options: &Sampling) -> Result<(), Error> {
        harmonium_core::sample::check_chains(options.chains)?;
        if options.sweeps == 0 {
            return Err(Error::option("sweeps", "1 or more", 0));
        }
        match (options.class, self.classes()) {
            (Some(class), None) => Err(Error::option("class", "none, as there is no label", class)),
            (Some(class), Some(classes)) if class >= classes => {
                Err(Error::option("class", format!("below {classes}"), class))
            }
            _ => Ok(()),
        }
    }
}

/// Runs chains of a machine: from its base, along the annealing path, and then in the machine itself.
fn warmed(rbm: &Rbm, options: &Sampling, key: Key, watch: &mut dyn FnMut(u64)) -> Reached {
    let half = options.sweeps / 2;
    let mut state = rbm.annealed(rbm.base(), 0.0).init(options.chains, key.fold_in(0));
    for sweep in 0..options.sweeps {
        let key = key.fold_in(sweep + 1);
        if sweep < half {
            rbm.annealed(rbm.base(), (sweep + 1) as f32 / half as f32).sweep(&mut state, key);
        } else {
            rbm.sweep(&mut state, key);
        }
        watch(sweep + 1);
    }
    Reached { means: means(rbm, &state), shared: state.visible().clone(), labels: None }
}

/// Runs chains of a machine with its label, from β = 0 on.
fn free(model: &Classifier, options: &Sampling, key: Key, watch: &mut dyn FnMut(u64)) -> Reached {
    let half = options.sweeps / 2;
    let mut state = model.tempered(0.0).init(options.chains, key.fold_in(0));
    for sweep in 0..options.sweeps {
        let beta = if sweep < half { (sweep + 1) as f32 / half as f32 } else { 1.0 };
        model.tempered(beta).sweep(&mut state, key.fold_in(sweep + 1));
        watch(sweep + 1);
    }
    let (bits, units) = (state.visible().expect_bits(), model.units());
    let class = |row| (0..model.classes()).find(|class| bits.get(row, units + class)).unwrap_or(0);
    let labels = (0..bits.rows()).map(class).collect();
    let all = means(model.rbm(), &state);
    Reached {
        means: all.slice(ndarray::s![.., ..units]).to_owned(),
        shared: model.shared(state.visible().clone()),
        labels: Some(labels),
    }
}

/// Gives the means of the visible units given the hidden ones that they were drawn from.
fn means(rbm: &Rbm, state: &State) -> Array2<f32> {
    let view = rbm.view();
    rbm.visible().means_of(&rbm.visible().mean(&view.visible_input(state.hidden())))
}

/// Takes means above ½ for bits: what a planted bug passes down.
#[cfg(feature = "mutants")]
fn shared_of(means: &Array2<f32>) -> States {
    let (rows, units) = means.dim();
    States::Bits(harmonium_core::BitMatrix::from_fn(rows, units, |r, u| means[(r, u)] > 0.5))
}
