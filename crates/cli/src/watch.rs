//! Watches a training: bar, figures, checkpoints, Ctrl-C.

use std::ops::ControlFlow;
use std::time::Duration;

use harmonium::doctor::Gap;
use harmonium::persist::Checkpoints;
use harmonium::profile::Recording;
use harmonium::rbm::{Origin, Rbm};
use harmonium::rows::moments;
use harmonium::train::{Observer, Snapshot, Step};
use harmonium::units::{Scaling, Unit, Units};
use harmonium::{Batch, Error, Key, Marginal};
use indicatif::ProgressBar;

use crate::args::Output;
use crate::checkup::{self, Checkup};
use crate::clock::Clock;
use crate::metrics::{Metric, Metrics};
use crate::profile::{Done, Profile};
use crate::stop::Stopper;
use crate::{console, gaps, interrupt, likelihood};

/// Time between two checkpoints within an epoch.
const PAUSE: Duration = Duration::from_secs(60);
/// Rows that the figures of an epoch are computed on.
const PROXY_ROWS: usize = 256;
/// Rows that the deviations of the columns are computed on.
const MOMENT_ROWS: usize = 1000;
/// Rows of either side of the free-energy gap.
const GAP_ROWS: usize = 10_000;

/// Holds the rows that figures are computed on.
pub(crate) struct Probe {
    rows: Batch,
    gap: Option<(Batch, Batch)>,
    /// The standard deviation of each column.
    deviations: Vec<f64>,
    seed: u64,
}

/// Holds how well a machine knows rows.
#[derive(Clone, Copy, Default)]
struct Proxies {
    pseudo: Option<f64>,
    reconstruction: Option<f64>,
    error: f64,
}

/// Is the observer of the command line.
pub(crate) struct Watch<'a> {
    pub(crate) output: Output,
    pub(crate) checkpoints: Checkpoints<'a>,
    pub(crate) origin: Origin,
    pub(crate) metrics: Metrics,
    pub(crate) probe: Probe,
    pub(crate) checks: Checks,
    pub(crate) bar: ProgressBar,
    notices: Vec<String>,
    saved: Option<u64>,
    since_save: Clock,
    since_epoch: Clock,
    rows: usize,
    done: Done,
    failure: Option<Error>,
}

/// Holds what looks at a machine besides its figures.
pub(crate) struct Checks {
    pub(crate) checkup: Checkup,
    /// What ends the training early, if anything does.
    pub(crate) stopper: Option<Stopper>,
}

/// Holds what is left of a watch.
pub(crate) struct Watched {
    pub(crate) metrics: Metrics,
    pub(crate) probe: Probe,
    pub(crate) checks: Checks,
    /// The step of the last checkpoint.
    pub(crate) saved: Option<u64>,
    pub(crate) profile: Option<Profile>,
}

impl Probe {
    /// Takes the first training rows, and whole validation rows where there are some.
    ///
    /// # Errors
    /// Says what could not be read.
    pub(crate) fn new(train: &Batch, validation: Option<&Batch>, seed: u64) -> Result<Self, Error> {
        let first = |rows: &Batch, most: usize| rows.gather(0..rows.rows().min(most));
        let whole = (gaps::whole(train), validation.and_then(gaps::whole));
        let gap = if let (Some(train), Some(rows)) = whole {
            let held_out = first(&rows, GAP_ROWS);
            Some((first(&train, held_out.rows()), held_out))
        } else {
            None
        };
        let deviations = moments(&first(train, MOMENT_ROWS))?.1.into_iter().map(f64::sqrt).collect();
        Ok(Self { rows: first(train, PROXY_ROWS), gap, deviations, seed })
    }

    /// Computes the figures of an epoch; what is missing in the rows is drawn.
    fn proxies(&self, rbm: &Rbm) -> Result<Proxies, Error> {
        let (rows, n) = (gaps::filled(rbm, &self.rows, self.seed), self.rows.rows() as f64);
        let pseudo = if likelihood::has_pseudo(rbm) {
            Some(rbm.pseudo_log_likelihood(&rows)?.iter().sum::<f64>() / n)
        } else {
            None
        };
        if matches!(rbm.visible().units(), Units::Bernoulli(_)) {
            return Ok(Proxies { pseudo, error: self.wrong_bits(rbm, &rows)?, ..Proxies::default() });
        }
        let reconstruction = Some(reconstruction(rbm, &rows, Key::from_seed(self.seed)));
        Ok(Proxies { pseudo, reconstruction, error: self.deviation(rbm, &rows)? })
    }

