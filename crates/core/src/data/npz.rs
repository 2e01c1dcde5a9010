//! Reads one array out of a NumPy npz archive.
//!
//! The zip crate is used directly: ndarray-npy's reader reserves what an array's header asks for.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::file::read_bounded;
use super::{Table, npy};
use crate::Error;

/// The number of names that an error lists.
const LISTED: usize = 10;

type Archive = ZipArchive<Cursor<Vec<u8>>>;

/// Reads the array called `name`; without a name, the only array, or the only one with two axes or more.
pub(super) fn table(
    field: &str,
    content: Vec<u8>,
    name: Option<&str>,
    units: Option<usize>,
) -> Result<Table, Error> {
    let mut archive =
        ZipArchive::new(Cursor::new(content)).map_err(|e| broken(field, "the archive's directory", e))?;
    let index = match name {
        Some(name) => named(field, &archive, name)?,
        None => only(field, &mut archive)?,
    };
    let entry = archive.by_index(index).map_err(|e| broken(field, "an entry", e))?;
    let field = format!("{field}, array {}", stem(entry.name()));
    let bytes = read_bounded(entry, Vec::new()).map_err(|e| broken(&field, "its packed bytes", e))?;
    npy::table(&field, bytes, units)
}

fn named(field: &str, archive: &Archive, name: &str) -> Result<usize, Error> {
    let index = archive.index_for_name(name).or_else(|| archive.index_for_name(&format!("{name}.npy")));
    index.ok_or_else(|| {
        Error::option("array", format!("one of {}", names(archive)), format!("{name} ({field})"))
    })
}

fn only(field: &str, archive: &mut Archive) -> Result<usize, Error> {
    if archive.len() == 1 {
        return Ok(0);
    }
    let mut found = Vec::new();
    for index in 0..archive.len() {
        if rank(field, archive, index)? >= 2 {
            found.push(index);
        }
    }
    if let [index] = found[..] {
        return Ok(index);
    }
    let got = format!("{} of them among {}; name one", found.len(), names(archive));
    Err(Error::format(field, "the archive", "exactly one array with two axes or more", got))
}

/// Gives the rank of an array, of which no more than the header is unpacked; 0 for one that cannot be a table.
fn rank(field: &str, archive: &mut Archive, index: usize) -> Result<usize, Error> {
    let entry = archive.by_index(index).map_err(|e| broken(field, "an entry", e))?;
    let mut begin = Vec::new();
    entry
        .take(npy::HEADER_LIMIT as u64)
        .read_to_end(&mut begin)
        .map_err(|e| broken(field, "the beginning of an entry", e))?;
    // An array that cannot be read, say of names, does not stand in the way of the one that can.
    Ok(npy::head(field, &begin).map_or(0, |head| head.rank()))
}

fn names(archive: &Archive) -> String {
    let listed: Vec<&str> = archive.file_names().take(LISTED).map(stem).collect();
    let rest = if archive.len() > LISTED { " …" } else { "" };
    format!("[{}{rest}]", listed.join(", "))
}

fn stem(name: &str) -> &str {
    name.strip_suffix(".npy").unwrap_or(name)
}

fn broken(field: &str, place: &str, error: impl Into<ZipError>) -> Error {
    Error::format(field, place, "a whole, unencrypted zip archive", error.into())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, array};
    use ndarray_npy::{NpzWriter, WritableElement};

    use super::*;

    fn archive<A: WritableElement>(compressed: bool, matrices: &[(&str, Array2<A>)]) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        let mut npz = if compressed { NpzWriter::new_compressed(&mut out) } else { NpzWriter::new(&mut out) };
        npz.add_array("labels", &Array1::from(vec![1_u8, 2])).unwrap();
        for (name, matrix) in matrices {
            npz.add_array(*name, matrix).unwrap();
        }
        npz.finish().unwrap();
        out.into_inner()
    }

    #[test]
    fn the_only_matrix_is_found_and_others_are_named() {
        let (a, b) = (array![[1.0_f32, 2.0], [3.0, 4.0]], array![[5.0_f32], [6.0]]);
        for compressed in [false, true] {
            let one = archive(compressed, &[("x", a.clone())]);
            assert_eq!(table("f", one.clone(), None, None).unwrap().value(1, 0), 3.0);
            assert_eq!(table("f", one, Some("labels"), None).unwrap().columns(), 1);
            let two = archive(compressed, &[("x", a.clone()), ("y", b.clone())]);
            assert_eq!(table("f", two.clone(), Some("y"), None).unwrap().value(1, 0), 6.0);
            let error = table("f", two.clone(), None, None).unwrap_err().to_string();
            assert!(error.ends_with("2 of them among [labels, x, y]; name one"), "{error}");
            let error = table("f", two, Some("z"), None).unwrap_err().to_string();
            assert_eq!(error, "array: expected one of [labels, x, y], got z (f)");
        }
    }

    #[test]
    fn a_damaged_archive_is_refused_or_reads_the_same() {
        let matrix = array![[0.25_f64, 0.5, 0.75], [1.0, 0.0, 0.125]];
        let whole = archive(true, &[("x", matrix)]);
        let right = table("f", whole.clone(), Some("x"), None).unwrap();
        for end in 0..whole.len() {
            assert!(table("f", whole[..end].to_vec(), Some("x"), None).is_err(), "cut at {end}");
        }
        for bit in 0..whole.len() * 8 {
            let mut content = whole.clone();
            content[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = table("f", content, Some("x"), None) {
                assert_eq!(read, right, "bit {bit}");
            }
        }
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for content in [&b""[..], b"PK", b"PK\x05\x06", &[0x1f, 0x8b, 8, 0], b"%PDF-1.4"] {
            let error = table("f", content.to_vec(), None, None).unwrap_err().to_string();
            assert!(error.contains("zip archive"), "{error}");
        }
        let mut out = Cursor::new(Vec::new());
        NpzWriter::new(&mut out).finish().unwrap();
        assert!(table("f", out.into_inner(), None, None).is_err());
    }
}
