//! Proves single-spin moves of lattices and of searches by joint draws (O5) and ranks (O6).

mod common;

use common::key;
use common::oracles::{
    OTHERS, RANKS, REPLICATES, Ranks, alternated, burn_in, decisions, mixed, normal, ranked, share,
};
use harmonium::bm::lattice::{Ising, Lattice, Moves};
use harmonium::{BitMatrix, Key};
use harmonium_kernels::flips::{Links, Spins, flips};
use harmonium_kernels::multispin::{self, Precision, Rule};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table;
use harmonium_oracle::stats::z_star;
use harmonium_oracle::transition::Matrix;

fn spins(count: usize, state: usize) -> Vec<f64> {
    (0..count).map(|i| if state >> i & 1 == 1 { 1.0 } else { -1.0 }).collect()
}

/// Is a torus of so many rows and columns: even sides are swept in words of 64 spins, colour by colour, others site by site.
#[derive(Clone, Copy)]
struct Torus(usize, usize);

impl Torus {
    fn sites(self) -> usize {
        self.0 * self.1
    }

    fn equal(self, state: usize, site: usize) -> u32 {
        let (r, c) = (site / self.1, site % self.1);
        let at = |r: usize, c: usize| r % self.0 * self.1 + c % self.1;
        let near = [at(r + 1, c), at(r + self.0 - 1, c), at(r, c + 1), at(r, c + self.1 - 1)];
        near.iter().filter(|&&other| (state >> site ^ state >> other) & 1 == 0).count() as u32
    }

    /// Gives p ∝ e^(Σ s s′ / T); each bond is met from both of its ends.
    fn law(self, temperature: f64) -> Vec<f64> {
        let bonds = |state: usize| {
            (0..self.sites()).map(|site| f64::from(self.equal(state, site)) - 2.0).sum::<f64>()
        };
        normal((0..1 << self.sites()).map(|state| (bonds(state) / temperature).exp()))
    }

    /// Sweeps lattices that stand at these states so many times.
    fn swept(self, ising: Ising, states: &[usize], sweeps: usize, key: Key) -> Vec<usize> {
        let one = |(chain, &state): (usize, &usize)| {
            let bits = BitMatrix::from_fn(self.0, self.1, |r, c| state >> (r * self.1 + c) & 1 == 1);
            let mut lattice = Lattice::from_bits(&bits).unwrap();
            let moves = ising.sweeps(&lattice).unwrap();
            (0..sweeps)
                .for_each(|sweep| moves.sweep(&mut lattice, key.fold_in(chain as u64).fold_in(sweep as u64)));
            let bits = lattice.to_bits();
            (0..self.sites()).fold(0, |state, i| state | usize::from(bits.get(i / self.1, i % self.1)) << i)
        };
        states.iter().enumerate().map(one).collect()
    }

    /// Builds the matrix of a sweep from the words that turn a spin over.
    fn matrix(self, moves: multispin::Moves, temperature: f64) -> Matrix {
        let rule = Rule::new(1.0 / temperature, moves, Precision::Full);
        let turns: Vec<f64> =
            (0..=4).map(|equal| share(|word| rule.turns(rule.satisfied(equal), word))).collect();
        let flip = |state: usize, site: usize| turns[self.equal(state, site) as usize];
        let all = || 0..self.sites();
        let colour = |of: usize| all().filter(|i| (i / self.1 + i % self.1) % 2 == of).collect::<Vec<_>>();
        let even = self.0.is_multiple_of(2) && self.1.is_multiple_of(2);
        let turns = if even { vec![colour(0), colour(1)] } else { all().map(|site| vec![site]).collect() };
        let parts = turns.into_iter().map(|sites| decisions(1 << self.sites(), &sites, &flip));
        parts.reduce(|all, part| all.then(&part)).expect("a site")
    }
}

const TORI: [Torus; 2] = [Torus(2, 4), Torus(3, 2)];

