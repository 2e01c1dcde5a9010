//! Views the visible half of a machine of real and binary units as a smooth energy, for Langevin and Hamiltonian moves.

use harmonium_core::Error;
use harmonium_core::sample::own::Smooth;
use harmonium_core::units::{Layer, Units};
use ndarray::{Array1, Array2};

use crate::Rbm;
use crate::sites::{sigmoid, softplus};

/// Is F(v) = Σ_i (v_i²/2σ_i² − b_i v_i) − Σ_j ln(1 + e^(c_j + Σ_i v_i W_ij)) of Gaussian visible units and hidden bits, in f64; v are
/// the machine's own coordinates, which are standardised where it has a scaling.
#[derive(Clone, Debug, PartialEq)]
pub struct VisibleReals {
    weights: Array2<f64>,
    visible_bias: Array1<f64>,
    precisions: Array1<f64>,
    hidden_bias: Array1<f64>,
}

impl Rbm {
    /// Copies the machine as an energy over its visible units; join it with moves by `sample::own::Continuous`.
    ///
    /// # Errors
    /// Refuses visible units that are not Gaussian, and hidden ones that are not bits.
    pub fn visible_reals(&self) -> Result<VisibleReals, Error> {
        let Layer::Gaussian(visible) = self.visible() else {
            return Err(Error::shape("a smooth energy", "Gaussian visible units", self.visible().units()));
        };
        if !matches!(self.hidden().units(), Units::Bernoulli(_)) {
            return Err(Error::shape("a smooth energy", "hidden bits", self.hidden().units()));
        }
        let wide = |bias: &[f32]| bias.iter().map(|&b| f64::from(b)).collect();
        Ok(VisibleReals {
            weights: self.weights().mapv(f64::from),
            visible_bias: wide(self.visible_bias()),
            precisions: visible.variances().into_iter().map(|v| 1.0 / v).collect(),
            hidden_bias: wide(self.hidden_bias()),
        })
    }
}

impl VisibleReals {
    /// Computes c + Wᵀv.
    fn activations(&self, x: &[f64]) -> Array1<f64> {
        let mut out = self.hidden_bias.clone();
        self.weights.rows().into_iter().zip(x).for_each(|(weights, &x)| out.scaled_add(x, &weights));
        out
    }
}

impl Smooth for VisibleReals {
    fn dim(&self) -> usize {
        self.visible_bias.len()
    }

    fn energy(&self, x: &[f64]) -> f64 {
        let own =
            x.iter().zip(&self.visible_bias).zip(&self.precisions).map(|((x, b), p)| (0.5 * p * x - b) * x);
        own.sum::<f64>() - self.activations(x).into_iter().map(softplus).sum::<f64>()
    }

    /// Writes v_i/σ_i² − b_i − Σ_j W_ij σ(c_j + Σ_k v_k W_kj).
    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let means = self.activations(x).mapv(sigmoid);
        for (site, out) in out.iter_mut().enumerate() {
            let own = self.precisions[site] * x[site] - self.visible_bias[site];
            let pull = self.weights.row(site).dot(&means);
            *out = mutant!("B348", own - pull, own + pull);
        }
    }
}
