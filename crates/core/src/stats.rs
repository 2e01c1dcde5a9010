//! Adds up sufficient statistics in integers, and contrasts two phases.

use harmonium_kernels::product::MAX_ROWS;
use rayon::prelude::*;

use crate::Params;

/// One unit of a statistic is 2^-16.
const SCALE: f32 = 1.0 / 65_536.0;

/// Entries of one task.
pub(crate) const CHUNK: usize = 1 << 14;

/// Holds the sum of −∂E/∂θ over rows, entry by entry in units of 2^-16, and the number of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    rows: u64,
    in_window: usize,
    sums: Vec<Sums>,
}

/// Adds in 32 bits while that is exact, and carries over into 64 bits before it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sums {
    window: Vec<i32>,
    carried: Option<Vec<i64>>,
}

impl Stats {
    /// Makes empty sums for blocks of these sizes.
    pub fn new(sizes: &[usize]) -> Self {
        let sums = sizes.iter().map(|&n| Sums { window: vec![0; n], carried: None }).collect();
        Self { rows: 0, in_window: 0, sums }
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.in_window = 0;
        for sums in &mut self.sums {
            sums.window.par_chunks_mut(CHUNK).for_each(|part| part.fill(0));
            sums.carried = None;
        }
    }

    /// Gives the number of rows that were added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Lends 32-bit sums that have room for `rows` more rows of 16-bit statistics.
    ///
    /// # Panics
    /// If that is more than one window holds ([`MAX_ROWS`]).
    pub fn window(&mut self, rows: usize) -> Vec<&mut [i32]> {
        assert!(rows <= MAX_ROWS, "{rows} rows in one window");
        if self.in_window + rows > MAX_ROWS {
            self.sums.iter_mut().for_each(Sums::carry);
            self.in_window = 0;
        }
        self.in_window += rows;
        self.rows += rows as u64;
        self.sums.iter_mut().map(|sums| &mut sums.window[..]).collect()
    }

    /// Gives the mean over rows of a block's entry: the only division, in f32 as the gradient has it.
    pub fn mean(&self, block: usize, entry: usize) -> f32 {
        self.sums[block].at(entry) * SCALE / self.rows as f32
    }
}

impl Sums {
    fn carry(&mut self) {
        let carried = self.carried.get_or_insert_with(|| vec![0; self.window.len()]);
        carried
            .iter_mut()
            .zip(&mut self.window)
            .for_each(|(sum, part)| *sum += i64::from(std::mem::take(part)));
    }

    fn at(&self, entry: usize) -> f32 {
        match &self.carried {
            None => self.window[entry] as f32,
            Some(carried) => (carried[entry] + i64::from(self.window[entry])) as f32,
        }
    }
}

/// Holds the statistics of the two phases of one update.
#[derive(Clone, Debug)]
pub struct Phases {
    /// Data clamped.
    pub positive: Stats,
    /// The model running free.
    pub negative: Stats,
}

impl Phases {
    /// Makes two phases of one shape.
    pub fn new(stats: Stats) -> Self {
        Self { positive: stats.clone(), negative: stats }
    }

    /// Forgets both phases.
    pub fn clear(&mut self) {
        self.positive.clear();
        self.negative.clear();
    }

    /// Writes the gradient of the negative log-likelihood, ⟨∂E/∂θ⟩ positive − ⟨∂E/∂θ⟩ negative, into `gradient`.
    pub fn contrast(&self, gradient: &mut Params) {
        for (block, tensor) in gradient.tensors_mut().iter_mut().enumerate() {
            tensor.values.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, values)| {
                self.contrast_part(block, chunk * CHUNK, values);
            });
        }
    }

    fn contrast_part(&self, block: usize, start: usize, values: &mut [f32]) {
        let rows = mutant!("B23", self.positive.rows, self.positive.rows.next_power_of_two()) as f32;
        let chains = self.negative.rows as f32;
        let (p, n) = (&self.positive.sums[block], &self.negative.sums[block]);
        if p.carried.is_some() || n.carried.is_some() {
            for (i, value) in values.iter_mut().enumerate() {
                *value = -(p.at(start + i) * SCALE / rows - n.at(start + i) * SCALE / chains);
            }
            return;
        }
        let parts = p.window[start..].iter().zip(&n.window[start..]);
        for (value, (&p, &n)) in values.iter_mut().zip(parts) {
            *value = mutant!(
                "B14",
                -(p as f32 * SCALE / rows - n as f32 * SCALE / chains),
                p as f32 * SCALE / rows - n as f32 * SCALE / chains
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Tensor;

    fn filled(rows: &[usize]) -> Stats {
        let mut stats = Stats::new(&[1]);
        for &n in rows {
            stats.window(n)[0][0] += n as i32 * 65_535;
        }
        stats
    }

    #[test]
    fn sums_beyond_one_window_are_carried_exactly() {
        let stats = filled(&[MAX_ROWS, MAX_ROWS, 5]);
        assert_eq!(stats.rows(), 2 * MAX_ROWS as u64 + 5);
        assert_eq!(stats.mean(0, 0), 65_535.0 / 65_536.0);
    }

    #[test]
    fn the_contrast_is_negative_where_data_have_more() {
        let mut positive = Stats::new(&[1]);
        positive.window(2)[0][0] += 65_536;
        let mut phases = Phases::new(Stats::new(&[1]));
        phases.positive = positive;
        phases.negative.window(4);
        let tensor = Tensor { name: "b", shape: vec![1], values: vec![0.0] };
        let mut gradient = Params::new(vec![tensor]);
        phases.contrast(&mut gradient);
        assert_eq!(gradient.tensors()[0].values, [-0.5]);
    }
}
