//! Compares each operation of each back end with plain Rust, lane by lane.

use super::*;
use crate::numeric;
use crate::numeric::lanes;

/// How many of the operations give integers.
const INTS: usize = 14;

/// Runs every operation on sixteen integers and sixteen floats at a time.
struct All<'a> {
    ints: &'a [i32],
    floats: &'a [f32],
}

/// Gives results as bits: one row for each operation, as many entries as went in.
type Rows = Vec<Vec<u32>>;

impl Kernel for All<'_> {
    type Out = Rows;

    #[inline(always)]
    fn run<S: Simd>(self) -> Rows {
        let mut rows = vec![Vec::new(); 23];
        for at in (0..self.ints.len()).step_by(S::LANES) {
            let (i, x) = (S::load(&self.ints[at..]), S::load_f32(&self.floats[at..]));
            let (k, c) = (S::splat(0x1234_5678), S::splat_f32(1.5));
            let ints = [
                S::add(i, k),
                S::xor(i, k),
                S::or(i, k),
                S::shl::<23>(i),
                S::shr::<8>(i),
                S::rotate::<16>(i),
                S::rotate::<12>(i),
                S::rotate::<8>(i),
                S::rotate::<7>(i),
                S::to_bits(S::from_int(i)),
                S::max_int(i, k),
                S::and(i, k),
                S::sub(i, k),
                S::select(k, i, S::shl::<23>(i)),
            ];
            let floats = [
                S::add_f32(x, c),
                S::mul(x, c),
                S::div(x, c),
                S::fma(x, c, x),
                S::min(x, c),
                S::max(x, c),
                S::min(c, x),
                S::max(c, x),
                S::round(x),
            ];
            for (row, value) in rows.iter_mut().zip(ints) {
                put::<S>(row, value);
            }
            for (row, value) in rows[INTS..].iter_mut().zip(floats) {
                put::<S>(row, S::to_bits(value));
            }
        }
        rows
    }
}

#[inline(always)]
fn put<S: Simd>(row: &mut Vec<u32>, value: S::I) {
    let mut out = [0; 16];
    S::store(&mut out, value);
    row.extend(out[..S::LANES].iter().map(|&x| x as u32));
}

fn inputs() -> (Vec<i32>, Vec<f32>) {
    let mut words = vec![0; 1600];
    crate::bernoulli::fill(crate::Key::from_seed(9), 0, &mut words);
    let ints: Vec<i32> = words.iter().map(|&w| w as i32).collect();
    let mut floats: Vec<f32> = ints.iter().map(|&i| i as f32 * 1e-7).collect();
    floats[..6].copy_from_slice(&[0.0, -0.0, 0.5, 1.5, f32::INFINITY, f32::NAN]);
    (ints, floats)
}

fn available() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|b| b.available())
}

#[test]
fn every_operation_is_that_of_plain_rust() {
    let (ints, floats) = inputs();
    let k = 0x1234_5678;
    let int = |f: &dyn Fn(i32) -> i32| ints.iter().map(|&i| f(i) as u32).collect::<Vec<_>>();
    let float = |f: &dyn Fn(f32) -> f32| floats.iter().map(|&x| f(x).to_bits()).collect::<Vec<_>>();
    let expected = [
        int(&|i| i.wrapping_add(k)),
        int(&|i| i ^ k),
        int(&|i| i | k),
        int(&|i| i << 23),
        int(&|i| (i as u32 >> 8) as i32),
        int(&|i| i.rotate_left(16)),
        int(&|i| i.rotate_left(12)),
        int(&|i| i.rotate_left(8)),
        int(&|i| i.rotate_left(7)),
        int(&|i| (i as f32).to_bits() as i32),
        int(&|i| i.max(k)),
        int(&|i| i & k),
        int(&|i| i.wrapping_sub(k)),
        int(&|i| k & i | !k & i << 23),
        float(&|x| x + 1.5),
        float(&|x| x * 1.5),
        float(&|x| x / 1.5),
        float(&|x| x.mul_add(1.5, x)),
        float(&|x| if x < 1.5 { x } else { 1.5 }),
        float(&|x| if x > 1.5 { x } else { 1.5 }),
        // The order of both decides what becomes of a NaN.
        float(&|x| if 1.5 < x { 1.5 } else { x }),
        float(&|x| if 1.5 > x { 1.5 } else { x }),
        float(&f32::round_ties_even),
    ];
    for backend in available() {
        let rows = backend.run(All { ints: &ints, floats: &floats });
        for (operation, (row, expected)) in rows.iter().zip(&expected).enumerate() {
            for (lane, (&got, &expected)) in row.iter().zip(expected).enumerate() {
                let nan = f32::from_bits(expected).is_nan() && f32::from_bits(got).is_nan();
                assert!(
                    got == expected || operation >= INTS && nan,
                    "{backend}: operation {operation}, lane {lane}"
                );
            }
        }
    }
}

/// Transposes 16 × `LANES` words and back, and packs integers to 16 bits.
struct Moves<'a>(&'a [i32]);

