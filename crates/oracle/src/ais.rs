//! Estimates ln Z by annealed importance sampling (Neal 2001; Salakhutdinov and Murray 2008).

use crate::math::{log_sum_exp, softplus};
use crate::rbm::Rbm;
use crate::rng::Rng;
use crate::wide::{draw, free_energy, sweep};

/// Gives ln Z of the base model: visible units with biases aᵢ, hidden units without bias, no weights.
pub fn base_log_z(hidden: usize, base_bias: &[f64]) -> f64 {
    hidden as f64 * 2.0_f64.ln() + base_bias.iter().copied().map(softplus).sum::<f64>()
}

/// Gives one log weight a chain, the base's ln Z included, so that E(w) = Z.
///
/// `betas` rises from 0 to 1; between two of them a chain makes one sweep of the model annealed to the first.
///
/// # Panics
/// When `betas` does not start at 0, or has a single entry.
pub fn log_weights(rbm: &Rbm, base_bias: &[f64], betas: &[f64], chains: usize, seed: u64) -> Vec<f64> {
    assert!(betas.len() > 1 && betas[0] == 0.0, "betas start at 0 and have an end");
    let mut rng = Rng::new(seed);
    let mut states: Vec<Vec<bool>> = (0..chains).map(|_| draw(base_bias, &mut rng)).collect();
    let mut weights = vec![base_log_z(rbm.hidden, base_bias); chains];
    let mut here = rbm.annealed(base_bias, betas[0]);
    for &beta in &betas[1..] {
        let next = rbm.annealed(base_bias, beta);
        for (weight, v) in weights.iter_mut().zip(&mut states) {
            *weight += log_ratio(&here, &next, v);
            *v = sweep(&next, v, 1, &mut rng);
        }
        here = next;
    }
    weights
}

/// Gives ln of the unnormalised p_next(v) / p_here(v) = F_here(v) − F_next(v).
fn log_ratio(here: &Rbm, next: &Rbm, v: &[bool]) -> f64 {
    free_energy(here, v) - free_energy(next, v)
}

/// Gives ln of the mean of e^x, the estimate of ln Z from log weights.
pub fn log_mean_exp(x: &[f64]) -> f64 {
    log_sum_exp(x) - (x.len() as f64).ln()
}

/// Gives `count` + 1 equally spaced values from 0 to 1.
pub fn linear_betas(count: usize) -> Vec<f64> {
    (0..=count).map(|n| n as f64 / count as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::to_bools;
    use crate::check::{TAU_0, close, model};
    use crate::enumerate::{log_z_hidden, log_z_joint};
    use crate::math::{sigmoid, sum};
    use crate::stats::{variance, z_score, z_star};
    use crate::transition::product;

    const BASE: [f64; 5] = [0.4, -0.7, 0.0, 1.0, -0.2];

    #[test]
    fn the_base_is_the_annealed_model_at_zero() {
        let rbm = model(5, 3, 81);
        close(base_log_z(3, &BASE), log_z_joint(&rbm.annealed(&BASE, 0.0)), TAU_0);
    }

    /// One jump from base to model, summed over the base's law instead of drawn: Σ_v p_base(v) w(v) = Z.
    #[test]
    fn the_mean_weight_of_one_jump_is_z() {
        let rbm = model(5, 3, 82);
        let law = product(&BASE.map(sigmoid));
        let (here, next) = (rbm.annealed(&BASE, 0.0), rbm.annealed(&BASE, 1.0));
        let weight =
            |v: usize| (base_log_z(3, &BASE) + log_ratio(&here, &next, &to_bools(v as u64, 5))).exp();
        close(sum(law.iter().enumerate().map(|(v, p)| p * weight(v))).ln(), log_z_joint(&rbm), TAU_0);
    }

    /// E[w / Z] = 1. Controls: the sum without −ln n, and weights without the base.
    #[test]
    fn weights_are_unbiased() {
        let rbm = model(5, 3, 83);
        let log_z = log_z_joint(&rbm);
        for betas in [linear_betas(1), linear_betas(10), linear_betas(100)] {
            let logs = log_weights(&rbm, &BASE, &betas, 2000, 84);
            let ratios: Vec<f64> = logs.iter().map(|x| (x - log_z).exp()).collect();
            assert!(z_score(&ratios, 1.0).abs() < z_star(3));
            let no_base: Vec<f64> = ratios.iter().map(|r| r / base_log_z(3, &BASE).exp()).collect();
            assert!(z_score(&no_base, 1.0).abs() > z_star(3));
        }
    }

    /// The second bound keeps the first one strong: a standard error of 0.1 shows a bias of 0.5 nat.
    #[test]
    fn wide_models_agree_with_the_exact_sum() {
        let rbm = model(100, 8, 85).tempered(0.2);
        let logs = log_weights(&rbm, &[0.0; 100], &linear_betas(300), 200, 86);
        let ratios: Vec<f64> = logs.iter().map(|x| (x - log_z_hidden(&rbm)).exp()).collect();
        assert!(z_score(&ratios, 1.0).abs() < z_star(1));
        assert!((variance(&ratios) / 200.0).sqrt() < 0.1);
    }

    #[test]
    fn the_mean_of_equal_weights_is_the_weight() {
        close(log_mean_exp(&[700.5; 9]), 700.5, TAU_0);
        close(log_mean_exp(&[1.0_f64.ln(), 3.0_f64.ln()]), 2.0_f64.ln(), TAU_0);
    }

    #[test]
    fn betas_run_from_zero_to_one() {
        assert_eq!(linear_betas(4), [0.0, 0.25, 0.5, 0.75, 1.0]);
    }
}
