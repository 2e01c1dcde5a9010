//! Lets chains of neighbouring rungs swap places, by their energies.

use harmonium_kernels::Key;
use ndarray::Array1;
use rand::RngCore;

use crate::units::States;
use crate::{Error, Gibbs};

/// What sets the keys of the rungs apart from those of sweeps, which are fewer.
const RUNG: u64 = 1 << 32;

/// Gives the key of a rung; that of the first is that of a sampler without rungs.
pub(crate) fn of_rung(key: Key, rung: usize) -> Key {
    if rung == 0 { key } else { key.fold_in(RUNG + rung as u64) }
}

/// Is a round of swaps: pairs `first`, `first` + 2, … have their turn.
pub(crate) struct Round {
    pub(crate) rungs: usize,
    pub(crate) chains: usize,
    pub(crate) first: usize,
    pub(crate) key: Key,
}

impl Round {
    /// Lists the pairs whose turn it is, by their first rung.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = usize> + use<> {
        (self.first..self.rungs.saturating_sub(1)).step_by(2)
    }

    /// Decides who swaps, chain c by the words of stream c, and gives for each place the row that comes there, and how
    /// many swapped of each pair.
    pub(crate) fn places(&self, swaps: impl Fn(u32, usize, usize) -> bool) -> (Vec<usize>, Vec<u64>) {
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

/// Is what a round of swaps leaves.
pub(crate) struct Exchanged<S> {
    /// The states, rung by rung.
    pub(crate) states: Vec<S>,
    /// Their energies at β = 1, in nats; of what is packed alone they can't always be told.
    pub(crate) energies: Vec<Array1<f64>>,
    /// The row that came to each place.
    pub(crate) places: Vec<usize>,
    /// How many swapped of each pair.
    pub(crate) done: Vec<u64>,
}

/// Lets neighbours swap by their energies at β = 1, which [`acceptance`] asks for.
pub(crate) fn exchanged<M: Gibbs>(
    model: &M,
    betas: &[f32],
    states: &[M::State],
    round: &Round,
) -> Result<Exchanged<M::State>, Error> {
    let energies: Vec<_> = states.iter().map(|state| model.energy(state)).collect();
    let (places, done) = round.places(|word, pair, chain| {
        let between = [energies[pair][chain], energies[pair + 1][chain]];
        swaps(word, [betas[pair], betas[pair + 1]], between)
    });
    let states = unpacked(model, &packed(model, states).gather(places.iter().copied()), round.chains)?;
    let of = |place: &usize| energies[place / round.chains][place % round.chains];
    let energies = places.chunks(round.chains).map(|rung| rung.iter().map(of).collect()).collect();
    Ok(Exchanged { states, energies, places, done })
}

/// Puts packed chains of all rungs one below the other.
pub(crate) fn packed<M: Gibbs>(model: &M, states: &[M::State]) -> States {
    States::stacked(&states.iter().map(|state| model.pack(state)).collect::<Vec<_>>())
}

/// Takes packed chains apart, this many a rung.
pub(crate) fn unpacked<M: Gibbs>(model: &M, packed: &States, chains: usize) -> Result<Vec<M::State>, Error> {
    let rungs = packed.rows() / chains;
    (0..rungs).map(|rung| model.unpack(packed.gather(rung * chains..(rung + 1) * chains))).collect()
}

/// Gives the probability of a swap, min(1, e^((β₁ − β₂)(E₁ − E₂))), the energies being those at β = 1, in nats; 0 where an energy is
/// no number, so that such a chain stays where it is.
pub fn acceptance([beta_1, beta_2]: [f32; 2], [energy_1, energy_2]: [f64; 2]) -> f64 {
    let exponent = (f64::from(beta_1) - f64::from(beta_2)) * (energy_1 - energy_2);
    if exponent.is_nan() {
        return 0.0;
    }
    libm::exp(mutant!("B73", exponent, -exponent).min(0.0))
}

/// Tells whether a word, uniform in 32 bits, has two chains swap.
pub fn swaps(word: u32, betas: [f32; 2], energies: [f64; 2]) -> bool {
    f64::from(word >> 8) < acceptance(betas, energies) * 16_777_216.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_whose_energy_is_no_number_stays() {
        assert_eq!(acceptance([1.0, 0.5], [f64::NAN, 0.0]), 0.0);
        assert!(!swaps(0, [1.0, 0.5], [f64::NAN, 0.0]));
        assert!(swaps(u32::MAX, [1.0, 0.5], [1.0, 0.0]));
    }
}
