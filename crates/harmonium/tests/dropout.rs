//! Proves that dropout gives the mean gradient of thinned machines, and that none changes no bit.

mod common;

use std::ops::ControlFlow;

use common::{batch, coins, key, model};
use harmonium::address::Address;
use harmonium::persist::{Kind, Loaded};
use harmonium::rbm::{Dropout, Origin, Parts, Rbm};
use harmonium::stats::Phases;
use harmonium::train::{
    Cd, Estimator, FastPcd, Fit, Ladder, Pcd, Silent, Snapshot, Step, Tempering, Training, fit,
};
use harmonium::units::{Units, unpack};
use harmonium::{Batch, BitMatrix, EnergyModel, HasParams, Params, purpose};
use harmonium_oracle::stats::z_star;

const ROWS: [u64; 4] = [0b0011, 0b1100, 0b0101, 0b0111];

/// Sums over all v and all h within a mask, in f64: ⟨v h⟩, ⟨v⟩, ⟨h⟩ of the data less those of the machine.
fn thinned(rbm: &Rbm, mask: usize) -> [Vec<f64>; 3] {
    let (nv, nh) = (rbm.visible_units(), rbm.hidden_units());
    let w = rbm.weights();
    let bit = |states: usize, unit: usize| f64::from(u8::from(states >> unit & 1 == 1));
    let log_weight = |v: usize, h: usize| {
        let mut sum = 0.0;
        for i in 0..nv {
            sum += bit(v, i) * f64::from(rbm.visible_bias()[i]);
            sum += (0..nh).map(|j| bit(v, i) * f64::from(w[(i, j)]) * bit(h, j)).sum::<f64>();
        }
        sum + (0..nh).map(|j| bit(h, j) * f64::from(rbm.hidden_bias()[j])).sum::<f64>()
    };
    let hidden: Vec<usize> = (0..1 << nh).filter(|h| h & !mask == 0).collect();
    let mut out = [vec![0.0; nv * nh], vec![0.0; nv], vec![0.0; nh]];
    let mut add = |v: usize, h: usize, p: f64| {
        for i in 0..nv {
            out[1][i] -= p * bit(v, i);
            (0..nh).for_each(|j| out[0][i * nh + j] -= p * bit(v, i) * bit(h, j));
        }
        (0..nh).for_each(|j| out[2][j] -= p * bit(h, j));
    };
    for v in ROWS {
        let v = v as usize;
        let z: f64 = hidden.iter().map(|&h| log_weight(v, h).exp()).sum();
        hidden.iter().for_each(|&h| add(v, h, log_weight(v, h).exp() / z / ROWS.len() as f64));
    }
    let all = || (0..1 << nv).flat_map(|v| hidden.iter().map(move |&h| (v, h)));
    let z: f64 = all().map(|(v, h)| log_weight(v, h).exp()).sum();
    all().for_each(|(v, h)| add(v, h, -log_weight(v, h).exp() / z));
    out
}

/// Averages the exact gradients over all masks, each with its probability.
fn expected(rbm: &Rbm, rate: f64) -> [Vec<f64>; 3] {
    let mut out = [0, 1, 2].map(|block| vec![0.0; rbm.blocks()[block].values.len()]);
    for mask in 0..1_usize << rbm.hidden_units() {
        let kept = mask.count_ones() as i32;
        let p = (1.0 - rate).powi(kept) * rate.powi(rbm.hidden_units() as i32 - kept);
        for (sum, part) in out.iter_mut().zip(thinned(rbm, mask)) {
            sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += p * x);
        }
    }
    out
}

fn estimate<E: Estimator<Rbm>>(rbm: &Rbm, mut estimator: E, data: &Batch, k: u32) -> Params {
    let mut phases = Phases::new(rbm.stats());
    let estimate = estimator.estimate(rbm, data, k, Address::new(key(8), 3), &mut phases).unwrap();
    estimate.gradient(rbm, &phases)
}

