//! Runs Harmonium from the command line.

#[allow(dead_code, reason = "the commands that call them come with the command line")]
mod picture;
#[allow(dead_code, unused_imports, reason = "the commands that call them come with the command line")]
mod report;

fn main() {}
