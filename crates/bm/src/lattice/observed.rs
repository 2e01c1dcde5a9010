//! Sums up what a run shows, energies in integers, and gives means with their errors.

use super::Lattice;

/// Parts of a run whose means are compared: as many as give an error to within 13 %.
const PARTS: usize = 32;

/// Is an estimate, and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error, of correlated sweeps: by leaving out one part of the run after the other (Efron 1982).
    pub error: f64,
}

/// Holds exact sums of energies and magnetisations, and sums of powers of the magnetisation a site, over a run of a known number of sweeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    sites: usize,
    sweeps: usize,
    seen: usize,
    parts: Vec<Sums>,
}

/// Sums powers of b = Σ s s′ and of m = |Σ s|; m² and m⁴ a site, which as integers would be too large.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    n: i128,
    b: i128,
    b2: i128,
    m: i128,
    m2: f64,
    m4: f64,
}

impl Sums {
    /// Takes one lattice.
    fn of(sites: usize, b: i128, m: i128) -> Self {
        let square = (m as f64 / sites as f64).powi(2);
        Self { n: 1, b, b2: b * b, m, m2: square, m4: square * square }
    }

    fn plus(self, other: Self, sign: i128) -> Self {
        Self {
            n: self.n + sign * other.n,
            b: self.b + sign * other.b,
            b2: self.b2 + sign * other.b2,
            m: self.m + sign * other.m,
            m2: self.m2 + sign as f64 * other.m2,
            m4: self.m4 + sign as f64 * other.m4,
        }
    }

    fn mean(&self, sum: i128) -> f64 {
        sum as f64 / self.n as f64
    }

    /// Gives the variance of b, whose large squares cancel in integers.
    fn variance(&self) -> f64 {
        (self.n * self.b2 - self.b * self.b) as f64 / (self.n as f64 * self.n as f64)
    }
}

impl Observed {
    /// Makes sums for so many sweeps of lattices like this one.
    pub fn new(lattice: &Lattice, sweeps: usize) -> Self {
        Self { sites: lattice.sites(), sweeps, seen: 0, parts: vec![Sums::default(); PARTS.min(sweeps)] }
    }

    /// Adds a lattice; more than were foreseen count for the last part.
    pub fn see(&mut self, lattice: &Lattice) {
        let Some(last) = self.parts.len().checked_sub(1) else { return };
        let (b, m) = (i128::from(lattice.bond_sum()), i128::from(lattice.spin_sum().abs()));
        let part = (self.seen * self.parts.len() / self.sweeps).min(last);
        self.parts[part] = self.parts[part].plus(Sums::of(self.sites, b, m), 1);
        self.seen += 1;
    }

    /// Gives the mean energy a site of the ferromagnet, J = 1.
    pub fn energy(&self) -> Estimate {
        let sites = self.sites as f64;
        self.estimate(|sums| -sums.mean(sums.b) / sites)
    }

    /// Gives the specific heat a site at this temperature: the variance of the energy over T².
    pub fn specific_heat(&self, temperature: f64) -> Estimate {
        let scale = temperature * temperature * self.sites as f64;
        self.estimate(|sums| sums.variance() / scale)
    }

    /// Gives the mean of the magnetisation's magnitude a site.
    pub fn magnetization(&self) -> Estimate {
        let sites = self.sites as f64;
        self.estimate(|sums| sums.mean(sums.m) / sites)
    }

    /// Gives Binder's cumulant 1 − ⟨m⁴⟩ / (3 ⟨m²⟩²): 2/3 in order, 0 in disorder (Binder 1981).
    pub fn binder(&self) -> Estimate {
        self.estimate(|sums| 1.0 - sums.m4 * sums.n as f64 / (3.0 * sums.m2 * sums.m2))
    }

    /// Gives the integrated autocorrelation time of the energy, in sweeps: half of what its squared error is larger than that of
    /// independent sweeps; at least ½, and known to within a quarter.
    pub fn autocorrelation(&self) -> f64 {
        let all = self.all();
        let independent = all.variance() / (self.seen as f64 * (self.sites as f64).powi(2));
        let time = 0.5 * self.energy().error.powi(2) / independent;
        // Where nothing moved there is nothing to compare.
        if time.is_finite() { time.max(0.5) } else { f64::NAN }
    }

    fn all(&self) -> Sums {
        self.parts.iter().fold(Sums::default(), |all, &part| all.plus(part, 1))
    }

    fn estimate(&self, of: impl Fn(&Sums) -> f64) -> Estimate {
        let all = self.all();
        let without: Vec<f64> = self.parts.iter().map(|&part| of(&all.plus(part, -1))).collect();
        let count = without.len() as f64;
        let mean = without.iter().sum::<f64>() / count;
        let squares: f64 = without.iter().map(|x| (x - mean) * (x - mean)).sum();
        Estimate {
            value: of(&all),
            error: libm::sqrt(squares * mutant!("B159", (count - 1.0) / count, 1.0 / count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest lattice that is allowed, ordered, over 2^25 + 1 looks: m⁴ of it has 136 bits, and an f32 would stick at 2^24.
    #[test]
    fn long_runs_of_large_lattices_are_summed_exactly() {
        let sites = 1 << 34;
        let look = Sums::of(sites, 1 << 35, 1 << 34);
        let all = (0..=1 << 25).fold(Sums::default(), |sum, _| sum.plus(look, 1));
        assert_eq!((all.m2, all.m4), (33_554_433.0, 33_554_433.0));
        assert_eq!((all.mean(all.b), all.variance()), (f64::from(2.0_f32.powi(35)), 0.0));
        let parts = vec![all, all.plus(look, -1)];
        let observed = Observed { sites, sweeps: 2, seen: 2, parts };
        assert_eq!((observed.energy().value, observed.magnetization().value), (-2.0, 1.0));
        assert!((observed.binder().value - 2.0 / 3.0).abs() < 1e-15);
    }
}
