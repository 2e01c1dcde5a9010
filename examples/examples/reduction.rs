//! Writes MNIST as 2 and 30 numbers an image by PCA, and measures what is lost and what is kept.
//!
//! `cargo run --release -p harmonium-examples --example reduction [-- --short]`. The squared error is summed over the 784
//! pixels of 0 to 1 and averaged over the images; that of 30 components on the test images, 13.866, checks the ruler that
//! autoencoders are measured with. Neighbours are those of test codes among training codes.
#![allow(clippy::print_stdout)] // An example speaks.

use std::time::Instant;

use harmonium::data::{mnist, mnist_folder};
use harmonium::linear::{Pca, Rotation, Whiten, Whitening, knn_accuracy, trustworthiness};
use harmonium::prelude::*;
use harmonium::rows::read_range;
use harmonium_examples::Arguments;
use ndarray::s;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let set = mnist(&mnist_folder()?)?;
    let (rows, tests, near) = if arguments.short { (3_000, 500, 500) } else { (60_000, 10_000, 5_000) };
    let (train, test) = (set.train.slice_rows(0..rows)?, set.test.slice_rows(0..tests)?);
    let clock = Instant::now();
    let all = Pca::fit(&train, 30)?;
    println!("{rows} images in {:.1} s", clock.elapsed().as_secs_f64());
    let [x, y] = [read_range(&train, 0..rows)?.to_array(), read_range(&test, 0..tests)?.to_array()];
    let classes = |labels: &[u8]| labels.iter().map(|&label| usize::from(label)).collect::<Vec<_>>();
    let (labels, test_labels) = (classes(&set.train_labels[..rows]), classes(&set.test_labels[..tests]));
    for components in [2, 30] {
        let pca = all.truncated(components)?;
        let (own, others) = (pca.transform(x.view())?, pca.transform(y.view())?);
        let part = s![..near, ..];
        println!(
            "PCA-{components}: squared error train {:.3}, test {:.3}; variance kept {:.3}; 10-NN accuracy {:.4}; \
             trustworthiness of {near} test images, k = 12: {:.4}",
            pca.squared_error(&train)?,
            pca.squared_error(&test)?,
            pca.explained_share().sum(),
            knn_accuracy((own.view(), &labels), (others.view(), &test_labels), 10)?,
            trustworthiness(y.slice(part), others.slice(part), 12)?
        );
    }
    let white = Whitening::fit(&train, &Whiten { rotation: Rotation::Zca, epsilon: 0.01 })?;
    let back = white.inverse(white.transform(y.view())?.view())?;
    let lost = (&back - &y).iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    println!("whitened and back: {lost:.1e} off at most; in {:.1} s", clock.elapsed().as_secs_f64());
    Ok(())
}
