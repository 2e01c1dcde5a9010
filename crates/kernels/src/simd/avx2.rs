//! Speaks AVX2 with fused multiply-add: eight lanes.
#![allow(unsafe_code)]

#[allow(clippy::wildcard_imports)] // One line for each of forty intrinsics would say nothing more.
use std::arch::x86_64::*;

use super::{Kernel, Simd, operations};

#[derive(Clone, Copy)]
pub(super) struct Avx2;

type I = __m256i;
type F = __m256;

const LANES: usize = 8;
const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// Compiles a kernel with these instructions.
#[inline(never)]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt")]
pub(super) fn run<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<Avx2>()
}

impl Simd for Avx2 {
    const LANES: usize = LANES;
    type I = I;
    type F = F;

    #[inline(always)]
    fn call<K: Kernel>(kernel: K) -> K::Out {
        // SAFETY: kernels are entered through `Backend::run` alone, on a machine that has the instructions.
        unsafe { run(kernel) }
    }

    operations! {
        prefetch(from: &[f32]) -> () = _mm_prefetch::<_MM_HINT_T0>(from.as_ptr().cast());
        fetch(from: &[i32]) -> () = _mm_prefetch::<_MM_HINT_T0>(from.as_ptr().cast());
        load(from: &[i32]) -> I = _mm256_loadu_si256(from[..LANES].as_ptr().cast());
        store(to: &mut [i32], x: I) -> () = _mm256_storeu_si256(to[..LANES].as_mut_ptr().cast(), x);
        splat(x: i32) -> I = _mm256_set1_epi32(x);
        add(a: I, b: I) -> I = _mm256_add_epi32(a, b);
        sub(a: I, b: I) -> I = _mm256_sub_epi32(a, b);
        xor(a: I, b: I) -> I = _mm256_xor_si256(a, b);
        or(a: I, b: I) -> I = _mm256_or_si256(a, b);
        and(a: I, b: I) -> I = _mm256_and_si256(a, b);
        select(mask: I, yes: I, no: I) -> I =
            _mm256_or_si256(_mm256_and_si256(mask, yes), _mm256_andnot_si256(mask, no));
        any(x: I) -> bool = _mm256_testz_si256(x, x) == 0;
        max_int(a: I, b: I) -> I = _mm256_max_epi32(a, b);
        load_f32(from: &[f32]) -> F = _mm256_loadu_ps(from[..LANES].as_ptr());
        store_f32(to: &mut [f32], x: F) -> () = _mm256_storeu_ps(to[..LANES].as_mut_ptr(), x);
        splat_f32(x: f32) -> F = _mm256_set1_ps(x);
        add_f32(a: F, b: F) -> F = _mm256_add_ps(a, b);
        mul(a: F, b: F) -> F = _mm256_mul_ps(a, b);
        div(a: F, b: F) -> F = _mm256_div_ps(a, b);
        fma(a: F, b: F, c: F) -> F = _mm256_fmadd_ps(a, b, c);
        min(a: F, b: F) -> F = _mm256_min_ps(a, b);
        max(a: F, b: F) -> F = _mm256_max_ps(a, b);
        round(x: F) -> F = _mm256_round_ps::<NEAREST>(x);
        from_int(x: I) -> F = _mm256_cvtepi32_ps(x);
        to_int(x: F) -> I = _mm256_cvtps_epi32(x);
        to_bits(x: F) -> I = _mm256_castps_si256(x);
        from_bits(x: I) -> F = _mm256_castsi256_ps(x);
        less_int(a: I, b: I) -> u32 = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(b, a))) as u32;
        spread(mask: u32) -> I = {
            let bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(mask as i32), bits), bits)
        };
        less(a: F, b: F) -> u32 = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) as u32;
    }

    #[inline(always)]
    fn shl<const N: u32>(x: I) -> I {
        // SAFETY: kernels are entered through `Backend::run` alone, on a machine that has the instructions.
        unsafe { _mm256_sll_epi32(x, _mm_cvtsi32_si128(N as i32)) }
    }

    #[inline(always)]
    fn shr<const N: u32>(x: I) -> I {
        // SAFETY: as above.
        unsafe { _mm256_srl_epi32(x, _mm_cvtsi32_si128(N as i32)) }
    }

    /// Rotates by whole bytes with a shuffle, else with two shifts.
    #[inline(always)]
    fn rotate<const N: u32>(x: I) -> I {
        // SAFETY: as above.
        unsafe {
            match N {
                16 => _mm256_shuffle_epi8(x, bytes([2, 3, 0, 1])),
                12 => _mm256_or_si256(_mm256_slli_epi32::<12>(x), _mm256_srli_epi32::<20>(x)),
                8 => _mm256_shuffle_epi8(x, bytes([3, 0, 1, 2])),
                _ => _mm256_or_si256(_mm256_slli_epi32::<7>(x), _mm256_srli_epi32::<25>(x)),
            }
        }
    }

    #[inline(always)]
    fn transpose(x: &mut [I; 16]) {
        // SAFETY: as above.
        unsafe {
            let pair =
                |i: usize| (_mm256_unpacklo_epi32(x[i], x[i + 1]), _mm256_unpackhi_epi32(x[i], x[i + 1]));
            let ((l0, h0), (l1, h1), (l2, h2), (l3, h3)) = (pair(0), pair(2), pair(4), pair(6));
            let quad = |a, b| (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
            let ((a0, a1), (a2, a3)) = (quad(l0, l1), quad(h0, h1));
            let ((b0, b1), (b2, b3)) = (quad(l2, l3), quad(h2, h3));
            for (i, (a, b)) in [(a0, b0), (a1, b1), (a2, b2), (a3, b3)].into_iter().enumerate() {
                x[i] = _mm256_permute2x128_si256::<0x20>(a, b);
                x[i + 4] = _mm256_permute2x128_si256::<0x31>(a, b);
            }
        }
    }

    #[inline(always)]
    fn store_u16(to: &mut [u16], x: I) {
        // SAFETY: as above; the slice is cut to the eight entries that are written.
        unsafe {
            let packed = _mm256_packus_epi32(x, x);
            let packed = _mm256_permute4x64_epi64::<0b00_00_10_00>(packed);
            _mm_storeu_si128(to[..LANES].as_mut_ptr().cast(), _mm256_castsi256_si128(packed));
        }
    }
}

/// Spreads the order of the bytes of one word over all words.
#[inline(always)]
fn bytes(order: [u8; 4]) -> I {
    let order: [u8; 32] = std::array::from_fn(|i| (i & 0b1100) as u8 + order[i & 0b11]);
    // SAFETY: as above; both types are 32 plain bytes.
    unsafe { _mm256_loadu_si256(order.as_ptr().cast()) }
}
