//! Enumerates machines of ratings whose visible units are there only where a rating is, from their energy alone.

/// Holds a machine in f64, small enough to enumerate; all arrays are row-major.
#[derive(Clone, Debug)]
pub struct RatedMachine {
    /// K.
    pub levels: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Whether hidden units are Gaussian.
    pub gaussian: bool,
    /// W, `(items, levels, hidden)`.
    pub weights: Vec<f64>,
    /// b, `(items, levels)`.
    pub bias: Vec<f64>,
    /// c.
    pub hidden_bias: Vec<f64>,
    /// D, `(items, hidden)`; zeros where there is no conditional term.
    pub conditional: Vec<f64>,
    /// n₀; 0 for none.
    pub damping: f64,
    /// λ; 0 for none.
    pub lateral: f64,
    /// Means of the items.
    pub centres: Vec<f64>,
    /// The rating of level 0; levels are 1 apart.
    pub least: f64,
}

impl RatedMachine {
    fn gain(&self, n: usize) -> f64 {
        if self.damping > 0.0 { 1.0 / (1.0 + n as f64 / self.damping).sqrt() } else { 1.0 }
    }

    /// Computes E(r, h) of a row of items with their levels, in which the items of `known` are known to be rated.
    pub fn energy(&self, row: &[(usize, usize)], known: &[usize], h: &[f64]) -> f64 {
        let g = self.gain(row.len());
        let mut energy = 0.0;
        for &(item, level) in row {
            energy -= self.bias[item * self.levels + level];
            for (j, h) in h.iter().enumerate() {
                energy -= g * self.weights[(item * self.levels + level) * self.hidden + j] * h;
            }
        }
        for (j, h) in h.iter().enumerate() {
            energy -= self.hidden_bias[j] * h;
            energy -= known.iter().map(|item| g * self.conditional[item * self.hidden + j] * h).sum::<f64>();
            energy += if self.gaussian { 0.5 * h * h } else { 0.0 };
        }
        let s = |at: usize| self.least + row[at].1 as f64 - self.centres[row[at].0];
        if self.lateral > 0.0 {
            for a in 0..row.len() {
                energy -= (0..a).map(|b| s(a) * s(b) / (row.len() as f64 - 1.0 + self.lateral)).sum::<f64>();
            }
        }
        energy
    }

    /// Gives all states of Bernoulli hidden units, or a fine lattice of one Gaussian unit's.
    ///
    /// # Panics
    /// If there are several Gaussian units.
    pub fn hidden_states(&self) -> Vec<Vec<f64>> {
        if self.gaussian {
            assert_eq!(self.hidden, 1, "one Gaussian unit");
            return (-3000..=3000).map(|i| vec![f64::from(i) * 0.01]).collect();
        }
        (0..1 << self.hidden)
            .map(|s: usize| (0..self.hidden).map(|j| (s >> j & 1) as f64).collect())
            .collect()
    }

    /// Computes Σ_h e^−E.
    pub fn weight(&self, row: &[(usize, usize)], known: &[usize]) -> f64 {
        self.hidden_states().iter().map(|h| (-self.energy(row, known, h)).exp()).sum()
    }

    /// Computes p(h | row) of each hidden state.
    pub fn posterior(&self, row: &[(usize, usize)]) -> Vec<f64> {
        let known: Vec<usize> = row.iter().map(|pair| pair.0).collect();
        normalised(self.hidden_states().iter().map(|h| (-self.energy(row, &known, h)).exp()).collect())
    }

    /// Computes p(level of `item` | row), the row's items alone being known to be rated.
    pub fn conditional_of(&self, row: &[(usize, usize)], item: usize) -> Vec<f64> {
        let known: Vec<usize> = row.iter().map(|pair| pair.0).collect();
        let with = |level| [row, &[(item, level)]].concat();
        normalised((0..self.levels).map(|level| self.weight(&with(level), &known)).collect())
    }

    /// Computes −Σ ln p(a rating | the others of its row).
    pub fn pseudo_loss(&self, row: &[(usize, usize)]) -> f64 {
        let one = |at: usize| {
            let mut others = row.to_vec();
            let (item, level) = others.remove(at);
            -self.conditional_of(&others, item)[level].ln()
        };
        (0..row.len()).map(one).sum()
    }
}

fn normalised(weights: Vec<f64>) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / total).collect()
}
