//! Proves the features and predictions of belief networks against their formulas, and what they refuse.

mod common;

use common::tolerance::{TAU_0, U, rounding, tau_p};
use common::{all_close, batch, close, every, exact, key, model};
use harmonium::data::{Drawn, Table};
use harmonium::dbn::MAX_LAYERS;
use harmonium::dbn::stack::{
    Bounding, Dbn, Greedy, Inferred, Learner, Recipe, Sampling, Stacking, UpDown, train,
};
use harmonium::evaluate::{Annealing, Betas};
use harmonium::rbm::{Classifier, Rbm};
use harmonium::train::{Cd, Fit, Schedule};
use harmonium::units::Units;
use harmonium::{Batch, Error, Rows};
use harmonium_oracle::math::{log_sum_exp, sigmoid, softplus};
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::stats::{tv, tv_star};
use ndarray::Array2;
use std::ops::ControlFlow;

fn wide(values: &Array2<f32>, row: usize) -> Vec<f64> {
    values.row(row).iter().map(|&x| f64::from(x)).collect()
}

/// Gives c + Wᵀx of real x, and the sum of the magnitudes in it.
fn activations(machine: &Exact, x: &[f64]) -> Vec<(f64, f64)> {
    let of = |j: usize| {
        let terms = x.iter().enumerate().map(|(i, x)| x * machine.weight(i, j));
        let sizes: f64 = terms.clone().map(f64::abs).sum();
        (machine.hidden_bias[j] + terms.sum::<f64>(), sizes)
    };
    (0..machine.hidden).map(of).collect()
}

fn lower(units: &[usize], seed: u64) -> Vec<Rbm> {
    units.windows(2).enumerate().map(|(n, pair)| model(pair[0], pair[1], 1.0, seed + n as u64)).collect()
}

fn labelled_stack(units: &[usize], hidden: usize, classes: usize, seed: u64) -> Dbn {
    let top = model(units[units.len() - 1] + classes, hidden, 1.0, seed + 50);
    Dbn::with_labels(lower(units, seed), Classifier::from_rbm(top, classes).unwrap()).unwrap()
}

#[test]
fn features_are_means_of_means() {
    let dbn = Dbn::from_rbms(lower(&[6, 5, 4, 3], 1)).unwrap();
    let rows = batch(6, &every(6));
    assert_eq!(dbn.transform(&rows, 1).unwrap(), dbn.rbms()[0].transform(&rows).unwrap());
    for layer in 2..=3 {
        let (below, found) = (dbn.transform(&rows, layer - 1).unwrap(), dbn.transform(&rows, layer).unwrap());
        let machine = exact(dbn.rbms()[layer - 1]);
        for row in 0..64 {
            let all = activations(&machine, &wide(&below, row));
            for (j, (total, size)) in all.into_iter().enumerate() {
                let p = sigmoid(total);
                close(f64::from(found[(row, j)]), p, tau_p(size, total) + rounding(p), (layer, row, j));
            }
        }
    }
}

