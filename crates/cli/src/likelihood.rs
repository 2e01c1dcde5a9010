//! Measures log-likelihoods and refuses to give out what is too uncertain.

use harmonium::evaluate::{
    Ais, Annealing, Comparison, Interval, Likelihood, Memory, Order, Raise, RaiseEstimate, raise,
};
use harmonium::rbm::Rbm;
use harmonium::units::Units;
use harmonium::{Batch, Error, Key};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::args::{Method, Output};
use crate::clock::Clock;
use crate::console;

/// The widest interval, in nats, that is given out without being asked to.
const WIDEST: f64 = 3.0;

/// Holds the figures of an evaluation, in nats and means over rows; what does not apply is null.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) method: String,
    pub(crate) rows: usize,
    pub(crate) log_z: Option<f64>,
    pub(crate) log_z_interval: Option<[Option<f64>; 2]>,
    pub(crate) log_z_reverse: Option<f64>,
    pub(crate) log_z_reverse_interval: Option<[Option<f64>; 2]>,
    /// ln Z of both directions together, by Bennett's ratio of their weights.
    #[serde(default)]
    pub(crate) log_z_bennett: Option<f64>,
    #[serde(default)]
    pub(crate) log_z_bennett_interval: Option<[Option<f64>; 2]>,
    /// Between what ln Z lies by all that is known of it: what is too wide is refused.
    #[serde(default)]
    pub(crate) log_z_bracket: Option<[Option<f64>; 2]>,
    /// Sweeps that the chains of the backward runs were given to reach the model.
    pub(crate) reverse_sweeps: Option<u64>,
    pub(crate) ess: Option<f64>,
    pub(crate) runs: Option<usize>,
    pub(crate) betas: Option<usize>,
    pub(crate) log_likelihood: Option<f64>,
    pub(crate) log_likelihood_interval: Option<[Option<f64>; 2]>,
    pub(crate) mean_unnormalized: f64,
    /// None for visible units that have not two states.
    pub(crate) pseudo_log_likelihood: Option<f64>,
    pub(crate) seconds: f64,
    /// What annealing down from rows gives, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raise: Option<Raised>,
    /// How samples compare with the rows, where some were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) samples: Option<Comparison>,
}

/// Runs of a row that anneal down.
const CHAINS: usize = 10;

/// Is a log-likelihood by reverse annealing, which errs low: mean over its rows, in nats.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Raised {
    pub(crate) rows: usize,
    pub(crate) chains: usize,
    pub(crate) log_likelihood: f64,
    /// Standard error for these rows.
    pub(crate) error: f64,
    /// Standard error if they stand for others, too; none for one row.
    pub(crate) error_of_rows: Option<f64>,
    pub(crate) ess: f64,
}

impl Raised {
    /// Says it in one line, for whom the rows stand for others.
    pub(crate) fn sentence(&self) -> String {
        let Self { rows, chains, log_likelihood, error, ess, .. } = self;
        let others =
            self.error_of_rows.map_or(String::new(), |error| format!(", {error:.2} with that of rows"));
        format!(
            "reverse annealing {log_likelihood:.2} nats a row, which errs low: standard error {error:.2}{others}, {rows} rows, effective runs {ess:.1} of {chains}"
        )
    }
}

/// Anneals down from some rows, spread evenly over all.
///
/// # Errors
/// Refuses rows of another width and options out of range.
pub(crate) fn raised(
    rbm: &Rbm,
    rows: &Batch,
    count: usize,
    annealing: &Annealing<'_>,
    key: Key,
    output: Output,
) -> Result<Raised, Error> {
    let (all, count) = (rows.rows(), count.min(rows.rows()));
    let some = rows.gather((0..count).map(|at| at * all / count));
    let base = annealing.base.or(Some(rbm.base()));
    let options = Raise { chains: CHAINS, betas: annealing.ais.betas, base };
    let bar = console::bar(output, 1, "walking down from rows");
    let found = raise(rbm, &some, &options, key, &mut |stage, done, of| show(&bar, stage, done, of));
    bar.finish_and_clear();
    let RaiseEstimate { mean, error, error_of_rows, ess, .. } = found?;
    let error_of_rows = error_of_rows.is_finite().then_some(error_of_rows);
    Ok(Raised { rows: count, chains: CHAINS, log_likelihood: mean, error, error_of_rows, ess })
}

