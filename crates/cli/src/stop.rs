//! Stops a run early: scores each epoch on validation rows, and keeps the best state in a file of its own.
//!
//! What a resumed run must know of it is in two files: the scores are in `metrics.jsonl`, from which the rule is replayed,
//! and the best state is in `best.hmn`, which is written before the line of its epoch.

use std::path::PathBuf;

use clap::ValueEnum;
use harmonium::doctor::{Doctor, Gap};
use harmonium::persist::{Kind, Loaded, load, save};
use harmonium::rbm::{Header, Origin, Rbm};
use harmonium::train::{Patience, Snapshot, Verdict, gap_score, moment_mismatch};
use harmonium::{Batch, Error, Key, purpose};
use serde::{Deserialize, Serialize};

use crate::folder::VFS;
use crate::metrics::Metric;
use crate::recipe::Stop;
use crate::{gaps, likelihood};

/// Validation rows that a pseudo-likelihood and moments are computed on.
const PSEUDO_ROWS: usize = 256;
const MOMENT_ROWS: usize = 512;
/// Sweeps between the moments of the rows and those of the model.
const SWEEPS: u32 = 10;
/// The number of these draws among those of [`purpose::EVALUATE`]; the library's own are below 16.
const DRAWS: u64 = 17;

/// Says by what the epochs of a run are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Judge {
    /// The free-energy gap: epochs count as better until validation rows stand out from training rows.
    Gap,
    /// The pseudo-likelihood of validation rows.
    Pseudo,
    /// How well chains that leave validation rows keep their moments.
    Moments,
}

impl Judge {
    /// Gives the name that the command line has for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Pseudo => "pseudo",
            Self::Moments => "moments",
        }
    }
}

impl Stop {
    /// Refuses a judge that this machine or these rows make nothing of.
    ///
    /// # Errors
    /// Names what it would take.
    pub(crate) fn check_rows(
        self,
        rbm: &Rbm,
        train: &Batch,
        validation: Option<&Batch>,
    ) -> Result<(), Error> {
        if self.by == Judge::Pseudo && !likelihood::has_pseudo(rbm) {
            let expected = format!("gap or moments, with {} visible units", rbm.visible().units());
            return Err(Error::option("stop", expected, self.by.name()));
        }
        let whole = |rows: &Batch| gaps::whole(rows).is_some();
        if whole(train) && validation.is_none_or(whole) {
            return Ok(());
        }
        let expected = "training and validation rows of which nothing is missing";
        Err(Error::option("stop", expected, "missing values in every row"))
    }
}

/// Is the judge of a run's epochs.
pub(crate) struct Stopper {
    by: Judge,
    patience: Patience,
    rows: Batch,
    key: Key,
    path: PathBuf,
    /// The step of the best state.
    best: Option<u64>,
    over: bool,
}

/// Says how a run with a judge ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stopped {
    pub(crate) by: Judge,
    /// The epoch whose state was put back, its step and its score.
    pub(crate) best_epoch: u32,
    pub(crate) best_step: u64,
    pub(crate) score: f64,
    /// Whether patience ended the training, and after which epoch it ended.
    pub(crate) early: bool,
    pub(crate) last_epoch: u32,
}

impl Stopper {
    /// Prepares the judge, and lets it judge again what it judged before.
    ///
    /// # Errors
    /// Refuses a run whose best state is not the one that its scores name.
    pub(crate) fn new(
        stop: Stop,
        validation: &Batch,
        seed: u64,
        path: PathBuf,
        lines: &[Metric],
    ) -> Result<Self, Error> {
        let most = if stop.by == Judge::Moments { MOMENT_ROWS } else { PSEUDO_ROWS };
        let whole = gaps::whole(validation);
        let rows = whole.as_deref().unwrap_or(validation);
        let rows = rows.gather(0..rows.rows().min(most));
        let key = Key::from_seed(seed).fold_in(purpose::EVALUATE).fold_in(DRAWS);
        let patience = Patience::new(stop.rule());
        let mut out = Self { by: stop.by, patience, rows, key, path, best: None, over: false };
        for line in lines {
            out.learn(line.epoch, line.step, line.score.unwrap_or(f64::NAN));
        }
        if let Some(step) = out.best {
            // It may be younger: a kill came between it and the checkpoint, and its epoch will be trained again.
            out.check(out.load()?.1.step, |found| found >= step)?;
        }
        Ok(out)
    }

