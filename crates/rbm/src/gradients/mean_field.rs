//! Follows magnetisations instead of chains: naive mean field and the TAP expansion.

use std::fmt;
use std::ops::Range;

use harmonium_core::address::Address;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Estimate, Estimator, Kept, Schedule, check_chains};
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, purpose};
use harmonium_kernels::parallel;
use serde::{Deserialize, Serialize};

use super::{TASKS, Wide, are_bits, contrast, sigmoid};
use crate::Rbm;

/// Says how far ln Z is expanded in the couplings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Naive mean field.
    First,
    /// With Onsager's reaction.
    #[default]
    Second,
    /// With skewness.
    Third,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", *self as u8 + 1)
    }
}

/// Is the gradient of extended mean field (Gabrié, Tramel & Krzakala 2015): persistent magnetisations take k steps of the
/// self-consistency equations at each update. Nothing is drawn but their starts.
///
/// With V(m) = m − m² and A(m) = V(m) (½ − m), ln Z is expanded as Σ S + b·m + c·m + Σ W m m + ½ W² V V + ⅔ W³ A A.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeanField {
    /// How far ln Z is expanded.
    pub order: Order,
    /// Steps of the equations at an update, hidden layer first.
    pub k: Schedule,
    /// Magnetisations that are followed side by side.
    pub chains: usize,
    /// The share of the old magnetisations in the new ones, from 0 to below 1.
    pub damping: f32,
    /// m of the visible and of the hidden layer, `(chains, units)` each.
    #[serde(skip)]
    state: Option<[Vec<f32>; 2]>,
}

impl Default for MeanField {
    fn default() -> Self {
        Self::new(Order::default(), 3, 100)
    }
}

impl MeanField {
    /// Makes mean field of an order with k steps an update and a damping of ½.
    pub fn new(order: Order, k: u32, chains: usize) -> Self {
        Self { order, k: Schedule::Constant(f64::from(k)), chains, damping: 0.5, state: None }
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        check_chains(self.chains)?;
        self.k.check("k", 1.0, 1e6)?;
        Schedule::Constant(f64::from(self.damping)).check("damping", 0.0, 0.999_999)
    }

    /// Gives the magnetisations of both layers, `(chains, units)` each, row-major; nothing before the first update.
    pub fn magnetisations(&self) -> Option<&[Vec<f32>; 2]> {
        self.state.as_ref()
    }

    /// Starts at random states of the visible units, and at ½ for the hidden ones.
    fn start(&self, model: &Rbm, at: Address) -> [Vec<f32>; 2] {
        let chains = model.pack(&model.init(self.chains, at.seed().fold_in(purpose::CHAINS)));
        let hidden = vec![0.5; self.chains * model.hidden_units()];
        [chains.to_array().into_iter().collect(), hidden]
    }

    /// Takes steps of all magnetisations, each for itself.
    fn follow(
        &self,
        [wide, turned]: [&Wide; 2],
        [visible, hidden]: [&[f32]; 2],
        steps: u32,
    ) -> [Vec<f32>; 2] {
        let (nv, nh) = (wide.visible_bias.len(), wide.hidden_bias.len());
        let ends = parallel::map(self.chains, |chain| {
            let widen = |m: &[f32], n: usize| m[chain * n..][..n].iter().map(|&m| f64::from(m)).collect();
            let (mut v, mut h): (Vec<f64>, Vec<f64>) = (widen(visible, nv), widen(hidden, nh));
            for _ in 0..steps {
                self.step(wide, &v, &mut h);
                self.step(turned, &h, &mut v);
            }
            [v, h].map(|m| m.into_iter().map(|m| m as f32).collect::<Vec<_>>())
        });
        [0, 1].map(|layer| ends.iter().flat_map(|end| end[layer].iter().copied()).collect())
    }

    /// Moves m of the hidden layer, which `wide` names so, towards the equations given the visible one:
    /// m = σ(c + Σ W m_v − (m − ½) Σ W² V_v + ⅔ (½ − 3m + 3m²) Σ W³ A_v).
    fn step(&self, wide: &Wide, from: &[f64], to: &mut [f64]) {
        let damping = f64::from(self.damping);
        let [first, second, third] = self.fields(wide, from);
        for (j, m) in to.iter_mut().enumerate() {
            let reaction = mutant!("B79", (*m - 0.5) * second[j], 0.0);
            let skew = (0.5 - 3.0 * *m + 3.0 * *m * *m) * third[j] * (2.0 / 3.0);
            let new = sigmoid(wide.hidden_bias[j] + first[j] - reaction + skew);
            *m = damping * *m + (1.0 - damping) * new;
        }
    }

