//! Makes deep machines with their judges, and bounds what f32 and 16 bits cost them.

use harmonium::dbn::deep::Dbm;
use harmonium::units::{Layer, States, Unit, Units};
use harmonium::{Batch, BitMatrix};
use harmonium_oracle::deep::Deep;
use harmonium_oracle::rng::Rng;
use ndarray::Array2;

use super::tolerance::{U, tau_p};

/// The sizes of machines that are enumerated, and which layers are spins.
pub(crate) const SHAPES: [(&[usize], &[usize]); 5] = [
    (&[4, 3], &[]),
    (&[3, 2, 2], &[]),
    (&[4, 3, 2], &[0, 2]),
    (&[2, 3, 2, 2], &[1]),
    (&[2, 1, 2, 1, 2], &[]),
];

/// Makes a machine with parameters of this scale.
pub(crate) fn deep(sizes: &[usize], spins: &[usize], scale: f64, seed: u64) -> Dbm {
    let mut rng = Rng::new(seed);
    let mut draw = |n: usize| (0..n).map(|_| (scale * rng.normal()) as f32).collect::<Vec<f32>>();
    let weights = sizes.windows(2).map(|pair| {
        Array2::from_shape_vec((pair[0], pair[1]), draw(pair[0] * pair[1])).expect("weights of their shape")
    });
    let weights = weights.collect();
    let units =
        |(l, &n): (usize, &usize)| if spins.contains(&l) { Units::Spin(n) } else { Units::Bernoulli(n) };
    let layers = sizes.iter().enumerate().map(|layer| units(layer).layer(draw(*layer.1)));
    Dbm::from_layers(layers.collect(), weights).unwrap()
}

/// Makes all such machines.
pub(crate) fn deeps(scale: f64) -> Vec<Dbm> {
    SHAPES.iter().enumerate().map(|(n, (sizes, spins))| deep(sizes, spins, scale, n as u64 + 1)).collect()
}

/// Reads a machine back, weights as they are on the grid.
pub(crate) fn judge(dbm: &Dbm) -> Deep {
    let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let weights = |l| dbm.weights(l).unwrap().iter().map(|&w| f64::from(w)).collect();
    Deep {
        sizes: dbm.layers().iter().map(Layer::features).collect(),
        spins: dbm.layers().iter().map(|layer| matches!(layer.units(), Units::Spin(_))).collect(),
        weights: (1..=dbm.depth()).map(weights).collect(),
        biases: dbm.layers().iter().map(|layer| wide(layer.bias())).collect(),
    }
}

/// Spreads masks over the layers of a machine.
pub(crate) fn layers(x: &Deep, masks: &[u64]) -> Vec<States> {
    let mut from = 0;
    let of = |&size: &usize| {
        let bits = BitMatrix::from_fn(masks.len(), size, |row, unit| masks[row] >> (from + unit) & 1 == 1);
        from += size;
        States::Bits(bits)
    };
    x.sizes.iter().map(of).collect()
}

/// Reads the states of all layers as masks.
pub(crate) fn masks(x: &Deep, states: &[States]) -> Vec<u64> {
    let mut out = vec![0; states[0].rows()];
    let mut from = 0;
    for (layer, &size) in states.iter().zip(&x.sizes) {
        let bits = layer.expect_bits();
        for (row, mask) in out.iter_mut().enumerate() {
            (0..size).for_each(|unit| *mask |= u64::from(bits.get(row, unit)) << (from + unit));
        }
        from += size;
    }
    out
}

/// Packs the layers of even number of masks side by side, as chains are packed.
pub(crate) fn packed(x: &Deep, masks: &[u64]) -> States {
    let all = layers(x, masks);
    let even: Vec<&BitMatrix> = all.iter().step_by(2).map(States::expect_bits).collect();
    let width = even.iter().map(|bits| bits.units()).sum();
    let place = |mut unit: usize| {
        even.iter().find_map(|bits| {
            if unit < bits.units() {
                return Some((*bits, unit));
            }
            unit -= bits.units();
            None
        })
    };
    States::Bits(BitMatrix::from_fn(masks.len(), width, |row, unit| {
        let (bits, unit) = place(unit).unwrap();
        bits.get(row, unit)
    }))
}

/// Makes a batch of every visible state.
pub(crate) fn every_row(x: &Deep) -> Batch {
    super::batch(x.sizes[0], &super::every(x.sizes[0]))
}

/// Bounds a probability: the sum of a layer's input is at most Σ |W|, its total Σ |W| + |b|; spins have twice of both.
pub(crate) fn tau_unit(x: &Deep) -> f64 {
    let coupled = x.weights.iter().flatten().map(|w| w.abs()).sum::<f64>();
    let bias = x.biases.iter().flatten().fold(0.0_f64, |most, b| most.max(b.abs()));
    tau_p(2.0 * coupled, 2.0 * (coupled + bias))
}

/// Bounds the total variation of a sweep: every unit is drawn once.
pub(crate) fn tau_sweep(x: &Deep) -> f64 {
    x.units() as f64 * tau_unit(x)
}

/// Bounds an energy: f64 sums of exact terms, and biases and inputs that were rounded to f32 once or twice.
pub(crate) fn tau_energy(x: &Deep) -> f64 {
    4.0 * U * x.parameters().iter().map(|p| p.abs()).sum::<f64>() + 1e-12
}

/// Gives the parameters times a factor.
pub(crate) fn scaled(dbm: &Dbm, factor: f32) -> harmonium::Params {
    let mut params = harmonium::HasParams::params(dbm);
    params.tensors_mut().iter_mut().flat_map(|t| &mut t.values).for_each(|x| *x *= factor);
    params
}

/// Gives mean statistics in the order of the oracle. The first block holds products of bits t, also where these stand for spins
/// 2t − 1, of which the contrast alone makes products of spins: with v = s t − o, ⟨v h⟩ = s s' ⟨t t'⟩ − o' ⟨v⟩ − o ⟨h⟩ − o o'.
pub(crate) fn means(dbm: &Dbm, stats: &harmonium::stats::Stats) -> Vec<f64> {
    let mean = |block| stats.means(block).into_iter().map(f64::from).collect::<Vec<f64>>();
    let mut blocks: Vec<Vec<f64>> = (0..harmonium::HasParams::blocks(dbm).len()).map(mean).collect();
    let [(s, o), (s1, o1)] = [0, 1].map(|l| if dbm.layers()[l].signs() { (2.0, 1.0) } else { (1.0, 0.0) });
    let (v, h) = (blocks[1].clone(), blocks[2].clone());
    for (pair, at) in blocks[0].iter_mut().zip(0..) {
        let (v, h) = (v[at / h.len()], h[at % h.len()]);
        *pair = s * s1 * *pair - o1 * v - o * h - o * o1;
    }
    blocks.concat()
}

/// Gives a gradient in the order of the oracle.
pub(crate) fn entries(gradient: &harmonium::Params) -> Vec<f64> {
    gradient.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}
