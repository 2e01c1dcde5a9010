//! Proves that moves of Ising lattices leave their law alone, and that long runs have the energies of the exact solutions (O4, O12).

use harmonium::bm::Graph;
use harmonium::bm::lattice::{Ferromagnet, Ising, Lattice, Moves, Observed, exact};
use harmonium::{BitMatrix, Key};
use harmonium_kernels::sequential::{Codes, Symmetric};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table;
use harmonium_oracle::stats::{g_test, holm};

const STARTS: usize = 100_000;
const ALPHA: f64 = 1e-6;

/// Is a small system of spins, given by its bonds; a bond may come twice.
struct Small {
    spins: usize,
    bonds: Vec<(usize, usize, f64)>,
}

impl Small {
    fn torus(rows: usize, columns: usize, coupling: f64) -> Self {
        let site = |r: usize, c: usize| r % rows * columns + c % columns;
        let both = |r, c| [(site(r, c), site(r, c + 1), coupling), (site(r, c), site(r + 1, c), coupling)];
        let bonds = (0..rows).flat_map(|r| (0..columns).flat_map(move |c| both(r, c))).collect();
        Self { spins: rows * columns, bonds }
    }

    /// Gives −E / T of a state.
    fn exponent(&self, state: usize) -> f64 {
        let spin = |i: usize| if state >> i & 1 == 1 { 1.0 } else { -1.0 };
        self.bonds.iter().map(|&(i, j, coupling)| coupling * spin(i) * spin(j)).sum()
    }

    fn law(&self) -> Vec<f64> {
        let weights: Vec<f64> = (0..1 << self.spins).map(|state| self.exponent(state).exp()).collect();
        let z: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / z).collect()
    }

    /// Tells cells apart by the state of the first five spins and by the satisfied bonds of all.
    fn cell(&self, state: usize) -> usize {
        let satisfied = self.bonds.iter().filter(|&&(i, j, _)| (state >> i ^ state >> j) & 1 == 0).count();
        state % 32 + 32 * satisfied
    }

    /// Starts chains exactly in the law, moves each once, and tests the cells they end in.
    fn p_value(&self, starts: usize, seed: u64, mut moved: impl FnMut(&BitMatrix, Key) -> BitMatrix) -> f64 {
        let law = self.law();
        let mut expected = vec![0.0; 32 * (self.bonds.len() + 1)];
        law.iter().enumerate().for_each(|(state, p)| expected[self.cell(state)] += p);
        let (table, mut rng, mut counts) = (Table::new(&law), Rng::new(seed), vec![0; expected.len()]);
        for chain in 0..starts {
            let state = table.draw(&mut rng);
            let bits = BitMatrix::from_fn(1, self.spins, |_, i| state >> i & 1 == 1);
            let end = moved(&bits, Key::from_seed(seed).fold_in(chain as u64));
            counts[self.cell((0..self.spins).fold(0, |state, i| state | usize::from(end.get(0, i)) << i))] +=
                1;
        }
        g_test(&counts, &expected).p_value
    }
}

/// Sweeps a lattice that is given as one row of bits.
fn swept(ising: Ising, rows: usize, columns: usize) -> impl FnMut(&BitMatrix, Key) -> BitMatrix {
    move |bits, key| {
        let square = BitMatrix::from_fn(rows, columns, |r, c| bits.get(0, r * columns + c));
        let mut lattice = Lattice::from_bits(&square).unwrap();
        ising.sweeps(&lattice).unwrap().sweep(&mut lattice, key);
        let square = lattice.to_bits();
        BitMatrix::from_fn(1, rows * columns, |_, i| square.get(i / columns, i % columns))
    }
}

#[test]
fn sweeps_leave_the_law_alone() {
    lattices_stay(STARTS);
}

#[test]
#[ignore = "long form of the three tests of exact starts: 10⁶ of each"]
fn a_million_exact_starts_stay_exact() {
    lattices_stay(1_000_000);
    ferromagnets_stay(1_000_000);
    sequences_stay(1_000_000);
}

fn lattices_stay(starts: usize) {
    let plain = Ising { temperature: 2.5, ..Ising::default() };
    let bath = Ising { moves: Moves::HeatBath, ..plain };
    let anti = Ising { antiferromagnet: true, ..plain };
    let cases = [
        (plain, 4, 4),
        // In a row of four the neighbours before and after, of the other colour, are the same two.
        (plain, 2, 8),
        (bath, 4, 4),
        (Ising { fast: true, ..plain }, 4, 4),
        (anti, 4, 4),
        (Ising { antiferromagnet: true, ..bath }, 2, 4),
        (plain, 3, 4),
        (bath, 3, 3),
        (anti, 5, 2),
        (Ising { moves: Moves::Cluster, ..plain }, 4, 4),
        (Ising { moves: Moves::Cluster, ..plain }, 3, 2),
    ];
    let p_values = cases.iter().zip(1..).map(|(&(ising, rows, columns), seed)| {
        let sign = if ising.antiferromagnet { -1.0 } else { 1.0 };
        let small = Small::torus(rows, columns, sign / ising.temperature);
        small.p_value(starts, seed, swept(ising, rows, columns))
    });
    let p_values: Vec<f64> = p_values.collect();
    assert!(holm(&p_values).iter().all(|&p| p > ALPHA), "{p_values:?}");
}

