//! Learns a survey of eight questions, "on how many of the last seven days …", with binomial units, and foretells answers.
//!
//! `cargo run --release -p harmonium-examples --example binomial [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::prelude::*;
use harmonium::rbm::Imputing;
use harmonium_examples::Arguments;
use ndarray::{Array2, array};
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

const DAYS: u32 = 7;
const QUESTIONS: [&str; 8] = ["walk", "cycle", "swim", "stretch", "read", "paint", "write", "play"];
/// Of an answer that is to be foretold.
const ASKED: f32 = f32::NAN;

fn main() -> Result<(), Error> {
    let (key, short) = (Key::from_seed(1), Arguments::read().short);
    let (rows, epochs) = if short { (1_000, 15) } else { (10_000, 60) };
    let units = Units::Binomial { units: QUESTIONS.len(), trials: DAYS };
    let (train, test) = (answers(rows, key), answers(1_000, key.fold_in(1)));
    let (data, held) = (Batch::reals(train)?, Batch::reals(test)?);

    // Each hidden unit shifts the odds of a day: logit p = b + W·h.
    let mut rbm = Rbm::fitted(units.clone(), &data, Units::Bernoulli(6), key)?;
    println!("independent {:.3} nats a person", rbm.exact_likelihood(&held)?.log_likelihood);
    let options = Fit { epochs, method: Method::adam(), ..Fit::default() };
    let options = Fit { learning_rate: Schedule::Linear { from: 0.01, to: 0.0 }, ..options };
    fit(&mut rbm, &data, &mut Pcd::new(1, 200), &options, key, &mut Silent)?;
    println!("learnt      {:.3} nats a person", rbm.exact_likelihood(&held)?.log_likelihood);

    let people = array![
        [6.0, 5.0, ASKED, ASKED, 1.0, ASKED, ASKED, ASKED],
        [1.0, 0.0, ASKED, ASKED, 6.0, ASKED, ASKED, ASKED],
        [6.0, 6.0, ASKED, ASKED, 6.0, ASKED, ASKED, ASKED],
    ];
    let asked = Batch::with_missing(people.view(), &units)?;
    let filled = rbm.impute(&asked, Imputing::default(), key)?;
    for (row, person) in people.rows().into_iter().enumerate() {
        let known = |q: &usize| !person[*q].is_nan();
        let given = (0..8).filter(known).map(|q| format!("{} {}", QUESTIONS[q], person[q]));
        let guessed = (0..8)
            .filter(|q| !known(q))
            .map(|q| format!("{} {:.1}±{:.1}", QUESTIONS[q], filled.mean[(row, q)], filled.spread[(row, q)]));
        println!("{}: {}", given.collect::<Vec<_>>().join(", "), guessed.collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

/// Draws people who are active or not, and at home with books or not: 5 days of 7 on average, or 1.5.
fn answers(people: usize, key: Key) -> Array2<f32> {
    let range = Uniform::new(0.0_f64, 1.0).expect("an interval");
    let width = 2 + QUESTIONS.len() * DAYS as usize;
    let words = Array2::random_using((people, width), range, &mut key.fold_in(99).stream(0));
    Array2::from_shape_fn((people, QUESTIONS.len()), |(person, question)| {
        let often = words[(person, question / 4)] < 0.5;
        let share = if often { 5.0 / 7.0 } else { 1.5 / 7.0 };
        let days = 2 + question * DAYS as usize..2 + (question + 1) * DAYS as usize;
        days.filter(|&day| words[(person, day)] < share).count() as f32
    })
}
