//! Proves the samplers over the traits: chains with observers, parallel tempering, tempered transitions and annealing.

mod common;

use common::own::{Bowl, Table};
use common::{bits, exact, key, model};
use harmonium::sample::own::{Continuous, Discrete, Move, Order, Update};
use harmonium::sample::{
    Anneal, Chains, Cooling, Ladder, MixingTest, Moments, ParallelTempering, Seen, TemperedTransitions, Trace,
};
use harmonium::units::{States, Units};
use harmonium::{Gibbs, Thermal};
use harmonium_oracle::enumerate::visible_distribution;
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table as Draws;
use harmonium_oracle::stats::{tv, tv_star, z_star};

/// What observers add up is what a loop of sweeps gives, at the sweeps that burn-in and thinning leave.
#[test]
fn observers_see_the_sweeps_that_were_asked_for() {
    let (rbm, options) = (model(5, 3, 1.0, 1), Chains { chains: 70, burn_in: 3, sweeps: 7, thin: 2 });
    let (mut moments, mut trace, mut seen) = (Moments::default(), Trace::default(), Vec::new());
    let mut sweeps = |look: &Seen<'_>| seen.push(look.sweep());
    let end = options.run(&rbm, key(2), &mut [&mut moments, &mut trace, &mut sweeps]).unwrap();
    assert_eq!(seen, [5, 7, 9]);
    let mut state = rbm.init(70, key(2).fold_in(harmonium::purpose::CHAINS));
    let draws = key(2).fold_in(harmonium::purpose::EVALUATE).fold_in(2);
    let (mut expected, mut energies) = (Moments::default(), Vec::new());
    for sweep in 0..10 {
        rbm.sweep(&mut state, draws.fold_in(sweep));
        if [5, 7, 9].contains(&(sweep + 1)) {
            expected.add(&rbm.pack(&state));
            energies.extend(rbm.energy(&state));
        }
    }
    assert_eq!((rbm.pack(&end), moments), (rbm.pack(&state), expected));
    assert_eq!(trace.values().iter().copied().collect::<Vec<_>>(), energies);
}

/// Every option out of range is named, and nothing runs.
#[test]
fn options_out_of_range_are_named() {
    let say = |options: Chains| options.check().unwrap_err().to_string();
    let good = Chains::default();
    assert!(say(Chains { chains: 0, ..good }).starts_with("chains: expected 1 to 1000000, got 0"));
    assert!(say(Chains { sweeps: 0, ..good }).starts_with("sweeps: expected 1"));
    assert!(say(Chains { thin: 1001, ..good }).starts_with("thin: expected 1 to 1000 sweeps, got 1001"));
    assert!(say(Chains { burn_in: u64::MAX, ..good }).starts_with("burn-in: expected at most"));
    let bad = ParallelTempering { ladder: Ladder::Betas(vec![0.5]), ..ParallelTempering::default() };
    assert!(bad.check().unwrap_err().to_string().starts_with("ladder"));
    let one = TemperedTransitions { ladder: Ladder::Betas(vec![1.0]) };
    assert_eq!(one.check().unwrap_err().to_string(), "rungs: expected 2 or more, got 1");
    // Noisy rectified units follow no energy, and real values have no law at β = 0.
    let noisy = harmonium::rbm::Rbm::new(Units::Bernoulli(3), Units::NoisyRelu(2), key(1)).unwrap();
    assert!(ParallelTempering::default().start(&noisy, key(1)).is_err());
    let bowl =
        Continuous::new(Bowl { centre: vec![0.0], sigma: 1.0 }, Move::Mala { step: 1.0 }, 1.0).unwrap();
    let cold =
        ParallelTempering { ladder: Ladder::Even { rungs: 3, lowest: 0.0 }, ..ParallelTempering::default() };
    assert!(cold.start(&bowl, key(1)).err().unwrap().to_string().starts_with("beta: expected"));
    let gaussian = harmonium::rbm::Rbm::new(Units::Gaussian(3), Units::Bernoulli(2), key(1)).unwrap();
    let refused = cold.start(&gaussian, key(1)).err().unwrap().to_string();
    assert!(refused.starts_with("beta: expected a number above 0 for"), "{refused}");
    assert!(cold.start(&model(3, 2, 1.0, 1), key(1)).is_ok());
}

/// Makes a ring of six bits with two deep states, 0…0 and 1…1, twelve nats below what lies between them.
fn wells() -> Table {
    let mut table = Table::normal(&[2; 6], 0.0, 1);
    for (index, energy) in table.energies.iter_mut().enumerate() {
        let broken = (index ^ (index >> 1 | (index & 1) << 5)).count_ones();
        *energy = 6.0 * f64::from(broken) + 0.2 * f64::from((index as u32).count_ones());
    }
    table
}