/// ln p(y | x) of real x: the sums of x are rounded as those of bits are, and adding U_y costs one rounding more.
#[test]
fn predictions_are_the_law_of_the_label() {
    for units in [&[5][..], &[5, 4], &[5, 4, 3]] {
        let dbn = labelled_stack(units, 4, 3, 9);
        let (rows, top) = (batch(5, &every(5)), dbn.classifier().unwrap());
        let seen = match units.len() {
            1 => rows.to_array(),
            depth => dbn.transform(&rows, depth - 1).unwrap(),
        };
        let (found, machine) = (dbn.predict_log_proba(&rows).unwrap(), exact(top.rbm()));
        let likeliest = dbn.predict(&rows).unwrap();
        for row in 0..32 {
            let x = wide(&seen, row);
            let score = |y: usize| {
                let mut with = x.clone();
                with.extend((0..3).map(|k| f64::from(u8::from(k == y))));
                let all = activations(&machine, &with);
                let tau: f64 =
                    all.iter().map(|(total, size)| U * (3.0 * size + 4.0 * total.abs() + 4.0)).sum();
                let bias = machine.visible_bias[x.len() + y];
                (bias + all.iter().map(|(total, _)| softplus(*total)).sum::<f64>(), tau)
            };
            let scores: Vec<(f64, f64)> = (0..3).map(score).collect();
            let total = log_sum_exp(&scores.iter().map(|s| s.0).collect::<Vec<_>>());
            let tau = 2.0 * scores.iter().map(|s| s.1).fold(TAU_0, f64::max);
            let expected: Vec<f64> = scores.iter().map(|s| s.0 - total).collect();
            all_close(&found.row(row).to_vec(), &expected, tau, (units, row));
            assert!(found.row(row).iter().all(|p| *p <= found[(row, likeliest[row])]));
        }
        if units.len() == 1 {
            let alone = top.predict_log_proba(&rows).unwrap();
            all_close(
                &found.iter().copied().collect::<Vec<_>>(),
                &alone.iter().copied().collect::<Vec<_>>(),
                1e-5,
                "top",
            );
        }
    }
}

/// Rows inferred of one row follow q of two layers, and other lists of rows draw anew.
#[test]
fn inferred_rows_are_draws_of_the_layer_above() {
    let machines = lower(&[5, 4, 3], 21);
    let (data, draws) = (batch(5, &[0b10110; 1]), 20_000);
    let rows = Inferred::new(&data, machines.iter().collect(), key(3));
    assert_eq!((rows.rows(), rows.units()), (1, 3));
    let drawn = rows.read(&vec![0; draws]).unwrap();
    let mut seen = [0.0; 8];
    drawn.bits().unwrap().words().iter().for_each(|&h| seen[h as usize] += 1.0 / draws as f64);
    let (first, second) = (exact(&machines[0]), exact(&machines[1]));
    let on = |p: &[f64], h: u64| -> f64 {
        p.iter().enumerate().map(|(j, p)| if h >> j & 1 == 1 { *p } else { 1.0 - p }).product()
    };
    let below = first.hidden_probabilities(0b10110);
    let of = |h2| (0..16).map(|h1| on(&below, h1) * on(&second.hidden_probabilities(h1), h2)).sum::<f64>();
    let expected: Vec<f64> = (0..8).map(of).collect();
    assert!(tv(&seen, &expected) <= tv_star(&expected, draws) + 1e-5);
    assert_eq!(drawn, rows.read(&vec![0; draws]).unwrap());
    let other = Inferred::new(&data, machines.iter().collect(), key(4));
    assert_ne!(drawn, other.read(&vec![0; draws]).unwrap());
}

/// Two epochs read the same row beside others; were its draw always the same, so would all first bits be.
#[test]
fn each_batch_draws_anew() {
    let machines = lower(&[5, 6], 23);
    let data = batch(5, &[3; 64]);
    let rows = Inferred::new(&data, machines.iter().collect(), key(3));
    let firsts: Vec<Batch> = (1..64).map(|other| rows.read(&[0, other]).unwrap().gather([0])).collect();
    assert!(firsts.iter().any(|row| *row != firsts[0]));
}

/// The same of rows that are drawn from grey values: eight pixels at one half, beside 63 other rows.
#[test]
fn each_batch_of_grey_rows_draws_anew() {
    let grey = Table::from_reals("grey", 64, 8, vec![0.5; 512]).unwrap();
    let rows = Drawn::new(grey, key(3)).unwrap();
    let firsts: Vec<Batch> = (1..64).map(|other| rows.read(&[0, other]).unwrap().gather([0])).collect();
    assert!(firsts.iter().any(|row| *row != firsts[0]));
    assert_eq!(rows.read(&[0, 5]).unwrap().gather([0]), firsts[4]);
}

