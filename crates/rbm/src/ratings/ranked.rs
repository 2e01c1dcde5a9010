//! Lists the items that are best for a row, and holds items out to judge such lists by.

use harmonium_core::data::{Rating, Ratings};

/// Gives the places of the `top` highest scores among the items that were not seen, best first; of equal scores the first item's.
pub fn top_items(scores: &[f32], seen: impl Fn(u32) -> bool, top: usize) -> Vec<u32> {
    let mut items: Vec<u32> =
        (0..scores.len() as u32).filter(|&item| mutant!("B283", !seen(item), true)).collect();
    items.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b)));
    items.truncate(top);
    items
}

/// Holds out a quarter of each user's ratings, rounded down but one at least, by the hash of user and item: (to train on, to judge by).
///
/// Of a user with one rating that one is held out, and nothing is left to train on.
pub fn held_out(ratings: &Ratings) -> (Ratings, Ratings) {
    let mut of_user: Vec<Vec<(u64, usize)>> = vec![Vec::new(); ratings.users().len()];
    for (row, rating) in ratings.each().iter().enumerate() {
        of_user[rating.user as usize].push((hash(rating), row));
    }
    let mut out = vec![false; ratings.each().len()];
    for user in &mut of_user {
        user.sort_unstable();
        let count = (user.len() / 4).max(1);
        user.iter().take(count).for_each(|&(_, row)| out[row] = true);
    }
    (ratings.part(|row, _| !out[row]), ratings.part(|row, _| out[row]))
}

/// Hashes user and item with the finaliser of splitmix64 (Steele, Lea & Flood 2014).
fn hash(rating: &Rating) -> u64 {
    let z = (u64::from(rating.user) << 32 | u64::from(rating.item)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}
