//! Runs persistent chains on weights that forget fast, so that they leave where they just were.

use harmonium_kernels::purpose;
use serde::{Deserialize, Serialize};

use super::{Estimate, Estimator, check_k, run};
use crate::address::Address;
use crate::params::largest;
use crate::sample::check_chains;
use crate::stats::Phases;
use crate::train::growth::widen;
use crate::train::{Kept, Schedule};
use crate::units::States;
use crate::{Batch, EnergyModel, Error, Params};

/// Is fast PCD (Tieleman & Hinton 2009, section 4): chains run on θ + F, where F ← decay · F − rate · g, g being the
/// gradient that moves θ, before any transform.
///
/// The statistics of the negative phase are those of θ + F. With rate 0 it is PCD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FastPcd {
    /// Sweeps a step.
    pub k: Schedule,
    /// Chains that run, whatever the size of the batch.
    pub chains: usize,
    /// The learning rate of the fast parameters.
    pub rate: f32,
    /// What they are multiplied with at every update, 19/20 in the paper.
    pub decay: f32,
    /// Where the chains stand, packed by the model.
    #[serde(skip)]
    state: Option<States>,
    /// F, of the shape of the parameters.
    #[serde(skip)]
    fast: Option<Params>,
    /// The gradient, kept for its memory alone.
    #[serde(skip)]
    gradient: Scratch,
}

/// Is memory that holds nothing: two of it are always equal.
#[derive(Clone, Debug, Default)]
struct Scratch(Option<Params>);

impl PartialEq for Scratch {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Default for FastPcd {
    fn default() -> Self {
        Self::new(1, 100)
    }
}

impl FastPcd {
    /// Makes fast PCD-k with this many chains, rate 0.05 and decay 19/20.
    pub fn new(k: u32, chains: usize) -> Self {
        Self {
            k: Schedule::Constant(f64::from(k)),
            chains,
            rate: 0.05,
            decay: 0.95,
            state: None,
            fast: None,
            gradient: Scratch::default(),
        }
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        check_chains(self.chains)?;
        check_k(&self.k)?;
        let range = |field, value: f32, most| Schedule::Constant(f64::from(value)).check(field, 0.0, most);
        range("fast rate", self.rate, 1.0)?;
        range("fast decay", self.decay, 0.999_999)
    }

    /// Gives the fast parameters; nothing before the first update.
    pub fn fast(&self) -> Option<&Params> {
        self.fast.as_ref()
    }

    /// Moves the fast parameters.
    fn follow(&mut self, model: &impl EnergyModel, step: u64, phases: &Phases) -> Result<(), Error> {
        let gradient = self.gradient.0.get_or_insert_with(|| model.params());
        phases.contrast(gradient);
        let fast = self.fast.get_or_insert_with(|| gradient.zeros_like());
        for (fast, gradient) in fast.tensors_mut().iter_mut().zip(gradient.tensors()) {
            for (f, g) in fast.values.iter_mut().zip(&gradient.values) {
                *f = *f * mutant!("B70", self.decay, 1.0) - g * self.rate;
            }
            let most = largest(&fast.values);
            if !most.is_finite() {
                return Err(Error::diverged(
                    "fast parameters",
                    format!("step {step}"),
                    "finite numbers",
                    most,
                ));
            }
        }
        Ok(())
    }
}

/// Makes the model whose parameters are θ + F, on a grid that follows that of θ.
fn hastened<M: EnergyModel + Clone>(model: &M, fast: Option<&Params>) -> M {
    let mut out = model.clone();
    if let Some(fast) = fast {
        for (block, fast) in out.blocks_mut().into_iter().zip(fast.tensors()) {
            block.values.iter_mut().zip(&fast.values).for_each(|(x, f)| *x += mutant!("B71", *f, 0.0));
        }
        out.refresh();
    }
    out
}

impl<M: EnergyModel + Clone> Estimator<M> for FastPcd {
    fn check(&self) -> Result<(), Error> {
        Self::check(self)
    }

    fn check_model(&self, model: &M) -> Result<(), Error> {
        model.check_free()
    }

    fn estimate(
        &mut self,
        model: &M,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        model.accumulate(&model.clamp(data), &mut phases.positive);
        let hastened = hastened(model, self.fast.as_ref());
        let mut state = match self.state.take() {
            Some(chains) => model.unpack(chains)?,
            None => model.init(self.chains, at.seed().fold_in(purpose::CHAINS)),
        };
        run(&hastened, &mut state, sweeps, at);
        hastened.accumulate(&state, &mut phases.negative);
        self.state = Some(model.pack(&state));
        self.follow(model, at.step(), phases)?;
        Ok(Estimate::Phases)
    }

    fn sweeps(&self) -> &Schedule {
        &self.k
    }

    fn kept(&self) -> Kept {
        let kept = Kept::default().with_chains(self.state.as_ref());
        let fast = mutant!("B72", self.fast.as_ref(), None).into_iter().flat_map(Params::tensors);
        fast.fold(kept, |kept, t| kept.with_reals(&format!("fast/{}", t.name), &t.shape, &t.values))
    }

    /// Gives new units fast parameters of 0.
    fn grow(&mut self, model: &M) -> Result<(), Error> {
        self.gradient = Scratch::default();
        self.fast.iter_mut().for_each(|fast| widen(fast, model.params().zeros_like()));
        Ok(())
    }

    fn restore(&mut self, model: &M, mut kept: Kept) -> Result<(), Error> {
        let chains = kept.take_chains(self.chains)?;
        let mut fast = model.params().zeros_like();
        let mut taken = 0;
        for tensor in fast.tensors_mut() {
            if let Some(values) = kept.take_reals(&format!("fast/{}", tensor.name), &tensor.shape)? {
                (tensor.values, taken) = (values, taken + 1);
            }
        }
        kept.finished("fast PCD")?;
        if taken != if chains.is_some() { fast.tensors().len() } else { 0 } {
            return Err(Error::shape("fast parameters", "all of them beside the chains", taken));
        }
        chains.clone().map(|bits| model.unpack(bits)).transpose()?;
        (self.state, self.fast) = (chains, (taken > 0).then_some(fast));
        Ok(())
    }
}
