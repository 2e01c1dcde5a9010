//! Speaks the instruction sets of x86-64.

mod avx2;
mod avx512;
mod chacha_avx2;
mod chacha_avx512;
mod sample_avx2;
mod sample_avx512;

pub(crate) use avx2::Avx2;
pub(crate) use avx512::Avx512;
pub(crate) use chacha_avx2::fill as chacha_fill_avx2;
pub(crate) use chacha_avx512::fill as chacha_fill_avx512;
pub(crate) use sample_avx2::{activate as activate_avx2, softplus as softplus_avx2};
pub(crate) use sample_avx512::{activate as activate_avx512, softplus as softplus_avx512};
