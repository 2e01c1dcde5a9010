//! Turns sums into Bernoulli units: bits, 16-bit probabilities and softplus sums.
//!
//! The activation of unit j is `f32(Σ q) · 2^-s · gain + bias[j]`; the gain is 1 for the model itself and β for a
//! tempered view of it. A real sum stands in the place of f32(Σ q). Row r draws from stream r of a key, unit j from word j.
#![allow(unsafe_code)]

use std::borrow::Cow;

use crate::chacha::{self, Along, BLOCK};
use crate::numeric::lanes;
use crate::product::strips::{self, Ready};
use crate::product::{Place, Product, Sink, Strip, WIDTH, Way};
use crate::shared::Shared;
use crate::simd::{Kernel, Simd};
use crate::{Backend, BitMatrix, Key, parallel, profile};

/// Says how sums become activations.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// The weight of one code, 2^-s.
    pub quantum: f32,
    /// What the input is multiplied with; 1 leaves it.
    pub gain: f32,
    /// What is added, one a unit.
    pub bias: &'a [f32],
}

/// Is the sums of a layer, `(n, units)`: computed, or still to be computed.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Row-major sums.
    Sums(&'a [i32]),
    /// A product whose sums are used where they arise, and never stored.
    Product(Product<'a>),
    /// Row-major real sums.
    Reals(&'a [f32]),
}

impl Input<'_> {
    fn rows(&self, units: usize) -> usize {
        match self {
            Self::Sums(sums) => sums.len() / units,
            Self::Product(product) => product.rows(),
            Self::Reals(sums) => sums.len() / units,
        }
    }

    /// Gives the sums, real ones as the bits of their floats.
    fn sums(&self) -> Cow<'_, [i32]> {
        match self {
            Self::Sums(sums) => Cow::Borrowed(sums),
            Self::Product(product) => Cow::Owned(product.sums()),
            Self::Reals(sums) => Cow::Owned(sums.iter().map(|x| x.to_bits().cast_signed()).collect()),
        }
    }

    fn form(&self) -> Form {
        if matches!(self, Self::Reals(_)) { Form::Real } else { Form::Integer }
    }

    fn hand_to(&self, units: usize, sink: &Units<'_>) {
        match self {
            Self::Product(product) => {
                profile::stage(sink.name(product.way()), product.operations(), || product.hand_to(sink));
            }
            Self::Sums(_) | Self::Reals(_) => {
                let run = || strips::run(&Ready { sums: &self.sums(), width: units }, sink);
                profile::stage("units of known inputs", 0, run);
            }
        }
    }
}

/// Says what 32 bits of a sum are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Integer,
    /// A float.
    Real,
}

/// Draws all rows: `(n, units) sums → (n, units)` bits.
pub fn sample(input: &Input<'_>, affine: &Affine<'_>, key: Key) -> BitMatrix {
    let mut bits = BitMatrix::zeros(input.rows(affine.bias.len()), affine.bias.len());
    let draws = Draws::new(key, &mut bits);
    input.hand_to(
        affine.bias.len(),
        &Units { affine: *affine, form: input.form(), draws: Some(draws), p16: None },
    );
    bits
}

/// Computes all probabilities: `(n, units) sums → (n, units)` codes of σ in 16 bits.
pub fn probabilities(input: &Input<'_>, affine: &Affine<'_>) -> Vec<u16> {
    let units = affine.bias.len();
    let mut p16 = vec![0; input.rows(units) * units];
    input.hand_to(
        units,
        &Units { affine: *affine, form: input.form(), draws: None, p16: Some(Shared::new(&mut p16)) },
    );
    p16
}

/// Draws all rows and computes the probabilities that decided them.
pub fn sample_with_probabilities(input: &Input<'_>, affine: &Affine<'_>, key: Key) -> (BitMatrix, Vec<u16>) {
    let units = affine.bias.len();
    let (mut bits, mut p16) =
        (BitMatrix::zeros(input.rows(units), units), vec![0; input.rows(units) * units]);
    let (draws, means) = (Draws::new(key, &mut bits), Shared::new(&mut p16));
    input
        .hand_to(units, &Units { affine: *affine, form: input.form(), draws: Some(draws), p16: Some(means) });
    (bits, p16)
}

/// Makes units of sums where they arise.
struct Units<'a> {
    affine: Affine<'a>,
    form: Form,
    draws: Option<Draws<'a>>,
    p16: Option<Shared<'a, u16>>,
}

