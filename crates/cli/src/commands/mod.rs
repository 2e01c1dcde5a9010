//! Carries out the commands, one file each.

pub(crate) mod anomaly;
mod clamped;
mod columns;
pub(crate) mod convert;
pub(crate) mod denoise;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod finish;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod impute;
pub(crate) mod inpaint;
pub(crate) mod inspect;
pub(crate) mod ising;
pub(crate) mod maxcut;
mod plates;
pub(crate) mod recommend;
pub(crate) mod report;
pub(crate) mod sample;
pub(crate) mod train;