/// 8,000 chains that began apart from each other stand, after 64 sweeps with an adapting and 32 with a fixed ladder, as
/// independent draws do: TV ≤ TV*. The ladder's last rung is at β = 0, so every replica is drawn anew there. Control: heat
/// bath alone has not forgotten its start by then, as crossing takes e^12 sweeps.
#[test]
fn tempered_chains_have_the_law_of_the_model() {
    tempered_chains(8_000);
}

#[test]
#[ignore = "long form of tempering and tempered transitions from exact starts: 10⁶ chains"]
fn a_million_chains_keep_the_law() {
    // On five rungs.
    tempered_chains(200_000);
    tempered_transitions(1_000_000);
}

fn tempered_chains(n: usize) {
    let table = wells();
    let (law, model) = (table.law(), Discrete::new(table.clone(), Update::HeatBath).unwrap());
    let chains = Chains { chains: n, burn_in: 64, sweeps: 32, thin: 32 };
    let tempering = ParallelTempering { chains, ladder: Ladder::Even { rungs: 5, lowest: 0.0 }, adapt: true };
    let replicas = tempering.run(&model, key(3), &mut []).unwrap();
    let found = tv(&table.shares(replicas.state()), &law);
    assert!(found <= tv_star(&law, n), "{found} against {}", tv_star(&law, n));
    for (state, &beta) in replicas.states().iter().zip(replicas.betas()) {
        let law = table.scaled(f64::from(beta)).law();
        assert!(tv(&table.shares(state), &law) <= tv_star(&law, n), "rung at {beta}");
    }
    let mut stuck = table.rows(&vec![0; n]);
    model.run(&mut stuck, 0..128, key(4));
    assert!(tv(&table.shares(&stuck), &law) > 2.0 * tv_star(&law, n), "the control");
}

/// Swaps accept alike on the adapted ladder, and round trips come nearly as often as the barrier allows, 1 / (2 + 2Λ) a sweep;
/// that is for sweeps that forget all at once, so half of it is asked.
#[test]
fn an_adapted_ladder_swaps_alike_and_carries_replicas_round() {
    let model = Discrete::new(wells(), Update::HeatBath).unwrap();
    let chains = Chains { chains: 300, burn_in: 256, sweeps: 500, thin: 500 };
    let even = Ladder::Even { rungs: 6, lowest: 0.0 };
    let run = |adapt| {
        let tempering = ParallelTempering { chains, ladder: even.clone(), adapt };
        tempering.run(&model, key(5), &mut []).unwrap()
    };
    let (adapted, fixed) = (run(true), run(false));
    let spread =
        |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max) - rates.iter().copied().fold(1.0, f64::min);
    let (a, f) = (adapted.swap_rates(), fixed.swap_rates());
    assert!(spread(&a) < 0.06 && spread(&f) > 0.15, "{a:?} and, fixed, {f:?}");
    assert_eq!(fixed.betas(), even.betas());
    let trips = adapted.round_trips().iter().sum::<u64>() as f64 / (300.0 * 500.0);
    let most = 1.0 / (2.0 + 2.0 * adapted.barrier());
    assert!((0.5 * most..1.02 * most).contains(&trips), "{trips} round trips a sweep, at most {most}");
    let mut places = adapted.replicas().to_vec();
    places.sort_unstable();
    assert_eq!(places, (0..1800).collect::<Vec<_>>());
}

/// A ladder of one rung is the model's own chains.
#[test]
fn one_rung_is_a_plain_chain() {
    let (rbm, chains) = (model(5, 3, 1.0, 6), Chains { chains: 40, burn_in: 2, sweeps: 9, thin: 3 });
    let (mut plain, mut tempered) = (Moments::default(), Moments::default());
    chains.run(&rbm, key(7), &mut [&mut plain]).unwrap();
    let tempering = ParallelTempering { chains, ladder: Ladder::Betas(vec![1.0]), adapt: true };
    let replicas = tempering.run(&rbm, key(7), &mut [&mut tempered]).unwrap();
    assert_eq!(plain, tempered);
    assert!(replicas.swap_rates().is_empty() && replicas.round_trips().iter().all(|&n| n == 0));
}

/// §2.4 on sites of 2 to 4 states: exact starts stay exact under tempered transitions of every reversible update. Control: the same of
/// 0.8 E.
#[test]
fn tempered_transitions_do_not_drift() {
    tempered_transitions(20_000);
}

