//! Proves PCD by parallel tempering: swaps keep the joint law (O3), the model's rung has its expectation (O7), and one
//! rung is PCD.

mod common;

use common::law::deviations;
use common::tolerance::{tau_energy, tau_g, tau_sweep};
use common::{batch, close, coins, exact, key, masks, model};
use harmonium::address::Address;
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{
    Estimator, Fit, Kept, Ladder, Pcd, Schedule, Silent, Tempering, acceptance, fit, swaps,
};
use harmonium::units::Units;
use harmonium::{EnergyModel, Gibbs, HasParams, Thermal, purpose};
use harmonium_oracle::enumerate::{joint_distribution, minus_energies, split, visible_distribution};
use harmonium_oracle::gradient::statistics;
use harmonium_oracle::likelihood::empirical;
use harmonium_oracle::math::sigmoid;
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::z_star;
use harmonium_oracle::transition::{Conditionals, Matrix, product};
use rand::RngCore;

const ROWS: [u64; 5] = [0b011, 0b011, 0b100, 0b101, 0];

/// The share of 32-bit words that have two chains swap, by bisection: it falls from yes to no once.
fn chance(betas: [f32; 2], energies: [f64; 2]) -> f64 {
    let (mut least, mut most) = (0_u32, 1 << 24);
    while least < most {
        let middle = least + (most - least) / 2;
        if swaps(middle << 8, betas, energies) {
            least = middle + 1;
        } else {
            most = middle;
        }
    }
    f64::from(least) / 16_777_216.0
}

/// The transition matrix of a swap on pairs (x, y) of joint states, x the one at the first β.
fn swap_matrix(betas: [f32; 2], energies: &[f64]) -> Matrix {
    let n = energies.len();
    let row = |pair: usize| {
        let (x, y) = (pair % n, pair / n);
        let p = chance(betas, [energies[x], energies[y]]);
        let mut row = vec![0.0; n * n];
        row[y + n * x] += p;
        row[pair] += 1.0 - p;
        row
    };
    Matrix::from_rows(&(0..n * n).map(row).collect::<Vec<_>>())
}

/// Σ over swaps of the law of pairs, each entry of which a threshold rounded up to 2⁻²⁴ moves by at most π(x, y) 2⁻²⁴.
/// Control: betas in the wrong order, and energies of another pair of betas, break the balance.
#[test]
fn swaps_are_in_detailed_balance_with_the_joint_law() {
    for (seed, betas) in [[1.0_f32, 0.7], [1.0, 0.0], [0.9, 0.85]].into_iter().enumerate() {
        let x = exact(&model(2, 2, 1.5, 700 + seed as u64));
        let energies: Vec<f64> = minus_energies(&x).iter().map(|e| -e).collect();
        let laws = betas.map(|beta| joint_distribution(&x.tempered(f64::from(beta))));
        let pairs: Vec<f64> = laws[1].iter().flat_map(|q| laws[0].iter().map(move |p| p * q)).collect();
        let kernel = swap_matrix(betas, &energies);
        let bound = 1.0 / 16_777_216.0;
        assert!(kernel.row_sum_error() <= 1e-12);
        assert!(kernel.detailed_balance_error(&pairs) <= bound, "{betas:?}");
        assert!(kernel.drift(&pairs) <= bound);
        for wrong in [[betas[1], betas[0]], [betas[0], f32::midpoint(betas[0], betas[1])]] {
            let error = swap_matrix(wrong, &energies).detailed_balance_error(&pairs);
            assert!(error > 1e4 * bound * f64::from(betas[0] - betas[1]), "{wrong:?}: {error:e}");
        }
    }
}

#[test]
fn acceptance_is_the_ratio_of_the_joint_laws() {
    let x = exact(&model(3, 2, 2.0, 17));
    let energies: Vec<f64> = minus_energies(&x).iter().map(|e| -e).collect();
    let betas = [1.0_f32, 0.6];
    let laws = betas.map(|beta| joint_distribution(&x.tempered(f64::from(beta))));
    for a in 0..32 {
        for b in 0..32 {
            let ratio: f64 = laws[0][b] * laws[1][a] / (laws[0][a] * laws[1][b]);
            close(acceptance(betas, [energies[a], energies[b]]), ratio.min(1.0), 1e-12, (a, b));
        }
    }
}

