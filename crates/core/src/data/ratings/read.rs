//! Reads ratings from text: a user, an item and a rating a line, with any separator, under a line of names or not.

use std::collections::HashMap;
use std::path::Path;

use super::{Rating, Ratings, Scale};
use crate::Error;
use crate::data::text;

/// What may stand between two fields; the first of them that parts the first line is that of the file.
const SEPARATORS: [&str; 5] = ["\t", "::", ";", ",", "|"];

/// Says how text becomes ratings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadRatings {
    /// The columns of user, item and rating: their names, or their numbers from 1. None takes the first three.
    pub columns: Option<[String; 3]>,
    /// What stands between two fields. None finds out: a tab, `::`, a semicolon, a comma, a bar, else blanks.
    pub separator: Option<String>,
}

impl Ratings {
    /// Reads a file, plain or gzipped.
    ///
    /// # Errors
    /// Names the first line that is wrong; says what could not be read.
    pub fn open(path: &Path, scale: Scale, options: &ReadRatings) -> Result<Self, Error> {
        Self::parse(&path.display().to_string(), &text(path)?, scale, options)
    }

    /// Reads text; `field` names it in errors. Names are any text without the separator, quoted or not; lines without anything on
    /// them are skipped.
    ///
    /// # Errors
    /// Names the first line that has another number of fields than the first, an empty name, a rating that is not on the scale, or a pair of user and
    /// item that came before; says where there is no rating at all.
    pub fn parse(field: &str, text: &str, scale: Scale, options: &ReadRatings) -> Result<Self, Error> {
        scale.check()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
            .filter(|(_, line)| !line.trim().is_empty());
        let Some(first) = lines.next() else {
            return Err(Error::format(field, "", "ratings", "none"));
        };
        let layout = Layout::find(field, first, options)?;
        let head = layout.is_header(first.1).then_some(first);
        let mut reader = Reader { field, scale, layout, users: Names::default(), items: Names::default() };
        let (mut each, mut seen) = (Vec::new(), HashMap::new());
        for (line, content) in head.is_none().then_some(first).into_iter().chain(lines) {
            let rating = reader.rating(line, content)?;
            if let Some(before) = seen.insert((rating.user, rating.item), line) {
                let expected = format!("another pair of user and item than line {before} has");
                let got = format!("{:?} again", content.trim());
                return Err(Error::format(field, format!("line {line}"), expected, got));
            }
            each.push(rating);
        }
        if each.is_empty() {
            return Err(Error::format(field, "", "ratings", "a line of names alone"));
        }
        Self::new(scale, reader.users.list, reader.items.list, each)
    }
}

/// Is where user, item and rating stand in a line.
struct Layout {
    separator: Option<String>,
    columns: [usize; 3],
    width: usize,
}

impl Layout {
    fn find(field: &str, (line, first): (usize, &str), options: &ReadRatings) -> Result<Self, Error> {
        let parts = |separator: &&&str| first.matches(**separator).count() >= 2;
        let found = SEPARATORS.iter().find(parts).map(|separator| (*separator).to_owned());
        let separator = options.separator.clone().or(found);
        if separator.as_deref() == Some("") {
            return Err(Error::option("separator", "one character or more", "none"));
        }
        let names: Vec<String> = fields(first, separator.as_deref()).map(str::to_owned).collect();
        let wrong = |expected: &str| Error::format(field, format!("line {line}"), expected, names.len());
        if names.len() < 3 {
            return Err(wrong("three fields at least: user, item, rating"));
        }
        let columns = match &options.columns {
            None => [0, 1, 2],
            Some(wanted) => columns(wanted, &names)?,
        };
        Ok(Self { separator, columns, width: names.len() })
    }

    /// Takes a first line for names where its rating is no number.
    fn is_header(&self, line: &str) -> bool {
        let rating = fields(line, self.separator.as_deref()).nth(self.columns[2]);
        rating.is_none_or(|rating| rating.parse::<f64>().is_err())
    }
}

/// Finds columns by their numbers from 1, or by their names: in a file without names the first line is made of numbers, too.
fn columns(wanted: &[String; 3], names: &[String]) -> Result<[usize; 3], Error> {
    let mut out = [0; 3];
    for (out, want) in out.iter_mut().zip(wanted) {
        let number = want.parse::<usize>().ok().filter(|n| (1..=names.len()).contains(n));
        let number = mutant!("B333", number.map(|n| n - 1), None);
        let place = number.or_else(|| names.iter().position(|name| name == want));
        let expected = || format!("one of {}, or a number up to {}", names.join(", "), names.len());
        *out = place.ok_or_else(|| Error::option("columns", expected(), want))?;
    }
    let [user, item, rating] = out;
    if user == item || item == rating || user == rating {
        return Err(Error::option("columns", "three different ones", wanted.join(", ")));
    }
    Ok(out)
}

/// Parts a line, and takes blanks and one pair of quotes from each field.
fn fields<'a>(line: &'a str, separator: Option<&'a str>) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    match separator {
        Some(separator) => Box::new(line.split(separator).map(bare)),
        None => Box::new(line.split_whitespace().map(bare)),
    }
}

fn bare(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('"').and_then(|f| f.strip_suffix('"')).unwrap_or(field)
}

/// Numbers names in the order in which they come.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    places: HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let place = self.list.len() as u32;
        self.list.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }
}

struct Reader<'a> {
    field: &'a str,
    scale: Scale,
    layout: Layout,
    users: Names,
    items: Names,
}

