//! Speaks AMX: the tile instructions for products of bytes, and the system's permission to use them.
//!
//! All but the products is done by AVX-512. What the tiles are given and what is made of their sums is proved on every
//! machine by a model of the instructions in plain Rust; the few lines of assembly below are run by the tests of a
//! machine that has AMX, and are proved nowhere else.
#![allow(unsafe_code)]

use std::arch::asm;
use std::arch::x86_64::{
    __cpuid_count, _MM_HINT_T0, _mm_prefetch, _mm512_maskz_set1_epi8, _mm512_storeu_si512, _xgetbv,
};
use std::marker::PhantomData;
use std::sync::OnceLock;

use super::Kernel;
use super::avx512::Avx512;
use crate::product::tiles::{Configuration, SIDE, Tile, Tiles};

/// Compiles a kernel with these instructions.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx2,fma,bmi2")]
pub(super) fn run<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<Avx512<true>>()
}

/// Is the matrix unit of the thread that configured it.
pub(crate) struct Unit(PhantomData<*mut ()>);

/// Writes one instruction. Tiles keep their contents from one to the next: compilers never use them on their own.
macro_rules! tile {
    ([$($memory:ident)?] $text:literal $($operand:tt)*) => {
        // SAFETY: kernels are entered through `Backend::run` alone, on a machine that has the instructions and lets
        // this process use them; memory operands are references to whole tiles, whose rows are 64 bytes apart.
        unsafe {
            asm!(
                $text $($operand)*,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack, preserves_flags $(, $memory)?),
            );
        }
    };
}

/// Bytes from row to row of a tile in memory.
const STRIDE: usize = 4 * SIDE;

impl Tiles for Unit {
    #[inline(always)]
    fn configured(configuration: &Configuration) -> Self {
        tile!([readonly] "ldtilecfg [{from}]", from = in(reg) configuration.0.as_ptr());
        Self(PhantomData)
    }

    #[inline(always)]
    fn zero<const T: usize>(&mut self) {
        tile!([nomem] "tilezero tmm{t}", t = const T);
    }

    #[inline(always)]
    fn load<const T: usize>(&mut self, from: &Tile) {
        let from = from.0.as_ptr();
        tile!([readonly] "tileloadd tmm{t}, [{from} + {stride}*1]", t = const T, from = in(reg) from, stride = in(reg) STRIDE);
    }

    #[inline(always)]
    fn store<const T: usize>(&mut self, to: &mut Tile) {
        let to = to.0.as_mut_ptr();
        tile!([] "tilestored [{to} + {stride}*1], tmm{t}", t = const T, to = in(reg) to, stride = in(reg) STRIDE);
    }

    #[inline(always)]
    fn dot<const SIGNED: bool, const C: usize, const A: usize, const B: usize>(&mut self) {
        if SIGNED {
            tile!([nomem] "tdpbusd tmm{c}, tmm{a}, tmm{b}", c = const C, a = const A, b = const B);
        } else {
            tile!([nomem] "tdpbuud tmm{c}, tmm{a}, tmm{b}", c = const C, a = const A, b = const B);
        }
    }

    #[inline(always)]
    fn spread(bits: u64, row: &mut [i32; SIDE]) {
        // SAFETY: as above, and `row` is as long as a vector.
        unsafe { _mm512_storeu_si512(row.as_mut_ptr().cast(), _mm512_maskz_set1_epi8(bits, 1)) }
    }

    #[inline(always)]
    fn prefetch(tile: &Tile) {
        // SAFETY: a prefetch reads nothing, and every x86-64 CPU has it.
        tile.0.iter().for_each(|row| unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().cast()) });
    }
}

impl Drop for Unit {
    #[inline(always)]
    fn drop(&mut self) {
        tile!([nomem] "tilerelease");
    }
}

/// Says whether this process may use tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    Granted,
    /// The CPU or the system has no such thing.
    Absent,
    /// Both have it, but the system answered with this error number when it was asked.
    Refused(isize),
}

impl Permission {
    /// Tells a user what they could not guess: that a fast CPU is not used to the full.
    pub(crate) fn notice(self) -> Option<String> {
        let Self::Refused(error) = self else { return None };
        let problem = std::io::Error::from_raw_os_error(error as i32);
        Some(format!(
            "note: this CPU has AMX, but the system does not let it be used ({problem}): using avx512"
        ))
    }
}

/// Asks for the permission on the first call; it holds for all threads of the process.
pub(crate) fn permission() -> Permission {
    static ANSWER: OnceLock<Permission> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        // AVX-512 tells that CPUID has leaf 7 and that XGETBV is there.
        if !cfg!(target_os = "linux") || !is_x86_feature_detected!("avx512bw") {
            return Permission::Absent;
        }
        // SAFETY: see above.
        let (features, state) = unsafe { (__cpuid_count(7, 0).edx, _xgetbv(0)) };
        decide(features, state, ask)
    })
}

/// Bits of EDX of CPUID leaf 7: AMX-TILE and AMX-INT8.
const FEATURES: u32 = 1 << 24 | 1 << 25;
/// The number of the tiles' state component, and the bits of XCR0 for their configuration and for them.
const TILES: usize = 18;
const STATE: u64 = 1 << (TILES - 1) | 1 << TILES;

fn decide(features: u32, state: u64, ask: impl FnOnce() -> isize) -> Permission {
    if features & FEATURES != FEATURES || state & STATE != STATE {
        return Permission::Absent;
    }
    match ask() {
        0 => Permission::Granted,
        error => Permission::Refused(-error),
    }
}

/// Asks Linux for the tiles; gives zero or a negative error number.
fn ask() -> isize {
    const ARCH_PRCTL: isize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    let answer: isize;
    // SAFETY: the system call reads no memory and writes none; it leaves all registers but these three alone.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => answer,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") TILES,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, nomem),
        );
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_is_asked_for_only_where_cpu_and_system_have_tiles() {
        let never = || panic!("asked without need");
        assert_eq!(decide(!(1 << 24), u64::MAX, never), Permission::Absent);
        assert_eq!(decide(!(1 << 25), u64::MAX, never), Permission::Absent);
        assert_eq!(decide(u32::MAX, !(1 << 17), never), Permission::Absent);
        assert_eq!(decide(u32::MAX, !(1 << 18), never), Permission::Absent);
        assert_eq!(decide(3 << 24, 3 << 17, || 0), Permission::Granted);
    }

    #[test]
    fn a_refusal_is_told_and_nothing_else_is() {
        let refused = decide(u32::MAX, u64::MAX, || -1);
        assert_eq!(refused, Permission::Refused(1));
        let notice = refused.notice().unwrap();
        assert!(notice.contains("AMX") && notice.contains("os error 1") && notice.ends_with("avx512"));
        assert_eq!([Permission::Granted, Permission::Absent].map(Permission::notice), [None, None]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_answers_with_zero_or_an_error_number() {
        assert!((-4095..=0).contains(&ask()));
    }

    #[test]
    fn bits_are_spread_as_bytes() {
        if !is_x86_feature_detected!("avx512bw") {
            return;
        }
        for bits in [0, u64::MAX, 1, 1 << 63, 0x0123_4567_89AB_CDEF] {
            let mut row = [-1; SIDE];
            Unit::spread(bits, &mut row);
            let byte = |k: usize| (row[k / 4] >> (8 * (k % 4))) as u8;
            assert!((0..64).all(|k| u64::from(byte(k)) == bits >> k & 1), "{bits:x}");
        }
    }
}