/// The law of (v of rung 0, v of rung 1) after one sweep of each and one swap, from a law of such pairs.
fn round(x: &Exact, betas: [f32; 2], law: &[f64]) -> Vec<f64> {
    let (nv, nh) = (1 << x.visible, 1 << x.hidden);
    // p(v', h | v) of each rung: h ∼ p(h | v), then v' ∼ p(v' | h).
    let sweeps = betas.map(|beta| {
        let t = x.tempered(f64::from(beta));
        let row = |v: u64| -> Vec<f64> {
            let p_h = product(&t.hidden_probabilities(v));
            let all = (0..nh).map(|h| (h, product(&t.visible_probabilities(h as u64))));
            all.flat_map(|(h, p_v)| p_v.into_iter().map(|p| p * p_h[h]).collect::<Vec<_>>()).collect()
        };
        (0..nv as u64).map(row).collect::<Vec<_>>()
    });
    let mut joint = vec![0.0; nv * nh * nv * nh];
    for (pair, p) in law.iter().enumerate().filter(|(_, p)| **p > 0.0) {
        let (a, b) = (&sweeps[0][pair % nv], &sweeps[1][pair / nv]);
        for (m, q) in b.iter().enumerate() {
            a.iter().enumerate().for_each(|(n, r)| joint[n + nv * nh * m] += p * q * r);
        }
    }
    let energies: Vec<f64> = minus_energies(x).iter().map(|e| -e).collect();
    let mut out = vec![0.0; nv * nv];
    for (index, p) in joint.into_iter().enumerate() {
        let (a, b) = (index % (nv * nh), index / (nv * nh));
        let swap = acceptance(betas, [energies[a], energies[b]]);
        let [va, vb] = [a, b].map(|state| split(x, state as u64).0 as usize);
        out[va + nv * vb] += p * (1.0 - swap);
        out[vb + nv * va] += p * swap;
    }
    out
}

/// Chains start at Π σ(β b); after each update the law of the pair of rungs is one round further, and the first rung
/// gives the statistics: |mean − exact| ≤ z*(m) s/√N + τ_g + the variation of the sweeps so far, on both rungs.
/// Control: PCD, which never swaps, has another law after the third update.
#[test]
fn the_first_rung_has_its_expectation() {
    const CHAINS: usize = 100_000;
    let (betas, mut seen) = ([1.0_f32, 0.3], 0);
    for seed in 0..4 {
        let rbm = model(3, 2, 1.5, 800 + seed);
        let (x, data) = (exact(&rbm), empirical(3, &ROWS, None));
        let fresh = betas
            .map(|b| product(&x.visible_bias.iter().map(|c| sigmoid(f64::from(b) * c)).collect::<Vec<_>>()));
        let mut law: Vec<f64> = fresh[1].iter().flat_map(|q| fresh[0].iter().map(move |p| p * q)).collect();
        let mut tempering = Tempering::new(1, CHAINS, Ladder::Betas(betas.to_vec()));
        for update in 1..=3 {
            let mut phases = Phases::new(rbm.stats());
            let at = Address::new(key(seed), update);
            tempering.estimate(&rbm, &batch(3, &ROWS), 1, at, &mut phases).unwrap();
            // One round is one parity of pairs: the one pair there is swaps in every second round.
            law = if update % 2 == 1 { round(&x, betas, &law) } else { swept(&x, betas, &law) };
            let margin: Vec<f64> = (0..8).map(|v| (0..8).map(|w| law[v + 8 * w]).sum()).collect();
            let mut expected = statistics(&x, &margin);
            expected.add(-1.0, &statistics(&x, &data));
            let mut gradient = rbm.params();
            phases.contrast(&mut gradient);
            let got = gradient.tensors().iter().flat_map(|t| t.values.iter().map(|&g| f64::from(g)));
            let (deviations, alone) =
                (deviations(&x, &margin), without_swaps(&x, &fresh[0], update as usize));
            let noise = |n: usize| z_star(150) * deviations[n] / (CHAINS as f64).sqrt();
            let bias = tau_g(&x) + 4.0 * update as f64 * tau_sweep(&x);
            for (n, got) in got.enumerate() {
                close(got, expected.entries()[n], noise(n) + bias, (seed, update, n));
                let control = alone[n] - statistics(&x, &data).entries()[n];
                seen += u64::from(update == 1 && (got - control).abs() > 2.0 * (noise(n) + bias));
            }
        }
        let rate = tempering.swap_rates()[0];
        assert!(rate > 0.05 && rate < 1.0, "swap rate {rate}");
    }
    assert!(seen > 0, "no model tells swaps from none");
}

