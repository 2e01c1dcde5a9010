//! Proves machines of bits that are trained on grey values: sums by the formula (O2), equal means of both phases (O10), refusals.

mod common;

use common::{close, exact, key, means, model};
use harmonium::data::Table;
use harmonium::rbm::{Grey, Rbm};
use harmonium::train::{Cd, Fit, Pcd, Schedule, Silent, fit};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel, Gibbs};
use harmonium_oracle::enumerate::visible_distribution;
use harmonium_oracle::math::sigmoid;
use harmonium_oracle::rng::Rng;
use ndarray::Array2;

fn grey(rows: usize, units: usize, seed: u64) -> Array2<f32> {
    let mut rng = Rng::new(seed);
    Array2::from_shape_fn((rows, units), |_| rng.uniform() as f32)
}

/// Computes means of v σ(c + Wᵀv)ᵀ, v and σ(c + Wᵀv) in f64.
fn expected(rbm: &Rbm, rows: &Array2<f32>) -> Vec<f64> {
    let x = exact(rbm);
    let mut sums = vec![0.0; x.visible * x.hidden + x.visible + x.hidden];
    for row in rows.rows() {
        let v: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
        let input = |j: usize| {
            x.hidden_bias[j] + (0..x.visible).map(|i| v[i] * x.weights[i * x.hidden + j]).sum::<f64>()
        };
        let h: Vec<f64> = (0..x.hidden).map(|j| sigmoid(input(j))).collect();
        let pairs = v.iter().flat_map(|v| h.iter().map(move |h| v * h));
        let all = pairs.chain(v.iter().copied()).chain(h.iter().copied());
        sums.iter_mut().zip(all).for_each(|(sum, x)| *sum += x / rows.nrows() as f64);
    }
    sums
}

/// Means of hidden units have 16 bits, off by 2^-17, and their inputs are rounded to f32.
#[test]
fn sums_are_those_of_the_grey_values() {
    let (rbm, rows) = (model(7, 5, 1.0, 3), grey(50, 7, 4));
    let grey = Grey::new(rbm.clone()).unwrap();
    let data = Batch::reals(rows.clone()).unwrap();
    let mut stats = grey.stats();
    grey.accumulate(&grey.infer(&data, key(5)), &mut stats);
    for (n, (got, want)) in means(&stats, &rbm).into_iter().zip(expected(&rbm, &rows)).enumerate() {
        close(got, want, 2.0_f64.powi(-16), n);
    }
}

/// Chains are bits, whose sums are those of the machine itself: there in integers, here in f64.
#[test]
fn sums_of_bits_are_those_of_the_machine() {
    let rbm = model(7, 5, 1.0, 6);
    let grey = Grey::new(rbm.clone()).unwrap();
    let mut chains = rbm.init(64, key(7));
    grey.run(&mut chains, 0..3, key(8));
    let (mut own, mut real) = (rbm.stats(), grey.stats());
    rbm.accumulate(&chains, &mut own);
    grey.accumulate(&chains, &mut real);
    for (n, (a, b)) in means(&own, &rbm).into_iter().zip(means(&real, &rbm)).enumerate() {
        close(a, b, 1e-6, n);
    }
}

/// Where learning ends, the visible means of both phases are equal. The mean of 100 chains is off by at most 0.05 in an update; biases answer to it
/// at the rate η p (1 − p) ≤ η / 4 an update, so that the noise of a mean is at most 0.05 · √(η / 8) = 0.008 at the rate 0.2, and less
/// where this falls. Slow chains see more: four of these.
#[test]
fn the_machine_has_the_means_of_the_data() {
    let rows = Array2::from_shape_fn((100, 4), |(row, unit)| {
        [[0.1, 0.6, 0.8, 0.3], [0.7, 0.5, 0.2, 0.4]][row % 2][unit] + 0.001 * (row / 2) as f32
    });
    let data = Batch::reals(rows.clone()).unwrap();
    let options = Fit {
        epochs: 3000,
        batch: 100,
        learning_rate: Schedule::Linear { from: 0.2, to: 0.0 },
        ..Fit::default()
    };
    let start = Rbm::new(Units::Bernoulli(4), Units::Bernoulli(3), key(1)).unwrap();
    let mut grey = Grey::new(start).unwrap();
    fit(&mut grey, &data, &mut Pcd::new(1, 100), &options, key(2), &mut Silent).unwrap();
    let law = visible_distribution(&exact(grey.rbm()));
    for unit in 0..4 {
        let found: f64 = (0..16).filter(|v| v >> unit & 1 == 1).map(|v| law[v]).sum();
        let mean = rows.column(unit).iter().map(|&x| f64::from(x)).sum::<f64>() / 100.0;
        close(found, mean, 0.03, unit);
    }
}

/// A table is read batch by batch, and so its rows are looked at.
#[test]
fn later_rows_of_a_table_are_looked_at() {
    let table = Table::from_reals("rows", 2, 3, vec![0.5, 0.0, 1.0, 0.5, 37.0, 1.0]).unwrap();
    let mut grey = Grey::new(model(3, 2, 0.5, 1)).unwrap();
    let options = Fit { batch: 1, ..Fit::default() };
    let said =
        fit(&mut grey, &table, &mut Cd::new(1), &options, key(1), &mut Silent).unwrap_err().to_string();
    assert!(said.contains("0 to 1") && said.contains("37"), "{said}");
}

#[test]
fn what_is_no_probability_is_refused() {
    let grey = Grey::new(model(3, 2, 0.5, 1)).unwrap();
    let said = |values: Array2<f32>| grey.check_data(&Batch::reals(values).unwrap()).unwrap_err().to_string();
    assert!(said(ndarray::array![[0.5, 1.0, 0.0], [0.0, 1.5, 0.0]]).contains("row 1, column 1"));
    assert!(said(ndarray::array![[0.5, -0.1, 0.0]]).contains("0 to 1"));
    assert!(said(ndarray::array![[0.5, 0.1]]).contains('3'));
    let gaps =
        Batch::with_missing(ndarray::array![[0.0, f32::NAN, 1.0]].view(), &Units::Bernoulli(3)).unwrap();
    assert!(grey.check_data(&gaps).is_err());
    let spins = Rbm::new(Units::Spin(3), Units::Bernoulli(2), key(1)).unwrap();
    assert!(Grey::new(spins).unwrap_err().to_string().contains("Bernoulli"));
}
