//! Holds what a layer receives from the other: sums that are known, or a product still to be computed.

use std::borrow::Cow;

use harmonium_kernels::bernoulli as bernoulli_kernel;
use harmonium_kernels::product::Product;

/// Holds what a layer receives from the other: sums of codes, `(n, features)`, and what one of them weighs.
///
/// The sums may still be a product of bits and weights; a layer that can uses them where they arise. A layer of real
/// values sends real sums.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    sums: Sums<'a>,
    /// The weight of one code, 2^-s; 1 for real sums.
    pub quantum: f32,
    /// β of a tempered view; 1 for the model itself.
    pub gain: f32,
}

#[derive(Clone, Debug)]
enum Sums<'a> {
    Known(Cow<'a, [i32]>),
    Product(Product<'a>),
    Reals(Cow<'a, [f32]>),
}

impl<'a> Input<'a> {
    /// Makes an input of sums that are known, row-major.
    pub fn known(sums: Vec<i32>, quantum: f32, gain: f32) -> Self {
        Self { sums: Sums::Known(sums.into()), quantum, gain }
    }

    /// Makes an input of nothing: what a layer alone receives.
    pub fn zero(rows: usize, features: usize) -> Self {
        Self::known(vec![0; rows * features], 1.0, 1.0)
    }

    /// Makes an input of a product that is still to be computed.
    pub fn product(product: Product<'a>, gain: f32) -> Self {
        Self { quantum: product.quantum(), sums: Sums::Product(product), gain }
    }

    /// Makes an input of real sums, row-major.
    pub fn reals(sums: Vec<f32>, gain: f32) -> Self {
        Self { sums: Sums::Reals(sums.into()), quantum: 1.0, gain }
    }

    /// Computes the sums, if that is still to be done: for inputs that are used more than once.
    #[must_use]
    pub fn computed(self) -> Input<'static> {
        let (quantum, gain) = (self.quantum, self.gain);
        let sums = match self.sums {
            Sums::Known(sums) => Sums::Known(sums.into_owned().into()),
            Sums::Product(product) => Sums::Known(product.sums().into()),
            Sums::Reals(sums) => Sums::Reals(sums.into_owned().into()),
        };
        Input { sums, quantum, gain }
    }

    /// Gives I of each feature, β included, row-major.
    pub fn values(&self) -> Vec<f32> {
        let integers = |sums: &[i32]| sums.iter().map(|&sum| sum as f32 * self.quantum * self.gain).collect();
        match &self.sums {
            Sums::Known(sums) => integers(sums),
            Sums::Product(product) => integers(&product.sums()),
            Sums::Reals(sums) => sums.iter().map(|&sum| sum * self.gain).collect(),
        }
    }

    /// Gives Σ q of each feature, row-major, where the sums are integers.
    pub fn sums(&self) -> Option<Cow<'_, [i32]>> {
        match &self.sums {
            Sums::Known(sums) => Some(Cow::Borrowed(&**sums)),
            Sums::Product(product) => Some(Cow::Owned(product.sums())),
            Sums::Reals(_) => None,
        }
    }

    /// Lends the same sums with another gain.
    #[must_use]
    pub fn with_gain(&self, gain: f32) -> Input<'_> {
        let sums = match &self.sums {
            Sums::Known(sums) => Sums::Known(Cow::Borrowed(sums)),
            Sums::Product(product) => Sums::Product(*product),
            Sums::Reals(sums) => Sums::Reals(Cow::Borrowed(sums)),
        };
        Input { sums, quantum: self.quantum, gain }
    }

    /// Adds codes, `sign` times, to the sums of an input of integers that is computed.
    ///
    /// # Panics
    /// If it is another input, or the numbers differ.
    pub fn add(&mut self, codes: &[i32], sign: i32) {
        let Sums::Known(sums) = &mut self.sums else { panic!("an input of known integers") };
        assert_eq!(sums.len(), codes.len(), "entries of the input");
        sums.to_mut().iter_mut().zip(codes).for_each(|(sum, code)| *sum += sign * code);
    }

    /// Gives the number of entries.
    pub(super) fn len(&self) -> usize {
        match &self.sums {
            Sums::Known(sums) => sums.len(),
            Sums::Product(product) => product.rows() * product.width(),
            Sums::Reals(sums) => sums.len(),
        }
    }

    /// Lends the input to the kernels of binary units.
    pub(super) fn kernel(&self) -> bernoulli_kernel::Input<'_> {
        match &self.sums {
            Sums::Known(sums) => bernoulli_kernel::Input::Sums(sums),
            Sums::Product(product) => bernoulli_kernel::Input::Product(*product),
            Sums::Reals(sums) => bernoulli_kernel::Input::Reals(sums),
        }
    }
}
