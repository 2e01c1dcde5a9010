//! Proves ln Z by Bennett's ratio along a tempering ladder (oracle O8): intervals of measured coverage, refused without overlap.

mod common;

use common::{close, exact, key, machines, model};
use harmonium::bm::{Graph, Machine};
use harmonium::evaluate::{LadderEstimate, ladder_log_partition};
use harmonium::rbm::Rbm;
use harmonium::sample::{Chains, Ladder, ParallelTempering, Trace};
use harmonium::units::Units;
use harmonium::{ErrorKind, Thermal};
use harmonium_oracle::enumerate::{joint_distribution, log_z_joint, minus_energies};
use harmonium_oracle::stats::z_star;

fn options(rungs: usize, chains: usize, sweeps: u64) -> ParallelTempering {
    ParallelTempering {
        chains: Chains { chains, burn_in: 64, sweeps, thin: 1 },
        ladder: Ladder::Even { rungs, lowest: 0.0 },
        adapt: true,
    }
}

fn found<M: Thermal>(model: &M, options: &ParallelTempering, seed: u64) -> LadderEstimate {
    let states = model.log_states().expect("finitely many states");
    ladder_log_partition(model, options, states, key(seed)).unwrap()
}

/// Counts how often one and three errors cover.
struct Coverage {
    one: f64,
    missed: usize,
    count: f64,
}

impl Coverage {
    fn of(cases: impl Iterator<Item = (LadderEstimate, f64)>) -> Self {
        let mut out = Self { one: 0.0, missed: 0, count: 0.0 };
        for (found, truth) in cases {
            let off = (found.log_z - truth).abs() - 1e-6;
            out.one += f64::from(u8::from(off <= found.error));
            out.missed += usize::from(off > found.interval.high - found.log_z);
            out.count += 1.0;
        }
        out
    }

    /// One error of ten chains covers P(|t₉| < 1) = 65.7 %, if they spread normally; 5 % are left for what they do not, beside z* deviations
    /// of the count.
    fn holds(&self, case: &str) {
        let (one, noise) = (self.one / self.count, z_star(4) * (0.25 / self.count).sqrt());
        assert!((one - 0.657).abs() < 0.05 + noise, "{case}: 1σ covers {one}");
        // Misses are Poisson with a mean of 0.0027 times at most 400: P(≥ 9) < 1e-5.
        assert!(self.missed < 9, "{case}: 3σ miss {} of {}", self.missed, self.count);
    }
}

#[test]
fn intervals_of_restricted_machines_cover() {
    let case = |n: u64| {
        let (nv, nh) = common::SIZES[n as usize % 7];
        let rbm = model(nv, nh, 1.0, 800 + n);
        (found(&rbm, &options(5, 10, 100), n), log_z_joint(&exact(&rbm)))
    };
    Coverage::of((0..400).map(case)).holds("restricted");
}

#[test]
fn intervals_of_general_machines_cover() {
    let all = machines::machines(0.8);
    let case = |n: u64| {
        let machine = &all[n as usize % all.len()];
        (found(machine, &options(5, 10, 100), n), machine.log_z().unwrap())
    };
    Coverage::of((0..300).map(case)).holds("general");
}

/// Four spins that hold together stay up or down for dozens of sweeps: the spread between chains knows it, where parts of the run,
/// taken for independent, would not, and cover 38 %.
#[test]
fn intervals_of_slow_chains_cover() {
    let graph = Graph::complete(4).unwrap();
    let machine = Machine::from_parts(graph, Units::Spin(4), vec![0.8; 6], vec![0.1; 4]).unwrap();
    let (hot, truth) = (0.8_f32, machine.log_z().unwrap());
    let lowest = machines::exact(&machine).tempered(f64::from(hot)).log_z();
    let ladder = Ladder::Betas(vec![1.0, hot]);
    let chains = Chains { chains: 10, burn_in: 300, sweeps: 100, thin: 1 };
    let options = ParallelTempering { chains, ladder, adapt: false };
    let case = |n: u64| (ladder_log_partition(&machine, &options, lowest, key(n)).unwrap(), truth);
    Coverage::of((0..400).map(case)).holds("slow");
}

