//! Proves that a machine's visible half is an energy over sites: energies, proposals and the law of locally informed chains.

mod common;

use common::tolerance::tau_f;
use common::{close, exact, key, model};
use harmonium::rbm::Rbm;
use harmonium::sample::own::{Continuous, Discrete, Move, Sites, Smooth, Update};
use harmonium::units::{Bernoulli, Gaussian, Layer, States, Units};
use harmonium::{Gibbs, Thermal};
use harmonium_oracle::enumerate::visible_distribution;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table as Draws;
use harmonium_oracle::stats::{tv, tv_star, z_score, z_star};

fn state(units: usize, v: u64) -> Vec<u16> {
    (0..units).map(|i| (v >> i & 1) as u16).collect()
}

/// F is the machine's, and changes are differences of it, to τ_F; proposals are of first order: a remainder Σ_j W_ij²/8 at most, as
/// the second derivative of the softplus is ¼ at most.
#[test]
fn energies_changes_and_proposals_are_those_of_the_free_energy() {
    for (seed, scale) in [0.1, 1.0, 3.0].into_iter().enumerate() {
        let rbm = model(5, 4, scale, seed as u64);
        let (x, sites) = (exact(&rbm), rbm.visible_sites().unwrap());
        for v in 0..32 {
            let (at, mut changes) = (state(5, v), [0.0; 10]);
            close(sites.energy(&at), x.free_energy(v), tau_f(&x, v), (seed, v));
            sites.changes(&at, &mut changes);
            for site in 0..5 {
                let to = 1 - at[site];
                let flipped = x.free_energy(v ^ 1 << site) - x.free_energy(v);
                let bound = tau_f(&x, v) + tau_f(&x, v ^ 1 << site);
                close(sites.change(&at, site, to), flipped, bound, (seed, v, site));
                let squares: f64 = (0..4).map(|j| x.weight(site, j).powi(2)).sum();
                close(changes[2 * site + usize::from(to)], flipped, squares / 8.0 + bound, (seed, v, site));
                assert_eq!(changes[2 * site + usize::from(at[site])], 0.0);
            }
        }
    }
}

/// §2.4 with first-order proposals; control at 0.8 β.
#[test]
fn locally_informed_chains_of_a_machine_do_not_drift() {
    const N: usize = 20_000;
    let rbm = model(6, 4, 1.0, 5);
    let (law, mut rng) = (visible_distribution(&exact(&rbm)), Rng::new(6));
    let model = Discrete::new(rbm.visible_sites().unwrap(), Update::Informed { moves: 3 }).unwrap();
    let start: Vec<u16> = (0..N).flat_map(|_| state(6, Draws::new(&law).draw(&mut rng) as u64)).collect();
    let start = ndarray::Array2::from_shape_vec((N, 6), start).unwrap();
    let moved = |beta: f32, sweeps: u64| {
        let mut chains = start.clone();
        model.tempered(beta).run(&mut chains, 0..sweeps, key(7));
        let (States::Bits(bits), mut shares) = (model.pack(&chains), vec![0.0; 64]) else { panic!("bits") };
        bits.words().iter().for_each(|&v| shares[v as usize] += 1.0 / N as f64);
        tv(&shares, &law)
    };
    for sweeps in [0, 1, 4, 16] {
        assert!(moved(1.0, sweeps) <= tv_star(&law, N), "after {sweeps}");
    }
    assert!(moved(0.8, 16) > 2.0 * tv_star(&law, N), "the control");
}

/// A machine of Gaussian units with variances of their own and hidden bits.
fn real(seed: u64) -> Rbm {
    let (mut rng, mut draw) = (Rng::new(seed), Vec::new());
    draw.resize_with(3 * 2 + 3 + 2, || rng.normal() as f32);
    let visible = Gaussian::new(draw[6..9].to_vec(), vec![-0.5, 0.0, 0.7], true);
    let weights = ndarray::Array2::from_shape_vec((3, 2), draw[..6].to_vec()).unwrap();
    Rbm::from_layers(weights, Layer::Gaussian(visible), Bernoulli::new(draw[9..].to_vec()).into()).unwrap()
}

