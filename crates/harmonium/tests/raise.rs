//! Proves reverse annealing from rows (oracle O8): its weights have the mean p_ann(v), the law of where annealing up ends, and so it errs low.

mod common;

use common::{balanced, exact, key, machines, model, states};
use harmonium::bm::{Graph, Machine};
use harmonium::evaluate::{Betas, Raise, RaiseEstimate, raise};
use harmonium::rbm::Rbm;
use harmonium::units::{Bernoulli, Layer, Units};
use harmonium::{Batch, Key};
use harmonium_oracle::enumerate::visible_distribution;
use harmonium_oracle::machine::Machine as General;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table;
use harmonium_oracle::stats::{mean, variance, z_star};
use harmonium_oracle::transition::Conditionals;

/// Runs of a row: 2 rows of them make a block.
const CHAINS: usize = 5000;

fn options(base: &Layer, betas: usize) -> Raise<'_> {
    Raise { chains: CHAINS, betas: Betas::Count(betas), base: Some(base) }
}

/// |p̂(v) / p_ann(v) − 1| in standard errors, over all v, and of Σ p̂(v) from 1.
fn agrees(found: &RaiseEstimate, law: &[f64], comparisons: usize, case: &str) {
    let bound = z_star(comparisons * (law.len() + 1));
    let (mut total, mut variance) = (0.0, 0.0);
    for ((log, error), p) in found.rows.iter().zip(&found.errors).zip(law) {
        let (estimate, error) = (log.exp(), error * log.exp());
        assert!((estimate - p).abs() < bound * error + 1e-5 * p, "{case}: {estimate} for {p}, error {error}");
        total += estimate;
        variance += error * error;
    }
    assert!((total - 1.0).abs() < bound * variance.sqrt() + 1e-5, "{case}: all weigh {total}");
}

/// The law of where annealing of a restricted machine ends: sweeps on v at every temperature but the first.
fn annealed(rbm: &Rbm, base: &[f64], betas: &[f32]) -> Vec<f64> {
    let at = |beta: f32| {
        let mut x = exact(rbm).tempered(f64::from(beta));
        x.visible_bias.iter_mut().zip(base).for_each(|(b, a)| *b += (1.0 - f64::from(beta)) * a);
        x
    };
    let start = visible_distribution(&at(0.0));
    betas[1..].iter().fold(start, |law, &beta| Conditionals::of(&at(beta)).visible_sweep().apply(&law))
}

#[test]
fn weights_of_restricted_machines_have_the_mean_of_where_annealing_ends() {
    for (seed, betas) in [2, 3, 5, 9].into_iter().enumerate() {
        let rbm = model(4, 3, 1.5, 30 + seed as u64);
        let base = [0.5, -0.5, 0.25, 0.0];
        let layer: Layer = Bernoulli::new(base.iter().map(|&x| x as f32).collect()).into();
        let rows = Batch::from_states(states(4, &(0..16).collect::<Vec<_>>())).unwrap();
        let found = raise(&rbm, &rows, &options(&layer, betas), key(1), &mut |_, _, _| ()).unwrap();
        agrees(&found, &annealed(&rbm, &base, &Betas::Count(betas).values()), 4, &format!("{betas} betas"));
    }
}

/// The law of all units after a sweep through them in turn.
fn swept(machine: &General, law: &[f64]) -> Vec<f64> {
    let states = machine.states();
    (0..machine.units).fold(law.to_vec(), |law, unit| {
        let mut out = vec![0.0; law.len()];
        for (state, p) in states.iter().zip(&law) {
            for (digit, share) in machine.conditional(state, unit).into_iter().enumerate() {
                let mut next = state.clone();
                next[unit] = digit;
                out[machine.index(&next)] += p * share;
            }
        }
        out
    })
}

/// The law of where annealing of a general machine ends, on its visible units; hidden ones have no biases in the base.
fn annealed_machine(machine: &Machine, base: &[f32], betas: &[f32]) -> Vec<f64> {
    let exact = machines::exact(machine);
    let at = |beta: f32| {
        let mut out = exact.tempered(f64::from(beta));
        let both = out.biases.iter_mut().zip(base);
        both.for_each(|(b, &a)| *b += (1.0 - f64::from(beta)) * f64::from(a));
        out
    };
    let start = at(0.0).probabilities();
    let law = betas[1..].iter().fold(start, |law, &beta| swept(&at(beta), &law));
    let visible = exact.base().pow(exact.visible as u32);
    (0..visible).map(|v| law.iter().skip(v).step_by(visible).sum()).collect()
}

