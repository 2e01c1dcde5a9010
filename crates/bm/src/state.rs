//! Holds where chains stand.

use harmonium_kernels::BitMatrix;

/// Holds the states of all units, `(chains, features)`, visible units first; rows are chains. What the next sweep depends on
/// is all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(crate) bits: BitMatrix,
    pub(crate) latent: Latent,
}

/// Says what the hidden units of a state stand for when its statistics are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Latent {
    /// Themselves.
    None,
    /// Nothing yet: the visible units are data, and the hidden ones are to be averaged out.
    Unknown,
    /// A draw given the data, which serves where the average is out of reach.
    Drawn,
}

impl State {
    /// Lets all units stand where these bits say.
    pub(crate) fn new(bits: BitMatrix) -> Self {
        Self { bits, latent: Latent::None }
    }

    /// Gives the states of all units, `(chains, features)`; the bit of a spin is set where it is +1.
    pub fn bits(&self) -> &BitMatrix {
        &self.bits
    }
}
