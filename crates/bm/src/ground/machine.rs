//! Turns machines into problems, whose ground state is the machine's mode, and problems into machines.

use harmonium_core::Error;
use harmonium_core::units::Units;

use super::Problem;
use crate::Machine;

impl Problem {
    /// Takes over the energy of a machine of spins or bits, hidden units included; its ground state is the most probable state.
    ///
    /// # Errors
    /// Refuses machines of classes, and those with third-order terms.
    ///
    /// ```
    /// use harmonium_bm::{Graph, Machine, ground::{Anneal, Problem, anneal}};
    /// use harmonium_core::{Key, units::Units};
    /// let graph = Graph::new(3, [[0, 1], [1, 2]])?;
    /// let machine = Machine::from_parts(graph, Units::Spin(3), vec![1.0, -2.0], vec![0.5, 0.0, 0.0])?;
    /// let mode = anneal(&Problem::of(&machine)?, &Anneal::default(), Key::from_seed(1), &mut |_| false)?;
    /// assert_eq!((mode.up, mode.energy), (vec![true, true, false], -3.5));
    /// # Ok::<(), harmonium_core::Error>(())
    /// ```
    pub fn of(machine: &Machine) -> Result<Self, Error> {
        if !machine.triples().is_empty() {
            return Err(Error::option("machine", "one without third-order terms", machine.triples().len()));
        }
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (graph, couplings) = (machine.graph().clone(), wide(&machine.couplings()));
        let negated = |values: Vec<f64>| values.into_iter().map(|x| -x).collect::<Vec<_>>();
        match machine.units() {
            Units::Spin(_) => Self::new(graph, couplings, wide(machine.biases())),
            Units::Bernoulli(_) => Self::qubo(graph, &negated(wide(machine.biases())), &negated(couplings)),
            other => Err(Error::option("machine", "one of spins or bits", other)),
        }
    }

    /// Makes the machine of spins that has this energy, but for the offset and the rounding to 32 bits.
    ///
    /// # Errors
    /// As [`Machine::from_parts`].
    pub fn to_machine(&self) -> Result<Machine, Error> {
        let narrow = |values: &[f64]| values.iter().map(|&x| x as f32).collect();
        let units = Units::Spin(self.graph().vertices());
        Machine::from_parts(self.graph().clone(), units, narrow(self.couplings()), narrow(self.fields()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Graph;
    use harmonium_kernels::BitMatrix;

    /// Couplings and biases are multiples of an eighth, so that neither the grid nor f32 rounds them.
    #[test]
    fn energies_are_those_of_the_machine_and_come_back() {
        let graph = Graph::new(5, [[0, 1], [1, 2], [2, 3], [0, 4], [1, 3]]).unwrap();
        for units in [Units::Spin(5), Units::Bernoulli(5)] {
            let (couplings, biases) =
                (vec![0.5, -1.25, 2.0, 0.125, -0.75], vec![0.25, 0.0, -1.0, 0.5, 0.125]);
            let machine = Machine::from_parts(graph.clone(), units, couplings, biases).unwrap();
            let problem = Problem::of(&machine).unwrap();
            let states = BitMatrix::from_fn(32, 5, |row, unit| row >> unit & 1 == 1);
            let ours: Vec<f64> = (0..32)
                .map(|row| problem.energy(&(0..5).map(|unit| states.get(row, unit)).collect::<Vec<_>>()))
                .collect();
            assert_eq!(ours, machine.view().energies(&states));
            let spins = problem.to_machine().unwrap().view().energies(&states);
            let offset = ours[0] - spins[0];
            assert!(ours.iter().zip(spins).all(|(ours, theirs)| (ours - theirs - offset).abs() < 1e-12));
        }
    }

    #[test]
    fn other_machines_are_refused() {
        let graph = || Graph::complete(3).unwrap();
        let classes = Machine::new(graph(), Units::Categorical { units: 3, classes: 4 }).unwrap();
        assert!(Problem::of(&classes).unwrap_err().to_string().contains("spins or bits"));
        let third =
            Machine::new(graph(), Units::Spin(3)).unwrap().with_triples(&[[0, 1, 2]], vec![1.0]).unwrap();
        assert!(Problem::of(&third).unwrap_err().to_string().contains("third-order"));
    }
}
