//! Exports tensors as an npz archive, which NumPy reads.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use ndarray::{ArrayViewD, IxDyn};
use ndarray_npy::{NpzWriter, WritableElement};

use super::save::write_bytes_atomically;
use super::tensor::{Tensor, Values};
use super::vfs::Vfs;
use crate::error::Error;

type Archive = NpzWriter<Cursor<Vec<u8>>>;

/// Writes tensors to an npz file, not compressed: f32, i64, and bits as u8 zeros and ones.
///
/// The archive is made in memory first: a zip file is not written from front to back.
///
/// # Errors
/// `Shape` for tensors of one name, else as [`Tensor::check`] and
/// [`write_atomically`](super::save::write_atomically).
pub fn export_npz(vfs: &dyn Vfs, path: &Path, tensors: &[Tensor]) -> Result<(), Error> {
    let mut archive = NpzWriter::new(Cursor::new(Vec::new()));
    let mut names = BTreeSet::new();
    for tensor in tensors {
        tensor.check()?;
        if !names.insert(&tensor.name) {
            return Err(Error::shape(tensor.field(), "a name of its own", "two tensors"));
        }
        add(&mut archive, tensor)?;
    }
    let bytes = archive.finish().map_err(|e| Error::shape("npz", "tensors fit for an archive", e))?;
    write_bytes_atomically(vfs, path, &bytes.into_inner())
}

fn add(archive: &mut Archive, tensor: &Tensor) -> Result<(), Error> {
    match &tensor.values {
        Values::F32(values) => add_array(archive, tensor, values),
        Values::I64(values) => add_array(archive, tensor, values),
        Values::Bits(words) => add_array(archive, tensor, &unpacked(words, &tensor.shape)),
    }
}

fn add_array<T: WritableElement>(archive: &mut Archive, tensor: &Tensor, values: &[T]) -> Result<(), Error> {
    let array = ArrayViewD::from_shape(IxDyn(&tensor.shape), values);
    let array = array.map_err(|e| Error::shape(tensor.field(), "values that fill the shape", e))?;
    let added = archive.add_array(tensor.name.clone(), &array);
    added.map_err(|e| Error::shape(tensor.field(), "a tensor fit for an archive", e))
}

fn unpacked(words: &[u64], shape: &[usize]) -> Vec<u8> {
    let bits = shape.last().copied().unwrap_or(1);
    let row = |row: &[u64]| (0..bits).map(|j| (row[j / 64] >> (j % 64)) as u8 & 1).collect::<Vec<u8>>();
    words.chunks_exact(bits.div_ceil(64)).flat_map(row).collect()
}
