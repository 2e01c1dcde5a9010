//! Runs Harmonium from the command line.

fn main() {}
