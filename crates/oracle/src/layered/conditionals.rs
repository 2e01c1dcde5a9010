//! Builds the transition matrices of Gibbs sampling on a pair of discrete layers, from a model or from tables.

use super::law::lists;
use super::rbm::Rbm;
use crate::math::log_sum_exp;
use crate::transition::Matrix;
use crate::units::{Layer, State};

/// Largest number of states of a side: a matrix of [`Matrix`] has no more.
const MAX_SIDE: usize = 1 << 12;

/// Holds p(y | x) of every x and p(x | y) of every y, as rows over states; indices as in [`super::Joint`].
#[derive(Clone, Debug, PartialEq)]
pub struct Conditionals {
    given_visible: Vec<Vec<f64>>,
    given_hidden: Vec<Vec<f64>>,
}

impl Conditionals {
    /// Tabulates the conditionals of a model; counts are cut off with a tail below 1e-18.
    ///
    /// `None` when a layer is not discrete, or has more than 2¹² states.
    pub fn of(rbm: &Rbm) -> Option<Self> {
        let swapped = rbm.transposed();
        let (visible, hidden) = (unit_lists(rbm)?, unit_lists(&swapped)?);
        Self::from_fn(
            rbm,
            |x| unit_tables(&rbm.hidden, &hidden, &rbm.hidden_input(x)),
            |y| unit_tables(&rbm.visible, &visible, &rbm.visible_input(y)),
        )
    }

    /// Tabulates two functions of a state's features, which give for each unit of the other side the probabilities
    /// of its states, in the order of [`crate::units::Unit::states`]: what a sampler does, measured elsewhere.
    ///
    /// # Panics
    /// When the tables do not multiply to one entry a state of the other side.
    pub fn from_fn(
        rbm: &Rbm,
        hidden_given: impl Fn(&[f64]) -> Vec<Vec<f64>>,
        visible_given: impl Fn(&[f64]) -> Vec<Vec<f64>>,
    ) -> Option<Self> {
        (rbm.visible.kind.is_discrete() && rbm.hidden.kind.is_discrete()).then_some(())?;
        let (xs, ys) = lists(rbm).filter(|(x, y)| x.len().max(y.len()) <= MAX_SIDE)?;
        let rows = |states: &[State], f: &dyn Fn(&[f64]) -> Vec<Vec<f64>>, other: usize| -> Vec<Vec<f64>> {
            let rows: Vec<_> = states.iter().map(|state| product(&f(&state.features))).collect();
            assert!(rows.iter().all(|row| row.len() == other), "one probability a state");
            rows
        };
        let given_visible = rows(&xs, &hidden_given, ys.len());
        Some(Self { given_visible, given_hidden: rows(&ys, &visible_given, xs.len()) })
    }

    /// Gives p(y | x) as a matrix from visible to hidden states.
    pub fn hidden_given_visible(&self) -> Matrix {
        Matrix::from_rows(&self.given_visible)
    }

    /// Gives p(x | y) as a matrix from hidden to visible states.
    pub fn visible_given_hidden(&self) -> Matrix {
        Matrix::from_rows(&self.given_hidden)
    }

    /// Builds the sweep on x: T(x, x') = Σ_y p(y | x) p(x' | y).
    pub fn visible_sweep(&self) -> Matrix {
        self.hidden_given_visible().then(&self.visible_given_hidden())
    }

    /// Builds the half-step y' ∼ p(y | x) on joint states.
    ///
    /// # Panics
    /// Above 2¹² joint states.
    pub fn hidden_half_step(&self) -> Matrix {
        self.joint(|x, _, (next, y)| if next == x { self.given_visible[x][y] } else { 0.0 })
    }

    /// Builds the half-step x' ∼ p(x | y) on joint states.
    ///
    /// # Panics
    /// Above 2¹² joint states.
    pub fn visible_half_step(&self) -> Matrix {
        self.joint(|_, y, (x, next)| if next == y { self.given_hidden[y][x] } else { 0.0 })
    }

    /// Builds the sweep on joint states: y' ∼ p(y | x), then x' ∼ p(x | y').
    ///
    /// # Panics
    /// Above 2¹² joint states.
    pub fn joint_sweep(&self) -> Matrix {
        self.joint(|x, _, (next, y)| self.given_visible[x][y] * self.given_hidden[y][next])
    }

    /// Fills a matrix over joint states from the probability of an end (x', y') after a start x, y.
    fn joint(&self, p: impl Fn(usize, usize, (usize, usize)) -> f64) -> Matrix {
        let visible = self.given_visible.len();
        let states = visible * self.given_hidden.len();
        assert!(states <= MAX_SIDE, "more than {MAX_SIDE} joint states");
        let row =
            |n: usize| (0..states).map(|m| p(n % visible, n / visible, (m % visible, m / visible))).collect();
        Matrix::from_rows(&(0..states).map(row).collect::<Vec<Vec<f64>>>())
    }
}

/// Lists the states of each visible unit, for every input that the hidden layer can give.
fn unit_lists(rbm: &Rbm) -> Option<Vec<Vec<State>>> {
    let (low, high) = rbm.visible_bounds()?;
    rbm.visible.unit_states(&low, &high)
}

