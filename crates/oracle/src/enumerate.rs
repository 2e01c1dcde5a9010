//! Enumerates all states of a small model: tables of probabilities and ln Z by three routes.
//!
//! A table over v has entry v, a table over h has entry h, a joint table has entry v + 2^V · h.

use crate::bits::{gray, is_on, states};
use crate::math::{log_sum_exp, softplus};
use crate::rbm::Rbm;

/// The incremental sums of the Gray walk are made anew after this many steps, so that rounding cannot pile up.
const REFRESH: usize = 1 << 10;

/// Gives ln Z by adding e^(−E) over all joint states.
pub fn log_z_joint(rbm: &Rbm) -> f64 {
    log_sum_exp(&minus_energies(rbm))
}

/// Gives ln Z by adding e^(−F(v)) over the visible states; the hidden side may be of any width.
pub fn log_z_visible(rbm: &Rbm) -> f64 {
    log_sum_exp(&minus_free_energies(rbm))
}

/// Gives ln Z by adding e^(−F(h)) over the hidden states; the visible side may be of any width.
pub fn log_z_hidden(rbm: &Rbm) -> f64 {
    log_z_visible(&rbm.transposed())
}

/// Gives the table p(v, h).
pub fn joint_distribution(rbm: &Rbm) -> Vec<f64> {
    normalised(&minus_energies(rbm))
}

/// Gives the table p(v) from the free energies.
pub fn visible_distribution(rbm: &Rbm) -> Vec<f64> {
    normalised(&minus_free_energies(rbm))
}

/// Gives the table p(h) from the free energies of the hidden states.
pub fn hidden_distribution(rbm: &Rbm) -> Vec<f64> {
    visible_distribution(&rbm.transposed())
}

/// Gives the table −E(v, h), entry by entry from the formula.
///
/// # Panics
/// Above 2²⁰ joint states.
pub fn minus_energies(rbm: &Rbm) -> Vec<f64> {
    assert!(rbm.visible + rbm.hidden <= 20, "more than 2^20 joint states");
    let mut table = vec![0.0; states(rbm.visible + rbm.hidden)];
    for (state, _) in gray(rbm.visible + rbm.hidden) {
        let (v, h) = split(rbm, state);
        table[state as usize] = -rbm.energy(v, h);
    }
    table
}

/// Gives the table −F(v) by a Gray walk, which changes the activations by one row of W a step.
pub fn minus_free_energies(rbm: &Rbm) -> Vec<f64> {
    let mut table = vec![0.0; states(rbm.visible)];
    let mut activations = Vec::new();
    for (step, (v, flipped)) in gray(rbm.visible).enumerate() {
        match flipped {
            Some(i) if step % REFRESH != 0 => flip(rbm, &mut activations, i, is_on(v, i)),
            _ => activations = rbm.hidden_activations(v),
        }
        let bias: f64 = (0..rbm.visible).filter(|&i| is_on(v, i)).map(|i| rbm.visible_bias[i]).sum();
        table[v as usize] = bias + activations.iter().copied().map(softplus).sum::<f64>();
    }
    table
}

/// Splits the index of a joint state into v and h.
pub fn split(rbm: &Rbm, state: u64) -> (u64, u64) {
    (state & ((1 << rbm.visible) - 1), state >> rbm.visible)
}

/// Joins v and h to the index of a joint state.
pub fn join(rbm: &Rbm, v: u64, h: u64) -> u64 {
    v | h << rbm.visible
}

/// Adds row i of W to the activations, or takes it away.
fn flip(rbm: &Rbm, activations: &mut [f64], i: usize, on: bool) {
    let sign = if on { 1.0 } else { -1.0 };
    for (j, x) in activations.iter_mut().enumerate() {
        *x += sign * rbm.weight(i, j);
    }
}

