//! Holds the spins of a lattice: 64 to a word where the sides are even, one by one where one of them is odd.

use harmonium_core::{BitMatrix, Error, Key};
use harmonium_kernels::bernoulli::fill;
use harmonium_kernels::multispin::{Planes, Rule};

/// The most sites: sums of their energies over a long run stand in integers with room to spare.
const MAX_SITES: usize = 1 << 34;

/// Is a periodic lattice of spins, `rows` × `columns`, each side two sites or more.
///
/// Lattices with even sides have a checkerboard and are swept a colour at a time, hundreds of spins in a register. The others
/// are swept site by site, some hundred times slower.
///
/// ```
/// use harmonium_bm::lattice::{Ising, Lattice};
/// use harmonium_bm::lattice::exact;
/// use harmonium_core::Key;
/// let mut lattice = Lattice::cold(32, 32)?;
/// assert_eq!((lattice.energy(), lattice.magnetization()), (-2.0, 1.0));
/// let sweeps = Ising { temperature: 1.5, ..Ising::default() }.sweeps(&lattice)?;
/// sweeps.run(&mut lattice, 100, Key::from_seed(1), |_| {});
/// assert!((lattice.energy() - exact::energy(1.5)).abs() < 0.1);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Lattice(Spins);

#[derive(Clone, Debug, PartialEq)]
enum Spins {
    Packed(Planes),
    Plain(BitMatrix),
}

impl Lattice {
    /// Checks a size.
    ///
    /// # Errors
    /// Refuses a side of less than two sites, and more than 2^34 sites.
    pub fn check(rows: usize, columns: usize) -> Result<(), Error> {
        if rows.min(columns) < 2 {
            return Err(Error::option("sides of a lattice", "2 sites or more", rows.min(columns)));
        }
        match rows.checked_mul(columns) {
            Some(sites) if sites <= MAX_SITES => Ok(()),
            _ => Err(Error::option("sites of a lattice", "at most 2^34", format!("{rows} × {columns}"))),
        }
    }

    /// Makes a lattice with all spins up.
    ///
    /// # Errors
    /// As [`Lattice::check`].
    pub fn cold(rows: usize, columns: usize) -> Result<Self, Error> {
        Self::check(rows, columns)?;
        Self::from_bits(&BitMatrix::from_fn(rows, columns, |_, _| true))
    }

    /// Makes a lattice whose spins are fair coins: that of column c in row r is the highest bit of word c of stream r.
    ///
    /// # Errors
    /// As [`Lattice::check`].
    pub fn hot(rows: usize, columns: usize, key: Key) -> Result<Self, Error> {
        Self::check(rows, columns)?;
        let (mut bits, mut words) = (BitMatrix::zeros(rows, columns), vec![0; columns]);
        for row in 0..rows {
            fill(key, row as u64, &mut words);
            (0..columns).for_each(|column| bits.set(row, column, words[column] >> 31 == 1));
        }
        Self::from_bits(&bits)
    }

    /// Takes spins as bits, `(rows, columns)`, one for up.
    ///
    /// # Errors
    /// As [`Lattice::check`].
    pub fn from_bits(bits: &BitMatrix) -> Result<Self, Error> {
        Self::check(bits.rows(), bits.units())?;
        let even = Planes::fits(bits.rows(), bits.units());
        Ok(Self(if even { Spins::Packed(Planes::pack(bits)) } else { Spins::Plain(bits.clone()) }))
    }

