//! Reads NumPy's npy files, versions 1 to 3, as tables.
//!
//! ndarray-npy reads the header. The values are decoded here, since its readers reserve what the header asks
//! for before they look whether the file holds it.

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::npy::header::Header;

use super::table::check_sides;
use super::{Table, packed};
use crate::Error;

/// The longest header read. NumPy stops at 10,000 bytes, too.
pub(super) const HEADER_LIMIT: usize = 10_012;

/// Brackets in a header: one dict, one tuple, and some room. Its parser recurses, so their number is bounded.
const BRACKETS_LIMIT: usize = 8;

/// The most axes of an array, as in NumPy.
const RANK_LIMIT: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    U8,
    Bool,
    F32,
    F64,
    I32,
    I64,
}

/// The types that are read: descriptor, kind, and whether the most significant byte comes first.
const TYPES: [(&str, Kind, bool); 10] = [
    ("|u1", Kind::U8, false),
    ("|b1", Kind::Bool, false),
    ("<f4", Kind::F32, false),
    (">f4", Kind::F32, true),
    ("<f8", Kind::F64, false),
    (">f8", Kind::F64, true),
    ("<i4", Kind::I32, false),
    (">i4", Kind::I32, true),
    ("<i8", Kind::I64, false),
    (">i8", Kind::I64, true),
];

/// Describes an npy file by its header.
#[derive(Debug)]
pub(super) struct Head {
    descr: &'static str,
    kind: Kind,
    big_endian: bool,
    fortran: bool,
    shape: Vec<usize>,
    /// Bytes in front of the values.
    length: usize,
}

impl Head {
    /// Gives the number of axes.
    pub(super) fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Gives rows and columns: the first axis counts rows, all others together are the columns.
    fn sides(&self) -> (usize, usize) {
        (self.shape[0], self.shape[1..].iter().product())
    }

    fn item(&self) -> usize {
        match self.kind {
            Kind::U8 | Kind::Bool => 1,
            Kind::F32 | Kind::I32 => 4,
            Kind::F64 | Kind::I64 => 8,
        }
    }
}

/// Reads a table; `units` says that each row is that many bits, packed.
///
/// Booleans become bits, and so do unsigned bytes that are all 0 or 1; other unsigned bytes are grey values, b / 255.
/// The other types become the nearest 32-bit reals.
pub(super) fn table(field: &str, mut content: Vec<u8>, units: Option<usize>) -> Result<Table, Error> {
    let head = head(field, &content)?;
    check_length(field, &head, content.len() - head.length)?;
    content.drain(..head.length);
    let big = head.big_endian;
    match (head.kind, units) {
        (Kind::U8, Some(units)) => {
            let (rows, columns) = head.sides();
            packed::table(field, rows, columns, &c_order(field, &head, content)?, units)
        }
        (_, Some(_)) => Err(Error::format(field, "dtype", "|u1, as packed bits are", head.descr)),
        (Kind::U8 | Kind::Bool, None) => small(field, &head, content),
        (Kind::F32, None) => reals(field, &head, decode(&content, big, f32::from_le_bytes)),
        (Kind::F64, None) => reals(field, &head, decode(&content, big, |v| f64::from_le_bytes(v) as f32)),
        (Kind::I32, None) => reals(field, &head, decode(&content, big, |v| i32::from_le_bytes(v) as f32)),
        (Kind::I64, None) => reals(field, &head, decode(&content, big, |v| i64::from_le_bytes(v) as f32)),
    }
}

/// Reads the header of a file of packed bits from its beginning: the number of rows, and the bytes in front of them.
/// `length` is that of the whole file.
pub(super) fn packed_head(
    field: &str,
    begin: &[u8],
    length: u64,
    units: usize,
) -> Result<(usize, usize), Error> {
    let head = head(field, begin)?;
    if head.kind != Kind::U8 || head.fortran {
        let got = format!("{}{}", head.descr, if head.fortran { " in Fortran order" } else { "" });
        return Err(Error::format(field, "dtype", "|u1 in C order, as packed bits are", got));
    }
    check_length(field, &head, usize::try_from(length).unwrap_or(usize::MAX) - head.length)?;
    let (rows, columns) = head.sides();
    check_sides(field, rows, columns)?;
    packed::check_width(field, columns, units)?;
    Ok((rows, head.length))
}

