//! Looks a training over after each epoch and once at its end, on a fixed sample of rows.

use harmonium::data::Fields;
use harmonium::doctor::{self, Doctor, Finding, Gap, Pace, Remark};
use harmonium::params::largest;
use harmonium::rbm::Rbm;
use harmonium::rows::{count_by_unit, moments, total};
use harmonium::train::{Schedule, Step, Training};
use harmonium::units::{Layer, Units};
use harmonium::{Batch, EnergyModel, Error, Gibbs, HasParams, Key, purpose};
use ndarray::{Array1, Array2, ArrayView2};

use crate::estimator::Estimator;
use crate::likelihood::Figures;
use crate::metrics::Metric;
use crate::outcome::Chains;
use crate::picture::spread;
use crate::recipe::Recipe;
use crate::{defaults, gaps, hidden};

/// Rows of the sample, at least and at most. A row costs one product here and about five in an epoch, so a twentieth of
/// the rows is 1 % of an epoch's work; fewer than 256 would leave the share of active rows too uncertain.
const LEAST: usize = 256;
const MOST: usize = 1000;
const PART: usize = 20;
/// Chains of the last look, the sweeps that lead them from their rows to the model, and those that are looked at.
const CHAINS: usize = 64;
const WARMING: u64 = 100;
const SWEEPS: u64 = 100;
/// Columns that a remark calls by their names.
const NAMED: usize = 5;
/// What to do about columns that a scale for all values cannot help.
const RARE: &str =
    "they were scaled by their rare large values; leave them out, or describe them as bits or counts";
/// The number of these draws among those of [`purpose::EVALUATE`]; the library's own are below 16.
const DRAWS: u64 = 16;

/// Remembers what a training was told already.
pub(crate) struct Checkup {
    doctor: Doctor,
    sample: Batch,
    estimator: Estimator,
    seed: u64,
    /// What the columns are called, if they have names.
    names: Option<Vec<String>>,
    /// Means and variances of the columns, in the data's own units.
    moments: (Vec<f64>, Vec<f64>),
    /// What is wrong with the data, which never changes.
    data: Vec<Remark>,
    rate: Schedule,
    gaps: Vec<f64>,
    /// Shares of accepted swaps at the last epoch.
    rates: Vec<f64>,
    told: Vec<Finding>,
    /// The weights before the last update of an epoch.
    before: Vec<f32>,
}

impl Checkup {
    /// Prepares the checks; `lines` are the epochs of the run so far.
    ///
    /// # Errors
    /// Says which rows could not be read.
    pub(crate) fn new(shown: &Batch, recipe: &Recipe, lines: &[Metric]) -> Result<Self, Error> {
        let doctor = Doctor::default();
        let rows = shown.rows().min((shown.rows() / PART).clamp(LEAST, MOST));
        let told = lines.iter().flat_map(|line| line.remarks.iter().map(|remark| remark.finding));
        let moments = columns(shown)?;
        let names = recipe.fields()?.and_then(|fields| names(&fields));
        let named = |remark| called(names.as_deref(), remark);
        Ok(Self {
            data: data(&moments, recipe, &doctor).into_iter().map(named).collect(),
            names,
            moments,
            estimator: recipe.estimator.clone(),
            seed: recipe.seed,
            sample: shown.gather(spread(shown.rows(), rows)),
            rate: recipe.fit.learning_rate.clone(),
            gaps: lines.iter().filter_map(|line| line.free_energy_gap).collect(),
            rates: Vec::new(),
            told: told.collect(),
            before: Vec::new(),
            doctor,
        })
    }

    /// Keeps the weights if the next update is the last of an epoch.
    pub(crate) fn prepare(&mut self, model: &Rbm, training: &Training) {
        if (training.step() + 1).is_multiple_of(training.batches()) {
            self.before.clear();
            self.before.extend_from_slice(weights(model));
        }
    }

    /// Gives what was not told before.
    ///
    /// # Errors
    /// Refuses a model of another width.
    pub(crate) fn epoch(&mut self, step: &Step<'_, Rbm>, gap: Option<&Gap>) -> Result<Vec<Remark>, Error> {
        let mut found = self.data.clone();
        found.extend(self.machine(step.model)?);
        self.rates = self.estimator.swap_rates(step.model, &step.good.kept)?;
        found.extend(doctor::swaps(&self.rates, &self.doctor));
        found.extend(doctor::pace(&self.pace(step), &self.doctor));
        if let Some(gap) = gap {
            found.extend(doctor::overfitting(&self.gaps, gap, &self.doctor));
            self.gaps.push(gap.mean);
        }
        found.retain(|remark| !self.told.contains(&remark.finding));
        self.told.extend(found.iter().map(|remark| remark.finding));
        Ok(found)
    }

