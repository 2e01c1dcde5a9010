//! Predicts ratings with two machines, one of users and one of items, and lists what a user may like.
//!
//! `cargo run --release -p harmonium-examples --example ratings [-- --short] [FILE]`: lectures of InstEval (`data/insteval`), or a file of user, item
//! and rating from 1 to 5. A fifth of the ratings is held out, by the hash of their rows. InstEval: 1.205 for biases, which are nearly all there is to it.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow::Continue;
use std::path::Path;

use harmonium::data::{Ratings, ReadRatings, Scale};
use harmonium::evaluate::rating_errors;
use harmonium::prelude::*;
use harmonium::rbm::ratings::{Blend, Predictor, RatingsFit, RatingsOptions, best_biases, mixed, top_items};
use harmonium_examples::Arguments;

fn main() -> Result<(), Error> {
    let (arguments, key) = (Arguments::read(), Key::from_seed(1));
    let given = arguments.words.first();
    let lectures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/insteval/InstEval.csv.gz");
    let columns = given.is_none().then(|| ["s", "d", "y"].map(String::from));
    let file = given.map_or(lectures, Into::into);
    let ratings = Ratings::open(&file, Scale::default(), &ReadRatings { columns, separator: None })?;
    let (train, test) = ratings.split(0);
    let truth: Vec<f32> = test.each().iter().map(|r| test.value(r)).collect();

    let biases = best_biases(&train)?;
    let predicted: Vec<f32> = test.each().iter().map(|r| biases.predicted(r.user, r.item)).collect();
    println!("biases        {:.4}", rating_errors(&predicted, &truth)?.rmse);

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
    let blend = Blend::fit(&train, &options, &fit, key, &mut |_| Continue(()))?;
    let [users, items] = blend.predict_all(&train, &test)?;
    println!("RBM of users  {:.4}", rating_errors(&users, &truth)?.rmse);
    println!("RBM of items  {:.4}", rating_errors(&items, &truth)?.rmse);
    let both = mixed(&users, &items, 0.3);
    println!("both          {:.4}", rating_errors(&both, &truth)?.rmse);

    let (scores, rows) = (blend.expected(&train, 0, 0.3)?, train.rows());
    let list = top_items(&scores, |item| rows.has(0, item), 5);
    let names: Vec<String> =
        list.iter().map(|&i| format!("{} ({:.2})", train.items()[i as usize], scores[i as usize])).collect();
    println!("for user {}: {}", train.users()[0], names.join(", "));
    Ok(())
}
