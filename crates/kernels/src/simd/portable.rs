//! Speaks plain Rust: the back end of every CPU, and the specification of the others.

use super::{Kernel, Simd};

/// Is eight lanes in arrays, which compilers turn into whatever vectors they may assume.
#[derive(Clone, Copy)]
pub(super) struct Portable;

const LANES: usize = 8;
type I = [i32; LANES];
type F = [f32; LANES];

#[inline(always)]
fn map<A: Copy, B>(x: [A; LANES], f: impl Fn(A) -> B) -> [B; LANES] {
    std::array::from_fn(|l| f(x[l]))
}

#[inline(always)]
fn zip<A: Copy, B>(a: [A; LANES], b: [A; LANES], f: impl Fn(A, A) -> B) -> [B; LANES] {
    std::array::from_fn(|l| f(a[l], b[l]))
}

#[inline(always)]
fn first<T: Copy>(from: &[T]) -> [T; LANES] {
    std::array::from_fn(|l| from[l])
}

impl Simd for Portable {
    const LANES: usize = LANES;
    type I = I;
    type F = F;

    #[inline(always)]
    fn call<K: Kernel>(kernel: K) -> K::Out {
        kernel.run::<Self>()
    }

    #[inline(always)]
    fn prefetch(_from: &[f32]) {}

    #[inline(always)]
    fn fetch(_from: &[i32]) {}

    #[inline(always)]
    fn load(from: &[i32]) -> I {
        first(from)
    }

    #[inline(always)]
    fn store(to: &mut [i32], x: I) {
        to[..LANES].copy_from_slice(&x);
    }

    #[inline(always)]
    fn splat(x: i32) -> I {
        [x; LANES]
    }

    #[inline(always)]
    fn add(a: I, b: I) -> I {
        zip(a, b, i32::wrapping_add)
    }

    #[inline(always)]
    fn sub(a: I, b: I) -> I {
        zip(a, b, i32::wrapping_sub)
    }

    #[inline(always)]
    fn xor(a: I, b: I) -> I {
        zip(a, b, |a, b| a ^ b)
    }

    #[inline(always)]
    fn or(a: I, b: I) -> I {
        zip(a, b, |a, b| a | b)
    }

    #[inline(always)]
    fn and(a: I, b: I) -> I {
        zip(a, b, |a, b| a & b)
    }

    #[inline(always)]
    fn select(mask: I, yes: I, no: I) -> I {
        std::array::from_fn(|l| mask[l] & yes[l] | !mask[l] & no[l])
    }

    #[inline(always)]
    fn any(x: I) -> bool {
        x.iter().any(|&x| x != 0)
    }

    #[inline(always)]
    fn max_int(a: I, b: I) -> I {
        zip(a, b, i32::max)
    }

    #[inline(always)]
    fn shl<const N: u32>(x: I) -> I {
        map(x, |x| x << N)
    }

    #[inline(always)]
    fn shr<const N: u32>(x: I) -> I {
        map(x, |x| (x as u32 >> N) as i32)
    }

    #[inline(always)]
    fn rotate<const N: u32>(x: I) -> I {
        map(x, |x| x.rotate_left(N))
    }

    #[inline(always)]
    fn transpose(square: &mut [I; 16]) {
        let rows: [I; LANES] = std::array::from_fn(|r| square[r]);
        for (c, column) in square.iter_mut().take(LANES).enumerate() {
            *column = map(rows, |row| row[c]);
        }
    }

    #[inline(always)]
    fn store_u16(to: &mut [u16], x: I) {
        to[..LANES].copy_from_slice(&map(x, |x| x.min(65_535) as u16));
    }

    #[inline(always)]
    fn load_f32(from: &[f32]) -> F {
        first(from)
    }

    #[inline(always)]
    fn store_f32(to: &mut [f32], x: F) {
        to[..LANES].copy_from_slice(&x);
    }

    #[inline(always)]
    fn splat_f32(x: f32) -> F {
        [x; LANES]
    }

    #[inline(always)]
    fn add_f32(a: F, b: F) -> F {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn mul(a: F, b: F) -> F {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(a: F, b: F) -> F {
        zip(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn fma(a: F, b: F, c: F) -> F {
        std::array::from_fn(|l| a[l].mul_add(b[l], c[l]))
    }

    #[inline(always)]
    fn min(a: F, b: F) -> F {
        zip(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(a: F, b: F) -> F {
        zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn round(x: F) -> F {
        map(x, f32::round_ties_even)
    }

    #[inline(always)]
    fn from_int(x: I) -> F {
        map(x, |x| x as f32)
    }

    #[inline(always)]
    fn to_int(x: F) -> I {
        map(x, |x| x as i32)
    }

    #[inline(always)]
    fn to_bits(x: F) -> I {
        map(x, |x| x.to_bits() as i32)
    }

    #[inline(always)]
    fn from_bits(x: I) -> F {
        map(x, |x| f32::from_bits(x as u32))
    }

    #[inline(always)]
    fn less_int(a: I, b: I) -> u32 {
        (0..LANES).fold(0, |mask, l| mask | u32::from(a[l] < b[l]) << l)
    }

    #[inline(always)]
    fn spread(mask: u32) -> I {
        std::array::from_fn(|l| -((mask >> l & 1) as i32))
    }

    #[inline(always)]
    fn less(a: F, b: F) -> u32 {
        (0..LANES).fold(0, |mask, l| mask | u32::from(a[l] < b[l]) << l)
    }
}