/// The law of pairs after a sweep of each rung alone.
fn swept(x: &Exact, betas: [f32; 2], law: &[f64]) -> Vec<f64> {
    let tables = betas.map(|beta| Conditionals::of(&x.tempered(f64::from(beta))).visible_sweep());
    let mut out = vec![0.0; 64];
    for (pair, p) in law.iter().enumerate() {
        let point = |state: usize| (0..8).map(|v| f64::from(u8::from(v == state))).collect::<Vec<_>>();
        let [a, b] = [tables[0].apply(&point(pair % 8)), tables[1].apply(&point(pair / 8))];
        (0..64).for_each(|n| out[n] += p * a[n % 8] * b[n / 8]);
    }
    out
}

fn without_swaps(x: &Exact, fresh: &[f64], sweeps: usize) -> Vec<f64> {
    statistics(x, &Conditionals::of(x).visible_sweep().after(sweeps, fresh)).entries()
}

/// Walks three rungs by the addresses of the definitions, one chain at a time, and ends at the same bits.
#[test]
fn rungs_walk_and_swap_as_their_addresses_say() {
    let (rbm, betas, chains) = (model(5, 4, 1.5, 19), [1.0_f32, 0.6, 0.2], 40);
    let mut tempering = Tempering::new(2, chains, Ladder::Betas(betas.to_vec()));
    let of_rung = |key: harmonium::Key, rung: usize| {
        if rung == 0 { key } else { key.fold_in((1 << 32) + rung as u64) }
    };
    let mut rungs: Vec<Vec<u64>> = (0..3)
        .map(|rung| {
            let key = of_rung(key(5).fold_in(purpose::CHAINS), rung);
            masks(rbm.tempered(betas[rung]).init(chains, key).visible())
        })
        .collect();
    let (mut round, mut done) = (0, [0_u32; 2]);
    for step in 0..3 {
        let mut phases = Phases::new(rbm.stats());
        tempering.estimate(&rbm, &batch(5, &ROWS), 2, Address::new(key(5), step), &mut phases).unwrap();
        for sweep in 0..2 {
            let mut energies = Vec::new();
            for (rung, beta) in betas.into_iter().enumerate() {
                let key = of_rung(key(5).fold_in(purpose::NEGATIVE).fold_in(step), rung).fold_in(sweep);
                let mut state = common::chains(&rbm, &rungs[rung]);
                rbm.tempered(beta).sweep(&mut state, key);
                rungs[rung] = masks(state.visible());
                let x = exact(&rbm);
                energies.push(common::pairs(&state).iter().map(|&(v, h)| x.energy(v, h)).collect::<Vec<_>>());
            }
            let key = key(5).fold_in(purpose::SWAP).fold_in(step).fold_in(sweep);
            for chain in 0..chains {
                let pair = round % 2;
                let p = (f64::from(betas[pair]) - f64::from(betas[pair + 1]))
                    * (energies[pair][chain] - energies[pair + 1][chain]);
                let u = f64::from(key.stream(chain as u64).next_u32() >> 8) / 16_777_216.0;
                // Away from a tie both energies decide alike.
                assert!((u - p.exp()).abs() > tau_energy(&exact(&rbm), 31, 15));
                if u < p.exp() {
                    let (a, b) = (rungs[pair][chain], rungs[pair + 1][chain]);
                    (rungs[pair][chain], rungs[pair + 1][chain]) = (b, a);
                    done[pair] += 1;
                }
            }
            round += 1;
        }
        assert_eq!(masks(tempering.standing().unwrap()), rungs.concat(), "step {step}");
    }
    let rates = done.map(|n| f64::from(n) / (3.0 * chains as f64));
    assert_eq!(tempering.swap_rates(), rates);
}

