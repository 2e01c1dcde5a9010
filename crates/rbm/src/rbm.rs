//! Holds the parameters of a machine, and rounds its weights to their grid.

use std::borrow::Cow;

use harmonium_core::data::{marginals, standardise};
use harmonium_core::params::{Block, BlockMut, largest};
use harmonium_core::persist::digest;
use harmonium_core::rows::first;
use harmonium_core::units::{Bernoulli, Layer, Scaling, States, Unit, Units};
use harmonium_core::{Batch, EnergyModel, Error, HasParams, Key, Rows, check_backend, purpose};
use harmonium_kernels::Grid;
use ndarray::{Array1, Array2};
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

use crate::View;

/// Half the width of the uniform initial weights: their standard deviation is 0.01 (Hinton 2010, §8.1).
pub(crate) const INITIAL: f32 = 0.017_320_508;

/// Is a restricted Boltzmann machine: a visible and a hidden layer of units of any kind, each unit of one coupled to each of
/// the other.
///
/// The machine that samples, scores and is exported has its weights on a fixed-point grid ([`Rbm::weights`]); the
/// optimiser moves a finer master of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rbm {
    pub(crate) master: Vec<f32>,
    pub(crate) grid: Grid,
    pub(crate) visible: Layer,
    pub(crate) hidden: Layer,
    pub(crate) base: Layer,
    pub(crate) scaling: Option<Scaling>,
}

/// Holds what a machine of binary units is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// W, `(visible, hidden)`.
    pub weights: Array2<f32>,
    /// b, one per visible unit.
    pub visible_bias: Array1<f32>,
    /// c, one per hidden unit.
    pub hidden_bias: Array1<f32>,
}

impl Rbm {
    /// Makes a machine with small random weights and zero biases.
    ///
    /// # Errors
    /// Refuses a layer without units or with more than 65,536 features, and two layers of unbounded units.
    #[allow(clippy::needless_pass_by_value)] // Kinds are written down where a machine is made.
    pub fn new(visible: Units, hidden: Units, key: Key) -> Result<Self, Error> {
        let (nv, nh) = (checked("visible", &visible)?, checked("hidden", &hidden)?);
        let mut stream = key.fold_in(purpose::INIT).stream(0);
        let range =
            Uniform::new(-INITIAL, INITIAL).map_err(|e| Error::option("initial weights", "a range", e))?;
        let weights = Array2::random_using((nv, nh), range, &mut stream);
        Self::from_layers(weights, visible.layer(vec![0.0; nv]), hidden.layer(vec![0.0; nh]))
    }

    /// Makes a machine for these rows: visible units of the kind that takes them (bits: Bernoulli; classes: categorical;
    /// real values: Gaussian), small random weights, and the marginals of the data.
    ///
    /// # Errors
    /// As [`Rbm::new`]; says what could not be read.
    pub fn for_data(data: &dyn Rows, hidden: Units, key: Key) -> Result<Self, Error> {
        let natural = data.whole().map_or(Units::Bernoulli(data.units()), Batch::natural_units);
        Self::fitted(natural, data, hidden, key)
    }

    /// Makes a machine with visible units of this kind, small random weights, and the marginals of the data. Real columns are
    /// standardised by the machine, which keeps their means and deviations: data go in and samples come out in their own
    /// units.
    ///
    /// # Errors
    /// As [`Rbm::new`]; refuses data that the units can't take, and says what could not be read.
    pub fn fitted(visible: Units, data: &dyn Rows, hidden: Units, key: Key) -> Result<Self, Error> {
        let mut rbm = Self::new(visible, hidden, key)?;
        rbm.check_rows(data)?;
        rbm.scaling = standardise(&rbm.visible.units(), data)?;
        rbm.set_marginals(data)?;
        rbm.visible = rbm.base.clone();
        Ok(rbm)
    }

    /// Makes a machine of binary units from given parameters; the weights are rounded to their grid.
    ///
    /// # Errors
    /// As [`Rbm::from_layers`].
    pub fn from_parts(parts: Parts) -> Result<Self, Error> {
        let Parts { weights, visible_bias, hidden_bias } = parts;
        let (nv, nh) = weights.dim();
        same_length("visible bias", nv, visible_bias.len())?;
        same_length("hidden bias", nh, hidden_bias.len())?;
        let layer = |bias: Array1<f32>| Layer::Bernoulli(Bernoulli::new(bias.to_vec()));
        Self::from_layers(weights, layer(visible_bias), layer(hidden_bias))
    }

