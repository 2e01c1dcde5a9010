//! Makes conditional machines with weights that no two share.

use harmonium::HasParams;
use harmonium::rbm::{Conditional, Pairs, Rbm};
use harmonium::units::Units;
use ndarray::Array2;

use super::{coins, key};

/// Makes numbers between −1 and 1 that no row and no column shares.
pub(crate) fn spread(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let bits = coins(rows, columns * 8, seed);
    let of = |(r, c): (usize, usize)| {
        (0..8).map(|n| f32::from(u8::from(bits.get(r, c * 8 + n))) * 0.5_f32.powi(n as i32 + 1)).sum::<f32>()
    };
    Array2::from_shape_fn((rows, columns), |at| 2.0 * of(at) - 1.0)
}

pub(crate) fn model(pairs: Pairs) -> Conditional {
    let (m, nv) = (pairs.condition().features(), pairs.visible().features());
    let mut rbm = Rbm::new(pairs.visible().clone(), Units::Bernoulli(2), key(3)).unwrap();
    for (block, seed) in rbm.blocks_mut().into_iter().zip(20..) {
        let values = spread(1, block.values.len(), seed);
        block.values.copy_from_slice(values.as_slice().unwrap());
    }
    rbm.refresh();
    Conditional::from_parts(rbm, pairs, spread(m, nv, 31), spread(m, 2, 32) * 1.5).unwrap()
}
