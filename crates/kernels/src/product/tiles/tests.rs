//! Proves the algorithm with the model of the instructions, and the model with dot products written by hand.

use proptest::prelude::*;

use super::super::{Forward, Probabilities, Source, Store, Sums, Transposed, WIDTH, strips};
use super::model::Model;
use super::*;
use crate::shared::Shared;
use crate::{Backend, BitMatrix, Coupling, Grid};

/// Makes sums with the model instead of tables.
struct Modelled<'a, T>(&'a Chosen<'a, T>);

impl<T: Source> Sums for Modelled<'_, T> {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn width(&self) -> usize {
        self.0.width()
    }

    fn cost(&self) -> usize {
        self.0.cost()
    }

    #[inline(always)]
    fn strip<S: Simd>(&self, _tables: &mut super::super::Tables, place: Place, sums: &mut [Strip]) {
        sums.fill(Strip::ZERO);
        add::<S, Model, T>(self.0, place, sums);
    }
}

fn sums(backend: Backend, made: &impl Sums) -> Vec<i32> {
    let mut out = vec![0; made.rows() * made.width()];
    strips::run_on(backend, made, &Store { out: Shared::new(&mut out), width: made.width() });
    out
}

/// Compares the sums of a source in tiles with those of the tables and with their definition.
fn check(bits: &BitMatrix, source: impl Source, code: impl Fn(usize, usize) -> i32) {
    let mut expected = vec![0_i32; bits.rows() * source.width()];
    for (row, expected) in expected.chunks_exact_mut(source.width()).enumerate() {
        bits.for_each_one(row, |k| {
            expected.iter_mut().enumerate().for_each(|(n, sum)| *sum = sum.wrapping_add(code(k, n)));
        });
    }
    let chosen = Chosen { bits, source };
    for backend in Backend::ALL.into_iter().filter(|b| b.available()) {
        assert!(sums(backend, &chosen) == expected, "tables on {backend}");
        assert!(sums(backend, &Modelled(&chosen)) == expected, "tiles with {backend}");
    }
}

/// Is any codes at all, `(depth, width)`.
struct Codes<'a> {
    codes: &'a [i32],
    width: usize,
}

impl Source for Codes<'_> {
    fn depth(&self) -> usize {
        self.codes.len() / self.width
    }

    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn rows<S: Simd>(&self, k0: usize, n0: usize, out: &mut [Strip; QUARTER]) {
        out.fill(Strip::ZERO);
        for (out, row) in out.iter_mut().zip(self.codes.chunks_exact(self.width).skip(k0)) {
            out.0.iter_mut().zip(&row[n0..]).for_each(|(out, &code)| *out = code);
        }
    }
}

fn words(n: usize, seed: u64) -> Vec<u32> {
    let mut words = vec![0; n];
    crate::bernoulli::fill(crate::Key::from_seed(seed), 2, &mut words);
    words
}

fn bits(rows: usize, units: usize, density: u32, seed: u64) -> BitMatrix {
    let words = words(rows * units, seed);
    BitMatrix::from_fn(rows, units, |row, unit| words[row * units + unit] % 100 < density)
}

/// The largest code of 22 bits.
const MOST: i32 = (1 << 21) - 1;

/// Ranges of codes: of weights; of probabilities, also subtracted; the ends of three bytes; everything.
const RANGES: [(i32, i32); 6] = [
    (-MOST, MOST),
    (0, 65_535),
    (-65_535, 0),
    (-65_535, 65_535),
    (-(1 << 23), (1 << 23) - 1),
    (i32::MIN, i32::MAX),
];

