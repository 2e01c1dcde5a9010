//! Holds where chains stand.

use harmonium_kernels::BitMatrix;

/// Holds visible and hidden states; rows are chains. What the next sweep depends on is the visible half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(crate) visible: BitMatrix,
    pub(crate) hidden: BitMatrix,
    /// Means of the hidden units given the visible ones, while `hidden` is a draw from them.
    pub(crate) posterior: Option<Vec<u16>>,
}

impl State {
    /// Gives the visible states, `(chains, visible)`.
    pub fn visible(&self) -> &BitMatrix {
        &self.visible
    }

    /// Gives the hidden states, `(chains, hidden)`: those that the visible ones were drawn from, or, after `infer`, those
    /// drawn from the visible ones.
    pub fn hidden(&self) -> &BitMatrix {
        &self.hidden
    }
}
