//! Describes the replicated softmax by its energy, E(v, h) = −v·W·h − b·v − D a·h, with sums over all hidden states and over all
//! documents of a length.

use crate::gamma::ln_gamma;
use crate::math::log_sum_exp;
use crate::rng::Rng;

/// Holds W (row-major, `words × hidden`), b and a.
#[derive(Clone, Debug, PartialEq)]
pub struct Replicated {
    /// Words.
    pub words: usize,
    /// Hidden units.
    pub hidden: usize,
    /// W.
    pub weights: Vec<f64>,
    /// b.
    pub visible_bias: Vec<f64>,
    /// a.
    pub hidden_bias: Vec<f64>,
}

impl Replicated {
    /// Draws normal parameters.
    pub fn normal(words: usize, hidden: usize, scale: f64, rng: &mut Rng) -> Self {
        let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| scale * rng.normal()).collect() };
        Self {
            words,
            hidden,
            weights: draw(words * hidden),
            visible_bias: draw(words),
            hidden_bias: draw(hidden),
        }
    }

    /// Gives E(v, h), h being a mask.
    pub fn energy(&self, v: &[f64], h: u64) -> f64 {
        let length: f64 = v.iter().sum();
        let on = |j: usize| if h >> j & 1 == 1 { 1.0 } else { 0.0 };
        let mut energy = 0.0;
        for (k, v) in v.iter().enumerate() {
            energy -= v * self.visible_bias[k];
            for j in 0..self.hidden {
                energy -= v * self.weights[k * self.hidden + j] * on(j);
            }
        }
        energy - (0..self.hidden).map(|j| length * self.hidden_bias[j] * on(j)).sum::<f64>()
    }

    /// Gives F(v) = −ln Σ_h e^(−E(v, h)), term by term.
    pub fn free_energy(&self, v: &[f64]) -> f64 {
        -log_sum_exp(&(0..1 << self.hidden).map(|h| -self.energy(v, h)).collect::<Vec<_>>())
    }

    /// Gives p(h | v) of each mask.
    pub fn posterior(&self, v: &[f64]) -> Vec<f64> {
        let free = self.free_energy(v);
        (0..1 << self.hidden).map(|h| (free - self.energy(v, h)).exp()).collect()
    }

    /// Gives p(h_j = 1 | v).
    pub fn hidden_means(&self, v: &[f64]) -> Vec<f64> {
        let p = self.posterior(v);
        let share = |j: usize| (0..p.len()).filter(|h| h >> j & 1 == 1).map(|h| p[h]).sum();
        (0..self.hidden).map(share).collect()
    }

    /// Gives ln Z_D = ln Σ_h (Σ_k e^(b_k + W_k·h))^D e^(D a·h): sequences of `length` tokens summed out.
    pub fn log_z(&self, length: u32) -> f64 {
        let one = |h: u64| {
            let mut token = vec![0.0; self.words];
            let terms = (0..self.words).map(|k| {
                token.fill(0.0);
                token[k] = 1.0;
                -self.energy(&token, h)
            });
            // a·h of one token is in each term, so that the power has D a·h.
            f64::from(length) * log_sum_exp(&terms.collect::<Vec<_>>())
        };
        log_sum_exp(&(0..1 << self.hidden).map(one).collect::<Vec<_>>())
    }

    /// Lists all documents of a length, and ln p(v) of each: D!/Π v_k! sequences with e^(−F(v))/Z_D.
    pub fn law(&self, length: u32) -> Vec<(Vec<f64>, f64)> {
        let log_z = self.log_z(length);
        let one = |v: Vec<f64>| {
            let log_p = log_ways(&v) - self.free_energy(&v) - log_z;
            (v, log_p)
        };
        documents(self.words, length).into_iter().map(one).collect()
    }

    /// Gives the perplexity of a word, e^(−Σ ln p / Σ D), documents being sequences.
    pub fn perplexity(&self, documents: &[Vec<f64>]) -> f64 {
        let (mut log_p, mut tokens) = (0.0, 0.0);
        for v in documents {
            let length: f64 = v.iter().sum();
            log_p -= self.free_energy(v) + self.log_z(length as u32);
            tokens += length;
        }
        (-log_p / tokens).exp()
    }
}

/// Gives ln(D!/Π v_k!).
pub fn log_ways(v: &[f64]) -> f64 {
    ln_gamma(v.iter().sum::<f64>() + 1.0) - v.iter().map(|x| ln_gamma(x + 1.0)).sum::<f64>()
}

/// Lists all counts of `words` words that add up to `length`.
pub fn documents(words: usize, length: u32) -> Vec<Vec<f64>> {
    if words == 1 {
        return vec![vec![f64::from(length)]];
    }
    let with = |first: u32| {
        documents(words - 1, length - first)
            .into_iter()
            .map(move |rest| [vec![f64::from(first)], rest].concat())
    };
    (0..=length).flat_map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::close;

    /// Z_D summed over all sequences of D tokens, 3^4 of them, with nothing summed out by a formula.
    #[test]
    fn z_is_a_sum_over_sequences() {
        let model = Replicated::normal(3, 2, 1.0, &mut Rng::new(1));
        for length in 1..=4_u32 {
            let sequences = (0..3_usize.pow(length)).map(|mut code| {
                let mut v = vec![0.0; 3];
                for _ in 0..length {
                    v[code % 3] += 1.0;
                    code /= 3;
                }
                v
            });
            let terms = sequences.flat_map(|v| (0..4).map(|h| -model.energy(&v, h)).collect::<Vec<_>>());
            close(model.log_z(length), log_sum_exp(&terms.collect::<Vec<_>>()), 1e-12);
        }
    }

    #[test]
    fn documents_of_a_length_have_probability_one() {
        let model = Replicated::normal(4, 3, 1.0, &mut Rng::new(2));
        let law = model.law(5);
        assert_eq!(law.len(), 56);
        close(law.iter().map(|(_, log_p)| log_p.exp()).sum(), 1.0, 1e-12);
    }
}
