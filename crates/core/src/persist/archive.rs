//! Saves and loads a header and named tensors as one file.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::compose::{Payload, compose};
use super::container::Container;
use super::encode;
use super::layout::{Kind, MAX_SECTIONS, SectionKind};
use super::save::write_atomically;
use super::tensor::{Descriptor, Dtype, MAX_DESCRIPTOR, Tensor, Values, shown};
use super::vfs::Vfs;
use crate::error::Error;

/// What a file held.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded<H> {
    /// Whether it is a model or a checkpoint.
    pub kind: Kind,
    /// The metadata.
    pub header: H,
    /// The tensors, in the order in which they were saved.
    pub tensors: Vec<Tensor>,
}

// ---- Saving ----

/// Saves a header and tensors: afterwards `path` is the old file or the new one, never a part.
///
/// `H` takes at most 65,536 bytes when encoded, is not recursive, and holds no sequence of values without
/// bytes of their own (such as `Vec<()>`).
///
/// # Errors
/// `Shape` or `Value` for tensors that could not be loaded again (see [`Tensor`]), `Io` when writing fails;
/// the file at `path` is then as it was.
pub fn save<H: Serialize>(
    vfs: &dyn Vfs,
    path: &Path,
    kind: Kind,
    header: &H,
    tensors: &[Tensor],
) -> Result<(), Error> {
    check(tensors)?;
    let header = encode::encode(header)
        .map_err(|got| Error::value("header", "", format!("at most {} encoded bytes", encode::LIMIT), got))?;
    let parts = tensors.iter().map(TensorPart::new).collect::<Result<Vec<_>, _>>()?;
    let header = HeaderPart(header);
    let payloads: Vec<&dyn Payload> = std::iter::once(&header as &dyn Payload)
        .chain(parts.iter().map(|part| part as &dyn Payload))
        .collect();
    write_atomically(vfs, path, |out| compose(kind, &payloads, out))
}

fn check(tensors: &[Tensor]) -> Result<(), Error> {
    if tensors.len() >= MAX_SECTIONS {
        return Err(Error::shape("tensors", format!("at most {}", MAX_SECTIONS - 1), tensors.len()));
    }
    let mut names = BTreeSet::new();
    for tensor in tensors {
        tensor.check()?;
        if !names.insert(&tensor.name) {
            return Err(Error::shape("tensors", "different names", format!("{} twice", shown(&tensor.name))));
        }
    }
    Ok(())
}

struct HeaderPart(Vec<u8>);

struct TensorPart<'a> {
    descriptor: Vec<u8>,
    values: &'a Values,
}

impl<'a> TensorPart<'a> {
    fn new(tensor: &'a Tensor) -> Result<Self, Error> {
        let descriptor = encode::encode(&tensor.descriptor()?)
            .map_err(|got| Error::value(tensor.field(), "", "a descriptor that can be encoded", got))?;
        Ok(Self { descriptor, values: &tensor.values })
    }
}

impl Payload for HeaderPart {
    fn kind(&self) -> SectionKind {
        SectionKind::Header
    }

    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.0)
    }
}

impl Payload for TensorPart<'_> {
    fn kind(&self) -> SectionKind {
        SectionKind::Tensor
    }

    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.descriptor)?;
        self.values.write_to(out)
    }
}

// ---- Loading ----

/// Loads what [`save`] wrote, and refuses everything else; `kind` says what it must be, if it must.
///
/// Takes at most twice the size of the file, and 16 MiB, of memory. What the numbers mean (which tensors there
/// must be, of which shapes) is for the caller to check.
///
/// # Errors
/// `Io` when reading fails or `path` is no regular file; `Format`, with the section and the byte, for a file
/// that is damaged, of another version or kind, or not one of ours.
pub fn load<H: DeserializeOwned>(vfs: &dyn Vfs, path: &Path, kind: Option<Kind>) -> Result<Loaded<H>, Error> {
    let mut container = Container::open(vfs, path)?;
    check_kind(&container, kind)?;
    let header = read_header(&mut container)?;
    let plans = plan(&mut container)?;
    let tensors = plans.into_iter().map(|plan| read_tensor(&mut container, plan));
    let tensors = tensors.collect::<Result<_, _>>()?;
    Ok(Loaded { kind: container.kind(), header, tensors })
}

