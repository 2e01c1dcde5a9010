//! Keeps a table as its text: numbers, words and gaps, until a schema says what they are.

use std::path::Path;

use ::csv::{ByteRecord, ReaderBuilder, Trim};

use super::csv::{BYTE_ORDER_MARK, check_lines, check_width, shown};
use super::table::check_sides;
use super::{Binarize, Table, file, gz};
use crate::Error;

/// What stands for a missing value; `nan` in any case does so, too.
const GAPS: [&str; 6] = ["", "NA", "N/A", "?", "null", "None"];

/// Holds the cells of comma-separated text, `(rows, columns)`, and the names of the columns if there is a header.
///
/// A first line is a header if none of its cells is a number or missing, one begins with a letter or an underscore, and one does
/// not stand in its column again. Where cells are empty, as above an index without a name, one of its words must stand above nothing but
/// numbers and gaps; columns without a name then go by their numbers, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    field: String,
    names: Option<Vec<String>>,
    columns: usize,
    text: String,
    /// Where each cell ends in the text.
    ends: Vec<usize>,
}

/// Says what a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing: the value is missing.
    Gap,
    /// A finite number.
    Number(f32),
    /// Anything else.
    Word(&'a str),
}

impl<'a> Cell<'a> {
    /// Reads a cell. Numbers beyond the range of 32-bit reals are words.
    pub fn read(text: &'a str) -> Self {
        if GAPS.contains(&text) || text.eq_ignore_ascii_case("nan") {
            return mutant!("B124", Self::Gap, Self::Number(0.0));
        }
        match text.parse::<f32>() {
            Ok(x) if x.is_finite() => Self::Number(x),
            _ => Self::Word(text),
        }
    }
}

