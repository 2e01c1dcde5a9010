//! Computes exponentials of many activations, for units that choose one of many classes.

use crate::Backend;
use crate::numeric::lanes;
use crate::simd::{Kernel, Simd};

/// Replaces each x by e^(x − `most`) as [`crate::numeric::exp`] has it, alike on every back end.
pub fn exponentials(values: &mut [f32], most: f32) {
    Backend::current().run(Exponentials { values, most });
}

struct Exponentials<'a> {
    values: &'a mut [f32],
    most: f32,
}

/// Entries of a piece: those behind the end of the last one are left alone.
const PIECE: usize = 16;

impl Kernel for Exponentials<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let less = S::splat_f32(-self.most);
        for piece in self.values.chunks_mut(PIECE) {
            let mut lanes = [0.0; PIECE];
            lanes[..piece.len()].copy_from_slice(piece);
            for lanes in lanes.chunks_exact_mut(S::LANES) {
                S::store_f32(lanes, lanes::exp::<S>(S::add_f32(S::load_f32(lanes), less)));
            }
            piece.copy_from_slice(&lanes[..piece.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::on_each;
    use crate::numeric;

    #[test]
    fn every_back_end_gives_the_bits_of_the_scalar_function() {
        on_each(|backend| {
            for length in 0..70 {
                let value = |n: usize| (n as f32 * 7.3).sin() * 60.0 - 40.0;
                let mut found: Vec<f32> = (0..length).map(value).collect();
                exponentials(&mut found, 20.0);
                for (n, x) in found.into_iter().enumerate() {
                    let expected = numeric::exp(value(n) - 20.0);
                    assert_eq!(x.to_bits(), expected.to_bits(), "{backend}: {n} of {length}");
                }
            }
        });
    }
}
