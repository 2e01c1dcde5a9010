//! Gives each visible unit its conditional law given all others, state by state: the shares of the pseudo-likelihood.

use harmonium_core::Error;
use harmonium_core::evaluate::LogSumExp;
use harmonium_core::units::{Input, States, Unit, Units};
use harmonium_kernels::parallel;
use ndarray::Array2;

use super::{TASKS, Wide, add};
use crate::enumerate::{list, states};
use crate::{Rbm, View};

/// Inputs of hidden units that are held for one unit of one row.
const MOST: f64 = 16_777_216.0;

/// Refuses visible units without states that can be listed, and hidden ones without an energy.
pub(crate) fn check(rbm: &Rbm, what: &str) -> Result<(), Error> {
    rbm.view().check_energy(what)?;
    let units = rbm.visible().units();
    if let Some(one) = one(&units) {
        let inputs = states(&one) * rbm.hidden_units() as f64;
        if inputs > MOST {
            return Err(Error::shape(what, format!("at most {MOST} states times hidden units"), inputs));
        }
        return Ok(());
    }
    Err(Error::shape(what, "visible units with states that can be listed", units))
}

/// Gives the kind of one of the units, if its states can be listed.
fn one(units: &Units) -> Option<Units> {
    match *units {
        Units::Bernoulli(_) => Some(Units::Bernoulli(1)),
        Units::Spin(_) => Some(Units::Spin(1)),
        Units::Categorical { classes, .. } => Some(Units::Categorical { units: 1, classes }),
        Units::Binomial { trials, .. } => Some(Units::Binomial { units: 1, trials }),
        _ => None,
    }
}

/// Holds what the shares of all units have in common.
struct Shares<'a> {
    view: View<'a>,
    wide: Wide,
    /// Features of each state of a unit.
    states: Array2<f32>,
    /// ln m of each.
    measures: Vec<f64>,
}

/// Is the conditional law of one unit of one row, with the hidden units' input under each of its states.
struct Share {
    p: Vec<f64>,
    /// ln p of the state that the unit is in.
    log_p: f64,
    input: Input<'static>,
}

impl<'a> Shares<'a> {
    fn of(rbm: &'a Rbm) -> Option<Self> {
        let units = one(&rbm.visible().units())?;
        let count = states(&units) as u64;
        let listed = list(&units, &(0..count).collect::<Vec<_>>());
        let alone = units.layer(vec![0.0; units.features()]);
        let (states, measures) = (alone.features_of(&listed), alone.log_measure(&listed));
        Some(Self { view: rbm.view(), wide: Wide::of(rbm), states, measures })
    }

    /// Gives the features of a row in f64.
    fn row(&self, rows: &States, row: usize) -> Vec<f64> {
        self.view.visible.features_of(&rows.gather([row])).iter().map(|&x| f64::from(x)).collect()
    }

