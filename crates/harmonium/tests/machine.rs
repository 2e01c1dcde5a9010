//! Proves values of general machines against enumeration: energies, ln Z, laws, likelihoods, moments, views and storages.

mod common;

use common::machines::{batch, bits, digits, exact, machine, machines as all, visible_states};
use common::tolerance::{TAU_0, U};
use common::{close, key};
use harmonium::address::Address;
use harmonium::bm::{
    Colouring, Exact as ExactGradient, Graph, Machine, PseudoLikelihood, Rule, Scan, Storage,
};
use harmonium::evaluate::{Ais, Betas};
use harmonium::stats::Phases;
use harmonium::train::Estimator;
use harmonium::units::Units;
use harmonium::{Annealed, EnergyModel, Gibbs, HasParams, Marginal, Thermal, evaluate};
use harmonium_oracle::machine::Machine as Exact;
use harmonium_oracle::math::{log_sum_exp, sum};
use harmonium_oracle::stats::g_test;

#[test]
fn energies_and_laws_are_exact() {
    for machine in all(0.9) {
        let x = exact(&machine);
        let (states, law) = (x.states(), x.probabilities());
        let energies = machine.view().energies(&bits(&x, &states));
        // Sums of couplings are exact integers, all else is f64.
        states.iter().zip(energies).for_each(|(state, got)| close(got, x.energy(state), TAU_0, ""));
        close(machine.log_z().unwrap(), x.log_z(), 10.0 * TAU_0, "");
        let probabilities = machine.probabilities().unwrap();
        probabilities.iter().zip(&law).for_each(|(got, p)| close(*got, *p, TAU_0, ""));
    }
}

#[test]
fn likelihoods_of_visible_rows_sum_hidden_units_out() {
    for hidden in [0, 2] {
        for machine in all(0.9).into_iter().map(|m| m.with_hidden(hidden).unwrap()) {
            let x = exact(&machine);
            let rows = visible_states(&x);
            let data = batch(&x, &rows);
            let free = machine.free_energy(&data).unwrap();
            rows.iter().zip(&free).for_each(|(v, got)| close(*got, x.free_energy(v), 10.0 * TAU_0, ""));
            let likelihoods = machine.log_likelihoods(&data).unwrap();
            close(sum(likelihoods.iter().map(|l| l.exp())), 1.0, 100.0 * TAU_0, "");
        }
    }
}

#[test]
fn views_scale_and_mix_energies() {
    for machine in all(0.9) {
        let (x, rows) = (exact(&machine), exact(&machine).states());
        let base: Vec<f32> = (0..machine.biases().len()).map(|f| 0.3 - 0.2 * f as f32).collect();
        for beta in [0.0, 0.3, 1.0, 1.7_f32] {
            let b = f64::from(beta);
            // Biases of a view are rounded: 1 − β, two products and a sum, 3u of each.
            let slack =
                3.0 * U * sum(base.iter().chain(machine.biases()).map(|&b| f64::from(b).abs())) * (1.0 + b);
            let energies = machine.tempered(beta).energies(&bits(&x, &rows));
            rows.iter().zip(energies).for_each(|(s, got)| close(got, b * x.energy(s), slack + TAU_0, ""));
            if beta <= 1.0 {
                let wide = base.iter().map(|&b| f64::from(b)).collect();
                let alone = Exact { edges: vec![], triples: vec![], biases: wide, ..x.clone() };
                let got = machine.annealed(&base, beta).unwrap().energies(&bits(&x, &rows));
                let mixed = |s: &[usize]| (1.0 - b) * alone.energy(s) + b * x.energy(s);
                rows.iter().zip(got).for_each(|(s, got)| close(got, mixed(s), slack + TAU_0, ""));
                close(machine.path(&base).unwrap().base_log_z(), alone.log_z(), 10.0 * TAU_0, "");
            }
        }
    }
}

/// Annealing weighs e^{F_0 − F_1} over its path; with 2,000 runs the 3σ interval of ln Z holds the exact one.
#[test]
fn annealing_finds_log_z() {
    for (seed, machine) in all(0.7).iter().enumerate() {
        let base = vec![0.0; machine.biases().len()];
        let options = Ais { runs: 2000, betas: Betas::Count(60) };
        let path = machine.path(&base).unwrap();
        let found = evaluate::forward(&path, &options, key(seed as u64), &mut |_, _| ()).unwrap();
        let (interval, log_z) = (found.interval, machine.log_z().unwrap());
        assert!(interval.low <= log_z && log_z <= interval.high, "{log_z} outside {interval:?}");
        assert!(interval.width() < 1.0, "{interval:?}");
    }
}

