//! Keeps the benches in a package of their own; each lies in `benches/`.