#[test]
fn labels_stand_behind_their_rows() {
    let machines = lower(&[5, 4], 25);
    let (data, labels) = (batch(5, &[1, 2, 3, 4]), [Some(2), Some(0), None, Some(1)]);
    let rows = Inferred::new(&data, machines.iter().collect(), key(3)).with_labels(&labels, 3).unwrap();
    let read = rows.read(&[3, 2, 0, 1]).unwrap();
    let bits = read.bits().unwrap();
    let of = |row| (0..3).find(|k| bits.get(row, 4 + k));
    assert_eq!([0, 1, 2, 3].map(of), [Some(1), None, Some(2), Some(0)]);
}

/// The top machine is too wide for enumeration by default, and its ln Z is known all the same: its hidden units are not coupled.
#[test]
fn annealed_tops_have_intervals() {
    let flat = |visible, hidden| {
        let mut machine = Exact::normal(visible, hidden, 1.0, &mut harmonium_oracle::rng::Rng::new(9));
        machine.weights.fill(0.0);
        common::library(&machine)
    };
    let dbn = Dbn::from_rbms(vec![model(4, 24, 0.1, 1), flat(24, 24)]).unwrap();
    let mut options =
        Bounding { annealing: Annealing { sweeps: 10, ..Annealing::default() }, ..Bounding::default() };
    (options.annealing.ais.runs, options.annealing.ais.betas) = (50, Betas::Count(100));
    let found = dbn.bound(&batch(4, &every(4)), &options, key(1)).unwrap();
    let top = exact(dbn.rbms()[1]);
    let softplus = |x: &f64| (1.0 + x.exp()).ln();
    let log_z: f64 = top.visible_bias.iter().chain(&top.hidden_bias).map(softplus).sum();
    assert!(
        found.log_z_interval.low - 1e-4 <= log_z && log_z <= found.log_z_interval.high + 1e-4,
        "{found:?}"
    );
    assert!(found.ess.is_some() && found.to_string().contains("effective runs"), "{found}");
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, part: &str) {
    let said = result.unwrap_err().to_string();
    assert!(said.contains(part), "{said:?} lacks {part:?}");
}

#[test]
fn stacks_that_do_not_fit_are_refused() {
    refused(Dbn::from_rbms(Vec::new()), "layers: expected 1 to 16, got 0");
    refused(Dbn::from_rbms(vec![model(3, 3, 0.1, 1); MAX_LAYERS + 1]), "got 17");
    refused(Dbn::from_rbms(vec![model(4, 3, 0.1, 1), model(4, 2, 0.1, 2)]), "visible units of machine 2");
    let spins = Rbm::new(Units::Spin(3), Units::Bernoulli(2), key(1)).unwrap();
    refused(Dbn::from_rbms(vec![model(4, 3, 0.1, 1), spins]), "visible units of machine 2");
    let top = || Classifier::from_rbm(model(5, 2, 0.1, 1), 2).unwrap();
    refused(Dbn::with_labels(vec![model(4, 2, 0.1, 1)], top()), "visible units of machine 2");
    let tied = Dbn::with_labels(vec![model(4, 3, 0.1, 1)], top()).unwrap();
    refused(tied.clone().with_recognition(Vec::new()), "recognition: expected 1 machines");
    refused(tied.with_recognition(vec![model(4, 2, 0.1, 1)]), "recognition");
}

