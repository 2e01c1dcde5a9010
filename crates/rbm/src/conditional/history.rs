//! Turns sequences into rows, the last frames as the condition of the next one, and rolls sequences on.

use harmonium_core::units::{States, Units};
use harmonium_core::{Batch, Error, Key, purpose};
use harmonium_kernels::evaluate;
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use serde::{Deserialize, Serialize};

use super::pairs::features;
use super::{Conditional, Pairs, Prediction};

/// Says how many frames of a sequence the next one depends on (Taylor, Hinton & Roweis 2007, §3).
///
/// A sequence is a [`Batch`] of frames, `(T, frame)`. Its condition is its last n frames side by side, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    frame: Units,
    frames: usize,
}

/// Says how the next frame is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Rolling {
    /// It is drawn after so many sweeps.
    Draw {
        /// Sweeps.
        sweeps: u64,
    },
    /// It is the mean of the next frame; frames are real numbers.
    Mean(Prediction),
}

impl Default for Rolling {
    fn default() -> Self {
        Self::Draw { sweeps: 30 }
    }
}

impl History {
    /// Makes a history of so many frames of this kind.
    ///
    /// # Errors
    /// Refuses no frames, and kinds that [`Pairs::new`] refuses.
    pub fn new(frame: Units, frames: usize) -> Result<Self, Error> {
        if frames == 0 {
            return Err(Error::option("frames", "1 or more", 0));
        }
        let history = Self { frame, frames };
        history.pairs().map(|_| history)
    }

    /// Gives the number of frames of a condition.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Gives what a row holds: n frames, and the next one. Frames that are no bits, spins or classes are real numbers to the
    /// machine where they are a condition.
    ///
    /// # Errors
    /// As [`Pairs::new`].
    pub fn pairs(&self) -> Result<Pairs, Error> {
        let times = |units: &usize| units.saturating_mul(self.frames);
        let condition = match &self.frame {
            Units::Bernoulli(units) => Units::Bernoulli(times(units)),
            Units::Spin(units) => Units::Spin(times(units)),
            Units::Categorical { units, classes } => {
                Units::Categorical { units: times(units), classes: *classes }
            }
            other => Units::Gaussian(times(&other.features())),
        };
        Pairs::new(condition, self.frame.clone())
    }

    /// Turns sequences into conditions, `(rows, frames · frame)`, and the frames after them, `(rows, frame)`: T − n rows of a
    /// sequence of T frames, one sequence after the other.
    ///
    /// # Errors
    /// Refuses frames of another kind, missing values, and sequences none of which is longer than the history.
    pub fn rows(&self, sequences: &[Batch]) -> Result<(Batch, Batch), Error> {
        let (mut conditions, mut next) = (Vec::new(), Vec::new());
        for (at, sequence) in sequences.iter().enumerate() {
            let values = self.values(at, sequence)?;
            for end in self.frames..values.nrows() {
                conditions.push(self.window(values.view(), end));
                next.push(values.slice(s![end..=end, ..]).to_owned());
            }
        }
        if next.is_empty() {
            let expected = format!("one of more than {} frames", self.frames);
            return Err(Error::shape(
                "sequences",
                expected,
                format!("{} sequences, all shorter", sequences.len()),
            ));
        }
        Ok((batch(self.pairs()?.condition(), &stacked(&conditions))?, batch(&self.frame, &stacked(&next))?))
    }

    /// Rolls sequences on from their last frames: for each the next `steps` frames, `(steps, frame)`, in the data's own units.
    /// Frame t of sequence r is made with `key.fold_in(EVALUATE).fold_in(12).fold_in(t)`, row r; `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses frames of another kind, sequences shorter than the history, a model of other rows, and means of frames that are
    /// no real numbers.
    pub fn continue_from(
        &self,
        model: &Conditional,
        seen: &[Batch],
        steps: usize,
        rolling: Rolling,
        key: Key,
    ) -> Result<Vec<Array2<f32>>, Error> {
        let pairs = self.check_rolling(model, rolling)?;
        let mut window = self.windows(seen)?;
        let mut out = vec![Array2::zeros((steps, self.frame.features())); seen.len()];
        let key = mutant!("B206", key.fold_in(purpose::EVALUATE).fold_in(evaluate::ROLL), key);
        for step in 0..steps {
            let next = next(model, &batch(pairs.condition(), &window)?, rolling, key.fold_in(step as u64))?;
            for (frames, frame) in out.iter_mut().zip(next.rows()) {
                frames.row_mut(step).assign(&frame);
            }
            window = shifted(&window, &next);
        }
        Ok(out)
    }

