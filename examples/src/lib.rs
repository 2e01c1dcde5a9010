//! Keeps the examples in a package of their own: each lies in `examples/` and shows one idea. Those that measure a figure of
//! BENCHMARKS.md share what is here: seeds in turn, then mean and worst.
#![allow(clippy::print_stdout)] // An example speaks.

pub mod digits;
pub mod images;
pub mod movielens;
pub mod stacks;
pub mod strangers;
pub mod trajectories;
pub mod votes;

use std::time::Instant;

use harmonium::{Error, Key};
use ndarray::{Array1, Array2, Axis};

/// Holds the words behind the name of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Whether `--short` is among them: the same way through the code in seconds.
    pub short: bool,
    /// All others, in their order.
    pub words: Vec<String>,
}

impl Arguments {
    /// Takes the arguments of the program.
    pub fn read() -> Self {
        Self::of(std::env::args().skip(1))
    }

    /// Gives the first of them, if it is a number.
    pub fn number(&self) -> Option<u64> {
        self.words.first()?.parse().ok()
    }

    /// Gives the number behind a word.
    pub fn after(&self, word: &str) -> Option<usize> {
        let at = self.words.iter().position(|given| given == word)?;
        self.words.get(at + 1)?.parse().ok()
    }

    fn of(words: impl Iterator<Item = String>) -> Self {
        let (short, words): (Vec<_>, Vec<_>) = words.partition(|word| word == "--short");
        Self { short: !short.is_empty(), words }
    }

    /// Tells whether a word is among them.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|given| given == word)
    }
}

/// Does a part of the work and prints how long it took.
///
/// # Errors
/// What stopped it.
pub fn timed<T>(name: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let clock = Instant::now();
    let out = work()?;
    println!("{name}: {:.0} s", clock.elapsed().as_secs_f64());
    Ok(out)
}

/// Measures seeds 1 to `seeds`, one line each, and prints mean and worst; more is better.
///
/// # Errors
/// What stopped one of them.
pub fn measure(
    figure: &str,
    seeds: u64,
    mut run: impl FnMut(Key) -> Result<f64, Error>,
) -> Result<(), Error> {
    let (begin, mut found) = (Instant::now(), Vec::new());
    for seed in 1..=seeds {
        let clock = Instant::now();
        let value = run(Key::from_seed(seed))?;
        println!("seed {seed:>2}  {figure} {value:.4}  {:.1} s", clock.elapsed().as_secs_f64());
        found.push(value);
    }
    let (mean, worst) = summary(&found);
    println!("mean {mean:.4}, worst {worst:.4} of {seeds} seeds in {:.0} s", begin.elapsed().as_secs_f64());
    Ok(())
}

/// Computes the covariances of features of different units, `width` features each, over weighted rows: `(n, features)`.
pub fn covariances(rows: &Array2<f32>, weights: &[f32], width: usize) -> Vec<f32> {
    let weights = Array1::from(weights.to_vec());
    let weighted = rows * &(&weights / weights.sum()).insert_axis(Axis(1));
    let (mean, second) = (weighted.sum_axis(Axis(0)), weighted.t().dot(rows));
    let pairs = second.indexed_iter().filter(|((a, b), _)| a / width < b / width);
    pairs.map(|((a, b), second)| second - mean[a] * mean[b]).collect()
}

/// Computes Pearson's correlation of two lists.
pub fn pearson(x: &[f32], y: &[f32]) -> f64 {
    let mean = |x: &[f32]| x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let pairs = x.iter().zip(y).map(|(&x, &y)| (f64::from(x) - mx, f64::from(y) - my));
    let [xy, xx, yy] = pairs.fold([0.0; 3], |[xy, xx, yy], (x, y)| [xy + x * y, xx + x * x, yy + y * y]);
    xy / (xx * yy).sqrt()
}

fn summary(found: &[f64]) -> (f64, f64) {
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    (mean, found.iter().copied().fold(f64::INFINITY, f64::min))
}

/// Deals rows out to five folds by splitmix64.
pub fn fold_of(row: u64) -> u64 {
    let z = (row + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ z >> 31) % 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_the_lowest() {
        assert_eq!(summary(&[-2.0, -4.0, -3.0]), (-3.0, -4.0));
    }

    #[test]
    fn folds_are_those_of_splitmix64() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(fold_of), [0, 0, 4, 4, 2, 0, 3, 0, 4, 0]);
    }

    /// Two units of two features; the last row counts twice. The correlation of a list with twice itself is 1.
    #[test]
    fn covariances_are_those_of_different_units() {
        let rows = ndarray::array![[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]];
        let found = covariances(&rows, &[2.0, 2.0], 2);
        assert_eq!(found, [0.25, -0.25, -0.25, 0.25]);
        assert_eq!(covariances(&rows, &[0.0, 4.0], 2), [0.0; 4]);
        assert!((pearson(&found, &[0.5, -0.5, -0.5, 0.5]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_short_form_is_told_from_the_rest() {
        let given = Arguments::of(["a", "--short", "--b"].map(String::from).into_iter());
        assert!(given.short && given.has("--b") && !given.has("--short"));
        assert_eq!(given.words, ["a", "--b"]);
        let given = Arguments::of(["7", "--codes", "2"].map(String::from).into_iter());
        assert_eq!((given.number(), given.after("--codes"), given.after("--b")), (Some(7), Some(2), None));
    }
}
