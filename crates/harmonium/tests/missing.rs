//! Proves that missing values are drawn, filled in and trained on as the rest of their row demands.

mod common;

use common::units::{batch, coupled_rows, exact, machine, rows_of, wide};
use common::{close, key};
use harmonium::rbm::{Imputing, Rbm};
use harmonium::train::{Fit, Method, Pcd, Schedule, Silent, fit};
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, EnergyModel, HasParams, Marginal};
use harmonium_oracle::layered::{Rbm as Exact, Side};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::{tv, tv_star};
use ndarray::{Array2, array};

const NAN: f32 = f32::NAN;

/// Repeats a row with some features missing.
fn gaps(rbm: &Rbm, row: &[f64], missing: &[usize], n: usize) -> Batch {
    let mask = BitMatrix::from_fn(n, row.len(), |_, feature| missing.contains(&feature));
    batch(rbm.visible(), &vec![row.to_vec(); n]).masked(mask)
}

/// Gives p(h | what is there) and ⟨x⟩ for each hidden state: p ∝ m(h) e^(−U(h) + Σ x·I(h) over what is there, + Γ(I(h)) over
/// the units that are missing).
fn posterior(law: &Exact, row: &[f64], missing: &[usize]) -> Vec<(f64, Vec<f64>)> {
    let hidden = law.law_of(Side::Hidden).unwrap().states;
    let log_p = |h: &[f64]| {
        let input = law.visible_input(h);
        let units = (0..law.visible.units).map(|n| {
            let span = law.visible.span(n);
            let unit = law.visible.unit(n);
            if missing.contains(&span.start) {
                return unit.cgf(&input[span]);
            }
            let coupled: f64 = span.clone().map(|f| row[f] * input[f]).sum();
            coupled - unit.energy(&row[span])
        });
        units.sum::<f64>() - law.hidden.energy(h)
    };
    let terms: Vec<f64> = hidden.iter().map(|s| (log_p(&s.features) + s.log_weight).exp()).collect();
    let total: f64 = terms.iter().sum();
    let means = hidden.iter().map(|s| law.visible.mean(&law.visible_input(&s.features)));
    terms.iter().map(|term| term / total).zip(means).collect()
}

fn cases() -> Vec<(Rbm, Vec<f64>, Vec<usize>)> {
    let h = Units::Bernoulli(3);
    let q = Units::Categorical { units: 3, classes: 3 };
    let one_hot = vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    vec![
        (machine(&Units::Bernoulli(4), &h, 1.5, 1), vec![1.0, 0.0, 1.0, 0.0], vec![1, 3]),
        (machine(&Units::Spin(4), &h, 1.0, 2), vec![1.0, -1.0, 1.0, -1.0], vec![0, 3]),
        (machine(&q, &h, 1.5, 3), one_hot, vec![3, 4, 5]),
        (machine(&Units::Binomial { units: 3, trials: 3 }, &h, 0.8, 4), vec![2.0, 0.0, 3.0], vec![2]),
    ]
}

/// Draws of missing values follow p(missing | rest): 20,000 rows against enumeration, at TV*. At the start, draws from the
/// marginals, they do not.
#[test]
fn missing_values_follow_their_conditional_law() {
    const N: usize = 20_000;
    for (rbm, row, missing) in cases() {
        let kind = rbm.visible().units();
        let law = exact(&rbm).law_of(Side::Visible).unwrap();
        let agrees = |x: &[f64]| (0..row.len()).all(|f| missing.contains(&f) || x[f] == row[f]);
        let listed: Vec<_> = law.states.iter().zip(law.p()).filter(|(s, _)| agrees(&s.features)).collect();
        let total: f64 = listed.iter().map(|(_, p)| p).sum();
        let p: Vec<f64> = listed.iter().map(|(_, p)| p / total).collect();
        let distance = |sweeps: u32| {
            let data = gaps(&rbm, &row, &missing, N);
            let drawn = rbm.complete(&data, sweeps, key(7));
            assert!(drawn.missing().is_none());
            let mut counts = vec![0.0; p.len()];
            for x in rows_of(rbm.visible(), drawn.states()) {
                let at = listed.iter().position(|(s, _)| s.features == x).expect("what is there stays");
                counts[at] += 1.0 / N as f64;
            }
            tv(&counts, &p)
        };
        let (start, end, bound) = (distance(0), distance(30), tv_star(&p, N));
        assert!(end <= bound, "{kind}: {end} above {bound}");
        assert!(start > 2.0 * bound, "{kind}: the start is already at {start}");
    }
}

