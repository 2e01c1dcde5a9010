//! Stands states on visible units, the hidden ones drawn from a law that is known.

use harmonium_core::Key;
use harmonium_core::evaluate::LogSumExp;
use harmonium_kernels::{BitMatrix, bernoulli, parallel};
use ndarray::Array1;

use crate::chain::{Chain, joined, of_activations};
use crate::{State, View};

impl View<'_> {
    /// Draws each hidden unit from q, its law given the visible units with all hidden ones at 0, row r from stream r; gives the states and
    /// −E − ln q of each, in nats.
    pub(crate) fn stood(&self, bits: &BitMatrix, key: Key) -> (State, Array1<f64>) {
        let found = parallel::map(bits.rows(), |row| {
            let mut chain = Chain::new(self, bits.row(row));
            let log_q = self.draw_hidden(&mut chain, row, key);
            (chain.pack(), log_q)
        });
        let (packed, log_q): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let state = State::new(joined(bits.rows(), self.biases.len(), &packed));
        let energies = self.energies(&state.bits);
        (state, energies.iter().zip(log_q).map(|(energy, log_q)| -energy - log_q).collect())
    }

    /// Draws the hidden units of a row, unit j by word j, and gives ln q of what was drawn.
    fn draw_hidden(&self, chain: &mut Chain, row: usize, key: Key) -> f64 {
        let (machine, mut log_q) = (self.machine, 0.0);
        let (width, units) = (machine.width(), machine.graph.vertices());
        let mut known = chain.x.clone();
        known[machine.visible * width..].fill(0);
        let activation = |feature: usize| {
            let cubic = machine.cubic.sum(feature.min(units - 1), &known);
            self.activation(feature, machine.codes.sum(feature, &known) + cubic)
        };
        let mut words = vec![0; units];
        bernoulli::fill(key, row as u64, &mut words);
        for (unit, &word) in words.iter().enumerate().skip(machine.visible) {
            let activations: Vec<f32> = (unit * width..(unit + 1) * width).map(&activation).collect();
            let state = of_activations(&activations, word);
            chain.set(self, unit, state);
            log_q += log_share(&activations, state);
        }
        log_q
    }
}

/// Gives ln of the probability of a state: of two by one activation, else of classes.
fn log_share(activations: &[f32], state: usize) -> f64 {
    let mut logs: Vec<f64> = activations.iter().map(|&a| f64::from(a)).collect();
    if logs.len() == 1 {
        logs.insert(0, 0.0);
    }
    let own = mutant!("B347", logs[state], 0.0);
    own - logs.into_iter().collect::<LogSumExp>().value()
}
