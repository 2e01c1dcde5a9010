//! Builds the transition matrices of Gibbs sampling, from a model or from conditionals measured elsewhere.
//!
//! A state over v has index v, a joint state v + 2^V · h. Entry (x, y) is the probability of y after x.

use crate::bits::states;
use crate::math::sum;
use crate::rbm::Rbm;
use crate::stats::tv;

/// Largest number of states of a matrix: 2¹², that is 128 MiB.
const MAX_STATES: usize = 1 << 12;

/// Holds p(hⱼ = 1 | v) of every v and p(vᵢ = 1 | h) of every h.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditionals {
    visible: usize,
    hidden: usize,
    given_v: Vec<Vec<f64>>,
    given_h: Vec<Vec<f64>>,
}

impl Conditionals {
    /// Tabulates two functions of a state, which give one probability a unit of the other side.
    ///
    /// # Panics
    /// When a function gives another number of probabilities.
    pub fn from_fn(
        (visible, hidden): (usize, usize),
        p_h: impl Fn(u64) -> Vec<f64>,
        p_v: impl Fn(u64) -> Vec<f64>,
    ) -> Self {
        let given_v: Vec<_> = (0..states(visible) as u64).map(p_h).collect();
        let given_h: Vec<_> = (0..states(hidden) as u64).map(p_v).collect();
        assert!(given_v.iter().all(|p| p.len() == hidden), "one probability a hidden unit");
        assert!(given_h.iter().all(|p| p.len() == visible), "one probability a visible unit");
        Self { visible, hidden, given_v, given_h }
    }

    /// Tabulates the conditionals of a model.
    pub fn of(rbm: &Rbm) -> Self {
        let sizes = (rbm.visible, rbm.hidden);
        Self::from_fn(sizes, |v| rbm.hidden_probabilities(v), |h| rbm.visible_probabilities(h))
    }

    /// Builds the sweep on v: T(v, v') = Σ_h p(h | v) p(v' | h).
    pub fn visible_sweep(&self) -> Matrix {
        let (hidden, visible) = self.chances();
        Matrix::from_rows(&hidden).then(&Matrix::from_rows(&visible))
    }

    /// Builds the half-step h' ∼ p(h | v) on joint states.
    pub fn hidden_half_step(&self) -> Matrix {
        self.joint(|v, _, chance| (0..chance.0[v].len()).map(|h| (v, h, chance.0[v][h])).collect())
    }

    /// Builds the half-step v' ∼ p(v | h) on joint states.
    pub fn visible_half_step(&self) -> Matrix {
        self.joint(|_, h, chance| (0..chance.1[h].len()).map(|v| (v, h, chance.1[h][v])).collect())
    }

    /// Builds the sweep on joint states: h' ∼ p(h | v), then v' ∼ p(v | h').
    pub fn joint_sweep(&self) -> Matrix {
        self.joint(|v, _, chance| {
            let ends = (0..chance.1.len()).flat_map(|h| (0..chance.0.len()).map(move |v| (v, h)));
            ends.map(|(next, h)| (next, h, chance.0[v][h] * chance.1[h][next])).collect()
        })
    }

    /// Multiplies the probabilities of the units to those of the states.
    fn chances(&self) -> Chances {
        let tables = |given: &[Vec<f64>]| given.iter().map(|p| product(p)).collect();
        (tables(&self.given_v), tables(&self.given_h))
    }

    /// Fills a matrix over joint states from a function that lists the ends (v', h', probability) of a start (v, h).
    fn joint(&self, ends: impl Fn(usize, usize, &Chances) -> Vec<(usize, usize, f64)>) -> Matrix {
        let chances = self.chances();
        let mut out = Matrix::zeros(states(self.visible + self.hidden), states(self.visible + self.hidden));
        for start in 0..out.rows {
            let (v, h) = (start & (states(self.visible) - 1), start >> self.visible);
            for (next_v, next_h, p) in ends(v, h, &chances) {
                out.entries[start * out.columns + (next_v | next_h << self.visible)] += p;
            }
        }
        out
    }
}

/// p(h | v) as a table over h for every v, and p(v | h) as a table over v for every h.
type Chances = (Vec<Vec<f64>>, Vec<Vec<f64>>);