/// F to what f32 inputs cost, some 1e-6 of values up to 10; its slope against differences over 2e-5 in f64, which err by third
/// derivatives times 1e-10 and rounding of 1e-15 / 1e-5.
#[test]
fn smooth_energies_are_the_free_energy_with_its_slope() {
    for seed in 0..5 {
        let (rbm, mut rng) = (real(seed), Rng::new(90 + seed));
        let smooth = rbm.visible_reals().unwrap();
        for _ in 0..20 {
            let x: Vec<f64> = (0..3).map(|_| f64::from((2.0 * rng.normal()) as f32)).collect();
            let row = ndarray::Array2::from_shape_fn((1, 3), |(_, i)| x[i] as f32);
            let free = rbm.view().free_energies(&States::Reals(row))[0];
            close(smooth.energy(&x), free, 1e-4, seed);
            let mut slope = [0.0; 3];
            smooth.gradient(&x, &mut slope);
            for (i, slope) in slope.into_iter().enumerate() {
                let at = |step: f64| {
                    let mut x = x.clone();
                    x[i] += step;
                    smooth.energy(&x)
                };
                close(slope, (at(1e-5) - at(-1e-5)) / 2e-5, 1e-7, (seed, i));
            }
        }
    }
}

/// First and second moments of v are those of the mixture over h of N(σ²(b + W h), σ²), after sweeps from fresh chains; z of 4,000
/// independent chains, six figures of two samplers compared.
#[test]
fn smooth_moves_have_the_law_of_the_machine() {
    const N: usize = 4_000;
    let rbm = real(2);
    let (w, sigma2) = (rbm.weights().mapv(f64::from), [-0.5_f64, 0.0, 0.7].map(f64::exp));
    let centres = |h: usize| -> Vec<f64> {
        let bit = |j: usize| (h >> j & 1) as f64;
        let pull =
            |i: usize| f64::from(rbm.visible_bias()[i]) + (0..2).map(|j| w[(i, j)] * bit(j)).sum::<f64>();
        (0..3).map(|i| sigma2[i] * pull(i)).collect()
    };
    let weigh = |h: usize| {
        let own: f64 = (0..2).map(|j| f64::from(rbm.hidden_bias()[j]) * (h >> j & 1) as f64).sum();
        (own + centres(h).iter().zip(sigma2).map(|(m, v)| m * m / (2.0 * v)).sum::<f64>()).exp()
    };
    let total: f64 = (0..4).map(weigh).sum();
    let mean_of = |f: &dyn Fn(&[f64]) -> f64| (0..4).map(|h| weigh(h) / total * f(&centres(h))).sum::<f64>();
    for moves in [Move::Mala { step: 0.8 }, Move::Hmc { step: 0.4, leaps: 5 }] {
        let model = Continuous::new(rbm.visible_reals().unwrap(), moves, 2.0).unwrap();
        let mut chains = model.init(N, key(3));
        model.run(&mut chains, 0..100, key(4));
        let values = model.pack(&chains).to_array().mapv(f64::from);
        for i in 0..3 {
            let column = values.column(i).to_vec();
            let squares: Vec<f64> = column.iter().map(|x| x * x).collect();
            let first = z_score(&column, mean_of(&|m| m[i]));
            let second = z_score(&squares, mean_of(&|m| m[i] * m[i]) + sigma2[i]);
            assert!(
                first.abs() < z_star(12) && second.abs() < z_star(12),
                "{moves:?}, {i}: {first}, {second}"
            );
        }
    }
}

#[test]
fn other_units_are_refused() {
    let rbm = Rbm::new(Units::Spin(3), Units::Bernoulli(2), key(1)).unwrap();
    let refused = rbm.visible_reals().unwrap_err().to_string();
    assert!(refused.starts_with("a smooth energy: expected Gaussian visible units"), "{refused}");
    let spins = Rbm::new(Units::Gaussian(3), Units::Spin(2), key(1)).unwrap();
    assert!(spins.visible_reals().unwrap_err().to_string().contains("expected hidden bits"));
    let refused = rbm.visible_sites().unwrap_err().to_string();
    assert!(refused.starts_with("sites: expected bits on both sides"), "{refused}");
}
