//! Makes models of energies of one's own: a few lines of energy, and every sampler, tempering, annealing and ln Z with its
//! interval follow.
//!
//! An energy over finite sites implements [`Sites`], one over real numbers [`Smooth`]; [`Discrete`] and [`Continuous`] join it
//! with the way it is sampled, and are [`crate::Gibbs`], [`crate::Thermal`], [`crate::Annealed`] and [`super::Reversible`].
//! [`Product`] is a product of experts: energies add. Energies are finite: a state that is out of bounds has a large one.
//!
//! ```
//! use harmonium_core::evaluate::{Ais, Betas, forward};
//! use harmonium_core::sample::own::{Discrete, Sites, Update};
//! use harmonium_core::sample::{Chains, Ladder, Moments, ParallelTempering};
//! use harmonium_core::{Error, Key};
//!
//! /// Eight spins in a ring with a field: E(s) = −J Σ s_i s_(i+1) − B Σ s_i, s = 2x − 1.
//! struct Ring {
//!     coupling: f64,
//!     field: f64,
//! }
//!
//! impl Sites for Ring {
//!     fn sites(&self) -> usize {
//!         8
//!     }
//!
//!     fn energy(&self, x: &[u16]) -> f64 {
//!         let s = |i: usize| 2.0 * f64::from(x[i % 8]) - 1.0;
//!         (0..8).map(|i| -self.coupling * s(i) * s(i + 1) - self.field * s(i)).sum()
//!     }
//! }
//!
//! let (key, ring) = (Key::from_seed(1), Discrete::new(Ring { coupling: 1.0, field: 0.1 }, Update::HeatBath)?);
//! // ln Z by annealing, and by the eigenvalues of the transfer matrix.
//! let ais = Ais { runs: 200, betas: Betas::Count(200) };
//! let found = forward(&ring, &ais, key, &mut |_, _| ())?;
//! let (c, root) = (1.0_f64.exp() * 0.1_f64.cosh(), (2.0_f64.exp() * 0.1_f64.sinh().powi(2) + (-2.0_f64).exp()).sqrt());
//! let exact = ((c + root).powi(8) + (c - root).powi(8)).ln();
//! assert!(found.interval.low <= exact && exact <= found.interval.high);
//!
//! // Parallel tempering, of which moments alone are kept; enumeration gives the same.
//! let chains = Chains { chains: 50, burn_in: 64, sweeps: 400, thin: 1 };
//! let tempering = ParallelTempering { chains, ladder: Ladder::Even { rungs: 4, lowest: 0.0 }, adapt: true };
//! let mut moments = Moments::default();
//! tempering.run(&ring, key, &mut [&mut moments])?;
//! let states = (0..256_u32).map(|n| (0..8).map(|i| (n >> i & 1) as u16).collect::<Vec<_>>());
//! let on: f64 = states.filter(|x| x[0] == 1).map(|x| (-ring.inner().energy(&x) - exact).exp()).sum();
//! assert!((moments.means()[0] - on).abs() < 0.03);
//! # Ok::<(), Error>(())
//! ```

mod continuous;
mod discrete;
mod moves;
mod product;
mod rows;
mod sites;
mod smooth;
mod updates;

pub use continuous::{Continuous, Landscape};
pub use discrete::{Discrete, DiscreteView, Order};
pub use moves::{Move, leapfrog};
pub use product::Product;
pub use sites::Sites;
pub use smooth::Smooth;
pub use updates::{Update, heat_bath, informed, metropolis};