/// O5: θ is one of three temperatures; |z| < z*(20). Control: sweeps at 1.3 T.
#[test]
fn joint_draws_of_lattices_agree_with_alternating_ones() {
    let temperatures = [2.0, 3.0, 5.0];
    for (seed, torus) in TORI.into_iter().enumerate() {
        let laws = temperatures.map(|t| torus.law(t));
        for moves in [Moves::Metropolis, Moves::HeatBath, Moves::Cluster] {
            let run = |by: f64| {
                alternated(&laws, &|state| spins(torus.sites(), state), seed as u64, &|value, states, key| {
                    let ising = Ising { temperature: by * temperatures[value], moves, ..Ising::default() };
                    torus.swept(ising, &states, 1, key)
                })
            };
            let found = run(1.0);
            assert!(found < z_star(20), "{moves:?}: {found}");
            assert!(run(1.3) > 2.0 * z_star(20), "the control: {moves:?}");
        }
    }
}

/// O6: lattices have no fields, so nothing can be given, and all spins are the missing ones: the truth, drawn from the law, ranks evenly among the
/// ends of 19 chains that begin all down, after as many sweeps as the matrix asks for. Control: no sweeps.
#[test]
fn ranks_of_true_lattices_are_even() {
    let kinds =
        [(Moves::Metropolis, multispin::Moves::Metropolis), (Moves::HeatBath, multispin::Moves::HeatBath)];
    for (seed, torus) in (11..).zip(TORI) {
        for (moves, kernel) in kinds {
            let (law, ising) = (torus.law(3.0), Ising { temperature: 3.0, moves, ..Ising::default() });
            let sweeps = burn_in(&torus.matrix(kernel, 3.0), &law) as usize;
            let statistic = |sweeps: usize| {
                let of = |state: usize| mixed(&law, &spins(torus.sites(), state), state);
                ranked(&law, &of, seed, &|count| torus.swept(ising, &vec![0; count], sweeps, key(seed)))
            };
            let found = statistic(sweeps);
            assert!(found < RANKS, "{moves:?} after {sweeps} sweeps: {found}");
            assert!(statistic(0) > 2.0 * RANKS, "the control: {moves:?}");
        }
    }
}

/// Is spins of a search: couplings and fields in codes, E = −½ Σ h s − ½ Σ_edges c s s′.
#[derive(Clone)]
struct Search {
    pairs: Vec<(usize, usize, i32)>,
    outer: Vec<i32>,
}

impl Search {
    /// Seven spins with ten couplings of both signs.
    fn frustrated() -> Self {
        let pairs = [(0, 1, 3), (1, 2, -2), (2, 3, 2), (3, 0, 1), (4, 5, 2), (5, 6, -3), (6, 4, 1)];
        let more = [(0, 4, -1), (2, 6, 2), (1, 5, 1)];
        Self { pairs: [&pairs[..], &more].concat(), outer: vec![1, 0, -2, 0, 1, 1, 0] }
    }

    fn count(&self) -> usize {
        self.outer.len()
    }

    /// Gives what a flip costs, in codes: s (h + Σ c s′).
    fn cost(&self, state: usize, i: usize) -> i32 {
        let spin = |i: usize| if state >> i & 1 == 1 { 1 } else { -1 };
        let near = self.pairs.iter().filter(|(a, b, _)| *a == i || *b == i);
        spin(i) * (self.outer[i] + near.map(|&(a, b, code)| code * spin(a + b - i)).sum::<i32>())
    }

    fn law(&self, beta: f64) -> Vec<f64> {
        let weight = |state: usize| {
            let s = spins(self.count(), state);
            let alone: f64 = self.outer.iter().zip(&s).map(|(h, s)| f64::from(*h) * s).sum();
            let pairs: f64 = self.pairs.iter().map(|&(a, b, c)| f64::from(c) * s[a] * s[b]).sum();
            (beta * (alone + pairs) / 2.0).exp()
        };
        normal((0..1 << self.count()).map(weight))
    }

