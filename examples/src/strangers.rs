//! Reads tables in which normal rows and others are known, splits them by folds, and learns the normal ones.

use std::path::Path;

use harmonium::data::{Cell, Cells, fold};
use harmonium::evaluate::auroc;
use harmonium::prelude::*;
use harmonium::train::{Average, Decay, Training};
use ndarray::Array2;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data");

/// Says how a machine is made.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Hidden units.
    pub hidden: usize,
    /// Walks over the rows.
    pub epochs: u32,
    /// Rows of an update.
    pub batch: usize,
    /// The decay of weights.
    pub l2: f32,
}

/// Holds normal rows to learn, and others to judge.
#[derive(Clone, Debug)]
pub struct Set {
    /// Normal rows of folds 0 to 2.
    pub train: Array2<f32>,
    /// All other rows.
    pub test: Array2<f32>,
    /// Which of these are not normal.
    pub strange: Vec<bool>,
}

/// Reads the shuttle's states: Rad.Flow is normal, High is left out. While settings are chosen, normal rows of folds 0 and 1 are
/// learnt and those of fold 2 judged, strange rows of folds 0 to 2 beside them.
///
/// # Errors
/// Says what could not be read.
pub fn shuttle(valid: bool) -> Result<Set, Error> {
    let cells = Cells::open(&Path::new(DATA).join("shuttle/shuttle.csv.gz"))?;
    let rows = (0..cells.rows()).filter(|&r| cells.text(r, 9) != "High").collect();
    Ok(split(&cells, rows, 9, |r| cells.text(r, 9) != "Rad.Flow", valid))
}

/// Reads cells of breasts, of which the benign are normal; split as [`shuttle`].
///
/// # Errors
/// Says what could not be read.
pub fn cancer(valid: bool) -> Result<Set, Error> {
    let cells = Cells::open(&Path::new(DATA).join("breast-cancer/wdbc.csv"))?;
    Ok(split(&cells, (0..cells.rows()).collect(), 30, |r| cells.text(r, 30) == "0", valid))
}

/// Splits rows by the folds of their numbers in the file.
fn split(
    cells: &Cells,
    rows: Vec<usize>,
    columns: usize,
    strange: impl Fn(usize) -> bool,
    valid: bool,
) -> Set {
    let last = if valid { 2 } else { 3 };
    let rows = rows.into_iter().filter(|&r| !valid || fold(r as u64) < 3);
    let (train, test): (Vec<_>, Vec<_>) = rows.partition(|&r| !strange(r) && fold(r as u64) < last);
    let value = |r, c| match Cell::read(cells.text(r, c)) {
        Cell::Number(x) => x,
        _ => f32::NAN,
    };
    let table = |rows: &[usize]| Array2::from_shape_fn((rows.len(), columns), |(r, c)| value(rows[r], c));
    Set { train: table(&train), test: table(&test), strange: test.iter().map(|&r| strange(r)).collect() }
}

/// Gives the area under the curve of scores, where some rows are strange.
///
/// # Errors
/// Refuses rows that are all of one kind.
pub fn judged(scores: &[f64], strange: impl Fn(usize) -> bool) -> Result<f64, Error> {
    let (mut normal, mut other) = (Vec::new(), Vec::new());
    scores.iter().enumerate().for_each(|(r, &s)| if strange(r) { other.push(s) } else { normal.push(s) });
    auroc(&normal, &other)
}

/// Learns normal rows by persistent chains.
///
/// # Errors
/// Refuses rows that the units can't take.
pub fn machine(visible: Units, train: &Batch, shape: Shape, key: Key) -> Result<Rbm, Error> {
    let bits = visible.is_binary();
    let mut rbm = Rbm::fitted(visible, train, Units::Bernoulli(shape.hidden), key)?;
    let from = if bits { 0.05 } else { 0.01 };
    let options = Fit {
        epochs: shape.epochs,
        batch: shape.batch,
        decay: Decay { l2: shape.l2, ..Decay::default() },
        learning_rate: Schedule::Linear { from, to: 0.0 },
        centre: bits.then(Centre::default),
        average: Some(Average::default()),
        ..Fit::default()
    };
    let mut training = Training::new(&rbm, train, &options)?;
    training.run(&mut rbm, train, &mut Pcd::new(1, 100), key, &mut Silent)?;
    Ok(training.averaged(&rbm).unwrap_or(rbm))
}
