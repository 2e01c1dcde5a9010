//! Views a machine as an energy over sites, for samplers that move few units at a time.

use harmonium_core::sample::own::Sites;

use crate::Machine;
use crate::form::Wide;

/// Is E(x) = −Σ J x x − Σ b x − Σ K x x x of a machine in f64, with the terms of each unit at hand, so that a change costs as many steps as
/// the unit has terms. A spin's states 0 and 1 are −1 and +1.
#[derive(Clone, Debug)]
pub struct UnitSites {
    wide: Wide,
    near: Vec<Vec<usize>>,
}

impl Machine {
    /// Copies the machine, hidden units included, as an energy over its units; join it with an update by `sample::own::Discrete`: Gibbs with
    /// gradients (Grathwohl et al. 2021) then has exact changes to propose from, as in Zanella (2020).
    ///
    /// ```
    /// use harmonium_bm::{Graph, Machine};
    /// use harmonium_core::sample::own::Sites;
    /// use harmonium_core::units::Units;
    /// let machine = Machine::from_parts(Graph::new(2, [[0, 1]])?, Units::Spin(2), vec![0.5], vec![0.0, 0.25])?;
    /// assert_eq!(machine.sites().energy(&[1, 1]), -0.75);
    /// assert_eq!(machine.sites().change(&[1, 1], 0, 0), 1.0);
    /// # Ok::<(), harmonium_core::Error>(())
    /// ```
    pub fn sites(&self) -> UnitSites {
        let wide = Wide::of(&self.view());
        let mut near = vec![Vec::new(); wide.units];
        for (number, (units, _)) in wide.terms.iter().enumerate() {
            units.iter().for_each(|&unit| near[unit].push(number));
        }
        UnitSites { wide, near }
    }
}

impl UnitSites {
    /// Gives a term of −E, with one unit in another state if asked for.
    fn term(&self, number: usize, x: &[u16], other: Option<(usize, u16)>) -> f64 {
        let (units, table) = &self.wide.terms[number];
        let state = |unit: usize| other.filter(|(site, _)| *site == unit).map_or(x[unit], |(_, to)| to);
        if self.wide.width > 1 {
            return table[units.iter().fold(0, |at, &unit| at * self.wide.width + usize::from(state(unit)))];
        }
        let value = |&unit: &usize| f64::from(state(unit)) * if self.wide.spins { 2.0 } else { 1.0 };
        let off = if self.wide.spins { 1.0 } else { 0.0 };
        table[0] * units.iter().map(|unit| value(unit) - off).product::<f64>()
    }
}

impl Sites for UnitSites {
    fn sites(&self) -> usize {
        self.wide.units
    }

    fn states(&self, _site: usize) -> u16 {
        self.wide.width.max(2) as u16
    }

    fn energy(&self, x: &[u16]) -> f64 {
        -(0..self.wide.terms.len()).map(|number| self.term(number, x, None)).sum::<f64>()
    }

    fn change(&self, x: &[u16], site: usize, to: u16) -> f64 {
        let gain = |&number: &usize| self.term(number, x, Some((site, to))) - self.term(number, x, None);
        let gained: f64 = self.near[site].iter().map(gain).sum();
        mutant!("B312", -gained, -0.5 * gained)
    }
}
