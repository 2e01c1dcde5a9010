//! Moves real vectors along gradients: Langevin steps, with and without correction, and Hamiltonian Monte Carlo.

use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::Smooth;
use super::continuous::Landscape;
use crate::Error;
use crate::units::normal::{quantile, uniform};

/// Says how a sweep moves real vectors; `step` is ε, in units of x.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Move {
    /// x ← x − ε²/2 ∇E + ε ξ, never refused: the law is off by a term in ε² (unadjusted Langevin). Of a Gaussian of variance σ²
    /// the chains have σ² / (1 − ε²/4σ²), and run away from ε = 2σ on.
    Ula {
        /// ε.
        step: f64,
    },
    /// The same as a proposal that is accepted by the rule of Hastings (Roberts & Tweedie 1996); best near an acceptance of 0.57.
    Mala {
        /// ε.
        step: f64,
    },
    /// So many leapfrog steps with a momentum drawn anew, accepted by the energy they lost (Neal 2011); best near an acceptance
    /// of 0.65 to 0.8.
    Hmc {
        /// ε.
        step: f64,
        /// Leapfrog steps of a sweep.
        leaps: u32,
    },
}

impl Move {
    pub(super) fn check(self) -> Result<(), Error> {
        let (Self::Ula { step } | Self::Mala { step } | Self::Hmc { step, .. }) = self;
        if !(step > 0.0 && step.is_finite()) {
            return Err(Error::option("step", "a finite number above 0", step));
        }
        match self {
            Self::Hmc { leaps: 0, .. } => Err(Error::option("leaps", "1 or more", 0)),
            _ => Ok(()),
        }
    }
}

/// Follows Hamilton's equations with the energy U(x) + |p|²/2: half a step of p, then x and p in turn, half a step of p
/// (Neal 2011, equations 5.18 to 5.20). With −p it runs back to where it started.
pub fn leapfrog(
    gradient: &mut dyn FnMut(&[f64], &mut [f64]),
    x: &mut [f64],
    p: &mut [f64],
    step: f64,
    leaps: u32,
) {
    let mut slope = vec![0.0; x.len()];
    let mut kick = |x: &[f64], p: &mut [f64], step: f64| {
        gradient(x, &mut slope);
        p.iter_mut().zip(&slope).for_each(|(p, slope)| *p -= step * slope);
    };
    kick(x, p, mutant!("B182", step / 2.0, step));
    for leap in 1..=leaps {
        x.iter_mut().zip(&*p).for_each(|(x, p)| *x += step * p);
        kick(x, p, if leap == leaps { step / 2.0 } else { step });
    }
}

/// Draws a standard normal vector, a word an entry.
pub(super) fn normal(dim: usize, stream: &mut dyn RngCore) -> Vec<f64> {
    let mut one = || quantile(uniform(stream.next_u32()));
    (0..dim).map(|_| mutant!("B325", one(), 0.9 * one())).collect()
}

/// Holds positions as the f32 that states are made of, so that energies are those of the states themselves.
fn narrowed(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(|x| f64::from(x as f32)).collect()
}

impl<E: Smooth> Landscape<'_, E> {
    /// Moves one row by the words of a stream, as sweeps do: they are the noise, one a coordinate, and then the decision. Word w is
    /// the number (w + ½) / 2^32, of which a coordinate takes the normal quantile.
    pub fn step(&self, row: &mut [f32], stream: &mut dyn RngCore) {
        let x: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
        let noise = normal(x.len(), stream);
        let (y, log) = match self.moves() {
            Move::Ula { step } => (self.drifted(&x, &noise, step), 0.0),
            Move::Mala { step } => self.mala(&x, &noise, step),
            Move::Hmc { step, leaps } => self.hmc(&x, noise, step, leaps),
        };
        // Written so that NaN refuses.
        if log >= mutant!("B322", 0.0, -0.02) || uniform(stream.next_u32()) < libm::exp(log) {
            row.iter_mut().zip(y).for_each(|(x, y)| *x = y as f32);
        }
    }

    /// Gives x − ε²/2 ∇U + ε ξ.
    fn drifted(&self, x: &[f64], noise: &[f64], step: f64) -> Vec<f64> {
        let mean = self.drifted_mean(x, step).into_iter();
        narrowed(mean.zip(noise).map(|(mean, noise)| mean + step * noise).collect())
    }

    /// Computes ln q(y | x) but for its constant: −|y − x + ε²/2 ∇U(x)|² / 2ε².
    fn log_density(&self, x: &[f64], y: &[f64], step: f64) -> f64 {
        let mean = self.drifted_mean(x, step);
        let square: f64 = mean.iter().zip(y).map(|(mean, y)| (y - mean) * (y - mean)).sum();
        -square / (2.0 * step * step)
    }

    fn drifted_mean(&self, x: &[f64], step: f64) -> Vec<f64> {
        let mut slope = vec![0.0; x.len()];
        self.slope(x, &mut slope);
        x.iter().zip(slope).map(|(x, slope)| x - step * step / 2.0 * slope).collect()
    }

    fn mala(&self, x: &[f64], noise: &[f64], step: f64) -> (Vec<f64>, f64) {
        let y = self.drifted(x, noise, step);
        let returning = self.log_density(&y, x, step) - self.log_density(x, &y, step);
        let log = self.height(x) - self.height(&y) + mutant!("B183", returning, 0.0);
        (y, log)
    }

    fn hmc(&self, x: &[f64], mut p: Vec<f64>, step: f64, leaps: u32) -> (Vec<f64>, f64) {
        let kinetic = |p: &[f64]| p.iter().map(|p| p * p).sum::<f64>() / 2.0;
        let (mut y, before) = (x.to_vec(), self.height(x) + kinetic(&p));
        leapfrog(&mut |x, out| self.slope(x, out), &mut y, &mut p, step, leaps);
        let y = narrowed(y);
        let after = self.height(&y) + mutant!("B184", kinetic(&p), 0.0);
        (y, before - after)
    }
}
