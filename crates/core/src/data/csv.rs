//! Reads tables of numbers from comma-separated text.
//!
//! Lines end in LF, CRLF or CR; a byte order mark is passed over. A first line without any number is a header if
//! one of its fields begins with a letter or an underscore: `0x1p3` is thus a bad number and not a heading.

use ::csv::{ByteRecord, ReaderBuilder, Trim};

use super::Table;
use crate::Error;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The most characters of a bad field that an error shows.
const SHOWN: usize = 40;

/// Reads a table. Errors name the line and the field of the text, both counted from 1.
pub(super) fn table(field: &str, content: &[u8]) -> Result<Table, Error> {
    let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content).trim_ascii_end();
    check_lines(field, text)?;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text);
    let (mut record, mut values) = (ByteRecord::new(), Vec::new());
    let (mut line, mut columns, mut rows) = (0_usize, None, 0_usize);
    while reader.read_byte_record(&mut record).map_err(|e| Error::format(field, "", "readable text", e))? {
        line += 1;
        check_width(field, line, *columns.get_or_insert(record.len()), record.len())?;
        if line > 1 || !is_header(&record) {
            append(field, line, &record, &mut values)?;
            rows += 1;
        }
    }
    Table::from_reals(field, rows, columns.unwrap_or(0), values)
}

