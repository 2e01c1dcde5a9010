//! Proves what must not change when its description does (oracle O10): order, splits, copies, padding, scale.

mod common;

use common::tolerance::{tau_f, tau_z};
use common::{WIDTHS, batch, chains, close, coins, every, every_row, exact, key, library, model, models};
use harmonium::rbm::Rbm;
use harmonium::stats::{Phases, Stats};
use harmonium::train::{Cd, Fit, Pcd, Silent, WithGradient, fit};
use harmonium::{Batch, BitMatrix, EnergyModel, Gibbs, HasParams, Marginal, Thermal};
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::rng::Rng;

/// Gives a permutation of 0..n.
fn permutation(n: usize, seed: u64) -> Vec<usize> {
    let mut out: Vec<usize> = (0..n).collect();
    Rng::new(seed).shuffle(&mut out);
    out
}

/// Permutes units: unit n of the result is unit p[n] of the model.
fn permuted(x: &Exact, p: &[usize], q: &[usize]) -> Rbm {
    let mut out = Exact::zeros(x.visible, x.hidden);
    out.weights = p.iter().flat_map(|&i| q.iter().map(move |&j| x.weight(i, j))).collect();
    out.visible_bias = p.iter().map(|&i| x.visible_bias[i]).collect();
    out.hidden_bias = q.iter().map(|&j| x.hidden_bias[j]).collect();
    library(&out)
}

fn sums(rbm: &Rbm, rows: &BitMatrix) -> Vec<i32> {
    rbm.view().hidden_input(&rows.clone().into()).sums().expect("integer sums").into_owned()
}

fn columns(bits: &BitMatrix, p: &[usize]) -> BitMatrix {
    BitMatrix::from_fn(bits.rows(), p.len(), |row, unit| bits.get(row, p[unit]))
}

/// Permuted units have permuted inputs and probabilities, exactly; energies add in another order.
#[test]
fn permuted_units_have_permuted_values() {
    for (seed, nv) in WIDTHS.into_iter().chain([5]).enumerate() {
        let (rbm, nh) = (model(nv, 70, 0.5, seed as u64), 70);
        let (p, q) = (permutation(nv, 1), permutation(nh, 2));
        let (x, other, rows) = (exact(&rbm), permuted(&exact(&rbm), &p, &q), coins(9, nv, 3));
        let turned = columns(&rows, &p);
        let (a, b) = (sums(&rbm, &rows), sums(&other, &turned));
        let batches = [&rows, &turned].map(|bits| Batch::from_bits(bits.clone()).unwrap());
        let (pa, pb) = (rbm.transform(&batches[0]).unwrap(), other.transform(&batches[1]).unwrap());
        for (row, j) in (0..9).flat_map(|row| (0..nh).map(move |j| (row, j))) {
            assert_eq!((a[row * nh + q[j]], pa[(row, q[j])]), (b[row * nh + j], pb[(row, j)]));
        }
        let (fa, fb) = (rbm.free_energy(&batches[0]).unwrap(), other.free_energy(&batches[1]).unwrap());
        let bound = |row| 2.0 * common::tolerance::tau_f_wide(&x, &common::bools(&rows, row)) + 1e-10;
        (0..9).for_each(|row| close(fa[row], fb[row], bound(row), (nv, row)));
    }
}

fn statistics(rbm: &Rbm, parts: &[BitMatrix]) -> Stats {
    let mut out = rbm.stats();
    for part in parts {
        rbm.accumulate(&rbm.clamp(&Batch::from_bits(part.clone()).unwrap()), &mut out);
    }
    out
}

fn cut(rows: &BitMatrix, size: usize) -> Vec<BitMatrix> {
    let starts = (0..rows.rows()).step_by(size);
    starts.map(|start| rows.gather(start..rows.rows().min(start + size))).collect()
}

/// Statistics add up over any split of the batch, the last part short or not, and over any order of rows.
#[test]
fn splits_and_orders_of_a_batch_give_equal_statistics() {
    for width in WIDTHS {
        let (rbm, rows) = (model(width, 67, 0.5, 4), coins(130, width, 5));
        let whole = statistics(&rbm, std::slice::from_ref(&rows));
        for size in [1, 3, 63, 64, 65, 129] {
            assert!(statistics(&rbm, &cut(&rows, size)) == whole, "parts of {size}");
        }
        assert!(statistics(&rbm, &[rows.gather(permutation(130, 6))]) == whole, "another order");
    }
}

