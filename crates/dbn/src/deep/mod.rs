//! Trains deep Boltzmann machines, whose layers infer together (Salakhutdinov & Hinton 2009).
