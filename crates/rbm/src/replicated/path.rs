//! Walks from independent words to the model at one length, and from there through longer ones, for annealed importance sampling.

use harmonium_core::evaluate::{Ais, AisEstimate, Interval, Weights};
use harmonium_core::units::{Layer, States, Unit};
use harmonium_core::{Annealed, Error, Key, purpose};
use harmonium_kernels::parallel;

use super::{ReplicatedSoftmax, ReplicatedView, check_lengths};

/// How many standard errors an interval spans to each side.
const SIGMAS: f64 = 3.0;

/// Is the path (1 − β) E_base + β E for documents of one length; at β = 0 words are drawn alone, and hidden units have no biases.
#[derive(Clone, Copy, Debug)]
pub struct LengthPath<'a> {
    model: &'a ReplicatedSoftmax,
    length: u32,
}

impl ReplicatedSoftmax {
    /// Gives the path to the model at one length, on which ln Z_D can be estimated.
    ///
    /// # Errors
    /// Refuses a length outside 1 to [`super::MAX_LENGTH`].
    pub fn path(&self, length: u32) -> Result<LengthPath<'_>, Error> {
        check_lengths(&[length])?;
        Ok(LengthPath { model: self, length })
    }

    /// Estimates ln Z_D of each of these lengths in one annealing, in their order: the runs walk along β to the shortest, and
    /// then D grows by one token a sweep. ln Z_(D+1) − ln Z_D is the mean of e^g(h) over h of the model at D, so the weights
    /// stay those of annealed importance sampling (Neal 2001) on f_D(h) = e^(D g(h)). `watch` hears how many of how many steps
    /// are done.
    ///
    /// # Errors
    /// Refuses options and lengths out of range.
    pub fn annealed_log_z(
        &self,
        lengths: &[u32],
        options: &Ais,
        key: Key,
        watch: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<AisEstimate>, Error> {
        options.check()?;
        check_lengths(lengths)?;
        let (shortest, longest) = ends(lengths);
        let path = self.path(shortest)?;
        let mut asked = vec![None; lengths.len()];
        let mut hear = |length: u32, log: &[f64]| {
            let at = (0..lengths.len()).filter(|&at| lengths[at] == length);
            at.for_each(|at| asked[at] = Some(path.estimate(log)));
        };
        parallel::team(|| path.walk(options, longest, key, &mut hear, watch));
        Ok(asked.into_iter().flatten().collect())
    }
}

fn ends(lengths: &[u32]) -> (u32, u32) {
    lengths.iter().fold((u32::MAX, 0), |(low, high), &length| (low.min(length), high.max(length)))
}

impl LengthPath<'_> {
    fn view(&self, beta: f32) -> ReplicatedView<'_> {
        ReplicatedView::annealed(self.model, beta)
    }

    fn estimate(&self, log: &[f64]) -> AisEstimate {
        let (weights, shift) = (Weights::new(log.to_vec()), self.base_log_z());
        let Interval { low, high } = weights.interval(SIGMAS);
        let interval = Interval { low: low + shift, high: high + shift };
        AisEstimate { log_z: weights.log_mean() + shift, interval, ess: weights.effective() }
    }

    /// Walks along β, and then through the lengths up to `longest`; `hear` gets each length with the log weights of the runs.
    fn walk(
        &self,
        options: &Ais,
        longest: u32,
        key: Key,
        hear: &mut dyn FnMut(u32, &[f64]),
        watch: &mut dyn FnMut(usize, usize),
    ) {
        let betas = options.betas.along(self, options.runs, key, &mut |_, _| ());
        let seed = key.fold_in(purpose::AIS).fold_in(0);
        let (mut log, first) = (vec![0.0; options.runs], betas.len() - 1);
        let steps = first + (longest - self.length) as usize;
        let mut state = self.base_samples(options.runs, seed);
        for (index, pair) in betas.windows(2).enumerate() {
            let gains = self.advance(&mut state, pair[0], pair[1], seed.fold_in(index as u64 + 1));
            log.iter_mut().zip(gains).for_each(|(sum, gain)| *sum += gain);
            watch(index + 1, steps);
        }
        hear(self.length, &log);
        let view = self.model.view();
        for length in self.length + 1..=longest {
            let step = first + (length - self.length) as usize;
            let key = seed.fold_in(step as u64);
            let hidden = view.sample_hidden(&state, key.fold_in(0));
            let (gains, longer) =
                view.sample_with_gains(&hidden, &vec![length; options.runs], key.fold_in(1));
            state = longer;
            log.iter_mut().zip(gains).for_each(|(sum, gain)| *sum += gain);
            hear(length, &log);
            watch(step, steps);
        }
    }
}

impl Annealed for LengthPath<'_> {
    type State = States;

    fn base_samples(&self, runs: usize, key: Key) -> States {
        self.view(0.0).alone(&vec![self.length; runs], key.fold_in(0))
    }

    /// Gives D ln Σ_k e^(b_k) of the base, and ln 2 for each hidden unit.
    fn base_log_z(&self) -> f64 {
        let hidden = self.model.hidden_units() as f64 * std::f64::consts::LN_2;
        f64::from(mutant!("B102", self.length, 1)) * self.view(0.0).log_alone() + hidden
    }

    fn advance(&self, state: &mut States, from: f32, to: f32, key: Key) -> Vec<f64> {
        let (before, after) = (self.view(from), self.view(to));
        let mut input = before.hidden_input(state);
        let f = before.free_energy_from(state, &input);
        input.gain = to;
        let gains = f.iter().zip(after.free_energy_from(state, &input)).map(|(a, b)| a - b).collect();
        let layer: &Layer = after.hidden();
        let hidden = layer.sample(&input, key.fold_in(0));
        *state = after.sample_visible(&hidden, &vec![self.length; hidden.rows()], key.fold_in(1));
        gains
    }
}
