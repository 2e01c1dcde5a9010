//! Fits a machine without hidden units to the maximum of its exact likelihood by Newton's method.

use harmonium_core::{Batch, EnergyModel, Error, HasParams};
use harmonium_kernels::parallel;
use serde::{Deserialize, Serialize};

use crate::form::Wide;
use crate::law::Law;
use crate::linear::Cholesky;
use crate::sums::sums;
use crate::{ENUMERABLE, Machine};

/// The most parameters, whose Fisher matrix is factored at each step.
const MAX_PARAMETERS: usize = 2000;

/// Says when the maximum has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Newton {
    /// The largest |⟨statistic⟩ of the model − that of the data| that is left.
    pub tolerance: f64,
    /// Steps before it gives up.
    pub steps: u32,
}

impl Default for Newton {
    fn default() -> Self {
        Self { tolerance: 1e-10, steps: 100 }
    }
}

/// Is the maximum of a likelihood, as it was found in f64.
#[derive(Clone, Debug, PartialEq)]
pub struct Maximum {
    /// The mean of ln p(x) over the rows, in nats.
    pub log_likelihood: f64,
    /// The largest |⟨statistic⟩ of the model − that of the data|.
    pub mismatch: f64,
    /// Newton's steps.
    pub steps: u32,
    /// All parameters before they were rounded, block after block.
    pub parameters: Vec<f64>,
    /// The least standard error of each parameter: (F⁻¹)_kk^½ / √rows, F being the covariance of the statistics (the
    /// Cramér-Rao bound at the maximum).
    pub errors: Vec<f64>,
}

impl Machine {
    /// Fits the machine to these rows: the parameters become those of the largest exact likelihood, rounded to f32 and
    /// couplings to their grid. ln p is concave in them; each step is Newton's, halved until ln p grows.
    ///
    /// Where a state of a unit or of a coupled pair never occurs in the data the largest likelihood is a limit, with parameters
    /// that grow without bound: the fit then ends where the moments are those of the data within the tolerance. Of classes the
    /// parameters are not unique; a ridge of 10⁻⁹ chooses.
    ///
    /// # Errors
    /// Refuses hidden units, third-order or other parameters beyond 2,000, more than 2^20 states, data of another width or
    /// kind or with missing values; and says if the tolerance was not reached in the given steps.
    pub fn maximise(&mut self, data: &Batch, options: Newton) -> Result<Maximum, Error> {
        self.check_visible("exact maximum")?;
        self.check_data(data)?;
        data.check_complete("data")?;
        let parameters: usize = self.blocks().iter().map(|block| block.values.len()).sum();
        if !self.is_enumerable() || parameters > MAX_PARAMETERS {
            let expected = format!("at most 2^{ENUMERABLE} states and {MAX_PARAMETERS} parameters");
            return Err(Error::shape("exact maximum", expected, format!("{parameters} parameters")));
        }
        let rows = data.rows() as f64;
        let target: Vec<f64> =
            sums(self, &self.clamp(data).bits).concat().into_iter().map(|sum| sum / rows).collect();
        let (found, point) =
            Ascent { wide: Wide::like(self), machine: self, target: &target }.climb(options)?;
        let errors = point.spread.inverse();
        let errors = (0..parameters).map(|k| (errors[k * (parameters + 1)] / rows).sqrt()).collect();
        let mut rest = &found[..];
        for block in self.blocks_mut() {
            let (own, behind) = rest.split_at(block.values.len());
            block.values.iter_mut().zip(own).for_each(|(value, &x)| *value = x as f32);
            rest = behind;
        }
        self.settle()?;
        let Point { log_likelihood, mismatch, steps, .. } = point;
        Ok(Maximum { log_likelihood, mismatch, steps, parameters: found, errors })
    }

    /// Gives the covariance of the statistics under the machine's own law, which is its Fisher matrix: `(parameters,
    /// parameters)` row-major, block after block.
    ///
    /// # Errors
    /// Refuses more than 2^20 states and more than 2,000 parameters.
    pub fn fisher(&self) -> Result<Vec<f64>, Error> {
        let wide = Wide::of(&self.view());
        let law = Law::new(&wide.form(), &vec![None; wide.units])?;
        let terms = statistics(&wide);
        if terms.len() > MAX_PARAMETERS {
            return Err(Error::shape(
                "Fisher matrix",
                format!("at most {MAX_PARAMETERS} parameters"),
                terms.len(),
            ));
        }
        let means = self.expected(&law).concat();
        Ok(covariance(&law, &wide, &terms, &means))
    }
}

impl Machine {
    /// Computes the least standard error that any unbiased estimate of each parameter has from so many rows (Cramér-Rao):
    /// (F⁻¹)_kk^½ / √rows, block after block.
    ///
    /// # Errors
    /// As [`Machine::fisher`]; refuses parameters that no data can tell apart, as those of classes are.
    pub fn standard_errors(&self, rows: usize) -> Result<Vec<f64>, Error> {
        let fisher = self.fisher()?;
        let n = fisher.len().isqrt();
        let factor = Cholesky::new(fisher, n).ok_or_else(|| {
            Error::uncertain("standard errors", "a regular Fisher matrix", "a singular one")
        })?;
        let inverse = factor.inverse();
        Ok((0..n).map(|k| (inverse[k * (n + 1)] / rows as f64).sqrt()).collect())
    }

