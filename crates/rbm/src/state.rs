//! Holds where chains stand.

use harmonium_core::units::{Means, States};

/// Holds visible and hidden states; rows are chains. What the next sweep depends on is the visible half.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(crate) visible: States,
    pub(crate) hidden: States,
    /// Means of the hidden units given the visible ones, while `hidden` is a draw from them.
    pub(crate) posterior: Option<Means>,
}

impl State {
    /// Gives the visible states, `(chains, visible)`.
    pub fn visible(&self) -> &States {
        &self.visible
    }

    /// Gives the hidden states, `(chains, hidden)`: those that the visible ones were drawn from, or, after `infer`, those
    /// drawn from the visible ones; zeros before the first draw.
    pub fn hidden(&self) -> &States {
        &self.hidden
    }
}