    /// Gives Wᵀx of a row.
    fn field(&self, row: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.wide.hidden_bias.len()];
        for (feature, &x) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
            out.iter_mut().zip(self.wide.row(feature)).for_each(|(sum, w)| *sum += x * w);
        }
        out
    }

    /// Gives what a unit would be, were all others as they are: p(c) ∝ m(c) e^(b·c + Γ(Wᵀx with c in its place)).
    fn share(&self, row: &[f64], field: &[f64], unit: usize) -> Share {
        let classes = self.states.ncols();
        let own = unit * classes..(unit + 1) * classes;
        let (mut fields, mut biases) = (Vec::new(), Vec::new());
        for state in self.states.rows() {
            let (mut moved, mut bias) = (field.to_vec(), 0.0);
            for ((feature, x), &now) in own.clone().zip(&state).zip(&row[own.clone()]) {
                let by = f64::from(*x) - now;
                bias += f64::from(*x) * self.wide.visible_bias[feature];
                if by != 0.0 {
                    moved.iter_mut().zip(self.wide.row(feature)).for_each(|(sum, w)| *sum += by * w);
                }
            }
            fields.extend(moved.into_iter().map(|x| x as f32));
            biases.push(bias);
        }
        let input = Input::reals(fields, 1.0);
        let cgf = self.view.hidden.cgf(&input);
        let logs: Vec<f64> =
            biases.into_iter().zip(&self.measures).zip(cgf).map(|((b, m), cgf)| b + m + cgf).collect();
        let total = logs.iter().copied().collect::<LogSumExp>().value();
        let is = |state: usize| {
            self.states.row(state).iter().zip(&row[own.clone()]).all(|(a, b)| f64::from(*a) == *b)
        };
        let here = (0..logs.len()).find(|&state| is(state)).map_or(f64::NEG_INFINITY, |state| logs[state]);
        let p = logs.iter().map(|log| libm::exp(log - total)).collect();
        Share { p, log_p: here - total, input }
    }

    fn units(&self) -> usize {
        self.view.visible.features() / self.states.ncols()
    }

    /// Adds the gradient of −Σ_i ln p(x_i | x_−i) of a row: Σ_i (∂F(x) − Σ_c p_c ∂F(x with c at i)), with ∂F/∂W = −x ŷᵀ,
    /// ∂F/∂b = −x, ∂F/∂c = −ŷ, and further parameters of the hidden layer likewise.
    fn add_row(&self, row: &[f64], sums: &mut [Vec<f64>]) {
        let (field, hidden) = (self.field(row), &self.view.hidden);
        let here = Input::reals(field.iter().map(|&x| x as f32).collect(), 1.0);
        let (classes, width) = (self.states.ncols(), field.len());
        let statistics = |input: &Input<'_>| -> Vec<Array2<f32>> {
            [hidden.means_of(&hidden.mean(input))].into_iter().chain(hidden.extra_means(input)).collect()
        };
        let now = statistics(&here);
        let mut moved: Vec<Vec<f64>> = now.iter().map(|values| vec![0.0; values.len()]).collect();
        for unit in 0..self.units() {
            let share = self.share(row, &field, unit);
            let there = statistics(&share.input);
            for (moved, (there, now)) in moved.iter_mut().zip(there.iter().zip(&now)) {
                for (p, there) in share.p.iter().zip(there.rows()) {
                    let steps = there.iter().zip(now);
                    moved.iter_mut().zip(steps).for_each(|(sum, (a, b))| *sum += p * f64::from(a - b));
                }
            }
            for ((p, state), means) in share.p.iter().zip(self.states.rows()).zip(there[0].rows()) {
                for (class, &x) in state.iter().enumerate() {
                    let feature = unit * classes + class;
                    let weight = p * (f64::from(x) - row[feature]);
                    sums[1][feature] += weight;
                    let line = sums[0][feature * width..][..width].iter_mut();
                    line.zip(means).for_each(|(sum, &y)| *sum += weight * f64::from(y));
                }
            }
        }
        for (feature, &x) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
            let line = sums[0][feature * width..][..width].iter_mut();
            line.zip(&moved[0]).for_each(|(sum, m)| *sum += mutant!("B123", x * m, 0.0));
        }
        sums[2..].iter_mut().zip(&moved).for_each(|(sums, moved)| add(sums, moved));
    }
}

/// Gives the mean gradient over rows, block by block of the parameters; visible units of these kinds have no further ones.
pub(super) fn mean_gradient(rbm: &Rbm, rows: &States) -> Vec<Vec<f64>> {
    let empty = || -> Vec<Vec<f64>> {
        let blocks = harmonium_core::HasParams::blocks(rbm);
        blocks.iter().map(|block| vec![0.0; block.values.len()]).collect()
    };
    let mut out = empty();
    let Some(shares) = Shares::of(rbm) else { return out };
    let (count, tasks) = (rows.rows(), TASKS.min(rows.rows()));
    let parts = parallel::map(tasks, |task| {
        let mut sums = empty();
        (task * count / tasks..(task + 1) * count / tasks)
            .for_each(|row| shares.add_row(&shares.row(rows, row), &mut sums));
        sums
    });
    parts.iter().for_each(|part| out.iter_mut().zip(part).for_each(|(out, part)| add(out, part)));
    out.iter_mut().flatten().for_each(|sum| *sum /= count as f64);
    out
}

/// Computes Σ_i ln p(x_i | x_−i) of each row, i counting units.
pub(crate) fn log_likelihoods(rbm: &Rbm, rows: &States) -> Vec<f64> {
    let Some(shares) = Shares::of(rbm) else { return Vec::new() };
    parallel::map(rows.rows(), |row| {
        let row = shares.row(rows, row);
        let field = shares.field(&row);
        (0..shares.units()).map(|unit| shares.share(&row, &field, unit).log_p).sum()
    })
}
