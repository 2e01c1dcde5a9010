//! Measures Harmonium, alone or beside other programs at the same work.

mod args;
mod console;
mod own;
mod peers;
mod record;
mod spread;
mod sweep;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use harmonium::Error;

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::tell(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<(), Error> {
    match command {
        Command::Own(args) => own::run(args),
        Command::Peers(args) => peers::run(args),
        Command::Sweep(args) => sweep::run(args),
    }
}
