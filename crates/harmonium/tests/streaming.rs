//! Proves that rows read from a file as they are needed train the same machine, to the bit, as rows in memory.

mod common;

use std::fs;
use std::path::Path;

use common::key;
use common::recipe::{data, recipes};
use harmonium::data::PackedFile;
use harmonium::persist::digest_rows;
use harmonium::rbm::Rbm;
use harmonium::train::{Cd, Estimator, Fit, Pcd, Silent, fit};
use harmonium::units::Units;
use harmonium::{Batch, Error, HasParams, Rows};

/// Encodes rows as `numpy.save` does with `numpy.packbits(x, axis=1)`.
fn packed(rows: &Batch) -> Vec<u8> {
    let columns = rows.units().div_ceil(8);
    let head =
        format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}, {columns}), }}\n", rows.rows());
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((head.len() as u16).to_le_bytes());
    out.extend(head.bytes());
    let begin = out.len();
    out.resize(begin + rows.rows() * columns, 0);
    for row in 0..rows.rows() {
        rows.bits()
            .unwrap()
            .for_each_one(row, |unit| out[begin + row * columns + unit / 8] |= 128 >> (unit % 8));
    }
    out
}

fn opened(path: &Path, content: &[u8]) -> PackedFile {
    fs::write(path, content).expect("a file is written");
    PackedFile::open(path, data().units()).expect("packed rows")
}

fn trained<E: Estimator<Rbm>>(rows: &dyn Rows, mut estimator: E, options: &Fit) -> Result<Rbm, Error> {
    let mut rbm = Rbm::for_data(rows, Units::Bernoulli(40), key(5))?;
    fit(&mut rbm, rows, &mut estimator, options, key(6), &mut Silent)?;
    Ok(rbm)
}

/// Batches of 32 leave a short last one, those of 1 and of 1,000 are the ends. Equal machines have equal masters and
/// bases, too. The control, one bit of one row, shows in both digests.
#[test]
fn a_training_from_a_file_ends_like_one_from_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, content) = (data(), packed(&data()));
    let file = opened(&folder.path().join("rows.npy"), &content);
    let mut other = content;
    *other.last_mut().expect("rows") ^= 1 << 7;
    let other = opened(&folder.path().join("other.npy"), &other);
    assert_eq!(digest_rows(&file).unwrap(), digest_rows(&rows).unwrap());
    assert_ne!(digest_rows(&other).unwrap(), digest_rows(&rows).unwrap());
    for batch in [1, 32, 1000] {
        for recipe in recipes().into_iter().step_by(3) {
            let options = Fit { batch, ..recipe.options };
            let pcd = |rows: &dyn Rows| trained(rows, Pcd::new(1, 37), &options).unwrap();
            let cd = |rows: &dyn Rows| trained(rows, Cd::new(1), &options).unwrap();
            assert!(pcd(&file) == pcd(&rows) && cd(&file) == cd(&rows), "{options:?}");
            assert_eq!(pcd(&file).digest(), pcd(&rows).digest());
            assert_ne!(pcd(&other).digest(), pcd(&rows).digest());
        }
    }
}

#[test]
fn a_file_that_breaks_off_ends_the_training() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.npy");
    let content = packed(&data());
    let file = opened(&path, &content);
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(content.len() as u64 - 1).unwrap();
    let mut rbm = Rbm::for_data(&data(), Units::Bernoulli(40), key(5)).expect("a machine");
    let options = Fit { batch: 1, ..Fit::default() };
    let fit = fit(&mut rbm, &file, &mut Pcd::default(), &options, key(6), &mut Silent);
    let error = fit.unwrap_err().to_string();
    assert!(error.ends_with("row 89 (counted from 0): expected 9 bytes, got the end of the file"), "{error}");
}

#[test]
fn data_of_another_width_are_refused_before_anything_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = opened(&folder.path().join("rows.npy"), &packed(&data()));
    let mut rbm = common::model(64, 3, 0.1, 1);
    let before = rbm.clone();
    let refused = fit(&mut rbm, &file, &mut Cd::new(1), &Fit::default(), key(1), &mut Silent).unwrap_err();
    assert_eq!(refused.to_string(), "data: expected 64 columns, got 70 columns");
    assert!(rbm.set_marginals(&file).is_err());
    assert_eq!(rbm, before);
}
