//! Makes the machine of a layer before its training.

use harmonium_core::units::{Unit, Units};
use harmonium_core::{Error, HasParams, Key, Rows};
use harmonium_rbm::{Classifier, Rbm};
use ndarray::s;

use super::Recipe;
use super::greedy::check_turned;

/// Makes a machine for rows of the data (`below` is none) or of what `below` infers: small random weights and the marginals
/// of the rows, or the machine below upside down.
pub(super) fn machine(
    (layer, recipe): (usize, &Recipe),
    visible: Option<&Units>,
    below: Option<&Rbm>,
    rows: &dyn Rows,
    key: Key,
) -> Result<Rbm, Error> {
    let Some(below) = below else {
        return match visible {
            Some(units) => Rbm::fitted(units.clone(), rows, recipe.hidden.clone(), key),
            None => Rbm::for_data(rows, recipe.hidden.clone(), key),
        };
    };
    let mut fresh = Rbm::new(below.hidden().units(), recipe.hidden.clone(), key)?;
    fresh.set_marginals(rows)?;
    let mut out = if recipe.transposed {
        check_turned(layer, &below.visible().units(), &recipe.hidden)?;
        Rbm::from_layers(
            below.weights().t().to_owned(),
            mutant!("B240", below.hidden().clone(), fresh.base().clone()),
            below.visible().clone(),
        )?
    } else {
        Rbm::from_layers(fresh.weights(), fresh.base().clone(), fresh.hidden().clone())?
    };
    out.set_base(fresh.base().clone())?;
    Ok(out)
}

/// Makes the machine of a label likewise; the label's own weights are always small random ones.
pub(super) fn classifier(
    (layer, recipe): (usize, &Recipe),
    classes: usize,
    below: Option<&Rbm>,
    rows: &dyn Rows,
    key: Key,
) -> Result<Classifier, Error> {
    let fresh = Classifier::for_data(rows, classes, recipe.hidden.features(), key)?;
    let Some(below) = below.filter(|_| recipe.transposed) else { return Ok(fresh) };
    check_turned(layer, &below.visible().units(), &recipe.hidden)?;
    let mut weights = fresh.rbm().weights();
    weights.slice_mut(s![..fresh.units(), ..]).assign(&below.weights().t());
    let (mut visible, hidden) = (fresh.rbm().visible().clone(), below.visible().clone());
    visible.parts_mut().0[..fresh.units()].copy_from_slice(below.hidden_bias());
    let mut out = Rbm::from_layers(weights, visible, hidden)?;
    out.set_base(fresh.rbm().base().clone())?;
    Classifier::from_rbm(out, classes)
}

/// Rounds the master of a trained machine to the weights that it samples with, so that what goes on from it is what a file of
/// it would give.
pub(super) fn settle(mut rbm: Rbm) -> Result<Rbm, Error> {
    use harmonium_core::EnergyModel;
    let mut params = rbm.params();
    params.tensors_mut()[0].values =
        mutant!("B242", rbm.weights().into_raw_vec_and_offset().0, params.tensors()[0].values.clone());
    let shift = rbm.shift();
    EnergyModel::restore(&mut rbm, &params, shift)?;
    Ok(rbm)
}
