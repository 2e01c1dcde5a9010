//! Recommends: measures machines of ratings beside their baselines, fold by fold, and lists what a user may like.

mod folds;
mod lists;

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use harmonium::data::{Ratings, ReadRatings, Scale};
use harmonium::rbm::ratings::{RatingsFit, RatingsOptions, RatingsProgress};
use harmonium::train::Schedule;
use harmonium::{Error, Key};
use indicatif::ProgressBar;

use crate::args::Output;
use crate::{console, interrupt};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  harmonium recommend data/insteval/InstEval.csv.gz --columns s,d,y --damping 1000 --decay 0.1 --rate 0.005 --share 0.8\n  \
                        harmonium recommend data/insteval/InstEval.csv.gz --columns s,d,y --user 17 --top 5 --epochs 5"
)]
pub(crate) struct Recommend {
    /// Ratings, one a line: user, item, rating; plain or gzipped, with any separator, under names or not
    pub(crate) data: PathBuf,
    /// The columns of user, item and rating, by name or by number from 1 [default: 1,2,3]
    #[arg(long, value_name = "U,I,R", value_delimiter = ',')]
    pub(crate) columns: Option<Vec<String>>,
    /// What stands between columns [default: found out]
    #[arg(long, value_name = "TEXT")]
    pub(crate) separator: Option<String>,
    /// The scale: lowest rating, highest rating, step
    #[arg(long, value_name = "LOW:HIGH:STEP", default_value = "1:5:1", value_parser = scale)]
    pub(crate) scale: Scale,
    /// List the best items for this user, who is named as in the file, instead of measuring
    #[arg(long, value_name = "NAME", conflicts_with = "ranking")]
    pub(crate) user: Option<String>,
    /// How long lists are
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    /// Measure lists instead of ratings: a quarter of each user's items is held out, and those lists are good that have it
    #[arg(long)]
    pub(crate) ranking: bool,
    /// Folds to measure, of five
    #[arg(long, value_name = "N", default_value_t = 5, conflicts_with_all = ["ranking", "user"])]
    pub(crate) folds: u32,
    /// Hidden units
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) hidden: usize,
    /// Walks over the ratings
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) epochs: u32,
    /// The learning rate at the start; it falls to 0
    #[arg(long, allow_negative_numbers = true, value_name = "X", default_value_t = 0.02)]
    pub(crate) rate: f64,
    /// The decay of the weights of an item, for each of its ratings
    #[arg(long, allow_negative_numbers = true, value_name = "X", default_value_t = 0.02)]
    pub(crate) decay: f32,
    /// Ratings of a row at which weights count by √½; 0 for the same weights in all rows [default: 50; with --ranking 0]
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    pub(crate) damping: Option<f32>,
    /// Ratings that stand behind the coupling of a row's ratings with each other; 0 for no such coupling [default: 10; with --ranking 0]
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    pub(crate) lateral: Option<f32>,
    /// The share that the machine of users has beside that of items, 0 to 1
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "X",
        default_value_t = 0.3,
        conflicts_with = "ranking"
    )]
    pub(crate) share: f32,
    /// The seed of all randomness
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

impl Recommend {
    /// Gives the machine of ratings, or that of which items are rated.
    fn machine(&self) -> RatingsOptions {
        let plain = if self.ranking {
            RatingsOptions::bits(self.hidden)
        } else {
            RatingsOptions { hidden: self.hidden, ..RatingsOptions::default() }
        };
        RatingsOptions {
            damping: self.damping.unwrap_or(plain.damping),
            lateral: self.lateral.unwrap_or(plain.lateral),
            ..plain
        }
    }

    fn fit(&self) -> RatingsFit {
        let learning_rate = Schedule::Linear { from: self.rate, to: 0.0 };
        RatingsFit { epochs: self.epochs, learning_rate, decay: self.decay, ..RatingsFit::default() }
    }

    fn key(&self) -> Key {
        Key::from_seed(self.seed)
    }

    fn check(&self) -> Result<(), Error> {
        if !(1..=5).contains(&self.folds) {
            return Err(Error::option("folds", "1 to 5", self.folds));
        }
        if self.top == 0 {
            return Err(Error::option("top", "1 or more", 0));
        }
        if !(0.0..=1.0).contains(&self.share) {
            return Err(Error::option("share", "0 to 1", self.share));
        }
        self.fit().check()?;
        self.machine().check()
    }

    fn read(&self) -> Result<Ratings, Error> {
        let columns = self.columns.clone().map(<[String; 3]>::try_from).transpose();
        let columns = columns.map_err(|got| Error::option("columns", "user,item,rating", got.join(",")))?;
        let options = ReadRatings { columns, separator: self.separator.clone() };
        Ratings::open(&self.data, self.scale, &options)
    }
}

/// Reads low:high:step.
fn scale(text: &str) -> Result<Scale, String> {
    let numbers: Option<Vec<f32>> = text.split(':').map(|part| part.parse().ok()).collect();
    let wrong = || format!("expected low:high:step with a whole number of steps, as 0.5:5:0.5, got {text}");
    let Some(&[least, most, step]) = numbers.as_deref() else { return Err(wrong()) };
    let steps = (most - least) / step;
    if !(steps >= 1.0 && (steps - steps.round()).abs() < 1e-3) {
        return Err(wrong());
    }
    let scale = Scale { least, step, levels: steps.round() as usize + 1 };
    scale.check().map(|()| scale).map_err(|e| e.to_string())
}

/// Counts epochs on a bar.
fn observer(bar: &ProgressBar) -> impl FnMut(&RatingsProgress<'_>) -> ControlFlow<()> + '_ {
    |_| {
        bar.inc(1);
        ControlFlow::Continue(())
    }
}

/// Carries out `recommend`.
///
/// # Errors
/// Refuses options out of range, and says what the file has wrong.
pub(crate) fn run(args: &Recommend) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    args.check()?;
    let ratings = args.read()?;
    // An unknown user is refused before anything else is said.
    args.user.as_deref().map_or(Ok(0), |name| ratings.user(name))?;
    let (n, users, items) = (ratings.each().len(), ratings.users().len(), ratings.items().len());
    let (scale, seed) = (ratings.scale(), args.seed);
    console::note(
        args.output,
        format!("{n} ratings of {items} items by {users} users, {scale}; seed {seed}"),
    );
    match &args.user {
        Some(name) => lists::of_user(args, &ratings, name),
        None if args.ranking => lists::measured(args, &ratings),
        None => folds::measured(args, &ratings),
    }
}
