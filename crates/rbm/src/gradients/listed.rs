//! Lists the states of the smaller layer, of any kind that has so few, for the model's own moments.

use harmonium_core::Error;
use harmonium_core::units::{Layer, Unit};
use harmonium_kernels::parallel;
use ndarray::Array2;

use super::{TASKS, add, transposed};
use crate::enumerate::{list, states};
use crate::{ENUMERABLE, Rbm, View};

/// States whose inputs are held at a time.
const BLOCK: u64 = 1 << 10;

/// Refuses machines of which neither layer has so few states, and those without an energy.
pub(super) fn check(rbm: &Rbm) -> Result<(), Error> {
    rbm.view().check_energy("exact gradient")?;
    let fewer = [rbm.visible(), rbm.hidden()].map(|layer| states(&layer.units()));
    let fewer = fewer[0].min(fewer[1]);
    if fewer <= f64::from(1 << ENUMERABLE) {
        return Ok(());
    }
    let expected = format!("at most 2^{ENUMERABLE} states of the smaller layer");
    Err(Error::shape("exact gradient", expected, format!("{fewer:e}")))
}

/// Computes the mean of −∂E/∂θ under the model, block by block.
///
/// p(x) = e^(ln m(x) − U(x) + Γ(I(x)) − ln Z) for each state x of the listed layer; the other one has its means given x.
pub(super) fn moments(rbm: &Rbm) -> Result<Vec<Vec<f64>>, Error> {
    let (view, log_z) = (rbm.view(), rbm.log_z()?);
    let counts = [rbm.visible(), rbm.hidden()].map(|layer| states(&layer.units()));
    let by_hidden = mutant!("B122", counts[1] <= counts[0], counts[1] >= counts[0]);
    let count = counts[usize::from(by_hidden)] as u64;
    let blocks = count.div_ceil(BLOCK) as usize;
    let tasks = TASKS.min(blocks);
    let parts = parallel::map(tasks, |task| {
        let mut sums = Sums::new(&view, by_hidden);
        for block in task * blocks / tasks..(task + 1) * blocks / tasks {
            let start = block as u64 * BLOCK;
            sums.add_block(&(start..count.min(start + BLOCK)).collect::<Vec<_>>(), log_z);
        }
        sums.blocks
    });
    let mut out = Sums::new(&view, by_hidden).blocks;
    parts.iter().for_each(|part| out.iter_mut().zip(part).for_each(|(out, part)| add(out, part)));
    Ok(arranged(out, rbm, by_hidden))
}

/// Puts sums of the listed layer x and the other y in the order of the parameters.
fn arranged(mut sums: Vec<Vec<f64>>, rbm: &Rbm, by_hidden: bool) -> Vec<Vec<f64>> {
    if by_hidden {
        sums[0] = transposed(&sums[0], rbm.visible().features());
        sums.swap(1, 2);
        sums[3..].rotate_left(rbm.hidden().extra().len());
    }
    sums
}

/// Adds up p(x) times the statistics of x: x ŷᵀ, x, ŷ, and those of further parameters of x and of y.
struct Sums<'a> {
    view: &'a View<'a>,
    by_hidden: bool,
    blocks: Vec<Vec<f64>>,
}

impl<'a> Sums<'a> {
    fn new(view: &'a View<'a>, by_hidden: bool) -> Self {
        let mut out = Self { view, by_hidden, blocks: Vec::new() };
        let (x, y) = out.layers();
        let sizes = [x.features() * y.features(), x.features(), y.features()];
        let extra = x.extra().into_iter().chain(y.extra()).map(|extra| extra.values.len());
        out.blocks = sizes.into_iter().chain(extra).map(|size| vec![0.0; size]).collect();
        out
    }

    fn layers(&self) -> (&'a Layer, &'a Layer) {
        let View { visible, hidden, .. } = self.view;
        if self.by_hidden { (hidden, visible) } else { (visible, hidden) }
    }

    fn add_block(&mut self, numbers: &[u64], log_z: f64) {
        let (x, y) = self.layers();
        let states = list(&x.units(), numbers);
        let input = if self.by_hidden {
            self.view.visible_input(&states).computed()
        } else {
            self.view.hidden_input(&states).computed()
        };
        let logs = x.log_measure(&states).into_iter().zip(x.energy(&states)).zip(y.cgf(&input));
        let p: Vec<f64> =
            logs.map(|((measure, energy), cgf)| libm::exp(measure - energy + cgf - log_z)).collect();
        let (features, means) = (x.features_of(&states), y.means_of(&y.mean(&input)));
        self.add_products(&p, &features, &means);
        let extra = x.extra_states(&states).into_iter().chain(y.extra_means(&input));
        for (n, values) in [features, means].into_iter().chain(extra).enumerate() {
            add_rows(&mut self.blocks[n + 1], &p, &values);
        }
    }

    /// Adds p x ŷᵀ state by state, in their order.
    fn add_products(&mut self, p: &[f64], features: &Array2<f32>, means: &Array2<f32>) {
        let width = means.ncols();
        for ((p, x), y) in p.iter().zip(features.rows()).zip(means.rows()) {
            for (line, &x) in self.blocks[0].chunks_mut(width).zip(x).filter(|(_, x)| **x != 0.0) {
                let weight = p * f64::from(x);
                line.iter_mut().zip(y).for_each(|(sum, &y)| *sum += weight * f64::from(y));
            }
        }
    }
}

fn add_rows(sums: &mut [f64], p: &[f64], values: &Array2<f32>) {
    for (p, row) in p.iter().zip(values.rows()) {
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += p * f64::from(x));
    }
}
