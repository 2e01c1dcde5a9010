//! Searches for ground states: of spin glasses, of Max-Cut and of quadratic binary problems.
//!
//! A [`Problem`] is an energy of spins; [`anneal`] cools many copies of it and keeps the best. The moves are Metropolis's, and
//! each spin's field is kept, so that a refused move costs next to nothing and an accepted one as much as the spin has neighbours.
//!
//! ```
//! use harmonium_bm::{Graph, ground::{Anneal, Problem, anneal}};
//! use harmonium_core::Key;
//! // A ring of five can be cut four times.
//! let ring = Graph::new(5, (0..5).map(|i| [i, (i + 1) % 5]))?;
//! let problem = Problem::max_cut(ring, &[1.0; 5])?;
//! let ground = anneal(&problem, &Anneal::default(), Key::from_seed(1), &mut |_| false)?;
//! assert_eq!(ground.energy, -4.0);
//! # Ok::<(), harmonium_core::Error>(())
//! ```

mod anneal;
mod codes;
mod luby;
mod machine;
mod problem;
mod temper;

pub use anneal::{Anneal, Ground, Progress, anneal, anneal_until};
pub use problem::Problem;
pub use temper::{Temper, temper};
