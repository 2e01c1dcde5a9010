//! Tests the reading of npy files: every type and order, and headers that lie.

use ndarray::{Array, Array1, Array2, Array3, ArrayD, Dimension, array};
use ndarray_npy::{WritableElement, WriteNpyExt};

use super::super::Values;
use super::*;

fn write<A: WritableElement, D: Dimension>(array: &Array<A, D>) -> Vec<u8> {
    let mut out = Vec::new();
    array.write_npy(&mut out).unwrap();
    out
}

/// Writes a version 1 file with any header and any values.
fn forge(head: &str, values: &[u8]) -> Vec<u8> {
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend(((head.len() + 1) as u16).to_le_bytes());
    out.extend(head.bytes().chain([b'\n']));
    out.extend(values);
    out
}

fn dict(descr: &str, fortran: bool, shape: &str) -> String {
    let order = if fortran { "True" } else { "False" };
    format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}")
}

fn read(content: &[u8]) -> Result<Table, Error> {
    table("f", content.to_vec(), None)
}

fn all(table: &Table) -> Vec<f32> {
    (0..table.rows()).flat_map(|row| (0..table.columns()).map(move |c| table.value(row, c))).collect()
}

#[test]
fn every_type_comes_back() {
    let wanted = [0.0, 3.0, 2.0, 1.0, 7.0, 5.0];
    let ints = array![[0_i32, 3, 2], [1, 7, 5]];
    for content in [
        write(&ints),
        write(&ints.mapv(i64::from)),
        write(&ints.mapv(|v| v as f32)),
        write(&ints.mapv(f64::from)),
    ] {
        let table = read(&content).unwrap();
        assert_eq!((table.rows(), table.columns(), all(&table)), (2, 3, wanted.to_vec()));
    }
    assert_eq!(all(&read(&write(&array![[true, false], [false, true]])).unwrap()), [1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn bytes_are_bits_when_all_are_0_or_1_and_grey_otherwise() {
    let bits = read(&write(&array![[0_u8, 1], [1, 1]])).unwrap();
    assert!(matches!(bits.values(), Values::Bits(_)));
    assert_eq!(all(&bits), [0.0, 1.0, 1.0, 1.0]);
    let grey = read(&write(&array![[0_u8, 51], [1, 255]])).unwrap();
    assert!(matches!(grey.values(), Values::Bytes(_)));
    assert_eq!(all(&grey), [0.0, 0.2, 1.0 / 255.0, 1.0]);
}

#[test]
fn every_order_rank_and_endianness_comes_back() {
    let wanted: Vec<f32> = (0..24_u8).map(f32::from).collect();
    let cube = Array3::from_shape_vec((2, 3, 4), wanted.clone()).unwrap();
    let mut fortran = Array3::zeros((2, 3, 4).f());
    fortran.assign(&cube);
    for content in [write(&cube), write(&fortran)] {
        let table = read(&content).unwrap();
        assert_eq!((table.rows(), table.columns(), all(&table)), (2, 12, wanted.clone()));
    }
    let flat = read(&write(&Array1::from(wanted.clone()))).unwrap();
    assert_eq!((flat.rows(), flat.columns()), (24, 1));
    let big: Vec<u8> = wanted.iter().flat_map(|v| v.to_be_bytes()).collect();
    assert_eq!(all(&read(&forge(&dict(">f4", false, "(24, 1)"), &big)).unwrap()), wanted);
}

#[test]
fn version_2_is_read_like_version_1() {
    let head = dict("|b1", false, "(1, 3)");
    let mut content = b"\x93NUMPY\x02\x00".to_vec();
    content.extend((head.len() as u32 + 1).to_le_bytes());
    content.extend(head.bytes().chain([b'\n', 1, 0, 1]));
    assert_eq!(all(&read(&content).unwrap()), [1.0, 0.0, 1.0]);
    content[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(read(&content).unwrap_err().to_string().contains("a header within the file"));
}

#[test]
fn fortran_order_holds_for_packed_bits() {
    let packed = array![[0b1000_0000_u8, 0b0100_0000], [0b0000_0001, 0b1000_0000]];
    let mut fortran = Array2::zeros((2, 2).f());
    fortran.assign(&packed);
    let right = table("f", write(&packed), Some(10)).unwrap();
    assert_eq!(right, table("f", write(&fortran), Some(10)).unwrap());
    assert_eq!((right.value(0, 9), right.value(1, 7)), (1.0, 1.0));
    assert!(table("f", write(&array![[1.0_f32]]), Some(8)).unwrap_err().to_string().contains("|u1"));
}

#[test]
fn other_types_are_refused() {
    for descr in ["|O", "<U8", "<c16", "<f2", "<u4", "|S1", "<M8[ns]", ""] {
        let error = read(&forge(&dict(descr, false, "(1, 1)"), &[0; 8])).unwrap_err().to_string();
        assert!(error.starts_with("f at dtype: expected u1, b1"), "{error}");
    }
    let structured = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }";
    assert!(read(&forge(structured, &[0; 4])).unwrap_err().to_string().contains("a structured dtype"));
}

#[test]
fn a_shape_that_lies_is_refused_before_memory_is_reserved() {
    for shape in [
        "(2, 3)",
        "(1000000000000, 1000000)",
        "(4611686018427387904, 4)",
        "(9223372036854775808, 2)",
        "(18446744073709551615,)",
        "(18446744073709551616,)",
        "(-1, 4)",
        "(0, 4)",
        "(4, 0)",
        "()",
        "4",
    ] {
        for descr in ["<f4", "|u1", "|b1", "<i8"] {
            assert!(read(&forge(&dict(descr, false, shape), &[0; 4])).is_err(), "{descr} {shape}");
        }
    }
}

#[test]
fn a_value_that_is_not_finite_names_its_place() {
    let error = read(&write(&array![[0.0_f64, 1.0], [2.0, f64::NAN]])).unwrap_err().to_string();
    assert!(error.starts_with("f at row 1, column 1 (counted from 0)"), "{error}");
    assert!(read(&write(&array![[1e300_f64]])).is_err());
    let error = read(&forge(&dict("|b1", false, "(2, 2)"), &[0, 1, 2, 0])).unwrap_err().to_string();
    assert_eq!(error, "f at row 1, column 0 (counted from 0): expected a boolean, 0 or 1, got 2");
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    let deep = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {}", "(".repeat(9000));
    assert!(read(&forge(&deep, &[0; 4])).unwrap_err().to_string().contains("nested brackets"));
}

#[test]
fn every_cut_is_refused_and_no_flipped_bit_panics() {
    let whole = write(&array![[0.25_f32, 0.5], [0.75, 1.0]]);
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "cut at {end}");
    }
    assert!(read(&[whole.clone(), vec![0]].concat()).is_err());
    for bit in 0..whole.len() * 8 {
        let mut content = whole.clone();
        content[bit / 8] ^= 1 << (bit % 8);
        if let Ok(table) = read(&content) {
            assert_eq!(table.rows() * table.columns() * 4, 16, "bit {bit}");
        }
    }
}

#[test]
fn many_axes_are_refused() {
    let many = ArrayD::<u8>::zeros(vec![1; 65]);
    assert!(read(&write(&many)).unwrap_err().to_string().contains("axes"));
}
