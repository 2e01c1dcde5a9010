//! Stores couplings as integers on their grid, all pairs or only those of edges: the sums are the same to the last bit.

use harmonium_kernels::Grid;
use serde::{Deserialize, Serialize};

use crate::Graph;
use crate::dense::Dense;

/// Says how couplings are stored for sampling. It changes no result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// All pairs where at least a quarter of them are edges, else edges alone.
    #[default]
    Auto,
    /// All pairs, as a symmetric matrix. Chains then keep the sums of every unit, and change them when a unit flips.
    Dense,
    /// Edges alone, by unit. Sums are added up when a unit is drawn.
    Sparse,
}

/// Holds the symmetric codes between features: feature `unit · width + class`, width being 1 for bits and spins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Codes {
    /// All pairs.
    Dense(Dense),
    /// For each feature, features it is coupled to with their codes.
    Sparse {
        /// Where the entries of each feature start.
        starts: Vec<usize>,
        /// Other features and codes.
        entries: Vec<(u32, i32)>,
    },
}

/// The third-order terms of each unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cubic {
    starts: Vec<usize>,
    entries: Vec<([u32; 2], i32)>,
}

impl Codes {
    /// Rounds the couplings to the grid, `width²` an edge.
    pub(crate) fn new(storage: Storage, graph: &Graph, width: usize, couplings: &[f32], grid: Grid) -> Self {
        let n = graph.vertices();
        let dense = match storage {
            Storage::Dense => true,
            Storage::Sparse => false,
            Storage::Auto => 8 * graph.edges().len() >= n * (n - 1) && !graph.edges().is_empty(),
        };
        if dense {
            Self::dense(graph, width, couplings, grid)
        } else {
            Self::sparse(graph, width, couplings, grid)
        }
    }

    /// Holds nothing yet.
    pub(crate) fn empty() -> Self {
        Self::Sparse { starts: Vec::new(), entries: Vec::new() }
    }

    fn dense(graph: &Graph, width: usize, couplings: &[f32], grid: Grid) -> Self {
        let features = graph.vertices() * width;
        let mut codes = vec![0; features * features];
        for (edge, &[i, j]) in graph.edges().iter().enumerate() {
            for (at, &coupling) in couplings[edge * width * width..][..width * width].iter().enumerate() {
                let (f, g) = (i as usize * width + at / width, j as usize * width + at % width);
                let code = grid.code(coupling);
                (codes[f * features + g], codes[g * features + f]) = (code, code);
            }
        }
        Self::Dense(Dense::new(features, codes))
    }

    fn sparse(graph: &Graph, width: usize, couplings: &[f32], grid: Grid) -> Self {
        let (mut starts, mut entries) = (vec![0], Vec::with_capacity(2 * couplings.len()));
        for feature in 0..graph.vertices() * width {
            let (i, a) = (feature / width, feature % width);
            for next in graph.neighbours(i) {
                let (j, table) = (next.vertex as usize, next.edge as usize * width * width);
                entries.extend((0..width).map(|b| {
                    let at = if i < j { a * width + b } else { b * width + a };
                    ((j * width + b) as u32, grid.code(couplings[table + at]))
                }));
            }
            starts.push(entries.len());
        }
        Self::Sparse { starts, entries }
    }

    /// Adds up what a feature receives in a state, one number a feature.
    pub(crate) fn sum(&self, feature: usize, x: &[i8]) -> i32 {
        match self {
            Self::Dense(dense) => {
                let row = &dense.codes()[feature * x.len()..][..x.len()];
                row.iter().zip(x).map(|(code, &x)| code * i32::from(x)).sum()
            }
            Self::Sparse { starts, entries } => {
                let own = &entries[starts[feature]..starts[feature + 1]];
                own.iter().map(|&(other, code)| code * i32::from(x[other as usize])).sum()
            }
        }
    }

    /// Gives the row of codes of a feature, where all pairs are stored.
    pub(crate) fn row(&self, feature: usize, features: usize) -> Option<&[i32]> {
        match self {
            Self::Dense(dense) => Some(&dense.codes()[feature * features..][..features]),
            Self::Sparse { .. } => None,
        }
    }

    /// Tells whether all pairs are stored.
    pub(crate) fn is_dense(&self) -> bool {
        matches!(self, Self::Dense(_))
    }
}

impl Cubic {
    /// Rounds third-order couplings to the grid.
    pub(crate) fn new(units: usize, triples: &[[u32; 3]], strengths: &[f32], grid: Grid) -> Self {
        if triples.is_empty() {
            return Self::default();
        }
        let mut of = vec![Vec::new(); units];
        for (&[i, j, k], &strength) in triples.iter().zip(strengths) {
            for (own, others) in [(i, [j, k]), (j, [i, k]), (k, [i, j])] {
                of[own as usize].push((others, grid.code(strength)));
            }
        }
        let starts = std::iter::once(0).chain(of.iter().scan(0, |sum, own| {
            *sum += own.len();
            Some(*sum)
        }));
        Self { starts: starts.collect(), entries: of.concat() }
    }

    /// Adds up what a unit receives.
    #[inline]
    pub(crate) fn sum(&self, unit: usize, x: &[i8]) -> i32 {
        if self.starts.is_empty() {
            return 0;
        }
        let own = &self.entries[self.starts[unit]..self.starts[unit + 1]];
        own.iter().map(|&([j, k], code)| code * i32::from(x[j as usize]) * i32::from(x[k as usize])).sum()
    }

    /// Tells whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
