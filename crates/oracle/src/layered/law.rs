//! Lists one side of a model with its probabilities, the other side summed or integrated out.

use super::proper::Refusal;
use super::rbm::Rbm;
use crate::math::log_sum_exp;
use crate::units::{Class, Layer, State};

/// Names a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// x.
    Visible,
    /// y.
    Hidden,
}

/// Holds the marginal law of one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// The side that is listed.
    pub side: Side,
    /// Its states, or quadrature nodes.
    pub states: Vec<State>,
    /// ln p of each; of a node, ln(density · weight of the node).
    pub log_p: Vec<f64>,
    /// ln Z.
    pub log_z: f64,
}

impl Law {
    /// Gives p of each state.
    pub fn p(&self) -> Vec<f64> {
        self.log_p.iter().map(|x| x.exp()).collect()
    }

    /// Gives the mean of a function of a state.
    pub fn mean(&self, mut f: impl FnMut(&[f64]) -> Vec<f64>) -> Vec<f64> {
        let mut out = Vec::new();
        for (state, log_p) in self.states.iter().zip(&self.log_p).filter(|(_, log_p)| **log_p > -745.0) {
            let (p, value) = (log_p.exp(), f(&state.features));
            out.resize(value.len(), 0.0);
            out.iter_mut().zip(value).for_each(|(sum, x)| *sum += p * x);
        }
        out
    }
}

impl Rbm {
    /// Gives the law of the side that is the easier to list.
    ///
    /// # Errors
    /// Those of [`Rbm::proper`], and [`Refusal::TooManyStates`].
    pub fn law(&self) -> Result<Law, Refusal> {
        self.law_of(self.easier())
    }

    /// Gives the law of a side; an unbounded side is listed where the other one bounds its inputs, or is Gaussian.
    ///
    /// # Errors
    /// Those of [`Rbm::proper`], and [`Refusal::TooManyStates`] where there is no list.
    pub fn law_of(&self, side: Side) -> Result<Law, Refusal> {
        self.proper()?;
        let rbm = if side == Side::Visible { self.clone() } else { self.transposed() };
        let states = rbm.visible_states().ok_or(Refusal::TooManyStates)?;
        let mut log_p: Vec<f64> =
            states.iter().map(|state| state.log_weight - rbm.free_energy(&state.features)).collect();
        let log_z = log_sum_exp(&log_p);
        log_p.iter_mut().for_each(|x| *x -= log_z);
        Ok(Law { side, states, log_p, log_z })
    }

    /// Gives ln Z.
    ///
    /// # Errors
    /// Those of [`Rbm::law`].
    pub fn log_z(&self) -> Result<f64, Refusal> {
        self.law().map(|law| law.log_z)
    }

    /// Gives ln p(x) of the visible layer, a density where x is real.
    ///
    /// # Errors
    /// Those of [`Rbm::law`].
    pub fn log_p(&self, x: &[f64]) -> Result<f64, Refusal> {
        Ok(self.visible.log_measure(x) - self.free_energy(x) - self.log_z()?)
    }

    /// Gives ln p(x, y).
    ///
    /// # Errors
    /// Those of [`Rbm::law`].
    pub fn log_p_joint(&self, x: &[f64], y: &[f64]) -> Result<f64, Refusal> {
        let measure = self.visible.log_measure(x) + self.hidden.log_measure(y);
        Ok(measure - self.energy(x, y) - self.log_z()?)
    }

    /// Gives ln Z without a closed form: for each listed state, every unit of the other side is summed or integrated
    /// numerically.
    ///
    /// # Errors
    /// Those of [`Rbm::law`].
    pub fn log_z_by_sums(&self) -> Result<f64, Refusal> {
        self.proper()?;
        let rbm = if self.easier() == Side::Visible { self.clone() } else { self.transposed() };
        let states = rbm.visible_states().ok_or(Refusal::TooManyStates)?;
        let term = |state: &State| {
            let rest = cgf_by_sums(&rbm.hidden, &rbm.hidden_input(&state.features))?;
            Some(state.log_weight - rbm.visible.energy(&state.features) + rest)
        };
        let terms: Option<Vec<f64>> = states.iter().map(term).collect();
        terms.map(|terms| log_sum_exp(&terms)).ok_or(Refusal::TooManyStates)
    }

