//! Computes the odds of units that take one of several classes, e^(a − max a), with the instructions of the back end.

use crate::Backend;
use crate::numeric::lanes;
use crate::simd::{Kernel, Simd};

/// Entries that are padded at once where a row ends between two vectors.
const PADDED: usize = 16;

/// Replaces activations by odds, `(units, classes)` row-major: a ← e^(a − m), m being the largest of the unit.
///
/// The largest of each unit becomes exactly 1; what lies 86 below it or more becomes 2e-38.
///
/// # Panics
/// If they are not whole units.
pub fn odds(activations: &mut [f32], classes: usize) {
    assert!(classes > 0 && activations.len().is_multiple_of(classes), "whole units of {classes} classes");
    Backend::current().run(Odds { activations, classes });
}

struct Odds<'a> {
    activations: &'a mut [f32],
    classes: usize,
}

impl Kernel for Odds<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for unit in self.activations.chunks_exact_mut(self.classes) {
            let most = unit.iter().fold(f32::NEG_INFINITY, |most, &a| if a > most { a } else { most });
            unit.iter_mut().for_each(|a| *a -= most);
        }
        let whole = self.activations.len() / S::LANES * S::LANES;
        let (vectors, rest) = self.activations.split_at_mut(whole);
        vectors.chunks_exact_mut(S::LANES).for_each(exponential::<S>);
        let mut padded = [0.0; PADDED];
        padded[..rest.len()].copy_from_slice(rest);
        exponential::<S>(&mut padded);
        rest.copy_from_slice(&padded[..rest.len()]);
    }
}

#[inline(always)]
fn exponential<S: Simd>(x: &mut [f32]) {
    S::store_f32(x, lanes::exp::<S>(S::load_f32(x)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::on_each;
    use crate::numeric;

    fn row(units: usize, classes: usize) -> Vec<f32> {
        (0..units * classes).map(|i| ((i * 37 % 101) as f32 - 50.0) * 0.17).collect()
    }

    /// Rests of every length, and the same bits from every back end as from the scalar formula.
    #[test]
    fn odds_are_those_of_the_formula_on_every_back_end() {
        for (units, classes) in [(1, 1), (1, 2), (5, 3), (7, 5), (16, 1), (53, 21)] {
            let values = row(units, classes);
            let expected: Vec<u32> = values
                .chunks(classes)
                .flat_map(|unit| {
                    let most = unit.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    unit.iter().map(move |a| numeric::exp(a - most).to_bits())
                })
                .collect();
            on_each(|backend| {
                let mut got = values.clone();
                backend.run(Odds { activations: &mut got, classes });
                assert_eq!(got.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), expected, "{backend}");
            });
        }
    }

    #[test]
    #[should_panic(expected = "whole units of 3 classes")]
    fn half_a_unit_is_refused() {
        odds(&mut [0.0; 4], 3);
    }
}