#[test]
fn questions_that_have_no_answer_are_refused() {
    let (plain, labelled) = (Dbn::from_rbms(lower(&[5, 4, 3], 1)).unwrap(), labelled_stack(&[5, 4], 3, 2, 1));
    let (rows, narrow) = (batch(5, &every(5)), batch(4, &every(4)));
    refused(plain.transform(&narrow, 1), "5 columns");
    refused(plain.transform(&rows, 0), "layer: expected 1 to 2, got 0");
    refused(plain.reconstruct(&rows, 3, key(1)), "layer: expected 1 to 2, got 3");
    refused(plain.predict(&rows), "a top machine with a label");
    refused(labelled.predict(&narrow), "5 columns");
    refused(plain.bound(&rows, &Bounding { draws: 1, ..Bounding::default() }, key(1)), "draws: expected 2");
    let missing = rows.clone().masked(harmonium::BitMatrix::from_fn(32, 5, |r, u| (r, u) == (2, 1)));
    refused(plain.bound(&missing, &Bounding::default(), key(1)), "row 2, column 1");
    let sampled = |options| plain.sample(&options, key(1), &mut |_| ());
    refused(sampled(Sampling { class: Some(0), ..Sampling::default() }), "class: expected none");
    refused(sampled(Sampling { chains: 0, ..Sampling::default() }), "chains");
    refused(sampled(Sampling { sweeps: 0, ..Sampling::default() }), "sweeps: expected 1 or more");
    let beyond = Sampling { class: Some(2), ..Sampling::default() };
    refused(labelled.sample(&beyond, key(1), &mut |_| ()), "class: expected below 2, got 2");
}

#[test]
fn plans_that_can_not_be_followed_are_refused() {
    let layer = |units| Recipe { hidden: Units::Bernoulli(units), ..Recipe::default() };
    let data = batch(5, &every(5));
    let run = |plan: Greedy, labels: Option<&[Option<usize>]>| {
        train(plan, &data, labels, key(1), &mut |_| ControlFlow::Continue(()))
    };
    let plan = |layers: Vec<Recipe>| Greedy { layers, ..Greedy::default() };
    refused(run(plan(Vec::new()), None), "layers: expected 1 to 16, got 0");
    refused(run(plan(vec![layer(2); 17]), None), "got 17");
    refused(run(plan(vec![layer(3), layer(0)]), None), "hidden units");
    let zero = Recipe { fit: Fit { batch: 0, ..Fit::default() }, ..layer(2) };
    refused(Stacking::new(plan(vec![zero])), "batch: expected 1 or more");
    let k = Recipe { learner: Learner::Cd(Cd { k: Schedule::Constant(0.0) }), ..layer(2) };
    refused(Stacking::new(plan(vec![k])), "k");
    let turned = Recipe { transposed: true, ..layer(4) };
    refused(Stacking::new(plan(vec![turned.clone()])), "machine below");
    refused(run(plan(vec![layer(3), turned]), None), "hidden units of machine 2, transposed");
    let tuned = Greedy { tuning: Some(UpDown { batch: 0, ..UpDown::default() }), ..plan(vec![layer(2)]) };
    refused(Stacking::new(tuned), "batch");
    let labelled = |classes| Greedy { classes: Some(classes), ..plan(vec![layer(3), layer(2)]) };
    refused(run(labelled(1), None), "classes: expected 2 or more");
    refused(run(labelled(2), None), "labels: expected those of 2 classes");
    refused(run(plan(vec![layer(2)]), Some(&[None; 32])), "labels: expected none");
    refused(run(labelled(2), Some(&[Some(0); 31])), "32 labels");
    refused(run(labelled(2), Some(&[Some(0); 32])), "two classes at least, got one");
    refused(run(labelled(2), Some(&[None; 32])), "two classes at least, got none");
    let mut beyond = vec![Some(0); 32];
    beyond[7] = Some(2);
    refused(run(labelled(2), Some(&beyond)), "labels at row 7: expected a class below 2, got 2");
    let real = Recipe { hidden: Units::Gaussian(3), ..Recipe::default() };
    refused(run(Greedy { classes: Some(2), ..plan(vec![real]) }, Some(&beyond)), "Bernoulli units");
    let visible = Some(Units::Bernoulli(4));
    refused(run(Greedy { visible, ..plan(vec![layer(2)]) }, None), "4 columns");
}
