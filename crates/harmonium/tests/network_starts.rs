//! Proves how networks start: from machines, unrolled, and at random.

use harmonium::dbn::net::{Activation, Dense, Head, Network};
use harmonium::rbm::{Parts, Rbm};
use harmonium::units::Units;
use harmonium::{Batch, HasParams, Key};
use harmonium_oracle::rng::Rng;
use ndarray::{Array1, Array2};

fn array(rows: usize, columns: usize, mut f: impl FnMut() -> f64) -> Array2<f32> {
    Array2::from_shape_simple_fn((rows, columns), || f() as f32)
}

fn wide(values: &Array2<f32>) -> Vec<Vec<f64>> {
    values.rows().into_iter().map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
}

/// A machine of random parameters.
fn machine(visible: Units, hidden: Units, seed: u64) -> Rbm {
    let mut rng = Rng::new(seed);
    let mut rbm = Rbm::new(visible, hidden, Key::from_seed(seed)).unwrap();
    let mut params = rbm.params();
    params
        .tensors_mut()
        .iter_mut()
        .for_each(|t| t.values.iter_mut().for_each(|x| *x = 0.4 * rng.normal() as f32));
    params.store(&mut rbm);
    rbm
}

fn bits(rows: usize, units: usize, seed: u64) -> Batch {
    let mut rng = Rng::new(seed);
    Batch::new(array(rows, units, || f64::from(u8::from(rng.bernoulli(0.4)))).view()).unwrap()
}

/// The machine's means are 16-bit codes, off by half a step of 2⁻¹⁶ at most, and by a whole one at the end; both round sums of
/// 70 terms.
#[test]
fn a_network_of_one_machine_gives_its_features() {
    let rbm = machine(Units::Bernoulli(70), Units::Bernoulli(13), 3);
    let network = Network::from_rbms(&[&rbm], None, Key::from_seed(1)).unwrap();
    let rows = bits(20, 70, 8);
    let (ours, theirs) = (network.transform(&rows).unwrap(), rbm.transform(&rows).unwrap());
    assert!((&ours - &theirs).iter().all(|off| off.abs() < 2.0_f32.powi(-16)), "{}", &ours - &theirs);
}