/// The estimate of every rung is ln Z at its β: off by at most z* errors of the whole, which is at least that of a part but for chance.
#[test]
fn rungs_are_the_machine_at_their_temperatures() {
    let rbm = model(5, 5, 1.0, 9);
    let found = found(&rbm, &options(6, 20, 2000), 1);
    assert_eq!((found.rungs.len(), found.betas.len(), found.swap_rates.len()), (6, 6, 5));
    for (log_z, beta) in found.rungs.iter().zip(&found.betas) {
        let truth = log_z_joint(&exact(&rbm).tempered(f64::from(*beta)));
        assert!((log_z - truth).abs() < 2.0 * z_star(6) * found.error, "{beta}: {log_z} for {truth}");
    }
    assert!(found.round_trips > 100 && found.error < 0.05);
}

/// Energies are those of the joint states that swapped, not of their visible halves: ⟨E⟩ by its own error from chains.
#[test]
fn energies_on_the_first_rung_have_their_mean() {
    let rbm = model(4, 4, 1.0, 12);
    let x = exact(&rbm);
    let truth: f64 = joint_distribution(&x).iter().zip(minus_energies(&x)).map(|(p, e)| -p * e).sum();
    let mut trace = Trace::default();
    options(5, 50, 500).run(&rbm, key(4), &mut [&mut trace]).unwrap();
    let means: Vec<f64> = trace.values().columns().into_iter().map(|chain| chain.sum() / 500.0).collect();
    let off = harmonium_oracle::stats::z_score(&means, truth);
    // Of 50 chains, Student's t: 6 has a probability of 2e-7.
    assert!(off.abs() < 6.0, "{off} errors off {truth}");
}

#[test]
fn the_number_of_states_is_ln_z_without_energy() {
    for machine in machines::machines(1.0) {
        close(
            machine.log_states().unwrap(),
            machines::exact(&machine).tempered(0.0).log_z(),
            1e-12,
            "machine",
        );
    }
    close(model(4, 3, 1.0, 1).log_states().unwrap(), 7.0 * 2.0_f64.ln(), 1e-6, "bits");
    let of = |visible: Units, hidden: Units| Rbm::new(visible, hidden, key(1)).unwrap().log_states();
    let classes = of(Units::Categorical { units: 2, classes: 3 }, Units::Spin(2)).unwrap();
    close(classes, 36.0_f64.ln(), 1e-6, "classes and spins");
    assert_eq!(of(Units::Gaussian(3), Units::Bernoulli(2)), None);
}

#[test]
fn ladders_that_tell_nothing_are_refused() {
    let rbm = model(20, 20, 3.0, 5);
    let states = rbm.log_states().unwrap();
    let said = |options: &ParallelTempering, lowest: f64| {
        ladder_log_partition(&rbm, options, lowest, key(1)).unwrap_err()
    };
    let apart = ParallelTempering { adapt: false, ..options(2, 10, 50) };
    let refused = said(&apart, states);
    assert!(matches!(refused.kind(), ErrorKind::Uncertain(_)), "{refused}");
    assert!(
        refused.to_string().ends_with("less between beta 1 and 0: use more rungs or sweeps"),
        "{refused}"
    );
    for (options, lowest, expected) in [
        (options(5, 7, 50), states, "chains: expected 8 or more"),
        (options(1, 10, 50), states, "rungs: expected 2 or more"),
        (options(5, 10, 50), f64::NAN, "ln Z at the lowest beta: expected a finite number"),
        (options(5, 10, 1 << 31), states, "sweeps: expected at most 100000000 energies"),
    ] {
        let refused = said(&options, lowest).to_string();
        assert!(refused.starts_with(expected), "{refused}");
    }
}
