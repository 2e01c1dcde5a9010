//! Lists the states of a unit or layer with weights: exactly where they are countable, by quadrature where not.

use super::layer::Layer;
use super::unit::Unit;
use crate::half_line::HalfLine;
use crate::math::log_sum_exp;
use crate::quadrature::{Node, panels};

/// Largest number of states of a list.
pub const MAX_STATES: usize = 1 << 20;

/// What is left out of a law is below e^(−42) = 6e-19 of its peak, or of its mass where states are counted.
const NATS: f64 = 42.0;

/// Holds a state and the logarithm of its weight: ln m(x), or that of the quadrature.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// x.
    pub features: Vec<f64>,
    /// Σ over states of e^(log_weight) f(x) is Σ m(x) f(x), or ∫ f(x) dx.
    pub log_weight: f64,
}

impl Unit {
    /// Lists the states for every input between `low` and `high`, entry by entry; `None` above 2²⁰ states.
    ///
    /// Finite kinds ignore the bounds. Poisson counts end where the tail at `high` is below 1e-18, and quadrature
    /// covers every law of the range where it is above 6e-19 of its peak.
    pub fn states(&self, low: &[f64], high: &[f64]) -> Option<Vec<State>> {
        match *self {
            Self::Categorical { ref bias } => Some(unit_vectors(bias.len())),
            Self::Bernoulli { .. } => Some(self.counted([0.0, 1.0])),
            Self::Spin { .. } => Some(self.counted([-1.0, 1.0])),
            Self::Binomial { trials, .. } => Some(self.counted((0..=trials).map(f64::from))),
            Self::Poisson { bias } => {
                poisson_end((bias + high[0]).exp()).map(|end| self.counted((0..=end).map(|n| n as f64)))
            }
            _ => self.nodes(low[0], high[0]).map(weighted),
        }
    }

    fn counted(&self, values: impl IntoIterator<Item = f64>) -> Vec<State> {
        let state = |x: f64| State { features: vec![x], log_weight: self.log_measure(&[x]) };
        values.into_iter().map(state).collect()
    }

    /// Adds the probabilities up to `x`.
    pub(super) fn counted_cdf(&self, input: &[f64], x: f64) -> f64 {
        let states = self.states(input, input).expect("a rate below a million");
        let log_p = |state: &State| {
            let coupling: f64 = state.features.iter().zip(input).map(|(x, i)| x * i).sum();
            state.log_weight + coupling - self.energy(&state.features)
        };
        let position = |n: usize, state: &State| match self {
            Self::Categorical { .. } => n as f64,
            _ => state.features[0],
        };
        let below = states.iter().enumerate().filter(|(n, state)| position(*n, state) <= x);
        let terms: Vec<f64> = below.map(|(_, state)| log_p(state)).collect();
        (log_sum_exp(&terms) - self.cgf(input)).exp().min(1.0)
    }

    /// Gives quadrature nodes of a real-valued unit.
    fn nodes(&self, low: f64, high: f64) -> Option<Vec<Node>> {
        if let Self::Gaussian { bias, curvature } = *self {
            let (centre, root) = (|input: f64| (bias + input) / curvature, (2.0 * NATS / curvature).sqrt());
            return bounded_panels(centre(low) - root, centre(high) + root, 1.5 / curvature.sqrt());
        }
        let (plus, minus) = self.halves(self.bias()[0] + high);
        let (plus_low, minus_high) = self.halves(self.bias()[0] + low);
        let mut out = half_nodes(plus.curvature, plus_low.slope, plus.slope)?;
        if let (Some(first), Some(last)) = (minus, minus_high) {
            let mirrored = half_nodes(first.curvature, first.slope, last.slope)?;
            out.extend(mirrored.into_iter().map(|(x, w)| (-x, w)));
        }
        (out.len() <= MAX_STATES).then_some(out)
    }
}

/// Covers the half-line laws of every slope from `low` to `high`.
///
/// A panel spans 1.5 deviations, or 12 nats of the steepest fall at 0.
fn half_nodes(curvature: f64, low: f64, high: f64) -> Option<Vec<Node>> {
    let width = (1.5 / curvature.sqrt()).min(12.0 / (-low).max(1e-9));
    let from = (low / curvature - (2.0 * NATS / curvature).sqrt()).max(0.0);
    bounded_panels(from, reach(&HalfLine { curvature, slope: high }), width)
}

/// Gives the x beyond which the density is below e^(−42) of its peak.
fn reach(law: &HalfLine) -> f64 {
    let HalfLine { curvature, slope } = *law;
    if slope >= 0.0 {
        return slope / curvature + (2.0 * NATS / curvature).sqrt();
    }
    2.0 * NATS / ((slope * slope + 2.0 * NATS * curvature).sqrt() - slope)
}

fn bounded_panels(from: f64, to: f64, width: f64) -> Option<Vec<Node>> {
    // A panel has 16 nodes.
    ((to - from) / width < (MAX_STATES / 16) as f64 - 1.0).then(|| panels(from, to, width))
}

/// Gives the last count n that is needed: P(X ≥ n) ≤ e^(n − λ − n ln(n / λ)) for n > λ (Chernoff).
fn poisson_end(rate: f64) -> Option<usize> {
    let bound = |n: f64| n * (n / rate).ln() - n + rate;
    // Above λ the bound rises with n, at once past 42 from λ + √(84 λ) + 42 on.
    let last = (rate + (2.0 * NATS * rate).sqrt() + NATS).ceil();
    if last.is_nan() || last >= MAX_STATES as f64 {
        return None;
    }
    let needed = (rate.ceil() as usize + 1..last as usize).find(|&n| bound(n as f64) >= NATS);
    Some(needed.unwrap_or(last as usize))
}

fn unit_vectors(classes: usize) -> Vec<State> {
    let one_hot = |class| (0..classes).map(|c| f64::from(u8::from(c == class))).collect();
    (0..classes).map(|class| State { features: one_hot(class), log_weight: 0.0 }).collect()
}

fn weighted(nodes: Vec<Node>) -> Vec<State> {
    nodes.into_iter().map(|(x, w)| State { features: vec![x], log_weight: w.ln() }).collect()
}

impl Layer {
    /// Lists the states of each unit for every input between `low` and `high`; `None` where one has above 2²⁰.
    pub fn unit_states(&self, low: &[f64], high: &[f64]) -> Option<Vec<Vec<State>>> {
        let list = |n: usize| self.unit(n).states(&low[self.span(n)], &high[self.span(n)]);
        (0..self.units).map(list).collect()
    }

    /// Multiplies the lists of the units, the first unit changing fastest; `None` above 2²⁰ states.
    pub fn states(&self, low: &[f64], high: &[f64]) -> Option<Vec<State>> {
        let lists = self.unit_states(low, high)?;
        (lists.iter().map(|list| list.len() as f64).product::<f64>() <= MAX_STATES as f64).then_some(())?;
        let mut out = vec![State { features: Vec::new(), log_weight: 0.0 }];
        for next in lists {
            out = next.iter().flat_map(|state| out.iter().map(|first| join(first, state))).collect();
        }
        Some(out)
    }
}

fn join(a: &State, b: &State) -> State {
    let features = [&a.features[..], &b.features].concat();
    State { features, log_weight: a.log_weight + b.log_weight }
}