/// Gaussian columns with means and deviations of their own, and Gaussian hidden units: real values, no codes.
#[test]
fn the_scaling_of_data_becomes_part_of_the_first_weights() {
    let mut rng = Rng::new(6);
    let x =
        Array2::from_shape_fn((50, 4), |(_, c)| (3.0 * c as f64 + (0.5 + c as f64) * rng.normal()) as f32);
    let rows = Batch::reals(x.clone()).unwrap();
    let mut rbm = Rbm::fitted(Units::Gaussian(4), &rows, Units::Bernoulli(5), Key::from_seed(2)).unwrap();
    let mut params = rbm.params();
    params.tensors_mut()[0].values.iter_mut().for_each(|w| *w = 0.4 * rng.normal() as f32);
    params.store(&mut rbm);
    let network = Network::unrolled(&[&rbm]).unwrap();
    let ours = network.up_to(&rows, 1).unwrap();
    let theirs = rbm.transform(&rows).unwrap();
    assert!((&ours - &theirs).iter().all(|off| off.abs() < 3e-5), "{}", &ours - &theirs);
    // Downwards: (h Wᵀ + b) σ + μ.
    let (back, scaling) = (network.transform(&rows).unwrap(), rbm.scaling().unwrap());
    let w = rbm.weights();
    for (r, row) in back.rows().into_iter().enumerate() {
        for (c, &got) in row.iter().enumerate() {
            let input: f32 = (0..5).map(|j| ours[(r, j)] * w[(c, j)]).sum::<f32>() + rbm.visible_bias()[c];
            let expected = input * scaling.deviation()[c] + scaling.mean()[c];
            assert!((got - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{got} {expected}");
        }
    }
}

/// Three machines, the topmost with Gaussian hidden units, against means that are sent up and down in f64.
#[test]
fn an_unrolled_network_is_the_mean_field_pass_of_its_machines() {
    let kinds = [Units::Bernoulli(9), Units::Bernoulli(7), Units::Bernoulli(5), Units::Gaussian(2)];
    let machines: Vec<Rbm> = kinds
        .windows(2)
        .zip(1..)
        .map(|(pair, seed)| machine(pair[0].clone(), pair[1].clone(), seed))
        .collect();
    let all: Vec<&Rbm> = machines.iter().collect();
    let network = Network::unrolled(&all).unwrap();
    let rows = bits(12, 9, 4);
    let got = network.transform(&rows).unwrap();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    for (row, got) in wide(&rows.to_array()).into_iter().zip(got.rows()) {
        let mut x = row;
        for rbm in &machines {
            let (w, linear) = (rbm.weights(), matches!(rbm.hidden().units(), Units::Gaussian(_)));
            let input = |j: usize| {
                let sum: f64 = x.iter().enumerate().map(|(i, x)| x * f64::from(w[(i, j)])).sum();
                sum + f64::from(rbm.hidden_bias()[j])
            };
            x = (0..w.ncols()).map(input).map(|z| if linear { z } else { sigmoid(z) }).collect();
        }
        for rbm in machines.iter().rev() {
            let w = rbm.weights();
            let input = |i: usize| {
                let sum: f64 = x.iter().enumerate().map(|(j, x)| x * f64::from(w[(i, j)])).sum();
                sum + f64::from(rbm.visible_bias()[i])
            };
            x = (0..w.nrows()).map(input).map(sigmoid).collect();
        }
        // Six layers of at most ten terms about 1: a few dozen roundings.
        got.iter().zip(&x).for_each(|(&g, e)| assert!((f64::from(g) - e).abs() < 1e-5, "{g} {e}"));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let key = Key::from_seed(1);
    let low = machine(Units::Bernoulli(6), Units::Bernoulli(4), 1);
    let narrow = machine(Units::Bernoulli(3), Units::Bernoulli(2), 2);
    let real = machine(Units::Gaussian(4), Units::Bernoulli(2), 3);
    let spins = machine(Units::Spin(6), Units::Bernoulli(4), 3);
    let head = Some(Head::classes(3));
    for stack in [&[][..], &[&low, &narrow], &[&low, &real], &[&spins]] {
        assert!(Network::from_rbms(stack, head, key).is_err());
        assert!(Network::unrolled(stack).is_err());
    }
    assert!(Network::from_rbms(&[&low], Some(Head::classes(0)), key).is_err());
    assert!(Network::new(&[3, 2], &[], key).is_err());
    assert!(Network::new(&[3], &[], key).is_err());
    assert!(Network::new(&[3, 0, 2], &[Activation::Tanh; 2], key).is_err());
    assert!(Network::new(&[3, 2, 2], &[Activation::Softmax; 2], key).is_err());
    assert!(Network::new(&[2; 18], &[Activation::Tanh; 17], key).is_err());
    let layer = |i, o| Dense::new(Array2::zeros((i, o)), Array1::zeros(o), Activation::Tanh).unwrap();
    // Units below may be more or fewer than the inputs above.
    for (below, above) in [(2, 3), (3, 2)] {
        let error = Network::from_layers(vec![layer(4, below), layer(above, 1)]).unwrap_err();
        assert!(error.to_string().starts_with("layer 2: expected"), "{error}");
    }
    assert!(Dense::new(Array2::zeros((2, 2)), Array1::zeros(3), Activation::Tanh).is_err());
    assert!(Dense::new(Array2::from_elem((2, 2), f32::NAN), Array1::zeros(2), Activation::Tanh).is_err());
    let network = Network::from_rbms(&[&low], head, key).unwrap();
    assert!(network.transform(&bits(2, 5, 1)).is_err());
    assert!(network.up_to(&bits(2, 6, 1), 3).is_err());
    let parts = Parts {
        weights: Array2::zeros((6, 4)),
        visible_bias: Array1::zeros(6),
        hidden_bias: Array1::zeros(4),
    };
    assert!(Network::unrolled(&[&Rbm::from_parts(parts).unwrap()]).is_ok());
}

#[test]
fn random_starts_are_within_their_ranges_and_depend_on_the_key() {
    let make = |seed, hidden| {
        Network::new(&[30, 20, 4], &[hidden, Activation::Softmax], Key::from_seed(seed)).unwrap()
    };
    for (hidden, half) in
        [(Activation::Tanh, (6.0_f32 / 50.0).sqrt()), (Activation::Relu, (6.0_f32 / 30.0).sqrt())]
    {
        let network = make(1, hidden);
        let largest = network.layers()[0].weights().iter().fold(0.0_f32, |most, w| most.max(w.abs()));
        // 600 uniform weights: all lie within 98 % of the range once in 2e5 keys.
        assert!(largest <= half && largest > 0.98 * half, "{largest} {half}");
        assert!(network.layers().iter().all(|layer| layer.bias().iter().all(|&b| b == 0.0)));
        assert_eq!(network.digest(), make(1, hidden).digest());
        assert_ne!(network.digest(), make(2, hidden).digest());
    }
    assert_ne!(
        make(1, Activation::Tanh).digest(),
        make(1, Activation::Sigmoid).digest(),
        "activations count"
    );
}
