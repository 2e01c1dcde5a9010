//! Names data and loads it: a set by its name, anything else by its path.

use std::path::PathBuf;

use super::mnist::{mnist_bits, mnist_images};
use super::{Binarize, Frame, ReadOptions, binarize, mnist_folder, open};
use crate::{Batch, Error, Key, purpose};

/// Names where data comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The word `mnist`: the set that [`mnist_folder`] finds.
    Mnist,
    /// A file that [`open`] reads.
    File(PathBuf),
}

/// Chooses between the parts of a set that has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The rows to train on: all rows of a file.
    Train,
    /// The rows to test on; a file has none.
    Test,
}

impl Source {
    /// Reads `mnist`, or a path; write `./mnist` for a file of that name.
    ///
    /// # Errors
    /// An empty text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "" => Err(Error::option("data", "mnist or a path", "nothing")),
            "mnist" => Ok(Self::Mnist),
            path => Ok(Self::File(path.into())),
        }
    }

    /// Loads one part as bits, if the source has it. `key` is that of the seed.
    ///
    /// # Errors
    /// What [`open`] or [`binarize()`] refuse, or the reader of MNIST; options that do not fit the source.
    pub fn load(
        &self,
        part: Part,
        options: &ReadOptions,
        how: Binarize,
        key: Key,
    ) -> Result<Option<Batch>, Error> {
        let key = key.fold_in(purpose::BINARIZE).fold_in(u64::from(part == Part::Test));
        let bits = match self {
            Self::Mnist => {
                options.check_unused("mnist")?;
                mnist_bits(&mnist_folder()?, part, how, key)?
            }
            Self::File(_) if part == Part::Test => return Ok(None),
            Self::File(path) => binarize(&open(path, options)?, how, key)?,
        };
        Batch::from_bits(bits).map(Some)
    }

    /// Loads one part as it lies, if the source has it, for units that are no bits or for rows with gaps. `key` is that of the
    /// seed, and draws bits where `how` asks for them.
    ///
    /// # Errors
    /// As [`Source::load`], and what [`Frame::open`] refuses.
    pub fn frame(
        &self,
        part: Part,
        options: &ReadOptions,
        how: Binarize,
        key: Key,
    ) -> Result<Option<Frame>, Error> {
        let key = key.fold_in(purpose::BINARIZE).fold_in(u64::from(part == Part::Test));
        let frame = match self {
            Self::Mnist => {
                options.check_unused("mnist")?;
                Frame::Numbers("mnist".into(), mnist_images(&mnist_folder()?, part)?)
            }
            Self::File(_) if part == Part::Test => return Ok(None),
            Self::File(path) => Frame::open(path, options)?,
        };
        frame.binarized(how, key).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(source: &Source, part: Part, options: &ReadOptions) -> Result<Option<Batch>, Error> {
        source.load(part, options, Binarize::None, Key::from_seed(1))
    }

    #[test]
    fn a_name_is_told_from_a_path() {
        assert_eq!(Source::parse("mnist").unwrap(), Source::Mnist);
        assert_eq!(Source::parse("./mnist").unwrap(), Source::File("./mnist".into()));
        assert!(Source::parse("").is_err());
    }

    #[test]
    fn a_file_is_all_training_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, "0,1\n1,0\n").unwrap();
        let source = Source::File(path);
        let train = load(&source, Part::Train, &ReadOptions::default()).unwrap().expect("rows");
        assert_eq!((train.rows(), train.units()), (2, 2));
        assert_eq!(load(&source, Part::Test, &ReadOptions::default()).unwrap(), None);
    }

    #[test]
    fn options_do_not_pass_unused() {
        let options = ReadOptions { packed: Some(784), array: None };
        let error = load(&Source::Mnist, Part::Train, &options).unwrap_err().to_string();
        assert!(error.starts_with("packed:"), "{error}");
    }
}
