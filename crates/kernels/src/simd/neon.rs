//! Speaks NEON, the vectors of 64-bit ARM: four lanes.
#![allow(unsafe_code)]

#[allow(clippy::wildcard_imports)] // One line for each of thirty intrinsics would say nothing more.
use std::arch::aarch64::*;

use super::{Kernel, Simd, operations};

#[derive(Clone, Copy)]
pub(super) struct Neon;

type I = int32x4_t;
type F = float32x4_t;

const LANES: usize = 4;

/// Compiles a kernel with these instructions.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(super) fn run<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<Neon>()
}

impl Simd for Neon {
    const LANES: usize = LANES;
    type I = I;
    type F = F;

    #[inline(always)]
    fn call<K: Kernel>(kernel: K) -> K::Out {
        // SAFETY: kernels are entered through `Backend::run` alone, on a machine that has the instructions.
        unsafe { run(kernel) }
    }

    // There is no stable intrinsic for it, and results do not depend on it.
    #[inline(always)]
    fn prefetch(_from: &[f32]) {}

    #[inline(always)]
    fn fetch(_from: &[i32]) {}

    operations! {
        load(from: &[i32]) -> I = vld1q_s32(from[..LANES].as_ptr());
        store(to: &mut [i32], x: I) -> () = vst1q_s32(to[..LANES].as_mut_ptr(), x);
        splat(x: i32) -> I = vdupq_n_s32(x);
        add(a: I, b: I) -> I = vaddq_s32(a, b);
        sub(a: I, b: I) -> I = vsubq_s32(a, b);
        xor(a: I, b: I) -> I = veorq_s32(a, b);
        or(a: I, b: I) -> I = vorrq_s32(a, b);
        and(a: I, b: I) -> I = vandq_s32(a, b);
        select(mask: I, yes: I, no: I) -> I = vbslq_s32(vreinterpretq_u32_s32(mask), yes, no);
        any(x: I) -> bool = vmaxvq_u32(vreinterpretq_u32_s32(x)) != 0;
        store_u16(to: &mut [u16], x: I) -> () = vst1_u16(to[..LANES].as_mut_ptr(), vqmovun_s32(x));
        max_int(a: I, b: I) -> I = vmaxq_s32(a, b);
        load_f32(from: &[f32]) -> F = vld1q_f32(from[..LANES].as_ptr());
        store_f32(to: &mut [f32], x: F) -> () = vst1q_f32(to[..LANES].as_mut_ptr(), x);
        splat_f32(x: f32) -> F = vdupq_n_f32(x);
        add_f32(a: F, b: F) -> F = vaddq_f32(a, b);
        mul(a: F, b: F) -> F = vmulq_f32(a, b);
        div(a: F, b: F) -> F = vdivq_f32(a, b);
        fma(a: F, b: F, c: F) -> F = vfmaq_f32(c, a, b);
        // The instructions of that name treat NaN otherwise.
        min(a: F, b: F) -> F = vbslq_f32(vcltq_f32(a, b), a, b);
        max(a: F, b: F) -> F = vbslq_f32(vcgtq_f32(a, b), a, b);
        round(x: F) -> F = vrndnq_f32(x);
        from_int(x: I) -> F = vcvtq_f32_s32(x);
        to_int(x: F) -> I = vcvtq_s32_f32(x);
        to_bits(x: F) -> I = vreinterpretq_s32_f32(x);
        from_bits(x: I) -> F = vreinterpretq_f32_s32(x);
        less_int(a: I, b: I) -> u32 = vaddvq_u32(vandq_u32(vcltq_s32(a, b), vld1q_u32([1, 2, 4, 8].as_ptr())));
        spread(mask: u32) -> I =
            vreinterpretq_s32_u32(vtstq_u32(vdupq_n_u32(mask), vld1q_u32([1, 2, 4, 8].as_ptr())));
        less(a: F, b: F) -> u32 = vaddvq_u32(vandq_u32(vcltq_f32(a, b), vld1q_u32([1, 2, 4, 8].as_ptr())));
    }

    // The intrinsics with a constant take a signed one; those with a vector become the same instructions.

    #[inline(always)]
    fn shl<const N: u32>(x: I) -> I {
        // SAFETY: kernels are entered through `Backend::run` alone, on a machine that has the instructions.
        unsafe { vshlq_s32(x, vdupq_n_s32(N as i32)) }
    }

    #[inline(always)]
    fn shr<const N: u32>(x: I) -> I {
        // SAFETY: as above.
        unsafe { vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(x), vdupq_n_s32(-(N as i32)))) }
    }

    /// Rotates by half a word with a swap, by a byte with a look-up, else by shifting right and inserting the rest.
    #[inline(always)]
    fn rotate<const N: u32>(x: I) -> I {
        // SAFETY: as above; the table of bytes is as long as what is read.
        unsafe {
            let word = vreinterpretq_u32_s32(x);
            vreinterpretq_s32_u32(match N {
                16 => vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(word))),
                12 => vsliq_n_u32::<12>(vshrq_n_u32::<20>(word), word),
                8 => vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(word), vld1q_u8(BYTE.as_ptr()))),
                _ => vsliq_n_u32::<7>(vshrq_n_u32::<25>(word), word),
            })
        }
    }

    #[inline(always)]
    fn transpose(x: &mut [I; 16]) {
        // SAFETY: as above.
        unsafe {
            let (even_low, even_high) = (vzip1q_s32(x[0], x[2]), vzip2q_s32(x[0], x[2]));
            let (odd_low, odd_high) = (vzip1q_s32(x[1], x[3]), vzip2q_s32(x[1], x[3]));
            x[0] = vzip1q_s32(even_low, odd_low);
            x[1] = vzip2q_s32(even_low, odd_low);
            x[2] = vzip1q_s32(even_high, odd_high);
            x[3] = vzip2q_s32(even_high, odd_high);
        }
    }
}

/// Tells which byte comes where when words turn left by eight bits.
const BYTE: [u8; 16] = [3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14];
