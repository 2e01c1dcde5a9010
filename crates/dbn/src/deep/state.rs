//! Holds where chains stand, and what is known of hidden units.

use harmonium_core::units::States;

use super::Posterior;

/// Holds the states of all layers, the visible one first; rows are chains. What the next sweep depends on are the layers of
/// even number.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(super) layers: Vec<States>,
    pub(super) latent: Latent,
}

/// Says what the hidden states are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Latent {
    /// Draws of a chain.
    Drawn,
    /// Nothing yet: data are clamped.
    Clamped,
    /// Draws from mean field given the visible states.
    Inferred(Posterior),
}

impl State {
    /// Gives the states of all layers, the visible one first: those of odd number are what the others were last drawn from; zeros where
    /// nothing is drawn yet.
    pub fn layers(&self) -> &[States] {
        &self.layers
    }

    /// Gives the visible states, `(chains, visible)`.
    pub fn visible(&self) -> &States {
        &self.layers[0]
    }
}
