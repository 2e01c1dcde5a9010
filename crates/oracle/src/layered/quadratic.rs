//! Lists the states of a layer beside a Gaussian one, whose quadratic form the couplings lower.

use std::f64::consts::{PI, TAU};

use super::rbm::Rbm;
use crate::gamma::bisect;
use crate::quadrature::{Node, hermite, panels};
use crate::units::{Class, Kind, Layer, MAX_STATES, State, Unit};

/// Nodes a dimension: exact for polynomials of degree 15, and statistics are of degree 2.
const HERMITE_NODES: usize = 8;

/// What is left out is below e^(−42) of the peak.
const NATS: f64 = 42.0;

/// Holds −½ xᵀ P x + c·x, what −F is on a Gaussian layer, and bounds on a rectified one.
pub(super) struct Form {
    size: usize,
    /// P, row-major.
    precision: Vec<f64>,
    /// c.
    linear: Vec<f64>,
}

impl Rbm {
    /// Gives P = diag γ − W diag(1/γ_h) Wᵀ and c = b + W diag(1/γ_h) b_h of the visible layer.
    ///
    /// Beside a Gaussian hidden layer, whose 1/γ_h is σ², that is what integrating it out leaves; beside a rectified
    /// one the least curvatures make P a lower bound.
    pub(super) fn form(&self) -> Form {
        let size = self.visible.units;
        let soft: Vec<f64> =
            (0..self.hidden.units).map(|j| 1.0 / curvatures(&self.hidden.unit(j)).0).collect();
        let dot = |i: usize, other: &dyn Fn(usize) -> f64| -> f64 {
            soft.iter().enumerate().map(|(j, s)| self.weight(i, j) * s * other(j)).sum()
        };
        let entry = |i: usize, k: usize| {
            let own = if i == k { curvatures(&self.visible.unit(i)).0 } else { 0.0 };
            own - dot(i, &|j| self.weight(k, j))
        };
        let precision = (0..size * size).map(|n| entry(n / size, n % size)).collect();
        let linear = |i| self.visible.parameters[0][i] + dot(i, &|j| self.hidden.parameters[0][j]);
        Form { size, precision, linear: (0..size).map(linear).collect() }
    }

    /// Lists the visible layer of a pair of a Gaussian layer and a Gaussian or rectified one; `None` above 2²⁰ nodes.
    pub(super) fn states_by_form(&self) -> Option<Vec<State>> {
        let form = self.form();
        match (self.visible.kind.class(), self.hidden.kind.class()) {
            (Class::Gaussian, Class::Gaussian) => form.gaussian_states(),
            (Class::Gaussian, Class::Rectified) => self.grid_states(&form),
            (Class::Rectified, Class::Gaussian) => self.half_states(&form),
            _ => None,
        }
    }

    /// Lays panels as far as |c| r − λ r² / 2 ≥ −42, where λ is the least eigenvalue of P; |δ| adds to c.
    fn half_states(&self, form: &Form) -> Option<Vec<State>> {
        let slope = norm(&form.linear) + norm(&shifts(&self.visible));
        let radius = radius(slope, form.least(), NATS);
        let lists: Option<Vec<_>> =
            (0..form.size).map(|n| half_nodes(&self.visible.unit(n), radius, slope)).collect();
        product(&lists?)
    }

    /// Lays an even grid over a Gaussian layer beside a rectified one.
    ///
    /// A half-line integral is at most √(2π/γ) e^(s²/2γ) at the slope s, so −F(x) ≤ C + L |x| − λ |x|² / 2 with the
    /// s of x = 0 in C, and −F(0) is known. e^(−F) is entire and |e^(−F(x + iη))| ≤ e^(γη²/2) e^(−F(x)), so that the
    /// error of a step h is e^(−2π²/γh²) of the whole: 42 nats at h = π √(2/42γ).
    fn grid_states(&self, form: &Form) -> Option<Vec<State>> {
        let shifts = shifts(&self.hidden);
        let (mut top, mut slope) =
            (-self.hidden.cgf(&vec![0.0; self.hidden.width()]), norm(&self.visible.parameters[0]));
        for (j, shift) in shifts.iter().enumerate() {
            let (soft, start) =
                (1.0 / curvatures(&self.hidden.unit(j)).0, self.hidden.parameters[0][j].abs() + shift);
            top += start * start * soft / 2.0 + (TAU * soft).ln() / 2.0 + 2.0_f64.ln();
            let column: Vec<f64> = (0..form.size).map(|i| self.weight(i, j)).collect();
            slope += start * soft * norm(&column);
        }
        let radius = radius(slope, form.least(), top + NATS);
        let grid = |n| even_nodes(PI * (2.0 / NATS / curvatures(&self.visible.unit(n)).0).sqrt(), radius);
        product(&(0..form.size).map(grid).collect::<Option<Vec<_>>>()?)
    }
}

