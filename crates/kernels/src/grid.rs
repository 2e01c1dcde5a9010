//! Rounds weights to a fixed-point grid, one power of two for the whole matrix, so that sums are exact integers.

/// The largest shift: 2^-s stays a normal number, so that scaling by it is exact.
const MAX_SHIFT: i32 = 120;

/// The most bits of a code that a product takes.
const COARSE: u32 = 22;

/// The bits of a code where at most [`FEW`] are added up: their sums stay within 31 bits.
const FINE: u32 = 27;
const FEW: usize = 16;

/// Adding 1.5 · 2^23 rounds a number below 2^22 to the nearest integer, ties to even.
pub(crate) const ROUNDER: f32 = 12_582_912.0;

/// Holds the fixed-point grid of a weight matrix: `q = round_even(w · 2^shift)` in `bits` bits with sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    bits: u32,
    shift: i32,
}

impl Grid {
    /// The widest layer whose sums fit 32 bits at a useful precision (16 bits).
    pub const MAX_UNITS: usize = 1 << 16;

    /// Makes the grid of an all-zero matrix between layers of these sizes.
    ///
    /// # Panics
    /// If a layer has no unit or more than [`Grid::MAX_UNITS`].
    pub fn new(visible: usize, hidden: usize) -> Self {
        let widest = visible.max(hidden);
        assert!((1..=Self::MAX_UNITS).contains(&widest), "{visible} x {hidden} units");
        let bits = COARSE.min(mutant!("B46", 32 - widest.next_power_of_two().trailing_zeros(), COARSE));
        Self { bits, shift: bits as i32 - 1 }
    }

    /// Makes the grid of weights that are 0, at most `terms` of which are added up at a time; for a few it is finer than what
    /// products of whole matrices can take.
    ///
    /// # Panics
    /// If there are no terms or more than [`Grid::MAX_UNITS`].
    pub fn of_terms(terms: usize) -> Self {
        let grid = Self::new(terms, 1);
        let bits = mutant!("B275", if terms <= FEW { FINE } else { grid.bits }, grid.bits);
        Self { bits, shift: bits as i32 - 1 }
    }

    /// Makes the grid that a matrix with this largest |w| settles on from scratch.
    pub fn settled(visible: usize, hidden: usize, largest: f32) -> Self {
        Self::new(visible, hidden).settling(largest)
    }

    /// Follows this largest |w| as far as it leads.
    #[must_use]
    pub fn settling(mut self, largest: f32) -> Self {
        while self != self.followed(largest) {
            self = self.followed(largest);
        }
        self
    }

    /// Restores a saved grid; `None` if the shift can't belong to such a matrix.
    pub fn restored(visible: usize, hidden: usize, shift: i32, largest: f32) -> Option<Self> {
        Self::new(visible, hidden).at(shift, largest)
    }

    /// Moves the grid to a saved shift; `None` if that can't belong to weights with this largest |w|.
    pub fn at(self, shift: i32, largest: f32) -> Option<Self> {
        let grid = Self { shift, ..self };
        let fits = (-126..=MAX_SHIFT).contains(&shift) && f64::from(largest) * grid.factor() <= grid.limit();
        fits.then_some(grid)
    }

    /// Follows the largest |w| after an update: down as far as the codes need, up by at most one.
    #[must_use]
    pub fn followed(self, largest: f32) -> Self {
        let m = f64::from(largest);
        if m == 0.0 {
            return Self { shift: self.bits as i32 - 1, ..self };
        }
        let mut next = mutant!("B47", self, return self);
        while m * next.factor() > next.limit() {
            next.shift -= 1;
        }
        if m * next.factor() < exp2(self.bits as i32 - 3) && next.shift < MAX_SHIFT {
            next.shift += 1;
        }
        next
    }

    /// Gives s: weights are multiples of 2^-s.
    pub fn shift(self) -> i32 {
        self.shift
    }

    /// Gives the number of bits of a code, sign included.
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// Gives 2^-s, the weight of one code.
    pub fn quantum(self) -> f32 {
        exp2(-self.shift) as f32
    }

    /// Gives the code of a weight.
    #[inline(always)]
    pub fn code(self, weight: f32) -> i32 {
        if self.is_fine() {
            return (f64::from(weight) * self.factor()).round_ties_even() as i32;
        }
        code(weight, self.factor() as f32)
    }

