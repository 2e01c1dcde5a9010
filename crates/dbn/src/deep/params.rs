//! Gives access to the parameters of a deep machine, block by block.

use harmonium_core::HasParams;
use harmonium_core::params::{Block, BlockMut};
use harmonium_core::persist::digest;
use harmonium_core::units::{Layer, Unit};

use super::Dbm;
use crate::names::{BIAS, WEIGHTS};

/// Blocks of the first coupling, as a machine of two layers has them; each further hidden layer adds two, and what else
/// the visible layer has comes last.
pub(super) const FIRST: usize = 3;

/// Gives the number of the block of W_l, and of b_l behind it, for l from 2 on.
pub(super) fn block_of(layer: usize) -> usize {
    FIRST + 2 * (layer - 2)
}

impl HasParams for Dbm {
    /// Lends `weights_1`, `visible_bias`, `bias_1`, then weights and biases of each further layer.
    fn blocks(&self) -> Vec<Block<'_>> {
        let weights = |l: usize| Block {
            name: WEIGHTS[l - 1],
            shape: vec![self.layers[l - 1].features(), self.layers[l].features()],
            values: &self.masters[l - 1],
        };
        let flat = |name, values: &'_ [f32]| (name, vec![values.len()]);
        let bias = |l: usize| {
            let values = self.layers[l].bias();
            let (name, shape) = flat(if l == 0 { "visible_bias" } else { BIAS[l - 1] }, values);
            Block { name, shape, values }
        };
        let mut blocks = vec![weights(1), bias(0), bias(1)];
        blocks.extend((2..=self.depth()).flat_map(|l| [weights(l), bias(l)]));
        blocks.extend(self.layers[0].extra().into_iter().map(|extra| {
            let (name, shape) = flat(extra.names[0], extra.values);
            Block { name, shape, values: extra.values }
        }));
        blocks
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        let names: Vec<&'static str> = self.blocks().iter().map(|block| block.name).collect();
        let mut parts = self.layers.iter_mut().map(Layer::parts_mut);
        let mut masters = self.masters.iter_mut().map(|master| &mut master[..]);
        let (visible, extra) = parts.next().expect("a machine has a visible layer");
        let mut values: Vec<&mut [f32]> = Vec::new();
        values.extend(masters.next());
        values.push(visible);
        values.extend(parts.next().map(|(bias, _)| bias));
        for (master, (bias, _)) in masters.zip(parts) {
            values.extend([master, bias]);
        }
        values.extend(extra);
        names.into_iter().zip(values).map(|(name, values)| BlockMut { name, values }).collect()
    }

    fn follow(&mut self, largest: &[f32]) {
        let further = (2..=self.depth()).map(|l| largest[block_of(l)]);
        let most = further.fold(largest[0], |most, x| if x > most || x.is_nan() { x } else { most });
        if most.is_finite() {
            self.grid = self.grid.followed(most);
        }
    }

    fn digest(&self) -> String {
        let rounded: Vec<Vec<f32>> =
            self.masters.iter().map(|m| m.iter().map(|&w| self.grid.round(w)).collect()).collect();
        let mut weights = rounded.iter();
        let blocks = self.blocks();
        let entries = blocks.iter().map(|block| {
            let own = if block.shape.len() > 1 { weights.next() } else { None };
            (block.name, &block.shape[..], own.map_or(block.values, |own| &own[..]))
        });
        digest(&entries.collect::<Vec<_>>(), self.grid.shift())
    }
}
