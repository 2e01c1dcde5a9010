//! Reads trajectories of hands, or makes some, and rolls them on by linear rules: what a machine of sequences is compared with.

use std::f32::consts::TAU;
use std::ffi::OsString;
use std::path::Path;

use harmonium::Error;
use harmonium::data::{ReadOptions, open};
use ndarray::{Array3, s};

/// Rolls the points from 30 on by x(t) = a x(t − 1) + b x(t − 2): `(n, 45, 2) → (n, 15, 2)`.
pub fn linear(test: &Array3<f32>, [a, b]: [f32; 2]) -> Array3<f32> {
    let mut out = test.clone();
    for t in 30..45 {
        let next = a * &out.slice(s![.., t - 1, ..]) + b * &out.slice(s![.., t - 2, ..]);
        out.slice_mut(s![.., t, ..]).assign(&next);
    }
    out.slice_move(s![.., 30.., ..])
}

/// Fits a and b by least squares.
pub fn fitted(train: &Array3<f32>) -> [f32; 2] {
    let [x, y, z] = [2, 1, 0].map(|lag| train.slice(s![.., lag..43 + lag, ..]).mapv(f64::from));
    let dot = |a: &Array3<f64>, b: &Array3<f64>| (a * b).sum();
    let (yy, yz, zz, xy, xz) = (dot(&y, &y), dot(&y, &z), dot(&z, &z), dot(&x, &y), dot(&x, &z));
    let det = yy * zz - yz * yz;
    [((zz * xy - yz * xz) / det) as f32, ((yy * xz - yz * xy) / det) as f32]
}

/// Reads `libras` of the folder of optional sets, `(360, 45, 2)`; without that file it makes as many figures of eight.
///
/// # Errors
/// Says what is wrong with the file.
pub fn read(extra: Option<OsString>) -> Result<Array3<f32>, Error> {
    let file = Path::new(&extra.unwrap_or_default()).join("libras/movement_libras.dat.gz");
    if file.exists() {
        let table = open(&file, &ReadOptions::default())?;
        return Ok(Array3::from_shape_fn((table.rows(), 45, 2), |(r, t, d)| table.value(r, 2 * t + d)));
    }
    // Figures of eight that differ in size, start and speed.
    let point = |(r, t, d): (usize, usize, usize)| {
        let [size, start, speed] = [1, 7, 13].map(|n| (r * n % 17) as f32 / 17.0);
        let angle = TAU * start + (0.1 + 0.1 * speed) * t as f32;
        (0.2 + 0.2 * size) * (angle * (1 + d) as f32).sin()
    };
    Ok(Array3::from_shape_fn((360, 45, 2), point))
}
