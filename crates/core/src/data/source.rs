//! Names data and loads it: a set by its name, anything else by its path.

use std::path::PathBuf;

use super::{ReadOptions, Table, mnist, mnist_folder, open};
use crate::Error;

/// Names where data comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The word `mnist`: the set that [`mnist_folder`] finds.
    Mnist,
    /// A file that [`open`] reads.
    File(PathBuf),
}

/// Holds the rows that a [`Source`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// The rows to train on: all rows of a file.
    pub train: Table,
    /// The rows to test on; a file has none.
    pub test: Option<Table>,
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
}

/// Loads the tables of a source.
///
/// # Errors
/// What [`mnist`] or [`open`] refuse; options that do not fit the source.
pub fn load_tables(source: &Source, options: &ReadOptions) -> Result<Tables, Error> {
    match source {
        Source::Mnist => {
            options.check_unused("mnist")?;
            let set = mnist(&mnist_folder()?)?;
            Ok(Tables { train: set.train, test: Some(set.test) })
        }
        Source::File(path) => Ok(Tables { train: open(path, options)?, test: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let tables = load_tables(&Source::File(path), &ReadOptions::default()).unwrap();
        assert_eq!((tables.train.rows(), tables.test), (2, None));
    }

    #[test]
    fn options_do_not_pass_unused() {
        let options = ReadOptions { packed: Some(784), array: None };
        assert!(load_tables(&Source::Mnist, &options).unwrap_err().to_string().starts_with("packed:"));
    }
}