    /// Computes the largest |⟨statistic⟩ of the machine − that of these rows|, hidden units averaged out given them.
    ///
    /// # Errors
    /// Refuses more than 2^20 states, and data of another width or kind or with missing values.
    pub fn moment_mismatch(&self, data: &Batch) -> Result<f64, Error> {
        self.check_data(data)?;
        data.check_complete("data")?;
        let (own, _) = self.model_means()?;
        let sums = self.data_sums(&self.clamp(data).bits)?.concat();
        let off = own.concat().into_iter().zip(sums).map(|(own, sum)| (own - sum / data.rows() as f64).abs());
        Ok(off.fold(0.0, f64::max))
    }
}

/// Climbs ln p for given means of the statistics.
struct Ascent<'a> {
    wide: Wide,
    machine: &'a Machine,
    target: &'a [f64],
}

/// Is where the ascent stands.
struct Point {
    log_likelihood: f64,
    mismatch: f64,
    steps: u32,
    spread: Cholesky,
}

/// The law at some parameters with its means, and the mean log-likelihood.
struct Place {
    law: Law,
    means: Vec<f64>,
    log_likelihood: f64,
}

impl Ascent<'_> {
    fn climb(&self, options: Newton) -> Result<(Vec<f64>, Point), Error> {
        let terms = statistics(&self.wide);
        let mut at = vec![0.0; self.target.len()];
        let mut place = self.place(&at)?;
        for steps in 0..=options.steps {
            let gradient: Vec<f64> =
                self.target.iter().zip(&place.means).map(|(data, model)| data - model).collect();
            let mismatch = gradient.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
            let spread = self.spread(&place, &terms)?;
            if mismatch <= options.tolerance {
                return Ok((at, Point { log_likelihood: place.log_likelihood, mismatch, steps, spread }));
            }
            let step = spread.solve(&gradient);
            (at, place) = self.shorten(&at, &step, place.log_likelihood)?;
        }
        Err(no_maximum(format!("none within {} steps", options.steps)))
    }

    /// Halves a step until ln p does not fall. Near the maximum its last bits are noise.
    fn shorten(&self, at: &[f64], step: &[f64], before: f64) -> Result<(Vec<f64>, Place), Error> {
        let mut share = 1.0;
        while share > 1e-6 {
            let next: Vec<f64> = at.iter().zip(step).map(|(x, dx)| x + share * dx).collect();
            if next.iter().any(|x| x.abs() > 1e3) {
                return Err(no_maximum("parameters that grow without bound"));
            }
            let place = self.place(&next)?;
            if place.log_likelihood >= before - 1e-12 {
                return Ok((next, place));
            }
            share /= 2.0;
        }
        Err(no_maximum("no step that raises the likelihood"))
    }

    fn place(&self, at: &[f64]) -> Result<Place, Error> {
        let form = self.wide.with(at).form();
        let law = Law::new(&form, &vec![None; form.units])?;
        let means = self.machine.expected(&law).concat();
        let data: f64 = at.iter().zip(self.target).map(|(x, mean)| x * mean).sum();
        Ok(Place { log_likelihood: data - law.log_z, law, means })
    }

    /// Factors the covariance of the statistics; of classes it is singular, and a small ridge makes it regular.
    fn spread(&self, place: &Place, terms: &[Vec<(usize, usize)>]) -> Result<Cholesky, Error> {
        let n = terms.len();
        let mut fisher = covariance(&place.law, &self.wide, terms, &place.means);
        if self.wide.width > 1 {
            (0..n).for_each(|k| fisher[k * (n + 1)] += 1e-9);
        }
        Cholesky::new(fisher, n).ok_or_else(|| no_maximum("statistics that do not vary"))
    }
}

fn no_maximum(got: impl std::fmt::Display) -> Error {
    Error::uncertain("exact maximum", "data with a largest likelihood", got)
}

/// Lists the units, with their classes, of each statistic.
fn statistics(wide: &Wide) -> Vec<Vec<(usize, usize)>> {
    let each = |units: &Vec<usize>| {
        let (units, width) = (units.clone(), wide.width);
        (0..width.pow(units.len() as u32)).map(move |at| {
            let class = |place: usize| match (width, units.len() - place) {
                (1, _) => 1,
                (_, 1) => at % width,
                _ => at / width,
            };
            units.iter().enumerate().map(|(place, &unit)| (unit, class(place))).collect()
        })
    };
    wide.terms.iter().flat_map(|(units, _)| each(units).collect::<Vec<_>>()).collect()
}

fn covariance(law: &Law, wide: &Wide, terms: &[Vec<(usize, usize)>], means: &[f64]) -> Vec<f64> {
    let n = terms.len();
    let both = |a: usize, b: usize| {
        let places: Vec<(usize, usize)> = terms[a].iter().chain(&terms[b]).copied().collect();
        let mean = if wide.width > 1 {
            law.probability(&places)
        } else {
            law.product(&places.iter().map(|&(unit, _)| unit).collect::<Vec<_>>(), wide.spins)
        };
        mean - means[a] * means[b]
    };
    let lower = parallel::map(n, |a| (0..=a).map(|b| both(a, b)).collect::<Vec<_>>());
    let mut out = vec![0.0; n * n];
    for (a, row) in lower.iter().enumerate() {
        row.iter().enumerate().for_each(|(b, &x)| (out[a * n + b], out[b * n + a]) = (x, x));
    }
    out
}