    /// Looks at the finished machine; `gap` compares its training and validation rows. What was said of the rate stays, as
    /// no finished machine can contradict it.
    ///
    /// # Errors
    /// Refuses a model of another width.
    pub(crate) fn finish(
        &self,
        rbm: &Rbm,
        gap: Option<&Gap>,
        lines: &[Metric],
    ) -> Result<(Vec<Remark>, Chains), Error> {
        let lasting = |r: &&Remark| {
            matches!(r.finding, Finding::RateTooHigh | Finding::RateTooLow | Finding::RareSwaps)
        };
        let mut found = self.data.clone();
        found.extend(self.machine(rbm)?);
        let energies = self.energies(rbm);
        found.extend(doctor::stuck(energies.view(), &self.doctor));
        if let Some(gap) = gap {
            found.extend(doctor::overfitting(&self.gaps, gap, &self.doctor));
        }
        found.extend(lines.iter().flat_map(|line| &line.remarks).filter(lasting).cloned());
        let effective = doctor::effective(energies.view()) / energies.ncols() as f64;
        let swap_rates = self.rates.iter().map(|&rate| Some(rate).filter(|rate| rate.is_finite())).collect();
        Ok((found, Chains { effective, sweeps: SWEEPS, swap_rates }))
    }

    fn machine(&self, rbm: &Rbm) -> Result<Vec<Remark>, Error> {
        let rows = gaps::filled(rbm, &self.sample, self.seed);
        let means = rbm.transform(&rows)?;
        let (nv, nh) = (rbm.visible_units(), rbm.hidden_units());
        let shape = |e| Error::shape("weights", format!("{nv} x {nh}"), e);
        let weights = ArrayView2::from_shape((nv, nh), weights(rbm)).map_err(shape)?;
        let mut found = Vec::new();
        if let Some(means) = hidden::probabilities(rbm.hidden(), means.view()) {
            found.extend(doctor::idle(means.view(), &self.doctor));
            found.extend(doctor::duplicates(weights, means.view(), &self.doctor));
        } else {
            let noise = hidden::noise(rbm.hidden(), means.view());
            found.extend(doctor::silent(means.view(), &noise, &self.doctor));
            found.extend(doctor::duplicates(weights, doctor::squashed(means.view()).view(), &self.doctor));
        }
        found.extend(doctor::exploding(weights, &self.doctor));
        found.extend(self.scale(rbm));
        Ok(found)
    }

    /// Looks at real columns as the machine sees them: at their scale, and at the variances that it has learnt.
    fn scale(&self, rbm: &Rbm) -> Vec<Remark> {
        let (means, variances) = match rbm.scaling() {
            Some(scaling) => scaling.of_moments(self.moments.clone()),
            None => self.moments.clone(),
        };
        let mut real = means.iter().map(|_| false).collect::<Vec<_>>();
        let mut own = vec![f64::NAN; means.len()];
        for (layer, first) in parts(rbm.visible()) {
            let is_real = matches!(
                layer.units(),
                Units::Gaussian(_) | Units::Diagonal(_) | Units::Relu(_) | Units::Drelu(_)
            );
            real[first..first + layer.features()].fill(is_real);
            if let (Units::Diagonal(_), Layer::Gaussian(layer)) = (layer.units(), &layer) {
                let learned = layer.log_variance().iter().map(|&z| f64::from(z).exp());
                own[first..].iter_mut().zip(learned).for_each(|(own, variance)| *own = variance);
            }
        }
        // Columns of other kinds stand for themselves: a variance of 0 is left out by both.
        let only = |of: &dyn Fn(usize) -> bool| -> Vec<f64> {
            (0..variances.len()).map(|f| if of(f) { variances[f] } else { 0.0 }).collect()
        };
        let mut found = doctor::unscaled(&means, &only(&|f| real[f]), &self.doctor);
        if rbm.scaling().is_some() {
            found.iter_mut().for_each(|remark| RARE.clone_into(&mut remark.advice));
        }
        found.extend(doctor::variances(&own, &only(&|f| own[f].is_finite()), &self.doctor));
        found.into_iter().map(|remark| called(self.names.as_deref(), remark)).collect()
    }

    fn pace(&self, step: &Step<'_, Rbm>) -> Pace {
        let training = step.training;
        let (last, total) = (training.step().saturating_sub(1), training.total());
        let rate = |step: u64| self.rate.at(step, total, (step / training.batches()) as u32);
        Pace {
            change: doctor::relative_change(&self.before, weights(step.model)),
            largest: largest(weights(step.model)).into(),
            declined: (rate(last) / rate(0)).min(1.0),
            epoch: training.epoch(),
            batches: training.batches(),
            total,
            retries: step.good.rate.1,
        }
    }

