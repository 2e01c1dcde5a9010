//! Turns bits into spins and back, without a change of the law.

use harmonium_core::Error;
use harmonium_core::units::Units;

use crate::Machine;
use crate::form::Wide;

impl Machine {
    /// Gives the machine of spins s = 2t − 1 that has the law of these bits t: J' = J/4, b' = b/2 + Σ J/4, and third-order terms
    /// alike. Energies differ by the constant that is given beside it, E(t) = E'(s) + constant; both are exact but for the
    /// rounding of the new biases to f32 and, where third-order terms meet couplings, to the new grid.
    ///
    /// # Errors
    /// Refuses other units than bits, and third-order terms with a pair that no edge couples.
    pub fn to_spins(&self) -> Result<(Self, f64), Error> {
        if !matches!(self.units, Units::Bernoulli(_)) {
            return Err(Error::option("units", "bits", &self.units));
        }
        self.turned(Units::Spin(self.graph.vertices()), [0.5, 0.5])
    }

    /// Gives the machine of bits t = (s + 1)/2 that has the law of these spins, and the constant that E(s) exceeds its energy
    /// by, as [`Machine::to_spins`].
    ///
    /// # Errors
    /// Refuses other units than spins, and third-order terms with a pair that no edge couples.
    pub fn to_bits(&self) -> Result<(Self, f64), Error> {
        if !self.is_spin() {
            return Err(Error::option("units", "spins", &self.units));
        }
        self.turned(Units::Bernoulli(self.graph.vertices()), [2.0, -1.0])
    }

    /// Writes every x as slope · y + offset.
    fn turned(&self, units: Units, [slope, offset]: [f64; 2]) -> Result<(Self, f64), Error> {
        let wide = Wide::of(&self.view());
        let edges = self.graph.edges();
        let (mut pairs, mut single) = (vec![0.0; edges.len()], vec![0.0; wide.units]);
        let (mut third, mut constant) = (Vec::new(), 0.0);
        for (units, table) in &wide.terms {
            for subset in 0..1_usize << units.len() {
                let kept: Vec<usize> = (0..units.len())
                    .filter(|place| subset >> place & 1 == 1)
                    .map(|place| units[place])
                    .collect();
                let factor = slope.powi(kept.len() as i32) * offset.powi((units.len() - kept.len()) as i32);
                let weight = table[0] * mutant!("B142", factor, slope.powi(kept.len() as i32));
                match kept[..] {
                    [] => constant -= weight,
                    [unit] => single[unit] += weight,
                    [i, j] => pairs[self.edge(i, j)?] += weight,
                    _ => third.push(weight as f32),
                }
            }
        }
        let narrow = |x: Vec<f64>| x.into_iter().map(|x| x as f32).collect();
        let out = Self::from_parts(self.graph.clone(), units, narrow(pairs), narrow(single))?;
        let out = out.with_hidden(self.hidden_units())?.with_rule(self.rule).with_storage(self.storage);
        let triples: Vec<[usize; 3]> =
            self.triples.iter().map(|triple| triple.map(|unit| unit as usize)).collect();
        let mut out = if triples.is_empty() { out } else { out.with_triples(&triples, third)? };
        out = out.with_scan(self.scan.clone())?;
        // A bias b of spins is one of 2b of bits.
        let scale = if self.is_spin() { 2.0 } else { 0.5 };
        out.base = self.base.iter().map(|b| scale * b).collect();
        Ok((out, constant))
    }

    /// Finds the edge between two vertices.
    fn edge(&self, i: usize, j: usize) -> Result<usize, Error> {
        let near = self.graph.neighbours(i);
        near.binary_search_by_key(&(j as u32), |next| next.vertex).map(|at| near[at].edge as usize).map_err(
            |_| {
                let expected = format!("an edge between {i} and {j}, which a third-order term couples");
                Error::value("graph", "", expected, "none")
            },
        )
    }
}
