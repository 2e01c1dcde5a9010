//! Proves what networks compute and the gradients of their losses against f64 formulas, and how they start from machines.

mod common;

use harmonium::dbn::net::{Activation, Dense, Disturbance, Goal, Head, Loss, Network};
use harmonium::rbm::{Parts, Rbm};
use harmonium::units::Units;
use harmonium::{Batch, HasParams, Key, Params};
use harmonium_oracle::network as oracle;
use harmonium_oracle::rng::Rng;
use ndarray::{Array1, Array2};

const HEADS: [(Activation, Loss); 6] = [
    (Activation::Softmax, Loss::CrossEntropy),
    (Activation::Sigmoid, Loss::CrossEntropy),
    (Activation::Sigmoid, Loss::Squared),
    (Activation::Linear, Loss::Squared),
    (Activation::Tanh, Loss::Squared),
    (Activation::Relu, Loss::Squared),
];
const HIDDEN: [Activation; 4] = [Activation::Sigmoid, Activation::Linear, Activation::Relu, Activation::Tanh];

fn array(rows: usize, columns: usize, mut f: impl FnMut() -> f64) -> Array2<f32> {
    Array2::from_shape_simple_fn((rows, columns), || f() as f32)
}

fn random(sizes: &[usize], activations: &[Activation], rng: &mut Rng) -> Network {
    let layer = |(pair, &activation): (&[usize], &Activation)| {
        let scale = 1.0 / (pair[0] as f64).sqrt();
        let weights = array(pair[0], pair[1], || scale * rng.normal());
        let bias = Array1::from_shape_simple_fn(pair[1], || 0.3 * rng.normal() as f32);
        Dense::new(weights, bias, activation).unwrap()
    };
    Network::from_layers(sizes.windows(2).zip(activations).map(layer).collect()).unwrap()
}

fn wide(values: &Array2<f32>) -> Vec<Vec<f64>> {
    values.rows().into_iter().map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
}

fn exact(network: &Network) -> Vec<oracle::Layer> {
    let activation = |activation| match activation {
        Activation::Sigmoid => oracle::Activation::Sigmoid,
        Activation::Linear => oracle::Activation::Linear,
        Activation::Relu => oracle::Activation::Relu,
        Activation::Tanh => oracle::Activation::Tanh,
        Activation::Softmax => oracle::Activation::Softmax,
    };
    let layer = |layer: &Dense| oracle::Layer {
        weights: wide(layer.weights()),
        bias: layer.bias().iter().map(|&b| f64::from(b)).collect(),
        activation: activation(layer.activation()),
    };
    network.layers().iter().map(layer).collect()
}

/// Makes rows, targets and masks that fit a network; classes go in turn.
fn batch(
    network: &Network,
    n: usize,
    masked: bool,
    rng: &mut Rng,
) -> (Array2<f32>, Goal, Disturbance, oracle::Batch) {
    let x = array(n, network.inputs(), || rng.normal());
    let softmax = network.layers().last().unwrap().activation() == Activation::Softmax;
    let labels: Vec<usize> = (0..n).map(|row| row % network.outputs()).collect();
    let values = match softmax {
        true => Array2::from_shape_fn((n, network.outputs()), |(r, c)| f32::from(u8::from(labels[r] == c))),
        false => array(n, network.outputs(), || rng.uniform()),
    };
    let masks: Vec<Option<Array2<f32>>> = network
        .layers()
        .iter()
        .map(|layer| {
            masked.then(|| array(n, layer.inputs(), || if rng.bernoulli(0.6) { 1.625 } else { 0.0 }))
        })
        .collect();
    let batch = oracle::Batch {
        rows: wide(&x),
        targets: wide(&values),
        masks: masks.iter().map(|mask| mask.as_ref().map(wide).unwrap_or_default()).collect(),
    };
    let goal = if softmax { Goal::Classes(labels) } else { Goal::Values(values) };
    (x, goal, Disturbance { masks, noise: Vec::new() }, batch)
}

