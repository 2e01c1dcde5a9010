//! Moves clusters of spins on any graph whose couplings are not negative.

use harmonium_core::{BitMatrix, Error, Key};
use harmonium_kernels::bernoulli::fill;

use super::cluster::{Sets, bond};
use crate::Graph;

/// Folded into the key of a sweep: for bonds, and for coins.
const BONDS: u64 = 0;
const COINS: u64 = 1;

/// Is spins with energy E = −Σ J s s′ over the edges of a graph, J ≥ 0 in units of the temperature, and no fields.
///
/// ```
/// use harmonium_bm::{Graph, lattice::Ferromagnet};
/// use harmonium_core::{BitMatrix, Key};
/// let strong = Ferromagnet::new(Graph::rectangle(5, 5, false)?, vec![50.0; 40])?;
/// let mut chains = BitMatrix::zeros(10, 25);
/// strong.sweep(&mut chains, Key::from_seed(1))?;
/// assert!(chains.count_by_unit().iter().all(|&up| up == chains.count_by_unit()[0]));
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ferromagnet {
    graph: Graph,
    /// Below which word the bond of each edge holds.
    bonds: Vec<u64>,
}

impl Ferromagnet {
    /// Couples the ends of each edge of a graph; the couplings have the order of the edges.
    ///
    /// # Errors
    /// Refuses another number of couplings than edges, and couplings that are negative or not finite.
    pub fn new(graph: Graph, couplings: Vec<f64>) -> Result<Self, Error> {
        let edges = graph.edges().len();
        if couplings.len() != edges {
            return Err(Error::shape("couplings", format!("one for each of {edges} edges"), couplings.len()));
        }
        let bad = |&(_, j): &(usize, &f64)| !(j.is_finite() && *j >= 0.0);
        if let Some((edge, j)) = couplings.iter().enumerate().find(bad) {
            return Err(Error::value("couplings", format!("edge {edge}"), "0 or more, and finite", j));
        }
        Ok(Self { bonds: couplings.into_iter().map(bond).collect(), graph })
    }

    /// Turns each cluster of each chain over by a fair coin, `(chains, vertices)`, one for up (Swendsen & Wang 1987).
    ///
    /// The bond of edge e in chain r is decided by word e of stream r, the coin of a cluster by the word of its first vertex.
    ///
    /// # Errors
    /// Refuses chains of another number of units than the graph has vertices.
    pub fn sweep(&self, chains: &mut BitMatrix, key: Key) -> Result<(), Error> {
        if chains.units() != self.graph.vertices() {
            return Err(Error::shape("chains", format!("{} units", self.graph.vertices()), chains.units()));
        }
        let (mut words, mut coins) = (vec![0; self.bonds.len()], vec![0; chains.units()]);
        for chain in 0..chains.rows() {
            fill(key.fold_in(BONDS), chain as u64, &mut words);
            fill(key.fold_in(mutant!("B324", COINS, BONDS)), chain as u64, &mut coins);
            self.turn(chains, chain, &words, &coins);
        }
        Ok(())
    }

    /// Turns the clusters of one chain over by these words, as sweeps do: the word of an edge decides its bond, the highest bit of the
    /// word of a cluster's first vertex whether the cluster turns.
    ///
    /// # Panics
    /// If there is no such chain, or there are fewer words than edges or vertices.
    pub fn turn(&self, chains: &mut BitMatrix, chain: usize, bonds: &[u32], coins: &[u32]) {
        let mut sets = self.sets(chains, chain, bonds);
        for unit in 0..chains.units() {
            let turned = coins[sets.name(unit)] >> 31 == 1;
            chains.set(chain, unit, chains.get(chain, unit) ^ turned);
        }
    }

    fn sets(&self, chains: &BitMatrix, chain: usize, words: &[u32]) -> Sets {
        let mut sets = Sets::single(chains.units());
        for ((ends, &word), &bond) in self.graph.edges().iter().zip(words).zip(&self.bonds) {
            let [i, j] = ends.map(|end| end as usize);
            let equal = chains.get(chain, i) == chains.get(chain, j);
            if u64::from(word) < bond && mutant!("B321", equal, true) {
                sets.join(i, j);
            }
        }
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn couplings_that_are_not_those_of_a_ferromagnet_are_refused() {
        let said = |couplings: &[f64]| {
            let graph = Graph::new(3, [[0, 1], [1, 2]]).unwrap();
            Ferromagnet::new(graph, couplings.to_vec()).unwrap_err().to_string()
        };
        assert_eq!(said(&[1.0]), "couplings: expected one for each of 2 edges, got 1");
        assert_eq!(said(&[0.0, -1.0]), "couplings at edge 1: expected 0 or more, and finite, got -1");
        assert!(said(&[f64::NAN, 1.0]).contains("edge 0"));
    }
}
