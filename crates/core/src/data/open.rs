//! Picks the reader of a file by its name.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Table, csv, file, gz, idx, npy, npz};
use crate::Error;

/// Says what a file's name and content leave open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOptions {
    /// The bits in a row, if an npy or npz array holds them packed, eight to a byte and the first one highest.
    pub packed: Option<usize>,
    /// The array of an npz archive to read; needed if more than one has two axes.
    pub array: Option<String>,
}

impl ReadOptions {
    /// Checks what can be checked without the file.
    ///
    /// # Errors
    /// `packed` is 0, or `array` is empty.
    pub fn check(&self) -> Result<(), Error> {
        if self.packed == Some(0) {
            return Err(Error::option("packed", "1 or more bits in a row", 0));
        }
        if self.array.as_deref() == Some("") {
            return Err(Error::option("array", "a name", "nothing"));
        }
        Ok(())
    }

    /// Refuses options for what is not an array of NumPy's.
    pub(super) fn check_unused(&self, got: &str) -> Result<(), Error> {
        if self.packed.is_some() {
            return Err(Error::option("packed", "a file *.npy, *.npy.gz or *.npz", got));
        }
        self.check_no_array(got)
    }

    fn check_no_array(&self, got: &str) -> Result<(), Error> {
        match self.array {
            Some(_) => Err(Error::option("array", "a file *.npz", got)),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Npy,
    Npz,
    Csv,
    Idx,
}

/// The known endings; `.gz` may follow all but npz, which is packed by itself.
const ENDINGS: [(&str, Format); 6] = [
    (".npy", Format::Npy),
    (".npz", Format::Npz),
    (".csv", Format::Csv),
    (".data", Format::Csv),
    (".dat", Format::Csv),
    ("-ubyte", Format::Idx),
];

/// Reads a table from a file `*.npy`, `*.csv`, `*.data`, `*.dat` or `*-ubyte` (IDX), each plain or with `.gz` behind, or `*.npz`.
///
/// * IDX: unsigned bytes, grey values b / 255; the first axis counts rows, the others together are the columns.
/// * npy, npz: u8, bool, f32, f64, i32, i64, axes as in IDX. Booleans are bits, and so are unsigned bytes that are
///   all 0 or 1; other unsigned bytes are grey values b / 255. With `packed`, unsigned bytes are packed bits.
/// * CSV, also named `*.data` or `*.dat`: numbers with a decimal point, separated by commas, with or without a header line.
///
/// # Errors
/// An unknown ending; a file that cannot be read, is empty, or breaks its format; options that do not fit the
/// format; no rows or no columns; a value that is not finite. Rows and columns are counted from 0, lines of a
/// text and their columns from 1.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Table, Error> {
    options.check()?;
    let (format, packed) = format(path)?;
    let field = path.display().to_string();
    match format {
        Format::Npz => {}
        Format::Npy => options.check_no_array(&field)?,
        Format::Csv | Format::Idx => options.check_unused(&field)?,
    }
    let content = file::read(path)?;
    match format {
        Format::Npz => npz::table(&field, content, options.array.as_deref(), options.packed),
        Format::Npy => npy::table(&field, gz::unpack(&field, content, packed)?, options.packed),
        Format::Csv => csv::table(&field, &gz::unpack(&field, content, packed)?),
        Format::Idx => idx::table(&field, gz::unpack(&field, content, packed)?),
    }
}

/// Gives the format that a name tells, and whether it tells of gzip.
pub(super) fn format(path: &Path) -> Result<(Format, bool), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let (stem, packed) = name.strip_suffix(".gz").map_or((name.as_str(), false), |stem| (stem, true));
    let found = ENDINGS.into_iter().find(|(ending, _)| stem.ends_with(ending)).map(|(_, format)| format);
    match found {
        Some(format) if !(packed && format == Format::Npz) => Ok((format, packed)),
        _ => {
            let expected = "a name ending in .npy, .npy.gz, .npz, .csv, .csv.gz, .data, .data.gz, .dat, .dat.gz, -ubyte or -ubyte.gz";
            Err(Error::option("data", expected, path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use ndarray::array;
    use ndarray_npy::{NpzWriter, WriteNpyExt};

    use super::*;

    /// Writes one table in every format, plain and packed.
    fn write_all(folder: &Path) -> Vec<PathBuf> {
        let values = array![[0_u8, 51], [255, 102], [0, 204]];
        let mut npy = Vec::new();
        values.write_npy(&mut npy).unwrap();
        let mut archive = std::io::Cursor::new(Vec::new());
        let mut npz = NpzWriter::new_compressed(&mut archive);
        npz.add_array("x", &values).unwrap();
        npz.finish().unwrap();
        let idx = idx::write(&[3, 2], values.as_slice().unwrap());
        let csv = b"a,b\n0,0.2\n1,0.4\n0,0.8\n".to_vec();
        let write = |name: &str, content: &[u8]| {
            fs::write(folder.join(name), content).unwrap();
            folder.join(name)
        };
        let mut paths = vec![write("t.npz", archive.get_ref())];
        for (name, content) in
            [("t.npy", npy), ("t.data", csv.clone()), ("t.csv", csv), ("t-idx2-ubyte", idx)]
        {
            paths.push(write(name, &content));
            paths.push(write(&format!("{name}.gz"), &gz::pack(&content)));
            paths.push(write(&format!("packed-{name}"), &gz::pack(&content)));
        }
        paths
    }

    #[test]
    fn every_format_gives_the_same_values() {
        let folder = tempfile::tempdir().unwrap();
        let paths = write_all(folder.path());
        assert_eq!(paths.len(), 13);
        for path in paths {
            let table = open(&path, &ReadOptions::default()).unwrap();
            let values: Vec<f32> = (0..6).map(|i| table.value(i / 2, i % 2)).collect();
            assert_eq!((table.rows(), values), (3, vec![0.0, 0.2, 1.0, 0.4, 0.0, 0.8]), "{}", path.display());
        }
    }

    #[test]
    fn empty_and_foreign_files_are_refused_in_every_format() {
        let folder = tempfile::tempdir().unwrap();
        let contents = [
            &b""[..],
            &[0; 64],
            b"\x7fELF\x02\x01\x01\0",
            b"PK\x03\x04\x14\0",
            b"%PDF-1.7\n",
            b"\x80\x04\x95.",
        ];
        for path in write_all(folder.path()) {
            for content in contents {
                fs::write(&path, content).unwrap();
                let error = open(&path, &ReadOptions::default()).unwrap_err().to_string();
                assert!(error.contains(&path.display().to_string()), "{error}");
            }
        }
    }

    #[test]
    fn a_packed_file_cut_at_every_hundredth_byte_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t-ubyte.gz");
        let bytes: Vec<u8> = (0..40_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let whole = gz::pack(&idx::write(&[400, 100], &bytes));
        for end in (0..whole.len()).step_by(100) {
            fs::write(&path, &whole[..end]).unwrap();
            assert!(open(&path, &ReadOptions::default()).is_err(), "cut at {end}");
        }
    }

    /// Reads what lies in this repository; a packaged crate comes without it.
    #[test]
    fn the_digits_are_the_known_ones() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/digits/digits.csv.gz");
        if !path.is_file() {
            return;
        }
        let table = open(&path, &ReadOptions::default()).unwrap();
        assert_eq!((table.rows(), table.columns()), (1797, 65));
        let mut labels = [0; 10];
        (0..1797).for_each(|row| labels[table.value(row, 64) as usize] += 1);
        assert_eq!(labels, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        let sum: f32 = (0..1797 * 64).map(|i| table.value(i / 64, i % 64)).sum();
        assert_eq!(sum, 561_718.0);
    }

    #[test]
    fn an_unknown_ending_lists_the_known_ones() {
        for name in ["t.txt", "t", "t.npz.gz", "t.gz", "t.csv.bz2", "", "..", "npy"] {
            let error = open(Path::new(name), &ReadOptions::default()).unwrap_err().to_string();
            for ending in [
                ".npy",
                ".npy.gz",
                ".npz",
                ".csv",
                ".csv.gz",
                ".data",
                ".data.gz",
                ".dat",
                ".dat.gz",
                "-ubyte",
                "-ubyte.gz",
            ] {
                assert!(error.contains(ending), "{error}");
            }
        }
        assert_eq!(format(Path::new("a/B.NPY.GZ")).unwrap(), (Format::Npy, true));
    }

    #[test]
    fn options_that_do_not_fit_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        write_all(folder.path());
        let packed = ReadOptions { packed: Some(12), array: None };
        let array = ReadOptions { packed: None, array: Some("x".into()) };
        for (name, options, fits) in [
            ("t.csv", &packed, false),
            ("t-idx2-ubyte", &packed, false),
            ("t.csv", &array, false),
            ("t.npy", &array, false),
            ("t.npz", &array, true),
        ] {
            assert_eq!(open(&folder.path().join(name), options).is_ok(), fits, "{name} {options:?}");
        }
        assert!(ReadOptions { packed: Some(0), array: None }.check().is_err());
        assert!(ReadOptions { packed: None, array: Some(String::new()) }.check().is_err());
    }
}
