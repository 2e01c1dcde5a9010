//! Views the visible half of a machine of bits as an energy over sites, for samplers that move few units at a time.

use harmonium_core::Error;
use harmonium_core::sample::own::Sites;
use harmonium_core::units::Units;
use ndarray::{Array1, Array2};

use crate::Rbm;

/// Is F(v) = −b·v − Σ_j ln(1 + e^(c_j + Σ_i v_i W_ij)) of a machine of bits, in f64.
///
/// The proposals of Gibbs with gradients are of first order, dF/dv_i = −b_i − Σ_j W_ij σ(I_j), which one pass over the weights gives
/// for all units; they miss a change by Σ_j W_ij² / 8 at most.
#[derive(Clone, Debug, PartialEq)]
pub struct VisibleSites {
    weights: Array2<f64>,
    visible_bias: Array1<f64>,
    hidden_bias: Array1<f64>,
}

impl Rbm {
    /// Copies the machine as an energy over its visible units; join it with an update by `sample::own::Discrete`.
    ///
    /// # Errors
    /// Refuses units other than bits on either side.
    pub fn visible_sites(&self) -> Result<VisibleSites, Error> {
        for units in [self.visible().units(), self.hidden().units()] {
            if !matches!(units, Units::Bernoulli(_)) {
                return Err(Error::shape("sites", "bits on both sides", units));
            }
        }
        let wide = |bias: &[f32]| bias.iter().map(|&b| f64::from(b)).collect();
        Ok(VisibleSites {
            weights: self.weights().mapv(f64::from),
            visible_bias: wide(self.visible_bias()),
            hidden_bias: wide(self.hidden_bias()),
        })
    }
}

impl VisibleSites {
    /// Computes I = c + Wᵀv.
    fn activations(&self, x: &[u16]) -> Array1<f64> {
        let mut out = self.hidden_bias.clone();
        for (weights, _) in self.weights.rows().into_iter().zip(x).filter(|(_, x)| **x == 1) {
            out += &weights;
        }
        out
    }
}

impl Sites for VisibleSites {
    fn sites(&self) -> usize {
        self.visible_bias.len()
    }

    fn energy(&self, x: &[u16]) -> f64 {
        let own: f64 = self.visible_bias.iter().zip(x).map(|(b, &x)| b * f64::from(x)).sum();
        -own - self.activations(x).iter().map(|&i| softplus(i)).sum::<f64>()
    }

    fn change(&self, x: &[u16], site: usize, to: u16) -> f64 {
        let step = f64::from(to) - f64::from(x[site]);
        let pairs = self.activations(x).into_iter().zip(self.weights.row(site));
        let hidden: f64 = pairs.map(|(i, w)| softplus(i + step * w) - softplus(i)).sum();
        -step * self.visible_bias[site] - hidden
    }

    fn changes(&self, x: &[u16], out: &mut [f64]) {
        let means = self.activations(x).mapv(sigmoid);
        for (site, out) in out.chunks_exact_mut(2).enumerate() {
            let slope = -self.visible_bias[site] - self.weights.row(site).dot(&means);
            out[usize::from(x[site])] = 0.0;
            out[usize::from(1 - x[site])] =
                mutant!("B186", 1.0 - 2.0 * f64::from(x[site]), 2.0 * f64::from(x[site]) - 1.0) * slope;
        }
    }
}

/// Computes ln(1 + e^x) without overflow.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

/// Computes 1 / (1 + e^−x) without overflow.
pub(crate) fn sigmoid(x: f64) -> f64 {
    let e = libm::exp(-x.abs());
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}
