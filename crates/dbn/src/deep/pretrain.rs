//! Pretrains a deep machine layer by layer: machines whose weights count twice in one direction, and what is made of them.
//!
//! In the deep machine a hidden layer receives from both sides. The machine below the first hidden layer therefore sees its rows twice (h
//! receives 2 Wᵀv), the one above the last but one has its hidden layer twice (v receives 2 W h), and those between are trained as they are
//! and enter with half their weights (Salakhutdinov & Hinton 2009, section 3.1; 2012, section 3).

use harmonium_core::address::Address;
use harmonium_core::stats::{Phases, Stats};
use harmonium_core::train::{Cd, Estimate, Estimator, Kept, Schedule};
use harmonium_core::units::{Input, Layer, Means, States, Unit};
use harmonium_core::{Batch, EnergyModel, Error, HasParams, Key, Rows, purpose, rows};
use harmonium_rbm::Rbm;
use serde::{Deserialize, Serialize};

use super::Dbm;

/// Says in which direction the weights of a machine count twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Twice {
    /// Upwards: of the machine at the bottom.
    Up,
    /// Downwards: of the machine at the top.
    Down,
    /// Nowhere: of machines between, and of one alone.
    Nowhere,
}

impl Twice {
    /// Gives the direction for machine n of so many, counted from 0.
    pub fn of(n: usize, machines: usize) -> Self {
        match n {
            _ if machines == 1 => Self::Nowhere,
            0 => Self::Up,
            n if n + 1 == machines => Self::Down,
            _ => Self::Nowhere,
        }
    }

    fn up(self) -> f32 {
        if self == Self::Up { 2.0 } else { 1.0 }
    }

    fn down(self) -> f32 {
        if self == Self::Down { 2.0 } else { 1.0 }
    }
}

/// Is contrastive divergence of a machine whose weights count twice in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doubled {
    /// The direction.
    pub twice: Twice,
    /// Sweeps a step.
    pub k: Schedule,
}

impl Doubled {
    /// Makes CD-k with doubled weights.
    pub fn new(twice: Twice, k: u32) -> Self {
        Self { twice, k: Cd::new(k).k }
    }

    fn hidden_input<'a>(&self, view: &'a harmonium_rbm::View<'_>, visible: &'a States) -> Input<'a> {
        let mut input = view.hidden_input(visible);
        input.gain *= mutant!("B250", self.twice.up(), 1.0);
        input
    }

    fn visible_input<'a>(&self, view: &'a harmonium_rbm::View<'_>, hidden: &'a States) -> Input<'a> {
        let mut input = view.visible_input(hidden);
        input.gain *= mutant!("B251", self.twice.down(), 1.0);
        input
    }
}

impl Estimator<Rbm> for Doubled {
    fn check(&self) -> Result<(), Error> {
        Cd { k: self.k.clone() }.check()
    }

    fn check_model(&self, model: &Rbm) -> Result<(), Error> {
        if model.scaling().is_none()
            && model.visible().extra().is_empty()
            && model.hidden().extra().is_empty()
        {
            return Ok(());
        }
        Err(Error::shape("doubled weights", "layers without parameters besides biases", "others"))
    }

    /// Draws h given the rows, v given h and so on, and adds v hᵀ with h as its means at both ends.
    fn estimate(
        &mut self,
        model: &Rbm,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        let view = model.view();
        let first = at.key(purpose::POSITIVE).fold_in(0).fold_in(0);
        let input = self.hidden_input(&view, data.states());
        let (mut hidden, means) = model.hidden().sample_with_means(&input, first);
        add(model, data.states(), means, &mut phases.positive);
        let last = u64::from(sweeps.max(1)) - 1;
        for sweep in 0..=last {
            let key = at.key(purpose::NEGATIVE).fold_in(sweep);
            let visible = model.visible().sample(&self.visible_input(&view, &hidden), key.fold_in(0));
            let input = self.hidden_input(&view, &visible);
            let (drawn, means) = model.hidden().sample_with_means(&input, key.fold_in(1));
            if sweep == last {
                add(model, &visible, means, &mut phases.negative);
            }
            hidden = drawn;
        }
        Ok(Estimate::Phases)
    }