    /// Gives the last frames of each sequence side by side: `(sequences, frames · frame)`.
    fn windows(&self, seen: &[Batch]) -> Result<Array2<f32>, Error> {
        let window = |(at, sequence): (usize, &Batch)| {
            let values = self.values(at, sequence)?;
            if values.nrows() < self.frames {
                let expected = format!("{} frames or more", self.frames);
                return Err(Error::value("seen", format!("sequence {at}"), expected, values.nrows()));
            }
            Ok(self.window(values.view(), values.nrows()))
        };
        let windows: Vec<Array2<f32>> = seen.iter().enumerate().map(window).collect::<Result<_, _>>()?;
        if windows.is_empty() {
            return Err(Error::shape("seen", "one sequence or more", "none"));
        }
        Ok(stacked(&windows))
    }

    fn check_rolling(&self, model: &Conditional, rolling: Rolling) -> Result<Pairs, Error> {
        let pairs = self.pairs()?;
        if model.pairs() != &pairs {
            return Err(Error::shape("model", format!("rows of {}", pairs.units()), model.pairs().units()));
        }
        match rolling {
            Rolling::Mean(_) if self.frame.is_binary() => {
                Err(Error::option("rolling", "draws: means of bits are none", "means"))
            }
            _ => Ok(pairs),
        }
    }

    /// Gives the frames of a sequence as numbers.
    fn values(&self, at: usize, sequence: &Batch) -> Result<Array2<f32>, Error> {
        let field = format!("sequence {at}");
        sequence.check_kind(&field, &self.frame)?;
        sequence.check_complete(&field)?;
        Ok(features(&self.frame, sequence.states()))
    }

    /// Gives the frames before frame `end` side by side, `(1, frames · frame)`.
    #[allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.
    fn window(&self, values: ArrayView2<'_, f32>, end: usize) -> Array2<f32> {
        let frames = values.slice(s![end - self.frames..end, ..]);
        States::reals(frames.iter().copied().collect(), frames.len()).to_array()
    }
}

/// Makes the next frame of each sequence, as numbers.
fn next(model: &Conditional, condition: &Batch, rolling: Rolling, key: Key) -> Result<Array2<f32>, Error> {
    match rolling {
        Rolling::Draw { sweeps } => {
            let drawn = model.sample(condition, sweeps, key)?;
            Ok(features(model.pairs().visible(), &drawn))
        }
        Rolling::Mean(how) => model.predict(condition, how, key),
    }
}

/// Moves windows by one frame, so that the next one is the newest.
fn shifted(window: &Array2<f32>, next: &Array2<f32>) -> Array2<f32> {
    let (width, frame) = (window.ncols(), next.ncols());
    Array2::from_shape_fn(window.dim(), |(row, at)| {
        let from = mutant!("B107", at + frame, at);
        if from < width { window[(row, from)] } else { next[(row, from - width)] }
    })
}

fn stacked(rows: &[Array2<f32>]) -> Array2<f32> {
    let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
    concatenate(Axis(0), &views).expect("rows of one width").as_standard_layout().into_owned()
}

/// Makes rows for units of this kind from their features.
fn batch(units: &Units, values: &Array2<f32>) -> Result<Batch, Error> {
    match units {
        Units::Bernoulli(_) => Batch::new(values.view()),
        Units::Spin(_) => Batch::spins(values.view()),
        Units::Categorical { units, classes } => {
            let class = |(row, unit): (usize, usize)| {
                (0..*classes).find(|c| values[(row, unit * classes + c)] > 0.0).unwrap_or(0) as u16
            };
            Batch::classes(Array2::from_shape_fn((values.nrows(), *units), class).view(), *classes)
        }
        _ => Batch::reals(values.as_standard_layout().into_owned()),
    }
}