/// Is where draws come from and go to.
struct Draws<'a> {
    key: Key,
    /// The 32-bit halves of the rows' words.
    halves: Shared<'a, u32>,
    stride: usize,
}

impl<'a> Draws<'a> {
    fn new(key: Key, bits: &'a mut BitMatrix) -> Self {
        let stride = bits.stride() * 2;
        let words = bits.words_mut();
        // SAFETY: words of 64 bits are pairs of words of 32 bits, and stay borrowed for 'a.
        let halves = unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 2) };
        Self { key, halves: Shared::new(halves), stride }
    }

    /// Writes the bits of 32 units of a row.
    #[inline(always)]
    fn put(&self, row: usize, column: usize, bits: u32) {
        let half = column / WIDTH ^ usize::from(cfg!(target_endian = "big"));
        // SAFETY: every strip of every row is handed out once.
        unsafe { self.halves.part(row * self.stride + half, 1)[0] = bits }
    }

    /// Fills the words of 32 units of `LANES` rows.
    #[inline(always)]
    fn words<S: Simd>(&self, place: Place, words: &mut [[i32; WIDTH]; 16]) {
        for half in 0..WIDTH / BLOCK {
            let counter = (place.column / BLOCK + half) as u64;
            let first = mutant!("B43", place.row, rayon::current_thread_index().unwrap_or(0));
            let first = mutant!("B44", first, 0) as u64;
            let along = mutant!("B44", Along::Streams, Along::Counters);
            let rows = chacha::rows::<S>(self.key.words(), counter, first, along);
            for (v, vector) in rows.into_iter().enumerate() {
                let (row, part) = (v * S::LANES / BLOCK, v * S::LANES % BLOCK);
                S::store(&mut words[row][half * BLOCK + part..], vector);
            }
        }
    }
}

impl Sink for Units<'_> {
    #[inline(always)]
    fn take<S: Simd>(&self, place: Place, sums: &[Strip]) {
        let columns = WIDTH.min(self.affine.bias.len() - place.column);
        // Units behind the end have the bias −∞: they are never one.
        let mut bias = [f32::NEG_INFINITY; WIDTH];
        bias[..columns].copy_from_slice(&self.affine.bias[place.column..place.column + columns]);
        let mut words = [[0; WIDTH]; 16];
        for (part, sums) in sums.chunks(S::LANES).enumerate() {
            let place = Place { row: place.row + part * S::LANES, ..place };
            if let Some(draws) = &self.draws {
                draws.words::<S>(place, &mut words);
            }
            for (r, (sums, words)) in sums.iter().zip(&words).enumerate() {
                self.row::<S>(Place { row: place.row + r, ..place }, (sums, &bias, words), columns);
            }
        }
    }
}

impl Units<'_> {
    /// Names what becomes of a product.
    fn name(&self, way: Way) -> &'static str {
        match (way, self.draws.is_some(), self.p16.is_some()) {
            (Way::Forward, true, false) => "h given v",
            (Way::Forward, true, true) => "h given v, with means",
            (Way::Forward, false, _) => "means of h",
            (Way::Backward, true, false) => "v given h",
            (Way::Backward, true, true) => "v given h, with means",
            (Way::Backward, false, _) => "means of v",
        }
    }

    #[inline(always)]
    fn row<S: Simd>(
        &self,
        place: Place,
        (sums, bias, words): (&Strip, &[f32; WIDTH], &[i32; WIDTH]),
        columns: usize,
    ) {
        let (mut bits, mut codes) = (0, [0; WIDTH]);
        for at in (0..WIDTH).step_by(S::LANES) {
            let x = activations::<S>(&sums.0[at..], self.form, &self.affine, &bias[at..]);
            let e = lanes::exp::<S>(lanes::negated::<S>(x));
            if self.draws.is_some() {
                bits |= lanes::bernoulli::<S>(S::load(&words[at..]), x, e) << at;
            }
            if self.p16.is_some() {
                S::store_u16(&mut codes[at..], lanes::p16::<S>(e));
            }
        }
        if let Some(draws) = &self.draws {
            draws.put(place.row, place.column, bits);
        }
        if let Some(p16) = &self.p16 {
            // SAFETY: every strip of every row is handed out once.
            let out = unsafe { p16.part(place.row * self.affine.bias.len() + place.column, columns) };
            out.copy_from_slice(&codes[..columns]);
        }
    }
}