impl Cells {
    /// Reads a file `*.csv` or `*.data`, plain or with `.gz` behind.
    ///
    /// # Errors
    /// A file that cannot be read; lines of different lengths, empty lines, no rows.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let field = path.display().to_string();
        let packed = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        Self::parse(&field, &gz::unpack(&field, file::read(path)?, packed)?)
    }

    fn parse(field: &str, content: &[u8]) -> Result<Self, Error> {
        let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content).trim_ascii_end();
        check_lines(field, text)?;
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text);
        let mut out =
            Self { field: field.into(), names: None, columns: 0, text: String::new(), ends: Vec::new() };
        for (line, record) in reader.into_byte_records().enumerate() {
            let record = record.map_err(|e| Error::format(field, "", "readable text", e))?;
            out.take(line + 1, &record)?;
        }
        out.unname();
        check_sides(field, out.rows(), out.columns)?;
        Ok(out)
    }

    /// Takes a first line for a row after all if each of its words stands in its column again.
    fn unname(&mut self) {
        let Some(names) = self.names.take() else { return };
        if self.is_named(&names) {
            let number = |(column, name): (usize, String)| {
                if name.is_empty() { (column + 1).to_string() } else { name }
            };
            self.names = Some(names.into_iter().enumerate().map(number).collect());
            return;
        }
        let first = names.concat();
        let ends = names.iter().scan(0, |end, name| {
            *end += name.len();
            Some(*end)
        });
        self.ends = ends.chain(self.ends.iter().map(|end| end + first.len())).collect();
        self.text.insert_str(0, &first);
    }

    /// Tells whether a first line of words names the columns.
    fn is_named(&self, names: &[String]) -> bool {
        if !names.iter().any(String::is_empty) {
            let again =
                |(column, name): (usize, &String)| (0..self.rows()).any(|row| self.text(row, column) == name);
            return !names.iter().enumerate().all(again);
        }
        let cells = |column: usize| (0..self.rows()).map(move |row| Cell::read(self.text(row, column)));
        let numbers = |column: usize| {
            cells(column).all(|cell| !matches!(cell, Cell::Word(_)))
                && cells(column).any(|cell| matches!(cell, Cell::Number(_)))
        };
        names.iter().enumerate().any(|(column, name)| !name.is_empty() && numbers(column))
    }

    fn take(&mut self, line: usize, record: &ByteRecord) -> Result<(), Error> {
        let cell = |(index, cell)| -> Result<&str, Error> {
            let place = || format!("line {line}, column {} (counted from 1)", index + 1);
            std::str::from_utf8(cell)
                .map_err(|_| Error::format(&self.field, place(), "UTF-8 text", shown(cell)))
        };
        let cells = record.iter().enumerate().map(cell).collect::<Result<Vec<&str>, Error>>()?;
        if line == 1 {
            self.columns = cells.len();
            if is_header(&cells) {
                self.names = Some(cells.into_iter().map(str::to_owned).collect());
                return Ok(());
            }
        }
        check_width(&self.field, line, self.columns, cells.len())?;
        for cell in cells {
            self.text.push_str(cell);
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// Gives the number of rows, without the header.
    pub fn rows(&self) -> usize {
        self.ends.len() / self.columns.max(1)
    }

    /// Gives the number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Gives the names of the columns, if the text begins with them.
    pub fn names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }

    /// Gives the text of a cell, blanks around it left out.
    ///
    /// # Panics
    /// If the row or the column is outside the table.
    pub fn text(&self, row: usize, column: usize) -> &str {
        assert!(column < self.columns, "column {column} of {}", self.columns);
        let index = row * self.columns + column;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    /// Names the file.
    pub(super) fn field(&self) -> &str {
        &self.field
    }

    /// Gives the numbers, where there is nothing else.
    ///
    /// # Errors
    /// Names the first cell that is no number.
    pub(super) fn table(&self, how: Binarize) -> Result<Table, Error> {
        let mut values = Vec::with_capacity(self.ends.len());
        for (row, column) in (0..self.rows()).flat_map(|r| (0..self.columns).map(move |c| (r, c))) {
            let text = self.text(row, column);
            let Cell::Number(x) = Cell::read(text) else {
                let expected = format!("a number, as --binarize {how} takes no missing values and no words");
                return Err(Error::value(
                    &self.field,
                    self.place(row, column),
                    expected,
                    shown(text.as_bytes()),
                ));
            };
            values.push(x);
        }
        Table::from_reals(&self.field, self.rows(), self.columns, values)
    }

    /// Names a place as a reader of the text counts it: lines and columns from 1.
    pub(super) fn place(&self, row: usize, column: usize) -> String {
        let name = self.names.as_ref().map_or(String::new(), |names| format!(" ({})", names[column]));
        format!("line {}, column {}{name}", row + 1 + usize::from(self.names.is_some()), column + 1)
    }
}

fn is_header(cells: &[&str]) -> bool {
    let word =
        |cell: &&str| matches!(Cell::read(cell), Cell::Word(_)) || mutant!("B204", cell.is_empty(), false);
    let named = |cell: &&str| cell.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    cells.iter().all(word) && cells.iter().any(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Cells {
        Cells::parse("f", text.as_bytes()).unwrap()
    }

    #[test]
    fn cells_are_gaps_numbers_and_words() {
        for gap in ["", "NA", "?", "NaN", "nan", "N/A", "null"] {
            assert_eq!(Cell::read(gap), Cell::Gap, "{gap:?}");
        }
        assert_eq!(Cell::read("-2.5e1"), Cell::Number(-25.0));
        for word in ["north", "0x1p3", "1e400", "inf", "-"] {
            assert_eq!(Cell::read(word), Cell::Word(word));
        }
    }

    #[test]
    fn text_comes_back_as_it_stood() {
        let cells = read("\u{feff}id, region\r\n007,\"north, far\"\r\n ,?\r\n");
        assert_eq!((cells.rows(), cells.columns()), (2, 2));
        assert_eq!(cells.names().unwrap(), ["id", "region"]);
        assert_eq!([cells.text(0, 0), cells.text(0, 1), cells.text(1, 0)], ["007", "north, far", ""]);
        assert_eq!(cells.place(1, 1), "line 3, column 2 (region)");
    }

    #[test]
    fn a_line_with_a_number_or_a_gap_is_no_header() {
        for text in ["a,1\nb,2\n", "?,a\nb,c\n", ",a\nb,c\n", "1,2\n3,4\n"] {
            let cells = read(text);
            assert_eq!((cells.rows(), cells.names()), (2, None), "{text:?}");
        }
        // Above an index without a name, as many programs write one, stands an empty cell.
        let indexed = read(",x,y\n0,1.5,north\n1,,south\n");
        assert_eq!((indexed.rows(), indexed.names().unwrap()), (2, &["1", "x", "y"].map(str::to_owned)[..]));
        assert_eq!([indexed.text(0, 0), indexed.text(1, 2)], ["0", "south"]);
        assert_eq!((read("a,,b\n1,2,3\n").rows(), read("a,,b\nc,,d\n").rows()), (1, 2));
        assert_eq!(read("a,b\nc,d\n").rows(), 1);
        let words = read("north,y\nsouth,n\nnorth,y\n");
        assert_eq!((words.rows(), words.text(0, 0), words.text(2, 1)), (3, "north", "y"));
    }

    #[test]
    fn broken_text_is_refused() {
        for (text, words) in [
            (&b"1,2\n3\n"[..], "line 2, column 2: expected 2 fields"),
            (b"1,2\n\n3,4\n", "expected a row of numbers, got an empty line"),
            (b"a,b\n", "one row and one column at least"),
            (b"", "one row and one column at least"),
            (b"1,\xff\n", "line 1, column 2 (counted from 1): expected UTF-8"),
        ] {
            let error = Cells::parse("f", text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
