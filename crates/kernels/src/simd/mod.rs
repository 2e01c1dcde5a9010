//! Names the vector operations that every kernel is written in, once for all instruction sets.
//!
//! A kernel is a value with a body that is generic over [`Simd`]. [`Backend::run`] compiles the body with the
//! instructions of each back end and enters the one that is asked for. All bodies give the same bits, because integers
//! add in any order and every float operation is rounded alike.
#![allow(unsafe_code)]

mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

use crate::Backend;

/// Is a vector of 32-bit integers and one of floats, with the operations on them.
///
/// Slices given to `load` and `store` hold at least `LANES` entries; what is wrapped, wraps.
pub(crate) trait Simd: Copy {
    /// Entries of a vector: 16 is a multiple of it.
    const LANES: usize;
    /// Whether products of integers go through the tiles of AMX.
    #[cfg(target_arch = "x86_64")]
    const TILES: bool = false;
    type I: Copy;
    type F: Copy;

    /// Runs a kernel as a function of its own, so that its loops get all registers.
    fn call<K: Kernel>(kernel: K) -> K::Out;

    /// Asks for the cache line of the first entry, if there is one.
    fn prefetch(from: &[f32]);
    /// Does so for integers.
    fn fetch(from: &[i32]);

    fn load(from: &[i32]) -> Self::I;
    fn store(to: &mut [i32], x: Self::I);
    fn splat(x: i32) -> Self::I;
    fn add(a: Self::I, b: Self::I) -> Self::I;
    fn sub(a: Self::I, b: Self::I) -> Self::I;
    fn xor(a: Self::I, b: Self::I) -> Self::I;
    fn or(a: Self::I, b: Self::I) -> Self::I;
    fn and(a: Self::I, b: Self::I) -> Self::I;
    /// Takes each bit of `yes` where `mask` has a one, else that of `no`.
    fn select(mask: Self::I, yes: Self::I, no: Self::I) -> Self::I;
    /// Tells whether any bit is one.
    fn any(x: Self::I) -> bool;
    /// Gives the larger of both, with their signs.
    fn max_int(a: Self::I, b: Self::I) -> Self::I;
    /// Shifts left.
    fn shl<const N: u32>(x: Self::I) -> Self::I;
    /// Shifts right and fills with zeros.
    fn shr<const N: u32>(x: Self::I) -> Self::I;
    /// Rotates left by 16, 12, 8 or 7, as `N` says.
    fn rotate<const N: u32>(x: Self::I) -> Self::I;
    /// Transposes the first `LANES` vectors as a square.
    fn transpose(square: &mut [Self::I; 16]);
    /// Writes integers from 0 to 65,536 as 16 bits, 65,536 as 65,535.
    fn store_u16(to: &mut [u16], x: Self::I);

    fn load_f32(from: &[f32]) -> Self::F;
    fn store_f32(to: &mut [f32], x: Self::F);
    fn splat_f32(x: f32) -> Self::F;
    fn add_f32(a: Self::F, b: Self::F) -> Self::F;
    fn mul(a: Self::F, b: Self::F) -> Self::F;
    fn div(a: Self::F, b: Self::F) -> Self::F;
    /// Computes a · b + c, rounded once.
    fn fma(a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// Gives the smaller of both, and `b` where either is NaN.
    fn min(a: Self::F, b: Self::F) -> Self::F;
    /// Gives the larger of both, and `b` where either is NaN.
    fn max(a: Self::F, b: Self::F) -> Self::F;
    /// Rounds to the nearest integer, ties to even.
    fn round(x: Self::F) -> Self::F;
    /// Converts integers of at most 24 bits exactly, larger ones to the nearest.
    fn from_int(x: Self::I) -> Self::F;
    /// Converts floats that hold integers.
    fn to_int(x: Self::F) -> Self::I;
    fn to_bits(x: Self::F) -> Self::I;
    fn from_bits(x: Self::I) -> Self::F;
    /// Sets bit l where a < b in lane l; never where either is NaN.
    fn less(a: Self::F, b: Self::F) -> u32;
    /// Sets bit l where a < b in lane l, with their signs.
    fn less_int(a: Self::I, b: Self::I) -> u32;
    /// Sets all bits of lane l where bit l of `mask` is set, and none elsewhere.
    fn spread(mask: u32) -> Self::I;
}

/// Is a body of code that is compiled for each back end.
pub(crate) trait Kernel {
    type Out;
    /// Runs the body; an implementation is `#[inline(always)]`, and so is all that it calls with `S`.
    fn run<S: Simd>(self) -> Self::Out;
}

impl Backend {
    /// Runs a kernel with the instructions of this back end.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Out {
        match self {
            Self::Scalar => kernel.run::<portable::Portable>(),
            // SAFETY: `current` and `force` hand out only back ends that the machine has.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => unsafe { neon::run(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::run(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512::run(kernel) },
            #[cfg(not(target_arch = "aarch64"))]
            Self::Neon => unreachable!("back ends are checked before use"),
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Amx => unsafe { amx::run(kernel) },
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 | Self::Amx => unreachable!("back ends are checked before use"),
        }
    }
}

/// Writes the one-line operations of an instruction set.
macro_rules! operations {
    ($($name:ident $(<const $n:ident: u32>)? ($($arg:ident: $t:ty),*) -> $out:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name $(<const $n: u32>)? ($($arg: $t),*) -> $out {
            // SAFETY: kernels are entered through `Backend::run` alone, on a machine that has the instructions.
            unsafe { $body }
        }
    )*};
}
use operations;

/// Transposes sixteen vectors, word w of lane l, into `LANES` rows of sixteen words.
#[inline(always)]
pub(crate) fn lanes_to_rows<S: Simd>(x: &[S::I; 16]) -> [S::I; 16] {
    let parts = 16 / S::LANES;
    let mut out = *x;
    for part in 0..parts {
        let mut square = [x[0]; 16];
        square[..S::LANES].copy_from_slice(&x[part * S::LANES..(part + 1) * S::LANES]);
        S::transpose(&mut square);
        for l in 0..S::LANES {
            out[l * parts + part] = square[l];
        }
    }
    out
}

/// Transposes `LANES` rows of sixteen words into sixteen vectors: the inverse of [`lanes_to_rows`].
#[inline(always)]
pub(crate) fn rows_to_lanes<S: Simd>(x: &[S::I; 16]) -> [S::I; 16] {
    let parts = 16 / S::LANES;
    let mut out = *x;
    for part in 0..parts {
        let mut square = [x[0]; 16];
        for l in 0..S::LANES {
            square[l] = x[l * parts + part];
        }
        S::transpose(&mut square);
        out[part * S::LANES..(part + 1) * S::LANES].copy_from_slice(&square[..S::LANES]);
    }
    out
}

#[cfg(test)]
mod tests;
