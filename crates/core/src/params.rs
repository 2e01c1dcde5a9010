//! Names the parameters of a model as flat tensors in a fixed order: the one way in for optimisers, files and tests.

use harmonium_kernels::parallel;

/// Holds one tensor per parameter block: a gradient, a moment or a copy of the parameters themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    tensors: Vec<Tensor>,
}

/// Holds one named block, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The name of the block, as in files.
    pub name: &'static str,
    /// Its shape; rows first.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: Vec<f32>,
}

/// Borrows one block of a model.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// The name of the block.
    pub name: &'static str,
    /// Its shape; rows first.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: &'a [f32],
}

/// Borrows one block of a model for writing.
#[derive(Debug)]
pub struct BlockMut<'a> {
    /// The name of the block.
    pub name: &'static str,
    /// Its values, row-major.
    pub values: &'a mut [f32],
}

/// Gives access to the parameters of a model.
pub trait HasParams {
    /// Lends the parameters that the optimiser owns (for weights: the master, not its rounding to the grid).
    fn blocks(&self) -> Vec<Block<'_>>;

    /// Lends the same blocks for an update, in the same order; call [`HasParams::refresh`] afterwards.
    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>>;

    /// Brings what depends on the parameters up to date, given the largest |parameter| of each block.
    fn follow(&mut self, largest: &[f32]);

    /// Brings what depends on the parameters up to date, and gives the largest |parameter|: NaN or infinite if any is.
    fn refresh(&mut self) -> f32 {
        let each: Vec<f32> = self.blocks().iter().map(|block| largest(block.values)).collect();
        self.follow(&each);
        largest(&each)
    }

    /// Hashes the model that samples: names, shapes and values on the grid, and the grid itself.
    fn digest(&self) -> String;

    /// Copies the parameters that the optimiser owns.
    fn params(&self) -> Params {
        let copy = |b: Block<'_>| Tensor { name: b.name, shape: b.shape, values: b.values.to_vec() };
        Params::new(self.blocks().into_iter().map(copy).collect())
    }
}

impl Params {
    /// Collects tensors, in the order in which they were declared by the model.
    pub fn new(tensors: Vec<Tensor>) -> Self {
        Self { tensors }
    }

    /// Makes zeros of the same names and shapes.
    pub fn zeros_like(&self) -> Self {
        let zero = |t: &Tensor| Tensor { values: vec![0.0; t.values.len()], ..t.clone() };
        Self { tensors: self.tensors.iter().map(zero).collect() }
    }

    /// Gives the tensors.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Gives the tensors for writing.
    pub fn tensors_mut(&mut self) -> &mut [Tensor] {
        &mut self.tensors
    }

    /// Finds a tensor by its name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// Computes Σ x y over all entries of both, in f64 and in an order that no thread decides.
    ///
    /// # Panics
    /// If the other has other tensors.
    pub fn dot(&self, other: &Self) -> f64 {
        assert_eq!(self.tensors.len(), other.tensors.len(), "tensors of both");
        self.tensors.iter().zip(&other.tensors).map(|(a, b)| dot(&a.values, &b.values)).sum()
    }

    /// Writes these values into a model.
    ///
    /// # Panics
    /// If the model has other blocks.
    pub fn store(&self, model: &mut impl HasParams) {
        for (block, tensor) in model.blocks_mut().into_iter().zip(&self.tensors) {
            assert_eq!(block.name, tensor.name, "blocks of the model");
            block.values.copy_from_slice(&tensor.values);
        }
        model.refresh();
    }
}

/// Gives the largest |x|, and NaN if any x is NaN: the order of the values does not matter.
pub fn largest(values: &[f32]) -> f32 {
    // Without their sign, floats order like their bits, and NaN lies above infinity.
    let bits = |part: &[f32]| part.iter().fold(0, |most: u32, x| most.max(x.to_bits() & 0x7FFF_FFFF));
    let parts: Vec<&[f32]> = values.chunks(1 << 14).collect();
    f32::from_bits(parallel::map(parts.len(), |part| bits(parts[part])).into_iter().max().unwrap_or(0))
}

/// Adds products in eight lanes, in the order of the entries.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "entries of both");
    let mut lanes = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        let entries = a.iter().zip(b);
        lanes.iter_mut().zip(entries).for_each(|(lane, (&a, &b))| *lane += f64::from(a) * f64::from(b));
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_ignores_signs_and_keeps_nan() {
        assert_eq!(largest(&[1.0, -3.0, 2.0, 0.0, 0.5, 0.1, 0.2, 0.3, -2.5]), 3.0);
        assert!(largest(&[f32::INFINITY, -f32::NAN, 1.0]).is_nan());
        assert_eq!(largest(&[]), 0.0);
    }
}
