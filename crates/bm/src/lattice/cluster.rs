//! Moves whole clusters (Swendsen & Wang 1987): satisfied bonds hold with probability 1 − e^−2J/T, and what they join is turned
//! over together, or not, by a fair coin.

use std::ops::Range;

use harmonium_core::{BitMatrix, Key};
use harmonium_kernels::bernoulli::fill;
use harmonium_kernels::parallel;

use super::Lattice;

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

/// Sites whose bonds one task draws, about.
const TASK: usize = 1 << 14;

fn sets(bits: &BitMatrix, bond: u64, key: Key) -> Sets {
    let (rows, columns) = (bits.rows(), bits.units());
    let lines = TASK.div_ceil(columns);
    let held = parallel::map(rows.div_ceil(lines), |task| {
        held(bits, task * lines..rows.min((task + 1) * lines), bond, key)
    });
    let (mut sets, last) = (Sets::single(rows * columns), (rows - 1) * columns);
    let mut bonds = held.into_iter().flatten();
    for row in 0..rows {
        for (column, [right, below]) in (0..columns).zip(&mut bonds) {
            let at = row * columns + column;
            if right {
                sets.join(at, if column + 1 == columns { at + 1 - columns } else { at + 1 });
            }
            if below {
                sets.join(at, if at >= last { at - last } else { at + columns });
            }
        }
    }
    sets
}

/// Tells of each site of some rows whether its bonds to the right and below hold.
fn held(bits: &BitMatrix, rows: Range<usize>, bond: u64, key: Key) -> Vec<[bool; 2]> {
    let columns = bits.units();
    let (mut words, mut out) = (vec![0; 2 * columns], Vec::with_capacity(rows.len() * columns));
    let spins = |row: usize| (0..columns).map(|column| bits.get(row, column)).collect::<Vec<bool>>();
    let mut below = spins(rows.start);
    for row in rows {
        let here = std::mem::replace(&mut below, spins((row + 1) % bits.rows()));
        fill(key, row as u64, &mut words);
        let next = here.iter().skip(1).chain(&here[..1]);
        let near = here.iter().zip(next).zip(&below).zip(words.chunks_exact(2));
        out.extend(near.map(|(((spin, right), below), words)| {
            [
                spin == right && u64::from(words[0]) < bond,
                spin == below && u64::from(words[mutant!("B323", 1, 0)]) < bond,
            ]
        }));
    }
    out
}

fn turned(bits: &BitMatrix, mut sets: Sets, key: Key) -> BitMatrix {
    let (rows, columns) = (bits.rows(), bits.units());
    let lines = TASK.div_ceil(columns);
    let coins = parallel::map(rows.div_ceil(lines), |task| {
        let rows = task * lines..rows.min((task + 1) * lines);
        let mut words = vec![0; rows.len() * columns];
        words.chunks_exact_mut(columns).zip(rows).for_each(|(words, row)| fill(key, row as u64, words));
        words.into_iter().map(|word| word >> 31 == 1).collect::<Vec<_>>()
    });
    let coins = coins.concat();
    BitMatrix::from_fn(rows, columns, |row, column| {
        let at = row * columns + column;
        bits.get(row, column) ^ coins[mutant!("B153", sets.name(at), at)]
    })
}