/// Gives p of each listed state of each unit at an input, adding up to 1 over the list.
fn unit_tables(layer: &Layer, lists: &[Vec<State>], input: &[f64]) -> Vec<Vec<f64>> {
    let table = |(n, states): (usize, &Vec<State>)| {
        let (unit, input) = (layer.unit(n), &input[layer.span(n)]);
        let log = |state: &State| {
            let coupling: f64 = state.features.iter().zip(input).map(|(x, i)| x * i).sum();
            state.log_weight + coupling - unit.energy(&state.features)
        };
        let logs: Vec<f64> = states.iter().map(log).collect();
        let total = log_sum_exp(&logs);
        logs.iter().map(|x| (x - total).exp()).collect()
    };
    lists.iter().enumerate().map(table).collect()
}

/// Multiplies tables of units to one of states, the first unit fastest.
fn product(tables: &[Vec<f64>]) -> Vec<f64> {
    tables
        .iter()
        .fold(vec![1.0], |out, table| table.iter().flat_map(|p| out.iter().map(move |q| p * q)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, all_close, close};
    use crate::layered::check::{joint_within, models, scale_of};

    /// Gives small discrete models, with their table and conditionals.
    fn small(limit: usize) -> impl Iterator<Item = (Rbm, super::super::Joint, Conditionals)> {
        models().into_iter().filter_map(move |rbm| {
            let joint = joint_within(&rbm, limit)?;
            Conditionals::of(&rbm).map(|table| (rbm, joint, table))
        })
    }

    #[test]
    fn rows_sum_to_one_and_the_model_is_invariant() {
        let mut count = 0;
        for (rbm, joint, table) in small(256) {
            let (p, bound) = (joint.p(), TAU_0 * scale_of(&rbm));
            let sweep = table.visible_sweep();
            assert!(sweep.row_sum_error() <= TAU_0 && sweep.drift(&joint.visible_p()) <= bound);
            assert!(sweep.detailed_balance_error(&joint.visible_p()) <= bound);
            for (kernel, reversible) in [
                (table.hidden_half_step(), true),
                (table.visible_half_step(), true),
                (table.joint_sweep(), false),
            ] {
                assert!(kernel.row_sum_error() <= TAU_0 && kernel.drift(&p) <= bound);
                assert!(!reversible || kernel.detailed_balance_error(&p) <= bound);
            }
            count += 1;
        }
        assert!(count > 120, "{count} models");
    }

    /// p(y | x) = p(x, y) / p(x) from the table, whose entries know nothing of conditionals.
    #[test]
    fn conditionals_are_ratios_of_the_joint_table() {
        for (_, joint, table) in small(1 << 12) {
            let (p, rows) = (joint.p(), table.hidden_given_visible());
            for (x, total) in joint.visible_p().into_iter().enumerate().filter(|(_, p)| *p > 1e-200) {
                let ratio: Vec<f64> = (0..joint.hidden.len()).map(|y| p[joint.index(x, y)] / total).collect();
                all_close(rows.row(x), &ratio, TAU_0);
            }
        }
    }

    /// Control: the kernels of 0.8 β drift, and a half-step followed by the other is the sweep.
    #[test]
    fn wrong_kernels_are_seen() {
        let seen = |(rbm, joint, _): &(Rbm, super::super::Joint, Conditionals)| {
            let wrong = Conditionals::of(&rbm.tempered(0.8)).unwrap();
            // Truncated counts may be listed to another length.
            wrong.given_hidden.len() == joint.hidden.len()
                && wrong.given_visible.len() == joint.visible.len()
                && wrong.visible_sweep().drift(&joint.visible_p()) > 1e-4
        };
        let all: Vec<_> = small(256).collect();
        assert!(all.iter().filter(|case| seen(case)).count() > all.len() / 4);
        let (_, _, table) = &all[all.len() / 2];
        let (halves, sweep) =
            (table.hidden_half_step().then(&table.visible_half_step()), table.joint_sweep());
        let states = table.given_visible.len() * table.given_hidden.len();
        (0..states).for_each(|x| all_close(sweep.row(x), halves.row(x), TAU_0));
    }

    /// Probabilities rounded to 2⁻²⁴, as a sampler has them, drift a little and no more than the sum over units.
    #[test]
    fn measured_tables_can_be_plugged_in() {
        let (rbm, joint, _) = small(256).filter(|(rbm, ..)| rbm.visible.units == 3).nth(3).unwrap();
        let grid = 24.0_f64.exp2();
        let round = |tables: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
            let one = |p: &Vec<f64>| p.iter().map(|p| (p * grid).round() / grid).collect();
            tables.iter().map(one).collect()
        };
        let swapped = rbm.transposed();
        let lists = [unit_lists(&swapped).unwrap(), unit_lists(&rbm).unwrap()];
        let table = Conditionals::from_fn(
            &rbm,
            |x| round(unit_tables(&rbm.hidden, &lists[0], &rbm.hidden_input(x))),
            |y| round(unit_tables(&rbm.visible, &lists[1], &rbm.visible_input(y))),
        );
        let drift = table.unwrap().visible_sweep().drift(&joint.visible_p());
        assert!(drift > TAU_0 && drift <= 20.0 / grid, "{drift}");
    }

    #[test]
    fn real_layers_have_no_table() {
        for rbm in models() {
            let discrete = rbm.visible.kind.is_discrete() && rbm.hidden.kind.is_discrete();
            assert!(discrete || Conditionals::of(&rbm).is_none());
        }
        close(product(&[vec![0.25, 0.75], vec![0.5, 0.3, 0.2]])[3], 0.75 * 0.3, TAU_0);
    }
}
