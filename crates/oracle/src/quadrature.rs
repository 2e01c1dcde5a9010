//! Computes the nodes and weights of Gauss quadrature, and lays panels over an interval.

use std::sync::OnceLock;

use crate::gamma::bisect;
use crate::math::sum;

/// Nodes of one panel: on a panel over which an exponent changes by 13, the relative error is below 1e-18.
const PANEL_NODES: usize = 16;

/// Holds a node and its weight.
pub type Node = (f64, f64);

/// Gives the `n` nodes and weights of ∫₋₁¹ f(x) dx (Gauss and Legendre), exact up to degree 2n − 1.
pub fn legendre(n: usize) -> Vec<Node> {
    gauss(n, 1.0, 0.5_f64.sqrt(), |k| k / (4.0 * k * k - 1.0).sqrt())
}

/// Gives the `n` nodes and weights of E f(z), z standard normal (Gauss and Hermite), exact up to degree 2n − 1.
pub fn hermite(n: usize) -> Vec<Node> {
    // The largest root of Heₙ lies below 2 √n.
    gauss(n, 2.0 * (n as f64).sqrt(), 1.0, f64::sqrt)
}

/// Gives nodes and weights of ∫ₐᵇ f(x) dx from equal panels no wider than `width`.
///
/// # Panics
/// When the interval is not finite and increasing, or the width not positive.
pub fn panels(from: f64, to: f64, width: f64) -> Vec<Node> {
    static NODES: OnceLock<Vec<Node>> = OnceLock::new();
    assert!(from < to && width > 0.0 && (to - from).is_finite(), "no panels from {from} to {to}");
    let nodes = NODES.get_or_init(|| legendre(PANEL_NODES));
    let count = ((to - from) / width).ceil().max(1.0);
    let half = (to - from) / count / 2.0;
    let centre = |n: usize| from + (2.0 * n as f64 + 1.0) * half;
    let panel = |n| nodes.iter().map(move |(x, w)| (centre(n) + half * x, half * w));
    (0..count as usize).flat_map(panel).collect()
}

/// Gives the rule of the polynomials with x pₖ = βₖ₊₁ pₖ₊₁ + βₖ pₖ₋₁ and p₀ = `first`, orthonormal on [−B, B].
///
/// Roots of neighbouring degrees interlace, so those of degree k bracket those of k + 1; the weight of a node is
/// 1 / Σ_{k<n} pₖ² (Christoffel).
fn gauss(n: usize, bound: f64, first: f64, beta: impl Fn(f64) -> f64) -> Vec<Node> {
    let mut roots = Vec::new();
    for degree in 1..=n {
        let edges = [&[-bound][..], &roots, &[bound]].concat();
        let value = |x| *orthonormal(degree, x, first, &beta).last().expect("degree 0 at least");
        roots = edges.windows(2).map(|edge| root(edge[0], edge[1], value)).collect();
    }
    let square = |x| sum(orthonormal(n - 1, x, first, &beta).iter().map(|p| p * p));
    roots.into_iter().map(|x| (x, 1.0 / square(x))).collect()
}

/// Finds the one root between two brackets.
fn root(low: f64, high: f64, value: impl Fn(f64) -> f64) -> f64 {
    let sign = value(high).signum();
    bisect(low, high, |x| value(x).signum() != sign)
}

/// Gives p₀(x) … pₙ(x).
fn orthonormal(n: usize, x: f64, first: f64, beta: &impl Fn(f64) -> f64) -> Vec<f64> {
    let (mut out, mut before) = (vec![first], 0.0);
    for k in 0..n {
        let down = if k == 0 { 0.0 } else { beta(k as f64) * before };
        before = out[k];
        out.push((x * before - down) / beta(k as f64 + 1.0));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close};

    fn integral(rule: &[Node], f: impl Fn(f64) -> f64) -> f64 {
        sum(rule.iter().map(|&(x, w)| w * f(x)))
    }

    /// Exact up to degree 2n − 1 and, as a control, not at 2n.
    #[test]
    fn rules_are_exact_for_polynomials() {
        for n in 1..=16 {
            let (flat, normal, mut moment) = (legendre(n), hermite(n), 1.0);
            for degree in (0..2 * n as i32).step_by(2) {
                let power = 2.0 / f64::from(degree + 1);
                close(integral(&flat, |x| x.powi(degree)), power, TAU_0);
                close(integral(&normal, |x| x.powi(degree)) / moment, 1.0, TAU_0);
                close(integral(&flat, |x| x.powi(degree + 1)), 0.0, TAU_0);
                moment *= f64::from(degree + 1);
            }
            assert!((integral(&normal, |x| x.powi(2 * n as i32)) / moment - 1.0).abs() > 1e-9);
        }
    }

    #[test]
    fn two_and_three_nodes_as_printed() {
        let two = legendre(2);
        close(two[1].0, 1.0 / 3.0_f64.sqrt(), TAU_0);
        close(two[1].1, 1.0, TAU_0);
        let three = hermite(3);
        close(three[2].0, 3.0_f64.sqrt(), TAU_0);
        close(three[1].1, 2.0 / 3.0, TAU_0);
    }

    #[test]
    fn panels_cover_the_interval() {
        close(
            integral(&panels(-9.5, 9.5, 1.5), |x| (-x * x / 2.0).exp()),
            std::f64::consts::TAU.sqrt(),
            TAU_0,
        );
        close(integral(&panels(0.25, 3.0, 0.7), f64::exp), 3.0_f64.exp() - 0.25_f64.exp(), TAU_0);
        close(
            integral(&panels(0.0, 3.0, 4.0), |x| (-12.0 * x / 3.0).exp()),
            -(-12.0_f64).exp_m1() / 4.0,
            TAU_0,
        );
    }
}
