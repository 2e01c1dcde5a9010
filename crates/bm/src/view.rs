//! Samples the machine, at any inverse temperature and on the way from a base model.

use std::borrow::Cow;
use std::mem::take;
use std::ops::Range;

use harmonium_core::units::States;
use harmonium_core::{Error, Gibbs, Key};
use harmonium_kernels::{BitMatrix, bernoulli, parallel};
use ndarray::Array1;

use crate::chain::{Chain, alone, joined};
use crate::codes::Codes;
use crate::dense::{Dense, MANY, Weighing};
use crate::{Machine, Rule, Scan, State, state::Latent};

/// Units that one task draws.
const TASK: usize = 4096;

/// Is a machine with energy β E, or (1 − β) E_base + β E; it borrows the couplings.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) gain: f32,
    pub(crate) biases: Cow<'a, [f32]>,
}

/// Says which units a sweep draws; the others stay.
#[derive(Clone, Copy)]
pub(crate) enum Free<'a> {
    All,
    Hidden,
    /// Those whose first feature is set in the row.
    These(&'a BitMatrix),
}

impl Free<'_> {
    fn frees(self, view: &View<'_>, row: usize, unit: usize) -> bool {
        match self {
            Self::All => true,
            Self::Hidden => unit >= view.machine.visible,
            Self::These(mask) => {
                let free = mask.get(row, unit * view.machine.width());
                mutant!("B332", free, free && unit + 1 < view.machine.graph.vertices())
            }
        }
    }
}

impl<'a> View<'a> {
    /// Views the machine as it is.
    pub(crate) fn whole(machine: &'a Machine) -> Self {
        Self { machine, gain: 1.0, biases: Cow::Borrowed(&machine.biases) }
    }

    /// Views (1 − β) E_base + β E, the base being independent units with these biases.
    pub(crate) fn annealed(machine: &'a Machine, base: &[f32], beta: f32) -> Self {
        let mix = |(a, b): (&f32, &f32)| (1.0 - beta) * a + mutant!("B133", beta, 1.0) * b;
        Self { machine, gain: beta, biases: base.iter().zip(&machine.biases).map(mix).collect() }
    }

    /// Views β E.
    pub(crate) fn tempered(machine: &'a Machine, beta: f32) -> Self {
        let biases = machine.biases.iter().map(|b| beta * b).collect();
        Self { machine, gain: beta, biases }
    }

    /// Gives the activation of a feature that receives this sum: a bit is 1, a spin is +1, with probability σ(activation).
    #[inline]
    pub(crate) fn activation(&self, feature: usize, sum: i32) -> f32 {
        let input = sum as f32 * self.machine.grid.quantum() * self.gain;
        let activation = input + self.biases[feature];
        if self.machine.is_spin() { mutant!("B134", 2.0, 1.0) * activation } else { activation }
    }

    /// Gives the state, 0 or 1 or a class, that a unit of a row moves to when its draws are these words: the very function
    /// that sweeps are made of. The first word decides; the second proposes a class to the Metropolis rule.
    ///
    /// # Panics
    /// If there is no such row or unit.
    pub fn drawn(&self, states: &BitMatrix, row: usize, unit: usize, words: [u32; 2]) -> usize {
        Chain::new(self, states.row(row)).drawn(self, unit, words)
    }

    /// Sweeps each row from its own stream: sweep n draws from `key(n)`.
    pub(crate) fn walk(
        &self,
        state: &mut State,
        free: Free<'_>,
        sweeps: Range<u64>,
        key: &(dyn Fn(u64) -> Key + Sync),
    ) {
        if !matches!(free, Free::Hidden) {
            state.latent = Latent::None;
        }
        let plain = self.plain(free);
        // Products take no fine codes.
        if let Some(dense) = plain.filter(|_| state.bits.rows() >= MANY && !self.machine.grid.is_fine()) {
            let weighing = self.weighing();
            sweeps.for_each(|sweep| dense.sweep_many(&weighing, &mut state.bits, key(sweep).fold_in(0)));
            return;
        }
        state.bits = self.each_row(&state.bits, &|chain, row| match plain {
            Some(dense) => self.walk_plain(dense, chain, row, sweeps.clone(), key),
            None => sweeps.clone().for_each(|n| self.sweep_row(chain, row, free, key(n), false)),
        });
    }

