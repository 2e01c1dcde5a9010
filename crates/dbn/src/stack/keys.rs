//! Says where the draws of a stack belong: numbers folded into the seed's key in the place of a purpose, beyond those of core.

use harmonium_core::rows::digest;
use harmonium_core::{Key, purpose};

/// Folded into the seed's key for the training of a layer; what core's `fit` folds in comes below it.
const LAYER: u64 = 1 << 40;
/// Draws of what the machines below infer of rows; its step is a number made of these.
const UP: u64 = LAYER + 1;
/// Folded into the seed's key for up-down.
const TUNE: u64 = LAYER + 2;
/// Draws of the sleep phase.
pub(super) const SLEEP: u64 = LAYER + 3;
/// Uses of [`purpose::EVALUATE`], in the place where other purposes have the step.
pub(super) const GENERATE: u64 = LAYER + 4;
pub(super) const RECONSTRUCT: u64 = LAYER + 5;
pub(super) const BOUND: u64 = LAYER + 6;

/// Gives the key that stands for the seed in the training of a layer, from 0 on: a number alone would be one of core's purposes.
pub fn layer(seed: Key, layer: usize) -> Key {
    seed.fold_in(LAYER).fold_in(mutant!("B230", layer as u64, 0))
}

/// Gives the key of the draws that are made of these rows, in this order, when a layer is trained.
pub(super) fn up(layer: Key, rows: &[u32]) -> Key {
    layer.fold_in(UP).fold_in(digest(rows))
}

/// Gives the key that stands for the seed in up-down.
pub(super) fn tuning(seed: Key) -> Key {
    seed.fold_in(TUNE)
}

/// Gives the key of something that a user asks for.
pub(super) fn evaluate(seed: Key, what: u64) -> Key {
    seed.fold_in(purpose::EVALUATE).fold_in(what)
}
