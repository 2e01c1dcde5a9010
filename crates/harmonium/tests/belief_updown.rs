//! Proves one step of up-down against its expectation by enumeration: wake, the top machine, sleep.

mod common;

use std::ops::ControlFlow;

use common::law::entries;
use common::{batch, close, exact, key, model};
use harmonium::dbn::stack::{Dbn, Progress, Stacking, UpDown};
use harmonium::rbm::{Classifier, Rbm};
use harmonium::train::Schedule;
use harmonium::units::Units;
use harmonium::{Batch, HasParams};
use harmonium_oracle::belief::Belief;
use harmonium_oracle::math::sigmoid;
use harmonium_oracle::stats::ALPHA;

const ROWS: usize = 120_000;
/// Rows of each visible state among 16.
const SHARES: [(u64, usize); 3] = [(0b0110, 60_000), (0b1011, 36_000), (0b0001, 24_000)];

/// Makes a stack of 4, 3, 2 and 3 units whose recognition weights are others than its generative ones, with a label or without.
fn stack(classes: usize) -> Dbn {
    let [a, b, top] = [(4, 3, 1), (3, 2, 2), (2 + classes, 3, 3)].map(|(v, h, seed)| model(v, h, 1.0, seed));
    let dbn = match classes {
        0 => Dbn::from_rbms(vec![a, b, top]),
        classes => Dbn::with_labels(vec![a, b], Classifier::from_rbm(top, classes).unwrap()),
    };
    dbn.unwrap().with_recognition(vec![model(4, 3, 1.0, 11), model(3, 2, 1.0, 12)]).unwrap()
}

fn oracle(dbn: &Dbn) -> Belief {
    let (generative, recognition) = (dbn.rbms(), dbn.recognisers().unwrap());
    Belief {
        generative: generative[..2].iter().map(|rbm| exact(rbm)).collect(),
        recognition: recognition[..2].iter().map(exact).collect(),
        top: exact(generative[2]),
        classes: dbn.classes().unwrap_or(0),
    }
}

fn data() -> Batch {
    let rows: Vec<u64> = SHARES.iter().flat_map(|&(v, n)| std::iter::repeat_n(v, n)).collect();
    batch(4, &rows)
}

/// The label of a row says whether its first unit is on.
fn label(v: u64) -> usize {
    (v & 1) as usize
}

fn law() -> Vec<f64> {
    let mut law = vec![0.0; 16];
    SHARES.iter().for_each(|&(v, n)| law[v as usize] = n as f64 / ROWS as f64);
    law
}

/// Gives the law of what the top machine sees of the data, its label included.
fn seen(exact: &Belief) -> Vec<f64> {
    let mut out = vec![0.0; 1 << exact.top.visible];
    for (v, n) in SHARES {
        let mut row = vec![0.0; 16];
        row[v as usize] = n as f64 / ROWS as f64;
        let own = if exact.classes > 0 { 1 << (2 + label(v)) } else { 0 };
        exact.upwards(row, 2).into_iter().enumerate().for_each(|(x, p)| out[x | own] += p);
    }
    out
}

/// Does one update with η = 1 on all rows.
fn step(dbn: &Dbn, chains: usize, k: usize) -> Dbn {
    let options = UpDown {
        epochs: 1,
        batch: ROWS,
        learning_rate: Schedule::Constant(1.0),
        k: Schedule::Constant(k as f64),
        chains,
        ..UpDown::default()
    };
    let labels: Vec<Option<usize>> =
        SHARES.iter().flat_map(|&(v, n)| std::iter::repeat_n(Some(label(v)), n)).collect();
    let labels = dbn.classes().map(|_| &labels[..]);
    let mut stacking = Stacking::tuning(dbn, options).unwrap();
    stacking.run(&data(), labels, key(5), &mut |_| ControlFlow::Continue(())).unwrap();
    stacking.finish().unwrap()
}

/// Gives before − after: the gradient, where η = 1. `bias` is the block that moved beside the weights.
fn moved(before: &Rbm, after: &Rbm, bias: usize) -> Vec<f64> {
    let weights = before.weights().into_iter().zip(after.weights()).map(|(a, b)| f64::from(a) - f64::from(b));
    let (old, new) = (before.blocks()[bias].values.to_vec(), after.blocks()[bias].values.to_vec());
    weights.chain(old.into_iter().zip(new).map(|(a, b)| f64::from(a) - f64::from(b))).collect()
}

/// Hoeffding's bound for means of `ROWS` numbers between −1 and 1, 60 of them; grids, 16-bit means and f32 lose less than 1e-4.
fn tau() -> f64 {
    2.0 * ((2.0 * 60.0 / ALPHA).ln() / (2.0 * ROWS as f64)).sqrt() + 1e-4
}

#[track_caller]
fn agree(found: &[f64], expected: &[f64], place: &str) {
    assert_eq!(found.len(), expected.len(), "{place}");
    found.iter().zip(expected).enumerate().for_each(|(n, (&a, &b))| close(a, b, tau(), (place, n)));
    // A step that did nothing would agree with no step of this size.
    assert!(expected.iter().any(|g| g.abs() > 3.0 * tau()), "{place}: too small to tell");
}

