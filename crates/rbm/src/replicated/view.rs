//! Holds the formulas of the replicated softmax, at any inverse temperature and on the way from a base model.

use std::borrow::Cow;

use harmonium_core::units::{Input, States, Unit};
use harmonium_core::{Error, Gibbs, Key};
use harmonium_kernels::{bernoulli, parallel, softmax};
use ndarray::{Array1, Array2};

use super::{MAX_LENGTH, ReplicatedSoftmax};
use crate::{Rbm, State, View};

/// Is a replicated softmax with energy β E, or (1 − β) E_base + β E; it borrows the weights.
#[derive(Clone, Debug)]
pub struct ReplicatedView<'a> {
    /// W, b and free hidden units, as a is multiplied with the length of each row.
    view: View<'a>,
    /// a.
    bias: &'a [f32],
    lengths: &'a [u32],
}

/// Holds what D tokens are drawn from: Σ_{l ≤ k} e^(a_l − max a) for each word k.
pub(super) struct Shares {
    most: f64,
    below: Vec<f64>,
}

impl Shares {
    fn new(input: &[f32], bias: &[f32]) -> Self {
        let mut each: Vec<f32> = input.iter().zip(bias).map(|(i, b)| i + b).collect();
        let most = each.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let words = each.len();
        softmax::odds(&mut each, words);
        let mut sum = 0.0;
        let below = each.into_iter().map(|odds| {
            sum += f64::from(odds);
            sum
        });
        Self { most: f64::from(most), below: below.collect() }
    }

    fn total(&self) -> f64 {
        self.below[self.below.len() - 1]
    }

    /// Gives ln Σ_k e^(a_k).
    pub(super) fn log_sum(&self) -> f64 {
        self.most + libm::log(self.total())
    }

    /// Gives the first word up to which the share of the sum exceeds u; the last one if rounding leaves none.
    fn word(&self, u: f64) -> usize {
        let bar = u * self.total();
        self.below.partition_point(|&sum| sum <= bar).min(self.below.len() - 1)
    }

    /// Draws the counts of `length` tokens, token t from word t of the row's stream.
    pub(super) fn draw(&self, length: u32, key: Key, row: usize) -> Vec<f32> {
        let (mut words, mut counts) = (vec![0; length as usize], vec![0.0; self.below.len()]);
        bernoulli::fill(key, row as u64, &mut words);
        for word in words {
            counts[self.word((f64::from(word) + 0.5) / 4_294_967_296.0)] += 1.0;
        }
        counts
    }
}

impl<'a> ReplicatedView<'a> {
    pub(super) fn new(model: &'a ReplicatedSoftmax, view: View<'a>) -> Self {
        let hidden = Cow::Owned(view.hidden.free());
        Self { view: View { hidden, ..view }, bias: model.hidden_bias(), lengths: &model.lengths }
    }

    /// Views (1 − β) E_base + β E, the base being words drawn alone, and hidden units without biases.
    pub(super) fn annealed(model: &'a ReplicatedSoftmax, beta: f32) -> Self {
        let rbm: &Rbm = &model.rbm;
        Self::new(model, View::annealed(rbm, rbm.base(), beta))
    }

