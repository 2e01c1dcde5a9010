//! Holds the parameters of a deep machine, and rounds all its weights to one grid.

use harmonium_core::data::marginals;
use harmonium_core::params::largest;
use harmonium_core::units::{Layer, Unit, Units};
use harmonium_core::{Batch, EnergyModel, Error, HasParams, Key, Rows, check_backend, purpose, rows};
use harmonium_kernels::Grid;
use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

use super::{Inference, View};
use crate::names::{WEIGHTS, check_depth};

/// Half the width of the uniform initial weights: their standard deviation is 0.01 (Hinton 2010, §8.1).
const INITIAL: f32 = 0.017_320_508;

/// Is a deep Boltzmann machine: a visible layer and hidden layers above it, each coupled to its neighbours alone.
///
/// All weights are on one grid, as wide as the largest number of units that a unit is coupled to, so that what a layer
/// receives from both sides is one exact integer. With one hidden layer this is a restricted Boltzmann machine, bit for bit.
///
/// ```
/// use harmonium_core::evaluate::Annealing;
/// use harmonium_core::train::{Fit, Pcd, Silent, fit};
/// use harmonium_core::units::Units;
/// use harmonium_core::{Batch, Key};
/// use harmonium_dbn::deep::Dbm;
///
/// let rows = Batch::new(ndarray::array![[0.0, 1.0], [1.0, 0.0]].view())?;
/// let mut dbm = Dbm::for_data(&rows, &[Units::Bernoulli(3), Units::Bernoulli(2)], Key::from_seed(1))?;
/// fit(&mut dbm, &rows, &mut Pcd::new(1, 10), &Fit::default(), Key::from_seed(2), &mut Silent)?;
/// let bound = dbm.likelihood_bound(&rows, &Annealing::default(), Key::from_seed(3))?;
/// assert!(bound.log_likelihood < 0.0);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dbm {
    pub(super) layers: Vec<Layer>,
    pub(super) masters: Vec<Vec<f32>>,
    pub(super) grid: Grid,
    pub(super) base: Layer,
    pub(super) inference: Inference,
}

impl Dbm {
    /// Makes a machine of these layers, the visible one first, with small random weights and zero biases.
    ///
    /// # Errors
    /// As [`Dbm::from_layers`].
    pub fn new(units: &[Units], key: Key) -> Result<Self, Error> {
        units.iter().try_for_each(Units::check)?;
        let layers = units.iter().map(|units| units.layer(vec![0.0; units.features()])).collect();
        Self::random(layers, key)
    }

    /// Makes a machine for these rows: visible units of the kind that takes them with the marginals of the data for biases and
    /// as the base of annealing, small random weights.
    ///
    /// # Errors
    /// As [`Dbm::from_layers`]; says what could not be read.
    pub fn for_data(data: &dyn Rows, hidden: &[Units], key: Key) -> Result<Self, Error> {
        hidden.iter().try_for_each(Units::check)?;
        let natural = data.whole().map_or(Units::Bernoulli(data.units()), Batch::natural_units);
        let visible = marginals(&natural, data, None)?;
        let above = hidden.iter().map(|units| units.layer(vec![0.0; units.features()]));
        let mut dbm = Self::random([visible.clone()].into_iter().chain(above).collect(), key)?;
        dbm.base = visible;
        Ok(dbm)
    }

    fn random(layers: Vec<Layer>, key: Key) -> Result<Self, Error> {
        check_layers(&layers)?;
        let range =
            Uniform::new(-INITIAL, INITIAL).map_err(|e| Error::option("initial weights", "a range", e))?;
        let drawn = |(link, pair): (usize, &[Layer])| {
            let mut stream = key.fold_in(purpose::INIT).stream(link as u64);
            Array2::random_using((pair[0].features(), pair[1].features()), range, &mut stream)
        };
        let weights = layers.windows(2).enumerate().map(drawn).collect();
        Self::from_layers(layers, weights)
    }

    /// Makes a machine from its layers, the visible one first, and W_l, `(features of layer l − 1, features of layer l)`; the weights are
    /// rounded to their grid.
    ///
    /// # Errors
    /// Refuses no hidden layer or more than [`crate::MAX_LAYERS`], shapes that do not fit, layers without units, units that are
    /// coupled to more than 65,536 others, neighbours of unbounded units, hidden units without an energy or with parameters besides
    /// their biases, values that are not finite, and a back end that this machine lacks.
    pub fn from_layers(layers: Vec<Layer>, weights: Vec<Array2<f32>>) -> Result<Self, Error> {
        check_backend()?;
        check_layers(&layers)?;
        let links = layers.len() - 1;
        if weights.len() != links {
            return Err(Error::shape("weights", format!("{links} matrices"), weights.len()));
        }
        for (l, (pair, weights)) in layers.windows(2).zip(&weights).enumerate() {
            let (expected, got) = ((pair[0].features(), pair[1].features()), weights.dim());
            if expected != got {
                return Err(Error::shape(WEIGHTS[l], format!("{expected:?}"), format!("{got:?}")));
            }
        }
        let masters: Vec<Vec<f32>> = weights.into_iter().map(|w| w.into_iter().collect()).collect();
        let (width, base) = (fan_in(&layers), layers[0].free());
        let mut dbm =
            Self { layers, masters, grid: Grid::new(width, width), base, inference: Inference::default() };
        dbm.blocks().iter().try_for_each(|block| finite(block.name, block.values))?;
        dbm.grid = Grid::settled(width, width, dbm.largest_weight());
        Ok(dbm)
    }