/// Units 800 nats against their biases: ln p of a row is the sum of them, and no infinity.
#[test]
fn improbable_rows_keep_their_pseudo_likelihood() {
    for (units, factor) in [(Units::Bernoulli(2), 1.0), (Units::Spin(2), 2.0)] {
        let graph = Graph::new(2, [[0, 1]]).unwrap();
        let machine = Machine::from_parts(graph, units, vec![0.0], vec![800.0, -800.0]).unwrap();
        let rows = batch(&exact(&machine), &[vec![0, 1], vec![1, 0]]);
        let found = machine.pseudo_log_likelihood(&rows).unwrap();
        assert_eq!(found.to_vec(), [-1600.0 * factor, 0.0]);
    }
}

/// Gradients by enumeration and of the pseudo-likelihood, against differences of the oracle's figures.
#[test]
fn gradients_are_differences_of_likelihoods() {
    for machine in all(0.7) {
        let x = exact(&machine);
        let rows: Vec<Vec<usize>> = x.states().into_iter().step_by(7).collect();
        let pseudo = |x: &Exact| -sum(rows.iter().map(|s| x.pseudo_log_likelihood(s))) / rows.len() as f64;
        assert_gradient(&machine, &mut PseudoLikelihood::new(), &rows, &pseudo);
    }
    for machine in all(0.7).into_iter().flat_map(|m| [m.clone(), m.with_hidden(2).unwrap()]) {
        let x = exact(&machine);
        let rows: Vec<Vec<usize>> = visible_states(&x).into_iter().step_by(3).collect();
        let loss = |x: &Exact| sum(rows.iter().map(|v| x.free_energy(v))) / rows.len() as f64 + x.log_z();
        assert_gradient(&machine, &mut ExactGradient::new(), &rows, &loss);
    }
}

/// Central differences of step 10⁻⁴ err by h²/6 · f''' ≤ 1e-8 and by rounding 1e-12/h = 1e-8; the gradient is f32.
fn assert_gradient(
    machine: &Machine,
    estimator: &mut dyn Estimator<Machine>,
    rows: &[Vec<usize>],
    loss: &dyn Fn(&Exact) -> f64,
) {
    let x = exact(machine);
    let mut phases = Phases::new(machine.stats());
    let estimate =
        estimator.estimate(machine, &batch(&x, rows), 1, Address::new(key(1), 0), &mut phases).unwrap();
    let gradient = estimate.gradient(machine, &phases);
    let got: Vec<f32> = gradient.tensors().iter().flat_map(|t| t.values.clone()).collect();
    let h = 1e-4;
    for (k, got) in got.into_iter().enumerate() {
        let slope = (loss(&moved(&x, k, h)) - loss(&moved(&x, k, -h))) / (2.0 * h);
        close(f64::from(got), slope, 1e-6, "");
    }
}

/// Moves one parameter, numbered as the statistics are.
fn moved(x: &Exact, mut k: usize, by: f64) -> Exact {
    let mut out = x.clone();
    for (_, table) in &mut out.edges {
        if k < table.len() {
            table[k] += by;
            return out;
        }
        k -= table.len();
    }
    let biases = out.biases.len();
    if k < biases {
        out.biases[k] += by;
    } else {
        out.triples[k - biases].1 += by;
    }
    out
}

/// Exact samples: G-test of 20,000 draws.
#[test]
fn exact_samples_follow_the_law() {
    for (seed, machine) in all(0.7).iter().enumerate() {
        let x = exact(machine);
        let mut counts = vec![0; x.states().len()];
        let drawn = machine.sample_exact(20_000, key(seed as u64)).unwrap();
        digits(&x, drawn.bits()).iter().for_each(|state| counts[x.index(state)] += 1);
        let test = g_test(&counts, &x.probabilities());
        assert!(test.p_value > 1e-7, "{}", test.p_value);
    }
}

/// Of 24,000 draws of 400 units, some hundred lie so near to their thresholds that only whole codes decide them. A few chains keep
/// what their units receive; many are swept block by block.
#[test]
fn draws_near_their_thresholds_are_those_of_whole_codes() {
    for units in [Units::Bernoulli(400), Units::Spin(400)] {
        for (chains, sweeps) in [(3, 20), (70, 3)] {
            let run = |storage: Storage| {
                let machine = Machine::new(Graph::complete(400).unwrap(), units.clone()).unwrap();
                let machine = machine.randomised(0.1, key(3)).unwrap().with_storage(storage);
                let mut state = machine.init(chains, key(4));
                machine.run(&mut state, 0..sweeps, key(5));
                state
            };
            assert_eq!(run(Storage::Dense), run(Storage::Sparse), "{chains} chains");
        }
    }
}

