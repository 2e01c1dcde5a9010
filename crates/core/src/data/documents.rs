//! Holds documents as bags of words: of each only the words that it has, with their counts.

use std::io::{BufRead, BufReader};
use std::path::Path;

use ndarray::Array2;

use super::gz;
use crate::rows::check_named;
use crate::{Batch, Error, Rows};

/// The largest count of a word in a document.
const MAX_COUNT: u32 = 1_000_000;

/// The most documents and the most words of a file.
const MAX_DOCUMENTS: usize = 100_000_000;
const MAX_WORDS: usize = 65_536;

/// Holds documents, rows of counts `(n, words)`; a batch of them has its rows in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    words: usize,
    /// Where each document begins among the entries, and the end of the last.
    begins: Vec<usize>,
    /// Words from 0 and their counts.
    entries: Vec<(u32, u32)>,
}

impl Documents {
    /// Takes documents as lists of words, numbered from 0 to below `words`, with their counts.
    ///
    /// # Errors
    /// Refuses words outside that range or twice in a document, counts outside 1 to 1,000,000, and no documents.
    pub fn new(words: usize, documents: &[Vec<(u32, u32)>]) -> Result<Self, Error> {
        if documents.is_empty() || !(1..=MAX_WORDS).contains(&words) {
            let got = format!("{} of {words} words", documents.len());
            return Err(Error::shape("documents", format!("one at least, of 1 to {MAX_WORDS} words"), got));
        }
        let mut out = Self { words, begins: vec![0], entries: Vec::new() };
        for (row, document) in documents.iter().enumerate() {
            let mut sorted = document.clone();
            sorted.sort_unstable();
            for (at, &entry) in sorted.iter().enumerate() {
                let twice = at > 0 && sorted[at - 1].0 == entry.0;
                check_entry(entry, words, twice).map_err(|(expected, got)| {
                    Error::value("documents", format!("row {row}"), expected, got)
                })?;
            }
            out.entries.extend(sorted);
            out.begins.push(out.entries.len());
        }
        Ok(out)
    }

    /// Reads the bag-of-words text of the UCI repository, plain or gzipped: documents, words and entries in a line each, then
    /// `document word count` with numbers from 1.
    ///
    /// # Errors
    /// Names the first line that is wrong; says what could not be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let field = path.display().to_string();
        let named = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        let mut lines = Lines { inner: BufReader::new(gz::reader(path, named)?), path, line: 0, bytes: 0 };
        let [documents, words, entries] = [MAX_DOCUMENTS, MAX_WORDS, usize::MAX].map(|most| {
            let [number] =
                lines.numbers(&field)?.ok_or_else(|| lines.wrong(&field, "a number", "the end"))?;
            let fits = (1..=most as u64).contains(&number);
            if fits {
                Ok(number)
            } else {
                Err(lines.wrong(&field, &format!("1 to {most}"), &number.to_string()))
            }
        });
        let (documents, words, entries) = (documents? as usize, words? as usize, entries?);
        let mut found: Vec<(usize, u32, u32)> = Vec::new();
        while let Some([document, word, count]) = lines.numbers(&field)? {
            let fits = (1..=documents as u64).contains(&document) && (1..=words as u64).contains(&word);
            let Some(count) = u32::try_from(count).ok().filter(|_| fits) else {
                let got = format!("{document} {word} {count}");
                return Err(lines.wrong(
                    &field,
                    &format!("a document of {documents}, a word of {words}"),
                    &got,
                ));
            };
            found.push((document as usize - 1, word as u32 - 1, count));
        }
        if found.len() as u64 != entries {
            return Err(Error::format(field, "", format!("{entries} entries"), found.len()));
        }
        // Documents without words take no line: a header alone must not fill the memory.
        if documents as u64 > mutant!("B207", lines.bytes, u64::MAX) {
            let expected = format!("at most as many documents as the text has bytes, {}", lines.bytes);
            return Err(Error::format(field, "line 1", expected, documents));
        }
        let mut bags = vec![Vec::new(); documents];
        found.into_iter().for_each(|(document, word, count)| bags[document].push((word, count)));
        Self::new(words, &bags)
    }

    /// Copies the named documents, in the order given.
    ///
    /// # Errors
    /// Refuses no document, and one that is not there.
    pub fn gather(&self, rows: &[u32]) -> Result<Self, Error> {
        check_named(rows, self.rows())?;
        let bags: Vec<Vec<(u32, u32)>> =
            rows.iter().map(|&row| self.document(row as usize).to_vec()).collect();
        Self::new(self.words, &bags)
    }

    /// Gives the words of a document and their counts, in the order of the words.
    ///
    /// # Panics
    /// If there is no such document.
    pub fn document(&self, row: usize) -> &[(u32, u32)] {
        &self.entries[self.begins[row]..self.begins[row + 1]]
    }
}

