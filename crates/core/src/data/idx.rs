//! Reads IDX files of unsigned bytes, the format of MNIST.
//!
//! Two zero bytes, the type (8 = unsigned byte), the rank, the sides as big-endian 32-bit numbers, then the
//! values with the last axis running fastest. 00000803 begins images, 00000801 labels.

use super::Table;
use crate::Error;

const UNSIGNED_BYTE: u8 = 8;

/// Holds the content of an IDX file: `bytes.len()` is the product of `sides`, and no side is 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Idx {
    pub(super) sides: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

/// Reads a table: the first axis counts rows, all others together are the columns.
pub(super) fn table(field: &str, content: Vec<u8>) -> Result<Table, Error> {
    let Idx { sides, bytes } = parse(field, content)?;
    let columns = bytes.len() / sides[0];
    Table::from_small(field, sides[0], columns, bytes)
}

/// Takes an IDX file apart; nothing is reserved on the word of its header.
pub(super) fn parse(field: &str, mut content: Vec<u8>) -> Result<Idx, Error> {
    let sides = sides(field, &content)?;
    let (head, expected) = (4 + 4 * sides.len(), size(field, &sides)?);
    if content.len() - head != expected {
        let got = format!("{} bytes", content.len() - head);
        let place = format!("byte {head}");
        return Err(Error::format(
            field,
            place,
            format!("{expected} bytes, as its sides {sides:?} say"),
            got,
        ));
    }
    content.drain(..head);
    Ok(Idx { sides, bytes: content })
}

/// Refuses other sides than those that are known.
pub(super) fn check_sides(field: &str, expected: &[usize], got: &[usize]) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::shape(field, format!("sides {expected:?}"), format!("{got:?}")))
}

/// Reads the sides from the beginning of a file.
pub(super) fn sides(field: &str, content: &[u8]) -> Result<Vec<usize>, Error> {
    let rank = rank(field, content)?;
    let Some(sides) = content.get(4..4 + 4 * rank) else {
        let expected = format!("{rank} sides of 4 bytes each");
        return Err(Error::format(field, "byte 4", expected, format!("{} bytes", content.len() - 4)));
    };
    Ok(sides.as_chunks::<4>().0.iter().map(|&side| u32::from_be_bytes(side) as usize).collect())
}

fn rank(field: &str, content: &[u8]) -> Result<usize, Error> {
    match *content {
        [0, 0, UNSIGNED_BYTE, rank, ..] if rank > 0 => Ok(usize::from(rank)),
        [a, b, c, d, ..] => {
            let got = format!("{a:02x}{b:02x}{c:02x}{d:02x}");
            let expected = "the IDX magic of unsigned bytes, 000008 and a rank (00000803 for images)";
            Err(Error::format(field, "byte 0", expected, got))
        }
        _ => Err(Error::format(field, "byte 0", "the 4 bytes of an IDX magic", "the end of the file")),
    }
}

fn size(field: &str, sides: &[usize]) -> Result<usize, Error> {
    if sides.contains(&0) {
        return Err(Error::shape(field, "sides of 1 or more", format!("{sides:?}")));
    }
    let size = sides.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
    size.ok_or_else(|| Error::shape(field, "sides whose product can be counted", format!("{sides:?}")))
}

#[cfg(test)]
pub(super) fn write(sides: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, UNSIGNED_BYTE, sides.len() as u8];
    out.extend(sides.iter().flat_map(|side| side.to_be_bytes()));
    out.extend(bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_comes_back() {
        let bytes: Vec<u8> = (0..24).collect();
        for (sides, rows, columns) in
            [(&[24][..], 24, 1), (&[4, 6], 4, 6), (&[2, 3, 4], 2, 12), (&[1, 2, 3, 4], 1, 24)]
        {
            let table = table("f", write(sides, &bytes)).unwrap();
            assert_eq!(table, Table::from_small("f", rows, columns, bytes.clone()).unwrap());
        }
    }

    #[test]
    fn a_wrong_magic_is_shown() {
        for magic in [[0, 0, 8, 0], [0, 0, 13, 2], [1, 0, 8, 2], [0, 1, 8, 2], [3, 8, 0, 0]] {
            let mut content = write(&[2, 2], &[1; 4]);
            content[..4].copy_from_slice(&magic);
            let error = table("f", content).unwrap_err().to_string();
            assert!(error.starts_with("f at byte 0: expected the IDX magic"), "{error}");
        }
    }

    #[test]
    fn sides_that_do_not_fit_the_file_are_refused() {
        let whole = write(&[2, 3], &[1; 6]);
        for end in 0..whole.len() {
            assert!(table("f", whole[..end].to_vec()).is_err(), "cut at {end}");
        }
        assert!(table("f", [whole, vec![0]].concat()).is_err());
        for sides in [&[u32::MAX; 2][..], &[u32::MAX; 3], &[1 << 31, 2, 1 << 31, 2], &[1 << 16; 4]] {
            assert!(table("f", write(sides, &[1; 6])).is_err(), "{sides:?}");
        }
        for sides in [&[0, 3][..], &[2, 0], &[0]] {
            let error = table("f", write(sides, &[])).unwrap_err().to_string();
            assert!(error.contains("sides of 1 or more"), "{error}");
        }
    }
}
