//! Adds up means and squares of visible units over chains and sweeps.

use harmonium_core::Batch;
use harmonium_core::units::{Layer, Means, Scaling, States};
use harmonium_kernels::BitMatrix;
use ndarray::{Array2, ArrayView1, Axis, Zip, concatenate};

use crate::{Imputed, Rbm};

/// Holds sums over all sweeps and chains of a row, `(n, visible)`.
#[derive(Clone, Debug)]
pub(super) struct Marginals {
    chains: usize,
    sweeps: u32,
    sums: Sums,
}

#[derive(Clone, Debug)]
enum Sums {
    None,
    /// Of bits, their probabilities in units of 2^-16: these say all.
    Codes(Array2<u64>),
    /// Of other units, means given the hidden ones, and squares.
    Reals(Array2<f64>, Array2<f64>),
}

impl Marginals {
    /// Starts with nothing; rows of states come in groups of `chains`.
    pub(super) fn new(chains: usize) -> Self {
        Self { chains, sweeps: 0, sums: Sums::None }
    }

    /// Adds one sweep: states drawn, and the means that they were drawn with.
    pub(super) fn add(&mut self, layer: &Layer, states: &States, means: &Means) {
        let shape = (states.rows() / self.chains, states.features());
        self.sweeps += 1;
        match means {
            Means::Codes(codes) => {
                let Sums::Codes(sums) = self.start(Sums::Codes(Array2::zeros(shape))) else { return };
                add_codes(sums, codes, shape.1);
            }
            Means::Reals(values) => {
                let zeros = Array2::zeros(shape);
                let chains = self.chains;
                let Sums::Reals(sums, squares) = self.start(Sums::Reals(zeros.clone(), zeros)) else {
                    return;
                };
                let draws = layer.features_of(states);
                for (row, (means, draws)) in values.chunks_exact(shape.1).zip(draws.rows()).enumerate() {
                    add_reals([sums, squares], row / chains, means, &draws);
                }
            }
        }
    }

    fn start(&mut self, empty: Sums) -> &mut Sums {
        if matches!(self.sums, Sums::None) {
            self.sums = empty;
        }
        &mut self.sums
    }

    /// Puts the rows of blocks below each other.
    pub(super) fn joined(parts: Vec<Self>) -> Self {
        let (chains, sweeps) = parts.first().map_or((1, 0), |part| (part.chains, part.sweeps));
        let (mut codes, mut means, mut squares) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match part.sums {
                Sums::Codes(sums) => codes.push(sums),
                Sums::Reals(sums, more) => {
                    means.push(sums);
                    squares.push(more);
                }
                Sums::None => {}
            }
        }
        let sums = if codes.is_empty() {
            Sums::Reals(below(&means), below(&squares))
        } else {
            Sums::Codes(below(&codes))
        };
        Self { chains, sweeps, sums }
    }

    /// Divides, in the data's own units; what is known as it is stays so, with no spread.
    pub(super) fn finished(&self, rbm: &Rbm, data: &Batch, missing: Option<&BitMatrix>) -> Imputed {
        let (mean, spread) = self.moments(rbm.visible());
        let (mut mean, mut spread) = (rbm.give(States::Reals(mean)).to_array(), spread);
        if let Some(deviations) = rbm.scaling().map(Scaling::deviation) {
            for mut row in spread.rows_mut() {
                row.iter_mut().zip(deviations).for_each(|(s, d)| *s *= mutant!("B299", d, &1.0));
            }
        }
        if let Some(missing) = missing {
            let given = rbm.visible().features_of(data.states());
            for ((r, f), &x) in given.indexed_iter().filter(|((r, f), _)| !missing.get(*r, *f)) {
                mean[(r, f)] = x;
                spread[(r, f)] = 0.0;
            }
        }
        Imputed { mean, spread }
    }

    /// Gives means and deviations of features, standardised.
    fn moments(&self, layer: &Layer) -> (Array2<f32>, Array2<f32>) {
        let n = self.chains as f64 * f64::from(self.sweeps);
        match &self.sums {
            Sums::Codes(sums) => {
                let signs = harmonium_core::units::Unit::signs(layer);
                let p = sums.mapv(|sum| sum as f64 / 65_536.0 / n);
                let wide = if signs { 2.0 } else { 1.0 };
                let spread = p.mapv(|p| (wide * (p * (1.0 - p)).max(0.0).sqrt()) as f32);
                (p.mapv(|p| (if signs { 2.0 * p - 1.0 } else { p }) as f32), spread)
            }
            Sums::Reals(sums, squares) => {
                let mut spread = Array2::zeros(sums.dim());
                Zip::from(&mut spread).and(sums).and(squares).for_each(|s: &mut f32, &sum, &square| {
                    *s = (square / n - (sum / n) * (sum / n)).max(0.0).sqrt() as f32;
                });
                (sums.mapv(|sum| (sum / n) as f32), spread)
            }
            Sums::None => (Array2::zeros((0, 0)), Array2::zeros((0, 0))),
        }
    }
}

/// Adds the codes of a row's chains, one after the other.
fn add_codes(sums: &mut Array2<u64>, codes: &[u16], width: usize) {
    let chains = codes.len() / width / sums.nrows();
    for (mut sums, codes) in sums.rows_mut().into_iter().zip(codes.chunks_exact(width * chains)) {
        for chain in codes.chunks_exact(width) {
            sums.iter_mut().zip(chain).for_each(|(sum, &code)| *sum += u64::from(code));
        }
    }
}

/// Adds means, and E x² = (x − mean)² + mean², which varies less than x².
fn add_reals([sums, squares]: [&mut Array2<f64>; 2], row: usize, means: &[f32], draws: &ArrayView1<'_, f32>) {
    let (mut sums, mut squares) = (sums.row_mut(row), squares.row_mut(row));
    for (at, (&mean, &x)) in means.iter().zip(draws).enumerate() {
        let (mean, x) = (f64::from(mean), f64::from(x));
        sums[at] += mean;
        squares[at] += (x - mean).powi(2) + mean * mean;
    }
}

fn below<T: Clone>(parts: &[Array2<T>]) -> Array2<T> {
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    concatenate(Axis(0), &views).expect("blocks of one width")
}