/// Gives the table over states of independent units that are on with probabilities `p`.
pub fn product(p: &[f64]) -> Vec<f64> {
    p.iter().fold(vec![1.0], |table, p| {
        table.iter().map(|t| t * (1.0 - p)).chain(table.iter().map(|t| t * p)).collect()
    })
}

/// Holds transition probabilities, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    entries: Vec<f64>,
}

impl Matrix {
    /// Takes the rows of a kernel, each a table over the states after the step.
    ///
    /// # Panics
    /// When the rows differ in length, or there are more than 2¹² of them or of columns.
    pub fn from_rows(rows: &[Vec<f64>]) -> Self {
        let columns = rows.first().map_or(0, Vec::len);
        assert!(rows.iter().all(|row| row.len() == columns), "rows of one length");
        assert!(rows.len().max(columns) <= MAX_STATES, "more than {MAX_STATES} states");
        Self { rows: rows.len(), columns, entries: rows.concat() }
    }

    fn zeros(rows: usize, columns: usize) -> Self {
        assert!(rows.max(columns) <= MAX_STATES, "more than {MAX_STATES} states");
        Self { rows, columns, entries: vec![0.0; rows * columns] }
    }

    /// Gives the law after the step, of each start.
    pub fn row(&self, start: usize) -> &[f64] {
        &self.entries[start * self.columns..][..self.columns]
    }

    /// Gives the law π T after one step from the law π.
    ///
    /// # Panics
    /// When `law` has not one entry a row.
    pub fn apply(&self, law: &[f64]) -> Vec<f64> {
        assert_eq!(law.len(), self.rows, "one entry a row");
        let mut out = vec![0.0; self.columns];
        for (start, p) in law.iter().enumerate().filter(|(_, p)| **p != 0.0) {
            out.iter_mut().zip(self.row(start)).for_each(|(out, t)| *out += p * t);
        }
        out
    }

    /// Gives the law after `k` steps.
    pub fn after(&self, k: usize, law: &[f64]) -> Vec<f64> {
        (0..k).fold(law.to_vec(), |law, _| self.apply(&law))
    }

    /// Gives this step followed by another.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let rows: Vec<Vec<f64>> = (0..self.rows).map(|start| next.apply(self.row(start))).collect();
        Self::from_rows(&rows)
    }

    /// Gives the largest |row sum − 1|.
    pub fn row_sum_error(&self) -> f64 {
        (0..self.rows).map(|x| (sum(self.row(x).iter().copied()) - 1.0).abs()).fold(0.0, f64::max)
    }

    /// Gives TV(π T, π), zero where π is invariant.
    pub fn drift(&self, law: &[f64]) -> f64 {
        tv(&self.apply(law), law)
    }

    /// Gives the largest |π(x) T(x, y) − π(y) T(y, x)|, zero where the kernel is reversible.
    pub fn detailed_balance_error(&self, law: &[f64]) -> f64 {
        let flow = |x: usize, y: usize| law[x] * self.row(x)[y];
        let pairs = (0..self.rows).flat_map(|x| (0..x).map(move |y| (x, y)));
        pairs.map(|(x, y)| (flow(x, y) - flow(y, x)).abs()).fold(0.0, f64::max)
    }

    /// Gives the smallest k ≤ `limit` with TV(Tᵏ(x, ·), π) ≤ `tolerance` from every start x.
    ///
    /// A finite k for a tolerance below ½ proves that the states of π are reached, and without a period.
    pub fn sweeps_to(&self, law: &[f64], tolerance: f64, limit: usize) -> Option<usize> {
        let mut rows: Vec<Vec<f64>> = (0..self.rows).map(|x| point_law(self.rows, x)).collect();
        for k in 0..=limit {
            if rows.iter().all(|row| tv(row, law) <= tolerance) {
                return Some(k);
            }
            rows = rows.iter().map(|row| self.apply(row)).collect();
        }
        None
    }
}