/// Gives the r with λ r² / 2 − L r = `drop`.
fn radius(slope: f64, least: f64, drop: f64) -> f64 {
    (slope + (slope * slope + 2.0 * drop * least).sqrt()) / least
}

/// Gives |δ| of each unit; zeros where there is no shift.
fn shifts(layer: &Layer) -> Vec<f64> {
    let shift = |n: usize| if layer.kind == Kind::Drelu { layer.parameters[1][n].abs() } else { 0.0 };
    (0..layer.units).map(shift).collect()
}

/// Gives the nodes 0, ±h, ±2h, … out to a radius.
fn even_nodes(step: f64, radius: f64) -> Option<Vec<Node>> {
    let count = (radius / step).ceil();
    (count < (MAX_STATES / 2) as f64).then_some(())?;
    Some((-(count as i64)..=count as i64).map(|n| (n as f64 * step, step)).collect())
}

/// Gives the nodes of one rectified unit out to a radius; a panel spans a deviation, or 8 nats of slope.
fn half_nodes(unit: &Unit, radius: f64, slope: f64) -> Option<Vec<Node>> {
    let width = (1.0 / curvatures(unit).1.sqrt()).min(8.0 / slope.max(1e-9));
    if radius / width > (MAX_STATES / 32) as f64 {
        return None;
    }
    let from = if matches!(unit, Unit::Relu { .. }) { 0.0 } else { -radius };
    let left = if from < 0.0 { panels(from, 0.0, width) } else { Vec::new() };
    Some([left, panels(0.0, radius, width)].concat())
}