/// Long chains from 80,000 rows: an entry is a difference of two means of numbers from 0 to 1, σ ≤ ½ √2 / √80,000 = 0.0025;
/// the bound is 4.5σ of 19 entries.
#[test]
fn the_gradient_is_the_mean_of_thinned_machines() {
    let rbm = model(4, 3, 1.0, 6);
    let data = batch(4, &ROWS.repeat(20_000));
    for rate in [0.3, 0.5] {
        let expected = expected(&rbm, f64::from(rate));
        let none = self::expected(&rbm, 0.0);
        let cd = estimate(&rbm, Dropout::new(rate, Cd::new(30)), &data, 30);
        let pcd = estimate(&rbm, Dropout::new(rate, Pcd::new(30, 80_000)), &data, 30);
        let mut off_none = 0.0_f64;
        for (block, expected) in expected.iter().enumerate() {
            for (at, &expected) in expected.iter().enumerate() {
                for gradient in [&cd, &pcd] {
                    let got = f64::from(gradient.tensors()[block].values[at]);
                    assert!((got - expected).abs() < 4.5 * 0.0025, "{rate}: {got} for {expected}");
                }
                off_none = off_none.max((none[block][at] - expected).abs());
            }
        }
        assert!(off_none > 0.03, "the bound tells dropout from none: {off_none}");
    }
}

fn options() -> Fit {
    Fit { epochs: 3, batch: 25, ..Fit::default() }
}

fn data(units: &Units) -> Batch {
    match units {
        Units::Gaussian(n) => Batch::reals(unpack(&coins(60, *n, 4))).unwrap(),
        _ => Batch::from_bits(coins(60, 70, 4)).unwrap(),
    }
}

fn trained<E: Estimator<Rbm>>(units: &Units, mut estimator: E) -> Rbm {
    let data = data(units);
    let mut rbm = Rbm::fitted(units.clone(), &data, Units::Bernoulli(33), key(5)).unwrap();
    fit(&mut rbm, &data, &mut estimator, &options(), key(2), &mut Silent).unwrap();
    rbm
}

#[test]
fn a_rate_of_zero_changes_no_bit() {
    for units in [Units::Bernoulli(70), Units::Spin(70), Units::Gaussian(70)] {
        assert_eq!(trained(&units, Dropout::new(0.0, Cd::new(2))), trained(&units, Cd::new(2)));
        assert_eq!(trained(&units, Dropout::new(0.0, Pcd::new(1, 9))), trained(&units, Pcd::new(1, 9)));
        assert!(trained(&units, Dropout::new(0.5, Cd::new(2))) != trained(&units, Cd::new(2)));
    }
    let ladder = || Tempering::new(1, 5, Ladder::default());
    assert_eq!(
        trained(&Units::Bernoulli(70), Dropout::new(0.0, ladder())),
        trained(&Units::Bernoulli(70), ladder())
    );
    let fast = FastPcd::new(1, 9);
    assert_eq!(
        trained(&Units::Bernoulli(70), Dropout::new(0.0, fast.clone())),
        trained(&Units::Bernoulli(70), fast)
    );
}

fn snapshots(dropout: &mut Dropout<Pcd>) -> (Rbm, Vec<Snapshot>) {
    let data = data(&Units::Bernoulli(70));
    let mut rbm = Rbm::for_data(&data, Units::Bernoulli(33), key(5)).unwrap();
    let mut kept = Vec::new();
    let mut keep = |step: &Step<'_, Rbm>| {
        kept.push(step.snapshot());
        ControlFlow::Continue(())
    };
    fit(&mut rbm, &data, dropout, &options(), key(2), &mut keep).unwrap();
    (rbm, kept)
}