fn tempered_transitions(n: usize) {
    let (table, mut rng) = (Table::normal(&[3, 2, 4], 2.0, 11), Rng::new(8));
    let law = table.law();
    let start: Vec<usize> = (0..n).map(|_| Draws::new(&law).draw(&mut rng)).collect();
    let transitions = TemperedTransitions { ladder: Ladder::Even { rungs: 5, lowest: 0.0 } };
    for update in [Update::HeatBath, Update::Metropolis, Update::Informed { moves: 4 }] {
        let moved = |table: &Table, steps: u64| {
            let model = Discrete::new(table.clone(), update).unwrap().in_order(Order::ThereAndBack);
            let mut state = table.rows(&start);
            let mut accepted = 0;
            for step in 0..steps {
                let yes = transitions.step(&model, &mut state, key(9).fold_in(step)).unwrap();
                accepted += yes.iter().filter(|yes| **yes).count();
            }
            (tv(&table.shares(&state), &law), accepted as f64 / (n as u64 * steps) as f64)
        };
        for steps in [1, 4] {
            let (found, rate) = moved(&table, steps);
            assert!(found <= tv_star(&law, n), "{update:?} after {steps}: {found}");
            assert!((0.05..0.95).contains(&rate), "{update:?}: acceptance {rate}");
        }
        assert!(moved(&table.scaled(0.8), 4).0 > 2.0 * tv_star(&law, n), "the control: {update:?}");
    }
    let forward = Discrete::new(table, Update::HeatBath).unwrap();
    let refused = transitions.step(&forward, &mut forward.init(3, key(1)), key(1)).unwrap_err().to_string();
    assert!(refused.starts_with("order: expected sites there and back"), "{refused}");
    let broken = Table { states: vec![2, 2], energies: vec![f64::NAN; 4], vague: false };
    let model = Discrete::new(broken, Update::HeatBath).unwrap().in_order(Order::ThereAndBack);
    let mut state = model.init(9, key(1));
    assert_eq!(transitions.step(&model, &mut state, key(2)).unwrap(), [false; 9]);
}

/// The same of a restricted machine, on v, along its path of annealing; and chains that all begin in one well spread.
#[test]
fn tempered_transitions_of_a_machine_do_not_drift() {
    const N: usize = 5_000;
    let mut x = Exact::zeros(6, 4);
    x.weights.fill(2.5);
    x.visible_bias.fill(-5.0);
    x.hidden_bias.fill(-7.5);
    let rbm = common::library(&x);
    let (law, mut rng) = (visible_distribution(&exact(&rbm)), Rng::new(10));
    let base = harmonium::units::Bernoulli::new(vec![0.0; 6]).into();
    let path = rbm.path(&base).unwrap();
    let transitions = TemperedTransitions { ladder: Ladder::Even { rungs: 30, lowest: 0.0 } };
    let shares = |state: &States| {
        let mut out = vec![0.0; 64];
        common::masks(state).into_iter().for_each(|v| out[v as usize] += 1.0 / N as f64);
        out
    };
    let draw = (0..N).map(|_| Draws::new(&law).draw(&mut rng) as u64).collect::<Vec<_>>();
    for (start, steps) in [(draw, 2), (vec![0; N], 30)] {
        let mut state: States = bits(6, &start).into();
        for step in 0..steps {
            transitions.step(&path, &mut state, key(11).fold_in(step)).unwrap();
        }
        let found = tv(&shares(&state), &law);
        assert!(found <= tv_star(&law, N), "after {steps}: {found}");
    }
}

/// Annealing finds the lowest of 4,096 states, keeps the best it met, and stops when told.
#[test]
fn annealing_finds_the_ground_state() {
    let table = Table::normal(&[2; 12], 2.0, 14);
    let least = table.energies.iter().copied().fold(f64::INFINITY, f64::min);
    let model = Discrete::new(table.clone(), Update::HeatBath).unwrap();
    for cooling in [
        Cooling::Geometric { from: 0.1, to: 5.0 },
        Cooling::Linear { from: 0.0, to: 5.0 },
        Cooling::Betas(vec![0.2, 1.0, 3.0]),
    ] {
        let anneal = Anneal { chains: 64, sweeps: 300, cooling };
        let found = anneal.run(&model, key(15), &mut |_, _| true).unwrap();
        assert_eq!(found.energy, least);
        let state: Vec<u16> = found.best.to_array().row(0).iter().map(|&x| x as u16).collect();
        assert_eq!(table.energies[table.index(&state)], least);
        assert!(found.trace.is_sorted_by(|a, b| a >= b) && found.trace.len() == 300);
        assert_eq!(found.trace[299], least);
        let stopped = anneal.run(&model, key(15), &mut |done, _| done < 7).unwrap();
        assert_eq!(stopped.trace, found.trace[..7]);
    }
}