    /// Computes the free energies of chains that have left their rows: `(sweeps, chains)`.
    fn energies(&self, rbm: &Rbm) -> Array2<f64> {
        let key = Key::from_seed(self.seed).fold_in(purpose::EVALUATE).fold_in(DRAWS);
        let rows = self.sample.rows();
        let starts = self.sample.gather(spread(rows, CHAINS));
        let mut state = rbm.clamp(&gaps::filled(rbm, &starts, self.seed));
        rbm.run(&mut state, 0..WARMING, key);
        let mut out = Array2::zeros((SWEEPS as usize, CHAINS.min(rows)));
        for (sweep, mut row) in (WARMING..).zip(out.outer_iter_mut()) {
            rbm.sweep(&mut state, key.fold_in(sweep));
            row.assign(&Array1::from(rbm.view().free_energies(state.visible())));
        }
        out
    }
}

/// Lends the weights that the optimiser moves, `visible × hidden`.
fn weights(rbm: &Rbm) -> &[f32] {
    rbm.blocks().into_iter().next().map_or(&[], |block| block.values)
}

/// Names the features of a table: by their columns, and classes beside them.
fn names(fields: &Fields) -> Option<Vec<String>> {
    let mut names = vec![String::new(); fields.features()];
    for field in &fields.each {
        for class in 0..field.kind.width() {
            let class_name = if field.kind.width() > 1 {
                format!(" = {}", field.show(class as f32))
            } else {
                String::new()
            };
            names[field.first + class] = format!("{}{class_name}", field.name);
        }
    }
    (!defaults::are_pictures(fields)).then_some(names)
}

/// Calls the columns of a remark by their names.
fn called(names: Option<&[String]>, mut remark: Remark) -> Remark {
    let known = remark.units.iter().take(NAMED).filter_map(|&unit| names?.get(unit).map(String::as_str));
    let known = known.collect::<Vec<_>>().join(", ");
    if !known.is_empty() {
        let more = if remark.units.len() > NAMED { ", …" } else { "" };
        remark.found = format!("{} ({known}{more})", remark.found);
    }
    remark
}

/// Gives the parts of a layer, each with its first feature.
fn parts(layer: &Layer) -> Vec<(Layer, usize)> {
    match layer {
        Layer::Mixed(mixed) => mixed.parts().into_iter().map(|(part, place)| (part, place.start)).collect(),
        other => vec![(other.clone(), 0)],
    }
}

/// Computes means and variances of the columns: p and p (1 − p) of bits.
fn columns(rows: &Batch) -> Result<(Vec<f64>, Vec<f64>), Error> {
    if rows.bits().is_err() || rows.missing().is_some() {
        return moments(rows);
    }
    let n = total(rows);
    let means: Vec<f64> = count_by_unit(rows)?.into_iter().map(|ones| ones / n).collect();
    let variances = means.iter().map(|p| p * (1.0 - p)).collect();
    Ok((means, variances))
}

fn data((means, variances): &(Vec<f64>, Vec<f64>), recipe: &Recipe, options: &Doctor) -> Vec<Remark> {
    let mut found = doctor::constant(variances, options);
    let bits =
        recipe.schema.as_ref().is_none_or(|schema| schema.units().is_ok_and(|units| units.is_binary()));
    if recipe.fit.centre.is_none() && bits {
        found.extend(doctor::uncentred(means, options));
    }
    found
}

/// Judges the annealing that measured the likelihood, if there was one.
pub(crate) fn annealing(figures: Option<&Figures>) -> Vec<Remark> {
    let found = figures.and_then(|figures| figures.ess.zip(figures.runs));
    found.map_or(Vec::new(), |(effective, runs)| doctor::runs(effective, runs, &Doctor::default()))
}

/// Writes a remark on one line, with the options of the command line that act on it.
pub(crate) fn line(remark: &Remark) -> String {
    let options = options(remark).join(", ");
    let options = if options.is_empty() { options } else { format!(" ({options})") };
    format!("{}: {remark}{options}", remark.severity)
}

/// Names the options of the command line that act on a finding.
pub(crate) fn options(remark: &Remark) -> Vec<String> {
    let knobs = match remark.finding {
        Finding::ConstantColumns => &["drop"][..],
        Finding::Unscaled => &["drop", "schema"],
        Finding::Variance => &["learning_rate", "visible", "schema"],
        Finding::RareSwaps => &["rungs", "lowest_beta", "threshold"],
        other => other.knobs(),
    };
    knobs.iter().map(|knob| format!("--{}", knob.replace('_', "-"))).collect()
}