    /// Takes the first two spins for given: what they do to the others joins the fields.
    fn given(&self, first: usize) -> Self {
        let spin = |i: usize| if first >> i & 1 == 1 { 1 } else { -1 };
        let mut out = Self { pairs: Vec::new(), outer: self.outer[2..].to_vec() };
        for &(a, b, code) in &self.pairs {
            match [a, b].map(|i| i.checked_sub(2)) {
                [Some(a), Some(b)] => out.pairs.push((a, b, code)),
                [None, Some(i)] => out.outer[i] += code * spin(a),
                [Some(i), None] => out.outer[i] += code * spin(b),
                [None, None] => {}
            }
        }
        out
    }

    fn swept(&self, states: &[usize], beta: f32, sweeps: u64, key: Key) -> Vec<usize> {
        let links = Links::new((0..self.count()).map(|i| {
            let near = self.pairs.iter().filter(|(a, b, _)| *a == i || *b == i);
            near.map(|&(a, b, code)| ((a + b - i) as u32, code)).collect()
        }));
        let one = |(chain, &state): (usize, &usize)| {
            let up: Vec<bool> = (0..self.count()).map(|i| state >> i & 1 == 1).collect();
            let mut moved = Spins::new(&links, &up, &self.outer);
            let key = key.fold_in(chain as u64);
            (0..sweeps).for_each(|sweep| moved.sweep(&links, beta, key, sweep));
            moved.up().enumerate().map(|(i, up)| usize::from(up) << i).sum()
        };
        states.iter().enumerate().map(one).collect()
    }

    fn matrix(&self, beta: f32) -> Matrix {
        let flip = |state: usize, site: usize| share(|word| flips(word, self.cost(state, site), beta));
        let parts = (0..self.count()).map(|site| decisions(1 << self.count(), &[site], &flip));
        parts.reduce(|all, part| all.then(&part)).expect("a spin")
    }
}

/// O5 of the moves that annealing and tempering search by: θ is β. Control: sweeps at 0.7 β.
#[test]
fn joint_draws_of_searches_agree_with_alternating_ones() {
    let (search, betas) = (Search::frustrated(), [0.2_f32, 0.45, 0.8]);
    let laws = betas.map(|beta| search.law(f64::from(beta)));
    let run = |by: f32| {
        alternated(&laws, &|state| spins(7, state), 21, &|value, states, key| {
            search.swept(&states, by * betas[value], 1, key)
        })
    };
    assert!(run(1.0) < z_star(20), "{}", run(1.0));
    assert!(run(0.7) > 2.0 * z_star(20), "the control");
}

/// O6: two spins are given, which makes them fields of the others; the truth ranks evenly among 19 chains that begin all down, after as many
/// sweeps as the slowest of the four matrices asks for. Control: no sweeps.
#[test]
fn ranks_of_true_ground_searches_are_even() {
    let (search, beta) = (Search::frustrated(), 0.6_f32);
    let (whole, table) = (search.law(f64::from(beta)), Table::new(&search.law(f64::from(beta))));
    let given: Vec<Search> = (0..4).map(|first| search.given(first)).collect();
    let sweeps =
        given.iter().map(|rest| burn_in(&rest.matrix(beta), &rest.law(f64::from(beta)))).max().unwrap();
    let statistic = |sweeps: u64| {
        let (mut rng, mut ranks) = (Rng::new(31), Ranks::new(32));
        for replicate in 0..REPLICATES {
            let truth = table.draw(&mut rng);
            let of = |state: usize| mixed(&whole, &spins(7, state), state);
            let ends = given[truth % 4].swept(&[0; OTHERS], beta, sweeps, key(33).fold_in(replicate as u64));
            let others: Vec<f64> = ends.into_iter().map(|rest| of(rest << 2 | truth % 4)).collect();
            ranks.add(of(truth), &others);
        }
        ranks.statistic()
    };
    let found = statistic(sweeps);
    assert!(found < RANKS, "after {sweeps} sweeps: {found}");
    assert!(statistic(0) > 2.0 * RANKS, "the control");
}
