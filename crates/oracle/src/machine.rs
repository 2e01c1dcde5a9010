//! Enumerates general Boltzmann machines: any graph, bits, spins or classes, third-order terms, hidden units last.
//!
//! A state is a list of digits, one a unit: 0 or 1 (spins −1 and +1), or a class. The state of index n has the digits of n,
//! the first unit lowest.

use crate::math::{log_sum_exp, sum};

/// Says what a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 0 or 1.
    Bit,
    /// −1 or +1.
    Spin,
    /// One of this many classes.
    Classes(usize),
}

/// Holds E(x) = −Σ J x x − Σ b x − Σ K x x x. Of classes, J is a table and b a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// The kind of all units.
    pub unit: Unit,
    /// Units.
    pub units: usize,
    /// Units that are data; the others are hidden.
    pub visible: usize,
    /// Edges with their couplings, `width²` each, row-major.
    pub edges: Vec<([usize; 2], Vec<f64>)>,
    /// Biases, `width` a unit.
    pub biases: Vec<f64>,
    /// Third-order terms.
    pub triples: Vec<([usize; 3], f64)>,
}

impl Machine {
    /// Gives the states of a unit.
    pub fn base(&self) -> usize {
        if let Unit::Classes(classes) = self.unit { classes } else { 2 }
    }

    /// Gives the features of a unit.
    pub fn width(&self) -> usize {
        if let Unit::Classes(classes) = self.unit { classes } else { 1 }
    }

    /// Lists all states.
    pub fn states(&self) -> Vec<Vec<usize>> {
        let digits =
            |n: usize| (0..self.units).map(|unit| n / self.base().pow(unit as u32) % self.base()).collect();
        (0..self.base().pow(self.units as u32)).map(digits).collect()
    }

    /// Gives the index of a state.
    pub fn index(&self, state: &[usize]) -> usize {
        state.iter().rev().fold(0, |index, digit| index * self.base() + digit)
    }

    /// Gives the number that a feature of a unit is in a state.
    pub fn feature(&self, state: &[usize], unit: usize, class: usize) -> f64 {
        match self.unit {
            Unit::Bit => state[unit] as f64,
            Unit::Spin => 2.0 * state[unit] as f64 - 1.0,
            Unit::Classes(_) => f64::from(u8::from(state[unit] == class)),
        }
    }

    /// Gives −∂E/∂θ: of couplings, biases and third-order terms, one after the other.
    pub fn statistics(&self, state: &[usize]) -> Vec<f64> {
        let (w, mut out) = (self.width(), Vec::new());
        for ([i, j], _) in &self.edges {
            for a in 0..w {
                out.extend((0..w).map(|b| self.feature(state, *i, a) * self.feature(state, *j, b)));
            }
        }
        for unit in 0..self.units {
            out.extend((0..w).map(|class| self.feature(state, unit, class)));
        }
        let third =
            |units: &[usize; 3]| units.iter().map(|&unit| self.feature(state, unit, 0)).product::<f64>();
        out.extend(self.triples.iter().map(|(units, _)| third(units)));
        out
    }

    /// Lists the parameters in the order of the statistics.
    pub fn parameters(&self) -> Vec<f64> {
        let couplings = self.edges.iter().flat_map(|(_, table)| table.iter().copied());
        let third = self.triples.iter().map(|(_, strength)| *strength);
        couplings.chain(self.biases.iter().copied()).chain(third).collect()
    }

    /// Gives E(x).
    pub fn energy(&self, state: &[usize]) -> f64 {
        -sum(self.parameters().iter().zip(self.statistics(state)).map(|(theta, x)| theta * x))
    }

    /// Gives ln Z.
    pub fn log_z(&self) -> f64 {
        log_sum_exp(&self.states().iter().map(|state| -self.energy(state)).collect::<Vec<_>>())
    }

    /// Gives p(x) of every state.
    pub fn probabilities(&self) -> Vec<f64> {
        let log_z = self.log_z();
        self.states().iter().map(|state| (-self.energy(state) - log_z).exp()).collect()
    }

    /// Gives the mean statistics under weights of the states.
    pub fn means(&self, law: &[f64]) -> Vec<f64> {
        let states = self.states();
        let statistics: Vec<Vec<f64>> = states.iter().map(|state| self.statistics(state)).collect();
        let mean = |k: usize| sum(law.iter().zip(&statistics).map(|(p, x)| p * x[k]));
        (0..statistics[0].len()).map(mean).collect()
    }

