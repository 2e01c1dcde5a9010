//! Saves and loads what is legal, to the bit, and refuses to save what could not be loaded.

use super::*;
use crate::ErrorKind;

#[test]
fn everything_comes_back_to_the_bit() {
    let loaded = read(&sample()).unwrap();
    assert_eq!(loaded, Loaded { kind: Kind::Model, header: header(), tensors: tensors() });
    let Values::F32(edges) = &loaded.tensors[1].values else { panic!("edges are f32") };
    assert_eq!(edges[1].to_bits(), (-0.0_f32).to_bits(), "equality of floats does not see the sign of zero");
}

#[test]
fn equal_content_gives_equal_bytes() {
    assert_eq!(sample(), sample());
    // The tests of damage promise a file of 4 KiB.
    assert!((3_900..4_300).contains(&sample().len()), "{} bytes", sample().len());
}

#[test]
fn version_1_stays_as_it_is() {
    // Old files open for ever: a change of this digest needs a new version, beside which 1 is still read.
    assert_eq!(
        blake3::hash(&sample()).to_hex().as_str(),
        "721872db6878daaabff77da45db49df3b73854ce02f7f501b90232e571371134"
    );
}

#[test]
fn the_smallest_and_the_fullest_file_are_legal() {
    let vfs = FaultVfs::default();
    let path = Path::new(PATH);
    save(&vfs, path, Kind::Checkpoint, &(), &[]).unwrap();
    assert!(load::<()>(&vfs, path, Some(Kind::Checkpoint)).unwrap().tensors.is_empty());
    let many: Vec<Tensor> =
        (0..1023_u16).map(|i| tensor(&format!("t{i}"), &[1], Values::F32(vec![f32::from(i)]))).collect();
    save(&vfs, path, Kind::Model, &(), &many).unwrap();
    assert_eq!(load::<()>(&vfs, path, None).unwrap().tensors, many);
    let more: Vec<Tensor> = (0..1024).map(|i| tensor(&format!("t{i}"), &[1], Values::I64(vec![i]))).collect();
    assert!(save(&vfs, path, Kind::Model, &(), &more).is_err());
}

#[test]
fn values_longer_than_the_buffer_come_back() {
    // 100,003 numbers: several chunks, none of which ends at the end of the tensor.
    let values: Vec<f32> = (0..100_003_u32).map(|i| i as f32).collect();
    let tensors = [tensor("long", &[100_003], Values::F32(values))];
    let vfs = FaultVfs::default();
    save(&vfs, Path::new(PATH), Kind::Model, &1_u8, &tensors).unwrap();
    assert_eq!(load::<u8>(&vfs, Path::new(PATH), None).unwrap().tensors, tensors);
}

#[test]
fn a_kind_that_was_not_asked_for_is_refused() {
    let vfs = FaultVfs::default();
    vfs.put(PATH, &sample());
    let error = load::<Header>(&vfs, Path::new(PATH), Some(Kind::Checkpoint)).unwrap_err().to_string();
    assert_eq!(error, "/run/model.hmn: head at byte 10: expected a checkpoint, got a model");
}

#[test]
fn another_header_type_is_refused() {
    let vfs = FaultVfs::default();
    vfs.put(PATH, &sample());
    for error in [
        load::<(Header, u8)>(&vfs, Path::new(PATH), None).unwrap_err(),
        load::<String>(&vfs, Path::new(PATH), None).unwrap_err(),
        load::<()>(&vfs, Path::new(PATH), None).unwrap_err(),
    ] {
        assert!(error.to_string().contains("model.hmn: header at byte"), "{error}");
    }
}

#[test]
fn what_could_not_be_loaded_is_not_saved() {
    let f32s = |values: &[f32]| Values::F32(values.to_vec());
    let bad = [
        tensor("w", &[2], f32s(&[1.0, f32::NAN])),
        tensor("w", &[2], f32s(&[f32::NEG_INFINITY, 1.0])),
        tensor("w", &[3], f32s(&[1.0, 2.0])),
        tensor("w", &[0], f32s(&[])),
        tensor("w", &[1; 5], f32s(&[1.0])),
        tensor("w", &[usize::MAX, usize::MAX], f32s(&[1.0])),
        tensor("w", &[1, 63], Values::Bits(vec![1 << 63])),
        tensor("W", &[1], f32s(&[1.0])),
        tensor("", &[1], f32s(&[1.0])),
        tensor("../w", &[1], f32s(&[1.0])),
        tensor(&"w".repeat(129), &[1], f32s(&[1.0])),
    ];
    for tensor in bad {
        let vfs = FaultVfs::default();
        let error = save(&vfs, Path::new(PATH), Kind::Model, &(), std::slice::from_ref(&tensor)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Shape(_) | ErrorKind::Value(_)), "{tensor:?}: {error}");
        assert!(vfs.names().is_empty());
    }
}

#[test]
fn two_tensors_of_one_name_and_a_long_header_are_not_saved() {
    let vfs = FaultVfs::default();
    let twice = [tensor("w", &[1], Values::I64(vec![1])), tensor("w", &[1], Values::I64(vec![2]))];
    assert!(save(&vfs, Path::new(PATH), Kind::Model, &(), &twice).is_err());
    // The length takes 8 of the 65,536 bytes.
    assert!(save(&vfs, Path::new(PATH), Kind::Model, &"x".repeat(65_529), &[]).is_err());
    assert!(vfs.names().is_empty());
    save(&vfs, Path::new(PATH), Kind::Model, &"x".repeat(65_528), &[]).unwrap();
    assert_eq!(load::<String>(&vfs, Path::new(PATH), None).unwrap().header.len(), 65_528);
}