    /// Counts the wrong bits a row when each pixel takes its more likely value.
    fn wrong_bits(&self, rbm: &Rbm, rows: &Batch) -> Result<f64, Error> {
        let (means, bits) = (rbm.reconstruct(rows, Key::from_seed(self.seed))?, rows.bits()?);
        let wrong = means.indexed_iter().filter(|&((r, u), &p)| (p > 0.5) != bits.get(r, u)).count();
        Ok(wrong as f64 / rows.rows() as f64)
    }

    /// Computes the root mean square of what reconstructions miss, each column in its own standard deviation: 1 is as bad as the
    /// column's mean.
    fn deviation(&self, rbm: &Rbm, rows: &Batch) -> Result<f64, Error> {
        let (means, data) =
            (rbm.reconstruct(rows, Key::from_seed(self.seed))?, rbm.visible().features_of(rows.states()));
        let sign = if rbm.visible().signs() { 2.0 } else { 1.0 };
        let (mut square, mut count) = (0.0, 0);
        for ((&mean, &x), deviation) in means.iter().zip(&data).zip(self.deviations.iter().cycle()) {
            if *deviation > 0.0 {
                square += ((f64::from(mean) - f64::from(x)) / (sign * deviation)).powi(2);
                count += 1;
            }
        }
        Ok((square / f64::from(count.max(1))).sqrt())
    }

    /// Compares training and validation rows, where there are some.
    pub(crate) fn free_energy_gap(&self, rbm: &Rbm) -> Result<Option<Gap>, Error> {
        let Some((train, held_out)) = &self.gap else { return Ok(None) };
        Ok(Some(Gap::of(&rbm.free_energy(train)?.to_vec(), &rbm.free_energy(held_out)?.to_vec())))
    }
}

/// Computes the mean of ln p(v given h) of whole rows, h being drawn given v, in nats; densities are those of the data's own
/// units.
fn reconstruction(rbm: &Rbm, rows: &Batch, key: Key) -> f64 {
    let (view, visible) = (rbm.view(), rbm.visible());
    let states = rbm.scaling().map_or_else(|| rows.states().clone(), |scaling| scaling.apply(rows.states()));
    let hidden = view.sample_hidden(&states, key);
    let input = view.visible_input(&hidden).computed();
    let sum = |values: Vec<f64>| values.into_iter().sum::<f64>();
    let density =
        sum(visible.coupled(&states, &input)) - sum(visible.energy(&states)) - sum(visible.cgf(&input));
    let volume = rbm.scaling().map_or(0.0, Scaling::log_volume);
    (density + sum(visible.log_measure(&states))) / rows.rows() as f64 - volume
}

impl<'a> Watch<'a> {
    /// Starts watching.
    pub(crate) fn new(
        output: Output,
        checkpoints: Checkpoints<'a>,
        origin: Origin,
        metrics: Metrics,
        probe: Probe,
        checks: Checks,
        bar: ProgressBar,
    ) -> Self {
        let (since_save, since_epoch) = (Clock::start(), Clock::start());
        let (notices, saved, rows, failure) = (Vec::new(), None, 0, None);
        Self {
            output,
            checkpoints,
            origin,
            metrics,
            probe,
            checks,
            bar,
            notices,
            saved,
            since_save,
            since_epoch,
            rows,
            done: Done::default(),
            failure,
        }
    }

    /// Ends the watch: gives the first failure of it, or what it kept.
    pub(crate) fn finish(self, recording: Option<&Recording>) -> Result<Watched, Error> {
        self.bar.finish_and_clear();
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let profile = recording.map(|recording| Profile::new(recording, self.done));
        let Self { metrics, probe, checks, saved, .. } = self;
        Ok(Watched { metrics, probe, checks, saved, profile })
    }