impl Kernel for Moves<'_> {
    type Out = (bool, bool, Vec<u16>);

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Out {
        let x: [S::I; 16] = std::array::from_fn(|i| S::load(&self.0[i * S::LANES..]));
        let rows = lanes_to_rows::<S>(&x);
        let (mut turned, mut back) = (Vec::new(), Vec::new());
        for (row, word) in rows.into_iter().zip(rows_to_lanes::<S>(&rows)) {
            put::<S>(&mut turned, row);
            put::<S>(&mut back, word);
        }
        let right = (0..16 * S::LANES).all(|at| turned[at] == self.0[at % 16 * S::LANES + at / 16] as u32);
        let same = back.iter().zip(self.0).all(|(&a, &b)| a == b as u32);
        let mut packed = vec![0; 16];
        for at in (0..16).step_by(S::LANES) {
            let codes: Vec<i32> = (0..16).map(|i| (at as i32 + i) * 4369 + i % 2).collect();
            S::store_u16(&mut packed[at..], S::load(&codes));
        }
        (right, same, packed)
    }
}

#[test]
fn lanes_turn_into_rows_and_back_and_codes_are_packed() {
    let (ints, _) = inputs();
    for backend in available() {
        let (right, same, packed) = backend.run(Moves(&ints));
        assert!(right && same, "{backend}");
        let expected: Vec<u16> = (0..16).map(|i: u32| (i * 4369 + i % 2).min(65_535) as u16).collect();
        // Lane l of a vector from `at` on holds (at + l) · 4369 + l mod 2, and every vector begins at an even `at`.
        assert_eq!(packed, expected, "{backend}");
    }
}

/// Looks for ones in vectors that have a single one, in each of the lanes in turn, and in one that has none.
struct Ones;

impl Kernel for Ones {
    type Out = (bool, bool);

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Out {
        let found = |lane: usize, bit: i32| {
            let mut one = [0; 16];
            one[lane] = bit;
            S::any(S::load(&one))
        };
        (
            S::any(S::splat(0)),
            (0..S::LANES).all(|lane| [1, 1 << 20, i32::MIN].into_iter().all(|bit| found(lane, bit))),
        )
    }
}

/// Compares integers, lane by lane, with their signs, and spreads the answers over the lanes again.
struct Below<'a>(&'a [i32], &'a [i32]);

impl Kernel for Below<'_> {
    type Out = Vec<bool>;

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Out {
        let mut out = Vec::new();
        for at in (0..self.0.len()).step_by(S::LANES) {
            let mask = S::less_int(S::load(&self.0[at..]), S::load(&self.1[at..]));
            out.extend((0..S::LANES).map(|l| mask >> l & 1 == 1));
            let mut lanes = [0; 16];
            S::store(&mut lanes, S::spread(mask));
            assert!((0..S::LANES).all(|l| lanes[l] == -i32::from(mask >> l & 1 == 1)), "spread {mask:b}");
        }
        out
    }
}

#[test]
fn integers_are_compared_with_their_signs() {
    let (mut a, _) = inputs();
    let mut b: Vec<i32> = a.iter().rev().copied().collect();
    (a[0], b[0], a[1], b[1], a[2], b[2]) = (i32::MIN, i32::MAX, i32::MAX, i32::MIN, 5, 5);
    let expected: Vec<bool> = a.iter().zip(&b).map(|(a, b)| a < b).collect();
    available().for_each(|backend| assert_eq!(backend.run(Below(&a, &b)), expected, "{backend}"));
}

#[test]
fn a_single_one_is_found_in_every_lane() {
    available().for_each(|backend| assert_eq!(backend.run(Ones), (false, true), "{backend}"));
}

/// Computes what units need, lane by lane.
struct UnitLanes<'a> {
    words: &'a [i32],
    x: &'a [f32],
}

impl Kernel for UnitLanes<'_> {
    type Out = (Vec<u16>, Vec<bool>);

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Out {
        let (mut codes, mut bits) = (vec![0; self.x.len()], Vec::new());
        for at in (0..self.x.len()).step_by(S::LANES) {
            let x = S::load_f32(&self.x[at..]);
            let e = lanes::exp::<S>(lanes::negated::<S>(x));
            S::store_u16(&mut codes[at..], lanes::p16::<S>(e));
            let mask = lanes::bernoulli::<S>(S::load(&self.words[at..]), x, e);
            bits.extend((0..S::LANES).map(|l| mask >> l & 1 == 1));
        }
        (codes, bits)
    }
}

/// 10⁶ activations from −20 to 20 and odd ones, with words that lie next to the threshold.
#[test]
fn units_next_to_their_threshold_are_those_of_the_specification() {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e4, -1e4, 0.0, -0.0, -200.0];
    let x: Vec<f32> = (-500_000..500_000).map(|i| i as f32 * 4e-5).chain(odd.repeat(2)).collect();
    let words: Vec<i32> = (0..).zip(&x).map(|(i, &x)| next_to_threshold(i, x)).collect();
    let codes: Vec<u16> = x.iter().map(|&x| numeric::p16(x)).collect();
    let bits: Vec<bool> = words.iter().zip(&x).map(|(&w, &x)| numeric::bernoulli(w as u32, x)).collect();
    for backend in available() {
        let got = backend.run(UnitLanes { words: &words, x: &x });
        assert!(got.0 == codes && got.1 == bits, "{backend}");
    }
}

fn next_to_threshold(i: u32, x: f32) -> i32 {
    let threshold = (numeric::sigmoid(x) * 16_777_216.0) as u32;
    ((threshold + i % 3).saturating_sub(1).min((1 << 24) - 1) << 8) as i32
}