#[test]
fn one_rung_is_pcd() {
    let data = batch(3, &ROWS);
    let options = Fit { epochs: 4, batch: 2, learning_rate: Schedule::Constant(0.1), ..Fit::default() };
    let trained = |estimator: &mut dyn Estimator<Rbm>| {
        let mut rbm = Rbm::for_data(&data, Units::Bernoulli(3), key(2)).unwrap();
        fit(&mut rbm, &data, estimator, &options, key(3), &mut Silent).unwrap();
        rbm.digest()
    };
    let pcd = trained(&mut Pcd::new(1, 20));
    assert_eq!(trained(&mut Tempering::new(1, 20, Ladder::Betas(vec![1.0]))), pcd);
    assert_ne!(trained(&mut Tempering::new(1, 20, Ladder::Betas(vec![1.0, 0.5]))), pcd, "the control");
}

/// Makes a machine of two modes, all units on and all off, so far apart that sweeps at β = 1 do not cross.
fn two_modes() -> Rbm {
    let (visible, hidden, coupling) = (6, 4, 2.5);
    let mut x = Exact::normal(visible, hidden, 0.0, &mut Rng::new(1));
    x.weights.fill(coupling);
    x.visible_bias.fill(-coupling * hidden as f64 / 2.0);
    x.hidden_bias.fill(-coupling * visible as f64 / 2.0);
    common::library(&x)
}

/// Gives Σ p(x) q(y) (1 − acceptance) of neighbours, by enumeration.
fn exact_rejections(x: &Exact, betas: &[f32]) -> Vec<f64> {
    let energies: Vec<f64> = minus_energies(x).iter().map(|e| -e).collect();
    let law = |beta: f32| joint_distribution(&x.tempered(f64::from(beta)));
    let rejected = |pair: &[f32]| -> f64 {
        let (p, q) = (law(pair[0]), law(pair[1]));
        let row = |a: usize| -> f64 {
            (0..q.len())
                .map(|b| q[b] * (1.0 - acceptance([pair[0], pair[1]], [energies[a], energies[b]])))
                .sum()
        };
        (0..p.len()).map(|a| p[a] * row(a)).sum()
    };
    betas.windows(2).map(rejected).collect()
}

/// A rate is a mean over 4000 ladders that walk apart, of numbers in [0, 1]: its deviation is at most 0.008, four of them
/// 0.032. About even shares, a pair's new share is off by the error of its own rate less that of their mean, twice that at
/// most. Controls: the even ladder it began with is far out, and PCD at β = 1 stays in the mode where chains start.
#[test]
fn an_adapted_ladder_swaps_alike_everywhere() {
    const CHAINS: usize = 4000;
    let (noise, rbm) = (4.0 * 0.5 / (CHAINS as f64).sqrt(), two_modes());
    let (x, even) = (exact(&rbm), Ladder::Even { rungs: 6, lowest: 0.0 });
    let walked = |estimator: &mut dyn Estimator<Rbm>, steps: std::ops::Range<u64>| {
        let mut phases = Phases::new(rbm.stats());
        for step in steps {
            phases.clear();
            let at = Address::new(key(8), step);
            estimator.estimate(&rbm, &batch(6, &ROWS), 1, at, &mut phases).unwrap();
        }
        common::means(&phases.negative, &rbm)
    };
    let off_the_mean = |rates: &[f64]| {
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        rates.iter().map(|rate| (rate - mean).abs()).fold(0.0, f64::max)
    };
    let mut tempering = Tempering::new(1, CHAINS, even.clone());
    tempering.adapt = 200;
    walked(&mut tempering, 0..128);
    let betas = tempering.betas();
    let last = walked(&mut tempering, 128..300);
    assert_eq!(tempering.betas(), betas, "the burn-in is over");
    assert_eq!((betas[0], betas[5]), (1.0, 0.0));
    assert!(off_the_mean(&exact_rejections(&x, &betas)) <= 2.0 * noise, "{betas:?}");
    assert!(off_the_mean(&tempering.swap_rates()) <= 3.0 * noise, "{:?}", tempering.swap_rates());
    assert!(off_the_mean(&exact_rejections(&x, &even.betas())) > 6.0 * noise, "the control");
    let law = visible_distribution(&x);
    let (expected, deviations) = (statistics(&x, &law).entries(), deviations(&x, &law));
    let bound =
        |n: usize| z_star(34) * deviations[n] / (CHAINS as f64).sqrt() + tau_g(&x) + 172.0 * tau_sweep(&x);
    (0..last.len()).for_each(|n| close(last[n], expected[n], bound(n), ("the law of the model", n)));
    let alone = walked(&mut Pcd::new(1, CHAINS), 0..300);
    assert!((alone[0] - expected[0]).abs() > 5.0 * bound(0), "PCD crosses as well: {}", alone[0]);
}