/// A tensor that was found right as far as can be told without reading its numbers.
struct Plan {
    index: usize,
    name: String,
    shape: Vec<usize>,
    dtype: Dtype,
    skip: usize,
}

fn check_kind(container: &Container, kind: Option<Kind>) -> Result<(), Error> {
    match kind {
        Some(expected) if expected != container.kind() => {
            let field = format!("{}: head", container.path().display());
            Err(Error::format(field, "byte 10", expected.name(), container.kind().name()))
        }
        _ => Ok(()),
    }
}

fn read_header<H: DeserializeOwned>(container: &mut Container) -> Result<H, Error> {
    let mut buffer = vec![0; encode::LIMIT];
    let length = container.read_start(0, &mut buffer)?;
    let bytes = &buffer[..length];
    let (header, used) = encode::decode(bytes).map_err(|got| {
        let got = model_of(bytes).map_or(got, |model| format!("that of a model {model:?}"));
        container.refuse(0, 0, "a header of this program, of the kind of model asked for", got)
    })?;
    if used == length {
        return Ok(header);
    }
    let got = model_of(bytes).map_or(used.to_string(), |model| format!("{used}, of a model {model:?}"));
    Err(container.refuse(0, used as u64, format!("a header of {length} bytes"), got))
}

/// Reads the kind of model, with which headers begin, from a header that does not fit.
fn model_of(header: &[u8]) -> Option<String> {
    let ((model,), _) = encode::decode::<(String,)>(header).ok()?;
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    (!model.is_empty() && model.len() <= 32 && model.chars().all(plain)).then_some(model)
}

fn plan(container: &mut Container) -> Result<Vec<Plan>, Error> {
    let mut names = BTreeSet::new();
    let mut plans = Vec::new();
    for index in 1..container.sections() {
        let plan = plan_one(container, index)?;
        if !names.insert(plan.name.clone()) {
            return Err(container.refuse(index, 0, "a name of its own", format!("{} again", plan.name)));
        }
        plans.push(plan);
    }
    Ok(plans)
}

fn plan_one(container: &mut Container, index: usize) -> Result<Plan, Error> {
    let mut start = [0; MAX_DESCRIPTOR];
    let read = container.read_start(index, &mut start)?;
    let (descriptor, skip) = encode::decode::<Descriptor>(&start[..read])
        .map_err(|got| container.refuse(index, 0, "the descriptor of a tensor", got))?;
    let length = container.section(index).length - skip as u64;
    descriptor.check(length).map_err(|(expected, got)| container.refuse(index, 0, expected, got))?;
    let (name, shape) = (descriptor.name.to_owned(), descriptor.shape());
    Ok(Plan { index, name, shape, dtype: descriptor.dtype, skip })
}

fn read_tensor(container: &mut Container, plan: Plan) -> Result<Tensor, Error> {
    let Plan { index, name, shape, dtype, skip } = plan;
    let bytes = container.section(index).length - skip as u64;
    let length = usize::try_from(bytes / dtype.size()).unwrap_or(usize::MAX);
    let mut values =
        Values::with_capacity(dtype, length).map_err(|e| Error::io("allocate", container.path(), e))?;
    container.read_values(index, skip, |bytes| values.extend_from_bytes(bytes))?;
    if let Some((at, expected, got)) = values.first_wrong(&shape) {
        let byte = skip as u64 + at as u64 * dtype.size();
        let got = format!("{got} at index {at} of tensor {name}");
        return Err(container.refuse(index, byte, expected, got));
    }
    Ok(Tensor { name, shape, values })
}
