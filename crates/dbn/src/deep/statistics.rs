//! Adds up −∂E/∂θ of rows: products of neighbouring layers, each as it is or as its means.

use harmonium_core::stats::Stats;
use harmonium_core::units::{Means, States, Unit};
use harmonium_kernels::BitMatrix;
use harmonium_kernels::product::MAX_ROWS;
use ndarray::Array2;

use super::link::add_products;
use super::params::block_of;
use super::view::wide;
use super::{Posterior, State, View};

/// Is what the statistics have of a layer.
enum Part<'a> {
    Drawn(&'a States),
    Means(Means),
}

impl View<'_> {
    /// Adds the statistics of data with the hidden units as their means under q.
    pub(super) fn add_inferred(&self, visible: &States, law: &Posterior, stats: &mut Stats) {
        let means = law.means.iter().map(|means| Part::Means(means.clone()));
        self.add(&[Part::Drawn(visible)].into_iter().chain(means).collect::<Vec<_>>(), stats);
    }

    /// Adds the statistics of chains: layers of odd number as their means given those of even number.
    pub(super) fn add_drawn(&self, state: &State, stats: &mut Stats) {
        let part = |l: usize| match mutant!("B253", l % 2, usize::from(l == 1)) {
            1 => Part::Means(self.layers[l].mean(&self.input(l, &state.layers))),
            _ => Part::Drawn(&state.layers[l]),
        };
        self.add(&(0..state.layers.len()).map(part).collect::<Vec<_>>(), stats);
    }

    fn add(&self, parts: &[Part<'_>], stats: &mut Stats) {
        if let ([_, Part::Means(Means::Codes(codes)), ..], Part::Drawn(States::Bits(bits))) =
            (parts, &parts[0])
        {
            add_bits(bits, codes, stats);
        } else {
            let [v, h] = [0, 1].map(|l| self.features(l, &parts[l]).mapv(|x| x as f32));
            stats.add_reals(&v, &h, &[]);
        }
        let mut below = self.features(1, &parts[1]);
        for (l, part) in parts.iter().enumerate().skip(2) {
            let own = self.features(l, part);
            add_products(stats.reals_mut(block_of(l)), &below, &own);
            add_rows(stats.reals_mut(block_of(l) + 1), &own);
            below = own;
        }
        if let Part::Drawn(visible) = parts[0] {
            for (n, extra) in self.layers[0].extra_states(visible).iter().enumerate() {
                add_rows(stats.reals_mut(block_of(parts.len()) + n), &extra.mapv(f64::from));
            }
        }
    }

    fn features(&self, l: usize, part: &Part<'_>) -> Array2<f64> {
        match part {
            Part::Drawn(states) => wide(&self.layers[l], states),
            Part::Means(means) => self.layers[l].means_of(means).mapv(f64::from),
        }
    }
}

fn add_bits(visible: &BitMatrix, codes: &[u16], stats: &mut Stats) {
    let (rows, width) = (visible.rows(), codes.len() / visible.rows().max(1));
    if rows <= MAX_ROWS {
        return stats.add(visible, codes.to_vec());
    }
    for start in (0..rows).step_by(MAX_ROWS) {
        let end = rows.min(start + MAX_ROWS);
        stats.add(&visible.gather(start..end), codes[start * width..end * width].to_vec());
    }
}

/// Adds up rows in their order.
fn add_rows(sums: &mut [f64], rows: &Array2<f64>) {
    for row in rows.rows() {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
}
