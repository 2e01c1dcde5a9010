//! Classifies with a machine that has a label among its visible units: E(x, y, h) = −b·x − d·y − c·h − x·W·h − y·U·h
//! (Larochelle & Bengio 2008; Larochelle, Mandel, Pascanu & Bengio 2012).
//!
//! A [`Classifier`] is an [`Rbm`] with K more visible bits, of which exactly one is on: W and U are one matrix, b and d one
//! bias. So it trains with every estimator, optimiser and penalty there is, and predicts with the same integer products.

mod discriminative;
mod file;
mod hybrid;
mod labels;
mod model;
mod predict;
mod view;

pub use hybrid::{Discriminative, Hybrid};
pub use labels::labelled;
pub use view::ClassifierView;

use harmonium_core::rows::{blocks, count_by_unit};
use harmonium_core::units::{Bernoulli, Categorical, Layer, Unit, Units};
use harmonium_core::{Error, HasParams, Key, Rows};
use harmonium_kernels::BitMatrix;

use crate::Rbm;

/// Is a restricted Boltzmann machine of Bernoulli units that has a label of one of K classes among its visible units.
///
/// Its rows are those of [`labelled`]: n bits of x, and K more of which one is on, or none where the label is not known.
///
/// ```
/// use harmonium_core::{Batch, Key, train::{Cd, Fit, Silent, fit}};
/// use harmonium_rbm::{Classifier, Hybrid, labelled};
/// use ndarray::array;
/// let x = Batch::new(array![[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]].view())?;
/// let data = labelled(&x, &[Some(0), Some(1)], 2)?;
/// let mut model = Classifier::for_data(&data, 2, 8, Key::from_seed(1))?;
/// let options = Fit { epochs: 500, ..Fit::default() };
/// fit(&mut model, &data, &mut Hybrid::new(0.01, Cd::new(1)), &options, Key::from_seed(1), &mut Silent)?;
/// assert_eq!(model.predict(&x)?, [0, 1]);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    rbm: Rbm,
    classes: usize,
}

impl Classifier {
    /// Makes a classifier of n + K visible bits from a machine: the last K are the classes.
    ///
    /// # Errors
    /// Refuses other units than Bernoulli, fewer than two classes, and a machine without further visible units.
    pub fn from_rbm(rbm: Rbm, classes: usize) -> Result<Self, Error> {
        for layer in [rbm.visible(), rbm.hidden()] {
            if layer.bernoulli().is_none() {
                return Err(Error::shape("classifier", "Bernoulli units on both sides", layer.units()));
            }
        }
        labels::check_classes(classes, rbm.visible_units())?;
        Ok(Self { rbm, classes })
    }

    /// Makes a classifier with small random weights and zero biases: n bits of x, K classes, and hidden units.
    ///
    /// # Errors
    /// As [`Rbm::new`] and [`Classifier::from_rbm`].
    pub fn new(units: usize, classes: usize, hidden: usize, key: Key) -> Result<Self, Error> {
        let visible = Units::Bernoulli(units.saturating_add(classes));
        Self::from_rbm(Rbm::new(visible, Units::Bernoulli(hidden), key)?, classes)
    }

    /// Makes a classifier for rows of [`labelled`], with small random weights and the marginals of x and y.
    ///
    /// # Errors
    /// As [`Rbm::new`]; refuses rows of more than one class.
    pub fn for_data(data: &dyn Rows, classes: usize, hidden: usize, key: Key) -> Result<Self, Error> {
        let mut rbm = Rbm::for_data(data, Units::Bernoulli(hidden), key)?;
        labels::check_classes(classes, data.units())?;
        let split = data.units() - classes;
        blocks(data).try_for_each(|block| labels::check(block?.bits()?, split))?;
        let counts = &count_by_unit(data)?[split..];
        let mut bias = rbm.visible_bias().to_vec();
        bias[split..].copy_from_slice(Categorical::from_counts(counts, classes).bias());
        rbm.set_base(Layer::Bernoulli(Bernoulli::new(bias.clone())))?;
        rbm.blocks_mut()[1].values.copy_from_slice(&bias);
        Self::from_rbm(rbm, classes)
    }

    /// Gives the machine of x and y, `(n + K, hidden)`. By itself it does not know that y is one of K.
    pub fn rbm(&self) -> &Rbm {
        &self.rbm
    }

    /// Gives K.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Gives n, the number of units of x.
    pub fn units(&self) -> usize {
        self.rbm.visible_units() - self.classes
    }

    /// Puts a class into each row that has none.
    fn completed(&self, bits: &BitMatrix, classes: &[usize]) -> BitMatrix {
        let mut out = bits.clone();
        for (row, &class) in classes.iter().enumerate() {
            if labels::label(bits, row, self.units()).is_none() {
                out.set(row, self.units() + class, true);
            }
        }
        out
    }
}
