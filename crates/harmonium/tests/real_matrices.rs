//! Proves moves of real vectors by transition matrices on a grid (O3), joint draws (O5) and ranks (O6); acceptance is counted words of the
//! very function that sweeps are made of.

mod common;

use common::key;
use common::oracles::{Joint, OTHERS, RANKS, REPLICATES, Ranks, burn_in, normal, share};
use common::own::Mixture;
use common::tolerance::{TAU_0, U};
use harmonium::sample::own::{Continuous, Move, Smooth};
use harmonium::{Gibbs, Thermal};
use harmonium_oracle::normal::survival;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table;
use harmonium_oracle::stats::z_star;
use harmonium_oracle::transition::Matrix;
use ndarray::Array2;
use rand::RngCore;

/// The step of a sweep's words.
const WORD: f64 = 1.0 / 4_294_967_296.0;

/// Is words of one's choice in place of a stream.
struct Words<'a>(std::slice::Iter<'a, u32>);

impl RngCore for Words<'_> {
    fn next_u32(&mut self) -> u32 {
        *self.0.next().expect("a word for each draw")
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("sweeps draw words")
    }

    fn fill_bytes(&mut self, _: &mut [u8]) {
        unreachable!("sweeps draw words")
    }
}

/// Two wells of unequal depth whose slopes rise evenly: E = x²/4 + 0.6 cos 2x + 0.3 x.
#[derive(Clone, Debug)]
struct Wells;

impl Smooth for Wells {
    fn dim(&self) -> usize {
        1
    }

    fn energy(&self, x: &[f64]) -> f64 {
        x[0] * x[0] / 4.0 + 0.6 * (2.0 * x[0]).cos() + 0.3 * x[0]
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        out[0] = x[0] / 2.0 - 1.2 * (2.0 * x[0]).sin() + 0.3;
    }
}

/// Is the energy of the second coordinate of the hills where the first is given.
#[derive(Clone, Debug)]
struct Given(Mixture, f64);

impl Smooth for Given {
    fn dim(&self) -> usize {
        1
    }

    fn energy(&self, x: &[f64]) -> f64 {
        self.0.energy(&[self.1, x[0]])
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let mut both = [0.0; 2];
        self.0.gradient(&[self.1, x[0]], &mut both);
        out[0] = both[1];
    }
}

/// Gives the standard normal number of a word, by bisection of the oracle's tail.
fn normal_of(word: u32) -> f64 {
    // Each half from its own tail, which keeps its digits.
    let (sign, tail) = if word >> 31 == 0 { (-1.0, word) } else { (1.0, !word) };
    let tail = (f64::from(tail) + 0.5) * WORD;
    let (mut low, mut high) = (0.0, 8.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if survival(middle) > tail { low = middle } else { high = middle }
    }
    sign * f64::midpoint(low, high)
}

/// Gives the word whose normal number is next to z.
fn word_of(z: f64) -> u32 {
    if z < 0.0 { (survival(-z) / WORD) as u32 } else { u32::MAX - (survival(z) / WORD) as u32 }
}

/// Holds the formulas of a move at β: where it goes with a noise, and with which chance it is accepted.
struct Formula<'a, E> {
    energy: &'a E,
    beta: f64,
    moves: Move,
}