/// Means and spreads of imputed values are those of the enumeration. 400 rows of 400 counted sweeps are at least 10,000
/// independent draws, so that 0.03 deviations are three standard errors and 0.06 are far beyond.
#[test]
fn imputed_values_have_their_conditional_mean_and_spread() {
    let mut cases = cases();
    let gaussian = machine(&Units::Diagonal(3), &Units::Bernoulli(3), 0.8, 5);
    cases.push((gaussian, vec![1.2, -0.3, 0.5], vec![1]));
    for (rbm, row, missing) in cases {
        let (law, kind) = (exact(&rbm), rbm.visible().units());
        let found = rbm.impute(&gaps(&rbm, &row, &missing, 400), Imputing::default(), key(3)).unwrap();
        let posterior = posterior(&law, &row, &missing);
        for f in 0..row.len() {
            let (mean, spread) =
                (found.mean.column(f).mean().unwrap(), found.spread.column(f).mean().unwrap());
            if !missing.contains(&f) {
                close(f64::from(mean), row[f], 1e-4, format!("{kind}: what is there stays"));
                assert_eq!(spread, 0.0, "{kind}: what is there has no spread");
                continue;
            }
            let expected: f64 = posterior.iter().map(|(p, means)| p * means[f]).sum();
            let within = |h: &[f64]| law.visible.variance(&law.visible_input(h))[f];
            let hidden = law.law_of(Side::Hidden).unwrap().states;
            let square: f64 = posterior
                .iter()
                .zip(&hidden)
                .map(|((p, means), h)| p * (means[f] * means[f] + within(&h.features)))
                .sum();
            let deviation = (square - expected * expected).sqrt();
            close(f64::from(mean), expected, 0.06 * deviation, format!("mean of {kind}"));
            close(f64::from(spread), deviation, 0.06 * deviation, format!("spread of {kind}"));
        }
    }
}

/// With 30 % of the values missing at random the columns' coupling is learnt: the exact log-likelihood of the complete rows
/// rises by more than 0.3 nats. Zeros in the place of what is missing teach something else and lose at least 0.1 of that.
#[test]
fn missing_values_are_not_zeros() {
    let units = Units::Bernoulli(4);
    let rows = coupled_rows(&units, 1500, 9);
    let complete = batch(&units.layer(vec![0.0; 4]), &rows);
    let mut rng = Rng::new(10);
    let mask = BitMatrix::from_fn(1500, 4, |_, _| rng.bernoulli(0.3));
    let zeros =
        Batch::from_states(complete.states().filled(&mask, &BitMatrix::zeros(1500, 4).into())).unwrap();
    let learnt = |data: &Batch| {
        let mut rbm = Rbm::fitted(units.clone(), data, Units::Bernoulli(3), key(1)).unwrap();
        let options = Fit {
            epochs: 40,
            batch: 50,
            learning_rate: Schedule::Linear { from: 0.02, to: 0.0 },
            method: Method::adam(),
            ..Fit::default()
        };
        fit(&mut rbm, data, &mut Pcd::new(1, 50), &options, key(2), &mut Silent).unwrap();
        (exact(&rbm).log_likelihood(&rows, None).unwrap(), rbm.digest())
    };
    let gaps = complete.clone().masked(mask);
    let alone = Rbm::fitted(units.clone(), &gaps, Units::Bernoulli(3), key(1)).unwrap();
    let before = exact(&alone).log_likelihood(&rows, None).unwrap();
    let ((with_gaps, digest), (with_zeros, _)) = (learnt(&gaps), learnt(&zeros));
    assert!(with_gaps - before > 0.3, "{before} → {with_gaps}");
    assert!(with_gaps - with_zeros > 0.1, "gaps {with_gaps}, zeros {with_zeros}");
    assert_eq!(digest, learnt(&gaps).1, "one seed gives one machine");
}

/// Marginals leave out what is missing, and NaN marks it.
#[test]
fn marginals_are_those_of_what_is_there() {
    let values = array![[1.0, NAN], [1.0, 0.0], [NAN, 0.0], [0.0, 1.0]];
    let data = Batch::with_missing(values.view(), &Units::Bernoulli(2)).unwrap();
    let rbm = Rbm::fitted(Units::Bernoulli(2), &data, Units::Bernoulli(2), key(1)).unwrap();
    // Shares of 2/3 and 1/3 of four rows, rounded to 3 and 1, and one row more of each: ln(4/2) and ln(2/4).
    let expected = [2.0_f64.ln(), 0.5_f64.ln()];
    wide(rbm.visible_bias()).iter().zip(expected).for_each(|(&b, e)| close(b, e, 1e-6, "bias"));
}

#[test]
fn rows_with_gaps_are_refused_where_they_have_no_answer() {
    let rbm = Rbm::new(Units::Bernoulli(2), Units::Bernoulli(2), key(1)).unwrap();
    let data = Batch::with_missing(array![[1.0, 0.0], [0.0, NAN]].view(), &Units::Bernoulli(2)).unwrap();
    let said = "data at row 1, column 1: expected a value, got a missing one";
    assert_eq!(rbm.free_energy(&data).unwrap_err().to_string(), said);
    assert_eq!(rbm.transform(&data).unwrap_err().to_string(), said);
    assert_eq!(rbm.reconstruct(&data, key(1)).unwrap_err().to_string(), said);
    let classes = Units::Categorical { units: 1, classes: 3 };
    assert!(Batch::with_missing(array![[3.0]].view(), &classes).is_err());
    let one = Batch::with_missing(array![[NAN], [2.0]].view(), &classes).unwrap();
    assert_eq!(one.missing().unwrap().words(), [0b111, 0]);
    let mixed = Units::Mixed(vec![Units::Bernoulli(1), classes]);
    let part: Array2<f32> = array![[0.0, NAN, 0.0, 1.0]];
    let part = Batch::with_missing(part.view(), &mixed).unwrap();
    let rbm = Rbm::new(mixed, Units::Bernoulli(1), key(1)).unwrap();
    assert!(rbm.check_data(&part).unwrap_err().to_string().contains("one class of each unit"));
}
