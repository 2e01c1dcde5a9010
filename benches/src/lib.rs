//! Keeps the benches in a package of their own: `cargo bench -p harmonium-bench` times kernels and updates.
