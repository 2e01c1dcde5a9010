//! Draws what is not known of rows given what is: noise taken off, gaps filled, fine pixels found below coarse ones.
//!
//! Rows are known in part, and p(v | what is known) ∝ e^−F(v) · p(what is known | v). Each row gets chains of its own, which
//! walk from independent units to the machine along the annealing path, warm up, and are then averaged: of a visible unit the
//! mean given the hidden ones, which varies less than draws do (Rao-Blackwell).

mod coarse;
mod complete;
mod denoise;
mod inpaint;
mod interpolate;
mod known;
mod marginals;
mod options;

pub use coarse::Coarse;
pub use denoise::Noise;
pub use options::Clamping;

use std::borrow::Cow;

use harmonium_core::units::{Input, Means, States};
use harmonium_core::{Batch, Error, Key, purpose};
use harmonium_kernels::{evaluate, parallel};

use crate::{Imputed, Rbm, View};
use known::Known;
use marginals::Marginals;

/// Chains that walk together; all that they hold at a time is some megabytes.
const BLOCK: usize = 1024;
/// Blocks between two calls of the observer.
const GROUP: usize = 8;

/// Holds a machine and rows that are known in part: what [`Rbm::denoising`], [`Rbm::inpainting`] and others make.
#[derive(Clone, Debug)]
pub struct Clamped<'a> {
    rbm: &'a Rbm,
    /// The rows as they are known.
    data: Cow<'a, Batch>,
    known: Known,
}

impl<'a> Clamped<'a> {
    fn new(rbm: &'a Rbm, data: Cow<'a, Batch>, known: Known) -> Self {
        Self { rbm, data, known }
    }

    /// Computes mean and deviation of every visible unit of every row given what is known of it, in the data's own units:
    /// `(n, visible)` each; the mean of a bit is its probability. `key` is that of the seed; `watch` hears how many rows are done.
    ///
    /// # Errors
    /// Refuses options out of range.
    pub fn marginals(
        &self,
        options: &Clamping,
        key: Key,
        watch: &mut dyn FnMut(usize),
    ) -> Result<Imputed, Error> {
        let parts = self.blocks(options, key, watch, |known, key| {
            let mut sums = Marginals::new(options.chains);
            self.walk(known, options, key, &mut |states, means| sums.add(&self.rbm.visible, states, means));
            sums
        })?;
        Ok(Marginals::joined(parts).finished(self.rbm, &self.data, self.known.given()))
    }

    /// Draws rows given what is known: the last states of all chains, `(n × chains, visible)`, those of a row one below the
    /// other. `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses options out of range.
    pub fn draws(&self, options: &Clamping, key: Key) -> Result<Batch, Error> {
        let parts = self
            .blocks(options, key, &mut |_| (), |known, key| self.walk(known, options, key, &mut |_, _| ()))?;
        let rows = self.data.gather((0..self.data.rows() * options.chains).map(|row| row / options.chains));
        Ok(rows.completed(self.rbm.give(States::stacked(&parts))))
    }

    /// Runs something for each block of chains, in any order, and gives the results in theirs.
    fn blocks<T: Send>(
        &self,
        options: &Clamping,
        key: Key,
        watch: &mut dyn FnMut(usize),
        run: impl Fn(&Known, Key) -> T + Sync,
    ) -> Result<Vec<T>, Error> {
        options.check()?;
        let (rows, chains) = (self.data.rows(), options.chains);
        let wide = (BLOCK / chains).max(1);
        let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::CLAMP);
        let (count, mut parts) = (rows.div_ceil(wide), Vec::new());
        for first in (0..count).step_by(GROUP) {
            parts.extend(parallel::map(GROUP.min(count - first), |at| {
                let block = first + at;
                let own = block * wide..rows.min((block + 1) * wide);
                let known = self.known.gather(own.flat_map(|row| std::iter::repeat_n(row, chains)));
                run(&known, key.fold_in(mutant!("B300", block as u64, 0)))
            }));
            watch(rows.min((first + GROUP) * wide));
        }
        Ok(parts)
    }

    /// Walks the chains of one block; `watch` gets states and means of the sweeps that count. Gives the last states.
    fn walk(
        &self,
        known: &Known,
        options: &Clamping,
        key: Key,
        watch: &mut dyn FnMut(&States, &Means),
    ) -> States {
        let nothing = Input::zero(known.rows(), self.rbm.visible_units());
        let (mut visible, _) = known.draw(&self.rbm.base, &nothing, key.fold_in(0));
        for sweep in 1..=options.total() {
            let (view, key) = (self.view(options.beta(sweep)), key.fold_in(sweep));
            let hidden = view.sample_hidden(&visible, key.fold_in(0));
            let (drawn, means) = known.draw(&view.visible, &view.visible_input(&hidden), key.fold_in(1));
            visible = drawn;
            if options.counts(sweep) {
                watch(&visible, &means);
            }
        }
        visible
    }

    /// Views the machine on its way from independent units.
    fn view(&self, beta: f32) -> View<'a> {
        if beta < 1.0 { View::annealed(self.rbm, &self.rbm.base, beta) } else { self.rbm.view() }
    }
}
