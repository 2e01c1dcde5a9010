//! Writes and reads repetitions as lines: name, threads, batch, unit, value, with tabs between them.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

use harmonium::Error;

/// Is one repetition of one measurement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) threads: usize,
    pub(crate) batch: usize,
    /// samples/s, chain-sweeps/s, or s.
    pub(crate) unit: String,
    pub(crate) value: f64,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, threads, batch, unit, value } = self;
        write!(f, "{name}\t{threads}\t{batch}\t{unit}\t{value:.3}")
    }
}

impl FromStr for Record {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let wrong = || format!("expected name, threads, batch, unit and value, got {line:?}");
        let fields: Vec<&str> = line.split('\t').collect();
        let &[name, threads, batch, unit, value] = fields.as_slice() else { return Err(wrong()) };
        Ok(Self {
            name: name.into(),
            threads: threads.parse().map_err(|_| wrong())?,
            batch: batch.parse().map_err(|_| wrong())?,
            unit: unit.into(),
            value: value.parse().ok().filter(|v: &f64| v.is_finite() && *v > 0.0).ok_or_else(wrong)?,
        })
    }
}

/// Appends records to a file, which is made where it is missing.
///
/// # Errors
/// Says which operation on it failed.
pub(crate) fn append(path: &Path, records: &[Record]) -> Result<(), Error> {
    let mut file =
        OpenOptions::new().append(true).create(true).open(path).map_err(|e| Error::io("open", path, e))?;
    let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
    writeln!(file, "{}", lines.join("\n")).map_err(|e| Error::io("write", path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record { name: "sk32".into(), threads: 2, batch: 100, unit: "samples/s".into(), value: 5210.5 }
    }

    #[test]
    fn a_line_is_read_back() {
        assert_eq!("sk32\t2\t100\tsamples/s\t5210.5".parse(), Ok(record()));
        assert_eq!(record().to_string().parse(), Ok(record()));
    }

    #[test]
    fn broken_lines_are_refused() {
        for line in ["", "sk32\t2\t100\tsamples/s", "a\t2\t1\ts\tx", "a\t2\t1\ts\tinf", "a\t2\t1\ts\t0"] {
            assert!(line.parse::<Record>().is_err(), "{line:?}");
        }
    }
}