impl<E: Smooth> Formula<'_, E> {
    fn step(&self) -> f64 {
        let (Move::Ula { step } | Move::Mala { step } | Move::Hmc { step, .. }) = self.moves;
        step / self.beta.sqrt()
    }

    fn height(&self, x: &[f64]) -> f64 {
        self.beta * self.energy.energy(x)
    }

    fn slope(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        self.energy.gradient(x, &mut out);
        out.iter().map(|slope| self.beta * slope).collect()
    }

    /// Gives where x goes, and the momentum that it has there (none for Langevin moves).
    fn way(&self, x: &[f64], z: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (step, leaps) = match self.moves {
            Move::Hmc { leaps, .. } => (self.step(), leaps),
            // A Langevin step is one leap (Neal 2011, section 5.5.2).
            _ => (self.step(), 1),
        };
        let kick = |x: &[f64], p: &[f64]| -> Vec<f64> {
            p.iter().zip(self.slope(x)).map(|(p, slope)| p - step / 2.0 * slope).collect()
        };
        let (mut x, mut p) = (x.to_vec(), z.to_vec());
        for _ in 0..leaps {
            p = kick(&x, &p);
            x.iter_mut().zip(&p).for_each(|(x, p)| *x += step * p);
            p = kick(&x, &p);
        }
        (x, p)
    }

    /// Gives the chance that y is accepted, to which a way led from x: min(1, π(y) q(x | y) / π(x) q(y | x)) (Hastings 1970), and of
    /// Hamiltonian moves min(1, e^(H − H′)).
    fn acceptance(&self, x: &[f64], z: &[f64], y: &[f64]) -> f64 {
        let square = |p: &[f64]| p.iter().map(|p| p * p).sum::<f64>() / 2.0;
        let log = match self.moves {
            Move::Ula { .. } => 0.0,
            Move::Mala { .. } => {
                let step = self.step();
                let log_q = |from: &[f64], to: &[f64]| {
                    let off = from.iter().zip(self.slope(from)).zip(to);
                    off.map(|((x, slope), y)| (y - x + step * step / 2.0 * slope).powi(2)).sum::<f64>()
                        / (-2.0 * step * step)
                };
                self.height(x) - self.height(y) + log_q(y, x) - log_q(x, y)
            }
            Move::Hmc { .. } => self.height(x) + square(z) - self.height(y) - square(&self.way(x, z).1),
        };
        log.exp().min(1.0)
    }

    /// Finds the noise that leads from x to y, by bisection: ways are so short that y rises with the noise.
    fn noise(&self, x: f64, y: f64) -> f64 {
        let (mut low, mut high) = (-40.0, 40.0);
        for _ in 0..70 {
            let middle = f64::midpoint(low, high);
            if self.way(&[x], &[middle]).0[0] < y { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    }
}

/// Measures how often the sampling code leaves x for where this noise leads, and where that is; the row must move to another place.
fn left<E: Smooth>(model: &Continuous<E>, beta: f32, x: &[f32], noise: &[u32]) -> (f64, Vec<f32>) {
    let moved = |decision: u32| {
        let (mut row, words) = (x.to_vec(), [noise, &[decision]].concat());
        model.tempered(beta).step(&mut row, &mut Words(words.iter()));
        row
    };
    (share(|word| moved(word) != x), moved(0))
}

/// Forty-one places, an eighth apart, all of them f32.
const PLACES: i32 = 41;
const APART: f64 = 0.125;

fn places() -> Vec<f64> {
    (0..PLACES).map(|n| APART * f64::from(n - PLACES / 2)).collect()
}

fn law_at<E: Smooth>(energy: &E, beta: f64) -> Vec<f64> {
    normal(places().iter().map(|&x| (-beta * energy.energy(&[x])).exp()))
}

/// Builds the matrix on the grid: from x to y with the density of y, h φ(z) dz/dy, and the acceptance that was counted; what is left over
/// stays at x. Proposals and decisions of the code are compared with the formulas on the way: y within half an ulp of f32, acceptance to a
/// word and 1e-9, the rounding of f64 with differences of energies up to a hundred, magnified by 1/ε².
fn matrix<E: Smooth + Clone>(energy: &E, moves: Move, beta: f32) -> Matrix {
    let model = Continuous::new(energy.clone(), moves, 1.0).unwrap();
    let formula = Formula { energy, beta: f64::from(beta), moves };
    let places = places();
    let row = |from: usize| {
        let (x, mut out) = (places[from], vec![0.0; places.len()]);
        for (to, &y) in places.iter().enumerate().filter(|(to, _)| *to != from) {
            let z = formula.noise(x, y);
            let word = word_of(z);
            let (share, end) = left(&model, beta, &[x as f32], &[word]);
            if share > 0.0 {
                let (end, drawn) = (f64::from(end[0]), normal_of(word));
                let way = formula.way(&[x], &[drawn]).0[0];
                assert!((end - way).abs() <= U * way.abs() + 1e-9, "{x} to {end} in place of {way}");
                let exact = formula.acceptance(&[x], &[drawn], &[end]);
                assert!((share - exact).abs() <= WORD + 1e-9, "{moves:?}, {x} to {end}: {share} for {exact}");
            }
            let rise = formula.way(&[x], &[z + 1e-4]).0[0] - formula.way(&[x], &[z - 1e-4]).0[0];
            let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * 2e-4 / rise;
            out[to] = APART * density * share;
        }
        out[from] = 1.0 - out.iter().sum::<f64>();
        assert!(out[from] >= 0.0, "no more than one is left");
        out
    };
    Matrix::from_rows(&(0..places.len()).map(row).collect::<Vec<_>>())
}

const EXACT: [Move; 2] = [Move::Mala { step: 0.5 }, Move::Hmc { step: 0.15, leaps: 3 }];

/// Bounds a flow's error. On the grid |U′| ≤ 8 and |U″| ≤ 3, so ways of length 0.45 have dz/dy ≤ 2.5. ln a of MALA changes by
/// |U′(y)| + |(y − x) U″/2| + |U′(y)/2 (1 − ε² U″/2)| + |U′(x)/2| ≤ 25 a unit of y, half of that a unit of z; that of HMC by
/// |z| + |p′ dp′/dz| + |U′ dy/dz| ≤ 25 a unit of z up to |z| = 6.3, beyond which φ(z) < 2^-29 and flows are smaller than all this. A word's
/// step puts z off by 2^-32 / φ(z), so the flow h π φ dz/dy a by h π 2.5 · 25 · 2^-32; f32 puts y off by 2.5 u, and a by 2.5 u · 60, times a density
/// below 1; the differences that give dz/dy are off by 1e-8. Two flows of a pair; π ≤ 0.2.
const FLOW: f64 = 2.0 * APART * 0.2 * (2.5 * 25.0 * WORD + 150.0 * U + 1e-8);

/// O3 of MALA and HMC: on a grid the kernel is in detailed balance with e^−βE, so that law stays. Controls: another temperature, and Langevin
/// without its correction, which is documented to miss the law.
#[test]
fn moves_are_in_detailed_balance_on_a_grid() {
    fn check<E: Smooth + Clone>(energy: &E) {
        for (moves, beta) in EXACT.iter().flat_map(|&moves| [(moves, 1.0_f32), (moves, 0.5)]) {
            let (kernel, law) = (matrix(energy, moves, beta), law_at(energy, f64::from(beta)));
            assert!(kernel.row_sum_error() <= TAU_0);
            let off = kernel.detailed_balance_error(&law);
            assert!(off <= FLOW, "{moves:?} at {beta}: {off:e} > {FLOW:e}");
            assert!(kernel.drift(&law) <= 41.0 * FLOW, "{}", kernel.drift(&law));
            assert!(kernel.sweeps_to(&law, 1e-6, 5000).is_some(), "every place is reached");
            assert!(kernel.drift(&law_at(energy, 0.8 * f64::from(beta))) > 1e-3, "the control");
        }
        let wrong = matrix(energy, Move::Ula { step: 0.5 }, 1.0);
        let off = wrong.detailed_balance_error(&law_at(energy, 1.0));
        assert!(off > 100.0 * FLOW, "the control: Langevin, {off:e}");
    }
    check(&Wells);
    check(&Given(Mixture::hills(), 0.6));
}

/// In the plane, acceptance is the formula's at 400 random points with random noise, and ends are where it says.
#[test]
fn acceptance_in_the_plane_is_hastings() {
    let (hills, mut rng) = (Mixture::hills(), Rng::new(5));
    for moves in [Move::Mala { step: 0.9 }, Move::Hmc { step: 0.9, leaps: 3 }, Move::Ula { step: 0.5 }] {
        let model = Continuous::new(hills.clone(), moves, 1.0).unwrap();
        let (mut least, mut seen) = (1.0_f64, 0);
        for beta in [1.0_f32, 0.4].repeat(200) {
            let formula = Formula { energy: &hills, beta: f64::from(beta), moves };
            let x: [f32; 2] = std::array::from_fn(|_| (1.5 * rng.normal()) as f32);
            let words: [u32; 2] = std::array::from_fn(|_| rng.word() as u32);
            let (start, z) = (x.map(f64::from), words.map(normal_of));
            let (share, end) = left(&model, beta, &x, &words);
            if share > 0.0 {
                let end: Vec<f64> = end.into_iter().map(f64::from).collect();
                let way = formula.way(&start, &z).0;
                assert!(end.iter().zip(&way).all(|(end, way)| (end - way).abs() <= U * way.abs() + 1e-9));
                let exact = formula.acceptance(&start, &z, &end);
                assert!((share - exact).abs() <= WORD + 1e-9, "{moves:?}: {share} for {exact}");
                (least, seen) = (least.min(share), seen + 1);
            }
        }
        assert!(seen > 350 && (least < 0.5 || matches!(moves, Move::Ula { .. })), "{seen}, {least}");
    }
}

/// The link to sweeps: row r moves by the words of stream r of `fold_in(0)`.
#[test]
fn sweeps_are_steps_by_their_words() {
    let hills = Mixture::hills();
    let start = hills.draws(50, &mut Rng::new(3));
    for moves in EXACT {
        let model = Continuous::new(hills.clone(), moves, 1.0).unwrap();
        let (mut swept, mut stepped) = (start.clone(), start.clone());
        model.tempered(0.7).sweep(&mut swept, key(6));
        for (r, mut row) in stepped.rows_mut().into_iter().enumerate() {
            let mut x = row.to_vec();
            model.tempered(0.7).step(&mut x, &mut key(6).fold_in(0).stream(r as u64));
            row.assign(&ndarray::arr1(&x));
        }
        assert_eq!(swept, stepped);
    }
}

/// Moves the hills by θ along the first axis.
fn shifted(value: usize) -> Mixture {
    let mut hills = Mixture::hills();
    hills.parts.iter_mut().for_each(|(_, m)| m[0] += 0.6 * value as f64);
    hills
}

/// O5: θ ∈ {0, 0.6, 1.2} shifts the hills, so ln p(x | θ) = −E(x; θ) but for a constant that is the same for all. |z| < z*(20) of 4,000 chains.
/// Controls: sweeps of another temperature, and Langevin without its correction.
#[test]
fn joint_draws_agree_with_alternating_ones() {
    let functions = |value: usize, x: &[f32; 2]| {
        let (theta, x, y) = (value as f64, f64::from(x[0]), f64::from(x[1]));
        let mut out = vec![theta, theta * theta, x, y, x * x, x * y, y * y, x * theta, y * theta, x * x * x];
        out.extend([y * y * y, x.cos(), y.cos(), x.sin(), y.sin(), (2.0 * x).cos(), (2.0 * y).cos()]);
        out.extend([(x - y).sin(), (x + y).cos() * theta, (2.0 * (x - theta)).sin()]);
        out
    };
    let joint = Joint {
        values: 3,
        draw: &|value, rng| {
            let one = shifted(value).draws(1, rng);
            [one[[0, 0]], one[[0, 1]]]
        },
        log_p: &|value, x| -shifted(value).energy(&x.map(f64::from)),
        functions: &functions,
    };
    let run = |moves: Move, beta: f32| {
        joint.alternated(31, &|value, xs, key| {
            let model = Continuous::new(shifted(value), moves, 1.0).unwrap();
            let mut rows = Array2::from_shape_fn((xs.len(), 2), |(r, c)| xs[r][c]);
            model.tempered(beta).sweep(&mut rows, key);
            rows.rows().into_iter().map(|x| [x[0], x[1]]).collect()
        })
    };
    for moves in [Move::Mala { step: 0.9 }, Move::Hmc { step: 0.9, leaps: 3 }] {
        let found = run(moves, 1.0);
        assert!(found < z_star(20), "{moves:?}: {found}");
        assert!(run(moves, 0.5) > 2.0 * z_star(20), "the control: {moves:?}");
    }
    assert!(run(Move::Ula { step: 1.0 }, 1.0) > 2.0 * z_star(20), "the control: Langevin");
}

/// O6: of a point of the hills the first coordinate is given; 19 chains draw the second, starting from N(0, 1), as many sweeps as the matrix
/// on the grid needs to come within 1e-6 of the law, the most of three given values; the rank of the truth is even. Control: no sweeps.
#[test]
fn ranks_of_the_truth_are_even() {
    let hills = Mixture::hills();
    let truths = hills.draws(REPLICATES, &mut Rng::new(41));
    for moves in [Move::Mala { step: 0.9 }, Move::Hmc { step: 0.3, leaps: 3 }] {
        let of = |given: f64| {
            let energy = Given(hills.clone(), given);
            burn_in(&matrix(&energy, moves, 1.0), &law_at(&energy, 1.0))
        };
        let sweeps = [-1.5, 0.2, 2.0].into_iter().map(of).max().unwrap();
        let statistic = |sweeps: u64| {
            let mut ranks = Ranks::new(42);
            for (replicate, truth) in truths.rows().into_iter().enumerate() {
                let energy = Given(hills.clone(), f64::from(truth[0]));
                let model = Continuous::new(energy, moves, 1.0).unwrap();
                let mut rows = model.init(OTHERS, key(43).fold_in(replicate as u64));
                model.run(&mut rows, 0..sweeps, key(44).fold_in(replicate as u64));
                let others: Vec<f64> = rows.iter().map(|&x| f64::from(x)).collect();
                ranks.add(f64::from(truth[1]), &others);
            }
            ranks.statistic()
        };
        let found = statistic(sweeps);
        assert!(found < RANKS, "{moves:?} after {sweeps} sweeps: {found}");
        assert!(statistic(0) > 2.0 * RANKS, "the control: {moves:?}");
    }
}

/// The judge itself: exact draws rank evenly, and draws of another law do not.
#[test]
fn ranks_tell_laws_apart() {
    let (law, wrong) = (law_at(&Wells, 1.0), law_at(&Wells, 0.3));
    let statistic = |others: &[f64]| {
        let (truth, other, mut rng) = (Table::new(&law), Table::new(others), Rng::new(51));
        let mut ranks = Ranks::new(52);
        for _ in 0..REPLICATES {
            let drawn: Vec<f64> = (0..OTHERS).map(|_| law[other.draw(&mut rng)]).collect();
            ranks.add(law[truth.draw(&mut rng)], &drawn);
        }
        ranks.statistic()
    };
    assert!(statistic(&law) < RANKS);
    assert!(statistic(&wrong) > 2.0 * RANKS, "{}", statistic(&wrong));
}