/// Draws codes of a range; every third is one of its ends, 0, -1, or next to where a byte overflows.
fn codes(n: usize, (low, high): (i32, i32), seed: u64) -> Vec<i32> {
    let special = [low, high, 0, -1, 255, 256, -256, 65_535, 65_536, -65_536];
    let span = u64::from(high.abs_diff(low)) + 1;
    let draw = |word: u32| low.wrapping_add((u64::from(word) * span >> 32) as i32);
    let one = |word: u32| {
        if word.is_multiple_of(3) { special[word as usize / 3 % special.len()] } else { draw(word) }
    };
    words(n, seed).into_iter().map(|word| one(word).clamp(low, high)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn tiles_add_what_tables_add(
        rows in 1_usize..140, depth in 1_usize..200, width in 1_usize..140, density in 0_u32..101,
        range in 0_usize..RANGES.len(), seed in 0_u64..1000,
    ) {
        let codes = codes(depth * width, RANGES[range], seed);
        check(&bits(rows, depth, density, seed), Codes { codes: &codes, width }, |k, n| codes[k * width + n]);
    }

    #[test]
    fn tiles_add_the_codes_of_every_source(
        rows in 1_usize..140, visible in 1_usize..200, hidden in 1_usize..140, density in 0_u32..101, seed in 0_u64..1000,
    ) {
        let weights: Vec<f32> = words(visible * hidden, seed).iter().map(|&w| w as f32 / 2.0_f32.powi(31) - 1.0).collect();
        let grid = Grid::settled(visible, hidden, 1.0);
        let coupling = Coupling::new(&weights, visible, hidden, grid);
        let code = |i: usize, j: usize| grid.code(weights[i * hidden + j]);
        let (v, h) = (bits(rows, visible, density, seed), bits(rows, hidden, density, seed + 1));
        check(&v, Forward(coupling), code);
        check(&h, Transposed(coupling), |j, i| code(i, j));
        let p16: Vec<u16> = codes(rows * hidden, (0, 65_535), seed).into_iter().map(|code| code as u16).collect();
        for (negative, sign) in [(false, 1), (true, -1)] {
            let source = Probabilities { p16: &p16, hidden, negative };
            check(&v.transposed(), source, |r, j| i32::from(p16[r * hidden + j]) * sign);
        }
    }
}

#[test]
fn more_than_one_block_of_codes_and_one_task_of_rows() {
    for depth in [1023, 1024, 1025, 2113] {
        let codes = codes(depth * 33, (-MOST, MOST), 7);
        check(&bits(530, depth, 30, 8), Codes { codes: &codes, width: 33 }, |k, n| codes[k * 33 + n]);
    }
}

struct Add<'a>(Chosen<'a, Codes<'a>>, &'a mut [Strip]);

impl Kernel for Add<'_> {
    type Out = ();

    fn run<S: Simd>(self) {
        add::<S, Model, _>(&self.0, Place { row: 15, column: 0 }, self.1);
    }
}

#[test]
fn tiles_add_to_what_is_there() {
    let (codes, bits) = ([3, -5], bits(20, 2, 100, 1));
    let mut sums = [Strip([i32::MAX; WIDTH]); 5];
    let chosen = Chosen { bits: &bits, source: Codes { codes: &codes, width: 1 } };
    Backend::Scalar.run(Add(chosen, &mut sums));
    for Strip(sums) in sums {
        assert_eq!((sums[0], sums[1], sums[31]), (i32::MAX - 2, i32::MAX, i32::MAX));
    }
}

struct Pack<'a>(Codes<'a>);

impl Kernel for Pack<'_> {
    type Out = Planes;

    fn run<S: Simd>(self) -> Planes {
        PANELS.with_borrow_mut(|panels| panels.pack::<S>(&self.0, 0, 1, 0))
    }
}

#[test]
fn as_many_bytes_count_as_the_codes_need() {
    for (codes, planes) in [
        ([0, 65_535], Planes::Two),
        ([65_536, 0], Planes::Three),
        ([-1, 0], Planes::Three),
        ([-65_535, MOST], Planes::Three),
        ([-MOST, 3], Planes::Three),
        ([-(1 << 23), (1 << 23) - 1], Planes::Three),
        ([1 << 23, 0], Planes::Four),
        ([0, -(1 << 23) - 1], Planes::Four),
        ([i32::MIN, 0], Planes::Four),
    ] {
        assert_eq!(Backend::Scalar.run(Pack(Codes { codes: &codes, width: 2 })), planes, "{codes:?}");
    }
}

/// Makes a tile of bytes.
fn tile(byte: impl Fn(usize, usize) -> u8) -> Tile {
    let word = |m, n| i32::from_le_bytes(std::array::from_fn(|i| byte(m, 4 * n + i)));
    Tile(std::array::from_fn(|m| std::array::from_fn(|n| word(m, n))))
}

fn product<U: Tiles, const SIGNED: bool>(shapes: &Configuration, a: &Tile, b: &Tile, mut c: Tile) -> Tile {
    let mut unit = U::configured(shapes);
    unit.load::<2>(&c);
    unit.load::<5>(a);
    unit.load::<7>(b);
    unit.dot::<SIGNED, 2, 5, 7>();
    unit.store::<2>(&mut c);
    c
}

/// Configures tiles 2, 5 and 7 as C (2 × 3 words), A (2 × 8 bytes) and B (2 × 3 words).
fn small() -> Configuration {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    for (tile, row) in [(2, 12), (5, 8), (7, 12)] {
        (bytes[16 + 2 * tile], bytes[48 + tile]) = (row, 2);
    }
    Configuration(bytes)
}