/// Twice every row is twice every sum over twice the rows: the same gradient, exactly.
#[test]
fn duplicated_rows_leave_the_gradient() {
    let (rbm, rows, other) = (model(65, 33, 0.5, 7), coins(40, 65, 8), coins(12, 65, 9));
    let contrast = |rows: &[BitMatrix], other: &[BitMatrix]| {
        let mut out = rbm.params();
        Phases { positive: statistics(&rbm, rows), negative: statistics(&rbm, other) }.contrast(&mut out);
        out
    };
    let (rows, other) = ([rows.clone(), rows], [other.clone(), other]);
    let once = contrast(&rows[..1], &other[..1]);
    assert_eq!(contrast(&rows, &other[..1]), once);
    assert_eq!(contrast(&rows, &other), once);
}

/// Adds visible units without couplings or bias, which data leave at 0.
fn padded(x: &Exact, width: usize) -> Rbm {
    let mut out = Exact::zeros(width, x.hidden);
    out.weights[..x.weights.len()].copy_from_slice(&x.weights);
    out.visible_bias[..x.visible].copy_from_slice(&x.visible_bias);
    out.hidden_bias.clone_from(&x.hidden_bias);
    library(&out)
}

/// Padding the width to the next word and beyond changes no input, probability, draw or free energy.
#[test]
fn padded_widths_change_nothing() {
    for width in WIDTHS {
        let (rbm, rows) = (model(width, 65, 0.5, 10), coins(20, width, 11));
        for more in [width + 1, width.next_multiple_of(64), width + 65] {
            let wide = padded(&exact(&rbm), more);
            let row = |bits: &BitMatrix| Batch::from_bits(bits.clone()).unwrap();
            let long = BitMatrix::from_fn(20, more, |r, u| u < width && rows.get(r, u));
            assert_eq!(rbm.transform(&row(&rows)).unwrap(), wide.transform(&row(&long)).unwrap());
            assert_eq!(rbm.free_energy(&row(&rows)).unwrap(), wide.free_energy(&row(&long)).unwrap());
            let drawn = |rbm: &Rbm, rows: &BitMatrix| {
                rbm.view().sample_hidden(&rows.clone().into(), key(12)).expect_bits().clone()
            };
            assert_eq!(drawn(&rbm, &rows), drawn(&wide, &long));
        }
    }
}

/// Draws, transposes and gathers leave the bits behind the last unit zero; words with such a bit are refused.
#[test]
fn padding_bits_stay_zero() {
    for width in WIDTHS.into_iter().filter(|width| width % 64 != 0) {
        let rbm = model(width, width, 0.5, 13);
        let mut state = rbm.init(30, key(1));
        rbm.sweep(&mut state, key(2));
        let (visible, hidden) = (state.visible().expect_bits(), state.hidden().expect_bits());
        let turned = visible.transposed().transposed();
        for bits in [visible, hidden, &turned, &visible.gather([3, 1])] {
            let padding = |row: usize| bits.row(row).last().unwrap() >> (width % 64);
            assert!((0..bits.rows()).all(|row| padding(row) == 0), "width {width}");
        }
        let mut words = visible.words().to_vec();
        words[width / 64] |= 1 << (width % 64);
        assert!(BitMatrix::from_words(30, width, words).is_none(), "width {width}");
    }
}

/// All parameters times 2ⁿ at β = 2⁻ⁿ: the same machine, bit for bit, draws included.
#[test]
fn powers_of_two_move_between_parameters_and_beta() {
    for rbm in models() {
        let (nv, doubled) = (rbm.visible_units(), library(&exact(&rbm).tempered(4.0)));
        let (plain, view) = (rbm.view(), doubled.tempered(0.25));
        let rows = every_row(&rbm);
        assert_eq!(plain.free_energies(rows.states()), view.free_energies(rows.states()));
        assert_eq!(plain.log_z().unwrap(), view.log_z().unwrap());
        let (mut a, mut b) = (chains(&rbm, &every(nv)), chains(&rbm, &every(nv)));
        plain.sweep(&mut a, key(14));
        view.sweep(&mut b, key(14));
        assert_eq!(a, b);
        assert_eq!(plain.energy(&a), view.energy(&a));
    }
}

