//! Gives exact answers on small models by f64 enumeration, as the judge of the library.
//!
//! Everything is written from the formulas, in the plainest way, and nothing is shared with the library: the crate has
//! no dependency. It therefore panics on misuse, as tests do. Small binary states are bit masks (bit i = unit i);
//! [`wide`], [`ais`] and [`trainer`] take states as slices of `bool` and work at any width.
//!
//! [`rbm`] and the modules around it know binary machines alone. [`layered`] knows every pair of the kinds of
//! [`units`]; its states are lists of features.
//!
//! # A test of the library
//!
//! Read the model back, weights as they are on the grid, and ask for the number that the library claims. The bounds
//! are those of the testing page; draws are counted over the states in the order of the lists.
//!
//! ```
//! use harmonium_oracle::layered::{Conditionals, Rbm};
//! use harmonium_oracle::rng::Rng;
//! use harmonium_oracle::sample::Table;
//! use harmonium_oracle::stats::{tv, tv_star};
//! use harmonium_oracle::units::{Kind, Layer};
//!
//! // Two softmax-3 units above two spins; the numbers stand for parameters read back from the library's model.
//! let visible = Layer::with_bias(Kind::Spin, &[0.2, -0.4]);
//! let hidden = Layer::with_bias(Kind::Categorical(3), &[0.1, 0.0, -0.3, 0.5, 0.2, 0.0]);
//! let weights = (0..12).map(|n| 0.8 * f64::from(n % 5 - 2)).collect();
//! let exact = Rbm::new(visible, hidden, weights);
//!
//! // Free energies, to τ_F, and gradients, to τ_g, entry by entry in the order W, visible blocks, hidden blocks.
//! let rows = vec![vec![1.0, -1.0], vec![1.0, 1.0]];
//! let expected = exact.free_energy(&rows[0]);
//! let gradient = exact.gradient(&rows, None)?;
//! assert!(expected.is_finite() && gradient.entries().len() == exact.parameters());
//!
//! // No drift: exact joint states, a sweep of the library's kernel in place of the exact one here, and TV ≤ TV*.
//! let (joint, kernel) = (exact.joint().unwrap(), Conditionals::of(&exact).unwrap().joint_sweep());
//! let (p, draws, mut rng) = (joint.p(), 20_000, Rng::new(7));
//! let (start, mut seen) = (Table::new(&p), vec![0.0; p.len()]);
//! for _ in 0..draws {
//!     // `joint.features(state)` are the visible and hidden features to hand to the library.
//!     let state = start.draw(&mut rng);
//!     seen[Table::new(kernel.row(state)).draw(&mut rng)] += 1.0 / draws as f64;
//! }
//! assert!(tv(&seen, &p) <= tv_star(&p, draws));
//!
//! // Draws of one unit: P(X ≤ x) at an input, which thresholds or a Kolmogorov–Smirnov distance are held against.
//! let relu = Layer::with_bias(Kind::Relu, &[-0.5]).unit(0);
//! assert!(relu.cdf(&[0.5], 0.0).abs() < 1e-12 && relu.cdf(&[0.5], 9.0) > 1.0 - 1e-12);
//!
//! // Models without a finite Z are refused, as the library must refuse them.
//! assert!(Rbm::normal((Kind::Relu, 2), (Kind::Drelu, 2), 0.1, &mut rng).log_z().is_err());
//! # Ok::<(), harmonium_oracle::layered::Refusal>(())
//! ```

pub mod ais;
pub mod belief;
pub mod bits;
pub mod deep;
pub mod enumerate;
pub mod gamma;
pub mod gradient;
pub mod half_line;
pub mod layered;
pub mod likelihood;
pub mod linear;
pub mod machine;
pub mod math;
pub mod moments;
pub mod network;
pub mod noisy_rectified;
pub mod normal;
pub mod quadrature;
pub mod ratings;
pub mod rbm;
pub mod replicated;
pub mod rng;
pub mod sample;
pub mod stats;
pub mod trainer;
pub mod transition;
pub mod units;
pub mod wide;

#[cfg(test)]
mod check;
