//! Moves whole clusters (Swendsen & Wang 1987): satisfied bonds hold with probability 1 − e^−2J/T, and what they join is turned
//! over together, or not, by a fair coin.

use harmonium_core::{BitMatrix, Key};
use harmonium_kernels::bernoulli::fill;
use harmonium_kernels::parallel;

use super::Lattice;
use super::spins::forward;

/// Folded into the key of a sweep: for bonds, and for coins.
const BONDS: u64 = 0;
const COINS: u64 = 1;

/// Gives the number of 2^32 words with which a satisfied bond holds, of the coupling in units of the temperature.
pub(super) fn bond(coupling: f64) -> u64 {
    let probability = -libm::expm1(mutant!("B152", -2.0, -1.0) * coupling);
    libm::rint(probability * 4_294_967_296.0) as u64
}

/// Is sets of sites that grow together; the smallest site of a set is its name.
pub(super) struct Sets(Vec<u32>);

impl Sets {
    /// Makes each site a set of its own.
    pub(super) fn single(sites: usize) -> Self {
        Self((0..sites).map(|site| site as u32).collect())
    }

    /// Finds the name of a site's set, and halves the way to it.
    pub(super) fn name(&mut self, mut site: usize) -> usize {
        while self.0[site] as usize != site {
            let parent = self.0[site] as usize;
            self.0[site] = self.0[parent];
            site = self.0[site] as usize;
        }
        site
    }

    /// Joins the sets of two sites.
    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.name(a), self.name(b));
        self.0[a.max(b)] = a.min(b) as u32;
    }
}

/// Draws the bonds and turns each cluster over by the coin of its first site.
///
/// The bond to the right of (r, c) is decided by word 2 c of stream r, the one below it by word 2 c + 1; the coin of a site is
/// the highest bit of word c of stream r of another key.
pub(super) fn sweep(lattice: &mut Lattice, bond: u64, key: Key) {
    let bits = lattice.to_bits();
    let sets = sets(&bits, bond, key.fold_in(BONDS));
    let turned = turned(&bits, sets, key.fold_in(COINS));
    *lattice = Lattice::from_bits(&turned).expect("a lattice of the same size");
}

fn sets(bits: &BitMatrix, bond: u64, key: Key) -> Sets {
    let (rows, columns) = (bits.rows(), bits.units());
    let held = parallel::map(rows, |row| held(bits, row, bond, key));
    let mut sets = Sets::single(rows * columns);
    for (at, &both) in held.iter().flatten().enumerate() {
        for ([r, c], held) in forward(bits, at / columns, at % columns).into_iter().zip(both) {
            if held {
                sets.join(at, r * columns + c);
            }
        }
    }
    sets
}

/// Tells of each site of a row whether its bonds to the right and below hold.
fn held(bits: &BitMatrix, row: usize, bond: u64, key: Key) -> Vec<[bool; 2]> {
    let mut words = vec![0; 2 * bits.units()];
    fill(key, row as u64, &mut words);
    let words = words.chunks_exact(2).enumerate();
    let holds = |column, site: [usize; 2], word: u32| {
        bits.get(site[0], site[1]) == bits.get(row, column) && u64::from(word) < bond
    };
    words
        .map(|(column, words)| {
            let [right, below] = forward(bits, row, column);
            [holds(column, right, words[0]), holds(column, below, words[1])]
        })
        .collect()
}

fn turned(bits: &BitMatrix, mut sets: Sets, key: Key) -> BitMatrix {
    let (rows, columns) = (bits.rows(), bits.units());
    let coins = parallel::map(rows, |row| {
        let mut words = vec![0; columns];
        fill(key, row as u64, &mut words);
        words
    });
    BitMatrix::from_fn(rows, columns, |row, column| {
        let at = row * columns + column;
        let name = mutant!("B153", sets.name(at), at);
        bits.get(row, column) ^ (coins[name / columns][name % columns] >> 31 == 1)
    })
}
