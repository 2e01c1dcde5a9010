//! Reads rows of packed bits from an npy file where they lie, so that data may be larger than memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use harmonium_kernels::BitMatrix;

use super::{file, npy, packed, split_last};
use crate::rows::{check_named, read_range};
use crate::{Batch, Error, Rows};

/// Holds a file of bits, `(n, visible)`, of which no row is in memory.
///
/// Rows come in the order that a training asks for, as they would from memory, so the results have the same bits. That
/// order is random: a file that neither memory nor the system's cache holds should lie on a disk that seeks fast.
#[derive(Debug)]
pub struct PackedFile {
    path: PathBuf,
    /// Seeking moves a position that all readers share.
    file: Mutex<File>,
    /// Bytes in front of the first row.
    begin: usize,
    rows: usize,
    units: usize,
}

impl PackedFile {
    /// Opens a file `*.npy`, not compressed, of unsigned bytes `(n, units.div_ceil(8))` in C order: each row `units` bits,
    /// the most significant bit of a byte first, zeros behind the last one, as `numpy.packbits(x, axis=1)` makes them.
    ///
    /// # Errors
    /// A file that can't be opened or has no such header; a width that is not that of `units`; a length that is not
    /// what the header says.
    pub fn open(path: &Path, units: usize) -> Result<Self, Error> {
        let field = path.display().to_string();
        let (file, length) = file::open(path)?;
        let mut begin = Vec::new();
        let bound = npy::HEADER_LIMIT as u64;
        (&file).take(bound).read_to_end(&mut begin).map_err(|e| Error::io("read", path, e))?;
        if begin.starts_with(&[0x1f, 0x8b]) {
            return Err(Error::format(field, "byte 0", "a plain npy file, whose rows have a place", "gzip"));
        }
        let (rows, begin) = npy::packed_head(&field, &begin, length, units)?;
        Ok(Self { path: path.to_path_buf(), file: Mutex::new(file), begin, rows, units })
    }

    /// Loads the last rows, and leaves those in front of them.
    ///
    /// # Errors
    /// Refuses to take all rows; says what could not be read.
    pub fn split_last(mut self, last: usize) -> Result<(Self, Option<Batch>), Error> {
        let (left, taken) = split_last(self.rows, last)?;
        let taken = if taken.is_empty() { None } else { Some(read_range(&self, taken)?) };
        self.rows = left.end;
        Ok((self, taken))
    }

    /// Fills `bytes` with rows that follow each other.
    fn read_run(&self, row: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let begin = self.begin as u64 + row as u64 * self.units.div_ceil(8) as u64;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let done = file.seek(SeekFrom::Start(begin)).and_then(|_| file.read_exact(bytes));
        done.map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => {
                let place = format!("row {row} (counted from 0)");
                Error::format(
                    self.path.display(),
                    place,
                    format!("{} bytes", bytes.len()),
                    "the end of the file",
                )
            }
            _ => Error::io("read", &self.path, e),
        })
    }
}

impl Rows for PackedFile {
    fn rows(&self) -> usize {
        self.rows
    }

    fn units(&self) -> usize {
        self.units
    }