#[test]
fn adapted_ladders_that_do_not_fit_are_refused() {
    let rbm = model(3, 2, 1.0, 31);
    let refused = |betas: &[f32], ladder: Option<&[u64]>| {
        let mut tempering = Tempering::new(1, 5, Ladder::Betas(vec![1.0, 0.5, 0.2]));
        tempering.adapt = 4;
        let kept =
            Kept::default().with_chains(Some(&coins(15, 3, 1).into())).with_counts("swaps", &[6, 1, 2]);
        let kept = kept.with_reals("betas", &[betas.len()], betas);
        let kept = ladder.map_or_else(|| kept.clone(), |counts| kept.clone().with_counts("ladder", counts));
        Estimator::<Rbm>::restore(&mut tempering, &rbm, kept)
            .map_or_else(|e| e.to_string(), |()| "taken".into())
    };
    assert_eq!(refused(&[1.0, 0.6, 0.2], Some(&[4, 2])), "taken");
    assert_eq!(refused(&[1.0, 0.6, 0.2], None), "ladder: expected the ladder that was adapted, got none");
    assert!(refused(&[1.0, 0.6], Some(&[4, 2])).starts_with("betas: expected numbers of shape [3]"));
    assert!(refused(&[1.0, 0.6, 0.7], Some(&[4, 2])).starts_with("ladder: expected 1 to 1000 values"));
    assert_eq!(
        refused(&[1.0, 0.6, 0.2], Some(&[4, 7])),
        "ladder: expected a change before the last round, got 7"
    );
}

#[test]
fn options_and_leftovers_out_of_range_are_named() {
    let say = |ladder| Tempering::new(1, 5, ladder).check().unwrap_err().to_string();
    assert!(say(Ladder::Even { rungs: 0, lowest: 0.5 }).starts_with("rungs: expected 1 to 1000, got 0"));
    assert!(
        say(Ladder::Even { rungs: 5, lowest: 1.0 }).starts_with("lowest beta: expected 0 to below 1, got 1")
    );
    assert!(say(Ladder::Even { rungs: 5, lowest: f32::NAN }).starts_with("lowest beta"));
    for bad in [vec![], vec![0.9], vec![1.0, 1.0], vec![1.0, 0.5, 0.6], vec![1.0, -0.1], vec![1.0, f32::NAN]]
    {
        assert!(say(Ladder::Betas(bad.clone())).starts_with("ladder: expected"), "{bad:?}");
    }
    assert!(Tempering::new(1, 200_000, Ladder::default()).check().is_err(), "too many chains in all");
    assert_eq!(Ladder::Even { rungs: 3, lowest: 0.5 }.betas(), [1.0, 0.75, 0.5]);
    assert_eq!(Ladder::Even { rungs: 1, lowest: 0.5 }.betas(), [1.0]);
    let rbm = model(3, 2, 1.0, 31);
    let refused = |kept: Kept| {
        let mut tempering = Tempering::new(1, 5, Ladder::Betas(vec![1.0, 0.5]));
        Estimator::<Rbm>::restore(&mut tempering, &rbm, kept).unwrap_err().to_string()
    };
    let chains = |n, units| Kept::default().with_chains(Some(&coins(n, units, 1).into()));
    assert_eq!(refused(chains(5, 3)), "chains: expected 10 chains, got 5 chains");
    assert_eq!(refused(chains(10, 3)), "swaps: expected counters beside chains, got chains alone");
    let all = |units, counts: &[u64]| chains(10, units).with_counts("swaps", counts);
    assert!(refused(all(4, &[1, 1])).starts_with("chains: expected 3 units"));
    assert_eq!(refused(all(3, &[1])), "swaps: expected 2 counters, got counters of shape [1]");
}