/// Gives the least and the greatest curvature of a unit.
fn curvatures(unit: &Unit) -> (f64, f64) {
    match *unit {
        Unit::Gaussian { curvature, .. } | Unit::Relu { curvature, .. } => (curvature, curvature),
        Unit::Drelu { plus, minus, .. } => (plus.min(minus), plus.max(minus)),
        _ => unreachable!("only real-valued units have a curvature"),
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Multiplies lists of nodes, the first fastest.
fn product(lists: &[Vec<Node>]) -> Option<Vec<State>> {
    (lists.iter().map(|list| list.len() as f64).product::<f64>() <= MAX_STATES as f64).then_some(())?;
    let mut out = vec![State { features: Vec::new(), log_weight: 0.0 }];
    for nodes in lists {
        let join = |first: &State, (x, w): &Node| State {
            features: [&first.features[..], &[*x]].concat(),
            log_weight: first.log_weight + w.ln(),
        };
        out = nodes.iter().flat_map(|node| out.iter().map(move |first| join(first, node))).collect();
    }
    Some(out)
}

impl Form {
    /// Gives the lower triangle L of P − λ I = L Lᵀ (Cholesky), row-major; `None` unless that is positive definite.
    pub(super) fn root(&self, lambda: f64) -> Option<Vec<f64>> {
        let n = self.size;
        let mut root = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let done: f64 = (0..j).map(|k| root[i * n + k] * root[j * n + k]).sum();
                let rest = self.precision[i * n + j] - done - if i == j { lambda } else { 0.0 };
                if i == j && (rest.is_nan() || rest <= 0.0) {
                    return None;
                }
                root[i * n + j] = if i == j { rest.sqrt() } else { rest / root[j * n + j] };
            }
        }
        Some(root)
    }

    /// Gives the least eigenvalue of a positive definite P.
    fn least(&self) -> f64 {
        let trace: f64 = (0..self.size).map(|i| self.precision[i * (self.size + 1)]).sum();
        bisect(0.0, trace.max(f64::MIN_POSITIVE), |lambda| self.root(lambda).is_some())
    }

    /// Places Gauss–Hermite nodes at x = P⁻¹ c + L⁻ᵀ z: the law of x is normal, so that sums over them are exact.
    fn gaussian_states(&self) -> Option<Vec<State>> {
        let root = self.root(0.0)?;
        let log_det: f64 = (0..self.size).map(|i| root[i * (self.size + 1)].ln()).sum();
        let flat = |(z, w): Node| (z, w * TAU.sqrt() * (z * z / 2.0).exp());
        let nodes: Vec<Node> = hermite(HERMITE_NODES).into_iter().map(flat).collect();
        let mut states = product(&vec![nodes; self.size])?;
        let shift = self.forward(&root, &self.linear);
        for state in &mut states {
            state.features.iter_mut().zip(&shift).for_each(|(z, s)| *z += s);
            state.features = self.backward(&root, &state.features);
            state.log_weight -= log_det;
        }
        Some(states)
    }

    /// Solves L x = b.
    fn forward(&self, root: &[f64], b: &[f64]) -> Vec<f64> {
        let mut x = Vec::with_capacity(self.size);
        for i in 0..self.size {
            let row = &root[i * self.size..];
            let done: f64 = row.iter().zip(&x).map(|(l, x)| l * x).sum();
            x.push((b[i] - done) / row[i]);
        }
        x
    }

    /// Solves Lᵀ x = b.
    fn backward(&self, root: &[f64], b: &[f64]) -> Vec<f64> {
        let (n, mut x) = (self.size, b.to_vec());
        for i in (0..n).rev() {
            let done: f64 = (i + 1..n).map(|k| root[k * n + i] * x[k]).sum();
            x[i] = (x[i] - done) / root[i * (n + 1)];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, all_close, close};
    use crate::rng::Rng;

    fn pair(seed: u64) -> Rbm {
        Rbm::normal((Kind::Gaussian, 3), (Kind::Gaussian, 2), 0.3, &mut Rng::new(seed))
    }

    /// ln Z = ½ cᵀ P⁻¹ c − ½ ln det P + (n/2) ln 2π over both layers at once, in place of one after the other.
    #[test]
    fn a_gaussian_pair_is_one_normal_law() {
        let rbm = pair(531);
        let curvature = |layer: &Layer, n: usize| (-layer.parameters[1][n]).exp();
        let mut precision = vec![0.0; 25];
        for i in 0..3 {
            precision[i * 6] = curvature(&rbm.visible, i);
            for j in 0..2 {
                precision[i * 5 + 3 + j] = -rbm.weight(i, j);
                precision[(3 + j) * 5 + i] = -rbm.weight(i, j);
            }
        }
        (0..2).for_each(|j| precision[(3 + j) * 6] = curvature(&rbm.hidden, j));
        let linear = [&rbm.visible.parameters[0][..], &rbm.hidden.parameters[0]].concat();
        let form = Form { size: 5, precision, linear };
        let root = form.root(0.0).unwrap();
        let half = form.forward(&root, &form.linear);
        let log_det: f64 = (0..5).map(|i| root[i * 6].ln()).sum();
        let square: f64 = half.iter().map(|x| x * x).sum();
        close(rbm.log_z().unwrap(), square / 2.0 - log_det + 2.5 * TAU.ln(), TAU_0);
        let (mean, moments) = (form.backward(&root, &half), rbm.moments().unwrap());
        all_close(&[&moments.visible[..], &moments.hidden].concat(), &mean, TAU_0);
    }

    #[test]
    fn roots_and_solutions_fit() {
        let form = Form { size: 2, precision: vec![4.0, 2.0, 2.0, 10.0], linear: vec![2.0, 10.0] };
        let root = form.root(0.0).unwrap();
        all_close(&root, &[2.0, 0.0, 1.0, 3.0], TAU_0);
        let half = form.forward(&root, &form.linear);
        all_close(&half, &[1.0, 3.0], TAU_0);
        all_close(&form.backward(&root, &half), &[0.0, 1.0], TAU_0);
        close(form.least(), 7.0 - 13.0_f64.sqrt(), TAU_0);
        assert!(form.root(3.5).is_none());
    }
}
