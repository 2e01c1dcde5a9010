//! Compares the moments of two sets of rows, up to the third order.

use harmonium_kernels::{BitMatrix, Key, parallel};
use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::distance::check;
use crate::units::States;
use crate::{Batch, Error};

/// Is the difference of one moment between two sets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The moment of the first set less that of the second.
    pub value: f64,
    /// Its standard error, √(s_a²/n_a + s_b²/n_b), of rows that are independent: those of a chain, one after the other, are not.
    pub error: f64,
}

/// Sums up the differences of all moments of one order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Moments compared.
    pub terms: usize,
    /// Root of the mean square difference.
    pub rms: f64,
    /// Root of the mean square standard error: what the difference is where both sets have one law.
    pub noise: f64,
    /// The largest difference, in standard errors; one without an error counts only if there is a difference, and then as infinite.
    pub largest: f64,
}

/// Holds the differences of the moments of order one, two and three.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Means of features.
    pub first: Order,
    /// Means of products of two features.
    pub second: Order,
    /// Means of products of three.
    pub third: Order,
}

/// Compares moments of all features, pairs and triples, or of `most` of an order, drawn by the key, where there are more. Of bits
/// these are means of x, of xy and of xyz of different features; of real values, means of products of what they are above
/// the pooled mean, in units of the pooled standard deviation, a feature with itself among them.
///
/// # Errors
/// Refuses rows of different kinds or widths, with missing values, or fewer than two; and no moment at all.
pub fn moments(a: &Batch, b: &Batch, most: usize, key: Key) -> Result<Moments, Error> {
    check("samples", a, b)?;
    if most == 0 {
        return Err(Error::option("most", "1 or more", most));
    }
    let columns = Columns::new(a.states(), b.states());
    let order = |n: usize| {
        let terms = columns.terms(n, most, key.fold_in(n as u64));
        summed(&parallel::map(terms.len(), |term| columns.difference(&terms[term])))
    };
    Ok(Moments { first: order(1), second: order(2), third: order(3) })
}

/// Compares the mean of the product of these features, as [`moments`] does.
///
/// # Errors
/// As [`moments`]; refuses features that are not there, and none.
pub fn moment(a: &Batch, b: &Batch, features: &[usize]) -> Result<Difference, Error> {
    check("samples", a, b)?;
    if features.is_empty() || features.iter().any(|&feature| feature >= a.units()) {
        return Err(Error::value(
            "features",
            "",
            format!("numbers below {}", a.units()),
            format!("{features:?}"),
        ));
    }
    Ok(Columns::new(a.states(), b.states()).difference(features))
}

/// Holds two sets by columns: bits of the rows, or values.
enum Columns {
    /// Rows are features.
    Bits([BitMatrix; 2]),
    Reals([Vec<Vec<f64>>; 2]),
}

impl Columns {
    fn new(a: &States, b: &States) -> Self {
        if a.bits().is_some() {
            return Self::Bits([a, b].map(|set| set.expect_bits().transposed()));
        }
        let mut sets = [a, b].map(real_columns);
        (0..a.features()).for_each(|feature| standardise(&mut sets, feature));
        Self::Reals(sets)
    }

    fn features(&self) -> usize {
        match self {
            Self::Bits(sets) => sets[0].rows(),
            Self::Reals(sets) => sets[0].len(),
        }
    }

    /// Lists the features of each term of an order, or draws `most` of them.
    fn terms(&self, order: usize, most: usize, key: Key) -> Vec<Vec<usize>> {
        let (features, gap) = (self.features(), usize::from(matches!(self, Self::Bits(_))));
        // Rising lists, each number at least `gap` above the one before, are combinations of so many things.
        let things = if gap == 1 { features } else { features + order - 1 };
        let count = (0..order).fold(1.0, |n, k| n * (things as f64 - k as f64) / (k + 1) as f64);
        if count < 1.0 {
            return Vec::new();
        }
        if count <= most as f64 {
            return listed(order, features, gap);
        }
        let mut words = key.stream(0);
        let mut draw = || loop {
            let mut term: Vec<usize> =
                (0..order).map(|_| (words.next_u64() % features as u64) as usize).collect();
            term.sort_unstable();
            if term.windows(2).all(|pair| pair[1] - pair[0] >= gap) {
                return term;
            }
        };
        (0..most).map(|_| draw()).collect()
    }

