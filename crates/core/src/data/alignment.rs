//! Reads aligned sequences as classes, and weighs them by how many others are like them.

use std::io::{BufRead, BufReader};
use std::path::Path;

use harmonium_kernels::parallel;
use ndarray::{Array2, ArrayView1, ArrayView2};

use super::gz;
use crate::Error;

/// Reads the aligned sequences of a FASTA file, plain or gzipped, as classes: `(sequences, sites)`. Class c is the c-th symbol
/// of the alphabet; lines that begin with `>` name the sequence after them, which may take several lines.
///
/// # Errors
/// Names the line of the first symbol outside the alphabet and the first sequence of another length; says what could not be
/// read.
pub fn fasta(path: &Path, alphabet: &str) -> Result<Array2<u16>, Error> {
    let gzipped = path.extension().is_some_and(|ending| ending == "gz");
    let (mut sequences, mut begins) = (Vec::<u16>::new(), Vec::new());
    for (number, line) in BufReader::new(gz::reader(path, gzipped)?).lines().enumerate() {
        let line = line.map_err(|e| Error::io("read", path, e))?;
        if line.starts_with('>') {
            begins.push(sequences.len());
            continue;
        }
        let place = || format!("line {}", number + 1);
        if begins.is_empty() && !line.trim().is_empty() {
            return Err(Error::format(
                path.display(),
                place(),
                "a name after > before its sequence",
                line.trim(),
            ));
        }
        for symbol in line.trim().chars() {
            let class = alphabet.chars().position(|known| known == symbol);
            let wrong = || Error::value(path.display(), place(), format!("one of {alphabet}"), symbol);
            sequences.push(class.ok_or_else(wrong)? as u16);
        }
    }
    shaped(path, sequences, &begins)
}

/// Makes rows of sequences that all have the length of the first.
fn shaped(path: &Path, sequences: Vec<u16>, begins: &[usize]) -> Result<Array2<u16>, Error> {
    let ends = begins.iter().skip(1).copied().chain([sequences.len()]);
    let lengths: Vec<usize> = begins.iter().zip(ends).map(|(begin, end)| end - begin).collect();
    let sites = lengths.first().copied().unwrap_or(0);
    if sites == 0 {
        return Err(Error::shape(path.display(), "sequences", "none"));
    }
    if let Some(row) = lengths.iter().position(|&length| length != sites) {
        let expected = format!("{sites} sites, as the first");
        return Err(Error::value(path.display(), format!("sequence {}", row + 1), expected, lengths[row]));
    }
    let shape = (begins.len(), sites);
    Array2::from_shape_vec(shape, sequences).map_err(|e| Error::shape(path.display(), "whole sequences", e))
}

/// Weighs each sequence by 1 / (number of sequences, itself among them, that agree with it at this share of the sites or
/// more): `(sequences, sites) → sequences` (Morcos et al. 2011). The sum is the effective number of sequences.
///
/// Takes time in the square of the number of sequences.
///
/// # Errors
/// Refuses a share outside (0, 1].
#[allow(clippy::needless_pass_by_value)] // A view is as small as a reference to it.
pub fn identity_weights(sequences: ArrayView2<'_, u16>, identity: f64) -> Result<Vec<f32>, Error> {
    if !(identity > 0.0 && identity <= 1.0) {
        return Err(Error::option("identity", "above 0 and up to 1", identity));
    }
    let least = libm::ceil(identity * sequences.ncols() as f64 - 1e-9) as usize;
    let alike = |a: ArrayView1<'_, u16>, b: ArrayView1<'_, u16>| {
        a.iter().zip(b).filter(|(a, b)| a == b).count() >= least
    };
    Ok(parallel::map(sequences.nrows(), |row| {
        let own = sequences.row(row);
        1.0 / sequences.rows().into_iter().filter(|other| alike(own, *other)).count() as f32
    }))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn read(text: &str) -> Result<Array2<u16>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("family.fasta");
        std::fs::write(&file, text).unwrap();
        fasta(&file, "-AC")
    }

    #[test]
    fn symbols_are_classes_in_the_order_of_the_alphabet() {
        assert_eq!(read(">a\nAC\n-\n>b\nCCA\n").unwrap(), array![[1, 2, 0], [2, 2, 1]]);
    }

    #[test]
    fn what_is_no_alignment_is_refused() {
        for (text, said) in [
            (">a\nAC\n>b\nAX\n", "line 4: expected one of -AC, got X"),
            (">a\nAC\n>b\nA\n", "sequence 2: expected 2 sites, as the first, got 1"),
            ("AC\n", "line 1: expected a name after > before its sequence, got AC"),
            ("", "expected data, got an empty file"),
            (">a\n", "expected sequences, got none"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.ends_with(said), "{error}");
        }
    }

    /// Rows 0 and 1 agree at 4 of 5 sites, row 2 with none.
    #[test]
    fn sequences_that_are_alike_share_a_weight() {
        let rows = array![[1, 1, 1, 1, 1], [1, 1, 1, 1, 0], [2, 2, 2, 2, 2]];
        assert_eq!(identity_weights(rows.view(), 0.8).unwrap(), [0.5, 0.5, 1.0]);
        assert_eq!(identity_weights(rows.view(), 0.9).unwrap(), [1.0; 3]);
        assert!(identity_weights(rows.view(), 0.0).is_err());
    }
}
