//! Reads votes of the House of 1984, and guesses hidden ones by plain rules.

use std::path::Path;

use harmonium::Error;
use harmonium::data::{Frame, ReadOptions};
use ndarray::Array2;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/house-votes-84/house-votes-84.csv.gz");

/// Reads y as 1, n as 0, ? as missing.
///
/// # Errors
/// Says what could not be read.
pub fn votes() -> Result<Array2<f32>, Error> {
    let Frame::Text(cells) = Frame::open(Path::new(FILE), &ReadOptions::default())? else {
        return Err(Error::shape("house votes", "text", "numbers"));
    };
    let vote = |(r, c)| match cells.text(r, c + 1) {
        "y" => 1.0,
        "n" => 0.0,
        _ => f32::NAN,
    };
    Ok(Array2::from_shape_fn((cells.rows(), 16), vote))
}

/// Gives the share of yes in a column.
pub fn majority(seen: &Array2<f32>, column: usize) -> f32 {
    let there: Vec<f32> = seen.column(column).iter().copied().filter(|x| !x.is_nan()).collect();
    there.iter().sum::<f32>() / there.len() as f32
}

/// Gives the mean of the ten members that agree in the largest part of the votes both gave, of those that voted here.
pub fn nearest(seen: &Array2<f32>, (row, column): (usize, usize)) -> f32 {
    let agreeing = |other: usize| {
        let both =
            seen.row(row).iter().zip(seen.row(other)).filter(|(a, b)| !a.is_nan() && !b.is_nan()).count();
        let same = seen.row(row).iter().zip(seen.row(other)).filter(|(a, b)| a == b).count();
        same as f64 / both.max(1) as f64
    };
    let mut others: Vec<usize> =
        (0..seen.nrows()).filter(|&other| other != row && !seen[(other, column)].is_nan()).collect();
    others.sort_by(|&a, &b| agreeing(b).total_cmp(&agreeing(a)));
    others.iter().take(10).map(|&other| seen[(other, column)]).sum::<f32>() / 10.0
}