/// The same bits whatever the storage, and whether units of a colour are drawn side by side or one after the other.
#[test]
fn storages_and_threads_change_nothing() {
    for (seed, machine) in all(0.7).into_iter().enumerate() {
        for rule in [Rule::HeatBath, Rule::Metropolis] {
            let machine = machine.clone().with_rule(rule);
            let run = |storage: Storage, chains: usize| {
                let machine = machine.clone().with_storage(storage);
                let mut state = machine.init(chains, key(seed as u64));
                machine.run(&mut state, 0..350 / chains as u64, key(9));
                (machine.energy(&state), state)
            };
            // Codes of so few units have more bits than products take: all chains keep what their units receive.
            assert_eq!(run(Storage::Dense, 5), run(Storage::Sparse, 5));
            assert_eq!(run(Storage::Dense, 70), run(Storage::Sparse, 70));
        }
    }
    let graph = Graph::rectangle(101, 100, true).unwrap();
    let colouring = Colouring::greedy(&graph, &[]);
    let large =
        machine(graph, Units::Spin(10_100), &[], 0.4, 1).with_scan(Scan::Coloured(colouring)).unwrap();
    let one = {
        let mut state = large.init(1, key(3));
        large.run(&mut state, 0..3, key(4));
        state
    };
    let many = {
        let mut state = large.init(3, key(3));
        large.run(&mut state, 0..3, key(4));
        state
    };
    assert_eq!(one.bits().row(0), many.bits().row(0));
}

/// 26 spins without couplings but one chain of them, in closed form.
#[test]
fn log_z_of_a_chain_is_known() {
    let graph = Graph::new(22, (0..21).map(|i| [i, i + 1])).unwrap();
    let couplings: Vec<f32> = (0..21).map(|i| 0.25 * ((i % 5) as f32 - 2.0)).collect();
    let chain = Machine::from_parts(graph, Units::Spin(22), couplings.clone(), vec![0.0; 22]).unwrap();
    let known = 22.0 * 2_f64.ln() + sum(couplings.iter().map(|&j| f64::from(j).cosh().ln()));
    close(chain.log_z().unwrap(), known, 1e-10, "");
    assert!(log_sum_exp(&[known]).is_finite());
}

#[test]
fn what_is_wrong_is_named() {
    let graph = || Graph::new(3, [[0, 1], [1, 2]]).unwrap();
    let said = |couplings: Vec<f32>, biases: Vec<f32>| {
        Machine::from_parts(graph(), Units::Bernoulli(3), couplings, biases).unwrap_err().to_string()
    };
    assert_eq!(
        said(vec![0.0, f32::NAN], vec![0.0; 3]),
        "couplings at entry 1: expected a finite number, got NaN"
    );
    assert_eq!(said(vec![0.0; 3], vec![0.0; 3]), "couplings: expected 2 entries, got 3 entries");
    assert_eq!(
        said(vec![0.0; 2], vec![0.0, 0.0, f32::INFINITY]),
        "biases at entry 2: expected a finite number, got inf"
    );
    assert!(
        Machine::new(graph(), Units::Bernoulli(4)).is_err()
            && Machine::new(graph(), Units::Gaussian(3)).is_err()
    );
    let machine = || Machine::new(graph(), Units::Spin(3)).unwrap();
    assert!(machine().with_hidden(3).is_err());
    assert!(machine().with_triples(&[[0, 1, 1]], vec![0.1]).is_err());
    assert!(machine().with_triples(&[[0, 1, 2], [2, 1, 0]], vec![0.1; 2]).is_err());
    assert!(machine().with_triples(&[[0, 1, 3]], vec![0.1]).is_err());
    assert!(machine().with_triples(&[[0, 1, 2]], vec![f32::NAN]).is_err());
    let other = Colouring::greedy(&Graph::new(3, []).unwrap(), &[]);
    assert!(machine().with_scan(Scan::Coloured(other)).is_err());
    // No edges, and several parts: legal, and independent.
    let loose = Machine::from_parts(Graph::new(2, []).unwrap(), Units::Bernoulli(2), vec![], vec![0.5, -1.0])
        .unwrap();
    close(loose.log_z().unwrap(), (1.0 + 0.5_f64.exp()).ln() + (1.0 + (-1_f64).exp()).ln(), TAU_0, "");
    let before = loose.digest();
    assert_eq!(loose.digest(), before);
}