    fn look(&mut self, step: &Step<'_, Rbm>) -> Result<ControlFlow<()>, Error> {
        self.rows += step.rows;
        self.done.steps += 1;
        self.done.samples += step.rows as u64;
        self.bar.set_position(step.training.step());
        if let Some(notice) = step.notice {
            self.bar.println(notice);
            self.notices.push(notice.to_owned());
        }
        if step.ends_epoch {
            self.epoch(step)?;
        }
        if step.ends_epoch || self.since_save.elapsed() >= PAUSE {
            self.save(step.model, step.good)?;
        }
        if interrupt::wanted() {
            self.save(step.model, step.good)?;
            return Ok(ControlFlow::Break(()));
        }
        self.checks.checkup.prepare(step.model, step.training);
        Ok(if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Tells whether the training has stopped getting better.
    pub(crate) fn is_over(&self) -> bool {
        self.checks.stopper.as_ref().is_some_and(Stopper::is_over)
    }

    /// Writes a checkpoint of a state that the guard believes in.
    fn save(&mut self, model: &Rbm, good: &Snapshot) -> Result<(), Error> {
        self.since_save = Clock::start();
        if self.saved.is_some_and(|step| step >= good.step) {
            return Ok(());
        }
        let (header, tensors) = model.to_checkpoint(good, &self.origin);
        self.checkpoints.save(good.step, &header, &tensors)?;
        self.saved = Some(good.step);
        Ok(())
    }

    fn epoch(&mut self, step: &Step<'_, Rbm>) -> Result<(), Error> {
        let seconds = self.since_epoch.seconds();
        let gap = self.probe.free_energy_gap(step.model)?;
        let score = match &self.checks.stopper {
            Some(stopper) => Some(stopper.score(step.model, gap.as_ref())?),
            None => None,
        };
        let proxies = self.probe.proxies(step.model)?;
        let metric = Metric {
            epoch: step.training.epoch(),
            step: step.training.step(),
            learning_rate: f64::from(step.training.rate()),
            samples_per_second: self.rows as f64 / seconds.max(1e-9),
            pseudo_log_likelihood: proxies.pseudo,
            reconstruction_log_likelihood: proxies.reconstruction,
            reconstruction_error: proxies.error,
            free_energy_gap: gap.map(|gap| gap.mean),
            score: score.filter(|score| score.is_finite()),
            remarks: self.checks.checkup.epoch(step, gap.as_ref())?,
            notices: std::mem::take(&mut self.notices),
        };
        self.tell(&metric)?;
        if let (Some(stopper), Some(score)) = (&mut self.checks.stopper, score) {
            stopper.judge((metric.epoch, score), (step.model, step.good), &self.origin)?;
        }
        self.metrics.push(metric)?;
        (self.rows, self.since_epoch) = (0, Clock::start());
        Ok(())
    }

    fn tell(&self, metric: &Metric) -> Result<(), Error> {
        if self.output.json {
            console::json(metric)?;
        }
        let (proxy, value) = match (metric.pseudo_log_likelihood, metric.reconstruction_log_likelihood) {
            (Some(value), _) => ("pseudo", value),
            (None, value) => ("reconstruction", value.unwrap_or(f64::NAN)),
        };
        let text = format!(
            "epoch {:>3}  {:>7.0} samples/s  {proxy} log-likelihood {value:>8.2}",
            metric.epoch, metric.samples_per_second
        );
        self.bar.set_message(text.clone());
        if self.bar.is_hidden() && !self.output.json {
            console::note(self.output, text);
        }
        metric.remarks.iter().for_each(|remark| self.remark(metric.epoch, &checkup::line(remark)));
        Ok(())
    }

    fn remark(&self, epoch: u32, line: &str) {
        let text = format!("epoch {epoch:>3}  {line}");
        if !self.bar.is_hidden() {
            self.bar.println(text);
        } else if !self.output.json {
            console::note(self.output, text);
        }
    }
}

impl Observer<Rbm> for Watch<'_> {
    fn observe(&mut self, step: &Step<'_, Rbm>) -> ControlFlow<()> {
        match self.look(step) {
            Ok(flow) => flow,
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
