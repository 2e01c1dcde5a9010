//! Says what the columns of a table are: kinds, classes, and which are left out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Kind;
use super::kind::KINDS;
use crate::Error;
use crate::units::Units;

/// Says what the columns of a table are. A schema that a person writes may leave things open, which data settle
/// ([`Schema::settled`]); a settled one lists all columns in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schema {
    /// Columns that are described.
    pub columns: Vec<Column>,
    /// What all other columns are: with a kind, all the same.
    #[serde(skip_serializing_if = "Role::is_auto")]
    pub others: Role,
}

/// Describes a column, or several neighbours that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name in the header, or its number, counted from 1.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Role::is_auto")]
    pub kind: Role,
    /// The words that stand for the classes 0, 1, …, where they are no such numbers; of bits the words for 0 and 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// How many columns from this number on are alike.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub repeat: usize,
}

/// Says what becomes of a column: `auto`, `ignore`, or the name of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Role {
    /// What its values suggest.
    #[default]
    Auto,
    /// Nothing: it is left out.
    Ignore,
    /// Units of a kind.
    Units(Kind),
}

fn one() -> usize {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde hands out a reference.
fn is_one(n: &usize) -> bool {
    *n == 1
}

impl Role {
    #[allow(clippy::trivially_copy_pass_by_ref)] // Serde hands out a reference.
    fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "ignore" => Ok(Self::Ignore),
            kind => kind
                .parse()
                .map(Self::Units)
                .map_err(|_| Error::option("kind", format!("auto, ignore, {KINDS}"), text)),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Ignore => f.write_str("ignore"),
            Self::Units(kind) => write!(f, "{kind}"),
        }
    }
}

impl TryFrom<String> for Role {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.to_string()
    }
}

impl Column {
    /// Describes one column.
    pub fn new(name: impl Into<String>, kind: Role) -> Self {
        Self { name: name.into(), kind, classes: Vec::new(), repeat: 1 }
    }

    fn check(&self) -> Result<(), Error> {
        let refused = |expected: &str, got: &dyn fmt::Display| {
            Err(Error::value("schema", format!("column {}", self.name), expected, got))
        };
        if self.repeat == 0 || self.repeat > 1 && self.name.parse::<u32>().is_err() {
            return refused("repeat 1, or more behind a number", &self.repeat);
        }
        let twice = (1..self.classes.len()).find(|&i| self.classes[..i].contains(&self.classes[i]));
        if let Some(twice) = twice {
            return refused("classes that differ", &self.classes[twice]);
        }
        let right = match self.kind {
            _ if self.classes.is_empty() => true,
            Role::Units(Kind::Bernoulli) => self.classes.len() == 2,
            Role::Units(Kind::Categorical(number)) => {
                number.is_none_or(|number| number == self.classes.len())
            }
            _ => false,
        };
        if right {
            return Ok(());
        }
        refused("classes of a categorical column, as many as its kind says, or two of bernoulli", &self.kind)
    }

    /// Writes a column once for each of its neighbours.
    fn each(&self) -> Vec<Self> {
        let first: Option<u64> = self.name.parse().ok();
        let name = |i: usize| first.map_or_else(|| self.name.clone(), |first| (first + i as u64).to_string());
        (0..self.repeat).map(|i| Self { name: name(i), repeat: 1, ..self.clone() }).collect()
    }
}

/// The most columns that a schema describes.
const MOST: usize = 1 << 20;

impl Schema {
    /// Says that all columns are of one kind.
    pub fn uniform(kind: Kind) -> Self {
        Self { columns: Vec::new(), others: Role::Units(kind) }
    }

    /// Describes the columns that a machine with these visible units was trained on, without their names.
    pub fn of(units: &Units) -> Self {
        let parts = if let Units::Mixed(parts) = units { &parts[..] } else { std::slice::from_ref(units) };
        let column = |part: &Units| {
            let role = Kind::of(part).map_or(Role::Ignore, Role::Units);
            vec![Column::new("", role); part.count()]
        };
        let columns = parts.iter().flat_map(column).enumerate();
        Self::from_columns(
            columns.map(|(i, column)| Column { name: (i + 1).to_string(), ..column }).collect(),
        )
    }

    /// Reads a schema from JSON; `field` names the file.
    ///
    /// # Errors
    /// Names what is no schema, or a column that contradicts itself.
    pub fn from_json(field: &str, text: &str) -> Result<Self, Error> {
        let schema: Self = serde_json::from_str(text).map_err(|e| {
            let expected = "a schema: {\"columns\": [{\"name\": …, \"kind\": …, \"classes\": […]}, …]}";
            Error::format(field, "", expected, e)
        })?;
        schema.check()?;
        Ok(schema)
    }

