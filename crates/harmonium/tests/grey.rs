//! Proves that Gaussian units train on grey pictures with the default options, whatever the seed.

use std::path::{Path, PathBuf};

use harmonium::data::{ReadOptions, mnist_folder, open};
use harmonium::rbm::Rbm;
use harmonium::train::{Fit, Pcd, Silent, fit};
use harmonium::units::Units;
use harmonium::{Batch, HasParams, Key, Marginal};
use ndarray::Array2;

fn rows(file: &Path, columns: usize) -> Batch {
    let table = open(file, &ReadOptions::default()).unwrap();
    Batch::reals(Array2::from_shape_fn((table.rows(), columns), |(r, c)| table.value(r, c))).unwrap()
}

fn digits() -> Batch {
    rows(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/digits/digits.csv.gz"), 64)
}

/// Trains with the defaults; every parameter and every free energy is finite, and the rows have become likelier than they are
/// under independent columns, by the free energies of rows against those of rows whose columns were shuffled apart.
fn trains(data: &Batch, units: &Units, hidden: usize, seed: u64) {
    let key = Key::from_seed(seed);
    let mut rbm = Rbm::fitted(units.clone(), data, Units::Bernoulli(hidden), key).unwrap();
    fit(&mut rbm, data, &mut Pcd::default(), &Fit::default(), key, &mut Silent).unwrap();
    assert!(rbm.blocks().iter().all(|block| block.values.iter().all(|x| x.is_finite())), "seed {seed}");
    let some = data.gather(0..500);
    let values = some.to_array();
    let apart = Array2::from_shape_fn(values.dim(), |(r, c)| values[((r + 7 * c) % 500, c)]);
    let [own, apart] = [&some, &Batch::reals(apart).unwrap()].map(|rows| rbm.free_energy(rows).unwrap());
    assert!(own.iter().all(|f| f.is_finite()), "seed {seed}");
    assert!(
        own.mean() < apart.mean(),
        "{units}, seed {seed}: rows {:?}, columns apart {:?}",
        own.mean(),
        apart.mean()
    );
}

#[test]
fn gaussian_units_train_on_grey_digits_by_default() {
    for seed in 1..=3 {
        trains(&digits(), &Units::Gaussian(64), 32, seed);
        trains(&digits(), &Units::Diagonal(64), 32, seed);
    }
}

/// The long form: 20 seeds on all 60,000 grey images of MNIST, with 64 hidden units, and on optdigits.
#[test]
#[ignore = "takes half an hour"]
fn gaussian_units_train_on_grey_mnist_and_optdigits_by_default() {
    let mnist = rows(&mnist_folder().unwrap().join("train-images-idx3-ubyte.gz"), 784);
    let optdigits = optdigits();
    for seed in 1..=20 {
        trains(&mnist, &Units::Gaussian(784), 64, seed);
        optdigits.iter().for_each(|rows| trains(rows, &Units::Gaussian(64), 64, seed));
    }
}

/// Reads the optional set; the file has no ending that tells what it is.
fn optdigits() -> Option<Batch> {
    let file = PathBuf::from(std::env::var_os("HARMONIUM_EXTRA")?).join("optdigits/optdigits.dat.gz");
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().join("optdigits.csv.gz");
    std::fs::copy(file, &named).unwrap();
    Some(rows(&named, 64))
}
