//! Turns integer sums into Bernoulli units: bits, 16-bit probabilities and softplus sums.
//!
//! The activation of unit j is `f32(Σ q) · 2^-s · gain + bias[j]`; the gain is 1 for the model itself and β for a
//! tempered view of it. Row r draws from stream r of a key, unit j from word j.

use rayon::prelude::*;

use crate::{Backend, BitMatrix, Key, chacha, numeric};

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

/// Is where one row's results go.
pub(crate) struct Out<'a> {
    /// Random words, and the bits that they decide.
    pub(crate) bits: Option<(&'a [u32], &'a mut [u64])>,
    pub(crate) p16: Option<&'a mut [u16]>,
}

/// Rows of one task.
const CHUNK: usize = 8;

/// Draws all rows: `(n, units) sums → (n, units) bits`.
pub fn sample(sums: &[i32], affine: &Affine<'_>, key: Key) -> BitMatrix {
    let mut bits = BitMatrix::zeros(sums.len() / affine.bias.len(), affine.bias.len());
    let stride = bits.stride();
    let rows = sums.par_chunks(CHUNK * affine.bias.len());
    rows.zip(bits.words_mut().par_chunks_mut(CHUNK * stride)).enumerate().for_each(
        |(chunk, (sums, bits))| {
            let mut words = vec![0; affine.bias.len()];
            let rows = sums.chunks_exact(affine.bias.len()).zip(bits.chunks_exact_mut(stride));
            for (row, (sums, bits)) in rows.enumerate() {
                let row = mutant!("B44", chunk * CHUNK + row, 0);
                let stream = mutant!("B43", row, row + rayon::current_thread_index().unwrap_or(0));
                fill(key, stream as u64, &mut words);
                activate(sums, affine, Out { bits: Some((&words, bits)), p16: None });
            }
        },
    );
    bits
}

/// Computes all probabilities: `(n, units) sums → (n, units)` codes of σ in 16 bits.
pub fn probabilities(sums: &[i32], affine: &Affine<'_>) -> Vec<u16> {
    let mut p16 = vec![0; sums.len()];
    let size = CHUNK * affine.bias.len();
    p16.par_chunks_mut(size).zip(sums.par_chunks(size)).for_each(|(p16, sums)| {
        let rows = sums.chunks_exact(affine.bias.len()).zip(p16.chunks_exact_mut(affine.bias.len()));
        rows.for_each(|(sums, p16)| activate(sums, affine, Out { bits: None, p16: Some(p16) }));
    });
    p16
}

/// Adds ln(1 + e^activation) over the units of each row: `(n, units) sums → n`.
pub fn softplus(sums: &[i32], affine: &Affine<'_>) -> Vec<f64> {
    sums.par_chunks(affine.bias.len()).with_min_len(CHUNK).map(|sums| softplus_row(sums, affine)).collect()
}

/// Fills words from the start of a stream.
pub fn fill(key: Key, stream: u64, words: &mut [u32]) {
    let done = filled_by_vectors(key, stream, words);
    for (index, block) in words[done..].chunks_mut(chacha::BLOCK).enumerate() {
        let fresh = chacha::block(key.words(), (done / chacha::BLOCK + index) as u64, stream);
        block.copy_from_slice(&fresh[..block.len()]);
    }
}

#[allow(unsafe_code)]
fn filled_by_vectors(key: Key, stream: u64, words: &mut [u32]) -> usize {
    match Backend::current() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the current back end is one that the machine has.
        Backend::Avx2 => unsafe { crate::x86::chacha_fill_avx2(key.words(), stream, 0, words) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above, and whatever has AVX-512 has AVX2.
        Backend::Avx512 => unsafe {
            let done = crate::x86::chacha_fill_avx512(key.words(), stream, words);
            crate::x86::chacha_fill_avx2(key.words(), stream, done, words)
        },
        _ => 0,
    }
}

#[allow(unsafe_code)]
fn activate(sums: &[i32], affine: &Affine<'_>, mut out: Out<'_>) {
    let done = match Backend::current() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the current back end is one that the machine has.
        Backend::Avx2 => unsafe { crate::x86::activate_avx2(sums, affine, &mut out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Backend::Avx512 => unsafe { crate::x86::activate_avx512(sums, affine, &mut out) },
        _ => 0,
    };
    activate_from(done, sums, affine, out);
}

/// Handles the units from `start` on: the specification of the vector paths.
fn activate_from(start: usize, sums: &[i32], affine: &Affine<'_>, mut out: Out<'_>) {
    for (j, &sum) in sums.iter().enumerate().skip(start) {
        let x = activation(sum, affine, j);
        if let Some((words, bits)) = &mut out.bits {
            bits[j / 64] |= u64::from(numeric::bernoulli(words[j], x)) << (j % 64);
        }
        if let Some(p16) = &mut out.p16 {
            p16[j] = numeric::p16(x);
        }
    }
}

/// Computes one activation: convert, scale exactly, temper, add the bias; never fused.
#[inline(always)]
pub(crate) fn activation(sum: i32, affine: &Affine<'_>, unit: usize) -> f32 {
    sum as f32 * affine.quantum * affine.gain + affine.bias[unit]
}

/// Lanes of a softplus sum: unit j belongs to lane j mod 8 on every back end.
pub(crate) const LANES: usize = 8;
/// Units after which the lanes take a logarithm: each has then 512 factors below 2, far from overflow.
const SPAN: usize = 512 * LANES;

/// Holds softplus sums as they grow: softplus(x) = max(x, 0) + ln(1 + e^−|x|), one logarithm for many factors.
pub(crate) struct Lanes {
    pub(crate) linear: [f64; LANES],
    pub(crate) product: [f64; LANES],
}

fn softplus_row(sums: &[i32], affine: &Affine<'_>) -> f64 {
    let parts = sums.chunks(SPAN).zip(affine.bias.chunks(SPAN));
    parts.map(|(sums, bias)| softplus_part(sums, &Affine { bias, ..*affine })).sum()
}

fn softplus_part(sums: &[i32], affine: &Affine<'_>) -> f64 {
    let mut lanes = Lanes { linear: [0.0; LANES], product: [1.0; LANES] };
    let done = softplus_by_vectors(sums, affine, &mut lanes);
    softplus_from(done, sums, affine, &mut lanes);
    lanes.linear.iter().zip(lanes.product).map(|(linear, product)| linear + libm::log(product)).sum()
}

#[allow(unsafe_code)]
fn softplus_by_vectors(sums: &[i32], affine: &Affine<'_>, lanes: &mut Lanes) -> usize {
    match Backend::current() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the current back end is one that the machine has.
        Backend::Avx2 => unsafe { crate::x86::softplus_avx2(sums, affine, lanes) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Backend::Avx512 => unsafe { crate::x86::softplus_avx512(sums, affine, lanes) },
        _ => 0,
    }
}

/// Handles the units from `start` on: the specification of the vector paths.
fn softplus_from(start: usize, sums: &[i32], affine: &Affine<'_>, lanes: &mut Lanes) {
    for (j, &sum) in sums.iter().enumerate().skip(start) {
        let x = activation(sum, affine, j);
        lanes.linear[j % LANES] += f64::from(if x > 0.0 { x } else { 0.0 });
        lanes.product[j % LANES] *= 1.0 + f64::from(numeric::exp(-x.abs()));
    }
}

#[cfg(test)]
mod tests;
