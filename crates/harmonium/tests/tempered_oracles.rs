//! Proves parallel tempering and tempered transitions by transition matrices (O3), joint draws (O5) and ranks (O6).

mod common;

use common::key;
use common::oracles::{OTHERS, RANKS, REPLICATES, Ranks, alternated, burn_in, mixed, ranked, share, worst};
use common::own::Table;
use common::tolerance::TAU_0;
use harmonium::sample::own::{Discrete, Order, Update, heat_bath};
use harmonium::sample::{Chains, Ladder, ParallelTempering, TemperedTransitions, accepts};
use harmonium::train::{acceptance, swaps};
use harmonium::{Annealed, Gibbs, Key, Thermal};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table as Draws;
use harmonium_oracle::stats::z_star;
use harmonium_oracle::transition::Matrix;
use ndarray::Array2;
use rand::RngCore;

/// Two sites of three and two states.
fn small() -> Table {
    Table::normal(&[3, 2], 1.5, 3)
}

fn digits(table: &Table, at: usize) -> Vec<f64> {
    table.state(at).iter().cycle().take(5).map(|&x| f64::from(x)).collect()
}

fn indices(table: &Table, rows: &Array2<u16>) -> Vec<usize> {
    rows.rows().into_iter().map(|row| table.index(&row.to_vec())).collect()
}

/// Builds the matrix of heat bath on these sites in order, at β, from the shares of words.
fn bath(table: &Table, beta: f64, order: &[usize]) -> Matrix {
    let one = |site: usize| {
        let row = |at: usize| {
            let mut row = vec![0.0; table.energies.len()];
            let end = |word: u32| {
                let mut x = table.state(at);
                heat_bath(table, beta, &mut x, site, word);
                x
            };
            // Outcomes rise with the word: those up to x are the words below a threshold.
            let up_to = |state: u16| share(|word| end(word)[site] <= state);
            let mut below = 0.0;
            for state in 0..table.states[site] {
                let mut x = table.state(at);
                x[site] = state;
                let p = if state + 1 == table.states[site] { 1.0 } else { up_to(state) };
                row[table.index(&x)] += p - below;
                below = p;
            }
            row
        };
        Matrix::from_rows(&(0..table.energies.len()).map(row).collect::<Vec<_>>())
    };
    order.iter().map(|&site| one(site)).reduce(|all, next| all.then(&next)).expect("a site")
}

/// Rungs of the ladders: those of a path up, whose way has six sweeps.
const BETAS: [f32; 3] = [1.0, 0.5, 0.0];

/// Builds the matrix of a tempered transition: every way of six sweeps from a state, with its chance, and the share of words that accept
/// what its energies come to.
fn transitions(table: &Table) -> Matrix {
    let sweeps = BETAS.map(|beta| bath(table, f64::from(beta), &[0, 1, 1, 0]));
    // At 1 alone, up; at the top alone, down.
    let ladder: [(usize, usize); 6] = [(0, 0), (0, 1), (1, 2), (2, 2), (2, 1), (1, 0)];
    let row = |start: usize| {
        let mut out = vec![0.0; table.energies.len()];
        let mut ways = vec![(start, 0.0, 1.0)];
        for (from, to) in ladder {
            let gain = f64::from(BETAS[from]) - f64::from(BETAS[to]);
            let next = |(at, log, p): (usize, f64, f64)| {
                let log = log + gain * table.energies[at];
                sweeps[to]
                    .row(at)
                    .iter()
                    .enumerate()
                    .map(move |(end, q)| (end, log, p * q))
                    .collect::<Vec<_>>()
            };
            ways = ways.into_iter().flat_map(next).collect();
        }
        for (end, log, p) in ways {
            let accepted = share(|word| accepts(word, log));
            out[end] += p * accepted;
            out[start] += p * (1.0 - accepted);
        }
        out
    };
    Matrix::from_rows(&(0..table.energies.len()).map(row).collect::<Vec<_>>())
}