    /// Gives the probability of each state of a unit given the others.
    pub fn conditional(&self, state: &[usize], unit: usize) -> Vec<f64> {
        let with = |digit: usize| {
            let mut state = state.to_vec();
            state[unit] = digit;
            -self.energy(&state)
        };
        let logs: Vec<f64> = (0..self.base()).map(with).collect();
        logs.iter().map(|log| (log - log_sum_exp(&logs)).exp()).collect()
    }

    /// Gives F(v) = −ln Σ_h e^−E(v, h) of visible digits.
    pub fn free_energy(&self, visible: &[usize]) -> f64 {
        let agrees = |state: &&Vec<usize>| state[..self.visible] == *visible;
        let states = self.states();
        -log_sum_exp(&states.iter().filter(agrees).map(|state| -self.energy(state)).collect::<Vec<_>>())
    }

    /// Gives p(x | v) of every state, 0 where its visible units are others.
    pub fn posterior(&self, visible: &[usize]) -> Vec<f64> {
        let free = self.free_energy(visible);
        let p = |state: &Vec<usize>| {
            if state[..self.visible] == *visible { (free - self.energy(state)).exp() } else { 0.0 }
        };
        self.states().iter().map(p).collect()
    }

    /// Gives the machine of energy β E.
    #[must_use]
    pub fn tempered(&self, beta: f64) -> Self {
        let mut out = self.clone();
        out.edges.iter_mut().flat_map(|(_, table)| table).for_each(|x| *x *= beta);
        out.biases.iter_mut().for_each(|x| *x *= beta);
        out.triples.iter_mut().for_each(|(_, x)| *x *= beta);
        out
    }

    /// Gives Σ_i ln p(x_i | x_−i).
    pub fn pseudo_log_likelihood(&self, state: &[usize]) -> f64 {
        sum((0..self.units).map(|unit| self.conditional(state, unit)[state[unit]].ln()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close};

    fn machine(unit: Unit) -> Machine {
        let width = if let Unit::Classes(q) = unit { q } else { 1 };
        let numbers =
            |n: usize, from: usize| (from..from + n).map(|k| (k * 7 % 11) as f64 / 6.0 - 0.8).collect();
        let edges = [[0, 1], [1, 2], [0, 3]];
        let edges = edges.iter().enumerate().map(|(n, &e)| (e, numbers(width * width, n))).collect();
        let triples = if width == 1 { vec![([0, 1, 3], 0.4)] } else { Vec::new() };
        Machine { unit, units: 4, visible: 3, edges, biases: numbers(4 * width, 5), triples }
    }

    /// Probabilities add up; conditionals are ratios of joints; marginals of the posterior are those of the joint.
    #[test]
    fn laws_agree_with_each_other() {
        for unit in [Unit::Bit, Unit::Spin, Unit::Classes(3)] {
            let m = machine(unit);
            let (p, states) = (m.probabilities(), m.states());
            close(sum(p.iter().copied()), 1.0, TAU_0);
            let (x, total) = (&states[5], m.conditional(&states[5], 1));
            close(sum(total.iter().copied()), 1.0, TAU_0);
            let mut y = x.clone();
            y[1] = 1 - x[1];
            close(total[y[1]] / total[x[1]], p[m.index(&y)] / p[m.index(x)], 1e-10);
            let posterior = m.posterior(&x[..3]);
            let margin = sum(states.iter().zip(&p).filter(|(s, _)| s[..3] == x[..3]).map(|(_, p)| *p));
            close(posterior[5], p[5] / margin, TAU_0);
        }
    }

    /// One edge between two spins, in closed form: Z = 4 cosh J.
    #[test]
    fn two_spins_are_known() {
        let edges = vec![([0, 1], vec![0.7])];
        let m =
            Machine { unit: Unit::Spin, units: 2, visible: 2, edges, biases: vec![0.0; 2], triples: vec![] };
        close(m.log_z(), (4.0 * 0.7_f64.cosh()).ln(), TAU_0);
        close(m.means(&m.probabilities())[0], 0.7_f64.tanh(), TAU_0);
    }
}