/// The negative control: sweeps of another temperature are found out by the same test.
#[test]
fn sweeps_of_another_temperature_drift() {
    let small = Small::torus(4, 4, 1.0 / 2.5);
    for moves in [Moves::Metropolis, Moves::HeatBath, Moves::Cluster] {
        let ising = Ising { temperature: 2.6, moves, ..Ising::default() };
        assert!(small.p_value(STARTS, 77, swept(ising, 4, 4)) < ALPHA, "{moves:?}");
    }
}

#[test]
fn clusters_leave_the_law_of_any_ferromagnet_alone() {
    ferromagnets_stay(STARTS);
}

fn ferromagnets_stay(starts: usize) {
    let edges = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 0], [0, 2], [5, 6], [6, 7], [1, 8]];
    let couplings: Vec<f64> = (0..edges.len()).map(|edge| 0.15 * edge as f64).collect();
    let bonds = edges.iter().zip(&couplings).map(|(&[i, j], &coupling)| (i, j, coupling)).collect();
    let ferromagnet = Ferromagnet::new(Graph::new(9, edges).unwrap(), couplings).unwrap();
    let p = Small { spins: 9, bonds }.p_value(starts, 5, |bits, key| {
        let mut chains = bits.clone();
        ferromagnet.sweep(&mut chains, key).unwrap();
        chains
    });
    assert!(p > ALPHA, "{p}");
}

#[test]
fn sequential_sweeps_leave_the_law_alone() {
    sequences_stay(STARTS);
}

/// Of twenty spins six are coupled, on both sides of the border between two blocks of sixteen; the others are tossed like coins.
fn sequences_stay(starts: usize) {
    let quantum = 2_f64.powi(-20);
    let code = |i: usize, j: usize| ((i * 7 + j * 7 + i * j) % 11) as i32 * 80_000 - 400_000;
    // Two of the first block and four of the second.
    let tied = [3, 9, 16, 17, 18, 19];
    let mut codes = vec![0; 400];
    let pairs = || (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b)));
    pairs().for_each(|(a, b)| {
        (codes[tied[a] * 20 + tied[b]], codes[tied[b] * 20 + tied[a]]) = (code(a, b), code(a, b));
    });
    let bonds = pairs().map(|(a, b)| (a, b, f64::from(code(a, b)) * quantum)).collect();
    let (codes, biases) = (Codes::new(20, &codes), vec![0.0; 20]);
    let machine = Symmetric { codes: &codes, biases: &biases, scale: [quantum as f32, 1.0], spins: true };
    let p = Small { spins: 6, bonds }.p_value(starts, 9, |bits, key| {
        let mut x = [-1; 20];
        (0..6).for_each(|i| x[tied[i]] = if bits.get(0, i) { 1 } else { -1 });
        let mut sums = [0; 20];
        for i in 0..6 {
            let others = (0..6).filter(|&j| j != i);
            sums[tied[i]] = others.map(|j| code(i.min(j), i.max(j)) * i32::from(x[tied[j]])).sum();
        }
        machine.sweep(&mut x, &mut sums, key, 0);
        BitMatrix::from_fn(1, 6, |_, i| x[tied[i]] > 0)
    });
    assert!(p > ALPHA, "{p}");
}

fn run(side: usize, ising: Ising, warming: usize, sweeps: usize) -> Observed {
    let mut lattice = Lattice::cold(side, side).unwrap();
    let moves = ising.sweeps(&lattice).unwrap();
    moves.run(&mut lattice, warming, Key::from_seed(1), |_| {});
    let mut seen = Observed::new(&lattice, sweeps);
    moves.run(&mut lattice, sweeps, Key::from_seed(2), |lattice| seen.see(lattice));
    seen
}

