//! Reads the values of an IDX file one after the other, so that no more of them are held than are asked for.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{gz, idx};
use crate::Error;

/// Is an IDX file, plain or as gzip, read as far as `place`.
pub(super) struct IdxRows {
    path: PathBuf,
    source: Box<dyn Read>,
    place: usize,
}

impl IdxRows {
    /// Opens a file that must have these sides.
    pub(super) fn open(path: &Path, sides: &[usize]) -> Result<Self, Error> {
        let source = gz::reader(path, path.extension().is_some_and(|end| end == "gz"))?;
        let mut out = Self { path: path.to_path_buf(), source, place: 0 };
        let head = out.next(4 + 4 * sides.len())?;
        let field = path.display().to_string();
        idx::check_sides(&field, sides, &idx::sides(&field, &head)?)?;
        Ok(out)
    }

    /// Reads the next bytes.
    pub(super) fn next(&mut self, count: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; count];
        self.source.read_exact(&mut bytes).map_err(|e| self.refusal(format!("{count} bytes"), e))?;
        self.place += count;
        Ok(bytes)
    }

    /// Insists that everything was read.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let expected = "the end of the file, and of whole gzip data if it is that";
        match self.source.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.refusal(expected.into(), io::Error::other("further bytes"))),
            Err(e) => Err(self.refusal(expected.into(), e)),
        }
    }

    /// Tells a broken content from a failed read.
    fn refusal(&self, expected: String, error: io::Error) -> Error {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match error.kind() {
            InvalidData | InvalidInput | Other | UnexpectedEof => {
                Error::format(self.path.display(), format!("byte {}", self.place), expected, error)
            }
            _ => Error::io("read", &self.path, error),
        }
    }
}