    /// Gives the spins as bits, `(rows, columns)`, one for up.
    pub fn to_bits(&self) -> BitMatrix {
        match &self.0 {
            Spins::Packed(planes) => planes.unpack(),
            Spins::Plain(bits) => bits.clone(),
        }
    }

    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        match &self.0 {
            Spins::Packed(planes) => planes.rows(),
            Spins::Plain(bits) => bits.rows(),
        }
    }

    /// Gives the number of columns.
    pub fn columns(&self) -> usize {
        match &self.0 {
            Spins::Packed(planes) => planes.columns(),
            Spins::Plain(bits) => bits.units(),
        }
    }

    /// Gives the number of sites.
    pub fn sites(&self) -> usize {
        self.rows() * self.columns()
    }

    /// Sums s s′ over the bonds: −E / J, exactly.
    pub fn bond_sum(&self) -> i64 {
        let equal = match &self.0 {
            Spins::Packed(planes) => planes.equal_bonds(),
            Spins::Plain(bits) => plain_equal_bonds(bits),
        };
        mutant!("B150", 2 * equal as i64 - 2 * self.sites() as i64, equal as i64 - 2 * self.sites() as i64)
    }

    /// Sums s over the sites, exactly.
    pub fn spin_sum(&self) -> i64 {
        let up = match &self.0 {
            Spins::Packed(planes) => planes.up(),
            Spins::Plain(bits) => bits.count_by_unit().into_iter().sum(),
        };
        2 * up as i64 - self.sites() as i64
    }

    /// Gives the energy a site of a ferromagnet, in units of J: −2 where all spins are equal.
    pub fn energy(&self) -> f64 {
        -self.bond_sum() as f64 / self.sites() as f64
    }

    /// Gives the mean spin, from −1 to 1.
    pub fn magnetization(&self) -> f64 {
        self.spin_sum() as f64 / self.sites() as f64
    }

    /// Decides every site once: colour 0 of the checkerboard and then colour 1, with a key each; or site by site.
    pub(super) fn sweep(&mut self, rule: &Rule, key: Key) {
        match &mut self.0 {
            Spins::Packed(planes) => [0, mutant!("B328", 1, 0)].into_iter().for_each(|colour| {
                planes.update(colour, rule, mutant!("B151", key.fold_in(colour as u64), key));
            }),
            Spins::Plain(bits) => plain_sweep(bits, rule, key),
        }
    }
}

/// Names the right and the lower neighbour of a site.
fn forward(bits: &BitMatrix, row: usize, column: usize) -> [[usize; 2]; 2] {
    [[row, (column + 1) % bits.units()], [(row + 1) % bits.rows(), column]]
}

fn plain_equal_bonds(bits: &BitMatrix) -> u64 {
    let mut count = 0;
    for row in 0..bits.rows() {
        for column in 0..bits.units() {
            let equal = |[r, c]: &[usize; 2]| bits.get(*r, *c) == bits.get(row, column);
            count += forward(bits, row, column).iter().filter(|&site| equal(site)).count() as u64;
        }
    }
    count
}

/// Decides site by site, row by row: column c of row r by word c of stream r.
fn plain_sweep(bits: &mut BitMatrix, rule: &Rule, key: Key) {
    let (rows, columns) = (bits.rows(), bits.units());
    let mut words = vec![0; columns];
    for row in 0..rows {
        fill(key, row as u64, &mut words);
        for (column, &word) in words.iter().enumerate() {
            let spin = bits.get(row, column);
            let before = [[row, (column + columns - 1) % columns], [(row + rows - 1) % rows, column]];
            let near = forward(bits, row, column).into_iter().chain(before);
            let equal = near.filter(|&[r, c]| bits.get(r, c) == spin).count() as u32;
            bits.set(row, column, spin ^ rule.turns(rule.satisfied(equal), mutant!("B327", word, words[0])));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lattices_without_two_sites_a_side_are_refused() {
        let said = |rows, columns| Lattice::cold(rows, columns).unwrap_err().to_string();
        assert_eq!(said(0, 4), "sides of a lattice: expected 2 sites or more, got 0");
        assert_eq!(said(4, 1), "sides of a lattice: expected 2 sites or more, got 1");
        assert!(said(1 << 20, 1 << 20).contains("at most 2^34"));
        assert!(said(usize::MAX, usize::MAX).contains("at most 2^34"));
    }

    #[test]
    fn sums_of_odd_and_even_lattices_are_those_of_their_bits() {
        for (rows, columns) in [(2, 2), (3, 3), (5, 4), (4, 5), (6, 64), (7, 65)] {
            let lattice = Lattice::hot(rows, columns, Key::from_seed(4)).unwrap();
            let bits = lattice.to_bits();
            let spin = |r: usize, c: usize| 2 * i64::from(bits.get(r % rows, c % columns)) - 1;
            let sites = || (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c)));
            let bonds: i64 = sites().map(|(r, c)| spin(r, c) * (spin(r + 1, c) + spin(r, c + 1))).sum();
            assert_eq!(lattice.bond_sum(), bonds, "{rows} × {columns}");
            assert_eq!(lattice.spin_sum(), sites().map(|(r, c)| spin(r, c)).sum::<i64>());
        }
    }
}