    /// Makes a machine from weights, `(visible features, hidden features)`, and two layers; the weights are rounded to their
    /// grid.
    ///
    /// # Errors
    /// Refuses shapes that do not fit, layers without units or with more than 65,536 features, two layers of unbounded
    /// units, values that are not finite, and a back end that this machine lacks.
    pub fn from_layers(weights: Array2<f32>, visible: Layer, hidden: Layer) -> Result<Self, Error> {
        check_backend()?;
        let (nv, nh) = weights.dim();
        checked("visible", &visible.units())?;
        checked("hidden", &hidden.units())?;
        visible.units().check_pair(&hidden.units())?;
        same_length("visible layer", nv, visible.features())?;
        same_length("hidden layer", nh, hidden.features())?;
        let master: Vec<f32> = weights.into_iter().collect();
        finite("weights", &master)?;
        let grid = Grid::settled(nv, nh, largest(&master));
        let base = visible.free();
        let rbm = Self { master, grid, visible, hidden, base, scaling: None };
        rbm.blocks().iter().try_for_each(|block| finite(block.name, block.values))?;
        Ok(rbm)
    }

    /// Restores a machine whose grid is known, say from a file.
    ///
    /// # Errors
    /// As [`Rbm::from_parts`]; and if the weights do not fit the grid.
    pub fn from_parts_on_grid(parts: Parts, shift: i32) -> Result<Self, Error> {
        Self::from_parts(parts)?.on_grid(shift)
    }

    /// Puts the weights on a known grid, say that of a file.
    ///
    /// # Errors
    /// Refuses a grid that the weights do not fit.
    pub fn on_grid(mut self, shift: i32) -> Result<Self, Error> {
        self.grid = self.restored_grid(&self.master, shift)?;
        Ok(self)
    }

    /// Keeps the marginals of the data, smoothed, as the base model of annealed importance sampling.
    ///
    /// # Errors
    /// Refuses rows that the visible units can't take; says what could not be read.
    pub fn set_marginals(&mut self, data: &dyn Rows) -> Result<(), Error> {
        self.check_rows(data)?;
        self.base = marginals(&self.visible.units(), data, self.scaling())?;
        Ok(())
    }

    fn check_rows(&self, data: &dyn Rows) -> Result<(), Error> {
        match data.whole() {
            Some(all) => self.check_data(all),
            // One row has the width of all.
            None => self.check_data(&first(data)?),
        }
    }

    /// Gives how real columns are standardised, if they are.
    pub fn scaling(&self) -> Option<&Scaling> {
        self.scaling.as_ref()
    }

    /// Standardises real columns from now on; the parameters stay as they are.
    ///
    /// # Errors
    /// Refuses a scaling of another width.
    pub fn set_scaling(&mut self, scaling: Option<Scaling>) -> Result<(), Error> {
        let width = scaling.as_ref().map_or(self.visible_units(), |scaling| scaling.mean().len());
        same_length("scaling", self.visible_units(), width)?;
        self.scaling = scaling;
        Ok(())
    }

