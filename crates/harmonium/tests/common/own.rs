//! Holds energies of one's own whose laws are known: tables over a few sites, and mixtures of Gaussians.

use harmonium::sample::own::{Sites, Smooth};
use harmonium_oracle::rng::Rng;
use ndarray::Array2;

/// Is an energy for each state of a few sites; the first site counts fastest.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) states: Vec<u16>,
    pub(crate) energies: Vec<f64>,
    /// Whether proposals get an estimate that is wrong by a factor, in place of the changes.
    pub(crate) vague: bool,
}

impl Table {
    /// Draws normal energies of this deviation.
    pub(crate) fn normal(states: &[u16], scale: f64, seed: u64) -> Self {
        let (mut rng, count) = (Rng::new(seed), states.iter().map(|&k| usize::from(k)).product());
        let energies = (0..count).map(|_| scale * rng.normal()).collect();
        Self { states: states.to_vec(), energies, vague: false }
    }

    pub(crate) fn scaled(&self, by: f64) -> Self {
        Self { energies: self.energies.iter().map(|e| by * e).collect(), ..self.clone() }
    }

    pub(crate) fn index(&self, x: &[u16]) -> usize {
        x.iter().zip(&self.states).rev().fold(0, |sum, (&x, &k)| sum * usize::from(k) + usize::from(x))
    }

    pub(crate) fn state(&self, mut index: usize) -> Vec<u16> {
        let digit = |&k: &u16| {
            let digit = index % usize::from(k);
            index /= usize::from(k);
            digit as u16
        };
        self.states.iter().map(digit).collect()
    }

    pub(crate) fn z(&self) -> f64 {
        self.energies.iter().map(|e| (-e).exp()).sum()
    }

    pub(crate) fn law(&self) -> Vec<f64> {
        self.energies.iter().map(|e| (-e).exp() / self.z()).collect()
    }

    /// Puts the states of these indices into rows.
    pub(crate) fn rows(&self, indices: &[usize]) -> Array2<u16> {
        let values = indices.iter().flat_map(|&index| self.state(index)).collect();
        Array2::from_shape_vec((indices.len(), self.states.len()), values).unwrap()
    }

    /// Gives the share of the rows in each state.
    pub(crate) fn shares(&self, rows: &Array2<u16>) -> Vec<f64> {
        let mut out = vec![0.0; self.energies.len()];
        rows.rows().into_iter().for_each(|row| {
            out[self.index(&row.to_vec())] += 1.0 / rows.nrows() as f64;
        });
        out
    }
}

impl Sites for Table {
    fn sites(&self) -> usize {
        self.states.len()
    }

    fn states(&self, site: usize) -> u16 {
        self.states[site]
    }

    fn energy(&self, x: &[u16]) -> f64 {
        self.energies[self.index(x)]
    }

    fn change(&self, x: &[u16], site: usize, to: u16) -> f64 {
        let stride: usize = self.states[..site].iter().map(|&k| usize::from(k)).product();
        let (from, at) = (usize::from(x[site]), self.index(x));
        self.energies[at + usize::from(to) * stride - from * stride] - self.energies[at]
    }

    fn changes(&self, x: &[u16], out: &mut [f64]) {
        let mut at = 0;
        for site in 0..self.sites() {
            for to in 0..self.states(site) {
                let exact = self.change(x, site, to);
                // Any function of x alone will do.
                out[at] = if self.vague { 0.6 * exact + 0.3 * site as f64 } else { exact };
                at += 1;
            }
        }
    }
}

/// Is −ln Σ w_k e^(−|x − m_k|²/2σ²): a mixture of Gaussians in the plane, of which all is known.
#[derive(Clone, Debug)]
pub(crate) struct Mixture {
    pub(crate) parts: Vec<(f64, [f64; 2])>,
    pub(crate) sigma: f64,
}

impl Mixture {
    /// Three hills that overlap, so that no move is hopeless.
    pub(crate) fn hills() -> Self {
        Self { parts: vec![(0.5, [-0.8, 0.3]), (0.3, [1.2, 0.9]), (0.2, [0.4, -1.4])], sigma: 0.7 }
    }

    pub(crate) fn z(&self) -> f64 {
        self.parts.iter().map(|(w, _)| w).sum::<f64>() * 2.0 * std::f64::consts::PI * self.sigma.powi(2)
    }

    pub(crate) fn draws(&self, count: usize, rng: &mut Rng) -> Array2<f32> {
        let mut out = Array2::zeros((count, 2));
        for mut row in out.rows_mut() {
            let (mut u, mut part) = (rng.uniform(), 0);
            while u >= self.parts[part].0 && part + 1 < self.parts.len() {
                u -= self.parts[part].0;
                part += 1;
            }
            (0..2).for_each(|d| row[d] = (self.parts[part].1[d] + self.sigma * rng.normal()) as f32);
        }
        out
    }

    /// Averages a function of which the mean under N(m, σ²) in each part is known.
    pub(crate) fn mean(&self, of: impl Fn([f64; 2]) -> f64) -> f64 {
        self.parts.iter().map(|&(w, m)| w * of(m)).sum()
    }

    fn terms(&self, x: &[f64]) -> Vec<f64> {
        let square = |m: &[f64; 2]| (x[0] - m[0]).powi(2) + (x[1] - m[1]).powi(2);
        self.parts.iter().map(|(w, m)| w * (-square(m) / (2.0 * self.sigma.powi(2))).exp()).collect()
    }
}

impl Smooth for Mixture {
    fn dim(&self) -> usize {
        2
    }

    fn energy(&self, x: &[f64]) -> f64 {
        -self.terms(x).iter().sum::<f64>().ln()
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let terms = self.terms(x);
        let sum: f64 = terms.iter().sum();
        for (d, slope) in out.iter_mut().enumerate() {
            let pull = terms.iter().zip(&self.parts).map(|(t, (_, m))| t / sum * (x[d] - m[d]));
            *slope = pull.sum::<f64>() / self.sigma.powi(2);
        }
    }
}

/// Is |x − m|²/2σ² in any number of dimensions.
#[derive(Clone, Debug)]
pub(crate) struct Bowl {
    pub(crate) centre: Vec<f64>,
    pub(crate) sigma: f64,
}

impl Smooth for Bowl {
    fn dim(&self) -> usize {
        self.centre.len()
    }

    fn energy(&self, x: &[f64]) -> f64 {
        let squares = x.iter().zip(&self.centre).map(|(x, m)| (x - m).powi(2));
        squares.sum::<f64>() / (2.0 * self.sigma.powi(2))
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let pairs = x.iter().zip(&self.centre);
        out.iter_mut().zip(pairs).for_each(|(slope, (x, m))| *slope = (x - m) / self.sigma.powi(2));
    }
}