/// Chooses enumeration where it takes no time.
pub(crate) fn default_method(rbm: &Rbm) -> Method {
    if rbm.is_enumerable() { Method::Exact } else { Method::Ais }
}

/// Tells whether there is a pseudo-likelihood: of visible units with two states alone.
pub(crate) fn has_pseudo(rbm: &Rbm) -> bool {
    matches!(rbm.visible().units(), Units::Bernoulli(_) | Units::Spin(_))
}

/// Measures a model on rows.
///
/// # Errors
/// Refuses rows of another width and options out of range.
pub(crate) fn measure(
    rbm: &Rbm,
    rows: &Batch,
    method: Method,
    annealing: &Annealing<'_>,
    key: Key,
    output: Output,
) -> Result<Figures, Error> {
    let clock = Clock::start();
    let likelihood = match method {
        Method::Exact => Some(rbm.exact_likelihood(rows)?),
        Method::Ais => Some(anneal(rbm, rows, annealing, key, output)?),
        Method::Pseudo => None,
    };
    let mut figures = figures(rbm, rows, method, annealing.ais, likelihood)?;
    figures.seconds = clock.seconds();
    Ok(figures)
}

fn anneal(
    rbm: &Rbm,
    rows: &Batch,
    annealing: &Annealing<'_>,
    key: Key,
    output: Output,
) -> Result<Likelihood, Error> {
    let bar = console::bar(output, 1, "annealing");
    let found =
        rbm.annealed_likelihood(rows, annealing, key, &mut |stage, done, of| show(&bar, stage, done, of));
    bar.finish_and_clear();
    found
}

fn show(bar: &ProgressBar, stage: &str, done: usize, of: usize) {
    if bar.message() != stage {
        bar.reset();
        bar.set_message(stage.to_owned());
    }
    bar.set_length(of as u64);
    bar.set_position(done as u64);
}

fn figures(
    rbm: &Rbm,
    rows: &Batch,
    method: Method,
    ais: Ais,
    likelihood: Option<Likelihood>,
) -> Result<Figures, Error> {
    let pseudo = if has_pseudo(rbm) || method == Method::Pseudo {
        Some(rbm.pseudo_log_likelihood(rows)?.iter().sum::<f64>() / rows.rows() as f64)
    } else {
        None
    };
    let annealed = method == Method::Ais;
    Ok(Figures {
        method: format!("{method:?}").to_lowercase(),
        rows: rows.rows(),
        log_z: likelihood.map(|l| l.log_z),
        log_z_interval: likelihood.map(|l| ends(l.log_z_interval)),
        log_z_reverse: likelihood.and_then(|l| l.log_z_reverse).map(|(log_z, _)| log_z),
        log_z_reverse_interval: likelihood.and_then(|l| l.log_z_reverse).map(|(_, interval)| ends(interval)),
        log_z_bennett: likelihood.and_then(|l| l.log_z_bennett).map(|(log_z, _)| log_z),
        log_z_bennett_interval: likelihood.and_then(|l| l.log_z_bennett).map(|(_, interval)| ends(interval)),
        log_z_bracket: likelihood.map(|l| ends(l.bracket())),
        reverse_sweeps: likelihood.and_then(|l| l.reverse_sweeps),
        ess: likelihood.and_then(|l| l.ess),
        runs: annealed.then_some(ais.runs),
        betas: annealed.then(|| ais.betas.count()),
        log_likelihood: likelihood.map(|l| l.log_likelihood),
        log_likelihood_interval: likelihood.map(|l| ends(l.log_likelihood_interval)),
        mean_unnormalized: match likelihood {
            Some(l) => l.mean_unnormalized,
            None => rbm.mean_unnormalized(rows)?,
        },
        pseudo_log_likelihood: pseudo,
        seconds: 0.0,
        raise: None,
        samples: None,
    })
}

