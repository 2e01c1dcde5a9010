//! Says how a stack is trained: one recipe a machine, and what follows.

use harmonium_core::Error;
use harmonium_core::train::Fit;
use harmonium_core::units::Units;
use serde::{Deserialize, Serialize};

use super::{Learner, UpDown};
use crate::names::check_depth;

/// Says what one machine of a stack is and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Its hidden units.
    pub hidden: Units,
    /// Its training.
    pub fit: Fit,
    /// How its gradients are estimated.
    pub learner: Learner,
    /// Starts it as the machine below upside down, where the sizes allow it: its hidden units are of the kind and number of
    /// that one's visible units. Then the bound of the likelihood begins where the machine below left it (Hinton, Osindero &
    /// Teh 2006, section 4).
    pub transposed: bool,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            hidden: Units::Bernoulli(100),
            fit: Fit::default(),
            learner: Learner::default(),
            transposed: false,
        }
    }
}

/// Says how a stack is trained: greedily, machine by machine (Hinton, Osindero & Teh 2006, section 5), and then by up-down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Greedy {
    /// The units of the data; if not set, those that take such values.
    pub visible: Option<Units>,
    /// The machines, that of the data first.
    pub layers: Vec<Recipe>,
    /// K, if the top machine is to learn the joint law of what it sees and a label.
    pub classes: Option<usize>,
    /// Fine-tunes the whole stack, if set.
    pub tuning: Option<UpDown>,
}

impl Greedy {
    /// Refuses options out of range, and recipes that do not fit on each other.
    ///
    /// # Errors
    /// Names the option, or the machine.
    pub fn check(&self) -> Result<(), Error> {
        check_depth(self.layers.len())?;
        for recipe in &self.layers {
            recipe.hidden.check()?;
            recipe.fit.check()?;
            recipe.learner.check()?;
        }
        self.visible.as_ref().map_or(Ok(()), Units::check)?;
        self.check_label()?;
        (0..self.layers.len()).try_for_each(|layer| self.check_transposed(layer))?;
        self.tuning.as_ref().map_or(Ok(()), UpDown::check)
    }

    /// Refuses a label beside units that are no bits.
    fn check_label(&self) -> Result<(), Error> {
        let Some(classes) = self.classes else { return Ok(()) };
        if classes < 2 {
            return Err(Error::option("classes", "2 or more", classes));
        }
        for recipe in self.layers.iter().rev().take(2) {
            if !matches!(recipe.hidden, Units::Bernoulli(_)) {
                return Err(Error::shape("layers beside the label", "Bernoulli units", &recipe.hidden));
            }
        }
        Ok(())
    }

    /// Refuses to turn a machine upside down that is of another shape, as far as that is known without data.
    fn check_transposed(&self, layer: usize) -> Result<(), Error> {
        if !self.layers[layer].transposed {
            return Ok(());
        }
        let field = format!("transposed of machine {}", layer + 1);
        let below = match layer {
            0 => return Err(Error::option(field, "a machine below it", "none")),
            1 => self.visible.as_ref(),
            _ => Some(&self.layers[layer - 2].hidden),
        };
        below.map_or(Ok(()), |below| check_turned(layer, below, &self.layers[layer].hidden))
    }

    /// Tells whether a machine, from 0 on, is the one with the label, and gives K.
    pub(super) fn label_of(&self, layer: usize) -> Option<usize> {
        self.classes.filter(|_| layer + 1 == self.layers.len())
    }
}

/// Refuses hidden units other than the visible ones of the machine that is to be turned.
pub(super) fn check_turned(layer: usize, below: &Units, hidden: &Units) -> Result<(), Error> {
    if below == hidden {
        return Ok(());
    }
    Err(Error::shape(format!("hidden units of machine {}, transposed", layer + 1), below, hidden))
}
