//! Checks the parameters of a machine, lends them, and keeps their codes up to date.

use harmonium_core::params::{Block, BlockMut, largest};
use harmonium_core::persist::digest;
use harmonium_core::{Error, HasParams};
use harmonium_kernels::Grid;

use crate::Machine;
use crate::codes::{Codes, Cubic};

impl Machine {
    /// Puts the units of a third-order term in order.
    pub(crate) fn sorted(&self, number: usize, mut triple: [usize; 3]) -> Result<[u32; 3], Error> {
        let (n, place) = (self.graph.vertices(), format!("term {number}"));
        triple.sort_unstable();
        let [i, j, k] = triple;
        if k >= n {
            return Err(Error::value("triples", place, format!("units below {n}"), k));
        }
        if i == j || j == k {
            return Err(Error::value("triples", place, "three different units", format!("{i}, {j} and {k}")));
        }
        Ok(triple.map(|unit| unit as u32))
    }

    /// Refuses third-order terms that come twice.
    pub(crate) fn check_single(&self) -> Result<(), Error> {
        let mut numbers: Vec<usize> = (0..self.triples.len()).collect();
        numbers.sort_by_key(|&number| self.triples[number]);
        match numbers.windows(2).find(|two| self.triples[two[0]] == self.triples[two[1]]) {
            Some(two) => {
                let [i, j, k] = self.triples[two[1]];
                let place = format!("term {}", two[1]);
                Err(Error::value("triples", place, "each term once", format!("{i}, {j} and {k} again")))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn check_finite(&self) -> Result<(), Error> {
        self.blocks().iter().try_for_each(|block| finite(block.name, block.values))
    }

    /// Gives the most terms that one unit has a part in.
    pub(crate) fn most_terms(&self) -> usize {
        let mut terms: Vec<usize> = (0..self.graph.vertices()).map(|unit| self.graph.degree(unit)).collect();
        self.triples.iter().flatten().for_each(|&unit| terms[unit as usize] += 1);
        terms.into_iter().max().unwrap_or(0).max(1)
    }

    /// Finds the grid of these couplings from scratch.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        let terms = self.most_terms();
        if terms > Grid::MAX_UNITS {
            return Err(Error::shape("graph", format!("at most {} terms at a unit", Grid::MAX_UNITS), terms));
        }
        self.grid = Grid::of_terms(terms).settling(self.largest());
        self.recode();
        Ok(())
    }

    /// Gives the largest |coupling| of any order.
    pub(crate) fn largest(&self) -> f32 {
        largest(&self.couplings).max(largest(&self.strengths))
    }

    pub(crate) fn recode(&mut self) {
        let (graph, grid) = (&self.graph, self.grid);
        self.codes = Codes::new(self.storage, graph, self.width(), &self.couplings, grid);
        self.cubic = Cubic::new(graph.vertices(), &self.triples, &self.strengths, grid);
    }
}

impl HasParams for Machine {
    /// Lends couplings, one line an edge, biases and, where there are any, the strengths of third-order terms.
    fn blocks(&self) -> Vec<Block<'_>> {
        let (edges, width) = (self.graph.edges().len(), self.width());
        let mut blocks = vec![
            Block { name: "couplings", shape: vec![edges, width * width], values: &self.couplings },
            Block { name: "biases", shape: vec![self.biases.len()], values: &self.biases },
        ];
        if !self.triples.is_empty() {
            blocks.push(Block {
                name: "triples",
                shape: vec![self.triples.len(), 1],
                values: &self.strengths,
            });
        }
        blocks
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        let third = !self.triples.is_empty();
        let mut blocks = vec![
            BlockMut { name: "couplings", values: &mut self.couplings },
            BlockMut { name: "biases", values: &mut self.biases },
        ];
        if third {
            blocks.push(BlockMut { name: "triples", values: &mut self.strengths });
        }
        blocks
    }

    fn follow(&mut self, largest: &[f32]) {
        let most = largest.get(2).map_or(largest[0], |third| largest[0].max(*third));
        if most.is_finite() {
            self.grid = self.grid.followed(most);
            mutant!("B131", self.recode(), ());
        }
    }

    fn digest(&self) -> String {
        let on_grid = [self.couplings(), self.strengths()];
        let blocks = self.blocks();
        let values = [&on_grid[0][..], &self.biases, &on_grid[1]];
        let entries = blocks.iter().zip(values).map(|(b, values)| (b.name, &b.shape[..], values));
        digest(&entries.collect::<Vec<_>>(), self.grid.shift())
    }
}

pub(crate) fn same_length(field: &str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::shape(field, format!("{expected} entries"), format!("{got} entries")))
}

pub(crate) fn finite(field: &str, values: &[f32]) -> Result<(), Error> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(Error::value(field, format!("entry {at}"), "a finite number", values[at])),
        None => Ok(()),
    }
}