/// Gives the law of a chain that stands at `start`.
fn point_law(states: usize, start: usize) -> Vec<f64> {
    (0..states).map(|x| f64::from(u8::from(x == start))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, all_close, close, model, models};
    use crate::enumerate::{joint_distribution, visible_distribution};

    /// Gives every kernel on joint states with its claim to reversibility.
    fn joint_kernels(table: &Conditionals) -> [(Matrix, bool); 3] {
        [(table.hidden_half_step(), true), (table.visible_half_step(), true), (table.joint_sweep(), false)]
    }

    #[test]
    fn rows_sum_to_one_and_the_model_is_invariant() {
        for rbm in models().into_iter().filter(|rbm| rbm.visible + rbm.hidden <= 10) {
            let (table, p_v, p) =
                (Conditionals::of(&rbm), visible_distribution(&rbm), joint_distribution(&rbm));
            let sweep = table.visible_sweep();
            assert!(sweep.row_sum_error() <= TAU_0 && sweep.drift(&p_v) <= TAU_0);
            assert!(sweep.detailed_balance_error(&p_v) <= TAU_0);
            for (kernel, reversible) in joint_kernels(&table) {
                assert!(kernel.row_sum_error() <= TAU_0 && kernel.drift(&p) <= TAU_0);
                assert!(!reversible || kernel.detailed_balance_error(&p) <= TAU_0);
            }
        }
    }

    /// Controls: the kernels of 0.8 β drift; an irreversible kernel is seen to be one; a wrong row sum is seen.
    #[test]
    fn wrong_kernels_are_seen() {
        let rbm = model(4, 3, 51);
        let (p_v, p) = (visible_distribution(&rbm), joint_distribution(&rbm));
        let wrong = Conditionals::of(&rbm.tempered(0.8));
        assert!(wrong.visible_sweep().drift(&p_v) > 1e-3);
        assert!(wrong.visible_sweep().detailed_balance_error(&p_v) > 1e-4);
        assert!(joint_kernels(&wrong).iter().all(|(kernel, _)| kernel.drift(&p) > 1e-3));
        assert!(Conditionals::of(&rbm).joint_sweep().detailed_balance_error(&p) > 1e-3);
        close(Matrix::from_rows(&[vec![0.5, 0.4], vec![0.0, 1.0]]).row_sum_error(), 0.1, TAU_0);
    }

    #[test]
    fn a_joint_sweep_is_two_half_steps() {
        let table = Conditionals::of(&model(4, 3, 52));
        let halves = table.hidden_half_step().then(&table.visible_half_step());
        all_close(&table.joint_sweep().entries, &halves.entries, TAU_0);
    }

    #[test]
    fn the_visible_sweep_is_the_margin_of_the_joint_sweep() {
        let table = Conditionals::of(&model(4, 3, 53));
        let (visible, joint) = (table.visible_sweep(), table.joint_sweep());
        for v in 0..16 {
            let mut margin = vec![0.0; 16];
            joint.row(v | 5 << 4).iter().enumerate().for_each(|(end, p)| margin[end & 15] += p);
            all_close(&margin, visible.row(v), TAU_0);
        }
    }

    /// Thresholds rounded to 2⁻²⁴, as a sampler of the library has them: small drift, bounded by the sum over units.
    #[test]
    fn measured_thresholds_can_be_plugged_in() {
        let rbm = model(4, 3, 54);
        let grid = 24.0_f64.exp2();
        let round = |p: Vec<f64>| p.into_iter().map(|p| (p * grid).round() / grid).collect::<Vec<_>>();
        let table = Conditionals::from_fn(
            (4, 3),
            |v| round(rbm.hidden_probabilities(v)),
            |h| round(rbm.visible_probabilities(h)),
        );
        let drift = table.visible_sweep().drift(&visible_distribution(&rbm));
        assert!(drift > TAU_0 && drift <= 7.0 / grid);
    }

    #[test]
    fn products_are_indexed_by_bits() {
        all_close(&product(&[0.25, 0.5]), &[0.375, 0.125, 0.375, 0.125], TAU_0);
        assert_eq!(product(&[]), [1.0]);
    }

    #[test]
    fn mixing_is_found_and_periods_never_mix() {
        let rbm = model(3, 2, 55);
        let (sweep, law) = (Conditionals::of(&rbm).visible_sweep(), visible_distribution(&rbm));
        let k = sweep.sweeps_to(&law, 1e-6, 10_000).expect("a positive kernel mixes");
        let worst = |k| (0..8).map(|x| tv(&sweep.after(k, &point_law(8, x)), &law)).fold(0.0, f64::max);
        assert!(worst(k) <= 1e-6 && worst(k - 1) > 1e-6);
        let swap = Matrix::from_rows(&[vec![0.0, 1.0], vec![1.0, 0.0]]);
        assert!(swap.drift(&[0.5, 0.5]) == 0.0 && swap.sweeps_to(&[0.5, 0.5], 0.4, 100).is_none());
    }
}