    fn sweeps(&self) -> &Schedule {
        &self.k
    }

    fn restore(&mut self, _model: &Rbm, kept: Kept) -> Result<(), Error> {
        kept.finished("CD with doubled weights")
    }
}

/// Adds v hᵀ, v and h.
fn add(model: &Rbm, visible: &States, means: Means, stats: &mut Stats) {
    match (visible, means) {
        (States::Bits(bits), Means::Codes(codes)) => stats.add(bits, codes),
        (visible, means) => {
            let (v, h) = (model.visible().features_of(visible), model.hidden().means_of(&means));
            stats.add_reals(&v, &h, &[]);
        }
    }
}

/// Draws what a machine hands on to the one above it, one row for each of `data`: h ∼ p(h | v) with weights that count twice upwards
/// where they did in training. Row r draws from stream r.
///
/// # Errors
/// Refuses rows of another width; says what could not be read.
pub fn handed_on(rbm: &Rbm, data: &dyn Rows, twice: Twice, key: Key) -> Result<Batch, Error> {
    rows::check_count("data", data.rows())?;
    let own = Doubled::new(twice, 1);
    let (view, mut parts) = (rbm.view(), Vec::new());
    for (block, rows) in rows::blocks(data).enumerate() {
        let rows = rows?;
        rbm.check_data(&rows)?;
        rows.check_complete("data")?;
        let key = key.fold_in(purpose::BINARIZE).fold_in(block as u64);
        parts.push(rbm.hidden().sample(&own.hidden_input(&view, rows.states()), key));
    }
    Batch::from_states(States::stacked(&parts))
}

impl Dbm {
    /// Puts machines on each other that were trained with doubled weights ([`Doubled`]), the first at the bottom: weights of those
    /// between are halved, and of the two biases that a layer between has, half of each counts. The base of annealing is that
    /// of the first.
    ///
    /// # Errors
    /// Refuses no machine or more than [`crate::MAX_LAYERS`], machines that standardise their data, and neighbours whose layers
    /// differ; as [`Dbm::from_layers`].
    pub fn from_rbms(rbms: &[&Rbm]) -> Result<Self, Error> {
        if rbms.iter().any(|rbm| rbm.scaling().is_some()) {
            return Err(Error::shape("machines", "rows in the units of the machine", "rows to standardise"));
        }
        let [first, .., last] = rbms else {
            let [only] = rbms else { return Err(Error::option("machines", "1 or more", 0)) };
            return Self::stacked(rbms, vec![only.visible().clone(), only.hidden().clone()]);
        };
        let mut layers = vec![first.visible().clone()];
        for (n, pair) in rbms.windows(2).enumerate() {
            layers.push(between(n + 1, pair[0].hidden(), pair[1].visible())?);
        }
        layers.push(last.hidden().clone());
        Self::stacked(rbms, layers)
    }

    fn stacked(rbms: &[&Rbm], layers: Vec<Layer>) -> Result<Self, Error> {
        let weights = rbms.iter().enumerate().map(|(n, rbm)| {
            let inside = n > 0 && n + 1 < rbms.len();
            let share = mutant!("B252", if inside { 0.5 } else { 1.0 }, 1.0);
            let shape = (rbm.visible_units(), rbm.hidden_units());
            let master = rbm.blocks()[0].values.iter().map(|w| w * share).collect();
            ndarray::Array2::from_shape_vec(shape, master).expect("weights of their shape")
        });
        let mut dbm = Self::from_layers(layers, weights.collect())?;
        dbm.base = rbms[0].base().clone();
        Ok(dbm)
    }
}

/// Makes the layer between two machines.
fn between(layer: usize, lower: &Layer, upper: &Layer) -> Result<Layer, Error> {
    if lower.units() != upper.units() {
        return Err(Error::shape(format!("layer {layer}"), lower.units(), upper.units()));
    }
    let bias = lower.bias().iter().zip(upper.bias()).map(|(a, b)| 0.5 * a + 0.5 * b);
    Ok(lower.units().layer(bias.collect()))
}
