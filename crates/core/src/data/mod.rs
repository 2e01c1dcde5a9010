//! Reads data sets, makes bits of them and hands them out in batches.
//!
//! A file becomes a [`Table`] ([`open`]), a table becomes bits ([`binarize()`]). For other units a file becomes a [`Frame`], and a
//! [`Schema`] says what its columns are, which may have gaps. Each epoch walks over the rows in
//! an order of its own ([`shuffled`], [`Batches`]). Nothing here keeps a generator: what is drawn depends on a key
//! and on the place of the row.

mod alignment;
mod batches;
mod binarize;
mod cells;
mod csv;
mod documents;
mod drawn;
mod fields;
mod file;
mod frame;
mod gz;
mod idx;
mod idx_rows;
mod kind;
mod marginals;
mod mnist;
mod npy;
mod npz;
mod open;
mod packed;
mod packed_file;
mod ratings;
mod scale;
mod schema;
mod settle;
mod source;
mod split;
mod table;
mod weighted;

pub use alignment::{fasta, identity_weights};
pub use batches::{Batches, shuffled};
pub use binarize::{Binarize, binarize};
pub use cells::{Cell, Cells};
pub use documents::Documents;
pub use drawn::Drawn;
pub use fields::{Field, Fields};
pub use frame::Frame;
pub use gz::text;
pub use kind::Kind;
pub use marginals::{marginals, standardise};
pub use mnist::{DATA_VARIABLE, Mnist, mnist, mnist_folder};
pub use open::{ReadOptions, open};
pub use packed_file::PackedFile;
pub use ratings::{MAX_LEVELS, RatedRows, Rating, Ratings, ReadRatings, Scale};
pub use scale::scaled;
pub use schema::{Column, Role, Schema};
pub use source::{Part, Source};
pub use split::{fold, split_last};
pub use table::{Table, Values};
pub use weighted::{Weighted, order};