fn loss(loss: Loss) -> oracle::Loss {
    match loss {
        Loss::CrossEntropy => oracle::Loss::CrossEntropy,
        Loss::Squared => oracle::Loss::Squared,
    }
}

fn entries(params: &Params) -> Vec<f64> {
    params.tensors().iter().flat_map(|t| &t.values).map(|&x| f64::from(x)).collect()
}

/// The bound of each entry is that of a running error analysis in the oracle.
#[track_caller]
fn assert_gradient(network: &Network, n: usize, masked: bool, kind: Loss, rng: &mut Rng) {
    let (x, goal, disturbance, batch) = batch(network, n, masked, rng);
    let (value, gradient) = network.gradient(x, &goal, kind, &disturbance, 0);
    let (expected, entry) = oracle::gradient(&exact(network), &batch, loss(kind));
    assert!((value - expected.value).abs() <= expected.error, "loss {value}, {expected:?}");
    let got = entries(&gradient);
    assert_eq!(got.len(), entry.len());
    let most = entry.iter().fold(0.0_f64, |most, entry| most.max(entry.value.abs()));
    for (index, (got, expected)) in got.iter().zip(&entry).enumerate() {
        let off = (got - expected.value).abs();
        assert!(off <= expected.error, "entry {index}: {got}, {expected:?}");
        // A bound that allows anything proves nothing.
        assert!(expected.error < 1e-2 * most, "{expected:?}, {most}");
    }
}

#[test]
fn gradients_are_those_of_the_formulas() {
    for hidden in HIDDEN {
        for (head, kind) in HEADS {
            for masked in [false, true] {
                let mut rng = Rng::new(11);
                let network = random(&[5, 7, 4, 3], &[hidden, hidden, head], &mut rng);
                assert_gradient(&network, 6, masked, kind, &mut rng);
            }
        }
    }
}

/// Products beyond one part, and the threads that small ones do not take.
#[test]
fn gradients_of_wide_layers_are_those_of_the_formulas() {
    for (head, kind) in [HEADS[0], HEADS[1]] {
        let mut rng = Rng::new(5);
        let network = random(&[150, 260, 30, 12], &[Activation::Sigmoid, Activation::Tanh, head], &mut rng);
        assert_gradient(&network, 40, true, kind, &mut rng);
    }
}

#[test]
fn outputs_are_those_of_the_formulas() {
    for hidden in HIDDEN {
        for (head, _) in HEADS {
            let mut rng = Rng::new(2);
            let network = random(&[6, 5, 4], &[hidden, head], &mut rng);
            let x = array(9, 6, || rng.normal());
            let got = network.transform(&Batch::reals(x.clone()).unwrap()).unwrap();
            for (got, row) in got.rows().into_iter().zip(wide(&x)) {
                let expected = oracle::outputs(&exact(&network), &row);
                // Two layers of fewer than ten terms about 1, slopes of 1 at most.
                got.iter()
                    .zip(expected)
                    .for_each(|(&g, e)| assert!((f64::from(g) - e).abs() < 1e-5, "{g} {e}"));
            }
        }
    }
}

#[test]
fn layers_that_are_held_fast_have_no_gradient() {
    let mut rng = Rng::new(4);
    let network = random(&[4, 5, 3], &[Activation::Tanh, Activation::Linear], &mut rng);
    let (x, goal, none, _) = batch(&network, 8, false, &mut rng);
    let all = network.gradient(x.clone(), &goal, Loss::Squared, &none, 0);
    let head = network.gradient(x, &goal, Loss::Squared, &none, 1);
    assert_eq!((all.0, &all.1.tensors()[2..]), (head.0, &head.1.tensors()[2..]));
    assert!(head.1.tensors()[..2].iter().all(|t| t.values.iter().all(|&x| x == 0.0)));
}

/// A machine of random parameters.
pub(crate) fn machine(visible: Units, hidden: Units, seed: u64) -> Rbm {
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
