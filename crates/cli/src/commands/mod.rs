//! Carries out the commands, one file each.

pub(crate) mod convert;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod finish;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod report;
pub(crate) mod sample;
pub(crate) mod train;