/// O3: tempered transitions are in detailed balance. A word of 24 bits puts a chance of acceptance off by 2^-24, and each of six sweeps, four draws
/// of 32 bits each, by 4 · 2^-32; flows of a pair are off by twice that. Control: another temperature.
#[test]
fn tempered_transitions_are_in_detailed_balance() {
    let table = small();
    let (kernel, law) = (transitions(&table), table.law());
    let bound = 2.0 * (2_f64.powi(-24) + 24.0 * 2_f64.powi(-32)) + TAU_0;
    assert!(kernel.row_sum_error() <= TAU_0);
    assert!(kernel.detailed_balance_error(&law) <= bound, "{:e}", kernel.detailed_balance_error(&law));
    assert!(kernel.drift(&law) <= bound, "{:e}", kernel.drift(&law));
    assert!(kernel.drift(&table.scaled(0.8).law()) > 1e-3, "the control");
}

/// The link to steps: sweep n of the way draws from `fold_in(n)`, and chain c decides by stream c of `fold_in(u64::MAX)`.
#[test]
fn transitions_are_sweeps_and_a_decision_by_its_word() {
    let table = Table::normal(&[3, 2, 4], 1.5, 4);
    let model = Discrete::new(table.clone(), Update::HeatBath).unwrap().in_order(Order::ThereAndBack);
    let start = model.init(200, key(1));
    let mut got = start.clone();
    let ladder = Ladder::Betas(BETAS.to_vec());
    let accepted = TemperedTransitions { ladder }.step(&model, &mut got, key(2)).unwrap();
    let (mut moved, mut logs) = (start.clone(), vec![0.0; 200]);
    let way = [[1.0, 1.0], [1.0, 0.5], [0.5, 0.0], [0.0, 0.0], [0.0, 0.5], [0.5, 1.0]];
    for (n, [from, to]) in way.into_iter().enumerate() {
        let gains = indices(&table, &moved).into_iter().map(|at| (from - to) * table.energies[at]);
        logs.iter_mut().zip(gains).for_each(|(log, gain)| *log += gain);
        model.tempered(to as f32).sweep(&mut moved, key(2).fold_in(n as u64));
    }
    for (row, (&yes, &log)) in accepted.iter().zip(&logs).enumerate() {
        let word = key(2).fold_in(u64::MAX).stream(row as u64).next_u32();
        assert_eq!(yes, accepts(word, log), "row {row}");
        assert_eq!(got.row(row), if yes { moved.row(row) } else { start.row(row) }, "row {row}");
    }
    assert!(accepted.iter().any(|yes| *yes) && !accepted.iter().all(|yes| *yes));
}

/// O5 of tempered transitions: θ is the scale of the energy. Control: transitions of 0.6 of it.
#[test]
fn joint_draws_of_transitions_agree_with_alternating_ones() {
    let (table, scales) = (Table::normal(&[3, 2, 2], 3.0, 5), [0.4, 0.8, 1.2]);
    let laws = scales.map(|scale| table.scaled(scale).law());
    let transitions = TemperedTransitions { ladder: Ladder::Betas(BETAS.to_vec()) };
    let run = |by: f64| {
        alternated(&laws, &|at| digits(&table, at), 6, &|value, states, key| {
            let of = table.scaled(by * scales[value]);
            let model = Discrete::new(of, Update::HeatBath).unwrap().in_order(Order::ThereAndBack);
            let mut rows = table.rows(&states);
            transitions.step(&model, &mut rows, key).unwrap();
            indices(&table, &rows)
        })
    };
    assert!(run(1.0) < z_star(20), "{}", run(1.0));
    assert!(run(0.6) > 2.0 * z_star(20), "the control");
}

