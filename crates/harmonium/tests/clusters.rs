//! Proves cluster moves by transition matrices (O3), joint draws (O5) and ranks (O6): bonds are counted words of the function that sweeps
//! are made of, coins both of their values.

mod common;

use common::key;
use common::oracles::{RANKS, alternated, burn_in, mixed, normal, ranked, share};
use common::tolerance::TAU_0;
use harmonium::bm::Graph;
use harmonium::bm::lattice::{Ferromagnet, Ising, Lattice, Moves};
use harmonium::{BitMatrix, Key};
use harmonium_kernels::bernoulli::fill;
use harmonium_oracle::stats::z_star;
use harmonium_oracle::transition::Matrix;

/// The highest bit of a coin's word.
const HEADS: u32 = 1 << 31;

/// Is a ferromagnet with what it was made of.
struct Magnet {
    spins: usize,
    edges: Vec<[usize; 2]>,
    couplings: Vec<f64>,
}

impl Magnet {
    fn new(spins: usize, edges: &[[usize; 2]], couplings: &[f64]) -> Self {
        Self { spins, edges: edges.to_vec(), couplings: couplings.to_vec() }
    }

    fn moves(&self) -> Ferromagnet {
        Ferromagnet::new(Graph::new(self.spins, self.edges.clone()).unwrap(), self.couplings.clone()).unwrap()
    }

    /// Gives p ∝ e^(β Σ J s s′).
    fn law(&self, beta: f64) -> Vec<f64> {
        let spin = |state: usize, i: usize| if state >> i & 1 == 1 { 1.0 } else { -1.0 };
        let bonds = |state: usize| {
            let terms = self.edges.iter().zip(&self.couplings);
            terms.map(|(&[i, j], coupling)| coupling * spin(state, i) * spin(state, j)).sum::<f64>()
        };
        normal((0..1 << self.spins).map(|state| (beta * bonds(state)).exp()))
    }

    /// Reads spins, −1 and 1, off the number of a state.
    fn digits(&self, state: usize) -> Vec<f64> {
        (0..self.spins).map(|i| if state >> i & 1 == 1 { 1.0 } else { -1.0 }).collect()
    }

    /// Is these spins at another inverse temperature.
    fn at(&self, beta: f64) -> Self {
        let couplings = self.couplings.iter().map(|coupling| beta * coupling).collect();
        Self { couplings, edges: self.edges.clone(), ..*self }
    }

    /// Sweeps chains so many times.
    fn swept(&self, states: &[usize], sweeps: u64, key: Key) -> Vec<usize> {
        let mut rows = BitMatrix::from_fn(states.len(), self.spins, |row, i| states[row] >> i & 1 == 1);
        (0..sweeps).for_each(|sweep| self.moves().sweep(&mut rows, key.fold_in(sweep)).unwrap());
        let state = |row| (0..self.spins).fold(0, |state, i| state | usize::from(rows.get(row, i)) << i);
        (0..states.len()).map(state).collect()
    }

    fn end(&self, moves: &Ferromagnet, state: usize, bonds: &[u32], coins: &[u32]) -> usize {
        let mut row = BitMatrix::from_fn(1, self.spins, |_, i| state >> i & 1 == 1);
        moves.turn(&mut row, 0, bonds, coins);
        (0..self.spins).fold(0, |end, i| end | usize::from(row.get(0, i)) << i)
    }

    /// Counts the words with which a bond holds between equal spins, while no other does and one of its ends alone gets heads: it holds
    /// where both ends turn or neither does.
    fn held(&self, moves: &Ferromagnet, edge: usize) -> f64 {
        let [i, j] = self.edges[edge];
        let coins: Vec<u32> = (0..self.spins).map(|at| if at == i { HEADS } else { 0 }).collect();
        share(|word| {
            let mut bonds = vec![u32::MAX; self.edges.len()];
            bonds[edge] = word;
            let end = self.end(moves, 0, &bonds, &coins);
            end >> i & 1 == end >> j & 1
        })
    }

