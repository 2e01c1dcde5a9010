//! A toolkit for Boltzmann machines.

pub use harmonium_core::{
    Annealed, Backend, Batch, BitMatrix, EnergyModel, Error, ErrorKind, Gibbs, HasParams, Key, Marginal,
    Params, address, batch, check_backend, data, error, evaluate, model, params, persist, purpose, stats,
    train, units,
};
pub use harmonium_rbm as rbm;

/// Gathers what most programs use.
pub mod prelude {
    pub use harmonium_core::train::{Cd, Fit, Pcd, Schedule, Silent, fit};
    pub use harmonium_core::units::Units;
    pub use harmonium_core::{
        Batch, EnergyModel, Error, Gibbs, HasParams, Key, Marginal, data, evaluate, purpose,
    };
    pub use harmonium_rbm::Rbm;
}
