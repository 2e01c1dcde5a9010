//! Conditions a machine on what is known of each row: E(v, h | u) = U(v) + U(h) − v·W·h − u·A·v − u·B·h
//! (Taylor, Hinton & Roweis 2007; Mnih, Larochelle & Hinton 2011).
//!
//! The biases are b + Aᵀu and c + Bᵀu, so that the machine of one condition is an [`Rbm`] ([`Conditional::given`]). A and B lie
//! on the grid of W, and are parameters as W is: `condition_visible` and `condition_hidden`.

mod file;
mod history;
mod model;
mod pairs;
mod predict;
mod view;

pub use history::{History, Rolling};
pub use pairs::Pairs;
pub use predict::Prediction;
pub use view::{ConditionalState, ConditionalView};

use std::borrow::Cow;

use harmonium_core::data::standardise;
use harmonium_core::params::largest;
use harmonium_core::rows::first;
use harmonium_core::units::{Scaling, States, Units};
use harmonium_core::{Batch, Error, Key, Rows, purpose};
use harmonium_kernels::Grid;
use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

use crate::Rbm;
use crate::rbm::{INITIAL, finite};

/// Is a machine whose visible and hidden biases depend linearly on a condition that comes with each row.
///
/// Its rows are those of [`Pairs::join`]: the condition, and the visible units behind it.
///
/// ```
/// use harmonium_core::{Batch, Key, train::{Cd, Fit, Silent, fit}, units::Units};
/// use harmonium_rbm::{Conditional, Prediction};
/// use ndarray::array;
/// let condition = Batch::reals(array![[-1.0], [1.0]])?;
/// let visible = Batch::new(array![[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]].view())?;
/// let key = Key::from_seed(1);
/// let mut model = Conditional::for_data(&condition, &visible, Units::Bernoulli(4), key)?;
/// let data = model.pairs().join(&condition, &visible)?;
/// fit(&mut model, &data, &mut Cd::new(1), &Fit { epochs: 500, ..Fit::default() }, key, &mut Silent)?;
/// let mean = model.predict(&condition, Prediction::default(), key)?;
/// assert!(mean[(0, 2)] > 0.8 && mean[(1, 2)] < 0.2);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Conditional {
    rbm: Rbm,
    pairs: Pairs,
    /// A, `(condition, visible)`, row-major.
    to_visible: Vec<f32>,
    /// B, `(condition, hidden)`, row-major.
    to_hidden: Vec<f32>,
    /// How real conditions are standardised.
    scaling: Option<Scaling>,
}

impl Conditional {
    /// Makes a machine with small random W and B, A = 0 and zero biases.
    ///
    /// # Errors
    /// As [`Rbm::new`]; refuses a condition that is too wide.
    #[allow(clippy::needless_pass_by_value)] // Kinds are written down where a machine is made.
    pub fn new(pairs: Pairs, hidden: Units, key: Key) -> Result<Self, Error> {
        let rbm = Rbm::new(pairs.visible().clone(), hidden, key)?;
        Self::around(rbm, pairs, key)
    }

    /// Makes a machine for these rows: units of the kinds that take them, small random W and B, A = 0, and the marginals of
    /// the visible rows.
    ///
    /// # Errors
    /// As [`Conditional::fitted`].
    pub fn for_data(
        condition: &dyn Rows,
        visible: &dyn Rows,
        hidden: Units,
        key: Key,
    ) -> Result<Self, Error> {
        let natural =
            |rows: &dyn Rows| rows.whole().map_or(Units::Bernoulli(rows.units()), Batch::natural_units);
        let pairs = Pairs::new(natural(condition), natural(visible))?;
        Self::fitted(pairs, condition, visible, hidden, key)
    }

    /// Makes a machine of these kinds, with small random W and B, A = 0, and the marginals of the visible rows. Real columns
    /// on either side are standardised by the machine, which keeps their means and deviations. Rows of either side count as often
    /// as their weights say (`data::Weighted`).
    ///
    /// # Errors
    /// As [`Rbm::fitted`]; refuses conditions that do not fit, or are too wide.
    pub fn fitted(
        pairs: Pairs,
        condition: &dyn Rows,
        visible: &dyn Rows,
        hidden: Units,
        key: Key,
    ) -> Result<Self, Error> {
        match condition.whole() {
            Some(all) => pairs.check_condition(all)?,
            None => pairs.check_condition(&first(condition)?)?,
        }
        let scaling = standardise(pairs.condition(), condition)?;
        let rbm = Rbm::fitted(pairs.visible().clone(), visible, hidden, key)?;
        Ok(Self { scaling, ..Self::around(rbm, pairs, key)? })
    }

