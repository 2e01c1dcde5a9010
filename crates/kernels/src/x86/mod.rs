//! Speaks the instruction sets of x86-64.

mod avx2;
mod chacha_avx2;
mod sample_avx2;

pub(crate) use avx2::Avx2;
pub(crate) use chacha_avx2::fill as chacha_fill_avx2;
pub(crate) use sample_avx2::{activate as activate_avx2, softplus as softplus_avx2};