    /// Sweeps each row once through all units, in the opposite order of [`View::walk`].
    pub(crate) fn walk_back(&self, state: &mut State, key: Key) {
        state.latent = Latent::None;
        let back = mutant!("B341", true, false);
        state.bits =
            self.each_row(&state.bits, &|chain, row| self.sweep_row(chain, row, Free::All, key, back));
    }

    /// Walks each row on its own.
    fn each_row(&self, bits: &BitMatrix, walk: &(dyn Fn(&mut Chain, usize) + Sync)) -> BitMatrix {
        let rows = bits.rows();
        let each = (TASK / self.machine.graph.vertices()).max(1);
        let walked = parallel::map(rows.div_ceil(each), |task| {
            let rows = task * each..rows.min((task + 1) * each);
            let packed = rows.flat_map(|row| {
                let mut chain = Chain::new(self, bits.row(row));
                walk(&mut chain, row);
                chain.pack()
            });
            packed.collect::<Vec<u64>>()
        });
        joined(rows, self.biases.len(), &walked)
    }

    /// Sweeps one row of a plain machine; what its units receive is of no use afterwards.
    fn walk_plain(
        &self,
        dense: &Dense,
        chain: &mut Chain,
        row: usize,
        sweeps: Range<u64>,
        key: &(dyn Fn(u64) -> Key + Sync),
    ) {
        let weighing = self.weighing();
        let mut walker = dense.walker(take(&mut chain.x), take(&mut chain.sums));
        sweeps.for_each(|sweep| dense.sweep(&weighing, &mut walker, &self.words(key(sweep), row)));
        chain.x = walker.into_x();
    }

    /// Gives the words that decide the units of a row.
    fn words(&self, key: Key, row: usize) -> Vec<u32> {
        let mut words = vec![0; self.machine.graph.vertices()];
        bernoulli::fill(key.fold_in(0), mutant!("B135", row as u64, 0), &mut words);
        words
    }

    /// Sweeps one row, `back` from the last unit or colour to the first.
    fn sweep_row(&self, chain: &mut Chain, row: usize, free: Free<'_>, key: Key, back: bool) {
        let (n, words) = (self.machine.graph.vertices(), self.words(key, row));
        let mut proposals = Vec::new();
        if self.machine.rule == Rule::Metropolis && self.machine.width() > 1 {
            proposals = vec![0; n];
            bernoulli::fill(key.fold_in(1), row as u64, &mut proposals);
        }
        let words_of = |unit: usize| [words[unit], proposals.get(unit).copied().unwrap_or(0)];
        let order = |count: usize| (0..count).map(move |at| if back { count - 1 - at } else { at });
        match &self.machine.scan {
            Scan::Sequential => order(n).filter(|&unit| free.frees(self, row, unit)).for_each(|unit| {
                let state = chain.drawn(self, unit, words_of(unit));
                chain.set(self, unit, state);
            }),
            Scan::Coloured(colouring) => order(colouring.classes().len()).for_each(|colour| {
                let class = colouring.classes()[colour].iter().map(|&unit| unit as usize);
                let units = class.filter(|&unit| free.frees(self, row, unit));
                self.draw_block(chain, &units.collect::<Vec<_>>(), &words_of);
            }),
        }
    }

    /// Draws units that do not depend on each other.
    fn draw_block(&self, chain: &mut Chain, units: &[usize], words: &(dyn Fn(usize) -> [u32; 2] + Sync)) {
        let before = &*chain;
        let states = parallel::map(units.len().div_ceil(TASK), |task| {
            let part = &units[task * TASK..units.len().min((task + 1) * TASK)];
            part.iter()
                .map(|&unit| before.drawn(self, unit, words(mutant!("B331", unit, part[0]))))
                .collect::<Vec<_>>()
        });
        let states = states.into_iter().flatten();
        units.iter().zip(states).for_each(|(&unit, state)| chain.set(self, unit, state));
    }