    /// Tells whether codes have more bits than products of whole matrices take.
    pub fn is_fine(self) -> bool {
        self.bits > COARSE
    }

    /// Gives the weight that the model really has: `q · 2^-s`.
    pub fn round(self, weight: f32) -> f32 {
        self.code(weight) as f32 * self.quantum()
    }

    fn factor(self) -> f64 {
        exp2(self.shift)
    }

    fn limit(self) -> f64 {
        exp2(self.bits as i32 - 1) - 1.0
    }
}

/// Rounds `weight · factor` to the nearest integer, ties to even, in three operations that every CPU has.
#[inline(always)]
pub(crate) fn code(weight: f32, factor: f32) -> i32 {
    (weight * factor + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits()) as i32
}

fn exp2(n: i32) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}

/// Borrows a weight matrix `(visible, hidden)`, row-major, together with its grid.
#[derive(Clone, Copy, Debug)]
pub struct Coupling<'a> {
    pub(crate) weights: &'a [f32],
    pub(crate) visible: usize,
    pub(crate) hidden: usize,
    pub(crate) grid: Grid,
}

impl<'a> Coupling<'a> {
    /// Joins weights and grid.
    ///
    /// # Panics
    /// If there are not `visible · hidden` weights.
    pub fn new(weights: &'a [f32], visible: usize, hidden: usize, grid: Grid) -> Self {
        assert_eq!(weights.len(), visible * hidden, "weights of {visible} x {hidden} units");
        Self { weights, visible, hidden, grid }
    }

    /// Gives the weight of one code, 2^-s.
    pub fn quantum(&self) -> f32 {
        self.grid.quantum()
    }

    pub(crate) fn factor(&self) -> f32 {
        self.grid.factor() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_leave_room_for_the_widest_sum() {
        for (units, bits) in [(1, 22), (784, 22), (1024, 22), (1025, 21), (65_536, 16)] {
            assert_eq!(Grid::new(units, 3).bits(), bits);
            let largest = (1_i64 << (bits - 1)) - 1;
            assert!(largest * units as i64 <= i64::from(i32::MAX));
        }
    }

    #[test]
    fn a_few_terms_have_finer_codes() {
        for (terms, bits) in [(1, 27), (16, 27), (17, 22), (1024, 22), (1025, 21)] {
            assert_eq!(Grid::of_terms(terms).bits(), bits);
            let largest = (1_i64 << (bits - 1)) - 1;
            assert!(largest * terms as i64 <= i64::from(i32::MAX));
        }
        let grid = Grid::of_terms(8).settling(20.0);
        // 20 needs 5 bits before the point; 26 bits without the sign leave 21 behind it.
        assert_eq!(grid.shift(), 21);
        for w in [19.999_998_f32, -7.3, 1e-6, 3.0 * grid.quantum(), 2.5 * grid.quantum()] {
            assert!((f64::from(grid.round(w)) - f64::from(w)).abs() <= f64::from(grid.quantum()) / 2.0);
        }
        assert_eq!(grid.code(2.5 * grid.quantum()), 2);
    }

    #[test]
    fn codes_are_rounded_to_even() {
        let grid = Grid::settled(784, 500, 0.25);
        for i in -2_000_000..2_000_000_i32 {
            let scaled = i as f32 * 0.25;
            let w = scaled * grid.quantum();
            assert_eq!(grid.code(w), scaled.round_ties_even() as i32);
        }
    }

    #[test]
    fn the_largest_weight_uses_at_least_a_quarter_of_the_codes() {
        for exponent in -90..120 {
            let m = 1.37 * exp2(exponent) as f32;
            let grid = Grid::settled(784, 500, m);
            let q = f64::from(m) * grid.factor();
            assert!(q <= grid.limit() && q >= exp2(19 - 1), "m {m}: {q}");
        }
    }

    #[test]
    fn the_shift_falls_at_once_and_rises_one_by_one() {
        let grid = Grid::settled(784, 500, 1.0);
        assert_eq!(grid.followed(7.0).shift(), grid.shift() - 2);
        assert_eq!(grid.followed(1e-3).shift(), grid.shift() + 1);
        assert_eq!(grid.followed(0.0).shift(), 21);
    }
}