/// Turns a table of logarithms into probabilities.
fn normalised(logs: &[f64]) -> Vec<f64> {
    let log_z = log_sum_exp(logs);
    logs.iter().map(|x| (x - log_z).exp()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{DIFFERENCE, TAU_0, all_close, close, model, models};
    use crate::math::sum;

    /// Gives ⟨f(E)⟩ under the model.
    fn mean_energy(rbm: &Rbm, f: impl Fn(f64) -> f64) -> f64 {
        sum(joint_distribution(rbm).iter().zip(minus_energies(rbm)).map(|(p, x)| p * f(-x)))
    }

    #[test]
    fn three_routes_give_one_log_z() {
        for rbm in models() {
            close(log_z_joint(&rbm), log_z_visible(&rbm), TAU_0);
            close(log_z_joint(&rbm), log_z_hidden(&rbm), TAU_0);
        }
    }

    #[test]
    fn probabilities_add_up_to_one() {
        for rbm in models() {
            for table in [joint_distribution(&rbm), visible_distribution(&rbm), hidden_distribution(&rbm)] {
                close(sum(table), 1.0, TAU_0);
            }
        }
    }

    #[test]
    fn margins_of_the_joint_table_are_the_tables_of_the_sides() {
        for rbm in models() {
            let joint = joint_distribution(&rbm);
            let (mut v_margin, mut h_margin) =
                (vec![0.0; states(rbm.visible)], vec![0.0; states(rbm.hidden)]);
            for (state, p) in joint.iter().enumerate() {
                let (v, h) = split(&rbm, state as u64);
                assert_eq!(join(&rbm, v, h), state as u64);
                v_margin[v as usize] += p;
                h_margin[h as usize] += p;
            }
            all_close(&v_margin, &visible_distribution(&rbm), TAU_0);
            all_close(&h_margin, &hidden_distribution(&rbm), TAU_0);
        }
    }

    /// 2¹² states pass the refresh of the walk four times.
    #[test]
    fn the_gray_walk_gives_the_free_energies_of_the_formula() {
        let rbm = model(12, 3, 11);
        let table = minus_free_energies(&rbm);
        (0..4096).for_each(|v| close(table[v], -rbm.free_energy(v as u64), TAU_0));
    }

    #[test]
    fn a_wide_visible_side_is_summed_out() {
        let mut rbm = model(200, 6, 12);
        let free = log_z_hidden(&rbm);
        rbm.weights.fill(0.0);
        let independent: f64 = rbm.visible_bias.iter().chain(&rbm.hidden_bias).copied().map(softplus).sum();
        close(log_z_hidden(&rbm), independent, TAU_0);
        assert!((free - independent).abs() > 1.0);
    }

    /// d ln Z / dβ = −⟨E⟩ and d⟨E⟩ / dβ = −Var E.
    #[test]
    fn derivatives_by_beta_are_moments_of_the_energy() {
        let (rbm, step) = (model(5, 4, 13), 1e-5);
        for beta in [0.5, 1.0, 2.0] {
            let slope = |f: &dyn Fn(&Rbm) -> f64| {
                (f(&rbm.tempered(beta + step)) - f(&rbm.tempered(beta - step))) / (2.0 * step)
            };
            let here = |f: &dyn Fn(f64) -> f64| mean_energy(&rbm.tempered(beta), |e| f(e / beta));
            let (mean, square) = (here(&|e| e), here(&|e| e * e));
            close(slope(&log_z_joint), -mean, DIFFERENCE);
            // ⟨E⟩ at each end is of the tempered energy β' E, hence the division by β'.
            let u = |b: f64| mean_energy(&rbm.tempered(b), |e| e / b);
            close((u(beta + step) - u(beta - step)) / (2.0 * step), mean * mean - square, DIFFERENCE);
        }
    }

    #[test]
    fn limits_have_closed_forms() {
        let rbm = model(4, 3, 14);
        close(log_z_joint(&rbm.tempered(0.0)), 7.0 * 2.0_f64.ln(), TAU_0);
        let cold = joint_distribution(&rbm.tempered(1e4));
        let mode = minus_energies(&rbm)
            .iter()
            .enumerate()
            .fold((0, f64::MIN), |a, (n, &x)| if x > a.1 { (n, x) } else { a });
        close(cold[mode.0], 1.0, TAU_0);
    }
}
