//! Infers hidden layers by mean field: the factorised law nearest to p(h | v), and the bound that it gives.

use harmonium_core::Error;
use harmonium_core::units::{Input, Means, States, Unit};
use harmonium_kernels::product::Way;
use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::View;
use super::link::{Link, inputs};
use super::view::wide;

/// Rows that are inferred side by side: their means take 8 bytes a hidden unit.
const BLOCK: usize = 1024;

/// The most steps.
const MOST: u32 = 1_000_000;

/// Says how hidden units are inferred: from a pass upwards with doubled weights (but those of the top, which receives from one side
/// in the machine, too), steps of q_l ∝ e^(I_l·x − U_l(x)), I_l = W_lᵀ⟨x_{l−1}⟩ + W_{l+1}⟨x_{l+1}⟩, first for the layers of odd number, then for those
/// of even number (Salakhutdinov & Hinton 2009, equations 8 and 9). Each half of a step raises the bound.
///
/// Nothing is drawn, and rows do not know of each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inference {
    /// Steps at most. A machine of one hidden layer needs none.
    pub iterations: u32,
    /// A row has come to rest when no mean of it changes by more in a step; 0 takes all steps.
    pub tolerance: f32,
}

impl Default for Inference {
    fn default() -> Self {
        Self { iterations: 10, tolerance: 1e-3 }
    }
}

impl Inference {
    /// Refuses no step, too many, and a tolerance that is negative or no number.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(1..=MOST).contains(&self.iterations) {
            return Err(Error::option("iterations", format!("1 to {MOST}"), self.iterations));
        }
        if self.tolerance.is_finite() && self.tolerance >= 0.0 {
            return Ok(());
        }
        Err(Error::option("tolerance", "0 or more", self.tolerance))
    }
}

/// Holds the law q of the hidden units of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// I_l that the laws were last made of, before β; hidden layers in their order.
    pub(super) inputs: Vec<Vec<f32>>,
    pub(super) means: Vec<Means>,
}

impl Posterior {
    /// Gives the means of hidden layer l, from 1 on: probabilities of bits in units of 2^-16.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn means(&self, layer: usize) -> &Means {
        &self.means[layer - 1]
    }
}

/// Is rows on their way to rest.
struct Field<'v, 'a> {
    view: &'v View<'a>,
    links: &'v [Array2<f64>],
    /// The numbers of the rows.
    rows: Vec<usize>,
    /// What layer 1 receives from the visible layer, in units of one weight.
    bottom: Array2<f64>,
    features: Vec<Array2<f64>>,
    law: Posterior,
}

impl View<'_> {
    /// Infers the hidden units of rows: `(n, visible)`.
    pub fn mean_field(&self, visible: &States) -> Posterior {
        // Codes of W_1 are needed where it is real values that go up.
        let links: Vec<Array2<f64>> = (1..self.dbm.depth()).map(|l| self.link(l).codes()).collect();
        let starts = (0..visible.rows()).step_by(BLOCK);
        let parts = starts.map(|start| {
            let rows = start..visible.rows().min(start + BLOCK);
            let part = if rows.len() == visible.rows() { visible.clone() } else { visible.gather(rows) };
            Field::new(self, &links, &part).rested()
        });
        joined(parts.collect(), self)
    }

    /// What layer 1 receives from visible states, in units of one weight.
    fn bottom(&self, visible: &States) -> Array2<f64> {
        let (link, width) = (self.link(0), self.layers[1].features());
        let sums: Vec<f64> = match visible {
            States::Bits(bits) => {
                let sums = link.sums(bits, self.layers[0].signs(), Way::Forward);
                sums.into_iter().map(f64::from).collect()
            }
            States::Reals(_) => self.real_bottom(link, visible),
        };
        Array2::from_shape_vec((visible.rows(), width), sums).expect("inputs of their shape")
    }

    /// Multiplies real visible states as a draw of layer 1 has them multiplied.
    fn real_bottom(&self, link: Link<'_>, visible: &States) -> Vec<f64> {
        let (x, codes) = (wide(&self.layers[0], visible), link.codes());
        let nothing = Array2::zeros((visible.rows(), codes.ncols()));
        inputs(&nothing, &[(x.view(), codes.view())], 1.0).into_iter().map(f64::from).collect()
    }
}

impl<'v, 'a> Field<'v, 'a> {
    fn new(view: &'v View<'a>, links: &'v [Array2<f64>], visible: &States) -> Self {
        let depth = view.dbm.depth();
        let law = Posterior { inputs: vec![Vec::new(); depth], means: vec![Means::Codes(Vec::new()); depth] };
        let features = vec![Array2::zeros((0, 0)); depth];
        let rows = (0..visible.rows()).collect();
        let mut field = Self { view, links, rows, bottom: view.bottom(visible), features, law };
        (1..=depth).for_each(|l| field.rise(l));
        field
    }

    /// Lets a layer receive from the one below alone, twice as much as it sends unless nothing is above it.
    fn rise(&mut self, l: usize) {
        let gain = if l < self.view.dbm.depth() { mutant!("B254", 2.0, 1.0) } else { 1.0 };
        let input = match l {
            1 => self.received(1, &[]),
            _ => self.received(l, &[(self.features[l - 2].view(), self.links[l - 2].view())]),
        };
        let input = input.into_iter().map(|x| x * gain).collect();
        self.settle(l, input);
    }

    /// Lets a layer follow its neighbours.
    fn step(&mut self, l: usize) {
        let depth = self.view.dbm.depth();
        let below = (l > 1).then(|| (self.features[l - 2].view(), self.links[l - 2].view()));
        let above = (l < depth).then(|| (self.features[l].view(), self.links[l - 1].t()));
        let terms: Vec<_> = below.into_iter().chain(mutant!("B55", above, None)).collect();
        let input = self.received(l, &terms);
        self.settle(l, input);
    }

