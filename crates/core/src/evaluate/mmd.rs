//! Tests whether two sets of rows have one law, by their maximum mean discrepancy.

use harmonium_kernels::{Key, parallel};
use serde::{Deserialize, Serialize};

use super::distance::{check, distance, some};
use crate::data::shuffled;
use crate::units::States;
use crate::{Batch, Error};

/// Says how the discrepancy is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mmd {
    /// The most rows of each set; more are drawn from. Time and memory grow with their square.
    pub rows: usize,
    /// Permutations for the p-value; 0 leaves it out.
    pub permutations: usize,
    /// The length of the kernel: bits, or the unit of the values. None takes the median distance of two rows.
    pub scale: Option<f64>,
}

impl Default for Mmd {
    fn default() -> Self {
        Self { rows: 1000, permutations: 200, scale: None }
    }
}

/// The most rows of a set: their kernel takes 3.2 GB.
const MAX_ROWS: usize = 10_000;

/// Is a discrepancy with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discrepancy {
    /// MMD², unbiased: 0 on average where both sets have one law, and then as often below.
    pub squared: f64,
    /// Share of the permutations of the rows, the given order among them, whose MMD² is at least this one.
    pub p_value: Option<f64>,
    /// The kernel's length.
    pub scale: f64,
    /// Rows of each set that were compared.
    pub rows: [usize; 2],
}

impl Mmd {
    /// Refuses fewer than two rows, more than ten thousand, and a length that is not above 0.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(2..=MAX_ROWS).contains(&self.rows) {
            return Err(Error::option("rows", format!("2 to {MAX_ROWS}"), self.rows));
        }
        match self.scale {
            Some(scale) if !(scale > 0.0 && scale.is_finite()) => {
                Err(Error::option("scale", "a number above 0", scale))
            }
            _ => Ok(()),
        }
    }
}

/// Computes MMD² of two sets without bias (Gretton, Borgwardt, Rasch, Schölkopf & Smola 2012, equation 3): the mean of k over pairs
/// within a, plus that within b, minus twice that between them. The kernel is e^(−d/s) for bits, d being the number that
/// differ, and e^(−d²/2s²) for real values, d being the Euclidean distance.
///
/// # Errors
/// Refuses options out of range, and rows of different kinds or widths, with missing values, or fewer than two.
pub fn mmd(a: &Batch, b: &Batch, options: &Mmd, key: Key) -> Result<Discrepancy, Error> {
    options.check()?;
    check("samples", a, b)?;
    let (a, b) = (some(a, options.rows, key.fold_in(0)), some(b, options.rows, key.fold_in(1)));
    let rows = [a.rows(), b.rows()];
    let (kernel, scale) =
        Kernel::new(&States::stacked(&[a.states().clone(), b.states().clone()]), options.scale);
    let given: Vec<u32> = (0..rows[0] as u32).collect();
    let squared = kernel.discrepancy(&given);
    let p_value = (options.permutations > 0).then(|| {
        let permuted = |n: usize| {
            let order = shuffled(rows[0] + rows[1], key.fold_in(2), n as u64);
            kernel.discrepancy(&order[..mutant!("B197", rows[0], 2)])
        };
        let as_large =
            parallel::map(options.permutations, permuted).iter().filter(|x| **x >= squared).count();
        (as_large + 1) as f64 / (options.permutations + 1) as f64
    });
    Ok(Discrepancy { squared, p_value, scale, rows })
}

/// Holds k of each pair of rows, 0 for a row with itself, and the sum of each row and of all.
struct Kernel {
    values: Vec<Vec<f64>>,
    sums: Vec<f64>,
    total: f64,
}

impl Kernel {
    /// Computes the kernel of all pairs, and gives its length.
    fn new(all: &States, scale: Option<f64>) -> (Self, f64) {
        let n = all.rows();
        let distances: Vec<Vec<f64>> =
            parallel::map(n, |row| (0..n).map(|other| distance(all, row, all, other)).collect());
        let bits = all.bits().is_some();
        let scale = scale.unwrap_or_else(|| {
            let median = median(&distances);
            if bits { median } else { median.sqrt() }
        });
        let of = |d: f64| libm::exp(if bits { -d / scale } else { -d / (2.0 * scale * scale) });
        let row = |row: usize| -> Vec<f64> {
            distances[row]
                .iter()
                .enumerate()
                .map(|(other, &d)| if other == row { 0.0 } else { of(d) })
                .collect()
        };
        let values: Vec<Vec<f64>> = parallel::map(n, row);
        let sums: Vec<f64> = values.iter().map(|row| row.iter().sum()).collect();
        let total = sums.iter().sum();
        (Self { values, sums, total }, scale)
    }

    /// Computes MMD² between these rows and all others, of sums over ordered pairs.
    fn discrepancy(&self, of_a: &[u32]) -> f64 {
        let (n, m) = (of_a.len() as f64, (self.values.len() - of_a.len()) as f64);
        let row = |&i: &u32| -> f64 { of_a.iter().map(|&j| self.values[i as usize][j as usize]).sum() };
        let within: f64 = of_a.iter().map(row).sum();
        let touching: f64 = of_a.iter().map(|&i| self.sums[i as usize]).sum();
        let (between, others) = (touching - within, self.total - 2.0 * touching + within);
        let pairs = mutant!("B198", n * (n - 1.0), n * n);
        within / pairs + others / (m * (m - 1.0)) - 2.0 * between / (n * m)
    }
}

/// Gives the median distance of two different rows; 1 where that is 0.
fn median(distances: &[Vec<f64>]) -> f64 {
    let mut all: Vec<f64> =
        (0..distances.len()).flat_map(|row| distances[row][..row].iter().copied()).collect();
    let middle = all.len() / 2;
    let median = *all.select_nth_unstable_by(middle, f64::total_cmp).1;
    if median > 0.0 { median } else { 1.0 }
}