/// Says what is wrong with an entry: what was expected, and what was got.
fn check_entry((word, count): (u32, u32), words: usize, twice: bool) -> Result<(), (String, String)> {
    if word as usize >= words || twice {
        let got = format!("{word}{}", if twice { " twice" } else { "" });
        return Err((format!("words below {words}, each once"), got));
    }
    if (1..=MAX_COUNT).contains(&count) {
        Ok(())
    } else {
        Err((format!("1 to {MAX_COUNT}"), count.to_string()))
    }
}

/// Reads lines of numbers one after the other.
struct Lines<'a, R> {
    inner: R,
    path: &'a Path,
    line: usize,
    /// Bytes read so far.
    bytes: u64,
}

impl<R: BufRead> Lines<'_, R> {
    /// Gives the numbers of the next line that is not empty; nothing at the end.
    fn numbers<const N: usize>(&mut self, field: &str) -> Result<Option<[u64; N]>, Error> {
        let mut text = String::new();
        loop {
            text.clear();
            self.line += 1;
            // No line of three numbers is longer, and a file without line ends must not fill the memory.
            let read = std::io::Read::take(&mut self.inner, 256).read_line(&mut text);
            let read = read.map_err(|e| Error::io("read", self.path, e))?;
            self.bytes += read as u64;
            if read == 0 {
                return Ok(None);
            }
            if !text.trim().is_empty() {
                break;
            }
        }
        let numbers: Option<Vec<u64>> = text.split_whitespace().map(|word| word.parse().ok()).collect();
        match numbers.and_then(|numbers| numbers.try_into().ok()) {
            Some(numbers) => Ok(Some(numbers)),
            None => Err(self.wrong(field, &format!("{N} whole numbers"), text.trim())),
        }
    }

    fn wrong(&self, field: &str, expected: &str, got: &str) -> Error {
        Error::format(field, format!("line {}", self.line), expected, got)
    }
}

impl Rows for Documents {
    fn rows(&self) -> usize {
        self.begins.len() - 1
    }

    fn units(&self) -> usize {
        self.words
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        check_named(rows, self.rows())?;
        let mut counts = Array2::zeros((rows.len(), self.words));
        for (to, &row) in rows.iter().enumerate() {
            for &(word, count) in self.document(row as usize) {
                counts[(to, word as usize)] = count as f32;
            }
        }
        Batch::reals(counts)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn documents_come_back_as_rows() {
        let documents = Documents::read(file("3\n4\n4\n1 2 5\n3 4 1\n1 1 2\n3 1 7\n").path()).unwrap();
        assert_eq!((documents.rows(), documents.units()), (3, 4));
        assert_eq!(documents.document(0), [(0, 2), (1, 5)]);
        let some = documents.read(&[2, 0, 1]).unwrap().to_array();
        assert_eq!(some, array![[7.0, 0.0, 0.0, 1.0], [2.0, 5.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]);
        assert_eq!(documents.gather(&[2]).unwrap().document(0), documents.document(2));
        assert!(documents.read(&[3]).is_err() && documents.gather(&[]).is_err());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        for (text, said) in [
            ("", "an empty file"),
            ("3\n", "line 2: expected a number, got the end"),
            ("3\n4 4\n", "line 2: expected 1 whole numbers, got 4 4"),
            ("0\n4\n1\n", "line 1: expected 1 to 100000000, got 0"),
            ("3\n4\n1\n1 2\n", "line 4: expected 3 whole numbers, got 1 2"),
            ("3\n4\n1\n1 5 1\n", "line 4: expected a document of 3, a word of 4, got 1 5 1"),
            ("3\n4\n1\n1 -1 1\n", "line 4: expected 3 whole numbers, got 1 -1 1"),
            ("3\n4\n2\n1 2 1\n", "expected 2 entries, got 1"),
            ("3\n4\n2\n1 2 1\n1 2 1\n", "expected words below 4, each once, got 1 twice"),
            (
                "90000000\n4\n1\n1 2 3\n",
                "line 1: expected at most as many documents as the text has bytes, 19, got 90000000",
            ),
            ("3\n4\n1\n1 2 0\n", "expected 1 to 1000000, got 0"),
        ] {
            let error = Documents::read(file(text).path()).unwrap_err().to_string();
            assert!(error.ends_with(said), "{text:?}: {error}");
        }
    }
}