/// O6 of tempered transitions: as many as the matrix asks for, from uniform states, all sites free. Control: none.
#[test]
fn ranks_after_transitions_are_even() {
    let table = small();
    let (law, model) =
        (table.law(), Discrete::new(table.clone(), Update::HeatBath).unwrap().in_order(Order::ThereAndBack));
    let steps = burn_in(&transitions(&table), &law);
    let way = TemperedTransitions { ladder: Ladder::Betas(BETAS.to_vec()) };
    let statistic = |steps: u64| {
        ranked(&law, &|at| mixed(&law, &digits(&table, at), at), 7, &|count| {
            let mut rows = model.base_samples(count, key(8));
            (0..steps).for_each(|n| drop(way.step(&model, &mut rows, key(9).fold_in(n)).unwrap()));
            indices(&table, &rows)
        })
    };
    let found = statistic(steps);
    assert!(found < RANKS, "after {steps} transitions: {found}");
    assert!(statistic(0) > 2.0 * RANKS, "the control");
}

/// Builds the matrix of a round of two rungs on pairs of states: a sweep of each, and a swap.
fn round(table: &Table, betas: [f32; 2], swapping: bool) -> Matrix {
    let n = table.energies.len();
    let sweeps = betas.map(|beta| bath(table, f64::from(beta), &(0..table.states.len()).collect::<Vec<_>>()));
    let row = |pair: usize| {
        let mut row = vec![0.0; n * n];
        for (a, p) in sweeps[0].row(pair % n).iter().enumerate() {
            for (b, q) in sweeps[1].row(pair / n).iter().enumerate() {
                let energies = [table.energies[a], table.energies[b]];
                let swap = if swapping { share(|word| swaps(word, betas, energies)) } else { 0.0 };
                row[b + n * a] += p * q * swap;
                row[a + n * b] += p * q * (1.0 - swap);
            }
        }
        row
    };
    Matrix::from_rows(&(0..n * n).map(row).collect::<Vec<_>>())
}

fn pair_law(table: &Table, betas: [f32; 2]) -> Vec<f64> {
    let [a, b] = betas.map(|beta| table.scaled(f64::from(beta)).law());
    b.iter().flat_map(|q| a.iter().map(move |p| p * q)).collect()
}

/// O3 of a round of parallel tempering, a sweep of both rungs and a swap: the product of the laws stays, but for 24 bits of a swap and 32 of each
/// draw. A round without a turn to swap does too. Control: laws of other temperatures.
#[test]
fn rounds_of_tempering_leave_the_joint_law_alone() {
    let (table, betas) = (small(), [1.0_f32, 0.3]);
    let bound = 2_f64.powi(-24) + 8.0 * 2_f64.powi(-32) + TAU_0;
    for swapping in [true, false] {
        let kernel = round(&table, betas, swapping);
        assert!(kernel.row_sum_error() <= TAU_0);
        assert!(kernel.drift(&pair_law(&table, betas)) <= bound);
        assert!(kernel.drift(&pair_law(&table, [0.8, 0.3])) > 1e-3, "the control");
    }
    assert_eq!(acceptance(betas, [1.0, 1.0]), 1.0);
}

/// O5 of parallel tempering, whose chains begin where they will and not at direct draws: after as many rounds as the matrix asks for, 4,000 pairs of
/// rungs against 40,000 direct ones, twenty functions of both. Control: another rung.
#[test]
fn pairs_of_rungs_agree_with_direct_draws() {
    let (table, betas) = (small(), [1.0_f32, 0.3]);
    let law = pair_law(&table, betas);
    let two = round(&table, betas, true).then(&round(&table, betas, false));
    let rounds = 2 * burn_in(&two, &law);
    let functions = |a: usize, b: usize| {
        let (x, y) = (digits(&table, a), digits(&table, b));
        let [e, f] = [a, b].map(|at| table.energies[at]);
        let mut out = vec![x[0], x[1], y[0], y[1], e, f, e * f, e * e, f * f, x[0] * x[1], y[0] * y[1]];
        out.extend([x[0] * y[0], x[0] * y[1], x[1] * y[0], x[1] * y[1], (e - f).abs(), e.min(f)]);
        out.extend([x[0] * x[0], y[0] * y[0], x[0] * f]);
        out
    };
    let (draws, mut rng, n) = (Draws::new(&law), Rng::new(15), table.energies.len());
    let direct: Vec<Vec<f64>> =
        (0..40_000).map(|_| draws.draw(&mut rng)).map(|pair| functions(pair % n, pair / n)).collect();
    let model = Discrete::new(table.clone(), Update::HeatBath).unwrap();
    let run = |betas: [f32; 2]| {
        let chains = Chains { chains: 4000, burn_in: 0, sweeps: rounds, thin: rounds };
        let tempering = ParallelTempering { chains, ladder: Ladder::Betas(betas.to_vec()), adapt: false };
        let ends = tempering.run(&model, key(16), &mut []).unwrap();
        let [a, b] = [0, 1].map(|rung| indices(&table, &ends.states()[rung]));
        worst(&a.into_iter().zip(b).map(|(a, b)| functions(a, b)).collect::<Vec<_>>(), &direct)
    };
    assert!(run(betas) < z_star(20), "after {rounds} rounds: {}", run(betas));
    assert!(run([1.0, 0.7]) > 2.0 * z_star(20), "the control");
}

