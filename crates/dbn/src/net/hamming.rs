//! Finds the nearest binary codes by Hamming distance, exactly: every code is compared, 64 bits at a time.

use harmonium_core::Error;
use harmonium_kernels::{BitMatrix, parallel};

/// Is a list of binary codes that can be searched.
#[derive(Clone, Debug)]
pub struct Hamming {
    codes: BitMatrix,
}

/// Is a code that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its row in the list.
    pub row: usize,
    /// The bits in which it differs.
    pub distance: u32,
}

impl Hamming {
    /// Takes the codes to be searched, one a row.
    pub fn new(codes: BitMatrix) -> Self {
        Self { codes }
    }

    /// Gives the codes.
    pub fn codes(&self) -> &BitMatrix {
        &self.codes
    }

    /// Finds the `k` nearest codes of each query, nearest first and among equals the lower row first; all, if there are fewer.
    ///
    /// # Errors
    /// Refuses queries of another width.
    pub fn nearest(&self, queries: &BitMatrix, k: usize) -> Result<Vec<Vec<Neighbour>>, Error> {
        if queries.units() != self.codes.units() {
            let expected = format!("{} bits", self.codes.units());
            return Err(Error::shape("queries", expected, format!("{} bits", queries.units())));
        }
        Ok(parallel::map(queries.rows(), |query| self.of_one(queries.row(query), k)))
    }

    fn of_one(&self, query: &[u64], k: usize) -> Vec<Neighbour> {
        let distance = |row: usize| {
            let pairs = self.codes.row(row).iter().zip(query);
            pairs.map(|(a, b)| mutant!("B228", a ^ b, a & b).count_ones()).sum::<u32>()
        };
        let all: Vec<u32> = (0..self.codes.rows()).map(distance).collect();
        let most = farthest(&all, self.codes.units(), k);
        let near = all.iter().enumerate().filter(|(_, distance)| **distance <= most);
        let mut out: Vec<Neighbour> = near.map(|(row, &distance)| Neighbour { row, distance }).collect();
        // A stable sort keeps equals in the order of their rows.
        out.sort_by_key(|neighbour| neighbour.distance);
        out.truncate(k);
        out
    }
}

/// Gives the least distance within which there are `k` codes, or all.
fn farthest(distances: &[u32], bits: usize, k: usize) -> u32 {
    let mut counts = vec![0_usize; bits + 1];
    distances.iter().for_each(|&distance| counts[distance as usize] += 1);
    let mut within = 0;
    let enough = counts.iter().position(|count| {
        within += count;
        within >= k
    });
    enough.unwrap_or(bits) as u32
}
