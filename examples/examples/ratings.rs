//! Predicts ratings with two machines, one of users and one of items, and lists what a user may like.
//!
//! `cargo run --release -p harmonium-examples --example ratings [-- [FILE | movielens] [SEED] [--short]]`: lectures of InstEval
//! (`data/insteval`), films where they are at hand (`data/movielens`), or a file of user, item and rating from 1 to 5. A fifth of the
//! ratings is held out, by the hash of their rows. InstEval: 1.205 for biases, which are nearly all there is to it.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow::Continue;
use std::path::Path;

use harmonium::data::{Ratings, ReadRatings, Scale};
use harmonium::evaluate::rating_errors;
use harmonium::prelude::*;
use harmonium::rbm::ratings::{Blend, Predictor, RatingsFit, RatingsOptions, best_biases, mixed, top_items};
use harmonium_examples::Arguments;
use harmonium_examples::movielens::movielens;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let seed: u64 = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
    let mut given = arguments.words.iter().find(|word| word.parse::<u64>().is_err()).cloned();
    if given.as_deref() == Some("movielens") {
        match movielens() {
            Ok(file) => given = Some(file.display().to_string()),
            Err(skipped) => {
                println!("{skipped}");
                return Ok(());
            }
        }
    }
    let lectures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/insteval/InstEval.csv.gz");
    let columns = given.is_none().then(|| ["s", "d", "y"].map(String::from));
    let file = given.as_ref().map_or(lectures, Into::into);
    let ratings = Ratings::open(&file, Scale::default(), &ReadRatings { columns, separator: None })?;
    let (train, test) = ratings.split(0);
    let truth: Vec<f32> = test.each().iter().map(|r| test.value(r)).collect();

    let told = |name: &str, predicted: &[f32]| {
        rating_errors(predicted, &truth).map(|e| println!("{name:<14} RMSE {:.4}  MAE {:.4}", e.rmse, e.mae))
    };
    let biases = best_biases(&train)?;
    println!("{} ratings to train on, {} to test on, seed {seed}", train.each().len(), truth.len());
    told("biases", &test.each().iter().map(|r| biases.predicted(r.user, r.item)).collect::<Vec<_>>())?;

    // Lectures are nearly additive: weights must stay small, and those of short rows need no more damping than those of long ones.
    let (epochs, hidden) = if arguments.short { (2, 10) } else { (20, 50) };
    let (damping, decay, from) = if given.is_none() { (1000.0, 0.1, 0.005) } else { (50.0, 0.02, 0.02) };
    let options = RatingsOptions { hidden, damping, ..RatingsOptions::default() };
    let fit = RatingsFit {
        epochs,
        decay,
        learning_rate: Schedule::Linear { from, to: 0.0 },
        ..RatingsFit::default()
    };
    let blend = Blend::fit(&train, &options, &fit, Key::from_seed(seed), &mut |_| Continue(()))?;
    let [users, items] = blend.predict_all(&train, &test)?;
    told("RBM of users", &users)?;
    told("RBM of items", &items)?;
    told("both", &mixed(&users, &items, 0.3))?;

    let (scores, rows) = (blend.expected(&train, 0, 0.3)?, train.rows());
    let list = top_items(&scores, |item| rows.has(0, item), 5);
    let names: Vec<String> =
        list.iter().map(|&i| format!("{} ({:.2})", train.items()[i as usize], scores[i as usize])).collect();
    println!("for user {}: {}", train.users()[0], names.join(", "));
    Ok(())
}
