//! Gives exact answers on small models by f64 enumeration.
