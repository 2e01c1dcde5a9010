//! Names, shapes and checks the arrays that a file holds, and turns them into bytes and back.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The most dimensions of a tensor.
pub const MAX_RANK: usize = 4;
/// The largest dimension.
pub const MAX_DIM: u64 = 1 << 31;
/// The longest name, in bytes.
pub const MAX_NAME: usize = 128;

/// An array with a name.
///
/// The name is a path of lower-case words such as `layer-0/weights`: letters, digits, `_`, `.`, `-` between
/// slashes, 128 bytes at most, no part of it empty, `.` or `..`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// What the array is called; no two in a file are called the same.
    pub name: String,
    /// The dimensions, at most four, each 1 to 2³¹; empty for a single number.
    pub shape: Vec<usize>,
    /// The numbers, in C order.
    pub values: Values,
}

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Finite real numbers, one for each place of the shape.
    F32(Vec<f32>),
    /// Integers, one for each place of the shape.
    I64(Vec<i64>),
    /// Binary states. The last dimension counts bits and is packed: bit `j` of a row is bit `j % 64` of its
    /// word `j / 64`, and the bits behind the last are zero.
    Bits(Vec<u64>),
}

/// What the numbers are, as the file tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Dtype {
    F32,
    I64,
    Bits,
}

/// The metadata in front of the numbers; dimensions beyond the rank are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Descriptor<'a> {
    #[serde(borrow)]
    pub(super) name: &'a str,
    pub(super) dtype: Dtype,
    pub(super) rank: u8,
    pub(super) dims: [u64; MAX_RANK],
}

/// No descriptor takes more: length and bytes of the name, dtype, rank, dimensions.
pub(super) const MAX_DESCRIPTOR: usize = 8 + MAX_NAME + 4 + 1 + 8 * MAX_RANK;

/// What is wrong with a descriptor or with values: what was expected and what was got.
pub(super) type Wrong = (String, String);

impl Tensor {
    /// Checks name, shape, number of values and the values themselves.
    ///
    /// # Errors
    /// `Shape` or `Value`, with the name of the tensor.
    pub fn check(&self) -> Result<(), Error> {
        let length = self.values.length() as u64 * self.values.dtype().size();
        let checked = self.descriptor()?.check(length);
        checked.map_err(|(expected, got)| Error::shape(self.field(), expected, got))?;
        let Some((index, expected, got)) = self.values.first_wrong(&self.shape) else { return Ok(()) };
        Err(Error::value(self.field(), format!("index {index}"), expected, got))
    }

    /// Gives the descriptor, which only a rank beyond [`MAX_RANK`] prevents.
    pub(super) fn descriptor(&self) -> Result<Descriptor<'_>, Error> {
        let rank = self.shape.len();
        if rank > MAX_RANK {
            return Err(Error::shape(self.field(), rank_rule(), rank));
        }
        let mut dims = [0; MAX_RANK];
        for (to, from) in dims.iter_mut().zip(&self.shape) {
            *to = *from as u64;
        }
        Ok(Descriptor { name: &self.name, dtype: self.values.dtype(), rank: rank as u8, dims })
    }

    /// Names the tensor in an error.
    pub(super) fn field(&self) -> String {
        format!("tensor {}", shown(&self.name))
    }
}

impl Descriptor<'_> {
    /// Checks everything that can be known before the numbers are read; `length` is their size in bytes.
    pub(super) fn check(&self, length: u64) -> Result<(), Wrong> {
        check_name(self.name)?;
        let rank = usize::from(self.rank);
        if rank > MAX_RANK {
            return Err((rank_rule(), rank.to_string()));
        }
        let (used, unused) = self.dims.split_at(rank);
        if used.iter().any(|dim| !(1..=MAX_DIM).contains(dim)) || unused.iter().any(|dim| *dim != 0) {
            return Err(("dimensions from 1 to 2147483648".into(), format!("{:?}", self.dims)));
        }
        match self.bytes() {
            Some(bytes) if bytes == length => Ok(()),
            Some(bytes) => Err((format!("{bytes} bytes of values for shape {used:?}"), length.to_string())),
            None => Err(("fewer than 2⁶⁴ bytes of values".into(), format!("shape {used:?}"))),
        }
    }

    /// Gives the shape of a descriptor that was checked.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.dims.iter().take(self.rank.into()).map(|&dim| dim as usize).collect()
    }

    fn bytes(&self) -> Option<u64> {
        let used = &self.dims[..usize::from(self.rank)];
        let mut product = 1_u64;
        for (axis, &dim) in used.iter().enumerate() {
            let packed = self.dtype == Dtype::Bits && axis + 1 == used.len();
            product = product.checked_mul(if packed { dim.div_ceil(64) } else { dim })?;
        }
        product.checked_mul(self.dtype.size())
    }
}

