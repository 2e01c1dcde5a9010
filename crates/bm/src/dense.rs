//! Sweeps bits or spins of a dense machine one after the other: what each receives is kept, and follows every flip.

use harmonium_kernels::numeric;

/// Is what a sweep reads: symmetric codes `(units, units)`, row-major, the biases, and what one unit of a sum weighs.
pub(crate) struct Dense<'a> {
    pub(crate) codes: &'a [i32],
    pub(crate) biases: &'a [f32],
    /// 2^-s, and β.
    pub(crate) scale: [f32; 2],
    /// Whether x is ±1; else 0 or 1.
    pub(crate) spins: bool,
}

impl Dense<'_> {
    /// Draws every unit in turn from its law given the others; unit j takes word j. `x` and `sums` have one entry a unit, and
    /// Σ_j codes(i, j) x_j = sums(i) before and after.
    pub(crate) fn sweep(&self, x: &mut [i8], sums: &mut [i32], words: &[u32]) {
        let (n, off) = (x.len(), if self.spins { -1 } else { 0 });
        for unit in 0..n {
            let activation = self.activation(unit, sums[unit]);
            let new = if numeric::bernoulli(words[unit], activation) { 1 } else { off };
            if new != x[unit] {
                let step = i32::from(new) - i32::from(x[unit]);
                x[unit] = new;
                let row = &self.codes[unit * n..][..n];
                sums.iter_mut().zip(row).for_each(|(sum, code)| *sum += code * step);
            }
        }
    }

    #[inline]
    fn activation(&self, unit: usize, sum: i32) -> f32 {
        let activation = sum as f32 * self.scale[0] * self.scale[1] + self.biases[unit];
        if self.spins { 2.0 * activation } else { activation }
    }
}
