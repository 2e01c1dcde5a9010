//! Sweeps bits or spins of a dense machine one after the other, in the layout that suits the number of chains.

use std::sync::OnceLock;

use harmonium_kernels::sequential::{self, Blocks, Codes, Symmetric, Upper};
use harmonium_kernels::{BitMatrix, Key};

/// Chains from which on one product for all of them takes less than a row of codes for every flip.
pub(crate) const MANY: usize = 64;

/// Holds symmetric codes `(features, features)`, row-major, and their layouts for one chain and for many, once they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    features: usize,
    codes: Vec<i32>,
    lines: OnceLock<Codes>,
    /// None where upper parts would not do.
    upper: OnceLock<Option<Upper>>,
    blocks: OnceLock<Blocks>,
}

impl PartialEq for Dense {
    fn eq(&self, other: &Self) -> bool {
        (self.features, &self.codes) == (other.features, &other.codes)
    }
}

/// Is what else a sweep reads: the biases times β, 2^-s and β, and whether x is ±1.
pub(crate) struct Weighing<'a> {
    pub(crate) biases: &'a [f32],
    pub(crate) scale: [f32; 2],
    pub(crate) spins: bool,
}

/// Is one chain in the layout of its sweeps.
pub(crate) enum Walker<'a> {
    /// It keeps what the upper parts of the codes give.
    Cut(sequential::Chain, &'a Upper),
    /// It keeps whole sums, one a unit: Σ_j codes(i, j) x_j = sums(i).
    Whole { x: Vec<i8>, sums: Vec<i32> },
}

impl Walker<'_> {
    /// Gives the state, a number a unit.
    pub(crate) fn into_x(self) -> Vec<i8> {
        match self {
            Self::Cut(chain, _) => chain.x().to_vec(),
            Self::Whole { x, .. } => x,
        }
    }
}

impl Dense {
    pub(crate) fn new(features: usize, codes: Vec<i32>) -> Self {
        Self { features, codes, lines: OnceLock::new(), upper: OnceLock::new(), blocks: OnceLock::new() }
    }

    pub(crate) fn codes(&self) -> &[i32] {
        &self.codes
    }

    /// Lays out one chain, whose units receive these sums.
    pub(crate) fn walker(&self, x: Vec<i8>, sums: Vec<i32>) -> Walker<'_> {
        match self.upper.get_or_init(|| Upper::new(self.features, &self.codes)) {
            Some(upper) => Walker::Cut(sequential::Chain::new(upper, x), upper),
            None => Walker::Whole { x, sums },
        }
    }

    /// Draws every unit of one chain in turn from its law given the others; unit j takes word j.
    pub(crate) fn sweep(&self, weighing: &Weighing<'_>, walker: &mut Walker<'_>, words: &[u32]) {
        let codes = self.lines.get_or_init(|| Codes::new(self.features, &self.codes));
        let &Weighing { biases, scale, spins } = weighing;
        let machine = Symmetric { codes, biases, scale, spins };
        match walker {
            Walker::Cut(chain, upper) => chain.sweep(&machine, upper, words),
            Walker::Whole { x, sums } => machine.sweep_one(x, sums, words),
        }
    }

    /// Does the same to many chains; unit j of chain c takes word j of stream c.
    pub(crate) fn sweep_many(&self, weighing: &Weighing<'_>, bits: &mut BitMatrix, key: Key) {
        let blocks = self.blocks.get_or_init(|| Blocks::new(self.features, &self.codes));
        blocks.sweep(bits, weighing.biases, weighing.scale, weighing.spins, key);
    }
}
