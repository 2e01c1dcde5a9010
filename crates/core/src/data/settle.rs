//! Settles what a schema leaves open, by the values of the columns.

use std::collections::BTreeSet;

use super::schema::{Column, Role, Schema};
use super::{Cell, Frame, Kind};
use crate::Error;

/// The most classes that a column without a kind is taken to have.
const FEW: usize = 64;
/// The most different words that are counted.
const MANY: usize = 65_537;

/// Holds what the values of a column, or of several alike, are like.
#[derive(Clone, Debug, Default)]
struct Survey {
    known: usize,
    least: f32,
    most: f32,
    /// Different numbers by the order of their bits; no more than [`MANY`].
    numbers: BTreeSet<u32>,
    whole: bool,
    labels: BTreeSet<String>,
    words: bool,
}

impl Schema {
    /// Lists all columns of the data in their order, each with its kind and its classes.
    ///
    /// A column without a kind is `categorical` if it holds words (`bernoulli` if it holds two), `bernoulli` if it holds 0 and
    /// 1 alone, `spin` if it holds −1 and 1 alone, and `diagonal` if it holds other numbers. Columns that share the kind of
    /// `others` share their classes and trials.
    ///
    /// # Errors
    /// Names a described column that is not there, and one that nothing can be made of.
    pub fn settled(&self, frame: &Frame) -> Result<Self, Error> {
        self.check()?;
        let names = names(frame);
        let mut columns: Vec<Option<Column>> = vec![None; frame.columns()];
        for column in self.listed() {
            let at = place(&column.name, &names).ok_or_else(|| absent(&column.name, frame))?;
            if columns[at].is_some() {
                return Err(Error::value(
                    "schema",
                    format!("column {}", column.name),
                    "one description",
                    "two",
                ));
            }
            columns[at] = Some(column);
        }
        let shared = match self.others {
            Role::Units(kind) => Some(self.shared(kind, frame, &columns)?),
            _ => None,
        };
        let settle = |(at, column): (usize, Option<Column>)| -> Result<Column, Error> {
            let name = names[at].clone();
            match (column, &shared) {
                (Some(column), _) => single(Column { name, ..column }, at, frame),
                (None, Some(shared)) => Ok(Column { name, ..shared.clone() }),
                (None, None) => single(Column::new(name, self.others), at, frame),
            }
        };
        let settled = columns.into_iter().enumerate().map(settle).collect::<Result<_, Error>>()?;
        let schema = Self::from_columns(settled);
        schema.units()?;
        Ok(schema)
    }

    /// Settles a kind for all columns that are not described.
    fn shared(&self, kind: Kind, frame: &Frame, columns: &[Option<Column>]) -> Result<Column, Error> {
        let others: Vec<usize> = (0..columns.len()).filter(|&at| columns[at].is_none()).collect();
        if others.is_empty() {
            return Ok(Column::new("", self.others));
        }
        let survey = survey(frame, &others, kind.is_whole());
        finished(Column::new("all columns", Role::Units(kind)), &survey)
    }
}

/// Names the columns: as the header does, or by their numbers, where it has none or a name twice.
pub(super) fn names(frame: &Frame) -> Vec<String> {
    let header = frame.names().unwrap_or_default();
    let alone = |name: &&String| !name.is_empty() && header.iter().filter(|other| other == name).count() == 1;
    (0..frame.columns())
        .map(|at| header.get(at).filter(alone).cloned().unwrap_or_else(|| (at + 1).to_string()))
        .collect()
}

/// Finds a column by its name, else by its number.
fn place(name: &str, names: &[String]) -> Option<usize> {
    let number = || name.parse::<usize>().ok().filter(|n| (1..=names.len()).contains(n)).map(|n| n - 1);
    names.iter().position(|other| other == name).or_else(number)
}

fn absent(name: &str, frame: &Frame) -> Error {
    let expected = match frame.names() {
        Some(names) => format!("one of {}", some(names)),
        None => format!("a number from 1 to {}, as there is no header", frame.columns()),
    };
    Error::value("schema", format!("column {name}"), expected, frame.field())
}

/// Lists the first few of several words.
pub(super) fn some(words: &[String]) -> String {
    let more = if words.len() > 8 { ", …" } else { "" };
    words.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ") + more
}

fn single(column: Column, at: usize, frame: &Frame) -> Result<Column, Error> {
    if column.kind == Role::Ignore {
        return Ok(Column { classes: Vec::new(), ..column });
    }
    let whole = matches!(column.kind, Role::Units(kind) if kind.is_whole());
    finished(column, &survey(frame, &[at], whole))
}

