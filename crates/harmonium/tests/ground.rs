//! Compares searches for ground states with enumeration, and their moves with the law that they must leave alone.

use harmonium::Key;
use harmonium::bm::Graph;
use harmonium::bm::ground::{Anneal, Ground, Problem, Temper, anneal, temper};
use harmonium_kernels::flips::{Links, Spins};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table;
use harmonium_oracle::stats::{tv, tv_star};

/// Fourteen spins, sparse or all coupled, with whole or real couplings and with or without fields.
fn problems() -> Vec<Problem> {
    let mut rng = Rng::new(5);
    let graphs = [Graph::complete(14), Graph::rectangle(2, 7, true), Graph::new(14, [[0, 13], [5, 6]])];
    let mut out = Vec::new();
    for graph in graphs.map(Result::unwrap) {
        for (whole, outer) in [(true, 0.0), (false, 1.0)] {
            let mut draw =
                || if whole { f64::from(u8::from(rng.bernoulli(0.5))) - 0.5 } else { rng.normal() };
            let couplings = (0..graph.edges().len()).map(|_| draw()).collect();
            let fields = (0..14).map(|_| outer * draw()).collect();
            out.push(Problem::new(graph.clone(), couplings, fields).unwrap());
        }
    }
    out
}

fn lowest(problem: &Problem) -> f64 {
    let states = (0..1_u32 << 14).map(|state| (0..14).map(|i| state >> i & 1 == 1).collect::<Vec<_>>());
    states.map(|up| problem.energy(&up)).fold(f64::INFINITY, f64::min)
}

/// Fifteen rounds of eight copies, each of 300 sweeps or more, are enough for 2^14 states; energies of equal states are added
/// up in the same order, so they are equal.
#[test]
fn annealing_and_tempering_find_the_lowest_of_all_states() {
    for (number, problem) in problems().iter().enumerate() {
        let key = Key::from_seed(number as u64);
        let cooled =
            anneal(problem, &Anneal { sweeps: 300, ..Anneal::default() }, key, &mut |_| false).unwrap();
        let tempered =
            temper(problem, &Temper { rounds: 5, ..Temper::default() }, key, &|| false, &mut |_| false);
        for ground in [cooled, tempered.unwrap()] {
            assert_eq!(problem.energy(&ground.up), ground.energy);
            let off = ground.energy - lowest(problem);
            assert!(off.abs() < 1e-9, "problem {number}: {off} above the lowest");
            assert!(ground.trace.windows(2).all(|two| two[1].energy <= two[0].energy));
        }
    }
}

fn found(threads: usize) -> [Ground; 2] {
    let graph = Graph::rectangle(12, 25, true).unwrap();
    let mut rng = Rng::new(8);
    let couplings = graph.edges().iter().map(|_| rng.normal()).collect();
    let problem = Problem::new(graph, couplings, vec![0.1; 300]).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (cooling, rungs) = (
        Anneal { sweeps: 20, rounds: 5, ..Anneal::default() },
        Temper { sweeps: 5, rounds: 3, ..Temper::default() },
    );
    pool.install(|| {
        let key = Key::from_seed(2);
        [
            anneal(&problem, &cooling, key, &mut |_| false).unwrap(),
            temper(&problem, &rungs, key, &|| false, &mut |_| false).unwrap(),
        ]
    })
}

#[test]
fn what_is_found_does_not_depend_on_threads() {
    let one = found(1);
    assert_eq!(found(2), one);
    assert_eq!(found(5), one);
}

#[test]
fn options_out_of_range_are_refused() {
    let problem = &problems()[0];
    let said = |options: Anneal| {
        anneal(problem, &options, Key::from_seed(1), &mut |_| false).unwrap_err().to_string()
    };
    assert_eq!(said(Anneal { sweeps: 0, ..Anneal::default() }), "sweeps: expected 1 to 2^40, got 0");
    assert_eq!(said(Anneal { replicas: 0, ..Anneal::default() }), "replicas: expected 1 to 65536, got 0");
    assert_eq!(said(Anneal { hot: Some(f64::NAN), ..Anneal::default() }), "hot: expected above 0, got NaN");
    let warm = said(Anneal { hot: Some(1.0), cold: Some(2.0), ..Anneal::default() });
    assert_eq!(warm, "cold: expected at most hot, 1, got 2");
    let few = Temper { rungs: 1, ..Temper::default() };
    let few = temper(problem, &few, Key::from_seed(1), &|| false, &mut |_| false).unwrap_err().to_string();
    assert_eq!(few, "rungs: expected 2 to 1000, got 1");
}

