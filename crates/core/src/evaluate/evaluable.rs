//! Measures the log-likelihood of any model that can say a few things about itself: one call for all of them.

use harmonium_kernels::{Key, evaluate as rolls, purpose};
use ndarray::Array1;

use super::ais::{SIGMAS, forward_along, reverse_along};
use super::{Annealing, Interval, Likelihood, Watch, Weights, bennett, bennett_error};
use crate::data::shuffled;
use crate::units::Layer;
use crate::{Annealed, Batch, Error, Rows};

/// Is a model whose likelihood can be measured: what [`log_likelihood`] has to know.
///
/// To implement it, a model says whether and how it is enumerated, gives −F of rows, and gives a path to it from
/// independent visible units. Backward runs need samples, which [`Evaluable::walk`] makes of rows.
pub trait Evaluable {
    /// What the path's runs stand on.
    type State: Clone + Send;

    /// The way from an independent base to the model.
    type Path<'a>: Annealed<State = Self::State>
    where
        Self: 'a;

    /// Tells whether ln Z is computed in no time; then nothing is estimated.
    fn is_enumerable(&self) -> bool;

    /// Computes ln Z exactly, in nats.
    ///
    /// # Errors
    /// Refuses models that are too large for it.
    fn exact_log_z(&self) -> Result<f64, Error>;

    /// Computes ln p(v) + ln Z = −F(v) of rows, in nats: `(n, visible) → n`.
    ///
    /// # Errors
    /// Refuses rows of another width.
    fn unnormalized(&self, rows: &Batch) -> Result<Array1<f64>, Error>;

    /// Tells whether rows have probabilities, which are at most 1, and not densities.
    fn is_discrete(&self) -> bool;

    /// Tells whether [`Evaluable::unnormalized`] gives lower bounds, as where hidden units don't sum out.
    fn is_bounded(&self) -> bool {
        false
    }

    /// Gives the base that is kept with the model, if there is one.
    fn kept_base(&self) -> Option<Layer>;

    /// Fits independent visible units to rows, as with [`crate::data::marginals`].
    ///
    /// # Errors
    /// Refuses rows of another width or kind.
    fn fit_base(&self, rows: &dyn Rows) -> Result<Layer, Error>;

    /// Gives the path from a base.
    ///
    /// # Errors
    /// Refuses a base of another width or kind, and models without an energy.
    fn path_from<'a>(&'a self, base: &'a Layer) -> Result<Self::Path<'a>, Error>;

    /// Lets chains walk to the model from these rows, one from each, for so many sweeps; sweep n draws from `key.fold_in(n)`, and
    /// `watch` hears how many sweeps are done.
    ///
    /// # Errors
    /// Refuses rows of another width.
    fn walk(
        &self,
        starts: &Batch,
        sweeps: u64,
        key: Key,
        watch: &mut dyn FnMut(usize, usize),
    ) -> Result<Self::State, Error>;

    /// Stands one run on each row, drawing from a law q what else it stands on, and gives −E(v, h) − ln q(h | v) of each, in nats, E being what the
    /// path ends at: −F(v) where runs stand on v alone, or where q is the model's own. That is what reverse annealing starts
    /// from ([`super::raise`]).
    ///
    /// # Errors
    /// Refuses rows of another width, and models whose runs stand on no visible units.
    fn stand(&self, _rows: &Batch, _key: Key) -> Result<(Self::State, Array1<f64>), Error> {
        Err(Error::shape(
            "reverse annealing from rows",
            "a model whose runs can stand on rows",
            "another one",
        ))
    }

    /// Tells whether the sweep that ends [`Annealed::retreat`] is the reversal of that of [`Annealed::advance`] in what the run's
    /// weight depends on. Block Gibbs sweeps h ∼ p(h | v), v ∼ p(v | h) are their own, for v alone; the reversal of a sweep over
    /// units one after the other goes the other way. Only then do the runs of both directions obey Crooks' relation,
    /// which Bennett's ratio of them needs.
    fn is_reversible(&self) -> bool {
        false
    }
}