/// O6 of parallel tempering: the chains at β = 1 and those of the other rung after as many rounds as the matrix of two rounds, with a swap and
/// without, asks for. The first site is given, which leaves a table of the second and third. Control: chains of the hotter rung in place of those at
/// β = 1.
#[test]
fn ranks_of_tempered_chains_are_even() {
    let (whole, betas) = (Table::normal(&[3, 2, 3], 1.5, 11), [1.0_f32, 0.3]);
    let given: Vec<Table> = (0..3)
        .map(|first| Table {
            states: vec![2, 3],
            energies: whole.energies.iter().skip(first).step_by(3).copied().collect(),
            vague: false,
        })
        .collect();
    let rounds_of = |table: &Table| {
        let two = round(table, betas, true).then(&round(table, betas, false));
        2 * burn_in(&two, &pair_law(table, betas))
    };
    let rounds = given.iter().map(rounds_of).max().unwrap();
    let (law, table, mut rng) = (whole.law(), Draws::new(&whole.law()), Rng::new(12));
    let truths: Vec<usize> = (0..REPLICATES).map(|_| table.draw(&mut rng)).collect();
    let run = |key: Key, model: &Discrete<Table>, count: usize| {
        let chains = Chains { chains: count, burn_in: 0, sweeps: rounds, thin: rounds };
        let tempering = ParallelTempering { chains, ladder: Ladder::Betas(betas.to_vec()), adapt: false };
        let ends = tempering.run(model, key, &mut []).unwrap();
        [0, 1].map(|rung| indices(model.inner(), &ends.states()[rung]))
    };
    // All replicates that have one given value run side by side.
    let mut ends = [0, 1].map(|_| vec![Vec::new(); REPLICATES]);
    for (first, table) in given.iter().enumerate() {
        let of: Vec<usize> = (0..REPLICATES).filter(|&n| truths[n] % 3 == first).collect();
        let model = Discrete::new(table.clone(), Update::HeatBath).unwrap();
        let made = run(key(13).fold_in(first as u64), &model, OTHERS * of.len());
        for (ends, made) in ends.iter_mut().zip(made) {
            of.iter().zip(made.chunks(OTHERS)).for_each(|(&n, others)| ends[n] = others.to_vec());
        }
    }
    let statistic = |ends: &[Vec<usize>]| {
        let of = |at: usize| mixed(&law, &digits(&whole, at), at);
        let mut ranks = Ranks::new(14);
        for (&truth, others) in truths.iter().zip(ends) {
            let others: Vec<f64> = others.iter().map(|rest| of(rest * 3 + truth % 3)).collect();
            ranks.add(of(truth), &others);
        }
        ranks.statistic()
    };
    let found = statistic(&ends[0]);
    assert!(found < RANKS, "after {rounds} rounds: {found}");
    assert!(statistic(&ends[1]) > 2.0 * RANKS, "the control: {}", statistic(&ends[1]));
}
