//! Watches the training of a stack: a bar for each phase, figures, checkpoints, Ctrl-C.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use harmonium::Error;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::args::Output;
use crate::clock::Clock;
use crate::folder::{read_text, write_text};
use crate::{console, interrupt};

/// Time between two checkpoints within an epoch.
const PAUSE: Duration = Duration::from_secs(60);

/// Holds what one epoch of a phase gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The number of the phase, and its name.
    pub(crate) phase: usize,
    pub(crate) name: String,
    /// Finished epochs, and updates done, of the phase.
    pub(crate) epoch: u32,
    pub(crate) step: u64,
    pub(crate) learning_rate: f64,
    pub(crate) samples_per_second: f64,
    /// What was measured, and what came out.
    pub(crate) measure: String,
    pub(crate) value: f64,
    /// Share of the validation rows that are told right, where there are some.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) validation_error: Option<f64>,
    /// What the guard did.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) notices: Vec<String>,
}

/// Says where a phase is after an update.
pub(crate) struct At<'a> {
    pub(crate) step: u64,
    pub(crate) epoch: u32,
    pub(crate) ends_epoch: bool,
    pub(crate) rows: usize,
    pub(crate) rate: f32,
    pub(crate) notice: Option<&'a str>,
}

/// Is what an epoch measured: the name, the value, and a validation error.
pub(crate) type Measured = (&'static str, f64, Option<f64>);

/// Watches the phases of a run one after the other.
pub(crate) struct Watch {
    output: Output,
    path: PathBuf,
    pub(crate) lines: Vec<Line>,
    phase: (usize, String),
    /// Whether no update of the phase was seen yet.
    fresh: bool,
    bar: ProgressBar,
    since_save: Clock,
    since_epoch: Clock,
    rows: usize,
    notices: Vec<String>,
    failure: Option<Error>,
}

impl Watch {
    /// Starts with the lines that a run has.
    ///
    /// # Errors
    /// Says which line can't be read.
    pub(crate) fn new(path: PathBuf, output: Output) -> Result<Self, Error> {
        let lines = if path.is_file() { parse(&path)? } else { Vec::new() };
        Ok(Self {
            output,
            path,
            lines,
            phase: (0, String::new()),
            fresh: false,
            bar: ProgressBar::hidden(),
            since_save: Clock::start(),
            since_epoch: Clock::start(),
            rows: 0,
            notices: Vec::new(),
            failure: None,
        })
    }

    /// Begins a phase at a step, or goes on with it.
    pub(crate) fn begin(&mut self, phase: usize, name: &str, (step, total): (u64, u64)) {
        self.bar.finish_and_clear();
        self.bar = console::bar(self.output, total, name);
        self.bar.set_position(step);
        self.phase = (phase, name.to_owned());
        self.fresh = true;
        (self.rows, self.since_epoch) = (0, Clock::start());
    }

    /// Looks at an update: measures and saves at the end of an epoch, saves now and then, and stops where the user wants to.
    pub(crate) fn look(
        &mut self,
        at: &At<'_>,
        measure: impl FnOnce() -> Result<Measured, Error>,
        save: impl FnOnce() -> Result<(), Error>,
    ) -> ControlFlow<()> {
        match self.take(at, measure, save) {
            Ok(flow) => flow,
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn take(
        &mut self,
        at: &At<'_>,
        measure: impl FnOnce() -> Result<Measured, Error>,
        save: impl FnOnce() -> Result<(), Error>,
    ) -> Result<ControlFlow<()>, Error> {
        self.bar.set_position(at.step);
        if std::mem::take(&mut self.fresh) {
            // What was written of this update and later ones belongs to a future that a crash undid. A phase without a further
            // update leaves what was written of those behind it.
            let now = (self.phase.0, at.step);
            self.lines.retain(|line| (line.phase, line.step) < now);
        }
        self.rows += at.rows;
        self.notices.extend(at.notice.map(str::to_owned));
        let wanted = interrupt::wanted();
        if at.ends_epoch {
            let measured = measure()?;
            self.push(at, measured)?;
        }
        if at.ends_epoch || wanted || self.since_save.seconds() >= PAUSE.as_secs_f64() {
            save()?;
            self.since_save = Clock::start();
        }
        Ok(if wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn push(&mut self, at: &At<'_>, (measure, value, validation_error): Measured) -> Result<(), Error> {
        let seconds = self.since_epoch.seconds().max(1e-9);
        let line = Line {
            phase: self.phase.0,
            name: self.phase.1.clone(),
            epoch: at.epoch,
            step: at.step,
            learning_rate: f64::from(at.rate),
            samples_per_second: self.rows as f64 / seconds,
            measure: measure.to_owned(),
            value,
            validation_error,
            notices: std::mem::take(&mut self.notices),
        };
        self.tell(&line)?;
        self.lines.push(line);
        (self.rows, self.since_epoch) = (0, Clock::start());
        self.write()
    }

    fn tell(&self, line: &Line) -> Result<(), Error> {
        if self.output.json {
            return console::json(line);
        }
        let judged = line.validation_error.map(|e| format!("  validation {:.2} % wrong", 100.0 * e));
        let text = format!(
            "{}  epoch {:>3}  {:>7.0} samples/s  {} {:.3}{}",
            line.name,
            line.epoch,
            line.samples_per_second,
            line.measure,
            line.value,
            judged.unwrap_or_default()
        );
        self.bar.set_message(text.clone());
        if self.bar.is_hidden() {
            console::note(self.output, text);
        }
        Ok(())
    }

    fn write(&self) -> Result<(), Error> {
        let line = |line: &Line| {
            let text = serde_json::to_string(line);
            text.map(|text| text + "\n")
                .map_err(|e| Error::format("metrics", "", "values that JSON can hold", e))
        };
        let text: String = self.lines.iter().map(line).collect::<Result<_, Error>>()?;
        write_text(&self.path, &text)
    }

    /// Ends a phase: passes its first failure on, and tells whether the user stopped it.
    ///
    /// # Errors
    /// The failure.
    pub(crate) fn end(&mut self) -> Result<bool, Error> {
        self.bar.finish_and_clear();
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(interrupt::wanted()),
        }
    }
}

fn parse(path: &std::path::Path) -> Result<Vec<Line>, Error> {
    let one = |(number, text): (usize, &str)| {
        let place = format!("line {}", number + 1);
        serde_json::from_str(text)
            .map_err(|e| Error::format(path.display(), place, "the figures of an epoch", e))
    };
    read_text(path)?.lines().enumerate().map(one).collect()
}
