//! Lists the best items for a user, and measures such lists.

use std::collections::HashSet;

use harmonium::Error;
use harmonium::data::Ratings;
use harmonium::evaluate::{Lists, Ranking};
use harmonium::rbm::ratings::{Blend, RatingsRbm, fit_ratings, held_out, rated_or_not, top_items};
use serde_json::json;

use super::{Recommend, observer};
use crate::clock::Clock;
use crate::console;

/// Trains on all ratings, and prints the items that a user has not rated and may rate highest.
pub(super) fn of_user(args: &Recommend, ratings: &Ratings, name: &str) -> Result<(), Error> {
    let user = ratings.user(name)?;
    let bar = console::bar(args.output, 2 * u64::from(args.epochs), "training");
    let blend = Blend::fit(ratings, &args.machine(), &args.fit(), args.key(), &mut observer(&bar))?;
    bar.finish_and_clear();
    let (scores, rows) = (blend.expected(ratings, user, args.share)?, ratings.rows());
    for item in top_items(&scores, |item| rows.has(user as usize, item), args.top) {
        let (name, rating) = (&ratings.items()[item as usize], scores[item as usize]);
        if args.output.json {
            console::json(&json!({ "item": name, "expected": rating }))?;
        } else {
            console::line(format!("{rating:.2}  {name}"))?;
        }
    }
    Ok(())
}

/// Holds out a quarter of each user's items, learns from the others which are rated at all, and measures the lists.
pub(super) fn measured(args: &Recommend, ratings: &Ratings) -> Result<(), Error> {
    let (train, test) = held_out(ratings);
    let clock = Clock::start();
    let (columns, rows) = (train.transposed().rows(), train.rows());
    let popular: Vec<f32> = (0..columns.rows()).map(|item| columns.row(item).len() as f32).collect();
    print(args, "most rated", &judged(args.top, &train, &test, |_| Ok(popular.clone()))?, clock.seconds())?;
    let clock = Clock::start();
    let bits = rated_or_not(&train)?;
    let bar = console::bar(args.output, u64::from(args.epochs), "training");
    let mut rbm = RatingsRbm::for_data(&bits, args.machine(), args.key())?;
    fit_ratings(&mut rbm, &bits, &args.fit(), args.key(), &mut observer(&bar))?;
    bar.finish_and_clear();
    let likely = |user: usize| {
        let row: Vec<(u32, u8)> =
            (0..rows.items() as u32).map(|item| (item, u8::from(rows.has(user, item)))).collect();
        rbm.likely(&row)
    };
    let ranking = judged(args.top, &train, &test, likely)?;
    print(args, "RBM of rated or not", &ranking, clock.seconds())
}

fn judged(
    top: usize,
    train: &Ratings,
    test: &Ratings,
    scores: impl Fn(usize) -> Result<Vec<f32>, Error>,
) -> Result<Ranking, Error> {
    let (seen, wanted) = (train.rows(), test.rows());
    let mut lists = Lists::new(top, train.items().len())?;
    for user in 0..seen.rows() {
        let relevant: HashSet<u32> = wanted.row(user).iter().map(|pair| pair.0).collect();
        lists.add(&top_items(&scores(user)?, |item| seen.has(user, item), top), &relevant);
    }
    lists.ranking()
}

fn print(args: &Recommend, model: &str, ranking: &Ranking, seconds: f64) -> Result<(), Error> {
    if args.output.json {
        return console::json(
            &json!({ "model": model, "ranking": ranking, "seed": args.seed, "seconds": seconds }),
        );
    }
    let Ranking { top, precision, recall, map, ndcg, coverage, .. } = ranking;
    console::line(format!(
        "{model:<20} NDCG@{top} {ndcg:.4}  MAP {map:.4}  precision {precision:.4}  recall {recall:.4}  coverage {coverage:.3}  {seconds:.1} s"
    ))
}
