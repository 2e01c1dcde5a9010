//! Converts models and states between library and oracle, and lists the models that the proofs run over.

// Each proof takes what it needs.
#![allow(dead_code, unused_imports)]

pub(crate) mod conditions;
pub(crate) mod deep;
pub(crate) mod law;
pub(crate) mod machines;
pub(crate) mod oracles;
pub(crate) mod own;
pub(crate) mod recipe;
pub(crate) mod stacks;
pub(crate) mod tolerance;
pub(crate) mod units;

use harmonium::rbm::{Parts, Rbm, State};
use harmonium::stats::Stats;
use harmonium::units::States;
use harmonium::{Batch, BitMatrix, Gibbs, Key};
use harmonium_kernels::numeric;
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::rng::Rng;
use ndarray::{Array1, Array2};

/// The sizes that are enumerated.
pub(crate) const SIZES: [(usize, usize); 7] = [(1, 1), (2, 1), (3, 2), (4, 3), (5, 5), (6, 4), (8, 4)];
/// The deviations of their parameters.
pub(crate) const SCALES: [f64; 5] = [0.0, 0.1, 1.0, 3.0, 10.0];
/// Widths about the ends of a 64-bit word.
pub(crate) const WIDTHS: [usize; 6] = [63, 64, 65, 127, 128, 129];

/// Reads the model that samples, with its weights on the grid, into the oracle.
pub(crate) fn exact(rbm: &Rbm) -> Exact {
    let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    Exact {
        visible: rbm.visible_units(),
        hidden: rbm.hidden_units(),
        weights: rbm.weights().iter().map(|&w| f64::from(w)).collect(),
        visible_bias: wide(rbm.visible_bias()),
        hidden_bias: wide(rbm.hidden_bias()),
    }
}

/// Makes the library's model from one of the oracle; weights are rounded to the grid, so read them back.
pub(crate) fn library(model: &Exact) -> Rbm {
    let narrow = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let weights = Array2::from_shape_vec((model.visible, model.hidden), narrow(&model.weights));
    let (b, c) = (narrow(&model.visible_bias), narrow(&model.hidden_bias));
    let parts = Parts {
        weights: weights.expect("visible × hidden weights"),
        visible_bias: Array1::from(b),
        hidden_bias: Array1::from(c),
    };
    Rbm::from_parts(parts).expect("a model within range")
}

/// Makes a model whose parameters are normal with deviation `scale`.
pub(crate) fn model(visible: usize, hidden: usize, scale: f64, seed: u64) -> Rbm {
    library(&Exact::normal(visible, hidden, scale, &mut Rng::new(seed)))
}

/// Makes a model whose biases balance its couplings, so that no unit is nearly always on or off.
pub(crate) fn balanced(visible: usize, hidden: usize, scale: f64, seed: u64) -> Rbm {
    let mut out = Exact::normal(visible, hidden, scale, &mut Rng::new(seed));
    for i in 0..visible {
        out.visible_bias[i] = -(0..hidden).map(|j| out.weight(i, j)).sum::<f64>() / 2.0;
    }
    for j in 0..hidden {
        out.hidden_bias[j] = -(0..visible).map(|i| out.weight(i, j)).sum::<f64>() / 2.0;
    }
    library(&out)
}

/// Makes a model of every exact size and every scale.
pub(crate) fn models() -> Vec<Rbm> {
    let sizes = SIZES.iter().enumerate();
    let both =
        sizes.flat_map(|(n, &size)| SCALES.iter().enumerate().map(move |(m, &s)| (n * 10 + m, size, s)));
    both.map(|(seed, (visible, hidden), scale)| model(visible, hidden, scale, seed as u64)).collect()
}

/// Packs masks, bit i = unit i, into rows of at most 64 units.
pub(crate) fn bits(units: usize, masks: &[u64]) -> BitMatrix {
    BitMatrix::from_words(masks.len(), units, masks.to_vec()).expect("masks without padding bits")
}

/// Makes a batch of masks.
pub(crate) fn batch(units: usize, masks: &[u64]) -> Batch {
    Batch::from_bits(bits(units, masks)).expect("rows and columns")
}

/// Packs masks as the states of a binary layer.
pub(crate) fn states(units: usize, masks: &[u64]) -> States {
    bits(units, masks).into()
}

/// Lists every state of `units` units.
pub(crate) fn every(units: usize) -> Vec<u64> {
    (0..1 << units).collect()
}

/// Makes a batch of every visible state, state v in row v.
pub(crate) fn every_row(rbm: &Rbm) -> Batch {
    batch(rbm.visible_units(), &every(rbm.visible_units()))
}

/// Draws rows of fair coins of any width.
pub(crate) fn coins(rows: usize, units: usize, seed: u64) -> BitMatrix {
    let mut rng = Rng::new(seed);
    BitMatrix::from_fn(rows, units, |_, _| rng.bernoulli(0.5))
}

/// Unpacks one row.
pub(crate) fn bools(bits: &BitMatrix, row: usize) -> Vec<bool> {
    (0..bits.units()).map(|unit| bits.get(row, unit)).collect()
}

/// Reads rows of at most 64 units as masks.
pub(crate) fn masks(states: &States) -> Vec<u64> {
    let bits = states.expect_bits();
    assert_eq!(bits.stride(), 1);
    bits.words().to_vec()
}

/// Reads the joint states of chains.
pub(crate) fn pairs(state: &State) -> Vec<(u64, u64)> {
    masks(state.visible()).into_iter().zip(masks(state.hidden())).collect()
}

/// Puts chains at visible states.
pub(crate) fn chains(rbm: &Rbm, visible: &[u64]) -> State {
    rbm.unpack(states(rbm.visible_units(), visible)).expect("chains of the model's width")
}

/// Gives the means that statistics stand for: W, b, c one after the other, as the oracle lists them.
pub(crate) fn means(stats: &Stats, rbm: &Rbm) -> Vec<f64> {
    let blocks = 0..harmonium::HasParams::blocks(rbm).len();
    blocks.flat_map(|block| stats.means(block).into_iter().map(f64::from)).collect()
}

/// Counts the 24-bit words that switch a unit on, by bisection: its probability is this times 2^-24.
pub(crate) fn threshold(activation: f32) -> u32 {
    let (mut least, mut most) = (0, 1 << 24);
    while least < most {
        let middle = least + (most - least) / 2;
        if numeric::bernoulli(middle << 8, activation) {
            least = middle + 1;
        } else {
            most = middle;
        }
    }
    least
}

/// Makes a key of a seed.
pub(crate) fn key(seed: u64) -> Key {
    Key::from_seed(seed)
}

/// Asserts |a − b| ≤ bound, and says where.
#[track_caller]
pub(crate) fn close(got: f64, expected: f64, bound: f64, place: impl std::fmt::Debug) {
    let off = (got - expected).abs();
    assert!(off <= bound, "{place:?}: got {got}, expected {expected}, off by {off:e} > {bound:e}");
}

/// Asserts [`close`] entry by entry.
#[track_caller]
pub(crate) fn all_close(got: &[f64], expected: &[f64], bound: f64, place: impl std::fmt::Debug) {
    assert_eq!(got.len(), expected.len(), "{place:?}");
    got.iter().zip(expected).enumerate().for_each(|(n, (&a, &b))| close(a, b, bound, (&place, n)));
}
