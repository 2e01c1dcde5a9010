//! Measures predicted ratings in folds, beside baselines that are fitted in the same run.

use harmonium::Error;
use harmonium::data::Ratings;
use harmonium::evaluate::{RatingErrors, rating_errors};
use harmonium::rbm::ratings::{
    Biases, Blend, Factors, FactorsOptions, Neighbours, Predictor, best_biases, mixed,
};
use serde_json::json;

use super::{Recommend, observer};
use crate::args::Output;
use crate::clock::Clock;
use crate::console;

/// Neighbours of an item.
const NEIGHBOURS: usize = 40;

/// Is what one model did in one fold.
struct Line {
    model: String,
    errors: RatingErrors,
    seconds: f64,
}

/// Measures all models in the folds asked for, and prints their means.
pub(super) fn measured(args: &Recommend, ratings: &Ratings) -> Result<(), Error> {
    let mut all: Vec<Vec<Line>> = Vec::new();
    for fold in 0..args.folds {
        let (train, test) = ratings.split(fold);
        let lines = one(args, &train, &test)?;
        title(
            args.output,
            &format!("fold {fold}: {} to train on, {} to test on", train.each().len(), test.each().len()),
        )?;
        for line in &lines {
            print(args, Some(fold), &line.model, [line.errors.rmse, line.errors.mae], line.seconds)?;
        }
        all.push(lines);
    }
    title(args.output, &format!("mean of {} folds", all.len()))?;
    let n = all.len() as f64;
    for at in 0..all[0].len() {
        let mean = |of: &dyn Fn(&Line) -> f64| all.iter().map(|lines| of(&lines[at])).sum::<f64>() / n;
        let errors = [mean(&|line| line.errors.rmse), mean(&|line| line.errors.mae)];
        let name = all[0][at].model.split(" (").next().unwrap_or_default();
        print(args, None, name, errors, mean(&|line| line.seconds))?;
    }
    Ok(())
}

fn one(args: &Recommend, train: &Ratings, test: &Ratings) -> Result<Vec<Line>, Error> {
    let given: Vec<f32> = test.each().iter().map(|r| test.value(r)).collect();
    let line = |model: String, predicted: &[f32], clock: Clock| {
        let seconds = clock.seconds();
        rating_errors(predicted, &given).map(|errors| Line { model, errors, seconds })
    };
    let of = |model: &dyn Predictor| -> Vec<f32> {
        test.each().iter().map(|r| model.predicted(r.user, r.item)).collect()
    };
    let clock = Clock::start();
    let mean = line("global mean".into(), &of(&Biases::mean(train)?), clock)?;
    let clock = Clock::start();
    let biases = line("biases".into(), &of(&Biases::fit(train, [15.0, 10.0])?), clock)?;
    let clock = Clock::start();
    let best = best_biases(train)?;
    let [user, item] = best.damping;
    let best = line(format!("best biases (damping {user}, {item})"), &of(&best), clock)?;
    let clock = Clock::start();
    let near = near(args, train)?;
    let near = near.map(|model| line("k-NN with biases".into(), &of(&model), clock)).transpose()?;
    let clock = Clock::start();
    let factors = Factors::fit(train, &FactorsOptions::default(), args.key())?;
    let factors = line("SVD with biases".into(), &of(&factors), clock)?;
    let bar = console::bar(args.output, 2 * u64::from(args.epochs), "training");
    let clock = Clock::start();
    let blend = Blend::fit(train, &args.machine(), &args.fit(), args.key(), &mut observer(&bar))?;
    bar.finish_and_clear();
    let [users, items] = blend.predict_all(train, test)?;
    let both = mixed(&users, &items, args.share);
    let by_user = line("RBM of users".into(), &users, clock)?;
    let by_item = line("RBM of items".into(), &items, clock)?;
    let both = line("both RBMs".into(), &both, clock)?;
    let first = [mean, biases, best].into_iter().chain(near);
    Ok(first.chain([factors, by_user, by_item, both]).collect())
}

/// Fits neighbours, where there are not too many items to compare all pairs of.
fn near(args: &Recommend, train: &Ratings) -> Result<Option<Neighbours>, Error> {
    let (items, most) = (train.items().len(), Neighbours::MOST);
    if items > most {
        console::note(
            args.output,
            format!("k-NN is left out: {items} items, and pairs of at most {most} are compared"),
        );
        return Ok(None);
    }
    Neighbours::fit(train, NEIGHBOURS).map(Some)
}

fn title(output: Output, text: &str) -> Result<(), Error> {
    if output.json {
        Ok(())
    } else {
        console::line(format!("{text}\n{:<36} {:>7} {:>7} {:>8}", "", "RMSE", "MAE", "seconds"))
    }
}

fn print(
    args: &Recommend,
    fold: Option<u32>,
    model: &str,
    [rmse, mae]: [f64; 2],
    seconds: f64,
) -> Result<(), Error> {
    if args.output.json {
        let seed = args.seed;
        return console::json(
            &json!({ "fold": fold, "model": model, "rmse": rmse, "mae": mae, "seed": seed, "seconds": seconds }),
        );
    }
    console::line(format!("  {model:<34} {rmse:>7.4} {mae:>7.4} {seconds:>8.1}"))
}
