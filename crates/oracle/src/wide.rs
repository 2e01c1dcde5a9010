//! Works on states of any width, kept as one `bool` a unit: activations, free energy, Gibbs sweeps.

use crate::math::{sigmoid, softplus};
use crate::rbm::Rbm;
use crate::rng::Rng;

/// Gives the activation of every hidden unit, adding the rows of W whose visible unit is on.
pub fn hidden_activations(rbm: &Rbm, v: &[bool]) -> Vec<f64> {
    let mut out = rbm.hidden_bias.clone();
    for i in on(v) {
        let row = &rbm.weights[i * rbm.hidden..][..rbm.hidden];
        out.iter_mut().zip(row).for_each(|(out, w)| *out += w);
    }
    out
}

/// Gives the activation of every visible unit, adding the columns of W whose hidden unit is on.
pub fn visible_activations(rbm: &Rbm, h: &[bool]) -> Vec<f64> {
    let active: Vec<usize> = on(h).collect();
    let input = |i: usize| {
        let row = &rbm.weights[i * rbm.hidden..][..rbm.hidden];
        active.iter().map(|&j| row[j]).sum::<f64>()
    };
    (0..rbm.visible).map(|i| rbm.visible_bias[i] + input(i)).collect()
}

/// Gives p(hⱼ = 1 | v) for every j.
pub fn hidden_probabilities(rbm: &Rbm, v: &[bool]) -> Vec<f64> {
    hidden_activations(rbm, v).into_iter().map(sigmoid).collect()
}

/// Gives F(v).
pub fn free_energy(rbm: &Rbm, v: &[bool]) -> f64 {
    let bias: f64 = on(v).map(|i| rbm.visible_bias[i]).sum();
    -bias - hidden_activations(rbm, v).into_iter().map(softplus).sum::<f64>()
}

/// Draws each unit from its activation.
pub fn draw(activations: &[f64], rng: &mut Rng) -> Vec<bool> {
    activations.iter().map(|&x| rng.bernoulli(sigmoid(x))).collect()
}

/// Makes `k` sweeps, h ∼ p(h | v) then v ∼ p(v | h), and gives v.
pub fn sweep(rbm: &Rbm, v: &[bool], k: usize, rng: &mut Rng) -> Vec<bool> {
    (0..k).fold(v.to_vec(), |v, _| {
        let h = draw(&hidden_activations(rbm, &v), rng);
        draw(&visible_activations(rbm, &h), rng)
    })
}

/// Lists the units that are on.
pub fn on(state: &[bool]) -> impl Iterator<Item = usize> {
    state.iter().enumerate().filter(|(_, on)| **on).map(|(unit, _)| unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::{from_bools, states, to_bools};
    use crate::check::{TAU_0, all_close, close, model, models};
    use crate::enumerate::{joint_distribution, visible_distribution};
    use crate::sample::sample_joint;
    use crate::stats::{tv, tv_star};

    #[test]
    fn wide_and_masked_states_agree() {
        for rbm in models() {
            for v in 0..states(rbm.visible) as u64 {
                let wide = to_bools(v, rbm.visible);
                close(free_energy(&rbm, &wide), rbm.free_energy(v), TAU_0);
                all_close(&hidden_probabilities(&rbm, &wide), &rbm.hidden_probabilities(v), TAU_0);
            }
            for h in 0..states(rbm.hidden) as u64 {
                let wide = to_bools(h, rbm.hidden);
                all_close(&visible_activations(&rbm, &wide), &rbm.visible_activations(h), TAU_0);
            }
        }
    }

    /// Counts, over v, chains that start exactly at p and make k sweeps of another model.
    fn drifted(start: &Rbm, kernel: &Rbm, k: usize) -> Vec<f64> {
        let (mut rng, mut seen) = (Rng::new(71), vec![0.0; states(start.visible)]);
        for (v, _) in sample_joint(start, 20_000, &mut Rng::new(72)) {
            let end = sweep(kernel, &to_bools(v, start.visible), k, &mut rng);
            seen[from_bools(&end) as usize] += 1.0 / 20_000.0;
        }
        seen
    }

    /// The no-drift test: TV ≤ TV* after k sweeps. Control: the kernel at 0.8 β exceeds 2 TV* after 16.
    #[test]
    fn sweeps_do_not_drift() {
        let rbm = model(6, 2, 73).tempered(1.5);
        let p = visible_distribution(&rbm);
        assert_eq!(joint_distribution(&rbm).len(), 256);
        for k in [0, 1, 4, 16] {
            assert!(tv(&drifted(&rbm, &rbm, k), &p) <= tv_star(&p, 20_000), "k = {k}");
        }
        assert!(tv(&drifted(&rbm, &rbm.tempered(0.8), 16), &p) > 2.0 * tv_star(&p, 20_000));
    }
}