/// Computes activations: convert, scale exactly, temper, add the bias; never fused.
#[inline(always)]
fn activations<S: Simd>(sums: &[i32], form: Form, affine: &Affine<'_>, bias: &[f32]) -> S::F {
    let sums = S::load(sums);
    let sums = if form == Form::Integer { S::from_int(sums) } else { S::from_bits(sums) };
    let input = S::mul(sums, S::splat_f32(affine.quantum));
    S::add_f32(S::mul(input, S::splat_f32(affine.gain)), S::load_f32(bias))
}

/// Fills words from the start of a stream.
pub fn fill(key: Key, stream: u64, words: &mut [u32]) {
    Backend::current().run(Fill { key, stream, words });
}

struct Fill<'a> {
    key: Key,
    stream: u64,
    words: &'a mut [u32],
}

impl Kernel for Fill<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (group, words) in self.words.chunks_mut(S::LANES * BLOCK).enumerate() {
            let mut fresh = [[0; BLOCK]; 16];
            let first = (group * S::LANES) as u64;
            let vectors = chacha::rows::<S>(self.key.words(), first, self.stream, Along::Counters);
            for (v, vector) in vectors.into_iter().enumerate() {
                S::store(&mut fresh.as_flattened_mut()[v * S::LANES..], vector);
            }
            words.iter_mut().zip(fresh.as_flattened()).for_each(|(word, &x)| *word = x as u32);
        }
    }
}

/// Adds ln(1 + e^activation) over the units of each row: `(n, units) sums → n`.
pub fn softplus(input: &Input<'_>, affine: &Affine<'_>) -> Vec<f64> {
    let (units, backend, form, sums) = (affine.bias.len(), Backend::current(), input.form(), input.sums());
    let rows: Vec<&[i32]> = sums.chunks_exact(units).collect();
    let some = parallel::map(rows.len().div_ceil(SOME), |task| {
        let rows = rows.iter().skip(task * SOME).take(SOME);
        rows.map(|sums| backend.run(Softplus { sums, form, affine })).collect::<Vec<_>>()
    });
    some.concat()
}

/// Rows of one task of softplus sums.
const SOME: usize = 8;

/// Lanes of a softplus sum: unit j belongs to lane j mod 8 on every back end.
const LANES: usize = 8;
/// Units after which the lanes take a logarithm: each has then 512 factors below 2, far from overflow.
const SPAN: usize = 512 * LANES;

struct Softplus<'a> {
    sums: &'a [i32],
    form: Form,
    affine: &'a Affine<'a>,
}

impl Kernel for Softplus<'_> {
    type Out = f64;

    #[inline(always)]
    fn run<S: Simd>(self) -> f64 {
        let mut total = 0.0;
        for (sums, bias) in self.sums.chunks(SPAN).zip(self.affine.bias.chunks(SPAN)) {
            let mut lanes = Lanes { linear: [0.0; LANES], product: [1.0; LANES] };
            for (sums, bias) in sums.chunks(WIDTH).zip(bias.chunks(WIDTH)) {
                lanes.add::<S>((sums, self.form), bias, self.affine);
            }
            total += lanes.sum();
        }
        total
    }
}

/// Holds softplus sums as they grow: softplus(x) = max(x, 0) + ln(1 + e^−|x|), one logarithm for many factors.
struct Lanes {
    linear: [f64; LANES],
    product: [f64; LANES],
}

impl Lanes {
    /// Adds up to 32 units; those behind the end have the activation −∞, which adds 0.
    #[inline(always)]
    fn add<S: Simd>(&mut self, (sums, form): (&[i32], Form), bias: &[f32], affine: &Affine<'_>) {
        let (mut all, mut biases) = ([0; WIDTH], [f32::NEG_INFINITY; WIDTH]);
        all[..sums.len()].copy_from_slice(sums);
        biases[..bias.len()].copy_from_slice(bias);
        let (mut linear, mut power) = ([0.0; WIDTH], [0.0; WIDTH]);
        for at in (0..WIDTH).step_by(S::LANES) {
            let x = activations::<S>(&all[at..], form, affine, &biases[at..]);
            S::store_f32(&mut linear[at..], S::max(x, S::splat_f32(0.0)));
            S::store_f32(&mut power[at..], lanes::exp::<S>(lanes::minus_absolute::<S>(x)));
        }
        for at in (0..sums.len().next_multiple_of(LANES)).step_by(LANES) {
            for l in 0..LANES {
                self.linear[l] += f64::from(linear[at + l]);
                self.product[l] *= 1.0 + f64::from(power[at + l]);
            }
        }
    }

    fn sum(&self) -> f64 {
        self.linear.iter().zip(self.product).map(|(linear, product)| linear + libm::log(product)).sum()
    }
}

#[cfg(test)]
mod tests;
