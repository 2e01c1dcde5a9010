//! Exports real tensors as safetensors, which PyTorch and others read.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::save::write_atomically;
use super::tensor::{Tensor, Values, write_numbers};
use super::vfs::Vfs;
use crate::error::Error;

/// Writes f32 tensors and a map of strings to a safetensors file; equal content gives equal bytes.
///
/// # Errors
/// `Value` for tensors of integers or bits, `Shape` for tensors of one name, else as [`Tensor::check`] and
/// [`write_atomically`].
pub fn export_safetensors(
    vfs: &dyn Vfs,
    path: &Path,
    tensors: &[Tensor],
    metadata: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let mut sorted: Vec<&Tensor> = tensors.iter().collect();
    sorted.sort_by_key(|tensor| &tensor.name);
    let header = header(&sorted, metadata)?;
    write_atomically(vfs, path, |out| {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        sorted.iter().try_for_each(|tensor| write_values(out, tensor))
    })
}

fn write_values(out: &mut dyn Write, tensor: &Tensor) -> io::Result<()> {
    write_numbers(out, floats(tensor).unwrap_or_default(), f32::to_le_bytes)
}

fn floats(tensor: &Tensor) -> Option<&[f32]> {
    match &tensor.values {
        Values::F32(values) => Some(values),
        Values::I64(_) | Values::Bits(_) => None,
    }
}

fn header(sorted: &[&Tensor], metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, Error> {
    let refuse = |got: String| Error::shape("safetensors", "tensors and metadata fit for a header", got);
    let infos = infos(sorted)?;
    let tensors = Metadata::new(None, infos).map_err(|e| refuse(e.to_string()))?;
    let tensors = serde_json::to_string(&tensors).map_err(|e| refuse(e.to_string()))?;
    let strings = serde_json::to_string(metadata).map_err(|e| refuse(e.to_string()))?;
    Ok(spliced(&tensors, &strings))
}

// The crate keeps the strings in a hash map and writes them in another order every time, so they are put in
// front of its tensors here, sorted. Spaces bring the values to a multiple of 8 bytes.
fn spliced(tensors: &str, strings: &str) -> Vec<u8> {
    let rest = tensors.strip_prefix('{').unwrap_or(tensors);
    let comma = if rest == "}" { "" } else { "," };
    let mut header = format!("{{\"__metadata__\":{strings}{comma}{rest}").into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    header
}

fn infos(sorted: &[&Tensor]) -> Result<Vec<(String, TensorInfo)>, Error> {
    let mut start = 0;
    let mut infos: Vec<(String, TensorInfo)> = Vec::new();
    for tensor in sorted {
        tensor.check()?;
        let values =
            floats(tensor).ok_or_else(|| Error::value(tensor.field(), "", "f32 values", "others"))?;
        if infos.last().is_some_and(|(name, _)| *name == tensor.name) {
            return Err(Error::shape(tensor.field(), "a name of its own", "two tensors"));
        }
        let end = start + 4 * values.len();
        let (dtype, shape) = (Dtype::F32, tensor.shape.clone());
        infos.push((tensor.name.clone(), TensorInfo { dtype, shape, data_offsets: (start, end) }));
        start = end;
    }
    Ok(infos)
}