    /// Scores the state at the end of an epoch; greater is better.
    ///
    /// # Errors
    /// Refuses a model of another width.
    pub(crate) fn score(&self, rbm: &Rbm, gap: Option<&Gap>) -> Result<f64, Error> {
        match self.by {
            Judge::Gap => Ok(gap.map_or(f64::NAN, |gap| gap_score(gap, &Doctor::default()))),
            Judge::Pseudo => {
                let sum: f64 = rbm.pseudo_log_likelihood(&self.rows)?.iter().sum();
                Ok(sum / self.rows.rows() as f64)
            }
            Judge::Moments => Ok(-moment_mismatch(rbm, &self.rows, SWEEPS, self.key)?),
        }
    }

    /// Judges an epoch, and saves its state if none was better.
    ///
    /// # Errors
    /// Says which file could not be written.
    pub(crate) fn judge(
        &mut self,
        (epoch, score): (u32, f64),
        (model, good): (&Rbm, &Snapshot),
        origin: &Origin,
    ) -> Result<(), Error> {
        if self.learn(epoch, good.step, score) == Verdict::Best {
            let (header, tensors) = model.to_checkpoint(good, origin);
            save(&VFS, &self.path, Kind::Checkpoint, &header, &tensors)?;
        }
        Ok(())
    }

    fn learn(&mut self, epoch: u32, step: u64, score: f64) -> Verdict {
        let verdict = self.patience.judge(epoch, score);
        if verdict == Verdict::Best {
            self.best = Some(step);
        }
        self.over = verdict == Verdict::Over;
        verdict
    }

    /// Tells whether patience ran out.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Gives the best state and says how the run ended; none where no epoch was judged.
    ///
    /// # Errors
    /// Refuses a file that is damaged or not of the best epoch.
    pub(crate) fn finish(&self, last_epoch: u32) -> Result<Option<(Rbm, Stopped)>, Error> {
        let (Some((best_epoch, score)), Some(best_step)) = (self.patience.best(), self.best) else {
            return Ok(None);
        };
        let (rbm, header) = self.load()?;
        self.check(header.step, |found| found == best_step)?;
        let early = self.over;
        Ok(Some((rbm, Stopped { by: self.by, best_epoch, best_step, score, early, last_epoch })))
    }

    fn load(&self) -> Result<(Rbm, Header), Error> {
        let loaded: Loaded<Header> = load(&VFS, &self.path, Some(Kind::Checkpoint))?;
        let (rbm, _, header) = Rbm::from_checkpoint(loaded)?;
        Ok((rbm, header))
    }

    fn check(&self, found: u64, fits: impl Fn(u64) -> bool) -> Result<(), Error> {
        if fits(found) {
            return Ok(());
        }
        let expected =
            format!("the state of step {}, the best of metrics.jsonl", self.best.unwrap_or_default());
        Err(Error::value(self.path.display(), "", expected, format!("that of step {found}")))
    }
}

impl Stopped {
    /// Says in words how the run ended.
    pub(crate) fn sentence(&self) -> String {
        let Self { by, best_epoch, last_epoch, score, early, .. } = self;
        let end = if *early { "stopped early" } else { "ended" };
        let by = by.name();
        format!(
            "{end} after epoch {last_epoch}; the state of epoch {best_epoch} was put back ({by}: score {score:.4})"
        )
    }
}
