//! Measures the settled options of a training against a sweep of 30 recipes on six sets.

mod recipes;
mod sets;

use std::fmt::Write;
use std::fs;

use harmonium::evaluate::{Ais, Betas};
use harmonium::prelude::*;
use harmonium::rows::moments;
use harmonium::train::Training;

use crate::args::Sweep;
use crate::console;
use recipes::Recipe;
use sets::Set;

/// Temperatures of the annealing that measures what can't be enumerated.
const BETAS: usize = 3_000;

/// Carries out `sweep`.
///
/// # Errors
/// Says what is wrong with a set or can't be written.
pub(crate) fn run(args: &Sweep) -> Result<(), Error> {
    let mut columns = Vec::new();
    for name in &args.sets {
        match sets::read(name, args.extra.as_deref())? {
            Some(set) => columns.push(column(&set, args)?),
            None => {
                console::tell(format_args!(
                    "{name} is an optional set: --extra names the folder that has it"
                ));
            }
        }
    }
    let page = table(&columns);
    console::line(&page)?;
    args.out.as_ref().map_or(Ok(()), |file| fs::write(file, &page).map_err(|e| Error::io("write", file, e)))
}

/// Holds what the recipes gained on a set, in nats a row over the independent model.
struct Column {
    name: &'static str,
    independent: f64,
    gains: Vec<(&'static str, f64)>,
}

fn column(set: &Set, args: &Sweep) -> Result<Column, Error> {
    let independent = independent(set)?;
    let count = recipes::all(set.train.rows(), set.train.units()).len().min(args.recipes);
    let gains = (0..count).map(|n| gain(set, n, independent, args.seeds)).collect::<Result<_, _>>()?;
    Ok(Column { name: set.name, independent, gains })
}

/// Gives the mean log-likelihood of the rows to judge by under independent columns, smoothed by one row of each value.
fn independent(set: &Set) -> Result<f64, Error> {
    let (n, (means, _)) = (set.train.rows() as f64, moments(&set.train)?);
    let ones: Vec<f64> = means.iter().map(|mean| (mean * n + 1.0) / (n + 2.0)).collect();
    let (rows, _) = moments(&set.valid)?;
    Ok(rows.iter().zip(ones).map(|(x, p)| x * p.ln() + (1.0 - x) * (1.0 - p).ln()).sum())
}

/// Trains by recipe `n` from each seed, and gives the mean gain; one that ran away has none.
fn gain(set: &Set, n: usize, independent: f64, seeds: u64) -> Result<(&'static str, f64), Error> {
    let (mut name, mut sum) = ("", 0.0);
    for seed in 1..=seeds {
        let recipe = recipes::all(set.train.rows(), set.train.units()).swap_remove(n);
        name = recipe.name;
        sum += likelihood(set, recipe, Key::from_seed(seed))? - independent;
    }
    let gain = sum / seeds as f64;
    console::tell(format_args!("{:<12} {name:<32} {gain:10.4}", set.name));
    Ok((name, gain))
}

fn likelihood(set: &Set, mut recipe: Recipe, key: Key) -> Result<f64, Error> {
    let mut rbm = Rbm::for_data(&set.train, Units::Bernoulli(set.hidden), key)?;
    let mut training = Training::new(&rbm, &set.train, &recipe.fit)?;
    if training.run(&mut rbm, &set.train, recipe.estimator.as_mut(), key, &mut Silent).is_err() {
        return Ok(f64::NEG_INFINITY);
    }
    let rbm = training.averaged(&rbm).unwrap_or(rbm);
    let annealing = Annealing {
        ais: Ais { betas: Betas::Count(BETAS), ..Ais::default() },
        sweeps: 0,
        ..Annealing::default()
    };
    Ok(rbm.log_likelihood(&set.valid, &annealing, key)?.log_likelihood)
}

/// Writes one line a recipe: gains, and their share of the best of the set.
fn table(columns: &[Column]) -> String {
    let mut page = String::from("| recipe |");
    columns.iter().for_each(|column| {
        let _ = write!(page, " {} ({:.2}) |", column.name, column.independent);
    });
    let _ = writeln!(page, "\n|---|{}", "---|".repeat(columns.len()));
    let best = |column: &Column| column.gains.iter().map(|(_, gain)| *gain).fold(f64::NEG_INFINITY, f64::max);
    for n in 0..columns.first().map_or(0, |column| column.gains.len()) {
        let _ = write!(page, "| {} |", columns[0].gains[n].0);
        columns.iter().for_each(|column| {
            let gain = column.gains[n].1;
            let _ = write!(page, " {gain:.3} ({:.1} %) |", 100.0 * gain / best(column));
        });
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gives_shares_of_the_best() {
        let column = |name, gains: [f64; 2]| Column {
            name,
            independent: -10.0,
            gains: vec![("settled", gains[0]), ("other", gains[1])],
        };
        let page = table(&[column("a", [1.9, 2.0]), column("b", [3.0, f64::NEG_INFINITY])]);
        assert_eq!(
            page,
            "| recipe | a (-10.00) | b (-10.00) |\n|---|---|---|\n\
             | settled | 1.900 (95.0 %) | 3.000 (100.0 %) |\n| other | 2.000 (100.0 %) | -inf (-inf %) |\n"
        );
    }
}