    /// Computes Σ_i W m, Σ_i W² V and Σ_i W³ A for each hidden unit; those beyond the order stay 0.
    fn fields(&self, wide: &Wide, from: &[f64]) -> [Vec<f64>; 3] {
        let zeros = || vec![0.0; wide.hidden_bias.len()];
        let [mut first, mut second, mut third] = [zeros(), zeros(), zeros()];
        for (i, &m) in from.iter().enumerate() {
            let row = wide.row(i);
            first.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * m);
            if self.order >= Order::Second {
                let v = variance(m);
                second.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * w * v);
            }
            if self.order >= Order::Third {
                let a = skewness(m);
                third.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * w * w * a);
            }
        }
        [first, second, third]
    }

    /// Gives ∂ ln Z / ∂θ, the mean over magnetisations: m mᵀ + W V Vᵀ + 2 W² A Aᵀ for the weights, m for the biases.
    fn moments(&self, wide: &Wide, [visible, hidden]: &[Vec<f32>; 2]) -> [Vec<f64>; 3] {
        let (nv, nh) = (wide.visible_bias.len(), wide.hidden_bias.len());
        let tasks = TASKS.min(nv);
        let lines = parallel::map(tasks, |task| {
            let units = task * nv / tasks..(task + 1) * nv / tasks;
            self.cross(wide, (visible, hidden), units)
        });
        let mean = |values: &[f32], n: usize| {
            let sum = |unit: usize| values[unit..].iter().step_by(n).map(|&m| f64::from(m)).sum::<f64>();
            (0..n).map(|unit| sum(unit) / self.chains as f64).collect()
        };
        [lines.concat(), mean(visible, nv), mean(hidden, nh)]
    }

    /// Gives the lines of some visible units of ∂ ln Z / ∂W.
    fn cross(&self, wide: &Wide, (visible, hidden): (&[f32], &[f32]), units: Range<usize>) -> Vec<f64> {
        let (nv, nh) = (wide.visible_bias.len(), wide.hidden_bias.len());
        let mut out = vec![0.0; units.len() * nh];
        for (chain, h) in hidden.chunks(nh).enumerate() {
            for (line, i) in out.chunks_mut(nh).zip(units.clone()) {
                let v = f64::from(visible[chain * nv + i]);
                let (var, skew) = (variance(v), 2.0 * skewness(v));
                for ((sum, &h), w) in line.iter_mut().zip(h).zip(wide.row(i)) {
                    let h = f64::from(h);
                    *sum += v * h;
                    if self.order >= Order::Second {
                        *sum += w * var * variance(h);
                    }
                    if self.order >= Order::Third {
                        *sum += w * w * skew * skewness(h);
                    }
                }
            }
        }
        out.iter_mut().for_each(|sum| *sum /= self.chains as f64);
        out
    }
}

fn variance(m: f64) -> f64 {
    m - m * m
}

fn skewness(m: f64) -> f64 {
    (m - m * m) * (0.5 - m)
}

impl Estimator<Rbm> for MeanField {
    fn check(&self) -> Result<(), Error> {
        Self::check(self)
    }

    fn check_model(&self, model: &Rbm) -> Result<(), Error> {
        if are_bits(model) {
            return Ok(());
        }
        let got = format!("{} and {}", model.visible().units(), model.hidden().units());
        Err(Error::shape("mean field", "Bernoulli units on both sides", got))
    }

    fn estimate(
        &mut self,
        model: &Rbm,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        model.accumulate(&model.clamp(data), &mut phases.positive);
        let wide = Wide::of(model);
        let [visible, hidden] = self.state.take().unwrap_or_else(|| self.start(model, at));
        let state = self.follow([&wide, &wide.transposed()], [&visible, &hidden], sweeps);
        let moments = self.moments(&wide, &state);
        self.state = Some(state);
        Ok(Estimate::Gradient(contrast(model, phases, moments)))
    }

    fn sweeps(&self) -> &Schedule {
        &self.k
    }

    fn kept(&self) -> Kept {
        let Some([visible, hidden]) = &self.state else { return Kept::default() };
        let shape = |values: &[f32]| [self.chains, values.len() / self.chains];
        Kept::default().with_reals("mean/visible", &shape(visible), visible).with_reals(
            "mean/hidden",
            &shape(hidden),
            hidden,
        )
    }

    /// Starts new hidden units at ½, as all were.
    fn grow(&mut self, model: &Rbm) -> Result<(), Error> {
        let Some([_, hidden]) = &mut self.state else { return Ok(()) };
        let (old, new) = (hidden.len() / self.chains, model.hidden_units());
        let line = |m: &[f32]| m.iter().copied().chain(vec![0.5; new - old]).collect::<Vec<_>>();
        *hidden = hidden.chunks(old).flat_map(line).collect();
        Ok(())
    }

    fn restore(&mut self, model: &Rbm, mut kept: Kept) -> Result<(), Error> {
        let visible = kept.take_reals("mean/visible", &[self.chains, model.visible_units()])?;
        let hidden = kept.take_reals("mean/hidden", &[self.chains, model.hidden_units()])?;
        kept.finished("mean field")?;
        let state = match (visible, hidden) {
            (None, None) => None,
            (Some(visible), Some(hidden)) => Some([visible, hidden]),
            _ => return Err(Error::shape("magnetisations", "those of both layers", "those of one")),
        };
        let wrong = |m: &&f32| !(0.0..=1.0).contains(*m);
        if let Some(m) = state.iter().flatten().flatten().find(wrong) {
            return Err(Error::value("magnetisations", "", "numbers from 0 to 1", m));
        }
        self.state = state;
        Ok(())
    }
}
