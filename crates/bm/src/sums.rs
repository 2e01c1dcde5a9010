//! Adds up the sufficient statistics of states: x_i x_j of every edge, x_i, and x_i x_j x_k, as exact integers.

use harmonium_kernels::{BitMatrix, parallel};

use crate::Machine;

/// Terms that one task counts.
const TASK: usize = 1024;

/// Adds up −∂E/∂θ over rows, block by block: couplings, biases and, where there are any, third-order terms.
pub(crate) fn sums(machine: &Machine, bits: &BitMatrix) -> Vec<Vec<f64>> {
    let lines = Lines { bits: bits.transposed(), spins: machine.is_spin(), rows: bits.rows() as i64 };
    let (edges, width) = (machine.graph.edges(), machine.width());
    let pair = |at: usize| {
        let ([i, j], table) = (edges[at / (width * width)], at % (width * width));
        lines.sum(&[i as usize * width + table / width, j as usize * width + table % width])
    };
    let mut out = vec![
        each(edges.len() * width * width, pair),
        each(machine.biases.len(), |feature| lines.sum(&[feature])),
    ];
    if !machine.triples.is_empty() {
        let triple = |at: usize| lines.sum(&machine.triples[at].map(|unit| unit as usize));
        out.push(each(machine.triples.len(), triple));
    }
    out
}

fn each(terms: usize, sum: impl Fn(usize) -> i64 + Sync) -> Vec<f64> {
    let parts = parallel::map(terms.div_ceil(TASK), |task| {
        let part = task * TASK..terms.min((task + 1) * TASK);
        part.map(|term| sum(term) as f64).collect::<Vec<_>>()
    });
    parts.concat()
}

/// Holds the bits of each feature over the rows.
struct Lines {
    bits: BitMatrix,
    spins: bool,
    rows: i64,
}

impl Lines {
    /// Adds up the product of features over the rows. A product of spins is +1 where the number of −1 is even.
    fn sum(&self, features: &[usize]) -> i64 {
        let lines: Vec<&[u64]> = features.iter().map(|&feature| self.bits.row(feature)).collect();
        let count = |join: &dyn Fn(u64, u64) -> u64, start: u64| -> i64 {
            let words = 0..self.bits.stride();
            let joined = words.map(|w| lines.iter().fold(start, |word, line| join(word, line[w])));
            joined.map(|word| i64::from(word.count_ones())).sum()
        };
        if !self.spins {
            return count(&|a, b| a & b, u64::MAX);
        }
        let odd = count(&|a, b| a ^ b, 0);
        let sign = if mutant!("B137", features.len() % 2 == 1, true) { 1 } else { -1 };
        sign * (2 * odd - self.rows)
    }
}