    fn difference(&self, features: &[usize]) -> Difference {
        let (a, b) = match self {
            Self::Bits(sets) => (of_bits(&sets[0], features), of_bits(&sets[1], features)),
            Self::Reals(sets) => (of_reals(&sets[0], features), of_reals(&sets[1], features)),
        };
        let error = mutant!("B199", a.1 + b.1, a.1).sqrt();
        Difference { value: a.0 - b.0, error }
    }
}

/// Lists rising lists of numbers below `features`, each at least `gap` above the one before.
fn listed(order: usize, features: usize, gap: usize) -> Vec<Vec<usize>> {
    let longer = |term: &Vec<usize>| -> Vec<Vec<usize>> {
        let first = term.last().map_or(0, |last| last + gap);
        (first..features).map(|next| [term.as_slice(), &[next]].concat()).collect()
    };
    (0..order).fold(vec![Vec::new()], |terms, _| terms.iter().flat_map(longer).collect())
}

/// Computes the mean of a product of bits and the square of its standard error.
fn of_bits(columns: &BitMatrix, features: &[usize]) -> (f64, f64) {
    let rows = columns.units();
    let word = |at: usize| features.iter().fold(u64::MAX, |all, &feature| all & columns.row(feature)[at]);
    let ones: u32 = (0..columns.stride()).map(|at| word(at).count_ones()).sum();
    let mean = f64::from(ones) / rows as f64;
    (mean, mean * (1.0 - mean) / (rows - 1) as f64)
}

/// Computes the mean of a product of values and the square of its standard error.
fn of_reals(columns: &[Vec<f64>], features: &[usize]) -> (f64, f64) {
    let rows = columns[0].len();
    let product = |row: usize| features.iter().map(|&feature| columns[feature][row]).product::<f64>();
    let mean = (0..rows).map(product).sum::<f64>() / rows as f64;
    let squares: f64 = (0..rows).map(|row| (product(row) - mean) * (product(row) - mean)).sum();
    (mean, squares / (rows - 1) as f64 / rows as f64)
}

fn real_columns(states: &States) -> Vec<Vec<f64>> {
    let values = states.expect_reals();
    values.columns().into_iter().map(|column| column.iter().map(|&x| f64::from(x)).collect()).collect()
}

/// Subtracts the pooled mean of a feature, and divides by its pooled standard deviation where that is not 0.
fn standardise(sets: &mut [Vec<Vec<f64>>; 2], feature: usize) {
    let n = (sets[0][feature].len() + sets[1][feature].len()) as f64;
    let sum = |sets: &[Vec<Vec<f64>>; 2], f: &dyn Fn(f64) -> f64| -> f64 {
        sets.iter().flat_map(|set| &set[feature]).map(|&x| f(x)).sum()
    };
    let mean = sum(sets, &|x| x) / n;
    let deviation = (sum(sets, &|x| (x - mean) * (x - mean)) / n).sqrt();
    let unit = if deviation > 0.0 { deviation } else { 1.0 };
    sets.iter_mut().flat_map(|set| &mut set[feature]).for_each(|x| *x = (*x - mean) / unit);
}

fn summed(differences: &[Difference]) -> Order {
    let terms = differences.len();
    let root = |square: &dyn Fn(&Difference) -> f64| {
        (differences.iter().map(square).sum::<f64>() / terms.max(1) as f64).sqrt()
    };
    let z = |d: &Difference| if d.value == 0.0 { 0.0 } else { d.value.abs() / d.error };
    Order {
        terms,
        rms: root(&|d| d.value * d.value),
        noise: root(&|d| d.error * d.error),
        largest: differences.iter().map(z).fold(0.0, f64::max),
    }
}
