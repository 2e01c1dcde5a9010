//! Looks a training over after each epoch and once at its end, on a fixed sample of rows.

use harmonium::doctor::{self, Doctor, Finding, Gap, Pace, Remark};
use harmonium::params::largest;
use harmonium::rbm::Rbm;
use harmonium::rows::{count_by_unit, total};
use harmonium::train::{Schedule, Step, Training};
use harmonium::{Batch, EnergyModel, Error, Gibbs, HasParams, Key, purpose};
use ndarray::{Array1, Array2, ArrayView2};

use crate::metrics::Metric;
use crate::picture::spread;
use crate::recipe::Recipe;

/// Rows of the sample, at least and at most. A row costs one product here and about five in an epoch, so a twentieth of
/// the rows is 1 % of an epoch's work; fewer than 256 would leave the share of active rows too uncertain.
const LEAST: usize = 256;
const MOST: usize = 1000;
const PART: usize = 20;
/// Chains of the last look, the sweeps that lead them from their rows to the model, and those that are looked at.
const CHAINS: usize = 64;
const WARMING: u64 = 100;
const SWEEPS: u64 = 100;
/// The number of these draws among those of [`purpose::EVALUATE`]; the library's own are below 16.
const DRAWS: u64 = 16;

/// Remembers what a training was told already.
pub(crate) struct Checkup {
    doctor: Doctor,
    sample: Batch,
    /// What is wrong with the data, which never changes.
    data: Vec<Remark>,
    rate: Schedule,
    gaps: Vec<f64>,
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
        Ok(Self {
            data: data(shown, recipe, &doctor)?,
            sample: shown.gather(spread(shown.rows(), rows)),
            rate: recipe.fit.learning_rate.clone(),
            gaps: lines.iter().filter_map(|line| line.free_energy_gap).collect(),
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
        seed: u64,
    ) -> Result<Vec<Remark>, Error> {
        let of_the_rate = |r: &&Remark| matches!(r.finding, Finding::RateTooHigh | Finding::RateTooLow);
        let mut found = self.data.clone();
        found.extend(self.machine(rbm)?);
        found.extend(doctor::stuck(self.energies(rbm, seed).view(), &self.doctor));
        if let Some(gap) = gap {
            found.extend(doctor::overfitting(&self.gaps, gap, &self.doctor));
        }
        found.extend(lines.iter().flat_map(|line| &line.remarks).filter(of_the_rate).cloned());
        Ok(found)
    }

    fn machine(&self, rbm: &Rbm) -> Result<Vec<Remark>, Error> {
        let means = rbm.transform(&self.sample)?;
        let (nv, nh) = (rbm.visible_units(), rbm.hidden_units());
        let shape = |e| Error::shape("weights", format!("{nv} x {nh}"), e);
        let weights = ArrayView2::from_shape((nv, nh), weights(rbm)).map_err(shape)?;
        let mut found = doctor::idle(means.view(), &self.doctor);
        found.extend(doctor::duplicates(weights, means.view(), &self.doctor));
        found.extend(doctor::exploding(weights, &self.doctor));
        Ok(found)
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
    fn energies(&self, rbm: &Rbm, seed: u64) -> Array2<f64> {
        let key = Key::from_seed(seed).fold_in(purpose::EVALUATE).fold_in(DRAWS);
        let rows = self.sample.rows();
        let mut state = rbm.clamp(&self.sample.gather(spread(rows, CHAINS)));
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

fn data(rows: &Batch, recipe: &Recipe, options: &Doctor) -> Result<Vec<Remark>, Error> {
    let n = total(rows);
    let means: Vec<f64> = count_by_unit(rows)?.into_iter().map(|ones| ones / n).collect();
    let variances: Vec<f64> = means.iter().map(|p| p * (1.0 - p)).collect();
    let mut found = doctor::constant(&variances, options);
    if recipe.fit.centre.is_none() {
        found.extend(doctor::uncentred(&means, options));
    }
    Ok(found)
}

/// Writes a remark on one line, with the options of the command line that act on it.
pub(crate) fn line(remark: &Remark) -> String {
    let options = options(remark).join(", ");
    let options = if options.is_empty() { options } else { format!(" ({options})") };
    format!("{}: {remark}{options}", remark.severity)
}

/// Names the options of the command line that act on a finding.
pub(crate) fn options(remark: &Remark) -> Vec<String> {
    remark.finding.knobs().iter().map(|knob| format!("--{}", knob.replace('_', "-"))).collect()
}