/// Thirty comparisons with errors from 32 parts: |t| of 31 degrees of freedom is beyond 7 with probability 7e-8, 2e-6 in all.
#[test]
fn runs_have_the_energy_and_the_heat_of_the_enumeration() {
    let known = [
        (1.0, -1.997_158, 0.023_409),
        (2.0, -1.755_380, 0.605_533),
        (2.269_185, -1.565_624, 0.783_267),
        (3.0, -1.017_070, 0.603_135),
        (3.5, -0.776_150, 0.375_756),
    ];
    for (temperature, energy, heat) in known {
        for moves in [Moves::Metropolis, Moves::HeatBath, Moves::Cluster] {
            let seen = run(4, Ising { temperature, moves, ..Ising::default() }, 200, 40_000);
            for (got, expected) in [(seen.energy(), energy), (seen.specific_heat(temperature), heat)] {
                let off = (got.value - expected).abs();
                assert!(off < 7.0 * got.error + 1e-6, "T = {temperature}, {moves:?}: {got:?} for {expected}");
            }
        }
    }
}

#[test]
fn large_lattices_have_onsagers_energy() {
    for temperature in [2.0, 3.0] {
        let seen = run(64, Ising { temperature, ..Ising::default() }, 1000, 10_000);
        let off = seen.energy().value / exact::energy(temperature) - 1.0;
        assert!(off.abs() < 0.005, "T = {temperature}: {off}");
    }
    let magnetization = run(64, Ising { temperature: 2.0, ..Ising::default() }, 1000, 10_000).magnetization();
    assert!((magnetization.value / exact::magnetization(2.0) - 1.0).abs() < 0.005, "{magnetization:?}");
}

/// At T = 10⁵ a Metropolis sweep turns all spins over but one in 256, which is what makes it forget.
#[test]
fn hot_lattices_have_onsagers_energy() {
    for (temperature, moves, warmup) in
        [(100.0, Moves::Metropolis, 2000), (1e5, Moves::Metropolis, 2000), (1e5, Moves::HeatBath, 10)]
    {
        let seen = run(32, Ising { temperature, moves, ..Ising::default() }, warmup, 40_000).energy();
        let off = seen.value - exact::energy(temperature);
        assert!(off.abs() < 5.0 * seen.error, "{moves:?} at {temperature}: {seen:?}");
        // The energy of independent spins has deviation √2 / 32 a site.
        assert!(seen.error < 0.1 * 2_f64.sqrt() / 32.0, "{moves:?} at {temperature}: {seen:?}");
    }
}

#[test]
fn clusters_reach_the_energy_at_the_critical_temperature() {
    let ising = Ising { moves: Moves::Cluster, ..Ising::default() };
    let seen = run(64, ising, 200, 2000);
    let (energy, heat) = exact::finite(64, 64, ising.temperature);
    assert!((seen.energy().value / exact::energy(ising.temperature) - 1.0).abs() < 0.02);
    assert!((seen.energy().value - energy).abs() < 7.0 * seen.energy().error, "{:?}", seen.energy());
    let found = seen.specific_heat(ising.temperature);
    assert!((found.value - heat).abs() < 7.0 * found.error, "{found:?} for {heat}");
    // Cluster moves of this lattice decorrelate in some five sweeps, single spins in a thousand.
    assert!(seen.autocorrelation() < 20.0, "{}", seen.autocorrelation());
}

#[test]
fn kaufmans_sum_is_that_of_the_enumeration() {
    for (rows, columns) in [(2, 2), (3, 4), (4, 3), (2, 5), (4, 4)] {
        for temperature in [1.0, 2.2, 2.5, 6.0] {
            let small = Small::torus(rows, columns, 1.0 / temperature);
            let z: f64 = (0..1 << small.spins).map(|state| small.exponent(state).exp()).sum();
            let log_z = exact::log_z(rows, columns, temperature);
            assert!((log_z - z.ln()).abs() < 1e-11 * z.ln(), "{rows} × {columns} at {temperature}: {log_z}");
        }
    }
}

/// Kaufman's sum in 40 digits, derived by differences of 10⁻¹² in K.
#[test]
fn the_peak_of_large_lattices_is_sharp() {
    for (side, heat, error) in
        [(64, 2.192_211_393, 1e-6), (256, 2.879_786_255, 3e-6), (1024, 3.565_862_874, 2e-5)]
    {
        let found = exact::finite(side, side, exact::critical_temperature()).1;
        assert!((found - heat).abs() <= error, "{found} in place of {heat}");
    }
}

/// A run of 64 times the length has errors of an eighth.
#[test]
fn errors_shrink_with_the_length_of_a_run() {
    let ising = Ising { temperature: 3.0, ..Ising::default() };
    let error = |sweeps| run(32, ising, 100, sweeps).energy().error;
    // Of 32 parts each, so that the logarithm of the ratio has a deviation of 0.18 around ln 8.
    let ratio: f64 = error(500) / error(32_000);
    assert!((ratio.ln() - 8_f64.ln()).abs() < 5.0 * 0.18, "{ratio}");
}
