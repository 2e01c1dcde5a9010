//! Saves models and checkpoints so that a file is old or new, never torn.
//!
//! The rule of reading is *validate, then allocate*: no length, count or name of a file is believed before
//! it was compared with the real size of the file and the checksums over it. The byte layout is in
//! `FORMAT.md`; [`archive`] is the door, and everything that touches a disk goes through a [`Vfs`].

pub mod archive;
pub mod checkpoints;
mod compose;
mod container;
pub mod digest;
#[cfg(test)]
mod doubles;
mod encode;
mod layout;
pub mod npz;
pub mod safetensors;
pub mod save;
pub mod tensor;
#[cfg(test)]
mod tests;
pub mod vfs;

pub use archive::{Loaded, load, save};
pub use checkpoints::{Checkpoints, Newest, Skipped, newest};
pub use digest::{digest, digest_bits, digest_rows};
pub use layout::Kind;
pub use npz::export_npz;
pub use safetensors::export_safetensors;
pub use save::{write_atomically, write_bytes_atomically};
pub use tensor::{Tensor, Values};
pub use vfs::{RealVfs, Vfs};