    /// Picks the finite side, the shorter of two; else that with fewer units, the Gaussian one of equals.
    fn easier(&self) -> Side {
        let rank = |layer: &Layer| match layer.kind.class() {
            Class::Finite => finite_states(layer),
            Class::Gaussian => 1e300 * layer.units as f64,
            _ => 1e300 * (layer.units as f64 + 0.5),
        };
        if rank(&self.visible) <= rank(&self.hidden) { Side::Visible } else { Side::Hidden }
    }

    /// Lists the visible states for every input that the hidden layer can give.
    fn visible_states(&self) -> Option<Vec<State>> {
        if let Some((low, high)) = self.visible_bounds() {
            return self.visible.states(&low, &high);
        }
        self.states_by_form()
    }

    /// Gives the least and the greatest input of each visible feature; zeros where the states depend on none, `None`
    /// where the hidden layer is unbounded.
    pub(super) fn visible_bounds(&self) -> Option<(Vec<f64>, Vec<f64>)> {
        let width = self.visible.width();
        if self.visible.kind.class() == Class::Finite {
            return Some((vec![0.0; width], vec![0.0; width]));
        }
        (self.hidden.kind.class() == Class::Finite).then_some(())?;
        let (mut low, mut high) = (vec![0.0; width], vec![0.0; width]);
        for (n, states) in finite_lists(&self.hidden)?.iter().enumerate() {
            for i in 0..width {
                let input = |state: &State| -> f64 {
                    self.hidden.span(n).zip(&state.features).map(|(j, y)| self.weight(i, j) * y).sum()
                };
                low[i] += states.iter().map(input).fold(f64::INFINITY, f64::min);
                high[i] += states.iter().map(input).fold(f64::NEG_INFINITY, f64::max);
            }
        }
        Some((low, high))
    }
}

/// Gives lists of both layers that serve each state of the other one; `None` unless one of them is finite.
pub(super) fn lists(rbm: &Rbm) -> Option<(Vec<State>, Vec<State>)> {
    let swapped = rbm.transposed();
    let ((low, high), (hidden_low, hidden_high)) = (rbm.visible_bounds()?, swapped.visible_bounds()?);
    Some((rbm.visible.states(&low, &high)?, rbm.hidden.states(&hidden_low, &hidden_high)?))
}

/// Gives Γ by the lists of the units at this one input.
fn cgf_by_sums(layer: &Layer, input: &[f64]) -> Option<f64> {
    let unit = |n: usize| {
        let (unit, input) = (layer.unit(n), &input[layer.span(n)]);
        let log = |state: &State| {
            let coupling: f64 = state.features.iter().zip(input).map(|(x, i)| x * i).sum();
            state.log_weight + coupling - unit.energy(&state.features)
        };
        unit.states(input, input).map(|states| log_sum_exp(&states.iter().map(log).collect::<Vec<_>>()))
    };
    (0..layer.units).map(unit).sum()
}

/// Lists the states of the units of a finite layer, which depend on no input.
fn finite_lists(layer: &Layer) -> Option<Vec<Vec<State>>> {
    let zeros = vec![0.0; layer.width()];
    layer.unit_states(&zeros, &zeros)
}

fn finite_states(layer: &Layer) -> f64 {
    finite_lists(layer).map_or(f64::INFINITY, |lists| lists.iter().map(|list| list.len() as f64).product())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close};
    use crate::layered::check::{models, other_route, scale_of};
    use crate::math::sum;

    #[test]
    fn closed_forms_and_sums_give_one_log_z() {
        let mut count = 0;
        for rbm in models().into_iter().filter(|rbm| rbm.law().unwrap().states.len() <= 1 << 11) {
            close(rbm.log_z().unwrap(), rbm.log_z_by_sums().unwrap(), TAU_0);
            count += 1;
        }
        assert!(count > 750, "{count} models");
    }

    /// The side that the model would not list itself: its own list, with the first side in closed form.
    #[test]
    fn both_sides_give_one_log_z() {
        let mut both = 0;
        for rbm in models() {
            let Some(law) = other_route(&rbm) else { continue };
            close(rbm.log_z().unwrap(), law.log_z, TAU_0 * scale_of(&rbm));
            both += 1;
        }
        assert!(both > 400, "{both} models");
    }

    #[test]
    fn probabilities_add_up_to_one() {
        for rbm in models() {
            let law = rbm.law().unwrap();
            close(sum(law.p()), 1.0, TAU_0);
            if law.side == Side::Visible && rbm.visible.kind.is_discrete() {
                let state = &law.states[law.states.len() / 2];
                close(rbm.log_p(&state.features).unwrap(), law.log_p[law.states.len() / 2], TAU_0);
            }
        }
    }
}
