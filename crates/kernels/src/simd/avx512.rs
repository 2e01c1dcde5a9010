//! Speaks AVX-512 (its foundation subset): sixteen lanes.
#![allow(unsafe_code)]

#[allow(clippy::wildcard_imports)] // One line for each of forty intrinsics would say nothing more.
use std::arch::x86_64::*;

use super::{Kernel, Simd, amx, operations};

/// Is these instructions, alone or beside the tiles of AMX.
#[derive(Clone, Copy)]
pub(super) struct Avx512<const TILES: bool>;

type I = __m512i;
type F = __m512;

const LANES: usize = 16;
const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// Compiles a kernel with these instructions.
#[inline(never)]
#[target_feature(enable = "avx512f,avx2,fma,bmi1,bmi2,popcnt")]
pub(super) fn run<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<Avx512<false>>()
}

impl<const TILES: bool> Simd for Avx512<TILES> {
    const LANES: usize = LANES;
    const TILES: bool = TILES;
    type I = I;
    type F = F;

    #[inline(always)]
    fn call<K: Kernel>(kernel: K) -> K::Out {
        // SAFETY: kernels are entered through `Backend::run` alone, on a machine that has the instructions.
        unsafe { if TILES { amx::run(kernel) } else { run(kernel) } }
    }

    operations! {
        prefetch(from: &[f32]) -> () = _mm_prefetch::<_MM_HINT_T0>(from.as_ptr().cast());
        fetch(from: &[i32]) -> () = _mm_prefetch::<_MM_HINT_T0>(from.as_ptr().cast());
        load(from: &[i32]) -> I = _mm512_loadu_si512(from[..LANES].as_ptr().cast());
        store(to: &mut [i32], x: I) -> () = _mm512_storeu_si512(to[..LANES].as_mut_ptr().cast(), x);
        splat(x: i32) -> I = _mm512_set1_epi32(x);
        add(a: I, b: I) -> I = _mm512_add_epi32(a, b);
        sub(a: I, b: I) -> I = _mm512_sub_epi32(a, b);
        xor(a: I, b: I) -> I = _mm512_xor_si512(a, b);
        or(a: I, b: I) -> I = _mm512_or_si512(a, b);
        and(a: I, b: I) -> I = _mm512_and_si512(a, b);
        // Bit 4 m + 2 y + n of the constant is the answer for mask m, yes y and no n.
        select(mask: I, yes: I, no: I) -> I = _mm512_ternarylogic_epi32::<0xCA>(mask, yes, no);
        any(x: I) -> bool = _mm512_test_epi32_mask(x, x) != 0;
        shl<const N: u32>(x: I) -> I = _mm512_slli_epi32::<N>(x);
        shr<const N: u32>(x: I) -> I = _mm512_srli_epi32::<N>(x);
        store_u16(to: &mut [u16], x: I) -> () =
            _mm256_storeu_si256(to[..LANES].as_mut_ptr().cast(), _mm512_cvtusepi32_epi16(x));
        max_int(a: I, b: I) -> I = _mm512_max_epi32(a, b);
        load_f32(from: &[f32]) -> F = _mm512_loadu_ps(from[..LANES].as_ptr());
        store_f32(to: &mut [f32], x: F) -> () = _mm512_storeu_ps(to[..LANES].as_mut_ptr(), x);
        splat_f32(x: f32) -> F = _mm512_set1_ps(x);
        add_f32(a: F, b: F) -> F = _mm512_add_ps(a, b);
        mul(a: F, b: F) -> F = _mm512_mul_ps(a, b);
        div(a: F, b: F) -> F = _mm512_div_ps(a, b);
        fma(a: F, b: F, c: F) -> F = _mm512_fmadd_ps(a, b, c);
        min(a: F, b: F) -> F = _mm512_min_ps(a, b);
        max(a: F, b: F) -> F = _mm512_max_ps(a, b);
        round(x: F) -> F = _mm512_roundscale_ps::<NEAREST>(x);
        from_int(x: I) -> F = _mm512_cvtepi32_ps(x);
        to_int(x: F) -> I = _mm512_cvtps_epi32(x);
        to_bits(x: F) -> I = _mm512_castps_si512(x);
        from_bits(x: I) -> F = _mm512_castsi512_ps(x);
        less_int(a: I, b: I) -> u32 = u32::from(_mm512_cmplt_epi32_mask(a, b));
        spread(mask: u32) -> I = _mm512_maskz_set1_epi32(mask as u16, -1);
        less(a: F, b: F) -> u32 = u32::from(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b));
    }

    #[inline(always)]
    fn rotate<const N: u32>(x: I) -> I {
        // The intrinsic takes a signed constant, so each of the four is written out.
        // SAFETY: kernels are entered through `Backend::run` alone, on a machine that has the instructions.
        unsafe {
            match N {
                16 => _mm512_rol_epi32::<16>(x),
                12 => _mm512_rol_epi32::<12>(x),
                8 => _mm512_rol_epi32::<8>(x),
                _ => _mm512_rol_epi32::<7>(x),
            }
        }
    }

    /// Transposes quarters of four rows first, then the quarters among each other.
    #[inline(always)]
    fn transpose(x: &mut [I; 16]) {
        // SAFETY: as above.
        unsafe {
            let mut quads = *x;
            for q in 0..4 {
                let (a, b, c, d) = (x[4 * q], x[4 * q + 1], x[4 * q + 2], x[4 * q + 3]);
                let (ab_low, ab_high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
                let (cd_low, cd_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
                quads[4 * q] = _mm512_unpacklo_epi64(ab_low, cd_low);
                quads[4 * q + 1] = _mm512_unpackhi_epi64(ab_low, cd_low);
                quads[4 * q + 2] = _mm512_unpacklo_epi64(ab_high, cd_high);
                quads[4 * q + 3] = _mm512_unpackhi_epi64(ab_high, cd_high);
            }
            for i in 0..4 {
                // Lane group g of `quads[4 q + i]` holds words 4 q … 4 q + 3 of row 4 g + i.
                let low01 = _mm512_shuffle_i32x4::<0x44>(quads[i], quads[4 + i]);
                let high01 = _mm512_shuffle_i32x4::<0xEE>(quads[i], quads[4 + i]);
                let low23 = _mm512_shuffle_i32x4::<0x44>(quads[8 + i], quads[12 + i]);
                let high23 = _mm512_shuffle_i32x4::<0xEE>(quads[8 + i], quads[12 + i]);
                x[i] = _mm512_shuffle_i32x4::<0x88>(low01, low23);
                x[4 + i] = _mm512_shuffle_i32x4::<0xDD>(low01, low23);
                x[8 + i] = _mm512_shuffle_i32x4::<0x88>(high01, high23);
                x[12 + i] = _mm512_shuffle_i32x4::<0xDD>(high01, high23);
            }
        }
    }
}