/// Sweeps through the units in turn are not in detailed balance: only their reversal gives the law of the way up. Hidden units that
/// meet each other are drawn from another law than theirs, which the weights make good.
#[test]
fn weights_of_general_machines_have_the_mean_of_where_annealing_ends() {
    let cases = [
        (Units::Bernoulli(4), 0),
        (Units::Spin(4), 0),
        (Units::Spin(5), 2),
        (Units::Bernoulli(5), 2),
        (Units::Categorical { units: 4, classes: 3 }, 2),
    ];
    for (seed, (units, hidden)) in cases.into_iter().enumerate() {
        // Strong couplings would leave the mean to few runs.
        let scale = if matches!(units, Units::Bernoulli(_)) { 1.5 } else { 0.7 };
        let graph = Graph::complete(units.count()).unwrap();
        let triples: &[[usize; 3]] = if units.count() == 5 { &[[0, 1, 2], [1, 3, 4]] } else { &[] };
        let machine =
            machines::machine(graph, units, triples, scale, seed as u64).with_hidden(hidden).unwrap();
        let kind = machine.visible_kind();
        let mut base: Vec<f32> = (0..kind.features()).map(|at| 0.3 * (at % 3) as f32 - 0.2).collect();
        let layer = kind.layer(base.clone());
        base.resize(machine.biases().len(), 0.0);
        let exact = machines::exact(&machine);
        let rows = machines::batch(&exact, &machines::visible_states(&exact));
        let found = raise(&machine, &rows, &options(&layer, 3), key(2), &mut |_, _, _| ()).unwrap();
        agrees(
            &found,
            &annealed_machine(&machine, &base, &Betas::Count(3).values()),
            5,
            &format!("case {seed}"),
        );
    }
}

/// Over rows of the model itself, ln p̂ − ln p is below 0 in the mean: clearly where temperatures are few, and less the more there
/// are. The mean of so many differences is compared with 0 by their own deviation.
#[test]
fn estimates_err_low_and_come_nearer() {
    let rbm = balanced(10, 6, 2.0, 5);
    let law = visible_distribution(&exact(&rbm));
    let (table, mut rng) = (Table::new(&law), Rng::new(6));
    let drawn: Vec<u64> = (0..200).map(|_| table.draw(&mut rng) as u64).collect();
    let rows = Batch::from_states(states(10, &drawn)).unwrap();
    let base: Layer = Bernoulli::new(vec![0.0; 10]).into();
    let mut last = f64::NEG_INFINITY;
    for (betas, clearly, near) in [(2, true, 9.0), (10, true, 2.0), (100, false, 0.05)] {
        let options = Raise { chains: 10, ..options(&base, betas) };
        let found = raise(&rbm, &rows, &options, key(3), &mut |_, _, _| ()).unwrap();
        let off: Vec<f64> =
            found.rows.iter().zip(&drawn).map(|(log, &v)| log - law[v as usize].ln()).collect();
        let (low, error) = (mean(&off), (variance(&off) / 200.0).sqrt());
        assert!(low < z_star(8) * error, "{betas} betas: {low} above the exact value, error {error}");
        assert!(!clearly || low < -z_star(8) * error, "{betas} betas: {low}, error {error}");
        assert!(low > last && low > -near, "{betas} betas: {low} after {last}");
        last = low;
    }
}

#[test]
fn what_raise_can_not_do_is_refused() {
    let rbm = model(4, 3, 1.0, 1);
    let rows = Batch::from_states(states(4, &[1, 2])).unwrap();
    let base: Layer = Bernoulli::new(vec![0.0; 4]).into();
    let said = |rbm: &Rbm, rows: &Batch, options: &Raise<'_>| {
        raise(rbm, rows, options, Key::from_seed(1), &mut |_, _, _| ()).unwrap_err().to_string()
    };
    let good = options(&base, 5);
    assert!(said(&rbm, &rows, &Raise { chains: 1, ..good }).starts_with("chains of a row: expected 2 to"));
    assert!(said(&rbm, &rows, &Raise { betas: Betas::Count(1), ..good }).starts_with("betas"));
    assert!(said(&rbm, &rows, &Raise { base: None, ..good }).starts_with("base: expected one given"));
    assert!(!said(&model(5, 3, 1.0, 1), &rows, &Raise { base: None, ..good }).is_empty());
    let narrow = Batch::from_states(states(3, &[1])).unwrap();
    assert!(!said(&rbm, &narrow, &good).is_empty());
}
