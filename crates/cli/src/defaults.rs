//! Chooses what nobody asked for, by what the data are.

use harmonium::data::{Fields, Kind, Schema, scaled};
use harmonium::rows::{moments, per_epoch};
use harmonium::train::Fit;
use harmonium::units::{States, Units};
use harmonium::{Batch, Error, Rows};

use crate::args::{Train, TrainOptions};
use crate::estimator::Estimator;
use crate::recipe::Recipe;
use crate::rules;

/// Hidden units of a machine for bits, and the most of any.
pub(crate) const HIDDEN: usize = 500;
/// Other machines have two for each pixel, or one for each feature of a table, and at least so many: more are duplicates of each
/// other where columns are few.
const EACH: usize = 2;
const LEAST: usize = 8;
/// Rows of a batch: an epoch has this many updates at least, as far as a batch keeps ten rows.
const UPDATES: usize = 50;
const BATCH: (usize, usize) = (10, 100);
/// The rate of machines with units that are no bits, as a share of that of bits. DESIGN.md has the sweep behind it.
const SHARE: f64 = 0.5;

impl Recipe {
    /// Settles what nobody asked for, once the rows are there.
    ///
    /// # Errors
    /// Refuses a schema that makes no units.
    pub(crate) fn settle(&mut self, options: &TrainOptions, train: &Batch) -> Result<(), Error> {
        let Some(schema) = &self.schema else {
            let share = if matches!(self.hidden, Units::Bernoulli(_) | Units::Spin(_)) { 1.0 } else { SHARE };
            self.fit.learning_rate = rules::rate(options, share);
            return Ok(());
        };
        let visible = schema.units()?;
        let (hidden, fields) = (options.hidden.unwrap_or_default(), Fields::new(schema)?);
        // Pictures of bits are trained as they are without a schema.
        let pictures = are_pictures(&fields);
        let bits = matches!(visible, Units::Bernoulli(_)) && pictures;
        if hidden.count.is_none() && !bits {
            let each = if pictures { EACH } else { 1 };
            self.hidden = hidden.kind.units((each * visible.features()).clamp(LEAST, HIDDEN))?;
        }
        if options.batch.is_none() && !bits {
            self.fit.batch = (train.rows() / UPDATES).clamp(BATCH.0, BATCH.1);
        }
        self.fit.learning_rate = rules::rate(options, share(&visible, &self.hidden, train)?);
        self.grey = grey(&fields, train);
        self.check()
    }

    /// Takes what the size of the data settles for bits, where nothing else was asked for.
    ///
    /// # Errors
    /// Refuses units that are no bits, and other estimators than PCD.
    pub(crate) fn settle_by_size(&mut self, args: &Train, train: &dyn Rows) -> Result<(), Error> {
        let (options, whole) = (&args.options, |units: &Units| matches!(units, Units::Bernoulli(_)));
        let visible = self.schema.as_ref().map(Schema::units).transpose()?;
        let bits = whole(&self.hidden) && visible.is_none_or(|units| whole(&units));
        if !bits || !matches!(self.estimator, Estimator::Pcd(_)) {
            return Err(Error::option("settled", "bits on both sides, and pcd", "others"));
        }
        let known = Fit::for_bits(per_epoch(train), train.units());
        let (rated, own) = (options.learning_rate.is_some() || options.decline.is_some(), &mut self.fit);
        let sgd = options.optimizer.is_none() && !options.adam;
        own.epochs = args.epochs.unwrap_or(known.epochs);
        if sgd && !rated {
            own.learning_rate = known.learning_rate;
        }
        own.centre = if options.centre.is_some() { own.centre.take() } else { known.centre };
        own.decay.l2 = options.l2.unwrap_or(known.decay.l2);
        own.average = own.average.or(known.average);
        self.check()
    }
}

/// Gives the share of the default rate: 1 for bits, less for other units, the less the more they vary, as gradients grow with
/// the deviation and so does what a weight does.
fn share(visible: &Units, hidden: &Units, train: &Batch) -> Result<f64, Error> {
    if visible.is_binary() && matches!(hidden, Units::Bernoulli(_) | Units::Spin(_)) {
        return Ok(1.0);
    }
    let moments = moments(train)?;
    let (_, variances) = match scaled(visible, train)? {
        Some(scaling) => scaling.of_moments(moments),
        None => moments,
    };
    let mean = variances.iter().sum::<f64>() / variances.len().max(1) as f64;
    Ok(SHARE / mean.max(1.0))
}

/// Tells whether rows are pictures: as many columns of one kind as a square has pixels, without names unless they are many.
pub(crate) fn are_pictures(fields: &Fields) -> bool {
    let count = fields.each.len();
    let named = fields.each.iter().any(|field| field.name != (field.column + 1).to_string());
    let classes = matches!(fields.each[0].kind, Kind::Categorical(_));
    let square = count.isqrt().pow(2) == count;
    fields.is_uniform() && !classes && square && count >= if named { 64 } else { 16 }
}

/// Finds the range of grey values of pictures that are no bits.
fn grey(fields: &Fields, train: &Batch) -> Option<[f32; 2]> {
    let States::Reals(values) = train.states() else { return None };
    let range =
        values.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &x| [low.min(x), high.max(x)]);
    (are_pictures(fields) && range[0] < range[1]).then_some(range)
}