/// A visible unit v → 1 − v with W → −W, b → −b and c → c + w keeps p, but for the constant b.
#[test]
fn flipped_units_relabel_the_states() {
    for rbm in models() {
        let x = exact(&rbm);
        let mut flipped = x.clone();
        for j in 0..x.hidden {
            flipped.hidden_bias[j] += x.weight(0, j);
            flipped.weights[j] = -x.weight(0, j);
        }
        flipped.visible_bias[0] = -x.visible_bias[0];
        let other = library(&flipped);
        let (f, g) =
            (rbm.free_energy(&every_row(&rbm)).unwrap(), other.free_energy(&every_row(&rbm)).unwrap());
        let y = exact(&other);
        // The new hidden biases are rounded to f32 once, each by half an ulp of its size.
        let rounding: f64 = y.hidden_bias.iter().map(|c| c.abs() * common::tolerance::U).sum();
        for v in every(x.visible) {
            let w = v ^ 1;
            let bound = tau_f(&x, v) + tau_f(&y, w) + rounding + 1e-12;
            close(f[v as usize], g[w as usize] - x.visible_bias[0], bound, v);
        }
        let shift = other.log_z().unwrap() + x.visible_bias[0] - rbm.log_z().unwrap();
        close(shift, 0.0, tau_z(&x) + tau_z(&y) + rounding, "ln Z");
    }
}

/// A batch as large as the data, or larger, is one batch; the larger one is noticed.
#[test]
fn batches_larger_than_the_data_are_one_batch() {
    let data = batch(6, &[1, 2, 3, 33, 60]);
    let train = |batch| {
        let mut rbm = model(6, 4, 0.1, 15);
        let options = Fit { epochs: 3, batch, ..Fit::default() };
        let summary = fit(&mut rbm, &data, &mut Cd::new(1), &options, key(1), &mut Silent).unwrap();
        (rbm.digest(), summary)
    };
    let (exactly, larger) = (train(5), train(1000));
    assert_eq!((exactly.0, exactly.1.steps), (larger.0, larger.1.steps));
    assert!(exactly.1.notices.is_empty() && larger.1.notices.len() == 1, "{:?}", larger.1.notices);
}

/// The gradient of a short last batch is that of its own rows. With weights zero and certain visible units the negative
/// phase is known, so the gradient of b is 1 − mean(v) of the batch without noise.
#[test]
fn short_last_batches_are_means_over_their_own_rows() {
    let mut sure = Exact::zeros(5, 2);
    sure.visible_bias.fill(30.0);
    let (data, mut rows) = (batch(5, &[1, 2, 4, 8, 16, 31, 7, 28, 3, 6, 12]), Vec::new());
    let order = harmonium::data::shuffled(11, key(3), 0);
    let mut look = WithGradient(|step: &harmonium::train::Step<'_, Rbm>| {
        let at = rows.iter().sum::<usize>();
        let batch = &order[at..at + step.rows];
        for i in 0..5 {
            let ones = batch.iter().filter(|&&row| data.bits().unwrap().get(row as usize, i)).count();
            let expected = 1.0 - ones as f64 / step.rows as f64;
            let got = f64::from(step.gradient.unwrap().get("visible_bias").unwrap().values[i]);
            close(got, expected, 4.0 * common::tolerance::U, (at, i));
        }
        rows.push(step.rows);
        std::ops::ControlFlow::Continue(())
    });
    let options = Fit {
        epochs: 1,
        batch: 8,
        learning_rate: harmonium::train::Schedule::Constant(0.0),
        ..Fit::default()
    };
    fit(&mut library(&sure), &data, &mut Pcd::new(1, 20), &options, key(3), &mut look).unwrap();
    assert_eq!(rows, [8, 3]);
}