    /// Builds the matrix: all bonds and all coins, from every state.
    fn matrix(&self, moves: &Ferromagnet) -> Matrix {
        let held: Vec<f64> = (0..self.edges.len()).map(|edge| self.held(moves, edge)).collect();
        let coins: Vec<Vec<u32>> = (0..1_usize << self.spins)
            .map(|all| (0..self.spins).map(|i| if all >> i & 1 == 1 { HEADS } else { HEADS - 1 }).collect())
            .collect();
        let row = |state: usize| {
            let mut out = vec![0.0; 1 << self.spins];
            for set in 0..1_usize << held.len() {
                // Word 0 lets a bond hold that ever does, the last word none.
                let is = |edge: usize| set >> edge & 1 == 1;
                let words: Vec<u32> =
                    (0..held.len()).map(|edge| if is(edge) { 0 } else { u32::MAX }).collect();
                let p: f64 =
                    held.iter().enumerate().map(|(edge, p)| if is(edge) { *p } else { 1.0 - p }).product();
                for coins in coins.iter().filter(|_| p > 0.0) {
                    out[self.end(moves, state, &words, coins)] += p / coins_of(self.spins);
                }
            }
            out
        };
        Matrix::from_rows(&(0..1 << self.spins).map(row).collect::<Vec<_>>())
    }
}

fn coins_of(spins: usize) -> f64 {
    (1_u64 << spins) as f64
}

/// A pair; a square with one diagonal and a spin by itself; a ring of five with a chord and a bond of no strength.
fn magnets() -> [Magnet; 3] {
    [
        Magnet::new(2, &[[0, 1]], &[0.7]),
        Magnet::new(5, &[[0, 1], [1, 2], [2, 3], [3, 0], [0, 2]], &[0.3, 0.8, 0.1, 0.5, 1.2]),
        Magnet::new(
            5,
            &[[0, 1], [1, 2], [2, 3], [3, 4], [4, 0], [4, 1], [2, 4]],
            &[0.4, 0.6, 0.2, 0.9, 0.5, 0.3, 0.0],
        ),
    ]
}

/// O3: reversible, and the law stays. A threshold is a whole number of 2^32 words, off by half of one; so a move is off by 2^-33 a bond in
/// total variation, and so is a flow. That holds too for each bond by the formula 1 − e^−2J. Control: another temperature.
#[test]
fn clusters_are_in_detailed_balance() {
    for magnet in magnets() {
        let (moves, law) = (magnet.moves(), magnet.law(1.0));
        for (edge, coupling) in magnet.couplings.iter().enumerate() {
            let off = magnet.held(&moves, edge) - (1.0 - (-2.0 * coupling).exp());
            assert!(off.abs() <= 2_f64.powi(-33) + TAU_0, "edge {edge}: {off:e}");
        }
        let (kernel, bound) = (magnet.matrix(&moves), magnet.edges.len() as f64 * 2_f64.powi(-33) + TAU_0);
        assert!(kernel.row_sum_error() <= TAU_0);
        assert!(kernel.drift(&law) <= bound, "{}", kernel.drift(&law));
        assert!(kernel.detailed_balance_error(&law) <= bound, "{}", kernel.detailed_balance_error(&law));
        assert!(kernel.sweeps_to(&law, 1e-6, 100).is_some(), "every state is reached");
        assert!(kernel.drift(&magnet.law(0.8)) > 1e-3, "the control");
    }
}

/// The link to sweeps: edge e of chain r takes word e of stream r of `fold_in(0)`, vertex i word i of stream r of `fold_in(1)`.
#[test]
fn sweeps_are_turns_by_their_words() {
    for magnet in magnets() {
        let moves = magnet.moves();
        let start = BitMatrix::from_fn(40, magnet.spins, |row, i| (row * 7 + i * i) % 3 == 0);
        let (mut swept, mut turned) = (start.clone(), start);
        moves.sweep(&mut swept, key(4)).unwrap();
        for row in 0..40 {
            let (mut bonds, mut coins) = (vec![0; magnet.edges.len()], vec![0; magnet.spins]);
            fill(key(4).fold_in(0), row as u64, &mut bonds);
            fill(key(4).fold_in(1), row as u64, &mut coins);
            moves.turn(&mut turned, row, &bonds, &coins);
        }
        assert_eq!(swept, turned);
    }
}

