//! Draws what a report shows of rows and units: pictures of pictures, and columns of tables.

use std::borrow::Cow;

use harmonium::data::Fields;
use harmonium::doctor::{Doctor, silent};
use harmonium::rbm::Rbm;
use harmonium::units::Unit;
use harmonium::{Batch, Error, Key};
use ndarray::{Array2, Axis, concatenate};

use super::columns::columns;
use crate::outcome::SAMPLE_SWEEPS;
use crate::picture::{Tone, fitting, grid, pairs, spread, tile_shape};
use crate::report::{Idle, Plate, Report, Units};
use crate::run::Run;
use crate::{defaults, gaps, hidden};

/// Rows whose hidden units are looked at.
const ROWS: usize = 10_000;
/// Rows whose features are held at a time, and those that show whether units of other kinds than bits move.
const BLOCK: usize = 500;
const FEW: usize = 1000;
/// A hidden unit with a smaller or a larger mean says nothing about the data.
const DEAD: f32 = 0.005;
const SATURATED: f32 = 0.995;
/// Tiles in a row: of 28 pixels each, that many fit a wide screen twice enlarged.
const COLUMNS: usize = 16;
/// Rows that are shown with their reconstructions.
const PAIRS: usize = 20;
/// The most features and hidden units of a matrix of weights that is shown.
const LINES: usize = 256;
const UNITS: usize = 128;

/// Holds what a report is drawn from.
pub(super) struct Shown<'a> {
    pub(super) run: &'a Run,
    pub(super) rbm: &'a Rbm,
    pub(super) samples: &'a Batch,
}

