//! Speaks to the terminal: results on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;

use harmonium::Error;

/// Prints a line on stdout.
///
/// # Errors
/// Says why it could not be written. A reader that has left, as `head` does, is no error: the work goes on.
pub(crate) fn line(text: impl Display) -> Result<(), Error> {
    match writeln!(stdout(), "{text}") {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::io("write", Path::new("stdout"), e)),
        _ => Ok(()),
    }
}

/// Writes a line to stderr. Where nobody hears it, nobody can be told so: `eprintln!` would panic.
pub(crate) fn tell(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}
