//! Reports what was refused: the field, the place, what was expected and what was got.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

/// Reports why a value, an option or a file was refused.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: Box<ErrorKind>,
}

/// Describes one refusal in the four parts that a reader needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The option, array or part of a file that is wrong.
    pub field: String,
    /// Where in it; empty where the field is the place.
    pub place: String,
    /// What would have been right.
    pub expected: String,
    /// What was there instead.
    pub got: String,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, place, expected, got } = self;
        let at = if place.is_empty() { "" } else { " at " };
        write!(f, "{field}{at}{place}: expected {expected}, got {got}")
    }
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option outside its range or an unknown one: wrong use.
    #[error("{0}")]
    Option(Fault),
    /// A value in data or parameters that the model cannot take.
    #[error("{0}")]
    Value(Fault),
    /// Arrays whose shapes do not fit each other or the model.
    #[error("{0}")]
    Shape(Fault),
    /// A file whose content breaks its format.
    #[error("{0}")]
    Format(Fault),
    /// A training that ran away; the model holds its last good state.
    #[error("training diverged: {0}")]
    Diverged(Fault),
    /// An estimate too uncertain to be given out.
    #[error("{0}")]
    Uncertain(Fault),
    /// An operation of the file system that failed.
    #[error("{operation} {}: {source}", path.display())]
    Io {
        /// What was tried: open, read, write, sync, rename and so on.
        operation: &'static str,
        /// The file it was tried on.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// Gives what went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Refuses an option: `Error::option("batch", "1 or more", 0)`.
    pub fn option(field: impl Display, expected: impl Display, got: impl Display) -> Self {
        ErrorKind::Option(fault(field, "", expected, got)).into()
    }

    /// Refuses a value at a place, say `"row 3, column 5"`.
    pub fn value(
        field: impl Display,
        place: impl Display,
        expected: impl Display,
        got: impl Display,
    ) -> Self {
        ErrorKind::Value(fault(field, place, expected, got)).into()
    }

    /// Refuses a shape.
    pub fn shape(field: impl Display, expected: impl Display, got: impl Display) -> Self {
        ErrorKind::Shape(fault(field, "", expected, got)).into()
    }

    /// Refuses a file's content at a place, say `"byte 16"` or `"line 7"`; the field names the file.
    pub fn format(
        field: impl Display,
        place: impl Display,
        expected: impl Display,
        got: impl Display,
    ) -> Self {
        ErrorKind::Format(fault(field, place, expected, got)).into()
    }

    /// Reports a training that ran away in `field` at `place`, say `"step 812"`.
    pub fn diverged(
        field: impl Display,
        place: impl Display,
        expected: impl Display,
        got: impl Display,
    ) -> Self {
        ErrorKind::Diverged(fault(field, place, expected, got)).into()
    }

    /// Withholds an estimate.
    pub fn uncertain(field: impl Display, expected: impl Display, got: impl Display) -> Self {
        ErrorKind::Uncertain(fault(field, "", expected, got)).into()
    }

    /// Reports a failed operation on a file.
    pub fn io(operation: &'static str, path: &Path, source: std::io::Error) -> Self {
        ErrorKind::Io { operation, path: path.to_path_buf(), source }.into()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind: Box::new(kind) }
    }
}

fn fault(field: impl Display, place: impl Display, expected: impl Display, got: impl Display) -> Fault {
    Fault {
        field: field.to_string(),
        place: place.to_string(),
        expected: expected.to_string(),
        got: got.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_field_place_expected_and_got() {
        let error = Error::value("pixels", "row 3, column 5", "0 or 1", f32::NAN);
        assert_eq!(error.to_string(), "pixels at row 3, column 5: expected 0 or 1, got NaN");
        assert_eq!(Error::option("batch", "1 or more", 0).to_string(), "batch: expected 1 or more, got 0");
    }
}
