//! Proves features of grey values against the formula, and against those of bits where the values are bits.

mod common;

use common::{exact, model};
use harmonium::rbm::Rbm;
use harmonium::units::Units;
use harmonium::{Batch, Key};
use harmonium_oracle::rng::Rng;
use ndarray::{Array2, array};

fn grey(n: usize, width: usize) -> Array2<f32> {
    let mut rng = Rng::new(3);
    Array2::from_shape_fn((n, width), |_| rng.uniform() as f32)
}

/// σ(c + Wᵀv) in f64; the feature is rounded to 2⁻¹⁶, and the input of size 10 to 1e-6.
#[test]
fn features_of_grey_values_are_those_of_the_formula() {
    let rbm = model(9, 7, 1.0, 5);
    let (values, known) = (grey(130, 9), exact(&rbm));
    let found = rbm.transform_grey(&values).unwrap();
    for ((row, j), &p) in found.indexed_iter() {
        let input: f64 = (0..9).map(|i| f64::from(values[(row, i)]) * known.weights[i * 7 + j]).sum();
        let sigma = 1.0 / (1.0 + (-input - known.hidden_bias[j]).exp());
        assert!((f64::from(p) - sigma).abs() < 1.0 / 65_536.0 + 1e-6, "{row} {j}: {p} {sigma}");
    }
}

#[test]
fn bits_have_the_features_that_they_have() {
    let rbm = model(70, 33, 0.5, 6);
    let bits = grey(100, 70).mapv(f32::round);
    assert_eq!(rbm.transform_grey(&bits).unwrap(), rbm.transform(&Batch::new(bits.view()).unwrap()).unwrap());
}

#[test]
fn what_is_not_grey_is_refused() {
    let rbm = model(2, 2, 1.0, 7);
    let said = |values: Array2<f32>| rbm.transform_grey(&values).unwrap_err().to_string();
    assert_eq!(said(array![[0.0, 1.0], [0.5, 1.5]]), "data at row 1, column 1: expected 0 to 1, got 1.5");
    assert!(said(array![[0.0, f32::NAN]]).starts_with("data at row 0, column 1:"));
    assert!(said(array![[0.0]]).starts_with("data: expected 2 columns"));
    assert!(said(Array2::zeros((0, 2))).starts_with("data: expected at least one row"));
    let reals = Rbm::new(Units::Gaussian(2), Units::Bernoulli(2), Key::from_seed(1)).unwrap();
    assert!(reals.transform_grey(&array![[0.0, 1.0]]).unwrap_err().to_string().starts_with("visible units:"));
}