    /// Walks through the file in one direction, and reads neighbours at once.
    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        check_named(rows, self.rows)?;
        let (columns, stride) = (self.units.div_ceil(8), self.units.div_ceil(64));
        let mut sorted: Vec<(u32, usize)> = rows.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let (mut words, mut bytes) = (vec![0; rows.len() * stride], Vec::new());
        for run in sorted.chunk_by(|a, b| a.0 + 1 == b.0) {
            bytes.resize(run.len() * columns, 0);
            self.read_run(run[0].0 as usize, &mut bytes)?;
            for (&(row, place), bytes) in run.iter().zip(bytes.chunks_exact(columns)) {
                packed::check_padding(self.path.display(), row as usize, bytes, self.units)?;
                let words = words[place * stride..].iter_mut();
                words.zip(packed::words(bytes)).for_each(|(to, from)| *to = from);
            }
        }
        let bits = BitMatrix::from_words(rows.len(), self.units, words);
        Batch::from_bits(bits.ok_or_else(|| Error::shape("rows", "whole rows", rows.len()))?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ndarray::Array2;
    use ndarray_npy::WriteNpyExt;
    use tempfile::TempDir;

    use super::super::{ReadOptions, Values, gz, open};
    use super::*;

    fn bits(rows: usize, units: usize) -> BitMatrix {
        BitMatrix::from_fn(rows, units, |r, u| (r * 13 + u * u * 5 + u) % 7 < 3)
    }

    /// Encodes bits as NumPy would.
    fn npy(bits: &BitMatrix) -> Vec<u8> {
        let shape = (bits.rows(), bits.units().div_ceil(8));
        let mut out = Vec::new();
        Array2::from_shape_vec(shape, packed::pack(bits)).unwrap().write_npy(&mut out).unwrap();
        out
    }

    fn written(content: &[u8]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.npy");
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    fn refusal(content: &[u8], units: usize) -> String {
        let (_folder, path) = written(content);
        PackedFile::open(&path, units).unwrap_err().to_string()
    }

    #[test]
    fn rows_are_those_of_the_loaded_file() {
        for units in [1, 7, 8, 9, 63, 64, 65, 784] {
            let (_folder, path) = written(&npy(&bits(50, units)));
            let file = PackedFile::open(&path, units).unwrap();
            let options = ReadOptions { packed: Some(units), array: None };
            let table = open(&path, &options).unwrap();
            let Values::Bits(all) = table.values() else { panic!("packed bits are bits") };
            assert_eq!((file.rows(), file.units()), (50, units));
            for named in [&[49][..], &[3, 4, 5], &[5, 4, 3], &[9, 0, 9, 9, 10, 49, 1]] {
                let expected = all.gather(named.iter().map(|&row| row as usize));
                assert_eq!(file.read(named).unwrap().bits().unwrap(), &expected);
            }
        }
    }

    #[test]
    fn the_last_rows_are_loaded_and_left_out() {
        let all = Batch::from_bits(bits(20, 12)).unwrap();
        let (_folder, path) = written(&npy(all.bits().unwrap()));
        let open = || PackedFile::open(&path, 12).unwrap();
        let (file, last) = open().split_last(5).unwrap();
        assert_eq!((file.rows(), last.unwrap()), (15, all.gather(15..20)));
        assert!(file.read(&[14]).is_ok() && file.read(&[15]).is_err());
        let (file, none) = open().split_last(0).unwrap();
        assert_eq!((file.rows(), none), (20, None));
        assert!(open().split_last(20).is_err());
    }

    #[test]
    fn a_file_that_is_not_what_its_header_says_is_refused() {
        let whole = npy(&bits(5, 12));
        for end in (1..whole.len()).step_by(3) {
            refusal(&whole[..end], 12);
        }
        assert!(refusal(&[&whole[..], &[0]].concat(), 12).contains("the values of shape [5, 2]"));
        assert!(
            refusal(&whole, 17).ends_with("expected 3 bytes a row for 17 packed bits, got 2 bytes a row")
        );
        assert!(refusal(&gz::pack(&whole), 12).ends_with("got gzip"));
        assert!(refusal(b"0,1\n", 12).contains("the npy magic"));
        let mut reals = Vec::new();
        Array2::<f32>::zeros((5, 2)).write_npy(&mut reals).unwrap();
        assert!(refusal(&reals, 12).ends_with("expected |u1 in C order, as packed bits are, got <f4"));
        let mut turned = Vec::new();
        Array2::<u8>::zeros((2, 5)).t().write_npy(&mut turned).unwrap();
        assert!(refusal(&turned, 12).ends_with("got |u1 in Fortran order"));
    }

    #[test]
    fn damage_is_found_when_its_row_is_read() {
        let mut content = npy(&bits(5, 12));
        let end = content.len();
        content[end - 3] |= 1;
        let (_folder, path) = written(&content);
        let file = PackedFile::open(&path, 12).unwrap();
        assert!(file.read(&[0, 4]).is_ok());
        let error = file.read(&[0, 3]).unwrap_err().to_string();
        assert!(error.ends_with("row 3 (counted from 0): expected zeros behind bit 12, got ones"), "{error}");
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(end as u64 - 3).unwrap();
        assert!(file.read(&[2]).is_ok());
        let error = file.read(&[4, 2]).unwrap_err();
        assert!(matches!(error.kind(), crate::ErrorKind::Format(_)), "{error}");
        assert!(
            error.to_string().ends_with("row 4 (counted from 0): expected 2 bytes, got the end of the file")
        );
    }
}
