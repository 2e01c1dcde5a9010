//! Orders the rows of an epoch and hands them out in batches.

use harmonium_kernels::{Key, purpose};
use rand::RngCore;

use crate::Error;

/// Gives the order of `rows` rows in an epoch, a permutation of 0..rows that depends on key and epoch alone.
///
/// Fisher and Yates' shuffle from the last place down: for i = rows − 1, …, 1 the entry at i changes places with
/// the one at j, uniform in 0..=i. The words are those of stream 0 of `key.fold_in(SHUFFLE).fold_in(epoch)`, so `key` is
/// the seed's own. A j in 0..n is drawn without bias by Lemire's multiplication (ACM TOMACS 29, 2019): the upper
/// half of word · n, where words whose lower half is below 2³² mod n are thrown away.
///
/// # Panics
/// If there are 2³² rows or more; a [`Table`](super::Table) never has.
pub fn shuffled(rows: usize, key: Key, epoch: u64) -> Vec<u32> {
    let rows = u32::try_from(rows).expect("a table has fewer than 2³² rows");
    let mut stream = key.fold_in(purpose::SHUFFLE).fold_in(epoch).stream(0);
    let mut order: Vec<u32> = (0..rows).collect();
    for i in (1..rows).rev() {
        let j = below(i + 1, || stream.next_u32());
        order.swap(i as usize, j as usize);
    }
    order
}

/// Draws a number below `n`, which is 1 or more.
fn below(n: u32, mut word: impl FnMut() -> u32) -> u32 {
    // 2³² mod n, since the subtraction wraps.
    let rejected = n.wrapping_neg() % n;
    loop {
        let product = u64::from(word()) * u64::from(n);
        if product as u32 >= rejected {
            return (product >> 32) as u32;
        }
    }
}

/// Walks over an order of rows in batches; the last one is short if the batch does not divide the rows.
///
/// ```
/// use harmonium_core::{Key, data};
/// let order = data::shuffled(10, Key::from_seed(1), 0);
/// let sizes: Vec<usize> = data::Batches::new(&order, 4)?.map(<[u32]>::len).collect();
/// assert_eq!(sizes, [4, 4, 2]);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    chunks: std::slice::Chunks<'a, u32>,
}

impl<'a> Batches<'a> {
    /// Cuts an order into batches; one larger than the order is the whole order.
    ///
    /// # Errors
    /// A batch of 0 rows.
    pub fn new(order: &'a [u32], batch: usize) -> Result<Self, Error> {
        if batch == 0 {
            return Err(Error::option("batch", "1 or more", batch));
        }
        Ok(Self { chunks: order.chunks(batch) })
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = &'a [u32];

    fn next(&mut self) -> Option<Self::Item> {
        self.chunks.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.chunks.size_hint()
    }
}

impl ExactSizeIterator for Batches<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_every_row_once() {
        for rows in [0, 1, 2, 3, 100, 60_000] {
            let mut order = shuffled(rows, Key::from_seed(3), 7);
            order.sort_unstable();
            assert_eq!(order, (0..rows as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn orders_differ_between_epochs_and_keys() {
        let key = Key::from_seed(3);
        assert_eq!(shuffled(100, key, 0), shuffled(100, key, 0));
        assert_ne!(shuffled(100, key, 0), shuffled(100, key, 1));
        assert_ne!(shuffled(100, key, 0), shuffled(100, Key::from_seed(4), 0));
    }

    #[test]
    fn the_first_orders_are_frozen() {
        let key = Key::from_seed(1);
        assert_eq!(shuffled(10, key, 0), [7, 9, 0, 1, 4, 5, 8, 3, 2, 6]);
        assert_eq!(shuffled(10, key, 1), [5, 1, 4, 9, 8, 3, 0, 2, 6, 7]);
        assert_eq!(shuffled(60_000, key, 0)[..4], [25_678, 8_510, 54_285, 13_457]);
    }

    /// χ² over the 24 orders of 4 rows in 24,000 epochs: 23 degrees of freedom, 0.999 quantile 49.73.
    #[test]
    fn all_orders_are_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        (0..24_000)
            .for_each(|epoch| *counts.entry(shuffled(4, Key::from_seed(5), epoch)).or_insert(0.0) += 1.0);
        let chi2: f64 = counts.values().map(|count: &f64| (count - 1000.0).powi(2) / 1000.0).sum();
        assert_eq!(counts.len(), 24);
        assert!(chi2 < 49.73, "{chi2}");
    }

    /// With n = 3 · 2³⁰ every word that is a multiple of 4 has a lower half of 0, below 2³² mod n = 2³⁰.
    #[test]
    fn words_that_would_bias_a_draw_are_thrown_away() {
        let mut words = [0, 4, u32::MAX - 3, 1, 2].into_iter();
        assert_eq!(below(3 << 30, || words.next().unwrap()), 0);
        assert_eq!(words.next(), Some(2));
        assert_eq!(below(1, || 12_345), 0);
        assert_eq!(below(u32::MAX, || u32::MAX), u32::MAX - 1);
    }

    #[test]
    fn batches_cover_an_order_and_the_last_is_short() {
        let order = shuffled(10, Key::from_seed(1), 0);
        for (batch, count) in [(1, 10), (3, 4), (5, 2), (10, 1), (11, 1), (usize::MAX, 1)] {
            let batches = Batches::new(&order, batch).unwrap();
            assert_eq!(batches.len(), count);
            assert_eq!(batches.flatten().copied().collect::<Vec<_>>(), order);
        }
        assert_eq!(Batches::new(&order, 0).unwrap_err().to_string(), "batch: expected 1 or more, got 0");
    }
}