/// Where every flip is welcome, only spins flip that are there; and a search without any time has the better of its starts.
#[test]
fn hot_and_hasty_searches_end() {
    let ring = Graph::new(5, (0..5).map(|i| [i, (i + 1) % 5])).unwrap();
    let ring = Problem::new(ring, vec![1.0; 5], vec![0.0; 5]).unwrap();
    let hot = Anneal { hot: Some(1e9), sweeps: 50, rounds: 1, ..Anneal::default() };
    let found = anneal(&ring, &hot, Key::from_seed(1), &mut |_| false).unwrap();
    assert_eq!(found.energy, -5.0);
    let hasty = temper(&ring, &Temper::default(), Key::from_seed(1), &|| true, &mut |_| false).unwrap();
    assert_eq!((hasty.energy, hasty.up.len()), (ring.energy(&hasty.up), 5));
}

/// Eight spins, of which many are neighbours, with couplings in codes of a quarter.
const COUPLINGS: [(usize, usize, i32); 11] = [
    (0, 1, 3),
    (1, 2, -2),
    (2, 3, 2),
    (3, 0, 1),
    (4, 5, 2),
    (5, 6, -3),
    (6, 7, 1),
    (7, 4, 2),
    (0, 4, -1),
    (2, 6, 2),
    (1, 7, 1),
];
const OUTER: [i32; 8] = [1, 0, -2, 0, 1, 1, 0, -1];

fn links() -> Links {
    Links::new((0..8).map(|spin| {
        let near = COUPLINGS.iter().filter(|(i, j, _)| *i == spin || *j == spin);
        near.map(|&(i, j, code)| ((i + j - spin) as u32, code)).collect()
    }))
}

fn up(state: usize) -> Vec<bool> {
    (0..8).map(|spin| state >> spin & 1 == 1).collect()
}

/// p ∝ e^−βE with E = −½ Σ s h − ½ Σ_edges c s s, in codes: what a flip costs is s (h + Σ c s).
fn law(beta: f64) -> Vec<f64> {
    let weight = |state: usize| {
        let s = |spin: usize| if state >> spin & 1 == 1 { 1.0 } else { -1.0 };
        let alone: f64 = OUTER.iter().enumerate().map(|(i, h)| f64::from(*h) * s(i)).sum();
        let pairs: f64 = COUPLINGS.iter().map(|&(i, j, c)| f64::from(c) * s(i) * s(j)).sum();
        (beta * (alone + pairs) / 2.0).exp()
    };
    let weights: Vec<f64> = (0..256).map(weight).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / total).collect()
}

const BETA: f32 = 0.7;
const DRAWS: usize = 20_000;

/// Draws exact states, sweeps each k times, and gives the total variation from the law.
fn drift(draws: usize, beta: f32, sweeps: u64) -> f64 {
    let (links, p) = (links(), law(f64::from(BETA)));
    let (table, mut rng) = (Table::new(&p), Rng::new(11));
    let mut seen = vec![0.0; 256];
    for chain in 0..draws {
        let mut spins = Spins::new(&links, &up(table.draw(&mut rng)), &OUTER);
        let key = Key::from_seed(3).fold_in(chain as u64);
        (0..sweeps).for_each(|sweep| spins.sweep(&links, beta, key, sweep));
        let state: usize = spins.up().enumerate().map(|(spin, up)| usize::from(up) << spin).sum();
        seen[state] += 1.0 / draws as f64;
    }
    tv(&seen, &p)
}

#[test]
fn metropolis_sweeps_leave_the_law_alone() {
    sweeps_stay(DRAWS);
}

#[test]
#[ignore = "long form of metropolis_sweeps_leave_the_law_alone: 10⁶ draws"]
fn a_million_exact_starts_stay_exact() {
    sweeps_stay(1_000_000);
}

/// Words of 23 bits change a probability by 2^-24 at most, and e^x is off by 1e-7: 8 spins by 2e-6 a sweep. With the control: the
/// same sweep at 0.8 β must be noticed.
fn sweeps_stay(draws: usize) {
    let bound = tv_star(&law(f64::from(BETA)), draws);
    for sweeps in [0, 1, 4, 16] {
        let got = drift(draws, BETA, sweeps);
        assert!(got <= bound + 2e-6 * sweeps as f64, "TV {got} > {bound} after {sweeps} sweeps");
    }
    assert!(drift(draws, 0.8 * BETA, 16) > 2.0 * bound);
}