impl Shown<'_> {
    /// Draws samples, filters and reconstructions of pictures; of a table its columns and the weights.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub(super) fn rows(&self) -> Result<Report, Error> {
        let fields = self.run.recipe.fields()?;
        let Some(fields) = fields.filter(|fields| !defaults::are_pictures(fields)) else {
            return Ok(Report {
                samples: Some(self.tiles()?),
                filters: Some(self.filters()),
                reconstructions: Some(self.reconstructions()?),
                ..Report::default()
            });
        };
        let (rows, seed) = (self.run.train.shown(), self.run.recipe.seed);
        let columns = columns(&fields, self.rbm, rows, self.samples, seed)?;
        Ok(Report { columns: Some(columns), weights: Some(self.weights(&fields)), ..Report::default() })
    }

    /// Gives the values that black and white stand for.
    fn ends(&self) -> [f32; 2] {
        let spins = if self.rbm.visible().signs() { [-1.0, 1.0] } else { [0.0, 1.0] };
        self.run.recipe.grey.unwrap_or(spins)
    }

    /// Lists rows with values from 0 to 1.
    fn lists(&self, values: &Array2<f32>) -> Vec<Vec<f32>> {
        let [low, high] = self.ends();
        values.outer_iter().map(|row| row.iter().map(|x| (x - low) / (high - low)).collect()).collect()
    }

    fn plate(&self, picture: crate::picture::Picture, note: String) -> Plate {
        Plate { ends: self.ends(), ..Plate::new(picture, note) }
    }

    fn tiles(&self) -> Result<Plate, Error> {
        let samples = self.samples;
        let tile = tile_shape(samples.units());
        let shown = samples.rows().min(fitting(samples.rows(), tile)).min(100);
        let key = Key::from_seed(self.run.recipe.seed);
        let first = samples.gather(0..shown);
        let (values, means) = shown_samples(self.rbm, &first, key)?;
        let half = SAMPLE_SWEEPS / 2;
        let note = format!(
            "The first {shown} of {} chains, each after {half} sweeps of annealing and {half} of the model.{means}",
            samples.rows()
        );
        let rows = self.lists(&values);
        Ok(self.plate(grid(&rows, tile.width, tile.height, COLUMNS, Tone::Grey), note))
    }

    fn filters(&self) -> Plate {
        let tile = tile_shape(self.rbm.visible_units());
        let hidden = self.rbm.hidden_units();
        let shown = fitting(hidden, tile).min(hidden);
        let weights = self.rbm.weights();
        let tiles: Vec<Vec<f32>> =
            spread(hidden, shown).into_iter().map(|j| weights.column(j).to_vec()).collect();
        let note = format!("{shown} of {hidden} hidden units.");
        Plate::new(grid(&tiles, tile.width, tile.height, COLUMNS, Tone::DivergingEach), note)
    }

    /// Draws the weights of a table, columns in their order.
    fn weights(&self, fields: &Fields) -> Plate {
        let weights = self.rbm.weights();
        let features: Vec<usize> = fields
            .each
            .iter()
            .flat_map(|field| field.first..field.first + field.kind.width())
            .take(LINES)
            .collect();
        let units = spread(self.rbm.hidden_units(), UNITS);
        // Few weights are drawn as squares of several pixels.
        let side = (LINES / features.len().max(units.len())).clamp(1, 4);
        let (width, height) = (side * units.len(), side * features.len());
        let at = |pixel: usize| weights[(features[pixel / width / side], units[pixel % width / side])];
        let values: Vec<f32> = (0..width * height).map(at).collect();
        let note = format!(
            "{} of {} features, {} of {} hidden units.",
            features.len(),
            self.rbm.visible_units(),
            units.len(),
            self.rbm.hidden_units()
        );
        Plate::new(grid(&[values], width, height, 1, Tone::Diverging), note)
    }

    fn reconstructions(&self) -> Result<Plate, Error> {
        let (name, rows) = self.run.judged();
        let shown = rows.gather(0..rows.rows().min(PAIRS));
        let filled = gaps::filled(self.rbm, &shown, self.run.recipe.seed);
        let drawn = if let Cow::Owned(_) = filled { " Missing values were drawn." } else { "" };
        let back = self.rbm.reconstruct(&filled, Key::from_seed(self.run.recipe.seed))?;
        let above = self.rbm.visible().features_of(filled.states());
        let tile = tile_shape(self.rbm.visible_units());
        let picture = pairs(&self.lists(&above), &self.lists(&back), tile, 10);
        Ok(self.plate(picture, format!("The first {} {name} rows.{drawn}", shown.rows())))
    }

    /// Computes how active the hidden units are.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub(super) fn units(&self) -> Result<Units, Error> {
        let shown = self.run.train.shown();
        let rows = shown.rows().min(ROWS);
        let mut sums = vec![0.0; self.rbm.hidden_units()];
        let mut few = Vec::new();
        for start in (0..rows).step_by(BLOCK) {
            let block = shown.gather(start..rows.min(start + BLOCK));
            let features = self.rbm.transform(&gaps::filled(self.rbm, &block, self.run.recipe.seed))?;
            let features = hidden::probabilities(self.rbm.hidden(), features.view()).unwrap_or(features);
            features
                .outer_iter()
                .for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, p)| *sum += f64::from(*p)));
            if start < FEW {
                few.push(features);
            }
        }
        let means = sums.into_iter().map(|sum| (sum / rows as f64) as f32).collect();
        Ok(Units { means, idle: self.idle(&few)? })
    }

    fn idle(&self, few: &[Array2<f32>]) -> Result<Idle, Error> {
        let views: Vec<_> = few.iter().map(|part| part.view()).collect();
        let means =
            concatenate(Axis(0), &views).map_err(|e| Error::shape("features", "rows of one width", e))?;
        let layer = self.rbm.hidden();
        if hidden::probabilities(layer, means.view()).is_some() {
            return Ok(Idle::Ends { dead_below: DEAD, saturated_above: SATURATED });
        }
        // A remark is made of any share of them here, as the report counts them.
        let options = Doctor { few: 0.0, ..Doctor::default() };
        let found = silent(means.view(), &hidden::noise(layer, means.view()), &options);
        let count = found.iter().flat_map(|remark| &remark.figures).find(|figure| figure.name == "count");
        let count = count.map_or(0, |figure| figure.value as usize);
        Ok(Idle::Still { count, share: options.idle as f32 })
    }
}

/// Gives samples as they are shown in pictures: real ones as the means that they were drawn with, as the noise of each unit on
/// its own would hide what they have in common; and a sentence that says so.
///
/// # Errors
/// Refuses samples of another width.
pub(super) fn shown_samples(
    rbm: &Rbm,
    samples: &Batch,
    key: Key,
) -> Result<(Array2<f32>, &'static str), Error> {
    if rbm.visible().units().is_binary() {
        return Ok((rbm.visible().features_of(samples.states()), ""));
    }
    let said = " Shown are the means of the visible units given hidden units drawn given the sample.";
    Ok((rbm.reconstruct(samples, key)?, said))
}