impl Reader<'_> {
    fn rating(&mut self, line: usize, content: &str) -> Result<Rating, Error> {
        let wrong =
            |expected: String, got: String| Error::format(self.field, format!("line {line}"), expected, got);
        let all: Vec<&str> = fields(content, self.layout.separator.as_deref()).collect();
        if all.len() != self.layout.width {
            let expected = format!("{} fields, as the first line has", self.layout.width);
            return Err(wrong(expected, all.len().to_string()));
        }
        let [user, item, rating] = self.layout.columns.map(|column| all[column]);
        if user.is_empty() || item.is_empty() {
            return Err(wrong("a user and an item".into(), format!("{user:?} and {item:?}")));
        }
        let level = rating.parse().ok().and_then(|rating| self.scale.level(rating));
        let level = level.ok_or_else(|| wrong(format!("a rating of {}", self.scale), shown(rating)))?;
        Ok(Rating { user: self.users.number(user), item: self.items.number(item), level })
    }
}

/// Shortens what a hostile file may have made long.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Ratings, Error> {
        Ratings::parse("f", text, Scale::default(), &ReadRatings::default())
    }

    fn triples(ratings: &Ratings) -> Vec<(&str, &str, f32)> {
        let name = |r: &Rating| {
            (&*ratings.users()[r.user as usize], &*ratings.items()[r.item as usize], ratings.value(r))
        };
        ratings.each().iter().map(name).collect()
    }

    #[test]
    fn every_separator_gives_the_same_ratings() {
        let expected = [("7", "x y", 5.0), ("7", "900", 1.0), ("ü", "x y", 3.0)];
        for separator in ["\t", "::", ";", ",", "|"] {
            let text = format!(
                "7{separator}x y{separator}5\r\n\n7{separator}900{separator}1.0\nü{separator}\"x y\"{separator} 3\n"
            );
            for head in ["", &format!("\u{feff}user{separator}item{separator}rating\n")] {
                assert_eq!(triples(&read(&format!("{head}{text}")).unwrap()), expected, "{separator:?}");
            }
        }
        assert_eq!(
            triples(&read("1 2  3 881250949\n4 2 1 7\n").unwrap()),
            [("1", "2", 3.0), ("4", "2", 1.0)]
        );
    }

    #[test]
    fn columns_are_found_by_name_or_number() {
        let text = "s,d,age,y\n4,900,2,5\n5,900,3,1\n";
        for columns in [["s", "d", "y"], ["1", "2", "4"]] {
            let columns = Some(columns.map(String::from));
            let options = ReadRatings { columns, ..ReadRatings::default() };
            let ratings = Ratings::parse("f", text, Scale::default(), &options).unwrap();
            assert_eq!(triples(&ratings), [("4", "900", 5.0), ("5", "900", 1.0)]);
        }
        // A first line of numbers is no line of names.
        let columns = Some(["1", "2", "3"].map(String::from));
        let options = ReadRatings { columns, ..ReadRatings::default() };
        let ratings = Ratings::parse("f", "2,1,5\n3,1,4\n", Scale::default(), &options).unwrap();
        assert_eq!(triples(&ratings), [("2", "1", 5.0), ("3", "1", 4.0)]);
        for bad in [["s", "d", "z"], ["s", "s", "y"], ["0", "2", "3"]] {
            let options = ReadRatings { columns: Some(bad.map(String::from)), ..ReadRatings::default() };
            assert!(Ratings::parse("f", text, Scale::default(), &options).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_hostile_line_is_refused_by_its_number() {
        for (text, said) in [
            ("", "expected ratings, got none"),
            ("\n \n", "expected ratings, got none"),
            ("user,item,rating\n", "got a line of names alone"),
            ("1,2\n", "line 1: expected three fields at least: user, item, rating, got 1"),
            ("1,2,3\n1,3\n", "line 2: expected 3 fields, as the first line has, got 2"),
            ("1,2,3\n\n1,3,4,5\n", "line 3: expected 3 fields, as the first line has, got 4"),
            ("1,2,3\n1,3,0\n", "line 2: expected a rating of 1 to 5 in steps of 1, got 0"),
            ("1,2,3\n1,3,5.5\n", "got 5.5"),
            ("1,2,3\n1,3,3.5\n", "got 3.5"),
            ("1,2,3\n1,3,NaN\n", "got NaN"),
            ("1,2,3\n1,3,-1\n", "got -1"),
            ("1,2,3\n1,3,inf\n", "got inf"),
            ("1,2,3\n1,3,1e400\n", "got 1e400"),
            ("1,2,3\n1,3,0x1p1\n", "got 0x1p1"),
            ("1,2,3\n1,3,\n", "line 2: expected a rating of 1 to 5 in steps of 1, got "),
            ("1\t2\t3\n1\t3\t3,0\n", "got 3,0"),
            ("1,2,3\n,3,3\n", "line 2: expected a user and an item, got \"\" and \"3\""),
            ("1,2,3\n1,\"a,b\",3\n", "line 2: expected 3 fields, as the first line has, got 4"),
            ("1,2,3\n2,2,3\n1,2,4\n", "line 3: expected another pair of user and item than line 1 has"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
        let long = format!("1,2,3\n1,3,{}\n", "9".repeat(100_000));
        assert!(read(&long).unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn half_stars_are_levels_of_their_own() {
        let halves = Scale { least: 0.5, step: 0.5, levels: 10 };
        let ratings = Ratings::parse("f", "1,2,0.5\n1,3,4.5\n", halves, &ReadRatings::default()).unwrap();
        assert_eq!(ratings.each().iter().map(|r| r.level).collect::<Vec<_>>(), [0, 8]);
        assert!(read("1,2,0.5\n").is_err());
    }
}
