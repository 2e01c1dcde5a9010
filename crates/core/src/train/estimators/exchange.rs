//! Lets chains of neighbouring rungs swap places.

use harmonium_kernels::Key;
use rand::RngCore;

use crate::units::States;
use crate::{EnergyModel, Error};

/// What sets the keys of the rungs apart from those of sweeps, which are fewer.
const RUNG: u64 = 1 << 32;

/// Gives the key of a rung; that of the first is that of a sampler without rungs.
pub(super) fn of_rung(key: Key, rung: usize) -> Key {
    if rung == 0 { key } else { key.fold_in(RUNG + rung as u64) }
}

/// Is a round of swaps: pairs `first`, `first` + 2, … have their turn.
pub(super) struct Round {
    pub(super) rungs: usize,
    pub(super) chains: usize,
    pub(super) first: usize,
    pub(super) key: Key,
}

impl Round {
    /// Lists the pairs whose turn it is, by their first rung.
    pub(super) fn pairs(&self) -> impl Iterator<Item = usize> + use<> {
        (self.first..self.rungs.saturating_sub(1)).step_by(2)
    }

    /// Decides who swaps, chain c by the words of stream c, and gives for each place the row that comes there, and how
    /// many swapped of each pair.
    pub(super) fn places(&self, swaps: impl Fn(u32, usize, usize) -> bool) -> (Vec<usize>, Vec<u64>) {
        let mut places: Vec<usize> = (0..self.rungs * self.chains).collect();
        let mut done = vec![0; self.rungs.saturating_sub(1)];
        for chain in 0..self.chains {
            let mut stream = self.key.stream(chain as u64);
            for pair in self.pairs() {
                if swaps(stream.next_u32(), pair, chain) {
                    places.swap(pair * self.chains + chain, (pair + 1) * self.chains + chain);
                    done[pair] += 1;
                }
            }
        }
        (places, done)
    }
}

/// Puts packed chains of all rungs one below the other.
pub(super) fn packed<M: EnergyModel>(model: &M, states: &[M::State]) -> States {
    States::stacked(&states.iter().map(|state| model.pack(state)).collect::<Vec<_>>())
}

/// Takes packed chains apart, this many a rung.
pub(super) fn unpacked<M: EnergyModel>(
    model: &M,
    packed: &States,
    chains: usize,
) -> Result<Vec<M::State>, Error> {
    let rungs = packed.rows() / chains;
    (0..rungs).map(|rung| model.unpack(packed.gather(rung * chains..(rung + 1) * chains))).collect()
}