/// The moments of a tempered run are those of the law, and its energies pass the mixing test where those of plain chains from
/// one well and from the other do not; E of a run of autocorrelated looks is known to √(var/effective).
#[test]
fn the_mixing_test_tells_tempered_chains_from_stuck_ones() {
    let table = wells();
    let (law, model) = (table.law(), Discrete::new(table.clone(), Update::HeatBath).unwrap());
    let ones = |looks: &mut Vec<f64>, states: &States| {
        looks.extend(states.to_array().rows().into_iter().map(|row| f64::from(row.sum())));
    };
    let judge = |looks: Vec<f64>, chains: usize| {
        let values = ndarray::Array2::from_shape_vec((looks.len() / chains, chains), looks).unwrap();
        let mean = values.mean().unwrap();
        (MixingTest::default().judge(values.view()).unwrap(), mean)
    };
    let mut looks = Vec::new();
    let chains = Chains { chains: 8, burn_in: 256, sweeps: 2000, thin: 1 };
    let tempering = ParallelTempering { chains, ladder: Ladder::Even { rungs: 6, lowest: 0.0 }, adapt: true };
    let mut see = |seen: &Seen<'_>| ones(&mut looks, seen.states());
    tempering.run(&model, key(16), &mut [&mut see]).unwrap();
    let (found, mean) = judge(looks, 8);
    assert!(found.mixed(), "{found}");
    let count = |index: usize| (index as u32).count_ones();
    let expected: f64 = (0..64).map(|n| law[n] * f64::from(count(n))).sum();
    let square: f64 = (0..64).map(|n| law[n] * f64::from(count(n)).powi(2)).sum();
    let error = ((square - expected * expected) * found.time / 16_000.0).sqrt();
    assert!((mean - expected).abs() < z_star(1) * error, "{mean} against {expected} ± {error}");
    let (mut state, mut looks) = (table.rows(&[0, 63, 0, 63]), Vec::new());
    for sweep in 0..200 {
        model.sweep(&mut state, key(17).fold_in(sweep));
        ones(&mut looks, &model.pack(&state));
    }
    let (stuck, _) = judge(looks, 4);
    assert!(!stuck.mixed() && stuck.against.as_ref().unwrap().contains("R-hat"), "{stuck}");
    assert!(model.tempered(1.0).energy(&state).iter().all(|e| *e < 24.0));
}

/// A drift that all chains share is seen by halves of chains alone: without them R-hat compares one mean with itself.
#[test]
fn a_trend_of_all_chains_is_no_mixing() {
    let mut rng = Rng::new(18);
    let noise = ndarray::Array2::from_shape_simple_fn((1000, 8), || rng.normal());
    assert!(MixingTest::default().judge(noise.view()).unwrap().mixed());
    let trend = ndarray::Array2::from_shape_fn((1000, 8), |at| noise[at] + at.0 as f64 / 800.0);
    let found = MixingTest::default().judge(trend.view()).unwrap();
    assert!(found.r_hat > 1.03, "{found}");
}

/// R4: one, three and eight threads draw the same bits, in every sampler and every move.
#[test]
fn threads_change_no_bit() {
    let digest = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let chains = Chains { chains: 70, burn_in: 8, sweeps: 8, thin: 2 };
            let mut out = Vec::new();
            let tempering = ParallelTempering { chains, ..ParallelTempering::default() };
            for update in [Update::HeatBath, Update::Metropolis, Update::Informed { moves: 2 }] {
                let (mut trace, model) = (Trace::default(), Discrete::new(wells(), update).unwrap());
                out.extend(tempering.run(&model, key(19), &mut [&mut trace]).unwrap().betas().to_vec());
                out.extend(trace.values().iter().map(|&e| e as f32));
            }
            let bowl = Bowl { centre: vec![0.5, -1.0], sigma: 0.7 };
            for moves in
                [Move::Ula { step: 0.3 }, Move::Mala { step: 0.5 }, Move::Hmc { step: 0.4, leaps: 3 }]
            {
                let model = Continuous::new(bowl.clone(), moves, 1.0).unwrap();
                out.extend(tempering.run(&model, key(20), &mut []).unwrap().state().iter());
            }
            out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        })
    };
    let one = digest(1);
    assert!([3, 8].into_iter().all(|threads| digest(threads) == one));
}
