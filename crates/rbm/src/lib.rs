//! Restricted Boltzmann machines.