    /// Refuses columns that contradict themselves or each other.
    ///
    /// # Errors
    /// Names the column.
    pub fn check(&self) -> Result<(), Error> {
        let count = self.columns.iter().fold(0_usize, |sum, column| sum.saturating_add(column.repeat));
        if count > MOST {
            return Err(Error::shape("schema", format!("at most {MOST} columns"), count));
        }
        self.columns.iter().try_for_each(Column::check)?;
        let mut names: Vec<String> = self.listed().into_iter().map(|column| column.name).collect();
        names.sort();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(Error::value("schema", format!("column {}", pair[0]), "one description", "two"))
            }
            None => Ok(()),
        }
    }

    /// Lists the described columns one by one.
    pub fn listed(&self) -> Vec<Column> {
        self.columns.iter().flat_map(Column::each).collect()
    }

    /// Lists columns, neighbours without a name in one line where they are alike.
    pub(super) fn from_columns(columns: Vec<Column>) -> Self {
        let mut out: Vec<Column> = Vec::new();
        for (number, column) in columns.into_iter().enumerate() {
            let unnamed = |column: &Column, number: usize| column.name == (number + 1).to_string();
            match out.last_mut() {
                Some(last)
                    if unnamed(last, number - last.repeat)
                        && unnamed(&column, number)
                        && (last.kind, &last.classes) == (column.kind, &column.classes) =>
                {
                    last.repeat += 1;
                }
                _ => out.push(column),
            }
        }
        Self { columns: out, others: Role::Auto }
    }

    /// Gives the visible units of a settled schema: columns of one kind as such, of several kinds side by side.
    ///
    /// # Errors
    /// Refuses a schema that uses no column or is not settled.
    pub fn units(&self) -> Result<Units, Error> {
        let groups = super::Fields::new(self)?.groups;
        let mut parts = groups.iter().map(|(kind, fields)| kind.units(fields.len()));
        if groups.len() == 1 {
            return parts.next().unwrap_or_else(|| Kind::Gaussian.units(0));
        }
        let units = Units::Mixed(parts.collect::<Result<_, Error>>()?);
        units.check()?;
        Ok(units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_comes_back_from_its_text() {
        let text = r#"{"columns": [{"name": "smoker", "kind": "bernoulli", "classes": ["no", "yes"]},
            {"name": "region", "kind": "categorical"}, {"name": "7", "kind": "poisson", "repeat": 3},
            {"name": "id", "kind": "ignore"}, {"name": "age"}], "others": "diagonal"}"#;
        let schema = Schema::from_json("f", text).unwrap();
        assert_eq!(schema.listed().len(), 7);
        assert_eq!(schema.columns[4].kind, Role::Auto);
        let again = serde_json::to_string(&schema).unwrap();
        assert_eq!(Schema::from_json("f", &again).unwrap(), schema);
    }

    #[test]
    fn contradictions_are_named() {
        let column = |rest: &str| format!(r#"{{"columns": [{{"name": "a", {rest}}}]}}"#);
        for (text, words) in [
            ("{".to_owned(), "f: expected a schema"),
            ("7".to_owned(), "f: expected a schema"),
            (r#"{"colums": []}"#.to_owned(), "unknown field `colums`"),
            (column(r#""kind": "gausian""#), "expected auto, ignore, bernoulli"),
            (
                column(r#""kind": "poisson", "classes": ["x", "y"]"#),
                "schema at column a: expected classes of a",
            ),
            (column(r#""kind": "categorical:3", "classes": ["x", "y"]"#), "schema at column a"),
            (column(r#""kind": "categorical", "classes": ["x", "x"]"#), "classes that differ, got x"),
            (column(r#""kind": "spin", "repeat": 2"#), "expected repeat 1, or more behind a number, got 2"),
            (
                r#"{"columns": [{"name": "a"}, {"name": "a"}]}"#.to_owned(),
                "column a: expected one description",
            ),
            (r#"{"columns": [{"name": "1", "repeat": 99999999999}]}"#.to_owned(), "at most 1048576 columns"),
        ] {
            let error = Schema::from_json("f", &text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn neighbours_without_names_share_a_line() {
        let units = Units::Mixed(vec![Units::Bernoulli(2), Units::Diagonal(3)]);
        let schema = Schema::of(&units);
        assert_eq!(schema.columns.iter().map(|column| column.repeat).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(schema.units().unwrap(), units);
        assert_eq!(schema.listed()[4].name, "5");
    }
}
