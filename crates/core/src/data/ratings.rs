//! Holds ratings of items by users: only those that were given, each with its level, and never a table with zeros between them.

mod read;
mod rows;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use read::ReadRatings;
pub use rows::RatedRows;

use super::fold;
use crate::Error;

/// The most levels of a scale.
pub const MAX_LEVELS: usize = 64;

/// How far from a level a rating may lie, in steps: what decimal text loses on the way into f32.
const NEAR: f64 = 1e-3;

/// Is the scale that ratings are given on: `levels` values from `least` on, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scale {
    /// The lowest rating.
    pub least: f32,
    /// The distance of two levels.
    pub step: f32,
    /// How many levels there are.
    pub levels: usize,
}

/// One to five stars.
impl Default for Scale {
    fn default() -> Self {
        Self { least: 1.0, step: 1.0, levels: 5 }
    }
}

impl Scale {
    /// Refuses fewer than two levels, more than 64, and values that are not finite.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<(), Error> {
        if !(2..=MAX_LEVELS).contains(&self.levels) {
            return Err(Error::option("scale levels", format!("2 to {MAX_LEVELS}"), self.levels));
        }
        if !(self.step > 0.0 && self.step.is_finite()) {
            return Err(Error::option("scale step", "a positive number", self.step));
        }
        let ends = [self.least, self.most()];
        match ends.into_iter().find(|x| !(x.is_finite() && x.abs() < 1e6)) {
            Some(got) => Err(Error::option("scale", "finite values below a million", got)),
            None => Ok(()),
        }
    }

    /// Gives the value of a level, counted from 0.
    pub fn value(&self, level: usize) -> f32 {
        self.least + self.step * level as f32
    }

    /// Gives the highest rating.
    pub fn most(&self) -> f32 {
        self.value(self.levels.max(1) - 1)
    }

    /// Gives the level of a rating, if it is on the scale.
    pub fn level(&self, rating: f64) -> Option<u8> {
        let place = (rating - f64::from(self.least)) / f64::from(self.step);
        let level = libm::round(place);
        let fits = (place - level).abs() < NEAR
            && mutant!("B276", (0.0..self.levels as f64).contains(&level), level < self.levels as f64);
        fits.then_some(level as u8)
    }
}

impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {} in steps of {}", self.least, self.most(), self.step)
    }
}

/// Is one rating: who, what, and the level on the scale, all counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rating {
    /// The user's number.
    pub user: u32,
    /// The item's number.
    pub item: u32,
    /// The level.
    pub level: u8,
}

/// Holds ratings in the order of their file, with the names of users and items.
///
/// Parts of a set ([`Ratings::part`]) keep all names and numbers, so that a user may have no rating in one.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratings {
    scale: Scale,
    users: Vec<String>,
    items: Vec<String>,
    each: Vec<Rating>,
}

impl Ratings {
    /// Takes ratings; users and items are numbered by their place among the names.
    ///
    /// # Errors
    /// Refuses numbers that no name or level has, a pair of user and item that comes twice, names that come twice, and no ratings.
    pub fn new(
        scale: Scale,
        users: Vec<String>,
        items: Vec<String>,
        each: Vec<Rating>,
    ) -> Result<Self, Error> {
        scale.check()?;
        if each.is_empty() {
            return Err(Error::shape("ratings", "one at least", 0));
        }
        check_names("users", &users)?;
        check_names("items", &items)?;
        let mut seen = HashMap::with_capacity(each.len());
        for (row, rating) in each.iter().enumerate() {
            check_rating(row, rating, [users.len(), items.len(), scale.levels])?;
            let before = seen.insert((rating.user, rating.item), row);
            if let Some(before) = mutant!("B277", before, None) {
                let got =
                    format!("{} and {} again", users[rating.user as usize], items[rating.item as usize]);
                let expected = format!("another pair of user and item than row {before} has");
                return Err(Error::value("ratings", format!("row {row}"), expected, got));
            }
        }
        Ok(Self { scale, users, items, each })
    }

    /// Gives the scale.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Gives the names of the users.
    pub fn users(&self) -> &[String] {
        &self.users
    }

    /// Gives the names of the items.
    pub fn items(&self) -> &[String] {
        &self.items
    }

    /// Gives the ratings, in the order of the file.
    pub fn each(&self) -> &[Rating] {
        &self.each
    }

    /// Gives the value of a rating.
    pub fn value(&self, rating: &Rating) -> f32 {
        self.scale.value(usize::from(rating.level))
    }

    /// Finds a user's number.
    ///
    /// # Errors
    /// Says that there is no such user.
    pub fn user(&self, name: &str) -> Result<u32, Error> {
        let place = self.users.iter().position(|user| user == name);
        let unknown =
            || Error::option("user", format!("one of {} who rated something", self.users.len()), name);
        place.map(|place| place as u32).ok_or_else(unknown)
    }

