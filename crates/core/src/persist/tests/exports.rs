//! Reads the exports back with the libraries of their formats.

use std::collections::BTreeMap;
use std::io::Cursor;

use ndarray::{Array1, Array2, ArrayD};
use ndarray_npy::NpzReader;
use safetensors::{Dtype, SafeTensors};

use super::*;
use crate::persist::{export_npz, export_safetensors};

fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

fn exported(tensors: &[Tensor], metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, Error> {
    let vfs = FaultVfs::default();
    export_safetensors(&vfs, Path::new(PATH), tensors, metadata).map(|()| vfs.get(PATH).unwrap())
}

#[test]
fn safetensors_hold_what_was_exported() {
    let tensors = [
        tensor("weights", &[2, 3], Values::F32(vec![1.0, -2.0, 3.0, 4.0, 5.0, -0.0])),
        tensor("hidden/bias", &[3], Values::F32(vec![0.5, 0.25, 1e-40])),
        tensor("scalar", &[], Values::F32(vec![7.0])),
    ];
    let metadata = strings(&[("shift", "12"), ("quote", "a \"b\"\n"), ("format", "pt"), ("a", "ü")]);
    let bytes = exported(&tensors, &metadata).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 3);
    for tensor in &tensors {
        let view = file.tensor(&tensor.name).unwrap();
        let Values::F32(values) = &tensor.values else { panic!("all are f32") };
        let expected: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!((view.dtype(), view.shape(), view.data()), (Dtype::F32, &*tensor.shape, &*expected));
    }
    let (length, header) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header.metadata().clone().unwrap().into_iter().collect::<BTreeMap<_, _>>(), metadata);
    assert_eq!(length % 8, 0);
    assert_eq!(exported(&tensors, &metadata).unwrap(), bytes);
}

#[test]
fn safetensors_without_tensors_or_strings_are_legal() {
    let bytes = exported(&[], &BTreeMap::new()).unwrap();
    assert!(SafeTensors::deserialize(&bytes).unwrap().is_empty());
}

#[test]
fn safetensors_take_finite_floats_of_different_names() {
    let bits = tensor("h", &[1, 1], Values::Bits(vec![1]));
    let w = tensor("w", &[1], Values::F32(vec![1.0]));
    let nan = tensor("w", &[1], Values::F32(vec![f32::NAN]));
    for bad in [vec![bits], vec![nan], vec![w.clone(), w]] {
        assert!(exported(&bad, &BTreeMap::new()).is_err(), "{bad:?}");
    }
}

#[test]
fn npz_holds_what_was_exported() {
    let vfs = FaultVfs::default();
    let tensors = tensors();
    export_npz(&vfs, Path::new(PATH), &tensors).unwrap();
    let mut archive = NpzReader::new(Cursor::new(vfs.get(PATH).unwrap())).unwrap();
    let weights: Array2<f32> = archive.by_name("layer-0/weights").unwrap();
    assert_eq!(Values::F32(weights.iter().copied().collect()), tensors[0].values);
    assert_eq!(weights.dim(), (30, 28));
    let chains: Array2<u8> = archive.by_name("chains").unwrap();
    assert_eq!(chains.dim(), (3, 70));
    let ones = |row: usize| chains.row(row).iter().map(|&bit| u32::from(bit)).sum::<u32>();
    assert_eq!((ones(0), ones(1), ones(2)), (70, 1, 2));
    assert_eq!((chains[(1, 64)], chains[(2, 63)], chains[(2, 69)]), (1, 1, 1));
    let counts: ArrayD<i64> = archive.by_name("counts").unwrap();
    assert_eq!((counts.shape(), counts[[1, 0, 1]]), (&[2, 1, 2][..], i64::MAX));
    assert!(archive.by_name::<ndarray::OwnedRepr<i64>, ndarray::Ix0>("scalar").is_ok());
    let twice = [tensors[4].clone(), tensors[4].clone()];
    assert!(export_npz(&vfs, Path::new("/run/twice.npz"), &twice).is_err());
    assert!(vfs.get("/run/twice.npz").is_none());
    let none: Result<Array1<f32>, _> = archive.by_name("absent");
    assert!(none.is_err());
}
