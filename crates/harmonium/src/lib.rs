//! A toolkit for Boltzmann machines.
