//! Proves what networks compute, and the gradients of their losses, against f64 formulas.

use harmonium::dbn::net::{Activation, Dense, Disturbance, Goal, Loss, Network};
use harmonium::{Batch, Params};
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
    let indicator = |(row, class): (usize, usize)| f32::from(u8::from(labels[row] == class));
    let shape = (n, network.outputs());
    let values = if softmax {
        Array2::from_shape_fn(shape, indicator)
    } else {
        array(shape.0, shape.1, || rng.uniform())
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
    let (value, gradient) = network.gradient(x, &goal, kind, &disturbance, 0).unwrap();
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
    let all = network.gradient(x.clone(), &goal, Loss::Squared, &none, 0).unwrap();
    let head = network.gradient(x, &goal, Loss::Squared, &none, 1).unwrap();
    assert_eq!((all.0, &all.1.tensors()[2..]), (head.0, &head.1.tensors()[2..]));
    assert!(head.1.tensors()[..2].iter().all(|t| t.values.iter().all(|&x| x == 0.0)));
}

#[test]
fn gradients_of_other_shapes_are_refused() {
    let mut rng = Rng::new(4);
    let network = random(&[4, 5, 3], &[Activation::Tanh, Activation::Softmax], &mut rng);
    let (x, goal, masks, _) = batch(&network, 8, true, &mut rng);
    let ask = |x: &Array2<f32>, goal: &Goal, loss, masks: &Disturbance| {
        network.gradient(x.clone(), goal, loss, masks, 0).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(ask(&x, &goal, Loss::CrossEntropy, &masks), Ok(()));
    let (narrow, fewer) = (Array2::zeros((8, 3)), Array2::zeros((7, 4)));
    let cases = [
        (&narrow, goal.clone(), Loss::CrossEntropy, "rows: expected 8 x 4, got 8 x 3"),
        (&fewer, goal.clone(), Loss::CrossEntropy, "labels: expected 7"),
        (
            &x,
            Goal::Classes(vec![3; 8]),
            Loss::CrossEntropy,
            "labels at row 0: expected a class below 3, got 3",
        ),
        (&x, goal.clone(), Loss::Squared, "loss: expected"),
        (&x, Goal::Values(Array2::zeros((8, 3))), Loss::CrossEntropy, "loss: expected"),
    ];
    for (x, goal, loss, said) in cases {
        let error = ask(x, &goal, loss, &masks).unwrap_err();
        assert!(error.starts_with(said), "{error}");
    }
    let wide = Disturbance { masks: vec![Some(Array2::zeros((8, 5)))], noise: Vec::new() };
    assert!(ask(&x, &goal, Loss::CrossEntropy, &wide).unwrap_err().starts_with("masks: expected 8 x 4"));
}
