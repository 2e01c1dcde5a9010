//! Copies a tuning and puts it back, so that it goes on bit for bit.

use harmonium_core::params::Tensor;
use harmonium_core::{Error, HasParams, Params};

use super::{Network, Tuner};

/// Holds all that a tuning needs to go on, besides its options, data and seed.
#[derive(Clone, Debug, PartialEq)]
pub struct TuningSnapshot {
    /// Updates done.
    pub step: u64,
    /// What the guard multiplied the learning rate with, and how often.
    pub rate: (f32, u32),
    /// The parameters.
    pub params: Params,
    /// The moments of each layer's optimiser with its running products.
    pub moments: Vec<(Params, Params, [f32; 2])>,
    /// The average of the parameters, once it has begun.
    pub average: Option<Params>,
    /// The best epoch, its score and its parameters, where validation rows judge.
    pub best: Option<(u32, f64, Params)>,
}

impl Tuner {
    /// Copies all that is needed to go on from here.
    pub fn snapshot(&self, network: &Network) -> TuningSnapshot {
        let moments = self.optimizers.iter().map(|optimizer| {
            let (first, second, powers) = optimizer.state();
            (first.clone(), second.clone(), mutant!("B225", powers, [1.0; 2]))
        });
        TuningSnapshot {
            step: self.step,
            rate: (self.rate_factor, self.retries),
            params: network.params(),
            moments: moments.collect(),
            average: self.average.clone(),
            best: self.best.clone(),
        }
    }

    /// Puts a snapshot back into tuning and network.
    ///
    /// # Errors
    /// Refuses a snapshot of another network or method, or of another length; then nothing is changed.
    pub fn restore(&mut self, network: &mut Network, snapshot: &TuningSnapshot) -> Result<(), Error> {
        self.check_snapshot(network, snapshot)?;
        for (optimizer, moments) in self.optimizers.iter_mut().zip(&snapshot.moments) {
            let (first, second, powers) = optimizer.state_mut();
            (*first, *second, *powers) = moments.clone();
        }
        snapshot.params.store(network);
        (self.average, self.best) = (snapshot.average.clone(), snapshot.best.clone());
        (self.rate_factor, self.retries) = snapshot.rate;
        self.step = snapshot.step;
        Ok(())
    }

    fn check_snapshot(&self, network: &Network, snapshot: &TuningSnapshot) -> Result<(), Error> {
        let own = network.params();
        let whole = [Some(&snapshot.params), snapshot.average.as_ref(), snapshot.best.as_ref().map(|b| &b.2)];
        whole.into_iter().flatten().try_for_each(|params| same("parameters", &own, params))?;
        if snapshot.moments.len() != self.optimizers.len() {
            let expected = format!("{} layers", self.optimizers.len());
            return Err(Error::shape("moments", expected, snapshot.moments.len()));
        }
        for (optimizer, (first, second, _)) in self.optimizers.iter().zip(&snapshot.moments) {
            let (own_first, own_second, _) = optimizer.state();
            same("moments", own_first, first)?;
            same("second moments", own_second, second)?;
        }
        if snapshot.step > self.total() {
            return Err(Error::option("epochs", "no fewer than are done", self.total() / self.batches()));
        }
        Ok(())
    }
}

/// Refuses tensors of other names or shapes.
fn same(field: &str, expected: &Params, got: &Params) -> Result<(), Error> {
    let outline = |p: &Params| {
        let one = |t: &Tensor| format!("{} {:?}", t.name, t.shape);
        p.tensors().iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let (expected, got) = (outline(expected), outline(got));
    if expected == got {
        return Ok(());
    }
    Err(Error::shape(field, expected, got))
}
