//! Runs Harmonium from the command line.

mod args;
mod checkup;
mod clock;
mod commands;
mod console;
mod csv;
mod defaults;
mod estimator;
mod folder;
mod gaps;
mod hidden;
mod interrupt;
mod likelihood;
mod metrics;
mod outcome;
mod picture;
mod profile;
mod recipe;
mod report;
mod rules;
mod run;
mod sampler;
mod source;
mod stacks;
mod stop;
mod watch;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use harmonium::{Error, ErrorKind};

/// Exit code after Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return console::usage(&refusal),
    };
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            console::error(&error);
            ExitCode::from(if matches!(error.kind(), ErrorKind::Option(_)) { 2 } else { 1 })
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Error> {
    let done = |result: Result<(), Error>| result.map(|()| ExitCode::SUCCESS);
    match command {
        Command::Train(args) => commands::train::run(&args),
        Command::Finetune(args) => stacks::train::finetune(&args),
        Command::Predict(args) => done(stacks::predict::run(&args)),
        Command::Encode(args) => done(stacks::codes::encode(&args)),
        Command::Decode(args) => done(stacks::codes::decode(&args)),
        Command::Evaluate(args) => done(commands::evaluate::run(&args)),
        Command::Sample(args) => done(commands::sample::run(&args)),
        Command::Denoise(args) => done(commands::denoise::run(&args)),
        Command::Inpaint(args) => done(commands::inpaint::run(&args)),
        Command::Anomaly(args) => done(commands::anomaly::run(&args)),
        Command::Generate(args) => done(commands::generate::run(&args)),
        Command::Transform(args) => done(commands::convert::transform(&args)),
        Command::Reconstruct(args) => done(commands::convert::reconstruct(&args)),
        Command::Impute(args) => done(commands::impute::run(&args)),
        Command::Ising(args) => done(commands::ising::run(&args)),
        Command::Inspect(args) => done(commands::inspect::run(&args)),
        Command::Import(args) => done(commands::import::run(&args)),
        Command::Export(args) => done(commands::export::run(&args)),
        Command::Report(args) => done(commands::report::run(&args)),
        Command::Maxcut(args) => done(commands::maxcut::run(&args)),
        Command::Recommend(args) => done(commands::recommend::run(&args)),
    }
}
