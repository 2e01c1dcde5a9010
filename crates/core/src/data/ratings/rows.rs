//! Gathers ratings by user, so that a row is as long as the user has ratings.

use super::Rating;

/// Holds the ratings of each user as pairs of item and level, in the order of the items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatedRows {
    items: usize,
    /// Where each user begins among the pairs, and the end of the last.
    begins: Vec<usize>,
    pairs: Vec<(u32, u8)>,
}

impl RatedRows {
    pub(super) fn new(users: usize, items: usize, each: &[Rating]) -> Self {
        let mut sorted: Vec<&Rating> = each.iter().collect();
        sorted.sort_unstable_by_key(|r| (r.user, r.item));
        let mut begins = vec![0; users + 1];
        each.iter().for_each(|r| begins[r.user as usize + 1] += 1);
        (0..users).for_each(|user| begins[user + 1] += begins[user]);
        Self { items, begins, pairs: sorted.into_iter().map(|r| (r.item, r.level)).collect() }
    }

    /// Gives the number of users, those without ratings among them.
    pub fn rows(&self) -> usize {
        self.begins.len() - 1
    }

    /// Gives the number of items that could be rated.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Gives the number of ratings.
    pub fn ratings(&self) -> usize {
        self.pairs.len()
    }

    /// Gives the items that a user rated, and the levels, in the order of the items.
    ///
    /// # Panics
    /// If there is no such user.
    pub fn row(&self, user: usize) -> &[(u32, u8)] {
        &self.pairs[self.begins[user]..self.begins[user + 1]]
    }

    /// Tells whether a user rated an item.
    ///
    /// # Panics
    /// If there is no such user.
    pub fn has(&self, user: usize, item: u32) -> bool {
        self.row(user).binary_search_by_key(&item, |pair| pair.0).is_ok()
    }
}