    /// Gives the states of checked rows, standardised.
    pub(crate) fn take<'a>(&self, data: &'a Batch) -> Cow<'a, States> {
        match &self.scaling {
            Some(scaling) => Cow::Owned(scaling.apply(data.states())),
            None => Cow::Borrowed(data.states()),
        }
    }

    /// Gives states back in the data's own units.
    pub fn give(&self, states: States) -> States {
        match &self.scaling {
            Some(scaling) => mutant!("B89", scaling.invert(&states), states),
            None => states,
        }
    }

    /// Gives the base model of annealed importance sampling: independent visible units.
    pub fn base(&self) -> &Layer {
        &self.base
    }

    /// Replaces the base model.
    ///
    /// # Errors
    /// Refuses a base of another width or kind.
    pub fn set_base(&mut self, base: impl Into<Layer>) -> Result<(), Error> {
        let base = base.into();
        self.check_base(&base)?;
        self.base = base;
        Ok(())
    }

    pub(crate) fn check_base(&self, base: &Layer) -> Result<(), Error> {
        finite("base", base.bias())?;
        base.extra().iter().try_for_each(|extra| finite(extra.names[0], extra.values))?;
        let (expected, got) = (self.visible.units(), base.units());
        if expected == got {
            return Ok(());
        }
        Err(Error::shape("base", expected, got))
    }

    /// Gives the visible layer.
    pub fn visible(&self) -> &Layer {
        &self.visible
    }

    /// Gives the hidden layer.
    pub fn hidden(&self) -> &Layer {
        &self.hidden
    }

    /// Gives the number of visible features: of units, or of classes of all categorical units.
    pub fn visible_units(&self) -> usize {
        self.visible.features()
    }

    /// Gives the number of hidden features.
    pub fn hidden_units(&self) -> usize {
        self.hidden.features()
    }

    /// Gives the weights that the machine samples with, on their grid: `(visible, hidden)`.
    pub fn weights(&self) -> Array2<f32> {
        let (nv, nh) = (self.visible_units(), self.hidden_units());
        Array2::from_shape_fn((nv, nh), |(i, j)| self.grid.round(self.master[i * nh + j]))
    }

    /// Gives the visible biases b.
    pub fn visible_bias(&self) -> &[f32] {
        self.visible.bias()
    }

    /// Gives the hidden biases c.
    pub fn hidden_bias(&self) -> &[f32] {
        self.hidden.bias()
    }

    /// Gives s: weights are multiples of 2^-s.
    pub fn shift(&self) -> i32 {
        self.grid.shift()
    }

    /// Views the machine as it is.
    pub fn view(&self) -> View<'_> {
        View::whole(self)
    }

    pub(crate) fn restored_grid(&self, weights: &[f32], shift: i32) -> Result<Grid, Error> {
        let m = largest(weights);
        Grid::restored(self.visible_units(), self.hidden_units(), shift, m)
            .ok_or_else(|| Error::value("grid shift", "", format!("one that holds weights up to {m}"), shift))
    }
}

impl HasParams for Rbm {
    /// Lends weights, visible and hidden biases, and then what else the layers have.
    fn blocks(&self) -> Vec<Block<'_>> {
        let (nv, nh) = (self.visible_units(), self.hidden_units());
        let flat = |name, values: &'_ [f32]| (name, vec![values.len()]);
        let mut blocks = vec![
            Block { name: "weights", shape: vec![nv, nh], values: &self.master },
            Block { name: "visible_bias", shape: vec![nv], values: self.visible.bias() },
            Block { name: "hidden_bias", shape: vec![nh], values: self.hidden.bias() },
        ];
        for (side, layer) in [&self.visible, &self.hidden].into_iter().enumerate() {
            blocks.extend(layer.extra().into_iter().map(|extra| {
                let (name, shape) = flat(extra.names[side], extra.values);
                Block { name, shape, values: extra.values }
            }));
        }
        blocks
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        let names: Vec<&'static str> = self.blocks().iter().map(|block| block.name).collect();
        let [(visible, visible_extra), (hidden, hidden_extra)] =
            [&mut self.visible, &mut self.hidden].map(Layer::parts_mut);
        let values =
            [&mut self.master[..], visible, hidden].into_iter().chain(visible_extra).chain(hidden_extra);
        names.into_iter().zip(values).map(|(name, values)| BlockMut { name, values }).collect()
    }

    fn follow(&mut self, largest: &[f32]) {
        if largest[0].is_finite() {
            self.grid = self.grid.followed(largest[0]);
        }
    }

    fn digest(&self) -> String {
        let weights: Vec<f32> = self.master.iter().map(|&w| self.grid.round(w)).collect();
        let blocks = self.blocks();
        let entries = blocks.iter().enumerate().map(|(i, b)| {
            let values = if i == 0 { &weights[..] } else { b.values };
            (b.name, &b.shape[..], values)
        });
        let width = [self.visible_units()];
        let scaling = self.scaling.iter().flat_map(|scaling| {
            [("scaling/mean", scaling.mean()), ("scaling/deviation", scaling.deviation())]
        });
        let entries = entries.chain(scaling.map(|(name, values)| (name, &width[..], values)));
        digest(&entries.collect::<Vec<_>>(), self.shift())
    }
}

pub(crate) fn checked(field: &str, units: &Units) -> Result<usize, Error> {
    units.check()?;
    let count = units.features();
    if (1..=Grid::MAX_UNITS).contains(&count) {
        return Ok(count);
    }
    Err(Error::option(format!("{field} units"), format!("1 to {}", Grid::MAX_UNITS), count))
}

fn same_length(field: &str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::shape(field, format!("{expected} entries"), format!("{got} entries")))
}

pub(crate) fn finite(field: &str, values: &[f32]) -> Result<(), Error> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(Error::value(field, format!("entry {at}"), "a finite number", values[at])),
        None => Ok(()),
    }
}