fn gives_dot_products_written_by_hand<U: Tiles>() {
    // Row 0 of A: 1 2 3 4 | 200; column 0 of B: 10 20 30 250 | 255; column 1: 128 0 0 0 | 1.
    let a = tile(|m, at| if m == 0 { *[1, 2, 3, 4, 200].get(at).unwrap_or(&0) } else { 0 });
    let b = tile(|k, at| match (k, at) {
        (0, 0..8) => [10, 20, 30, 250, 128, 0, 0, 0][at],
        (1, 0) => 255,
        (1, 4) => 1,
        _ => 0,
    });
    let unsigned = product::<U, false>(&Configuration::FULL, &a, &b, Tile::ZERO).0;
    // 10 + 40 + 90 + 1000 + 51,000, and 128 + 200.
    assert_eq!(unsigned[0][..3], [52_140, 328, 0]);
    let signed = product::<U, true>(&Configuration::FULL, &a, &b, Tile::ZERO).0;
    // 250 is -6, 255 is -1 and 128 is -128: 10 + 40 + 90 - 24 - 200, and -128 + 200.
    assert_eq!(signed[0][..3], [-84, 72, 0]);
    assert!(signed[1..].iter().chain(&unsigned[1..]).flatten().all(|&word| word == 0));
}

fn reaches_both_ends_of_a_product_and_wraps<U: Tiles>() {
    let (full, a, b) = (&Configuration::FULL, tile(|_, _| 255), tile(|_, _| 128));
    let c = Tile([[i32::MAX; SIDE]; SIDE]);
    // 64 products of 255 · 128 and of 255 · -128.
    assert_eq!(product::<U, false>(full, &a, &b, Tile::ZERO).0, [[2_088_960; SIDE]; SIDE]);
    assert_eq!(product::<U, true>(full, &a, &b, Tile::ZERO).0, [[-2_088_960; SIDE]; SIDE]);
    assert_eq!(product::<U, false>(full, &a, &b, c).0, [[i32::MIN + 2_088_959; SIDE]; SIDE]);
}

fn keeps_to_the_configured_shapes<U: Tiles>() {
    let (ones, c) = (tile(|_, _| 1), Tile([[7; SIDE]; SIDE]));
    let got = product::<U, false>(&small(), &ones, &ones, c).0;
    for (m, row) in got.iter().enumerate() {
        for (n, &word) in row.iter().enumerate() {
            assert_eq!(word, if m < 2 && n < 3 { 7 + 8 } else { 7 }, "row {m}, column {n}");
        }
    }
}

fn starts_from_zero_and_spreads_bits<U: Tiles>() {
    let (mut unit, mut out) = (U::configured(&Configuration::FULL), Tile([[-1; SIDE]; SIDE]));
    unit.load::<3>(&out);
    unit.zero::<3>();
    unit.store::<3>(&mut out);
    assert_eq!(out.0, Tile::ZERO.0);
    U::spread(0x8000_0000_0000_0A05, &mut out.0[1]);
    assert_eq!(out.0[1][..4], [0x0001_0001, 0, 0x0100_0100, 0]);
    assert_eq!((out.0[1][15], out.0[2]), (0x0100_0000, [0; SIDE]));
}

fn is_a_unit<U: Tiles>() {
    gives_dot_products_written_by_hand::<U>();
    reaches_both_ends_of_a_product_and_wraps::<U>();
    keeps_to_the_configured_shapes::<U>();
    starts_from_zero_and_spreads_bits::<U>();
}

#[test]
fn the_model_does_what_was_computed_by_hand() {
    is_a_unit::<Model>();
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_instructions_do_what_was_computed_by_hand() {
    if Backend::Amx.available() {
        is_a_unit::<crate::simd::amx::Unit>();
    } else {
        eprintln!("this machine has no AMX, or may not use it: its instructions are not checked");
    }
}

#[test]
fn the_model_faults_where_the_instructions_do() {
    let faults = |act: fn()| std::panic::catch_unwind(act).is_err();
    let configured = |at: usize, byte: u8| {
        let mut configuration = small();
        configuration.0[at] = byte;
        std::panic::catch_unwind(|| _ = Model::configured(&configuration)).is_err()
    };
    // An unknown palette, reserved bytes, rows too long and too many, a shape without rows; a good one.
    let bad = [(0, 2), (2, 1), (47, 1), (63, 1), (20, 65), (50, 17), (50, 0)];
    assert!(bad.into_iter().all(|(at, byte)| configured(at, byte)) && !configured(50, 16));
    // A tile that isn't configured, a tile used twice, shapes that don't fit.
    assert!(faults(|| Model::configured(&small()).zero::<0>()));
    assert!(faults(|| Model::configured(&Configuration::FULL).dot::<true, 1, 2, 2>()));
    assert!(faults(|| Model::configured(&small()).dot::<true, 5, 2, 7>()));
    assert!(!faults(|| Model::configured(&small()).dot::<true, 2, 5, 7>()));
}