/// Measures the mean log-likelihood of rows: exactly where the model is enumerable; else by annealed importance sampling from
/// a base to the model and from samples of the model back, and by Bennett's ratio of both.
///
/// The base is that of the options, else the model's own, else fitted to the rows that chains start from. A base shapes the
/// variance alone: whatever it is, the mean weight is Z / Z_base.
///
/// # Errors
/// Refuses rows or a base of another width, options out of range, and an estimate whose bracket ([`Likelihood::bracket`])
/// is wider than the options' `widest`.
pub fn log_likelihood<M: Evaluable>(
    model: &M,
    rows: &Batch,
    options: &Annealing<'_>,
    key: Key,
) -> Result<Likelihood, Error> {
    options.check()?;
    if model.is_enumerable() {
        return exact_likelihood(model, rows);
    }
    let options = Annealing { starts: Some(options.starts.unwrap_or(rows)), ..options.clone() };
    annealed_likelihood(model, rows, &options, key, &mut |_, _, _| ())?.certain(options.widest)
}

/// Computes the exact mean log-likelihood of rows.
///
/// # Errors
/// Refuses rows of another width, and models that are too large for it.
pub fn exact_likelihood<M: Evaluable>(model: &M, rows: &Batch) -> Result<Likelihood, Error> {
    let mean = model.unnormalized(rows)?.iter().sum::<f64>() / rows.rows() as f64;
    Ok(Likelihood { is_bound: model.is_bounded(), ..Likelihood::exact(mean, model.exact_log_z()?) })
}

/// Estimates the mean log-likelihood of rows by annealed importance sampling, however uncertain; backward runs only where
/// the options name rows to start from.
///
/// # Errors
/// Refuses rows or a base of another width, and options out of range.
pub fn annealed_likelihood<M: Evaluable>(
    model: &M,
    rows: &Batch,
    options: &Annealing<'_>,
    key: Key,
    watch: &mut Watch<'_>,
) -> Result<Likelihood, Error> {
    options.check()?;
    let unnormalized = model.unnormalized(rows)?;
    let mean = unnormalized.iter().sum::<f64>() / rows.rows() as f64;
    let base = match options.base.cloned().or_else(|| model.kept_base()) {
        Some(base) => base,
        None => model.fit_base(options.starts.unwrap_or(rows))?,
    };
    let (path, runs) = (model.path_from(&base)?, options.ais.runs);
    path.check_path()?;
    let betas = options.ais.betas.along(&path, runs, key, &mut |done, of| watch("placing betas", done, of));
    let (there, up) = forward_along(&path, runs, &betas, key, &mut |done, of| watch("annealing", done, of));
    let mut out = Likelihood::annealed(mean, &there);
    out.is_bound = model.is_bounded();
    out.log_z_least =
        model.is_discrete().then(|| unnormalized.fold(f64::NEG_INFINITY, |most, &x| most.max(x)));
    let Some(starts) = options.starts.filter(|_| options.sweeps > 0) else { return Ok(out) };
    let mut walking = |done: usize, of: usize| watch("walking to the model", done, of);
    let key_of = |use_of| key.fold_in(purpose::EVALUATE).fold_in(use_of);
    let starts = spread(starts, runs, key_of(rolls::ORDER));
    let samples = model.walk(&starts, options.sweeps, key_of(rolls::WALK), &mut walking)?;
    let (back, down) =
        reverse_along(&path, samples, &betas, key, &mut |done, of| watch("back again", done, of));
    out.log_z_reverse = Some((back.log_z, back.interval));
    out.reverse_sweeps = Some(options.sweeps);
    out.reverse_ess = Some(back.ess);
    out.log_z_bennett = model.is_reversible().then(|| between(&up, &down, path.base_log_z())).flatten();
    Ok(out)
}

/// Picks as many rows, all different ones as far as there are enough.
fn spread(rows: &Batch, count: usize, key: Key) -> Batch {
    let order = shuffled(rows.rows(), key, 0);
    rows.gather(order.iter().cycle().take(count).map(|&row| row as usize))
}

/// Estimates ln Z from the runs of both directions: a run's log weight is the work of the way, with its sign (Crooks 2000; Shirts,
/// Bair, Hooker & Pande 2003, equation 8). Gives nothing where a weight is not finite.
fn between(up: &Weights, down: &Weights, base: f64) -> Option<(f64, Interval)> {
    let works: Vec<f64> = up.log().iter().map(|w| mutant!("B192", -w, *w)).collect();
    let ratio = bennett(&works, down.log())?;
    let error = SIGMAS * bennett_error(&works, down.log(), ratio);
    let log_z = base + ratio;
    error.is_finite().then_some((log_z, Interval { low: log_z - error, high: log_z + error }))
}