    /// Gives the input of the hidden layer, Wᵀv + D a: `(n, words) → (n, hidden)`. Words that a document lacks take no time.
    pub fn hidden_input(&self, visible: &States) -> Input<'static> {
        let (values, width, weights) = (visible.expect_reals(), self.bias.len(), self.view.weights);
        let quantum = f64::from(weights.grid.quantum());
        let rows = parallel::map(values.nrows(), |row| {
            let (mut sums, mut length) = (vec![0.0_f64; width], 0.0);
            for (word, x) in present(values, row) {
                length += x;
                let codes = &weights.master[word * width..(word + 1) * width];
                sums.iter_mut().zip(codes).for_each(|(sum, &w)| *sum += x * f64::from(weights.grid.code(w)));
            }
            let length = mutant!("B99", length, 1.0);
            let joined = sums.iter().zip(self.bias).map(|(sum, &a)| sum * quantum + length * f64::from(a));
            joined.map(|sum| sum as f32).collect::<Vec<f32>>()
        });
        Input::reals(rows.concat(), self.view.gain)
    }

    /// Computes F(v) = −b·v − Σ_j ln(1 + e^((Wᵀv)_j + D a_j)) of each row, in nats, from the hidden layer's input: that of one
    /// sequence of tokens.
    pub(super) fn free_energy_from(&self, visible: &States, input: &Input<'_>) -> Vec<f64> {
        self.view.free_energy_from(visible, input)
    }

    /// Computes F(v) of each row, in nats: `(n, words) → n`, that of one sequence of tokens with these counts.
    pub fn free_energies(&self, visible: &States) -> Vec<f64> {
        self.free_energy_from(visible, &self.hidden_input(visible))
    }

    /// Draws hidden states given documents.
    pub fn sample_hidden(&self, visible: &States, key: Key) -> States {
        self.view.hidden.sample(&self.hidden_input(visible), key)
    }

    /// Draws documents of these lengths given hidden states, row r from stream r.
    ///
    /// # Panics
    /// If there is not one length a row.
    pub fn sample_visible(&self, hidden: &States, lengths: &[u32], key: Key) -> States {
        self.shared(hidden, |shares, row| shares.draw(lengths[row], key, row)).1
    }

    /// Draws documents, and gives g(h) = ln Σ_k e^(b_k + W_k·h) + a·h of each row.
    pub(super) fn sample_with_gains(&self, hidden: &States, lengths: &[u32], key: Key) -> (Vec<f64>, States) {
        let (sums, drawn) = self.shared(hidden, |shares, row| shares.draw(lengths[row], key, row));
        (self.with_bias(hidden, sums), drawn)
    }

    /// Gives g(h) of each row.
    pub(super) fn gains(&self, hidden: &States) -> Vec<f64> {
        let sums = self.shared(hidden, |_, _| Vec::new()).0;
        self.with_bias(hidden, sums)
    }

    fn with_bias(&self, hidden: &States, sums: Vec<f64>) -> Vec<f64> {
        let bits = hidden.expect_bits();
        let bias = |row: usize| {
            let mut sum = 0.0;
            bits.for_each_one(row, |j| sum += f64::from(self.bias[j]) * f64::from(self.view.gain));
            mutant!("B103", sum, 0.0)
        };
        sums.into_iter().enumerate().map(|(row, sum)| sum + bias(row)).collect()
    }

    /// Gives ln Σ_k e^(b_k + W_k·h) of each row, and what `row` makes of each row's shares.
    fn shared(&self, hidden: &States, row: impl Fn(&Shares, usize) -> Vec<f32> + Sync) -> (Vec<f64>, States) {
        let (input, bias) = (self.view.visible_input(hidden).values(), self.view.visible.bias());
        let words = bias.len();
        let out = parallel::map(hidden.rows(), |r| {
            let shares = Shares::new(&input[r * words..(r + 1) * words], bias);
            (shares.log_sum(), row(&shares, r))
        });
        let (sums, rows): (Vec<f64>, Vec<Vec<f32>>) = out.into_iter().unzip();
        (sums, States::reals(rows.concat(), words))
    }

    /// Draws documents of these lengths as if no hidden unit were on.
    pub(super) fn alone(&self, lengths: &[u32], key: Key) -> States {
        let words = self.view.visible.features();
        let shares = Shares::new(&vec![0.0; words], self.view.visible.bias());
        let rows = parallel::map(lengths.len(), |row| shares.draw(lengths[row], key, row));
        States::reals(rows.concat(), words)
    }

    /// Gives ln Σ_k e^(b_k): what a token has as if no hidden unit were on.
    pub(super) fn log_alone(&self) -> f64 {
        Shares::new(&vec![0.0; self.view.visible.features()], self.view.visible.bias()).log_sum()
    }

    pub(super) fn hidden(&self) -> &harmonium_core::units::Layer {
        &self.view.hidden
    }

    pub(super) fn standing(&self, visible: States) -> State {
        self.view.standing(visible)
    }
}

/// Gives the words of a row that are there, with their counts.
fn present(values: &Array2<f32>, row: usize) -> impl Iterator<Item = (usize, f64)> {
    values.row(row).into_iter().enumerate().filter(|(_, x)| **x != 0.0).map(|(word, &x)| (word, f64::from(x)))
}

/// Gives the length of each row.
pub(super) fn lengths_of(visible: &States) -> Vec<u32> {
    let values: &Array2<f32> = visible.expect_reals();
    values.rows().into_iter().map(|row| row.iter().map(|&x| x as u32).sum()).collect()
}

impl Gibbs for ReplicatedView<'_> {
    type State = State;

    /// Draws fresh chains as if no hidden unit were on; a chain's length is one of the model's, chosen by the first word of its
    /// stream, and stays with it.
    fn init(&self, chains: usize, key: Key) -> State {
        let choose = |row: usize| {
            let mut word = [0];
            bernoulli::fill(key.fold_in(2), row as u64, &mut word);
            self.lengths[(u64::from(word[0]) * self.lengths.len() as u64 >> 32) as usize]
        };
        let lengths: Vec<u32> = (0..chains).map(choose).collect();
        self.standing(self.alone(&lengths, key.fold_in(0)))
    }

    /// Draws h ∼ p(h | v) in half-step 0, then v ∼ p(v | h, D) in half-step 1.
    fn sweep(&self, state: &mut State, key: Key) {
        if state.posterior.take().is_none() {
            state.hidden = self.sample_hidden(&state.visible, key.fold_in(0));
        }
        let lengths = lengths_of(&state.visible);
        let hidden = mutant!("B101", &state.hidden, &self.view.hidden.rest(lengths.len()));
        state.visible = self.sample_visible(hidden, &lengths, key.fold_in(1));
    }

    /// Computes E(v, h) = −v·W·h − b·v − D a·h of each row, in nats.
    fn energy(&self, state: &State) -> Array1<f64> {
        let coupled = self.view.hidden.coupled(&state.hidden, &self.hidden_input(&state.visible));
        let outer = self.view.visible.energy(&state.visible);
        outer.into_iter().zip(coupled).map(|(u, coupled)| u - coupled).collect()
    }

    fn pack(&self, state: &State) -> States {
        self.view.pack(state)
    }

    fn unpack(&self, packed: States) -> Result<State, Error> {
        let state = self.view.unpack(packed)?;
        self.view.visible.units().check_values("chains", state.visible.expect_reals(), None)?;
        match lengths_of(&state.visible).iter().position(|&length| length > MAX_LENGTH) {
            Some(row) => {
                let expected = format!("at most {MAX_LENGTH} tokens");
                Err(Error::value("chains", format!("row {row}"), expected, "more"))
            }
            None => Ok(state),
        }
    }
}
