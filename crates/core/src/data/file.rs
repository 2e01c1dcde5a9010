//! Reads a file whole, within a bound.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::Error;

/// The most bytes a file may hold, or unpack to: 8 GiB.
pub(super) const LIMIT: u64 = 1 << 33;

/// Opens a regular file, and gives its length; a pipe or a device could block or never end.
pub(super) fn open(path: &Path) -> Result<(File, u64), Error> {
    let facts = fs::metadata(path).map_err(|e| Error::io("open", path, e))?;
    if !facts.is_file() {
        return Err(Error::format(path.display(), "", "a regular file", "a folder, a pipe or a device"));
    }
    if facts.len() == 0 {
        return Err(Error::format(path.display(), "", "data", "an empty file"));
    }
    Ok((File::open(path).map_err(|e| Error::io("open", path, e))?, facts.len()))
}

/// Reads a regular file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_bounded(open(path)?.0, Vec::new()).map_err(|e| Error::io("read", path, e))
}

/// Appends all that a reader gives. `read_to_end` reserves with `try_reserve`, so want of memory is an error.
pub(super) fn read_bounded(reader: impl Read, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let room = (LIMIT + 1).saturating_sub(bytes.len() as u64);
    reader.take(room).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {LIMIT} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_absent_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("a regular file"));
        let absent = read(&folder.path().join("absent")).unwrap_err();
        assert!(matches!(absent.kind(), crate::ErrorKind::Io { operation: "open", .. }), "{absent}");
    }

    #[test]
    fn an_empty_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(read(file.path()).unwrap_err().to_string().ends_with("expected data, got an empty file"));
    }
}
