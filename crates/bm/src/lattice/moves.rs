//! Says how a lattice moves, and moves it.

use harmonium_core::{Error, Key};
use harmonium_kernels::multispin::{self, Precision, Rule};
use harmonium_kernels::parallel;
use serde::{Deserialize, Serialize};

use super::{Lattice, cluster};

/// Names a kind of sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Moves {
    /// Single spins with probability r min(1, e^−ΔE/T) (Metropolis et al. 1953), r = 255/256. Without r, lattices in which no turn costs
    /// anything, as in stripes of width one, would turn over as a whole in every sweep for ever. Where it is hot nearly every spin turns in
    /// every sweep, and what the lattice remembers falls to 1/e in 128 sweeps; heat bath forgets at once.
    Metropolis,
    /// Single spins given their neighbours (Glauber 1963).
    HeatBath,
    /// All clusters of bonds, each with a fair coin (Swendsen & Wang 1987): the moves that still mix at the critical temperature.
    Cluster,
}

/// Says at which temperature a lattice is sampled, and by which moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ising {
    /// The temperature T in units of |J|, above 0; the infinite ferromagnet orders below [`super::exact::critical_temperature`].
    pub temperature: f64,
    /// Whether neighbours want to be unequal: J = −1 instead of 1.
    pub antiferromagnet: bool,
    /// The kind of sweep.
    pub moves: Moves,
    /// Compares 16 random bits with a probability instead of 32: errors of up to 2^-17, for a little speed.
    pub fast: bool,
}

impl Default for Ising {
    fn default() -> Self {
        Self {
            temperature: super::exact::critical_temperature(),
            antiferromagnet: false,
            moves: Moves::Metropolis,
            fast: false,
        }
    }
}

impl Ising {
    /// Checks the options.
    ///
    /// # Errors
    /// Refuses a temperature that is not a number of at least 10^-6, and cluster moves of an antiferromagnet.
    pub fn check(&self) -> Result<(), Error> {
        if !(self.temperature.is_finite() && self.temperature >= 1e-6) {
            return Err(Error::option("temperature", "at least 0.000001, and finite", self.temperature));
        }
        if self.antiferromagnet && self.moves == Moves::Cluster {
            let expected = "metropolis or heat-bath for an antiferromagnet";
            return Err(Error::option("moves", expected, "cluster"));
        }
        Ok(())
    }

    /// Works out what sweeps of this lattice need.
    ///
    /// # Errors
    /// As [`Ising::check`]; and refuses cluster moves of more than 2^32 sites.
    pub fn sweeps(&self, lattice: &Lattice) -> Result<Sweeps, Error> {
        self.check()?;
        let sign = if self.antiferromagnet { -1.0 } else { 1.0 };
        let coupling = sign / self.temperature;
        let precision = if self.fast { Precision::Fast } else { Precision::Full };
        let rule = |moves| Ok(Sweeps(Kind::Single(Rule::new(coupling, moves, precision))));
        match self.moves {
            Moves::Metropolis => rule(multispin::Moves::Metropolis),
            Moves::HeatBath => rule(multispin::Moves::HeatBath),
            Moves::Cluster if lattice.sites() > 1 << 32 => {
                Err(Error::option("sites of a lattice", "at most 2^32 for cluster moves", lattice.sites()))
            }
            Moves::Cluster => Ok(Sweeps(Kind::Cluster(cluster::bond(coupling)))),
        }
    }
}

/// Is the moves of one temperature.
#[derive(Clone, Debug)]
pub struct Sweeps(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Single(Rule),
    /// Below which word a satisfied bond holds.
    Cluster(u64),
}

impl Sweeps {
    /// Decides every site once.
    pub fn sweep(&self, lattice: &mut Lattice, key: Key) {
        match &self.0 {
            Kind::Single(rule) => lattice.sweep(rule, key),
            Kind::Cluster(bond) => cluster::sweep(lattice, *bond, key),
        }
    }

    /// Sweeps so many times, sweep n with the n-th key below this one, and shows the lattice after each.
    pub fn run(&self, lattice: &mut Lattice, sweeps: usize, key: Key, mut seen: impl FnMut(&Lattice)) {
        parallel::team(|| {
            for n in 0..sweeps {
                self.sweep(lattice, key.fold_in(n as u64));
                seen(lattice);
            }
        });
    }
}
