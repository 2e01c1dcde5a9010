//! Proves fast PCD (oracle O7): chains run on W + F, F follows its rule, and without a rate it is PCD.

mod common;

use common::law::deviations;
use common::tolerance::{tau_g, tau_sweep};
use common::{batch, bits, close, exact, key, library, model};
use harmonium::address::Address;
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{Estimator, FastPcd, Fit, Kept, Method, Pcd, Schedule, Silent, fit};
use harmonium::units::Units;
use harmonium::{EnergyModel, HasParams, Params};
use harmonium_oracle::gradient::{Gradient, statistics};
use harmonium_oracle::likelihood::empirical;
use harmonium_oracle::stats::z_star;
use harmonium_oracle::transition::Conditionals;

const ROWS: [u64; 5] = [0b0011, 0b0011, 0b1100, 0b1101, 0];
const CHAINS: usize = 100_000;

fn contrast(rbm: &Rbm, phases: &Phases) -> Params {
    let mut out = rbm.params();
    phases.contrast(&mut out);
    out
}

fn entries(params: &Params) -> Vec<f64> {
    params.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

/// Fast parameters of another seed and chains of known states, as a checkpoint would hold them.
fn kept(fast: &Rbm) -> Kept {
    let starts: Vec<u64> = ROWS.into_iter().cycle().take(CHAINS).collect();
    let kept = Kept::default().with_chains(Some(&bits(4, &starts).into()));
    let blocks = fast.params();
    let add = |kept: Kept, t: &harmonium::params::Tensor| {
        kept.with_reals(&format!("fast/{}", t.name), &t.shape, &t.values)
    };
    blocks.tensors().iter().fold(kept, add)
}

/// The sum of two machines' parameters.
fn sum(a: &Rbm, b: &Rbm) -> Rbm {
    let (mut x, y) = (exact(a), exact(b));
    let all = [&y.weights[..], &y.visible_bias, &y.hidden_bias].concat();
    all.iter().enumerate().for_each(|(n, y)| *x.parameter_mut(n) += y);
    library(&x)
}

/// The chains have made k sweeps of W + F from known states, and their statistics are those of W + F. Both machines lie
/// on fine grids, so their sum does too up to 2⁻¹⁸ an entry, which moves a probability by less than τ_T's 3u · 2⁸ …
/// hence the 1e-4 that stands beside the bound; F moves the means by a hundred times that (the control).
#[test]
fn chains_run_on_the_sum_of_both() {
    for seed in 0..4 {
        let (rbm, fast) = (model(4, 3, 1.0, 900 + seed), model(4, 3, 1.0, 950 + seed));
        let hastened = exact(&sum(&rbm, &fast));
        for k in [1, 2] {
            let mut estimator = FastPcd::new(k, CHAINS);
            Estimator::<Rbm>::restore(&mut estimator, &rbm, kept(&fast)).unwrap();
            let mut phases = Phases::new(rbm.stats());
            let at = Address::new(key(seed), 3);
            estimator.estimate(&rbm, &batch(4, &ROWS), k, at, &mut phases).unwrap();
            let got = entries(&contrast(&rbm, &phases));
            let data = empirical(4, &ROWS, None);
            let expected = |x| {
                let law = Conditionals::of(x).visible_sweep().after(k as usize, &data);
                let mut out: Gradient = statistics(x, &law);
                out.add(-1.0, &statistics(&exact(&rbm), &data));
                (out.entries(), deviations(x, &law))
            };
            let (means, deviations) = expected(&hastened);
            let noise = |n: usize| z_star(200) * deviations[n] / (CHAINS as f64).sqrt();
            let bias = tau_g(&hastened) + 2.0 * f64::from(k) * tau_sweep(&hastened) + 1e-4;
            for n in 0..got.len() {
                close(got[n], means[n], noise(n) + bias, (seed, k, n));
            }
            let alone = expected(&exact(&rbm)).0;
            let far = |n: usize| (got[n] - alone[n]).abs() > 4.0 * (noise(n) + bias);
            assert!((0..got.len()).any(far), "{seed}: the control does not see F");
        }
    }
}

/// F ← decay · F − rate · g, bit for bit in f32, from g as the phases have it.
#[test]
fn fast_parameters_follow_their_rule() {
    let rbm = model(4, 3, 1.0, 31);
    let mut estimator = FastPcd::new(1, 50);
    (estimator.rate, estimator.decay) = (0.3, 0.9);
    let mut expected = rbm.params().zeros_like();
    for step in 0..5 {
        let mut phases = Phases::new(rbm.stats());
        estimator.estimate(&rbm, &batch(4, &ROWS), 1, Address::new(key(1), step), &mut phases).unwrap();
        let gradient = contrast(&rbm, &phases);
        for (f, g) in expected.tensors_mut().iter_mut().zip(gradient.tensors()) {
            f.values.iter_mut().zip(&g.values).for_each(|(f, g)| *f = *f * 0.9 - g * 0.3);
        }
        assert_eq!(estimator.fast(), Some(&expected), "step {step}");
    }
}

#[test]
fn without_a_rate_it_is_pcd() {
    let options = Fit { epochs: 4, batch: 2, learning_rate: Schedule::Constant(0.1), ..Fit::default() };
    let options = Fit { method: Method::adam(), ..options };
    let trained = |estimator: &mut dyn Estimator<Rbm>| {
        let data = batch(4, &ROWS);
        let mut rbm = Rbm::for_data(&data, Units::Bernoulli(3), key(2)).unwrap();
        fit(&mut rbm, &data, estimator, &options, key(3), &mut Silent).unwrap();
        rbm.digest()
    };
    let mut fast = FastPcd::new(2, 20);
    let hurried = trained(&mut fast.clone());
    fast.rate = 0.0;
    assert_eq!(trained(&mut fast), trained(&mut Pcd::new(2, 20)));
    assert_ne!(hurried, trained(&mut fast), "the control sees no rate");
}

#[test]
fn options_and_leftovers_out_of_range_are_named() {
    let say = |change: fn(&mut FastPcd)| {
        let mut fast = FastPcd::new(1, 5);
        change(&mut fast);
        fast.check().unwrap_err().to_string()
    };
    assert!(say(|f| f.chains = 0).starts_with("chains: expected 1 to"));
    assert!(say(|f| f.rate = -0.1).starts_with("fast rate: expected a number in 0..1, got -0.1"));
    assert!(say(|f| f.rate = f32::NAN).starts_with("fast rate"));
    assert!(say(|f| f.decay = 1.0).starts_with("fast decay"));
    let rbm = model(4, 3, 1.0, 31);
    let refused =
        |kept: Kept| Estimator::<Rbm>::restore(&mut FastPcd::new(1, 5), &rbm, kept).unwrap_err().to_string();
    let chains = || Kept::default().with_chains(Some(&bits(4, &ROWS).into()));
    assert_eq!(refused(chains()), "fast parameters: expected all of them beside the chains, got 0");
    let odd = chains().with_reals("fast/weights", &[3, 4], &[0.0; 12]);
    assert_eq!(refused(odd), "fast/weights: expected numbers of shape [4, 3], got numbers of shape [3, 4]");
    let other = chains().with_counts("swaps", &[1]);
    assert_eq!(refused(other), "swaps: expected none for fast PCD, got counters of shape [1]");
}
