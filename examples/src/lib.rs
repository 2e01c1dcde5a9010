//! Keeps the examples in a package of their own: each lies in `examples/`, shows one idea, and runs in seconds.