impl Dtype {
    /// Gives the bytes of one stored number.
    pub(super) fn size(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::I64 | Self::Bits => 8,
        }
    }
}

impl Values {
    /// Gives the number of stored numbers: for bits, of words.
    pub fn length(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Bits(words) => words.len(),
        }
    }

    pub(super) fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::I64(_) => Dtype::I64,
            Self::Bits(_) => Dtype::Bits,
        }
    }

    /// Makes room for `length` numbers; fails instead of aborting where there is none.
    pub(super) fn with_capacity(dtype: Dtype, length: usize) -> io::Result<Self> {
        Ok(match dtype {
            Dtype::F32 => Self::F32(reserved(length)?),
            Dtype::I64 => Self::I64(reserved(length)?),
            Dtype::Bits => Self::Bits(reserved(length)?),
        })
    }

    /// Appends numbers from whole little-endian bytes.
    pub(super) fn extend_from_bytes(&mut self, bytes: &[u8]) {
        match self {
            Self::F32(values) => values.extend(numbers(bytes).map(f32::from_le_bytes)),
            Self::I64(values) => values.extend(numbers(bytes).map(i64::from_le_bytes)),
            Self::Bits(words) => words.extend(numbers(bytes).map(u64::from_le_bytes)),
        }
    }

    /// Writes the numbers as little-endian bytes.
    pub(super) fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::F32(values) => write_numbers(out, values, f32::to_le_bytes),
            Self::I64(values) => write_numbers(out, values, i64::to_le_bytes),
            Self::Bits(words) => write_numbers(out, words, u64::to_le_bytes),
        }
    }

    /// Finds the first number that may not be there: its index, what was expected, what was got.
    pub(super) fn first_wrong(&self, shape: &[usize]) -> Option<(usize, &'static str, String)> {
        match self {
            Self::F32(values) => {
                let index = values.iter().position(|value| !value.is_finite())?;
                Some((index, "a finite number", values[index].to_string()))
            }
            Self::I64(_) => None,
            Self::Bits(words) => {
                let index = first_unpadded(words, shape.last().copied().unwrap_or(1))?;
                Some((index, "zero bits behind the last", format!("{:#x}", words[index])))
            }
        }
    }
}

/// Checks a name against the alphabet and the rules for paths.
pub(super) fn check_name(name: &str) -> Result<(), Wrong> {
    let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'/' | b'-');
    let rule = "a name of 1 to 128 bytes of a-z, 0-9, _ . / and -";
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(known) {
        return Err((rule.into(), shown(name)));
    }
    // An archive may be unpacked by other programs, and `../` must not lead them out of a folder.
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(("a name without empty, . or .. parts".into(), shown(name)));
    }
    Ok(())
}

/// Shows a name that may hold anything: escaped, and cut after 32 characters.
pub(super) fn shown(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars().take(32) {
        // Writing into a string cannot fail.
        let _ = write!(out, "{}", character.escape_default());
    }
    if name.chars().nth(32).is_some() {
        out.push('…');
    }
    format!("\"{out}\"")
}

fn rank_rule() -> String {
    format!("at most {MAX_RANK} dimensions")
}

fn first_unpadded(words: &[u64], bits: usize) -> Option<usize> {
    let stride = bits.div_ceil(64).max(1);
    let used = bits % 64;
    let last = |index: usize| index % stride == stride - 1;
    (used != 0).then(|| words.iter().enumerate().position(|(i, word)| last(i) && word >> used != 0)).flatten()
}

fn reserved<T>(length: usize) -> io::Result<Vec<T>> {
    let mut values = Vec::new();
    values.try_reserve_exact(length).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    Ok(values)
}

fn numbers<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// Writes numbers through a fixed buffer.
pub(super) fn write_numbers<T: Copy, const N: usize>(
    out: &mut dyn Write,
    values: &[T],
    to_bytes: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    let mut buffer = [0; 8192];
    for chunk in values.chunks(buffer.len() / N) {
        for (bytes, value) in buffer.as_chunks_mut::<N>().0.iter_mut().zip(chunk) {
            *bytes = to_bytes(*value);
        }
        out.write_all(&buffer[..N * chunk.len()])?;
    }
    Ok(())
}