    fn received(&self, l: usize, terms: &[(ArrayView2<'_, f64>, ArrayView2<'_, f64>)]) -> Vec<f32> {
        let quantum = self.view.dbm.grid.quantum();
        if l == 1 {
            return inputs(&self.bottom, terms, quantum);
        }
        let nothing = Array2::zeros((self.rows.len(), self.view.layers[l].features()));
        inputs(&nothing, terms, quantum)
    }

    fn settle(&mut self, l: usize, sums: Vec<f32>) {
        let (layer, input) = (&self.view.layers[l], Input::reals(sums.clone(), self.view.gain));
        let means = layer.mean(&input);
        self.features[l - 1] = layer.means_of(&means).mapv_into_any(f64::from);
        (self.law.inputs[l - 1], self.law.means[l - 1]) = (sums, means);
    }

    /// Takes steps until all rows are at rest or the steps are done; gives the rows that came to rest together, in turn.
    fn rested(mut self) -> Vec<(Vec<usize>, Posterior)> {
        let (depth, inference) = (self.view.dbm.depth(), self.view.dbm.inference);
        let mut done = Vec::new();
        let steps = if depth == 1 { 0 } else { inference.iterations };
        for _ in 0..steps {
            let before = (inference.tolerance > 0.0).then(|| self.features.clone());
            for parity in [1, 2] {
                (parity..=depth).step_by(2).for_each(|l| self.step(l));
            }
            let Some(before) = before else { continue };
            let restless = self.restless(&before, f64::from(inference.tolerance));
            if restless.iter().all(|moves| *moves) {
                continue;
            }
            let (going, resting): (Vec<usize>, Vec<usize>) =
                (0..self.rows.len()).partition(|&row| restless[row]);
            done.push((resting.iter().map(|&row| self.rows[row]).collect(), self.law_of(&resting)));
            self.keep(&going);
            if going.is_empty() {
                return done;
            }
        }
        done.push((self.rows, self.law));
        done
    }

    /// Tells of each row whether a mean changed by more than the tolerance.
    fn restless(&self, before: &[Array2<f64>], tolerance: f64) -> Vec<bool> {
        let moved = |row: usize| {
            let layers = self.features.iter().zip(before);
            let mut pairs = layers.flat_map(|(now, before)| now.row(row).into_iter().zip(before.row(row)));
            let moves = |(now, before): (&f64, &f64)| (now - before).abs() > tolerance;
            mutant!("B258", pairs.any(moves), pairs.all(moves))
        };
        (0..self.rows.len()).map(moved).collect()
    }

    fn law_of(&self, rows: &[usize]) -> Posterior {
        let widths = || (1..=self.view.dbm.depth()).map(|l| self.view.layers[l].features());
        let inputs = self.law.inputs.iter().zip(widths()).map(|(x, width)| picked(x, width, rows));
        let means = self.law.means.iter().zip(widths()).map(|(means, width)| match means {
            Means::Codes(codes) => Means::Codes(picked(codes, width, rows)),
            Means::Reals(values) => Means::Reals(picked(values, width, rows)),
        });
        Posterior { inputs: inputs.collect(), means: means.collect() }
    }

    fn keep(&mut self, rows: &[usize]) {
        self.law = self.law_of(rows);
        self.rows = rows.iter().map(|&row| self.rows[row]).collect();
        self.bottom = self.bottom.select(Axis(0), rows);
        self.features.iter_mut().for_each(|features| *features = features.select(Axis(0), rows));
    }
}

fn picked<T: Copy>(values: &[T], width: usize, rows: &[usize]) -> Vec<T> {
    rows.iter().flat_map(|row| &values[row * width..][..width]).copied().collect()
}

/// Puts the rows of all blocks back into their order.
fn joined(blocks: Vec<Vec<(Vec<usize>, Posterior)>>, view: &View<'_>) -> Posterior {
    if let [block] = &blocks[..]
        && let [(_, _)] = &block[..]
    {
        return blocks.into_iter().flatten().map(|(_, law)| law).next().expect("one part");
    }
    let mut parts: Vec<(usize, usize, &Posterior)> = Vec::new();
    for (block, all) in blocks.iter().enumerate() {
        for (rows, law) in all {
            parts.extend(rows.iter().enumerate().map(|(at, row)| (block * BLOCK + row, at, law)));
        }
    }
    parts.sort_unstable_by_key(|(row, _, _)| *row);
    let hidden = 0..view.dbm.depth();
    let inputs = hidden.clone().map(|l| {
        let width = view.layers[l + 1].features();
        parts.iter().flat_map(|(_, at, law)| law.inputs[l][at * width..][..width].iter().copied()).collect()
    });
    let means = hidden.map(|l| {
        let width = view.layers[l + 1].features();
        let codes = parts.iter().filter_map(|(_, at, law)| match &law.means[l] {
            Means::Codes(codes) => Some(&codes[at * width..][..width]),
            Means::Reals(_) => None,
        });
        let codes: Vec<u16> = codes.flatten().copied().collect();
        if !codes.is_empty() {
            return Means::Codes(codes);
        }
        let reals = parts.iter().filter_map(|(_, at, law)| match &law.means[l] {
            Means::Reals(values) => Some(&values[at * width..][..width]),
            Means::Codes(_) => None,
        });
        Means::Reals(reals.flatten().copied().collect())
    });
    Posterior { inputs: inputs.collect(), means: means.collect() }
}
