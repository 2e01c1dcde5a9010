//! Writes −E as a sum of products of indicators, and tabulates it, and moments, over all states by two transforms.

use crate::View;

/// Is −E(x) = c + Σ w Π [x_i = a], the classes a being 1 or above: what remains once class 0 of every unit has been expressed
/// by the others. A bit has classes 0 and 1, and a spin is twice its bit less one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// States of a unit.
    pub(crate) base: usize,
    /// Units.
    pub(crate) units: usize,
    constant: f64,
    terms: Vec<(Vec<(usize, usize)>, f64)>,
}

/// Lists the couplings of a machine in f64: for each term its units, ascending, and a table over their features.
#[derive(Clone, Debug)]
pub(crate) struct Wide {
    pub(crate) width: usize,
    pub(crate) spins: bool,
    pub(crate) units: usize,
    pub(crate) terms: Vec<(Vec<usize>, Vec<f64>)>,
}

impl Wide {
    /// Reads the couplings, on their grid and in this view's proportion, and its biases.
    pub(crate) fn of(view: &View<'_>) -> Self {
        let machine = view.machine;
        let step = f64::from(machine.grid.quantum()) * f64::from(view.gain);
        let on_grid = |value: &f32| f64::from(machine.grid.code(*value)) * step;
        let width = machine.width();
        let mut out = Self::like(machine);
        let couplings =
            machine.couplings.chunks(width * width).map(|table| table.iter().map(on_grid).collect());
        let biases = view.biases.chunks(width).map(|own| own.iter().map(|&b| f64::from(b)).collect());
        let third = machine.strengths.iter().map(|strength| vec![on_grid(strength)]);
        let values = couplings.chain(biases).chain(third);
        out.terms.iter_mut().zip(values).for_each(|((_, own), values)| *own = values);
        out
    }

    /// Lists the terms of a machine without their values: edges, units, and third-order terms.
    pub(crate) fn like(machine: &crate::Machine) -> Self {
        let edges = machine.graph.edges().iter().map(|edge| edge.to_vec());
        let units = (0..machine.graph.vertices() as u32).map(|unit| vec![unit]);
        let triples = machine.triples.iter().map(|triple| triple.to_vec());
        let terms = edges.chain(units).chain(triples);
        let terms = terms.map(|units| (units.into_iter().map(|unit| unit as usize).collect(), Vec::new()));
        Self {
            width: machine.width(),
            spins: machine.is_spin(),
            units: machine.graph.vertices(),
            terms: terms.collect(),
        }
    }

    /// Puts other values into the terms, in the order of the blocks of the machine.
    pub(crate) fn with(&self, values: &[f64]) -> Self {
        let mut rest = values;
        let terms = self.terms.iter().map(|(units, _)| {
            let (own, behind) = rest.split_at(self.width.pow(units.len() as u32));
            rest = behind;
            (units.clone(), own.to_vec())
        });
        Self { terms: terms.collect(), ..*self }
    }

    /// Expresses −E by indicators.
    pub(crate) fn form(&self) -> Form {
        let mut out = Form { base: self.width.max(2), units: self.units, ..Form::default() };
        for (units, table) in &self.terms {
            for (at, weight) in table.iter().enumerate() {
                let places = units.iter().rev().scan(at, |rest, &unit| {
                    let class = *rest % self.width;
                    *rest /= self.width;
                    Some(if self.width == 1 { (unit, 1) } else { (unit, class) })
                });
                out.add(&places.collect::<Vec<_>>(), *weight, self.spins);
            }
        }
        out
    }
}

