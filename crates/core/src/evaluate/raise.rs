//! Estimates log-likelihoods that err low: anneals from each row down to the base (Burda, Grosse & Salakhutdinov 2015).
//!
//! Annealing from the base up to the model is a directed model of its own: p_ann(v) is the law of where a run ends, x₀ ∼ p₀ and
//! xₖ ∼ Tₖ(· | xₖ₋₁) for k = 1 … K. Walking back from x_K by the reversals T'ₖ of the same sweeps is importance sampling of what led
//! there: as Tₖ(y | x) / T'ₖ(x | y) = fₖ(y) / fₖ(x), the weight telescopes (section 4) to
//!
//! w = f_K(x_K) / (q(h | v) Z₀) · Πₖ fₖ₋₁(xₖ₋₁) / fₖ(xₖ₋₁), and E\[w\] = p_ann(v),
//!
//! x_K being v with whatever else a run stands on drawn from q. There is no Z of the model in it.

use harmonium_kernels::{Key, purpose};
use ndarray::Array1;

use super::ais::walked;
use super::{Betas, Evaluable, Watch, Weights};
use crate::units::Layer;
use crate::{Annealed, Batch, Error};

/// Runs side by side; blocks of rows are walked in turn.
const TOGETHER: usize = 10_000;

/// Forward runs by which adaptive temperatures are placed.
const PILOT: usize = 100;

/// The most runs in all.
const MAX_RUNS: usize = 100_000_000;

/// Says how runs walk down from rows.
#[derive(Clone, Copy, Debug)]
pub struct Raise<'a> {
    /// Runs of each row, whose weights are averaged.
    pub chains: usize,
    /// The temperatures.
    pub betas: Betas,
    /// The independent base; else the model's own.
    pub base: Option<&'a Layer>,
}

impl Default for Raise<'_> {
    fn default() -> Self {
        Self { chains: 10, betas: Betas::Adaptive(10_000), base: None }
    }
}

impl Raise<'_> {
    /// Refuses fewer than two runs a row or too many, and too few or too many temperatures.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(2..=TOGETHER).contains(&self.chains) {
            return Err(Error::option("chains of a row", format!("2 to {TOGETHER}"), self.chains));
        }
        self.betas.check()
    }
}

/// Is a log-likelihood that errs low on average, in nats.
#[derive(Clone, Debug, PartialEq)]
pub struct RaiseEstimate {
    /// ln of the mean weight of each row.
    pub rows: Array1<f64>,
    /// The standard error of each, by the spread of the weights; it is too small where few runs have all the weight.
    pub errors: Array1<f64>,
    /// Their mean.
    pub mean: f64,
    /// Its standard error for these very rows.
    pub error: f64,
    /// Its standard error if the rows are draws from a law whose mean is sought: how rows differ is in it, too. Infinite for one row.
    pub error_of_rows: f64,
    /// Effective number of runs, mean over rows.
    pub ess: f64,
}

/// Estimates the log-likelihood of rows by reverse annealing: unbiased weights of p_ann(v), the law of where annealing forward along the
/// same temperatures ends, so that the mean of `ln p̂` is at most that of ln p_ann by Jensen's inequality.
///
/// What that bounds: p_ann is normalised, and over rows of the model itself its mean logarithm is lower than that of p by their
/// Kullback–Leibler divergence, which more temperatures shrink. For a single row, or rows unlike the model's, p_ann(v) may exceed p(v), as
/// it lies between base and model. Where annealing up flatters a model by too low a ln Z, this does not. Rows of samples and of data that
/// the model fits are where the bound is meant to be used.
///
/// The base is that of the options, else the model's own; none is fitted here, since p_ann would know the rows then. Row r has the streams
/// `r · chains` and on, of blocks of at most 10,000 runs.
///
/// # Errors
/// Refuses options out of range, rows or a base of another width, models without a base, and those whose runs can't stand on rows
/// ([`Evaluable::stand`]).
pub fn raise<M: Evaluable>(
    model: &M,
    rows: &Batch,
    options: &Raise<'_>,
    key: Key,
    watch: &mut Watch<'_>,
) -> Result<RaiseEstimate, Error> {
    options.check()?;
    let (chains, count) = (options.chains, rows.rows());
    if count.saturating_mul(chains) > MAX_RUNS {
        let expected = format!("at most {MAX_RUNS} runs of all rows");
        return Err(Error::option("chains of a row", expected, chains));
    }
    let no_base = || Error::option("base", "one given, or one kept with the model", "none");
    let base = options.base.cloned().or_else(|| model.kept_base()).ok_or_else(no_base)?;
    let path = model.path_from(&base)?;
    path.check_path()?;
    let key = key.fold_in(purpose::AIS).fold_in(3);
    let betas = options.betas.along(&path, PILOT, key, &mut |done, of| watch("placing betas", done, of));
    let falling: Vec<f32> = betas.iter().rev().copied().collect();
    // The last sweep on the way up is one at β = 1, where nothing is gained.
    let falling: Vec<f32> = mutant!("B342", vec![1.0], vec![]).into_iter().chain(falling).collect();
    let (block, steps) = ((TOGETHER / chains).max(1), falling.len() - 1);
    let (mut found, blocks) = (Vec::with_capacity(count), count.div_ceil(block));
    for at in 0..blocks {
        let own = at * block..count.min((at + 1) * block);
        let repeated = rows.gather(own.flat_map(|row| std::iter::repeat_n(row, chains)));
        let key = key.fold_in(at as u64);
        let (state, unnormalized) = model.stand(&repeated, key.fold_in(0))?;
        let mut heard = |done, _| watch("walking down from rows", at * steps + done, blocks * steps);
        let gains = walked(M::Path::retreat, &path, state, &falling, key, &mut heard);
        let start = unnormalized.iter().map(|f| mutant!("B343", f - path.base_log_z(), *f));
        let logs: Vec<f64> = start.zip(gains.log()).map(|(start, gain)| start + gain).collect();
        found.extend(logs.chunks(chains).map(|row| Weights::new(row.to_vec())));
    }
    Ok(summed(&found))
}

fn summed(found: &[Weights]) -> RaiseEstimate {
    let n = found.len() as f64;
    let rows: Array1<f64> = found.iter().map(Weights::log_mean).collect();
    let mean = rows.sum() / n;
    let errors: Array1<f64> = found.iter().map(Weights::relative_error).collect();
    let squares: f64 = errors.iter().map(|error| error * error).sum();
    let spread: f64 = rows.iter().map(|row| (row - mean).powi(2)).sum();
    let error_of_rows = if found.len() < 2 { f64::INFINITY } else { (spread / (n - 1.0) / n).sqrt() };
    let ess = found.iter().map(Weights::effective).sum::<f64>() / n;
    RaiseEstimate { rows, errors, mean, error: squares.sqrt() / n, error_of_rows, ess }
}
