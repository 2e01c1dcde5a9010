#![doc = include_str!("../README.md")]

pub use harmonium_bm as bm;
pub use harmonium_core::{
    Annealed, Backend, Batch, BitMatrix, EnergyModel, Error, ErrorKind, Gibbs, HasParams, HiddenMeans, Key,
    Marginal, Params, Rows, Thermal, address, batch, check_backend, data, doctor, error, evaluate, linear,
    model, params, persist, profile, purpose, rows, sample, stats, train, units,
};
pub use harmonium_dbn as dbn;
pub use harmonium_rbm as rbm;

/// Gathers what most programs use.
pub mod prelude {
    pub use harmonium_core::evaluate::{Annealing, Likelihood};
    pub use harmonium_core::train::{Cd, Centre, Fit, Method, Observer, Pcd, Schedule, Silent, Step, fit};
    pub use harmonium_core::units::Units;
    pub use harmonium_core::{
        Batch, EnergyModel, Error, Gibbs, HasParams, Key, Marginal, Rows, Thermal, data, evaluate, purpose,
    };
    pub use harmonium_rbm::Rbm;
}