/// Reads the header at the beginning of `content`, which may end behind it.
pub(super) fn head(field: &str, content: &[u8]) -> Result<Head, Error> {
    let (text, length) = head_bytes(field, content)?;
    if text.iter().filter(|byte| b"([{".contains(byte)).count() > BRACKETS_LIMIT {
        return Err(Error::format(field, "npy header", "one plain dtype and a shape", "nested brackets"));
    }
    let header = Header::from_reader(&mut &content[..length])
        .map_err(|e| Error::format(field, "npy header", "a dict of descr, fortran_order and shape", e))?;
    check_shape(field, &header.shape)?;
    let descr = header.type_descriptor.as_string().map_or("a structured dtype", String::as_str);
    let Some((descr, kind, big_endian)) = TYPES.into_iter().find(|(name, ..)| *name == descr) else {
        let expected = "u1, b1, f4, f8, i4 or i8 (objects are never read)";
        return Err(Error::format(field, "dtype", expected, descr));
    };
    Ok(Head { descr, kind, big_endian, fortran: header.layout.is_fortran(), shape: header.shape, length })
}

/// Finds where the header's text lies, and where it ends.
fn head_bytes<'a>(field: &str, content: &'a [u8]) -> Result<(&'a [u8], usize), Error> {
    let (begin, text) = match *content {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, 0, a, b, ..] => (10, usize::from(u16::from_le_bytes([a, b]))),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, 0, a, b, c, d, ..] => {
            (12, u32::from_le_bytes([a, b, c, d]) as usize)
        }
        _ => return Err(Error::format(field, "byte 0", "the npy magic, version 1, 2 or 3", "other bytes")),
    };
    if text > HEADER_LIMIT - begin || text > content.len() - begin {
        let expected = format!("a header within the file and {HEADER_LIMIT} bytes");
        return Err(Error::format(field, "byte 8", expected, format!("{text} bytes")));
    }
    Ok((&content[begin..begin + text], begin + text))
}

fn check_shape(field: &str, shape: &[usize]) -> Result<(), Error> {
    if shape.is_empty() || shape.len() > RANK_LIMIT {
        return Err(Error::shape(field, format!("1 to {RANK_LIMIT} axes"), format!("{} axes", shape.len())));
    }
    if shape.contains(&0) {
        return Err(Error::shape(field, "one row and one column at least", format!("shape {shape:?}")));
    }
    Ok(())
}

/// Compares what the header asks for with what there is, before anything is reserved.
fn check_length(field: &str, head: &Head, got: usize) -> Result<(), Error> {
    let expected = head.shape.iter().try_fold(head.item(), |product, &side| product.checked_mul(side));
    if expected == Some(got) {
        return Ok(());
    }
    let expected = format!("the values of shape {:?}, {} bytes each", head.shape, head.item());
    Err(Error::format(field, format!("byte {}", head.length), expected, format!("{got} bytes")))
}

fn small(field: &str, head: &Head, content: Vec<u8>) -> Result<Table, Error> {
    let (rows, columns) = head.sides();
    let bytes = c_order(field, head, content)?;
    let first_grey = bytes.iter().position(|&byte| byte > 1);
    if let (Kind::Bool, Some(index)) = (head.kind, first_grey) {
        let place = super::table::place(index / columns, index % columns);
        return Err(Error::value(field, place, "a boolean, 0 or 1", bytes[index]));
    }
    Table::from_small(field, rows, columns, bytes)
}

fn reals(field: &str, head: &Head, values: Vec<f32>) -> Result<Table, Error> {
    let (rows, columns) = head.sides();
    Table::from_reals(field, rows, columns, c_order(field, head, values)?)
}

fn decode<const N: usize>(content: &[u8], big_endian: bool, real: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let in_order = |mut bytes: [u8; N]| {
        if big_endian {
            bytes.reverse();
        }
        bytes
    };
    content.as_chunks::<N>().0.iter().map(|&bytes| real(in_order(bytes))).collect()
}

/// Puts values in Fortran order (first axis fastest) into C order (last axis fastest).
fn c_order<T: Copy>(field: &str, head: &Head, values: Vec<T>) -> Result<Vec<T>, Error> {
    if !head.fortran {
        return Ok(values);
    }
    let array = ArrayD::from_shape_vec(IxDyn(&head.shape).f(), values)
        .map_err(|e| Error::shape(field, format!("values of shape {:?}", head.shape), e))?;
    Ok(array.iter().copied().collect())
}

#[cfg(test)]
#[path = "npy_tests.rs"]
mod tests;