    /// Copies the ratings whose rows are wanted; a row is the place of a rating, counted from 0. All names stay.
    pub fn part(&self, wanted: impl Fn(usize, &Rating) -> bool) -> Self {
        let each = self.each.iter().enumerate().filter(|(row, r)| wanted(*row, r)).map(|(_, r)| *r).collect();
        Self { scale: self.scale, users: self.users.clone(), items: self.items.clone(), each }
    }

    /// Splits by the fold of the row, [`fold`]: all others to train on, and those of this fold, of five, to test on.
    pub fn split(&self, test: u32) -> (Self, Self) {
        let of = |row: usize| fold(row as u64) == test;
        (self.part(|row, _| !of(row)), self.part(|row, _| of(row)))
    }

    /// Exchanges users and items.
    pub fn transposed(&self) -> Self {
        let turned = |r: &Rating| Rating { user: r.item, item: r.user, level: r.level };
        let each = self.each.iter().map(turned).collect();
        Self { scale: self.scale, users: self.items.clone(), items: self.users.clone(), each }
    }

    /// Gathers the ratings of each user.
    pub fn rows(&self) -> RatedRows {
        RatedRows::new(self.users.len(), self.items.len(), &self.each)
    }
}

fn check_names(field: &str, names: &[String]) -> Result<(), Error> {
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::value(field, "", "names of their own", format!("{} twice", pair[0]))),
        None => Ok(()),
    }
}

fn check_rating(row: usize, rating: &Rating, most: [usize; 3]) -> Result<(), Error> {
    let numbers = [rating.user as usize, rating.item as usize, usize::from(rating.level)];
    for ((name, number), most) in ["user", "item", "level"].into_iter().zip(numbers).zip(most) {
        if number >= most {
            let expected = format!("{name} below {most}");
            return Err(Error::value("ratings", format!("row {row}"), expected, number));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("n{i}")).collect()
    }

    fn rating(user: u32, item: u32, level: u8) -> Rating {
        Rating { user, item, level }
    }

    #[test]
    fn a_level_is_a_place_on_the_scale() {
        let halves = Scale { least: 0.5, step: 0.5, levels: 10 };
        assert_eq!((halves.level(0.5), halves.level(3.5), halves.level(5.0)), (Some(0), Some(6), Some(9)));
        assert_eq!((halves.value(6), halves.most()), (3.5, 5.0));
        for off in [0.0, 5.5, 3.25, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(halves.level(off), None, "{off}");
        }
        let tenths = Scale { least: 0.1, step: 0.1, levels: 50 };
        (0..50).for_each(|k| assert_eq!(tenths.level(f64::from(k + 1) / 10.0), Some(k as u8)));
        assert!(Scale { levels: 1, ..Scale::default() }.check().is_err());
        assert!(Scale { step: f32::NAN, ..Scale::default() }.check().is_err());
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_row() {
        let new = |each| Ratings::new(Scale::default(), names(2), names(3), each).map_err(|e| e.to_string());
        let refused = |each, said: &str| {
            let error: String = new(each).unwrap_err();
            assert!(error.contains(said), "{error}");
        };
        refused(vec![], "one at least");
        refused(vec![rating(0, 0, 0), rating(2, 0, 0)], "row 1: expected user below 2, got 2");
        refused(vec![rating(0, 3, 0)], "row 0: expected item below 3, got 3");
        refused(vec![rating(0, 0, 5)], "row 0: expected level below 5, got 5");
        refused(
            vec![rating(1, 2, 0), rating(0, 0, 1), rating(1, 2, 4)],
            "row 2: expected another pair of user",
        );
        let twice = Ratings::new(Scale::default(), vec!["a".into(); 2], names(1), vec![rating(0, 0, 0)]);
        assert!(twice.unwrap_err().to_string().contains("a twice"));
    }

    #[test]
    fn parts_keep_names_and_rows_keep_users_without_ratings() {
        let each: Vec<Rating> = (0..3).map(|i| rating(1, i, i as u8)).chain([rating(2, 0, 4)]).collect();
        let all = Ratings::new(Scale::default(), names(4), names(3), each).unwrap();
        let rows = all.rows();
        assert_eq!((rows.rows(), rows.row(0), rows.row(3)), (4, &[][..], &[][..]));
        assert_eq!(rows.row(1), [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(all.transposed().rows().row(0), [(1, 0), (2, 4)]);
        assert_eq!(all.transposed().transposed(), all);
        // Rows 0 and 1 are of fold 0, rows 2 and 3 of fold 4.
        let (train, test) = all.split(0);
        assert_eq!((train.each().len(), test.each()), (2, &all.each()[..2]));
        assert_eq!((train.users(), all.user("n3").unwrap()), (all.users(), 3));
        assert!(all.user("nobody").unwrap_err().to_string().contains("one of 4 who rated"));
    }
}
