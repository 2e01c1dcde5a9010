//! Gives MNIST to stacks and trains their machines one upon the other, for the examples that tune networks by backpropagation.

use std::ops::{ControlFlow, Range};

use harmonium::data::{Drawn, Table, mnist, mnist_folder, split_last};
use harmonium::dbn::net::{Activation, Network};
use harmonium::dbn::stack::{Dbn, Greedy, Phase, Progress, Recipe, train};
use harmonium::evaluate::memory;
use harmonium::linear::knn_predict;
use harmonium::train::{Decay, Fit, Method, Schedule};
use harmonium::units::Units;
use harmonium::{Batch, Error, Key};
use ndarray::Array2;

/// Is grey images as shares in [0, 1], `(n, 784)`, and their classes.
#[derive(Clone)]
pub struct Images {
    /// The pixels as they are in the file, for machines that draw their bits from them.
    pub table: Table,
    /// The same pixels for networks.
    pub rows: Batch,
    /// One class a row.
    pub labels: Vec<Option<usize>>,
}

impl Images {
    fn new(table: &Table, labels: &[u8], count: usize) -> Result<Self, Error> {
        let table = table.slice_rows(0..count.min(table.rows()))?;
        let pixels =
            Array2::from_shape_fn((table.rows(), table.columns()), |(row, pixel)| table.value(row, pixel));
        let labels = labels[..table.rows()].iter().map(|&label| Some(usize::from(label)));
        Ok(Self { rows: Batch::reals(pixels)?, labels: labels.collect(), table })
    }

    /// Cuts the last rows off: those to train on, and those to judge by.
    ///
    /// # Errors
    /// Refuses to leave none on either side.
    pub fn split(self, last: usize) -> Result<[Self; 2], Error> {
        let (train, judge) = split_last(self.table.rows(), last)?;
        let part = |rows: Range<usize>| {
            Ok::<_, Error>(Self {
                table: self.table.slice_rows(rows.clone())?,
                labels: self.labels[rows.clone()].to_vec(),
                rows: self.rows.gather(rows),
            })
        };
        Ok([part(train)?, part(judge)?])
    }

    /// Copies some images.
    ///
    /// # Errors
    /// Refuses none.
    pub fn gather(&self, rows: &[usize]) -> Result<Self, Error> {
        let pixels = rows.iter().flat_map(|&row| (0..784).map(move |pixel| self.table.value(row, pixel)));
        Ok(Self {
            table: Table::from_reals("images", rows.len(), 784, pixels.collect())?,
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            rows: self.rows.gather(rows.iter().copied()),
        })
    }

    /// Copies each image to all places at most so many pixels away, itself among them; what comes in is black.
    ///
    /// # Errors
    /// Refuses none.
    pub fn nudged(&self, pixels: usize) -> Result<Self, Error> {
        const SIDE: usize = 28;
        let (rows, ways) = (self.table.rows(), 2 * pixels + 1);
        let inside = |z: usize| (pixels..pixels + SIDE).contains(&z);
        let value = |(row, pixel): (usize, usize)| {
            let way = row / rows;
            let (y, x) = (pixel / SIDE + way / ways, pixel % SIDE + way % ways);
            let at = || (y - pixels) * SIDE + x - pixels;
            if inside(y) && inside(x) { self.table.value(row % rows, at()) } else { 0.0 }
        };
        let copies = Array2::from_shape_fn((ways * ways * rows, SIDE * SIDE), value);
        Ok(Self {
            table: Table::from_reals(
                "images",
                copies.nrows(),
                copies.ncols(),
                copies.iter().copied().collect(),
            )?,
            labels: self.labels.repeat(ways * ways),
            rows: Batch::reals(copies)?,
        })
    }

    /// Gives the classes of rows that all have one.
    pub fn classes(&self) -> Vec<usize> {
        self.labels.iter().flatten().copied().collect()
    }
}

/// Reads MNIST: at most so many training images, and the test images.
///
/// # Errors
/// Says which file is missing or broken.
pub fn images(count: usize) -> Result<[Images; 2], Error> {
    let set = mnist(&mnist_folder()?)?;
    Ok([
        Images::new(&set.train, &set.train_labels, count)?,
        Images::new(&set.test, &set.test_labels, 10_000)?,
    ])
}

/// Gives the recipe of a machine as it was published (Hinton & Salakhutdinov 2006, supporting material): CD-1 on batches of 100,
/// rate 0.1, of linear codes 0.001, momentum 0.5 in the first five epochs and 0.9 then, decay 0.0002.
pub fn published(hidden: Units, epochs: u32) -> Recipe {
    let rate = if matches!(hidden, Units::Gaussian(_)) { 0.001 } else { 0.1 };
    let fit = Fit {
        epochs,
        learning_rate: Schedule::Constant(rate),
        method: Method::Sgd { momentum: Schedule::Steps(vec![(0, 0.5), (5, 0.9)]) },
        decay: Decay { l2: 0.0002, ..Decay::default() },
        ..Fit::default()
    };
    Recipe { hidden, fit, ..Recipe::default() }
}

/// Trains a stack on bits that are drawn anew from the grey pixels in each epoch.
///
/// # Errors
/// Says what ran away.
pub fn pretrained(images: &Images, layers: Vec<Recipe>, key: Key) -> Result<Dbn, Error> {
    let rows = Drawn::new(images.table.clone(), key)?;
    let mut phase = Phase::Done;
    let mut show = |progress: &Progress<'_>| {
        if progress.phase != phase {
            phase = progress.phase;
            println!("{phase}");
        }
        ControlFlow::Continue(())
    };
    train(Greedy { layers, ..Greedy::default() }, &rows, None, key, &mut show)
}

/// Makes a network of random weights: sigmoid layers, the last one `head`.
///
/// # Errors
/// Refuses sizes that make no network.
pub fn random(sizes: &[usize], head: Activation, key: Key) -> Result<Network, Error> {
    let last = sizes.len() - 1;
    let activation = |layer| if layer == last { head } else { Activation::Sigmoid };
    Network::new(sizes, &(1..=last).map(activation).collect::<Vec<_>>(), key)
}

/// Tells which classes images show, by their ten nearest neighbours among known ones, and whether they lie nearer to training rows
/// than to held-out ones.
///
/// # Errors
/// Refuses rows of another width.
pub fn generated(
    samples: &Batch,
    known: &Images,
    [train, held_out]: [&Batch; 2],
    key: Key,
) -> Result<(), Error> {
    let rows = [known.rows.to_array(), samples.to_array()];
    let found = knn_predict(rows[0].view(), &known.classes(), rows[1].view(), 10)?;
    let shares: Vec<String> = (0..10)
        .map(|class| found.iter().filter(|&&c| c == class).count() as f64 / found.len() as f64)
        .map(|share| format!("{:.1}", 100.0 * share))
        .collect();
    println!("classes of {} samples: {} %", found.len(), shares.join(" "));
    println!("{:?}", memory(samples, train, held_out, key)?);
    Ok(())
}