/// Bonds of a torus, each once, with the words that decide it: that to the right of (r, c) is word 2 c of stream r, that below it word
/// 2 c + 1. Where two bonds join the same sites, these are joined if either holds: by the lesser word.
fn bonds_of(rows: usize, columns: usize, key: Key) -> (Vec<[usize; 2]>, Vec<u32>) {
    let (mut edges, mut words): (Vec<[usize; 2]>, Vec<u32>) = (Vec::new(), Vec::new());
    for r in 0..rows {
        let mut line = vec![0; 2 * columns];
        fill(key, r as u64, &mut line);
        for c in 0..columns {
            let (at, right, below) =
                (r * columns + c, r * columns + (c + 1) % columns, (r + 1) % rows * columns + c);
            for (to, word) in [(right, line[2 * c]), (below, line[2 * c + 1])] {
                let ends = [at.min(to), at.max(to)];
                if let Some(edge) = edges.iter().position(|edge| *edge == ends) {
                    words[edge] = words[edge].min(word);
                } else {
                    edges.push(ends);
                    words.push(word);
                }
            }
        }
    }
    (edges, words)
}

/// Cluster sweeps of lattices are those of the ferromagnet on their torus, bit for bit, with the words at their documented places. So
/// what the matrices prove holds of them.
#[test]
fn clusters_of_lattices_are_those_of_the_torus() {
    for (rows, columns) in [(3, 3), (4, 5), (6, 64), (2, 2), (2, 5)] {
        let ising = Ising { moves: Moves::Cluster, temperature: 2.1, ..Ising::default() };
        for seed in 0..20 {
            let mut lattice = Lattice::hot(rows, columns, key(seed)).unwrap();
            let bits = lattice.to_bits();
            ising.sweeps(&lattice).unwrap().sweep(&mut lattice, key(seed));
            let (edges, words) = bonds_of(rows, columns, key(seed).fold_in(0));
            let magnet = Magnet::new(rows * columns, &edges, &vec![1.0 / 2.1; edges.len()]);
            let mut row = BitMatrix::from_fn(1, rows * columns, |_, i| bits.get(i / columns, i % columns));
            let mut coins = vec![0; rows * columns];
            coins.chunks_exact_mut(columns).enumerate().for_each(|(r, line)| {
                fill(key(seed).fold_in(1), r as u64, line);
            });
            magnet.moves().turn(&mut row, 0, &words, &coins);
            let ended = lattice.to_bits();
            let same = (0..rows * columns).all(|i| ended.get(i / columns, i % columns) == row.get(0, i));
            assert!(same, "{rows} × {columns}, seed {seed}");
        }
    }
}

/// O5: θ is one of three inverse temperatures; |z| < z*(20). Control: sweeps at 0.7 of them.
#[test]
fn joint_draws_agree_with_alternating_ones() {
    let ([_, square, ring], betas) = (magnets(), [0.5, 1.0, 1.6]);
    for (seed, magnet) in [(61, square), (62, ring)] {
        let run = |by: f64| {
            let laws: Vec<Vec<f64>> = betas.iter().map(|&beta| magnet.law(beta)).collect();
            alternated(&laws, &|state| magnet.digits(state), seed, &|value, states, key| {
                magnet.at(by * betas[value]).swept(&states, 1, key)
            })
        };
        assert!(run(1.0) < z_star(20), "{}", run(1.0));
        assert!(run(0.7) > 2.0 * z_star(20), "the control: {}", run(0.7));
    }
}

/// O6: there are no fields that given spins could be turned into, so all are free: the truth, drawn from the law, is one of 20 like the ends of 19
/// chains that begin all down and sweep as often as the matrix asks for. Its rank is even. Control: no sweeps.
#[test]
fn ranks_of_the_truth_are_even() {
    let [_, square, ring] = magnets();
    for (seed, magnet) in [(71, square), (72, ring)] {
        let law = magnet.law(1.0);
        let sweeps = burn_in(&magnet.matrix(&magnet.moves()), &law);
        let statistic = |sweeps: u64| {
            let of = |state: usize| mixed(&law, &magnet.digits(state), state);
            ranked(&law, &of, seed, &|count| magnet.swept(&vec![0; count], sweeps, key(seed)))
        };
        let found = statistic(sweeps);
        assert!(found < RANKS, "after {sweeps} sweeps: {found}");
        assert!(statistic(0) > 2.0 * RANKS, "the control");
    }
}