fn survey(frame: &Frame, columns: &[usize], whole: bool) -> Survey {
    let mut out = Survey { least: f32::INFINITY, most: f32::NEG_INFINITY, whole: true, ..Survey::default() };
    for row in 0..frame.rows() {
        for &column in columns {
            match frame.cell(row, column, whole) {
                Cell::Gap => continue,
                Cell::Number(x) => out.number(x),
                Cell::Word(_) => out.words = true,
            }
            out.known += 1;
            if out.labels.len() < MANY && matches!(frame, Frame::Text(_)) {
                out.label(&frame.label(row, column));
            }
        }
    }
    out
}

impl Survey {
    fn number(&mut self, x: f32) {
        (self.least, self.most) = (self.least.min(x), self.most.max(x));
        self.whole &= x.fract() == 0.0;
        if self.numbers.len() < MANY {
            self.numbers.insert(x.to_bits());
        }
    }

    fn label(&mut self, text: &str) {
        if !self.labels.contains(text) {
            self.labels.insert(text.to_owned());
        }
    }

    fn only(&self, allowed: [f32; 2]) -> bool {
        !self.words && self.numbers.iter().all(|&bits| allowed.contains(&f32::from_bits(bits)))
    }

    /// Lists the words and numbers that are there, numbers in their order.
    fn classes(&self) -> Vec<String> {
        if self.words {
            return self.labels.iter().cloned().collect();
        }
        let mut numbers: Vec<f32> = self.numbers.iter().map(|&bits| f32::from_bits(bits)).collect();
        numbers.sort_by(f32::total_cmp);
        numbers.iter().map(f32::to_string).collect()
    }
}

/// Gives a column its kind with its numbers, and its classes.
fn finished(column: Column, survey: &Survey) -> Result<Column, Error> {
    let refused = |expected: String, got: String| {
        Err(Error::value("schema", format!("column {}", column.name), expected, got))
    };
    if survey.known == 0 {
        return refused("a value in some row, or kind ignore".into(), "missing values alone".into());
    }
    let kind = match column.kind {
        Role::Units(kind) => kind,
        _ if survey.words && survey.labels.len() > FEW => {
            let got = format!("{} of them or more", survey.labels.len().min(MANY));
            return refused(format!("at most {FEW} different words, a kind, or kind ignore"), got);
        }
        _ if survey.words && survey.labels.len() == 1 => {
            return refused("two words at least, or kind ignore".into(), "one".into());
        }
        _ if survey.words && survey.labels.len() == 2 => Kind::Bernoulli,
        _ if survey.words => Kind::Categorical(None),
        _ if survey.only([0.0, 1.0]) => Kind::Bernoulli,
        _ if survey.only([-1.0, 1.0]) => Kind::Spin,
        _ => Kind::Diagonal,
    };
    let given = column.classes.len();
    let (kind, classes) = match kind {
        Kind::Categorical(number) if given == 0 => categories(survey, number),
        Kind::Categorical(_) => (Kind::Categorical(Some(given)), column.classes.clone()),
        Kind::Bernoulli if given == 0 && survey.words => (kind, survey.classes()),
        Kind::Binomial(None) if !survey.words => {
            (Kind::Binomial(Some(survey.most.max(1.0) as u32)), Vec::new())
        }
        other => (other, column.classes.clone()),
    };
    if kind == Kind::Bernoulli && ![0, 2].contains(&classes.len()) {
        return refused("0 and 1, or two different words".into(), format!("the words {}", some(&classes)));
    }
    if let Err(problem) = kind.units(1) {
        return refused(format!("kind {kind} to be possible"), problem.to_string());
    }
    Ok(Column { kind: Role::Units(kind), classes, ..column })
}

/// Settles classes: words and numbers with gaps between them by what they are called, numbers from 0 on as they are.
fn categories(survey: &Survey, number: Option<usize>) -> (Kind, Vec<String>) {
    let plain = !survey.words && survey.whole && survey.least >= 0.0;
    let dense = plain && survey.least == 0.0 && survey.numbers.len() as f32 == survey.most + 1.0;
    if dense || plain && number.is_some() {
        let classes = number.unwrap_or(survey.numbers.len().max(2));
        return (Kind::Categorical(Some(classes)), Vec::new());
    }
    let classes = survey.classes();
    (Kind::Categorical(Some(number.unwrap_or(classes.len()).max(classes.len()))), classes)
}
