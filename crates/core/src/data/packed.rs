//! Reads rows of packed bits, most significant bit first, as `numpy.packbits` writes them.

use std::fmt::Display;

use harmonium_kernels::BitMatrix;

use super::Table;
use crate::Error;

/// Reads `(rows, columns)` bytes as rows of `units` bits, `units.div_ceil(8)` bytes a row; the bits behind must be zero.
pub(super) fn table(
    field: &str,
    rows: usize,
    columns: usize,
    bytes: &[u8],
    units: usize,
) -> Result<Table, Error> {
    check_width(field, columns, units)?;
    let mut numbered = (0..).zip(bytes.chunks_exact(columns));
    numbered.try_for_each(|(row, bytes)| check_padding(field, row, bytes, units))?;
    let words = bytes.chunks_exact(columns).flat_map(words).collect();
    let bits = BitMatrix::from_words(rows, units, words)
        .ok_or_else(|| Error::shape(field, format!("{rows} rows of {columns} bytes"), bytes.len()))?;
    Table::from_bits(field, bits)
}

/// Refuses rows that are not as many bytes as `units` bits take.
pub(super) fn check_width(field: &str, columns: usize, units: usize) -> Result<(), Error> {
    if units != 0 && columns == units.div_ceil(8) {
        return Ok(());
    }
    let expected = format!("{} bytes a row for {units} packed bits", units.div_ceil(8));
    Err(Error::shape(field, expected, format!("{columns} bytes a row")))
}

/// Refuses a row with ones behind its last bit.
pub(super) fn check_padding(
    field: impl Display,
    row: usize,
    bytes: &[u8],
    units: usize,
) -> Result<(), Error> {
    let padding = ((1_u16 << (8 * bytes.len() - units)) - 1) as u8;
    if bytes[bytes.len() - 1] & padding == 0 {
        return Ok(());
    }
    let place = format!("row {row} (counted from 0)");
    Err(Error::value(field, place, format!("zeros behind bit {units}"), "ones"))
}

/// Turns a row of bytes, first unit highest, into words, first unit lowest.
pub(super) fn words(row: &[u8]) -> impl Iterator<Item = u64> + '_ {
    row.chunks(8).map(|part| {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(part).for_each(|(to, from)| *to = from.reverse_bits());
        u64::from_le_bytes(bytes)
    })
}

#[cfg(test)]
pub(super) fn pack(bits: &BitMatrix) -> Vec<u8> {
    let columns = bits.units().div_ceil(8);
    let mut out = vec![0; bits.rows() * columns];
    for row in 0..bits.rows() {
        bits.for_each_one(row, |unit| out[row * columns + unit / 8] |= 128 >> (unit % 8));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_unit_is_the_highest_bit() {
        let table = table("f", 1, 2, &[0b1000_0001, 0b0100_0000], 12).unwrap();
        let ones: Vec<usize> = (0..12).filter(|&unit| table.value(0, unit) == 1.0).collect();
        assert_eq!(ones, [0, 7, 9]);
    }

    #[test]
    fn packed_bits_come_back() {
        for units in [1, 7, 8, 9, 63, 64, 65, 784] {
            let bits = BitMatrix::from_fn(5, units, |r, u| (r * 13 + u * u * 5 + u) % 7 < 3);
            let table = table("f", 5, units.div_ceil(8), &pack(&bits), units).unwrap();
            assert_eq!(table, Table::from_bits("f", bits).unwrap());
        }
    }

    #[test]
    fn a_padding_bit_names_its_row() {
        let error = table("f", 3, 2, &[255, 0b1111_0000, 0, 0, 0, 0b0000_1000], 12).unwrap_err();
        assert_eq!(error.to_string(), "f at row 2 (counted from 0): expected zeros behind bit 12, got ones");
    }

    #[test]
    fn a_width_that_does_not_fit_is_refused() {
        for units in [0, 8, 17, 784, usize::MAX] {
            assert!(table("f", 1, 2, &[0, 0], units).is_err(), "{units}");
        }
    }
}
