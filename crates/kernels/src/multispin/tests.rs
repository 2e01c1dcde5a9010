//! Compares sweeps with a loop over single sites, on every back end, for all kinds of sizes.

use super::*;
use crate::backend::on_each;
use crate::{BitMatrix, Key, chacha};

const SIZES: [(usize, usize); 8] =
    [(2, 2), (2, 64), (4, 6), (6, 62), (8, 66), (4, 128), (6, 1022), (10, 1090)];

fn hot(rows: usize, columns: usize) -> BitMatrix {
    let mut words = vec![0; rows * columns];
    crate::bernoulli::fill(Key::from_seed(3), 0, &mut words);
    BitMatrix::from_fn(rows, columns, |r, c| words[r * columns + c].is_multiple_of(3))
}

fn neighbours(lattice: &BitMatrix, r: usize, c: usize) -> [bool; 4] {
    let (rows, columns) = (lattice.rows(), lattice.units());
    let sites = [(r + 1, c), (r + rows - 1, c), (r, c + 1), (r, c + columns - 1)];
    sites.map(|(r, c)| lattice.get(r % rows, c % columns))
}

fn equal(lattice: &BitMatrix, r: usize, c: usize) -> u32 {
    neighbours(lattice, r, c).iter().filter(|&&spin| spin == lattice.get(r, c)).count() as u32
}

/// Puts the word of a site together from the bits of its blocks.
fn word(key: Key, row: usize, k: usize) -> u32 {
    (0..32).fold(0, |word, d| {
        let counter = (k / 32) as u64 + (d as u64 / 16 << 32);
        word << 1 | chacha::block(key.words(), counter, row as u64)[d % 16] >> (k % 32) & 1
    })
}

fn plain(lattice: &mut BitMatrix, colour: usize, rule: &Rule, key: Key) {
    let before = lattice.clone();
    for r in 0..lattice.rows() {
        for c in ((r + colour) % 2..lattice.units()).step_by(2) {
            let satisfied = rule.satisfied(equal(&before, r, c));
            lattice.set(r, c, before.get(r, c) ^ rule.turns(satisfied, word(key, r, c / 2)));
        }
    }
}

#[test]
fn half_sweeps_are_those_of_the_plain_loop_on_every_back_end() {
    on_each(|backend| {
        for (rows, columns) in SIZES {
            for coupling in [0.44, -0.1] {
                for moves in [Moves::Metropolis, Moves::HeatBath] {
                    for precision in [Precision::Full, Precision::Fast] {
                        let rule = Rule::new(coupling, moves, precision);
                        let mut expected = hot(rows, columns);
                        let mut got = Planes::pack(&expected);
                        for step in 0..4 {
                            let key = Key::from_seed(7).fold_in(step);
                            plain(&mut expected, step as usize % 2, &rule, key);
                            got.update(step as usize % 2, &rule, key);
                            assert_eq!(got.unpack(), expected, "{backend} {rows} × {columns} {rule:?}");
                        }
                    }
                }
            }
        }
    });
}

/// In a lattice of equal spins every site has four satisfied bonds, so that its own word is a threshold that turns others and a
/// unit more turns it as well.
#[test]
fn a_word_next_to_its_threshold_is_compared_to_the_last_bit() {
    let (rows, columns, key) = (6, 1090, Key::from_seed(5));
    on_each(|backend| {
        for n in 0..40 {
            let (r, k) = (n % rows, n * 13 % (columns / 2));
            let word = word(key, r, k);
            for (threshold, turned) in [(word, false), (word + 1, true)] {
                let mut planes = Planes::pack(&BitMatrix::zeros(rows, columns));
                planes.update(0, &Rule::with(0, threshold), key);
                assert_eq!(planes.get(r, 2 * k + r % 2), turned, "{backend} site {k} of row {r}");
            }
        }
    });
}

#[test]
fn bonds_and_spins_are_counted_as_the_plain_loop_counts_them() {
    on_each(|backend| {
        for (rows, columns) in SIZES {
            let lattice = hot(rows, columns);
            let planes = Planes::pack(&lattice);
            let sites = || (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c)));
            let twice: u64 = sites().map(|(r, c)| u64::from(equal(&lattice, r, c))).sum();
            assert_eq!(planes.equal_bonds(), twice / 2, "{backend} {rows} × {columns}");
            assert_eq!(planes.up(), lattice.count_by_unit().iter().sum::<u64>(), "{backend}");
            assert_eq!(planes.unpack(), lattice);
        }
    });
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut planes = Planes::pack(&hot(400, 300));
            let rule = Rule::new(0.44, Moves::Metropolis, Precision::Full);
            (0..20).for_each(|n| planes.update(n % 2, &rule, Key::from_seed(n as u64)));
            (planes.equal_bonds(), planes.unpack())
        })
    };
    let one = run(1);
    assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one));
}

#[test]
fn odd_sides_have_no_checkerboard() {
    assert!(Planes::fits(2, 4) && !Planes::fits(3, 4) && !Planes::fits(4, 5) && !Planes::fits(0, 2));
}
