//! Decides whether a spin turns over, from its word and from how many neighbours satisfy their bond.

use crate::numeric::TRIED;

/// Names a rule of moves that leaves the law of the lattice unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// Turns a spin over with probability r min(1, e^−ΔE/T) (Metropolis et al. 1953), r being [`TRIED`].
    Metropolis,
    /// Draws a spin anew given its neighbours: it turns over with probability 1 / (1 + e^ΔE/T).
    HeatBath,
}

/// Says how many bits of a word are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// All 32: probabilities are off by at most 2^-33.
    Full,
    /// The upper 16: probabilities are off by at most 2^-17.
    Fast,
}

/// The most classes of sites with a threshold of their own.
pub(super) const CLASSES: usize = 3;

// The kernel compares no more than the upper half of words with r.
const _: () = assert!(TRIED * 65_536.0 == (TRIED * 65_536.0) as u16 as f32, "r has 16 bits");

/// Holds the thresholds of a rule at one temperature.
///
/// A site with `n` satisfied bonds of four turns over where its word is below a threshold or, by heat bath with few of them, where it is not:
/// see [`Rule::turns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    moves: Moves,
    precision: Precision,
    /// Whether bonds between unequal spins are the satisfied ones.
    unequal: bool,
    /// Thresholds in 2^-32: of two satisfied bonds (Metropolis: or fewer), of three, of four.
    thresholds: [u32; CLASSES],
}

impl Rule {
    /// Makes the thresholds for a coupling in units of the temperature, `β J`, negative for antiferromagnets.
    ///
    /// A bond more that is satisfied costs 2 |β J|. Metropolis: r up to two satisfied bonds, then r e^−4 |β J| and r e^−8 |β J|. Heat
    /// bath: σ(−4 |β J| (n − 2)) for n of them.
    ///
    /// # Panics
    /// If the coupling is not finite.
    pub fn new(coupling: f64, moves: Moves, precision: Precision) -> Self {
        assert!(coupling.is_finite(), "coupling {coupling}");
        let e = |n: f64| libm::exp(mutant!("B155", -4.0, -2.0) * coupling.abs() * n);
        let probability = |n: f64| match moves {
            Moves::Metropolis => mutant!("B309", f64::from(TRIED), 1.0) * e(n),
            Moves::HeatBath => e(n) / (1.0 + e(n)),
        };
        let thresholds = [0.0, 1.0, 2.0].map(|n| threshold(probability(n), precision));
        Self { moves, precision, unequal: coupling < 0.0, thresholds }
    }

    /// Makes a rule of Metropolis' kind with thresholds of one's own for three and four satisfied bonds.
    #[cfg(test)]
    pub(super) fn with(three: u32, four: u32) -> Self {
        let plain = Self::new(1.0, Moves::Metropolis, Precision::Full);
        Self { thresholds: [plain.thresholds[0], three, four], ..plain }
    }

    /// Tells whether a site turns over that has `satisfied` bonds of four and draws `word`.
    ///
    /// Metropolis: where the word is below the threshold of n, or of two for fewer. Heat bath: where it is below the threshold of
    /// |n − 2|, and for n < 2 where it is not.
    ///
    /// # Panics
    /// If more than four bonds are satisfied.
    pub fn turns(&self, satisfied: u32, word: u32) -> bool {
        let word = match self.precision {
            Precision::Full => word,
            Precision::Fast => word & 0xFFFF_0000,
        };
        match (self.moves, satisfied) {
            (Moves::HeatBath, 0..2) => word >= self.thresholds[2 - satisfied as usize],
            _ => word < self.thresholds[satisfied.saturating_sub(2) as usize],
        }
    }

    /// Gives the number of neighbours whose bond is satisfied, of four of which `equal` have the same spin.
    pub fn satisfied(&self, equal: u32) -> u32 {
        if self.unequal { 4 - equal } else { equal }
    }

    pub(super) fn moves(&self) -> Moves {
        self.moves
    }

    pub(super) fn precision(&self) -> Precision {
        self.precision
    }

    pub(super) fn unequal(&self) -> bool {
        self.unequal
    }

    /// Gives the bits of the thresholds, the highest first, each spread over a word.
    pub(super) fn bits(&self) -> [[i32; CLASSES]; 32] {
        std::array::from_fn(|d| self.thresholds.map(|t| -((t >> (31 - d) & 1) as i32)))
    }
}

/// Rounds a probability to what its words can hold; one itself falls short of it by a unit of the last place.
fn threshold(probability: f64, precision: Precision) -> u32 {
    let unit: u64 = match precision {
        Precision::Full => 1,
        Precision::Fast => 1 << 16,
    };
    let steps = libm::rint(probability * 4_294_967_296.0 / unit as f64) as u64 * unit;
    steps.min((1 << 32) - unit) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds by bisection below which word a site turns over, or from which on it does.
    fn probability(rule: &Rule, satisfied: u32) -> f64 {
        let first = rule.turns(satisfied, 0);
        let (mut low, mut high) = (0_u64, 1_u64 << 32);
        while low < high {
            let middle = u64::midpoint(low, high);
            if rule.turns(satisfied, middle as u32) == first { low = middle + 1 } else { high = middle }
        }
        let share = low as f64 / 4_294_967_296.0;
        if first { share } else { 1.0 - share }
    }

    #[test]
    fn probabilities_are_those_of_the_energy_to_the_last_bit() {
        for coupling in [0.0, 0.1, -0.3, 0.440_686_8, 1.0, -2.5] {
            for (precision, error) in [(Precision::Full, 2_f64.powi(-32)), (Precision::Fast, 2_f64.powi(-16))]
            {
                let [metropolis, bath] =
                    [Moves::Metropolis, Moves::HeatBath].map(|moves| Rule::new(coupling, moves, precision));
                for n in 0..=4 {
                    let cost = 4.0 * coupling.abs() * (f64::from(n) - 2.0);
                    let (p, q) = (255.0 / 256.0 * (-cost).exp().min(1.0), 1.0 / (1.0 + cost.exp()));
                    assert!((probability(&metropolis, n) - p).abs() <= error, "{coupling} {n}");
                    assert!((probability(&bath, n) - q).abs() <= error, "{coupling} {n}");
                }
            }
        }
    }
}