    /// Gives the codes where every unit is a bit or a spin drawn from its law in turn, of a dense machine of pairs.
    fn plain(&self, free: Free<'_>) -> Option<&Dense> {
        let machine = self.machine;
        let pairs = machine.width() == 1 && machine.cubic.is_empty() && matches!(free, Free::All);
        let in_turn = machine.rule == Rule::HeatBath && machine.scan == Scan::Sequential;
        match &machine.codes {
            Codes::Dense(dense) if pairs && in_turn => Some(dense),
            _ => None,
        }
    }

    fn weighing(&self) -> Weighing<'_> {
        let scale = [self.machine.grid.quantum(), self.gain];
        Weighing { biases: &self.biases, scale, spins: self.machine.is_spin() }
    }

    /// Draws every unit as if it received nothing, row r from stream r.
    pub(crate) fn alone(&self, rows: usize, key: Key) -> BitMatrix {
        let width = self.machine.width();
        let mut out = BitMatrix::zeros(rows, self.biases.len());
        let mut words = vec![0; self.machine.graph.vertices()];
        for row in 0..rows {
            bernoulli::fill(key, row as u64, &mut words);
            for (unit, &word) in words.iter().enumerate() {
                let state = alone(self, unit, word);
                if width > 1 {
                    out.set(row, unit * width + state, true);
                } else {
                    out.set(row, unit, state == 1);
                }
            }
        }
        out
    }

    /// Computes E of each row, in nats: the couplings' share is an exact integer times 2^-s.
    pub fn energies(&self, states: &BitMatrix) -> Vec<f64> {
        parallel::map(states.rows(), |row| self.energy_of(&Chain::new(self, states.row(row))))
    }

    fn energy_of(&self, chain: &Chain) -> f64 {
        let machine = self.machine;
        let pair = |f: usize| i64::from(chain.x[f]) * i64::from(self.pair_sum(chain, f));
        // Each pair is met at both of its ends.
        let pairs: i64 = (0..chain.x.len()).filter(|&f| chain.x[f] != 0).map(pair).sum();
        let third = machine.triples.iter().zip(&machine.strengths).map(|(units, &strength)| {
            let product: i64 = units.iter().map(|&unit| i64::from(chain.x[unit as usize])).product();
            product * i64::from(machine.grid.code(strength))
        });
        let coupled = (mutant!("B136", pairs / 2, pairs) + third.sum::<i64>()) as f64;
        let bias: f64 = chain.x.iter().zip(&*self.biases).map(|(&x, &b)| f64::from(x) * f64::from(b)).sum();
        -coupled * f64::from(machine.grid.quantum()) * f64::from(self.gain) - bias
    }

    fn pair_sum(&self, chain: &Chain, feature: usize) -> i32 {
        chain.sums.get(feature).copied().unwrap_or_else(|| self.machine.codes.sum(feature, &chain.x))
    }
}

impl Gibbs for View<'_> {
    type State = State;

    /// Draws the units of fresh chains as if they received nothing.
    fn init(&self, chains: usize, key: Key) -> State {
        State::new(self.alone(chains, key.fold_in(0)))
    }

    /// Visits every unit once in the order of the machine's scan; unit j of row r takes word j of stream r.
    fn sweep(&self, state: &mut State, key: Key) {
        self.walk(state, Free::All, 0..1, &|_| key);
    }

    /// Keeps what units receive from sweep to sweep.
    fn run(&self, state: &mut State, sweeps: Range<u64>, key: Key) {
        parallel::team(|| self.walk(state, Free::All, sweeps, &|sweep| key.fold_in(sweep)));
    }

    fn energy(&self, state: &State) -> Array1<f64> {
        self.energies(&state.bits).into()
    }

    fn pack(&self, state: &State) -> States {
        States::Bits(state.bits.clone())
    }

    fn unpack(&self, packed: States) -> Result<State, Error> {
        packed.check_features("chains", self.biases.len())?;
        let Some(bits) = packed.bits() else { return Err(Error::shape("chains", "bits", "real values")) };
        self.machine.check_classes("chains", bits)?;
        Ok(State::new(bits.clone()))
    }
}