impl Form {
    /// Adds weight · Π x, each x being an indicator or, of spins, twice one less one. [x = 0] is 1 − Σ_a [x = a].
    fn add(&mut self, places: &[(usize, usize)], weight: f64, spins: bool) {
        let (mut terms, base) = (vec![(Vec::new(), weight)], self.base);
        for &(unit, class) in places {
            let parts: Vec<(Option<usize>, f64)> = match (spins, class) {
                (true, _) => vec![(Some(1), 2.0), (None, -1.0)],
                (false, 0) => [(None, 1.0)].into_iter().chain((1..base).map(|a| (Some(a), -1.0))).collect(),
                (false, class) => vec![(Some(class), 1.0)],
            };
            terms = terms
                .iter()
                .flat_map(|(term, weight): &(Vec<(usize, usize)>, f64)| {
                    parts.iter().map(move |&(class, factor)| {
                        (
                            term.iter().copied().chain(class.map(|class| (unit, class))).collect(),
                            weight * factor,
                        )
                    })
                })
                .collect();
        }
        for (term, weight) in terms {
            if term.is_empty() { self.constant += weight } else { self.terms.push((term, weight)) }
        }
    }

    /// Puts in the states of the units that are known; the others are numbered anew, in their order.
    pub(crate) fn given(&self, known: &[Option<usize>]) -> Self {
        let number = known.iter().scan(0, |next, state| {
            let own = *next;
            *next += usize::from(state.is_none());
            Some(own)
        });
        let number: Vec<usize> = number.collect();
        let units = known.iter().filter(|state| state.is_none()).count();
        let mut out = Self { base: self.base, units, constant: self.constant, terms: Vec::new() };
        for (term, weight) in &self.terms {
            if term.iter().any(|&(unit, class)| known[unit].is_some_and(|state| state != class)) {
                continue;
            }
            let open = term.iter().filter(|(unit, _)| known[*unit].is_none());
            let open: Vec<(usize, usize)> = open.map(|&(unit, class)| (number[unit], class)).collect();
            if open.is_empty() { out.constant += weight } else { out.terms.push((open, *weight)) }
        }
        out
    }

    /// Tabulates −E over all states; the first unit is the lowest digit of the index. Each unit's pass adds what its classes
    /// change (the zeta transform over the digits), so that a table takes one addition a state and unit.
    pub(crate) fn table(&self) -> Vec<f64> {
        let mut table = vec![0.0; self.base.pow(self.units as u32)];
        table[0] = self.constant;
        for (term, weight) in &self.terms {
            table[index(self.base, term)] += weight;
        }
        passes(&mut table, self.base, |zero, class| add(class, zero));
        table
    }

    /// Gives the number of states.
    pub(crate) fn states(&self) -> f64 {
        libm::pow(self.base as f64, self.units as f64)
    }
}

/// Gives the index of a state whose other units are 0, and of the moment of these indicators.
pub(crate) fn index(base: usize, places: &[(usize, usize)]) -> usize {
    places.iter().map(|&(unit, class)| class * base.pow(unit as u32)).sum()
}

/// Turns p(x) of all states into moments: the entry of a state becomes the probability that every unit not at 0 in it is where
/// it is there, whatever the others are.
pub(crate) fn moments(table: &mut [f64], base: usize) {
    passes(table, base, |zero, class| add(zero, class));
}

fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// States whose passes are done while they are in the cache.
const BLOCK: usize = 1 << 13;

/// Calls `join` with the part of class 0 and that of each other class, for every unit.
fn passes(table: &mut [f64], base: usize, join: impl Fn(&mut [f64], &mut [f64])) {
    let block =
        std::iter::successors(Some(base), |size| Some(size * base)).take_while(|&size| size <= BLOCK).last();
    let block = block.unwrap_or(base).min(table.len()).max(1);
    for part in table.chunks_mut(block) {
        levels(part, base, 1, &join);
    }
    levels(table, base, block, &join);
}

fn levels(table: &mut [f64], base: usize, from: usize, join: &impl Fn(&mut [f64], &mut [f64])) {
    let mut stride = from;
    while stride < table.len() {
        for part in table.chunks_mut(stride * base) {
            let (zero, classes) = part.split_at_mut(stride);
            classes.chunks_mut(stride).for_each(|class| join(zero, class));
        }
        stride *= base;
    }
}