/// Writes an unbounded end as null, as JSON has no infinity.
fn ends(interval: Interval) -> [Option<f64>; 2] {
    [interval.low, interval.high].map(|end| end.is_finite().then_some(end))
}

impl Figures {
    /// Gives the width of what is known of ln Z, from both directions; infinite where an end is open.
    pub(crate) fn width(&self) -> f64 {
        match self.log_z_bracket {
            Some([Some(low), Some(high)]) => high - low,
            Some(_) => f64::INFINITY,
            None => 0.0,
        }
    }

    /// Refuses an estimate whose interval is too wide to mean anything.
    ///
    /// # Errors
    /// Says how wide it is and what helps.
    pub(crate) fn certain(&self) -> Result<(), Error> {
        if self.width() <= WIDEST {
            return Ok(());
        }
        let expected =
            format!("an interval of at most {WIDEST} nats (more runs or betas; --force prints it anyway)");
        Err(Error::uncertain("log_z", expected, format!("{:.2} nats", self.width())))
    }

    /// Says the log-likelihood with its interval in one line.
    pub(crate) fn sentence(&self) -> String {
        match (self.log_likelihood, self.log_likelihood_interval) {
            (Some(mean), Some(_)) if self.method == "exact" => {
                format!("log-likelihood {mean:.4} nats a row, exact")
            }
            (Some(mean), Some([low, high])) => {
                let (low, high) = (nats(low, "-inf"), nats(high, "inf"));
                format!("log-likelihood {mean:.2} nats a row, 3σ [{low}, {high}], {}", self.how())
            }
            _ => {
                let pseudo = self.pseudo_log_likelihood.unwrap_or(f64::NAN);
                format!("pseudo log-likelihood {pseudo:.2} nats a row (no likelihood)")
            }
        }
    }

    /// Says what the annealing rests on: its effective runs, and what the way back gave.
    pub(crate) fn how(&self) -> String {
        let ess = format!("effective runs {:.0}", self.ess.unwrap_or_default());
        match (self.log_z_reverse, self.log_z_reverse_interval) {
            (Some(log_z), Some([low, high])) => {
                let less = |end: Option<f64>| end.map(|end| self.mean_unnormalized - end);
                let (low, high) = (nats(less(high), "-inf"), nats(less(low), "inf"));
                let sweeps = self.reverse_sweeps.unwrap_or_default();
                let mean = self.mean_unnormalized - log_z;
                format!("{ess}, reverse {mean:.2} [{low}, {high}] after {sweeps} sweeps")
            }
            _ => ess,
        }
    }
}

/// Says how samples compare with rows, a measure a line.
pub(crate) fn lines(found: &Comparison, seen: &str) -> Vec<String> {
    let orders =
        [("first", found.moments.first), ("second", found.moments.second), ("third", found.moments.third)];
    let order = |(name, order): (&str, Order)| {
        let Order { terms, rms, noise, largest } = order;
        format!(
            "moments of {name} order: rms difference {rms:.5}, noise {noise:.5}, largest {largest:.1} errors of {terms}"
        )
    };
    let mmd = found.mmd;
    let p = mmd.p_value.map_or(String::new(), |p| format!(", p {p:.3}"));
    let near = found.adversarial;
    let memory = found.memory.map(|memory| {
        let Memory { ratio, nearer, copies, coincidences, .. } = memory;
        format!(
            "nearest {seen}: distance {ratio:.3} of that to the data, nearer {nearer:.3} (ideal 0.5), copies {copies:.3} ({coincidences:.3} of the data)"
        )
    });
    let rest = [
        format!("MMD² {:.3e}{p}, kernel length {:.3}", mmd.squared, mmd.scale),
        format!("adversarial accuracy {:.3} (ideal 0.5)", near.accuracy),
    ];
    orders.map(order).into_iter().chain(rest).chain(memory).collect()
}

/// Writes an end of an interval; an open one by its name.
fn nats(end: Option<f64>, open: &str) -> String {
    end.map_or(open.to_owned(), |end| format!("{end:.2}"))
}
