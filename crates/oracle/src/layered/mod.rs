//! Solves restricted Boltzmann machines with any pair of unit kinds exactly: ln Z, laws, moments, gradients, kernels.
//!
//! E(x, y) = U_v(x) + U_h(y) − x·W·y and p(x, y) = m_v(x) m_h(y) e^(−E(x, y)) / Z, with the kinds, energies and
//! measures of [`crate::units`]. One side is listed, by its states or by quadrature nodes, and the other summed or
//! integrated out in closed form: e^(−F(x)) = e^(−U_v(x) + Γ_h(x·W)), so that p(x) = m_v(x) e^(−F(x)) / Z. The
//! second routes, [`Rbm::log_z_by_sums`] and [`Joint`], list both.

mod conditionals;
mod joint;
mod law;
mod likelihood;
mod proper;
mod quadratic;
mod rbm;
mod sample;
mod statistics;

#[cfg(test)]
mod check;

pub use conditionals::Conditionals;
pub use joint::Joint;
pub use law::{Law, Side};
pub use proper::Refusal;
pub use rbm::Rbm;
pub use sample::Pair;
pub use statistics::{Moments, Statistics};