/// Checks all gradients of one update whose chains begin at states of this law.
fn steps_follow(classes: usize, chains: usize, k: usize, start: impl Fn(&Belief) -> Vec<f64>) {
    let before = stack(classes);
    let (after, exact) = (step(&before, chains, k), oracle(&before));
    let end = (0..k).fold(start(&exact), |law, _| exact.swept(&law));
    let mut dreamt = vec![0.0; 4];
    end.iter().enumerate().for_each(|(x, p)| dreamt[x & 3] += p);
    for layer in 0..2 {
        let (old, new) = (before.rbms()[layer], after.rbms()[layer]);
        agree(&moved(old, new, 1), &exact.wake(&law(), layer), &format!("wake {layer}"));
        assert_eq!(old.hidden_bias(), new.hidden_bias());
        let (old, new) = (before.recognisers().unwrap(), after.recognisers().unwrap());
        agree(&moved(&old[layer], &new[layer], 2), &exact.sleep(&dreamt, layer), &format!("sleep {layer}"));
        assert_eq!(old[layer].visible_bias(), new[layer].visible_bias());
    }
    let mut top = vec![0.0; exact.top.parameters()];
    for (x, (p, q)) in seen(&exact).iter().zip(&end).enumerate() {
        let all = entries(&exact.top, x as u64);
        top.iter_mut().zip(all).for_each(|(sum, entry)| *sum += (q - p) * entry);
    }
    let (old, new) = (before.rbms()[2], after.rbms()[2]);
    let found = [moved(old, new, 1), moved(old, new, 2)[exact.top.weights.len()..].to_vec()].concat();
    agree(&found, &top, "top");
}

#[test]
fn steps_with_chains_from_the_data_have_their_expectation() {
    for (classes, k) in [(0, 1), (0, 2), (2, 1), (2, 2)] {
        steps_follow(classes, 0, k, seen);
    }
}

/// Fresh chains follow the visible biases; a label is drawn as one class.
#[test]
fn steps_with_persistent_chains_have_their_expectation() {
    let fresh = |exact: &Belief| {
        let bias = &exact.top.visible_bias;
        let total: f64 = bias[2..].iter().map(|d| d.exp()).sum();
        let of = |x: usize| {
            let bits = (0..2).map(|i| if x >> i & 1 == 1 { sigmoid(bias[i]) } else { sigmoid(-bias[i]) });
            match (exact.classes, x >> 2) {
                (0, _) => bits.product::<f64>(),
                (_, y) if y.is_power_of_two() => {
                    bits.product::<f64>() * bias[2 + y.trailing_zeros() as usize].exp() / total
                }
                _ => 0.0,
            }
        };
        (0..1 << exact.top.visible).map(of).collect::<Vec<f64>>()
    };
    steps_follow(0, ROWS, 1, fresh);
    steps_follow(2, ROWS, 1, fresh);
}

/// Strong couplings keep chains apart that draw the same numbers, so that chains that began anew would show.
#[test]
fn persistent_chains_go_on_where_they_stood() {
    let [first, top] = [(4, 6, 1), (6, 6, 2)].map(|(v, h, seed)| common::balanced(v, h, 4.0, seed));
    let dbn = Dbn::from_rbms(vec![first, top]).unwrap();
    let options =
        UpDown { epochs: 3, batch: 10, chains: 50, k: Schedule::Constant(1.0), ..UpDown::default() };
    let rows = batch(4, &[1, 2, 3, 7, 9, 12, 15, 8, 0, 4, 5, 6, 10, 11, 13]);
    let run = |stop: u64| {
        let mut stacking = Stacking::tuning(&dbn, options.clone()).unwrap();
        for stop in [stop, u64::MAX] {
            let mut watch = |progress: &Progress<'_>| {
                if progress.step == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            stacking.run(&rows, None, key(5), &mut watch).unwrap();
        }
        stacking.finish().unwrap().digest()
    };
    let expected = run(u64::MAX);
    assert!((1..6).all(|stop| run(stop) == expected));
}

/// No epoch changes nothing, not even that the weights are tied.
#[test]
fn no_epoch_leaves_the_stack_as_it_is() {
    let machine = |v, h, seed| model(v, h, 1.0, seed);
    let dbn = Dbn::from_rbms(vec![machine(4, 3, 1), machine(3, 2, 2)]).unwrap();
    let mut stacking = Stacking::tuning(&dbn, UpDown { epochs: 0, ..UpDown::default() }).unwrap();
    stacking.run(&data(), None, key(5), &mut |_| ControlFlow::Continue(())).unwrap();
    let out = stacking.finish().unwrap();
    assert_eq!((out.digest(), out.is_untied()), (dbn.digest(), false));
}

/// Steps of kinds other than bits go on without a fault: real data, spins in between, a rectified top.
#[test]
fn other_units_take_steps_too() {
    let rows =
        Batch::reals(ndarray::Array2::from_shape_fn((50, 3), |(r, u)| (r * (u + 2) % 7) as f32)).unwrap();
    let first = Rbm::fitted(Units::Gaussian(3), &rows, Units::Spin(4), key(1)).unwrap();
    let second = Rbm::new(Units::Spin(4), Units::Categorical { units: 2, classes: 3 }, key(2)).unwrap();
    let top = Rbm::new(Units::Categorical { units: 2, classes: 3 }, Units::Relu(3), key(3)).unwrap();
    let dbn = Dbn::from_rbms(vec![first, second, top]).unwrap();
    let options = UpDown { epochs: 3, batch: 20, chains: 7, ..UpDown::default() };
    let mut stacking = Stacking::tuning(&dbn, options).unwrap();
    stacking.run(&rows, None, key(5), &mut |_| ControlFlow::Continue(())).unwrap();
    let out = stacking.finish().unwrap();
    assert_ne!(out.digest(), dbn.digest());
    assert!(out.transform(&rows, 3).unwrap().iter().all(|x| x.is_finite()));
}