    fn around(rbm: Rbm, pairs: Pairs, key: Key) -> Result<Self, Error> {
        let width = pairs.condition().features();
        let range =
            Uniform::new(-INITIAL, INITIAL).map_err(|e| Error::option("initial weights", "a range", e))?;
        let mut stream = key.fold_in(purpose::INIT).stream(1);
        let to_hidden = Array2::random_using((width, rbm.hidden_units()), range, &mut stream);
        let to_visible = Array2::zeros((width, rbm.visible_units()));
        Self::from_parts(rbm, pairs, to_visible, to_hidden)
    }

    /// Makes a machine from one that knows no condition, A, `(condition, visible)`, and B, `(condition, hidden)`; all three
    /// matrices are rounded to one grid.
    ///
    /// # Errors
    /// Refuses shapes and kinds that do not fit, values that are not finite, and layers that have, with the condition, more
    /// than 65,536 features.
    pub fn from_parts(
        rbm: Rbm,
        pairs: Pairs,
        to_visible: Array2<f32>,
        to_hidden: Array2<f32>,
    ) -> Result<Self, Error> {
        if rbm.visible().units() != *pairs.visible() {
            return Err(Error::shape("visible units", pairs.visible(), rbm.visible().units()));
        }
        let width = pairs.condition().features();
        pairs.check_width(rbm.visible_units().max(rbm.hidden_units()))?;
        same_shape("condition_visible", (width, rbm.visible_units()), to_visible.dim())?;
        same_shape("condition_hidden", (width, rbm.hidden_units()), to_hidden.dim())?;
        let [to_visible, to_hidden] =
            [to_visible, to_hidden].map(|part| part.into_iter().collect::<Vec<_>>());
        finite("condition_visible", &to_visible)?;
        finite("condition_hidden", &to_hidden)?;
        let mut model = Self { rbm, pairs, to_visible, to_hidden, scaling: None };
        let (visible, hidden) = model.sizes();
        model.rbm.grid = Grid::settled(visible, hidden, model.largest());
        Ok(model)
    }

    /// Gives what a row holds.
    pub fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    /// Gives the machine of the condition 0, of real conditions their mean: W and the biases b and c.
    pub fn rbm(&self) -> &Rbm {
        &self.rbm
    }

    /// Gives A on its grid: `(condition, visible)`.
    pub fn to_visible(&self) -> Array2<f32> {
        self.rounded(&self.to_visible, self.rbm.visible_units())
    }

    /// Gives B on its grid: `(condition, hidden)`.
    pub fn to_hidden(&self) -> Array2<f32> {
        self.rounded(&self.to_hidden, self.rbm.hidden_units())
    }

    /// Gives how real conditions are standardised, if they are.
    pub fn condition_scaling(&self) -> Option<&Scaling> {
        self.scaling.as_ref()
    }

    /// Gives the number of features of the condition.
    pub fn condition_units(&self) -> usize {
        self.pairs.condition().features()
    }

    fn rounded(&self, values: &[f32], width: usize) -> Array2<f32> {
        Array2::from_shape_fn((self.condition_units(), width), |(i, j)| {
            self.rbm.grid.round(values[i * width + j])
        })
    }

    /// Gives how many terms the inputs of the two layers have at most: those of the grid's exact sums.
    fn sizes(&self) -> (usize, usize) {
        let width = self.condition_units();
        (self.rbm.visible_units() + width, self.rbm.hidden_units() + width)
    }

    /// Gives the largest |parameter| of the three matrices.
    fn largest(&self) -> f32 {
        largest(&[&self.rbm.master[..], &self.to_visible, &self.to_hidden].map(largest))
    }

    /// Takes checked rows apart, standardised: condition and visible states.
    fn take(&self, rows: &States) -> (States, States) {
        let (condition, visible) = self.pairs.split(rows);
        let visible = match self.rbm.scaling() {
            Some(scaling) => scaling.apply(&visible),
            None => visible,
        };
        (self.take_condition(&condition).into_owned(), visible)
    }

    fn take_condition<'a>(&self, condition: &'a States) -> Cow<'a, States> {
        match &self.scaling {
            Some(scaling) => Cow::Owned(scaling.apply(condition)),
            None => Cow::Borrowed(condition),
        }
    }
}

fn same_shape(field: &str, expected: (usize, usize), got: (usize, usize)) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::shape(field, format!("{expected:?}"), format!("{got:?}")))
}
