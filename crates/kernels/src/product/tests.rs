//! Compares every back end with sums written out, over tails, densities and lengths.

use proptest::prelude::*;

use super::*;
use crate::Grid;
use crate::backend::on_each;

fn bits(rows: usize, units: usize, density: u32, seed: u64) -> BitMatrix {
    let key = crate::Key::from_seed(seed);
    let mut words = vec![0; units];
    let mut out = BitMatrix::zeros(rows, units);
    for row in 0..rows {
        crate::bernoulli::fill(key, row as u64, &mut words);
        (0..units).for_each(|unit| out.set(row, unit, words[unit] % 100 < density));
    }
    out
}

fn weights(n: usize, seed: u64) -> Vec<f32> {
    let mut words = vec![0; n];
    crate::bernoulli::fill(crate::Key::from_seed(seed), 1, &mut words);
    words.iter().map(|&w| (w >> 8) as f32 / 8_388_608.0 - 1.0).collect()
}

fn codes(n: usize, seed: u64) -> Vec<u16> {
    weights(n, seed).iter().map(|x| (x * 32_767.0 + 32_768.0) as u16).collect()
}

fn naive(bits: &BitMatrix, source: impl Fn(usize, usize) -> i32, width: usize) -> Vec<i32> {
    let mut out = vec![0; bits.rows() * width];
    for row in 0..bits.rows() {
        for n in 0..width {
            bits.for_each_one(row, |k| out[row * width + n] += source(k, n));
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn every_product_equals_its_definition(
        rows in 1_usize..140, visible in 1_usize..200, hidden in 1_usize..140, density in 0_u32..101, seed in 0_u64..1000,
    ) {
        let w = weights(visible * hidden, seed);
        let grid = Grid::settled(visible, hidden, 1.0);
        let coupling = Coupling::new(&w, visible, hidden, grid);
        let q = |i: usize, j: usize| grid.code(w[i * hidden + j]);
        let (v, h) = (bits(rows, visible, density, seed), bits(rows, hidden, density, seed + 1));
        let p16 = codes(rows * hidden, seed);
        let up = naive(&v, q, hidden);
        let down = naive(&h, |j, i| q(i, j), visible);
        let outer = naive(&v.transposed(), |r, j| i32::from(p16[r * hidden + j]), hidden);
        on_each(|backend| {
            assert_eq!(Product::new(&v, coupling, Way::Forward).sums(), up, "{backend}");
            assert_eq!(Product::new(&h, coupling, Way::Backward).sums(), down, "{backend}");
            assert_eq!(Pair::new(&v, p16.clone()).sums(), outer, "{backend}");
        });
    }
}

#[test]
fn every_width_up_to_two_tiles_and_more_than_one_task_of_rows() {
    for units in (1..=130).chain([255, 256, 257]) {
        let w = weights(units * 33, 5);
        let grid = Grid::settled(units, 33, 1.0);
        let v = bits(259, units, 30, units as u64);
        let expected = naive(&v, |i, j| grid.code(w[i * 33 + j]), 33);
        on_each(|backend| {
            let product = Product::new(&v, Coupling::new(&w, units, 33, grid), Way::Forward);
            assert_eq!(product.sums(), expected, "{units} units on {backend}");
        });
    }
}

#[test]
fn the_widest_layer_with_every_weight_at_its_limit_does_not_overflow() {
    let units = Grid::MAX_UNITS;
    let w = vec![-1.0; units];
    let grid = Grid::settled(units, 1, 1.0);
    let v = BitMatrix::from_fn(1, units, |_, _| true);
    let sums = Product::new(&v, Coupling::new(&w, units, 1, grid), Way::Forward).sums();
    assert_eq!(i64::from(sums[0]), i64::from(grid.code(-1.0)) * units as i64);
}

#[test]
fn statistics_of_the_most_rows_at_probability_one_do_not_overflow() {
    let pair = Pair::new(&BitMatrix::from_fn(MAX_ROWS, 1, |_, _| true), vec![u16::MAX; MAX_ROWS]);
    let (mut v, mut h) = ([0], [0]);
    pair.add_visible(&mut v);
    pair.add_hidden(&mut h);
    let full = 65_535 * MAX_ROWS as i64;
    assert_eq!(
        [i64::from(pair.sums()[0]), i64::from(v[0]), i64::from(h[0])],
        [full, (MAX_ROWS as i64) << 16, full]
    );
}

/// Writes both sums and the place into the matrices, and adds simple numbers to the margins.
struct Record;

impl Rule<3> for Record {
    const MARGINS: bool = true;

    #[inline(always)]
    fn apply(
        &self,
        (line, column): (usize, usize),
        sums: [&Cells<i32>; 2],
        cells: &mut [Cells<f32>; 3],
        (along, down): (&mut f32, &mut Cells<f32>),
    ) {
        for i in 0..WIDTH {
            let before = cells[2][i];
            (cells[0][i], cells[1][i]) = (sums[0][i] as f32, sums[1][i] as f32);
            cells[2][i] = before + (line * 10_000 + column + i) as f32;
            down[i] += line as f32;
        }
        *along = column as f32;
    }
}

/// The margins of [`Record`] are small integers, so their sums are exact in any order.
#[test]
fn a_walk_visits_every_strip_once_with_the_sums_of_both_phases() {
    for (visible, hidden) in [(1, 1), (70, 33), (1030, 64), (2049, 5)] {
        let pair = |n: usize, seed: u64| Pair::new(&bits(n, visible, 30, seed), codes(n * hidden, seed));
        let (positive, negative) = ([pair(70, 1), pair(3, 2)], [pair(73, 3)]);
        let sum = |pairs: &[Pair]| {
            pairs.iter().map(Pair::sums).reduce(|a, b| a.iter().zip(b).map(|(a, b)| a + b).collect()).unwrap()
        };
        let (p, n) = (sum(&positive), sum(&negative));
        on_each(|backend| {
            for joined in [false, true] {
                let mut out = [vec![0.0; p.len()], vec![0.0; p.len()], vec![1.0; p.len()]];
                let contrast = Contrast { positive: &positive, negative: &negative, joined };
                let margins = walk(contrast, out.each_mut().map(|m| &mut m[..]), &Record);
                for (at, (&p, &n)) in p.iter().zip(&n).enumerate() {
                    let expected = if joined { (p - n, 0) } else { (p, n) };
                    let place = 1.0 + (at / hidden * 10_000 + at % hidden) as f32;
                    let got = (out[0][at], out[1][at], out[2][at]);
                    assert_eq!(got, (expected.0 as f32, expected.1 as f32, place), "{backend}, entry {at}");
                }
                let columns: usize = (0..hidden).step_by(WIDTH).sum();
                assert_eq!(margins.lines, vec![columns as f32; visible]);
                assert_eq!(margins.columns, vec![(visible * (visible - 1) / 2) as f32; hidden]);
                let largest = out[0].iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                assert_eq!(margins.largest, largest);
            }
        });
    }
}
