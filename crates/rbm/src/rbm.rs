//! Holds the parameters of a machine, and rounds its weights to their grid.

use harmonium_core::params::{Block, BlockMut, largest};
use harmonium_core::persist::digest;
use harmonium_core::rows::count_by_unit;
use harmonium_core::units::{Bernoulli, Unit, Units};
use harmonium_core::{EnergyModel, Error, HasParams, Key, Rows, check_backend, purpose};
use harmonium_kernels::Grid;
use ndarray::{Array1, Array2};
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

use crate::View;

/// Half the width of the uniform initial weights: their standard deviation is 0.01 (Hinton 2010, §8.1).
const INITIAL: f32 = 0.017_320_508;

/// Is a restricted Boltzmann machine of binary units.
///
/// The machine that samples, scores and is exported has its weights on a fixed-point grid ([`Rbm::weights`]); the
/// optimiser moves a finer master of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rbm {
    pub(crate) master: Vec<f32>,
    pub(crate) grid: Grid,
    pub(crate) visible: Bernoulli,
    pub(crate) hidden: Bernoulli,
    pub(crate) base: Bernoulli,
}

/// Holds what a machine is made from.
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
    /// Refuses a layer without units or with more than 65,536.
    pub fn new(visible: Units, hidden: Units, key: Key) -> Result<Self, Error> {
        let (nv, nh) = (checked("visible", visible)?, checked("hidden", hidden)?);
        let mut stream = key.fold_in(purpose::INIT).stream(0);
        let range =
            Uniform::new(-INITIAL, INITIAL).map_err(|e| Error::option("initial weights", "a range", e))?;
        let weights = Array2::random_using((nv, nh), range, &mut stream);
        Self::from_parts(Parts { weights, visible_bias: Array1::zeros(nv), hidden_bias: Array1::zeros(nh) })
    }

    /// Makes a machine for these rows: small random weights, and the marginals of the data as visible biases.
    ///
    /// # Errors
    /// As [`Rbm::new`]; says what could not be read.
    pub fn for_data(data: &dyn Rows, hidden: Units, key: Key) -> Result<Self, Error> {
        let mut rbm = Self::new(Units::Bernoulli(data.units()), hidden, key)?;
        rbm.set_marginals(data)?;
        rbm.visible = rbm.base.clone();
        Ok(rbm)
    }

    /// Makes a machine from given parameters; the weights are rounded to their grid.
    ///
    /// # Errors
    /// Refuses shapes that do not fit, layers without units or with more than 65,536, values that are not finite, and a
    /// back end that this machine lacks.
    pub fn from_parts(parts: Parts) -> Result<Self, Error> {
        check_backend()?;
        let Parts { weights, visible_bias, hidden_bias } = parts;
        let (nv, nh) = weights.dim();
        checked("visible", Units::Bernoulli(nv))?;
        checked("hidden", Units::Bernoulli(nh))?;
        same_length("visible bias", nv, visible_bias.len())?;
        same_length("hidden bias", nh, hidden_bias.len())?;
        let master: Vec<f32> = weights.into_iter().collect();
        let (visible, hidden) = (visible_bias.to_vec(), hidden_bias.to_vec());
        for (field, values) in [("weights", &master), ("visible bias", &visible), ("hidden bias", &hidden)] {
            finite(field, values)?;
        }
        let grid = Grid::settled(nv, nh, largest(&master));
        let base = Bernoulli::new(vec![0.0; nv]);
        Ok(Self { master, grid, visible: Bernoulli::new(visible), hidden: Bernoulli::new(hidden), base })
    }

    /// Restores a machine whose grid is known, say from a file.
    ///
    /// # Errors
    /// As [`Rbm::from_parts`]; and if the weights do not fit the grid.
    pub fn from_parts_on_grid(parts: Parts, shift: i32) -> Result<Self, Error> {
        let mut rbm = Self::from_parts(parts)?;
        rbm.grid = rbm.restored_grid(&rbm.master, shift)?;
        Ok(rbm)
    }

    /// Keeps the marginals of the data, smoothed, as the base model of annealed importance sampling.
    ///
    /// # Errors
    /// Refuses rows of another width; says what could not be read.
    pub fn set_marginals(&mut self, data: &dyn Rows) -> Result<(), Error> {
        // One row has the width of all.
        self.check_data(&data.read(&[0])?)?;
        self.base = Bernoulli::from_counts(&count_by_unit(data)?, data.rows() as u64);
        Ok(())
    }

    /// Gives the base model of annealed importance sampling: independent visible units.
    pub fn base(&self) -> &Bernoulli {
        &self.base
    }

    /// Replaces the base model.
    ///
    /// # Errors
    /// Refuses a base of another width.
    pub fn set_base(&mut self, base: Bernoulli) -> Result<(), Error> {
        same_length("base", self.visible_units(), base.units())?;
        finite("base", base.bias())?;
        self.base = base;
        Ok(())
    }

    /// Gives the number of visible units.
    pub fn visible_units(&self) -> usize {
        self.visible.units()
    }

    /// Gives the number of hidden units.
    pub fn hidden_units(&self) -> usize {
        self.hidden.units()
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
    fn blocks(&self) -> Vec<Block<'_>> {
        let (nv, nh) = (self.visible_units(), self.hidden_units());
        vec![
            Block { name: "weights", shape: vec![nv, nh], values: &self.master },
            Block { name: "visible_bias", shape: vec![nv], values: self.visible.bias() },
            Block { name: "hidden_bias", shape: vec![nh], values: self.hidden.bias() },
        ]
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        vec![
            BlockMut { name: "weights", values: &mut self.master },
            BlockMut { name: "visible_bias", values: self.visible.bias_mut() },
            BlockMut { name: "hidden_bias", values: self.hidden.bias_mut() },
        ]
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
        digest(&entries.collect::<Vec<_>>(), self.shift())
    }
}

fn checked(field: &str, units: Units) -> Result<usize, Error> {
    let count = units.count();
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