#[test]
fn a_training_resumed_after_any_step_ends_alike() {
    let fresh = || Dropout::new(0.4, Pcd::new(1, 9));
    let (end, kept) = snapshots(&mut fresh());
    for snapshot in &kept {
        let (header, tensors) = end.to_checkpoint(snapshot, &Origin::default());
        let loaded = Loaded { kind: Kind::Checkpoint, header, tensors };
        let (mut rbm, back, _) = Rbm::from_checkpoint(loaded).unwrap();
        let (data, mut dropout) = (data(&Units::Bernoulli(70)), fresh());
        let mut training = Training::new(&rbm, &data, &options()).unwrap();
        training.restore(&mut rbm, &mut dropout, &back).unwrap();
        training.run(&mut rbm, &data, &mut dropout, key(2), &mut Silent).unwrap();
        assert!(
            rbm.digest() == end.digest() && training.snapshot(&rbm, &dropout) == kept[8],
            "{}",
            back.step
        );
    }
}

#[test]
fn threads_change_no_bit() {
    let of = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| snapshots(&mut Dropout::new(0.5, Pcd::new(2, 20))).1)
    };
    let expected = of(1);
    assert!([2, 3, 7].into_iter().all(|threads| of(threads) == expected));
}

#[test]
fn the_machine_of_the_mean_sends_less() {
    let rbm = model(4, 3, 1.0, 6);
    let mean = Dropout::new(0.25, Cd::new(1)).expected(&rbm).unwrap();
    let off = (&mean.weights() - &(&rbm.weights() * 0.75)).iter().fold(0.0, |most: f32, x| most.max(x.abs()));
    assert!(off < 1e-5 && mean.hidden_bias() == rbm.hidden_bias());
}

#[test]
fn what_does_not_fit_is_refused() {
    let data = data(&Units::Bernoulli(70));
    for rate in [-0.1, 1.0, f32::NAN] {
        let dropout = Dropout::new(rate, Cd::new(1));
        assert!(Estimator::<Rbm>::check(&dropout).unwrap_err().to_string().contains("dropout rate"));
        assert!(dropout.expected(&model(4, 3, 1.0, 6)).is_err());
    }
    let mut spins = Rbm::new(Units::Bernoulli(70), Units::Spin(5), key(1)).unwrap();
    let refusal = fit(&mut spins, &data, &mut Dropout::new(0.5, Cd::new(1)), &options(), key(1), &mut Silent);
    assert!(refusal.unwrap_err().to_string().contains("Bernoulli hidden units"));
}

/// What is missing is drawn given the hidden units that the row's mask leaves: one hidden unit ties two visible ones to each other,
/// and half of the rows are without it. The share of 20,000 rows whose missing unit is on has a deviation of at most
/// √(¼ / 20,000); the whole machine's share is 50 of these away.
#[test]
fn gaps_are_filled_by_the_thinned_machine() {
    let rbm = Rbm::from_parts(Parts {
        weights: ndarray::array![[4.0], [4.0]],
        visible_bias: ndarray::array![-2.0, -2.0],
        hidden_bias: ndarray::array![-4.0],
    })
    .unwrap();
    let n = 20_000;
    let missing = BitMatrix::from_fn(n, 2, |_, unit| unit == 1);
    let data = batch(2, &vec![0b01; n]).masked(missing);
    let at = Address::new(key(3), 0);
    let filled = Dropout::new(0.5, Cd::new(1)).complete(&rbm, &data, 20, at).into_owned();
    let share = filled.bits().unwrap().count_by_unit()[1] as f64 / n as f64;
    // p(v = 1 | other is on), with the hidden unit: e^-2 (1 + e^(8 − 4)) against 1 + e^(4 − 4); without it e^-2 against 1.
    let (alone, with, without) = ((-2.0_f64).exp(), 1.0 + 4.0_f64.exp(), 2.0);
    let [tied, free] = [alone * with / without, alone].map(|odds| odds / (1.0 + odds));
    let expected = f64::midpoint(tied, free);
    assert!((share - expected).abs() < z_star(1) * (0.25 / n as f64).sqrt(), "{share} and {expected}");
    let (whole, none) = (rbm.complete(&data, 20, at.key(purpose::COMPLETE)), Dropout::new(0.0, Cd::new(1)));
    assert_eq!(none.complete(&rbm, &data, 20, at), whole, "no dropout, no change");
}
