//! Makes machines of every pair of unit kinds, and reads them back as the oracle has them.

use harmonium::Batch;
use harmonium::rbm::Rbm;
use harmonium::units::{Layer, States, Unit, Units};
use harmonium_oracle::layered::Rbm as Exact;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::units::{Kind, Layer as ExactLayer};
use ndarray::Array2;

/// Is the f32 unit roundoff.
pub(crate) const U: f64 = 5.960_464_477_539_063e-8;

/// Lists every kind with this many units.
pub(crate) fn kinds(units: usize) -> Vec<Units> {
    vec![
        Units::Bernoulli(units),
        Units::Spin(units),
        Units::Categorical { units, classes: 3 },
        Units::Gaussian(units),
        Units::Diagonal(units),
        Units::Relu(units),
        Units::Drelu(units),
        Units::Binomial { units, trials: 3 },
        Units::Poisson(units),
    ]
}

/// Lists every pair of kinds whose Z is finite.
pub(crate) fn pairs(visible: usize, hidden: usize) -> Vec<(Units, Units)> {
    let all = kinds(visible).into_iter().flat_map(|v| kinds(hidden).into_iter().map(move |h| (v.clone(), h)));
    all.filter(|(v, h)| v.check_pair(h).is_ok()).collect()
}

pub(crate) fn random(units: &Units, scale: f64, rng: &mut Rng) -> Layer {
    let mut layer = units.layer((0..units.features()).map(|_| (scale * rng.normal()) as f32).collect());
    layer.parts_mut().1.into_iter().flatten().for_each(|x| *x = (0.3 * rng.normal()) as f32);
    layer
}

pub(crate) fn machine(visible: &Units, hidden: &Units, scale: f64, seed: u64) -> Rbm {
    let mut rng = Rng::new(seed);
    let shape = (visible.features(), hidden.features());
    let weights = Array2::from_shape_fn(shape, |_| (scale * rng.normal()) as f32);
    Rbm::from_layers(weights, random(visible, scale, &mut rng), random(hidden, scale, &mut rng)).unwrap()
}

pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

/// Reads a layer back as the oracle has it.
pub(crate) fn exact_layer(layer: &Layer) -> ExactLayer {
    let kind = match layer.units() {
        Units::Bernoulli(_) => Kind::Bernoulli,
        Units::Spin(_) => Kind::Spin,
        Units::Categorical { classes, .. } => Kind::Categorical(classes),
        Units::Gaussian(_) | Units::Diagonal(_) => Kind::Gaussian,
        Units::Relu(_) => Kind::Relu,
        Units::Drelu(_) => Kind::Drelu,
        Units::Binomial { trials, .. } => Kind::Binomial(trials),
        Units::Poisson(_) => Kind::Poisson,
        Units::Mixed(_) | Units::NoisyRelu(_) => panic!("the oracle has no layers of {}", layer.units()),
    };
    let mut out = ExactLayer::with_bias(kind, &wide(layer.bias()));
    for (block, extra) in out.parameters.iter_mut().skip(1).zip(layer.extra()) {
        *block = wide(extra.values);
    }
    out
}

pub(crate) fn exact(rbm: &Rbm) -> Exact {
    let weights = rbm.weights().iter().map(|&w| f64::from(w)).collect();
    Exact::new(exact_layer(rbm.visible()), exact_layer(rbm.hidden()), weights)
}

/// Gives features as states of a layer.
pub(crate) fn states(layer: &Layer, rows: &[Vec<f64>]) -> States {
    let features = layer.features();
    if !layer.units().is_binary() {
        return States::reals(rows.iter().flatten().map(|&x| x as f32).collect(), features);
    }
    harmonium::BitMatrix::from_fn(rows.len(), features, |r, f| rows[r][f] > 0.0).into()
}

pub(crate) fn rows_of(layer: &Layer, states: &States) -> Vec<Vec<f64>> {
    layer
        .features_of(states)
        .rows()
        .into_iter()
        .map(|row| row.iter().map(|&x| f64::from(x)).collect())
        .collect()
}

pub(crate) fn batch(layer: &Layer, rows: &[Vec<f64>]) -> Batch {
    if let Units::Categorical { units, classes } = layer.units() {
        let class = |(r, u): (usize, usize)| {
            (0..classes).position(|c| rows[r][u * classes + c] > 0.5).unwrap() as u16
        };
        return Batch::classes(Array2::from_shape_fn((rows.len(), units), class).view(), classes).unwrap();
    }
    Batch::from_states(states(layer, rows)).unwrap()
}

/// Draws indices with these probabilities.
pub(crate) fn draw(p: &[f64], n: usize, rng: &mut Rng) -> Vec<usize> {
    let total: f64 = p.iter().sum();
    (0..n)
        .map(|_| {
            let (mut u, mut at) = (rng.uniform() * total, 0);
            while at + 1 < p.len() && u >= p[at] {
                u -= p[at];
                at += 1;
            }
            at
        })
        .collect()
}

/// Makes rows of four columns that one hidden coin decides: each column is one of two noisy values.
pub(crate) fn coupled_rows(units: &Units, n: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = Rng::new(seed);
    let mut row = || -> Vec<f64> {
        let heads = rng.bernoulli(0.5);
        let mut unit = || -> Vec<f64> {
            let (bit, noise) = (heads != rng.bernoulli(0.1), rng.normal());
            let level = if heads { 1.0 } else { -1.0 };
            let successes = |p: f64, trials: usize, rng: &mut Rng| {
                (0..trials).filter(|_| rng.bernoulli(p)).count() as f64
            };
            match units {
                Units::Bernoulli(_) => vec![f64::from(u8::from(bit))],
                Units::Spin(_) => vec![if bit { 1.0 } else { -1.0 }],
                Units::Categorical { .. } => {
                    let class = if noise > 1.3 { 2 } else { usize::from(bit) };
                    (0..3).map(|c| f64::from(u8::from(c == class))).collect()
                }
                Units::Relu(_) => vec![(1.0 + level + 0.5 * noise).abs()],
                Units::Binomial { .. } => vec![successes(0.5 + 0.3 * level, 3, &mut rng)],
                Units::Poisson(_) => vec![successes(0.04 + 0.03 * level, 100, &mut rng)],
                _ => vec![1.5 * level + noise],
            }
        };
        (0..4).flat_map(|_| unit()).collect()
    };
    (0..n).map(|_| row()).collect()
}