/// Refuses an empty line before the last one: the csv crate would drop it, and rows would slip against labels.
pub(super) fn check_lines(field: &str, text: &[u8]) -> Result<(), Error> {
    let lines = text
        .split(|&byte| byte == b'\n')
        .flat_map(|line| line.strip_suffix(b"\r").unwrap_or(line).split(|&byte| byte == b'\r'));
    match lines.into_iter().position(|line| line.trim_ascii().is_empty()) {
        Some(index) if !text.is_empty() => {
            Err(Error::format(field, format!("line {}", index + 1), "a row of numbers", "an empty line"))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_width(field: &str, line: usize, expected: usize, got: usize) -> Result<(), Error> {
    if got == expected {
        return Ok(());
    }
    let place = format!("line {line}, column {}", expected.min(got) + 1);
    Err(Error::format(field, place, format!("{expected} fields, as in line 1"), format!("{got} fields")))
}

fn is_header(record: &ByteRecord) -> bool {
    let named = |cell: &[u8]| {
        let first = std::str::from_utf8(cell).ok().and_then(|text| text.chars().next());
        first.is_some_and(|c| c.is_alphabetic() || c == '_')
    };
    !record.iter().any(|cell| number(cell).is_some()) && record.iter().any(named)
}

fn append(field: &str, line: usize, record: &ByteRecord, values: &mut Vec<f32>) -> Result<(), Error> {
    for (index, cell) in record.iter().enumerate() {
        let value = number(cell).filter(|value| value.is_finite()).ok_or_else(|| {
            let place = format!("line {line}, column {} (counted from 1)", index + 1);
            Error::format(field, place, "a finite number with a decimal point", shown(cell))
        })?;
        values.push(value);
    }
    Ok(())
}

fn number(cell: &[u8]) -> Option<f32> {
    std::str::from_utf8(cell).ok()?.parse().ok()
}

pub(super) fn shown(cell: &[u8]) -> String {
    if cell.is_empty() {
        return "an empty field".into();
    }
    let text = String::from_utf8_lossy(&cell[..cell.len().min(4 * SHOWN)]);
    format!("{:?}", text.chars().take(SHOWN).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl AsRef<[u8]>) -> Result<Table, Error> {
        table("f", text.as_ref())
    }

    fn refused(text: impl AsRef<[u8]>) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn every_legal_spelling_reads_the_same() {
        let right = Table::from_reals("f", 2, 2, vec![0.0, 0.5, -1.0, 20.0]).unwrap();
        for text in [
            "0,0.5\n-1,2e1\n",
            "0,0.5\n-1,20",
            "0,0.5\r\n-1,20\r\n",
            "0,0.5\r-1,20\r",
            "\u{feff}0,.5\n-1.0,+20\n",
            " 0 ,\t0.5\n\"-1\",20\n\n\n  \n",
            "a,b\n0,0.5\n-1,20\n",
            "\u{feff}\"pixel, first\",_2\r\n0,0.5\r\n-1,20\r\n",
            "größe,2nd\n0,0.5\n-1,20\n",
            "-0,5e-1\n-1,2.0e+1\n",
        ] {
            assert_eq!(read(text).unwrap(), right, "{text:?}");
        }
    }

    #[test]
    fn a_bad_field_is_named_with_line_and_column() {
        for bad in [
            "1e400",
            "-1e39",
            "NaN",
            "inf",
            "-Infinity",
            "0x1p3",
            "1_000",
            "\"1,000\"",
            "\"0,5\"",
            "x",
            "1 2",
        ] {
            let error = refused(format!("0,1\n2,{bad}\n"));
            assert!(
                error.starts_with("f at line 2, column 2 (counted from 1): expected a finite"),
                "{error}"
            );
        }
        assert!(refused("0,1\n2,\n").ends_with(
            "column 2 (counted from 1): expected a finite number with a decimal point, got an empty field"
        ));
        assert!(refused("a,b\r\n0,1\r\n2,?\r\n").contains("line 3, column 2"));
        assert!(refused(b"0,1\n\xff\xfe,1\n").contains("line 2, column 1"));
    }

    #[test]
    fn a_first_line_of_bad_numbers_is_no_header() {
        for text in [
            "0x1p3\n1\n",
            "\"0,5\",\"0,7\"\n1,2\n",
            ",\n1,2\n",
            "1e400,nan\n1,2\n",
            "nan,nan\n1,2\n",
            "\0,\0\n1,2\n",
        ] {
            assert!(refused(text).contains("line 1, column 1"), "{text:?}");
        }
        assert!(refused("a,1\n1,2\n").contains("line 1, column 1"));
    }

    #[test]
    fn ragged_rows_and_empty_lines_name_their_line() {
        assert_eq!(
            refused("0,1\n2,3\n4\n"),
            "f at line 3, column 2: expected 2 fields, as in line 1, got 1 fields"
        );
        assert!(refused("0,1\n2,3,4\n").contains("line 2, column 3"));
        assert!(refused("a,b,c\n1,2\n").contains("line 2"));
        assert!(refused("0,5,0\n0,5,1,0\n").contains("line 2"));
        for text in ["0\n\n1\n", "0\r\n\r\n1", "0\r\r1", "0\n  \n1"] {
            assert!(
                refused(text).contains("line 2: expected a row of numbers, got an empty line"),
                "{text:?}"
            );
        }
        assert!(refused("\n1\n").contains("line 1"));
    }

    #[test]
    fn text_without_rows_is_refused() {
        for text in ["", "\n", "a,b\n", "\u{feff}", "  \r\n\r\n"] {
            assert!(refused(text).contains("one row and one column at least"), "{text:?}");
        }
    }

    #[test]
    fn an_open_quote_swallows_the_rest_and_is_refused() {
        assert!(refused("0,1\n2,\"3\n4,5\n").contains("line 2, column 2"));
        assert!(refused("0,\"1\n2\"\n").contains("line 1, column 2"));
    }

    #[test]
    fn one_long_line_is_one_row() {
        let table = read("1,".repeat(200_000) + "0").unwrap();
        assert_eq!((table.rows(), table.columns(), table.value(0, 199_999)), (1, 200_001, 1.0));
    }

    #[test]
    fn utf_16_and_binary_text_are_refused() {
        assert!(read(b"\xff\xfe0\x00,\x001\x00").is_err());
        assert!(read([0x1f, 0x8b, 8, 0]).is_err());
        assert!(read(b"PK\x03\x04").is_err());
    }
}