    /// Puts the weights on a known grid, say that of a file.
    ///
    /// # Errors
    /// Refuses a grid that the weights do not fit.
    pub fn on_grid(mut self, shift: i32) -> Result<Self, Error> {
        self.grid = self.restored_grid(self.largest_weight(), shift)?;
        Ok(self)
    }

    /// Infers by other steps of mean field from now on.
    ///
    /// # Errors
    /// Refuses options out of range.
    pub fn with_inference(self, inference: Inference) -> Result<Self, Error> {
        inference.check()?;
        Ok(Self { inference, ..self })
    }

    /// Gives how hidden units are inferred.
    pub fn inference(&self) -> &Inference {
        &self.inference
    }

    /// Gives the base of annealing: independent visible units.
    pub fn base(&self) -> &Layer {
        &self.base
    }

    /// Keeps the marginals of the data as the base of annealing.
    ///
    /// # Errors
    /// Refuses rows that the visible units can't take; says what could not be read.
    pub fn set_marginals(&mut self, data: &dyn Rows) -> Result<(), Error> {
        match data.whole() {
            Some(all) => self.check_data(all)?,
            None => self.check_data(&rows::first(data)?)?,
        }
        self.base = marginals(&self.layers[0].units(), data, None)?;
        Ok(())
    }

    /// Replaces the base of annealing.
    ///
    /// # Errors
    /// Refuses a base of another width or kind, or with a parameter that is not finite.
    pub fn set_base(&mut self, base: impl Into<Layer>) -> Result<(), Error> {
        let base = base.into();
        self.check_base(&base)?;
        self.base = base;
        Ok(())
    }

    pub(super) fn check_base(&self, base: &Layer) -> Result<(), Error> {
        finite("base", base.bias())?;
        base.extra().iter().try_for_each(|extra| finite(extra.names[0], extra.values))?;
        let (expected, got) = (self.layers[0].units(), base.units());
        if expected == got {
            return Ok(());
        }
        Err(Error::shape("base", expected, got))
    }

    /// Gives the layers, the visible one first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Gives L, the number of hidden layers.
    pub fn depth(&self) -> usize {
        self.masters.len()
    }

    /// Gives the number of visible features.
    pub fn visible_units(&self) -> usize {
        self.layers[0].features()
    }

    /// Gives W_l that the machine samples with, on their grid, `(features of layer l − 1, features of layer l)`, l from 1 on.
    ///
    /// # Errors
    /// Refuses a layer that is not hidden or not there.
    pub fn weights(&self, layer: usize) -> Result<Array2<f32>, Error> {
        self.check_hidden(layer)?;
        let width = self.layers[layer].features();
        let (rows, master) = (self.layers[layer - 1].features(), &self.masters[layer - 1]);
        Ok(Array2::from_shape_fn((rows, width), |(i, j)| self.grid.round(master[i * width + j])))
    }

    /// Gives the biases of a layer; 0 is the visible one.
    ///
    /// # Errors
    /// Refuses a layer that is not there.
    pub fn bias(&self, layer: usize) -> Result<&[f32], Error> {
        let missing = || Error::option("layer", format!("0 to {}", self.depth()), layer);
        self.layers.get(layer).map(Unit::bias).ok_or_else(missing)
    }

    pub(super) fn check_hidden(&self, layer: usize) -> Result<(), Error> {
        if (1..=self.depth()).contains(&layer) {
            return Ok(());
        }
        Err(Error::option("layer", format!("1 to {}", self.depth()), layer))
    }

    /// Views the machine as it is.
    pub fn view(&self) -> View<'_> {
        View::whole(self)
    }

    fn largest_weight(&self) -> f32 {
        self.masters.iter().map(|master| largest(master)).fold(0.0, f32::max)
    }

    pub(super) fn restored_grid(&self, most: f32, shift: i32) -> Result<Grid, Error> {
        let width = fan_in(&self.layers);
        Grid::restored(width, width, shift, most).ok_or_else(|| {
            Error::value("grid shift", "", format!("one that holds weights up to {most}"), shift)
        })
    }
}

/// Counts the features that one feature is coupled to at most.
fn fan_in(layers: &[Layer]) -> usize {
    let features = |l: usize| layers.get(l).map_or(0, Layer::features);
    let both = |above: usize, below: usize| mutant!("B259", above + below, above.max(below));
    (0..layers.len())
        .map(|l| both(features(l + 1), if l > 0 { features(l - 1) } else { 0 }))
        .max()
        .unwrap_or(0)
}

fn check_layers(layers: &[Layer]) -> Result<(), Error> {
    check_depth(layers.len().saturating_sub(1))?;
    for (l, layer) in layers.iter().enumerate() {
        let units = layer.units();
        units.check()?;
        if units.features() == 0 {
            return Err(Error::option(format!("units of layer {l}"), "1 or more", 0));
        }
        if l > 0 && !(units.follow_energy() && layer.extra().is_empty()) {
            let expected = "units with an energy and no parameters besides their biases";
            return Err(Error::option(format!("units of layer {l}"), expected, units));
        }
    }
    layers.windows(2).try_for_each(|pair| pair[0].units().check_pair(&pair[1].units()))?;
    let width = fan_in(layers);
    if width <= Grid::MAX_UNITS {
        return Ok(());
    }
    Err(Error::option("units next to one", format!("at most {}", Grid::MAX_UNITS), width))
}

pub(super) fn finite(field: &str, values: &[f32]) -> Result<(), Error> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(Error::value(field, format!("entry {at}"), "a finite number", values[at])),
        None => Ok(()),
    }
}
