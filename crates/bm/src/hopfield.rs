//! Stores patterns in the couplings of spins, and recalls them by going downhill.

use harmonium_core::units::Units;
use harmonium_core::{Batch, Error};
use harmonium_kernels::{BitMatrix, parallel};

use crate::chain::{Chain, joined};
use crate::linear::Cholesky;
use crate::{Graph, Machine, State};

/// Says how patterns are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Learning {
    /// J = Σ ξ ξᵀ / N, about 0.138 N random patterns (Hopfield 1982; Amit, Gutfreund & Sompolinsky 1985).
    #[default]
    Hebb,
    /// J = ξᵀ (ξ ξᵀ)⁻¹ ξ, any linearly independent patterns (Personnaz, Guyon & Dreyfus 1985; Kanter & Sompolinsky 1987).
    Projection,
}

/// Says how a recall ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Recall {
    /// Where the chains stand.
    pub state: State,
    /// Rounds over all units of the chain that took longest.
    pub rounds: u32,
    /// Whether every chain came to rest, where no single flip lowers its energy.
    pub settled: bool,
}

impl Machine {
    /// Makes a Hopfield network: spins, each coupled to each other, in whose couplings these patterns, `(patterns, spins)`, are
    /// stored. It is a Boltzmann machine; its memories are ground states or near them.
    ///
    /// # Errors
    /// Refuses patterns that are no bits or have missing values, fewer than two spins, and for [`Learning::Projection`] patterns
    /// that depend on each other.
    pub fn hopfield(patterns: &Batch, learning: Learning) -> Result<Self, Error> {
        let (bits, n) = (patterns.bits()?, patterns.units());
        patterns.check_complete("patterns")?;
        let graph = Graph::complete(n)?;
        let lines: Vec<Vec<f64>> = (0..bits.rows()).map(|row| spins(bits, row)).collect();
        let weights = match learning {
            Learning::Hebb => lines.iter().map(|line| line.iter().map(|x| x / n as f64).collect()).collect(),
            Learning::Projection => duals(&lines)?,
        };
        let coupling = |&[i, j]: &[u32; 2]| {
            let (i, j) = (i as usize, j as usize);
            lines.iter().zip(&weights).map(|(line, dual): (_, &Vec<f64>)| line[i] * dual[j]).sum::<f64>()
                as f32
        };
        let couplings = graph.edges().iter().map(coupling).collect();
        Self::from_parts(graph, Units::Spin(n), couplings, vec![0.0; n])
    }

    /// Goes downhill from where the chains stand, unit after unit: each takes its likelier state given the others (bits and
    /// spins; where both are alike it stays), until a whole round changes nothing. No step raises the energy, so it ends; after
    /// `rounds` rounds it stops anyway.
    ///
    /// # Errors
    /// Refuses classes, and chains of another width.
    pub fn recall(&self, start: &State, rounds: u32) -> Result<Recall, Error> {
        if self.width() > 1 {
            return Err(Error::option("units", "bits or spins", &self.units));
        }
        if start.bits.units() != self.biases.len() {
            return Err(Error::shape("chains", format!("{} units", self.biases.len()), start.bits.units()));
        }
        let view = self.view();
        let ends = parallel::map(start.bits.rows(), |row| {
            let mut chain = Chain::new(&view, start.bits.row(row));
            let taken = (1..=rounds).find(|_| !self.descend(&mut chain));
            (chain.pack(), taken)
        });
        let settled = ends.iter().all(|(_, taken)| taken.is_some());
        let longest = ends.iter().map(|(_, taken)| taken.unwrap_or(rounds)).max().unwrap_or(0);
        let words: Vec<Vec<u64>> = ends.into_iter().map(|(words, _)| words).collect();
        let state = State::new(joined(start.bits.rows(), self.biases.len(), &words));
        Ok(Recall { state, rounds: longest, settled })
    }

    /// Visits every unit once; tells whether any moved.
    fn descend(&self, chain: &mut Chain) -> bool {
        let view = self.view();
        let mut moved = false;
        for unit in 0..self.graph.vertices() {
            let activation = view.activation(unit, chain.sum(&view, unit));
            let state = usize::from(mutant!("B143", activation > 0.0, activation < 0.0));
            if activation != 0.0 && chain.state(1, unit) != state {
                chain.set(&view, unit, state);
                moved = true;
            }
        }
        moved
    }
}

fn spins(bits: &BitMatrix, row: usize) -> Vec<f64> {
    (0..bits.units()).map(|unit| if bits.get(row, unit) { 1.0 } else { -1.0 }).collect()
}

/// Gives (ξ ξᵀ)⁻¹ ξ, one line a pattern.
fn duals(lines: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
    let (rows, n) = (lines.len(), lines[0].len());
    let overlap = |a: usize, b: usize| lines[a].iter().zip(&lines[b]).map(|(x, y)| x * y).sum::<f64>();
    let overlaps = (0..rows * rows).map(|at| overlap(at / rows, at % rows)).collect();
    let Some(factor) = Cholesky::new(overlaps, rows) else {
        return Err(Error::value(
            "patterns",
            "",
            "linearly independent rows",
            "rows that depend on each other",
        ));
    };
    let columns: Vec<Vec<f64>> =
        (0..n).map(|unit| factor.solve(&lines.iter().map(|line| line[unit]).collect::<Vec<_>>())).collect();
    Ok((0..rows).map(|row| columns.iter().map(|column| column[row]).collect()).collect())
}
