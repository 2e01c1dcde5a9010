//! Measures our work and that of other programs in turn, one process each, and prints tables of their ratios.

mod child;
mod demands;
mod job;
mod machine;
mod measured;
mod memory;
mod page;
mod plan;
mod rounds;
mod script;
mod table;

use std::fs;

use harmonium::Error;
use harmonium::data::mnist_folder;

use crate::args::{Group, Peers};
use crate::console;

/// Runs the comparisons and prints them.
///
/// # Errors
/// MNIST is not there, or a file can't be written. A peer that is not installed is no error: the page names it.
pub(crate) fn run(args: &Peers) -> Result<(), Error> {
    let images = mnist_folder()?;
    let machine = machine::Machine::look();
    let script = script::Script::find(args);
    if let Err(why) = &script {
        console::tell(format_args!("{why}: only our own work is measured"));
    }
    let plan = plan::Plan::new(args, &machine, script.is_ok());
    let scratch = tempfile::tempdir().map_err(|e| Error::io("create", &std::env::temp_dir(), e))?;
    let child =
        child::Children { args, script: script.as_ref().ok(), images: &images, scratch: scratch.path() };
    let measured = rounds::run(&plan, &child, args.rounds);
    let memory = match args.group {
        Group::All | Group::Limits => memory::peak(args.threads, scratch.path()),
        _ => Err(memory::NOT_ASKED.into()),
    };
    let demands = demands::all(&measured, &machine, args, memory);
    let text = page::page(args, &machine, script.as_ref(), &plan, &measured, &demands);
    console::line(&text)?;
    match &args.out {
        Some(path) => fs::write(path, format!("{text}\n")).map_err(|e| Error::io("write", path, e)),
        None => Ok(()),
    }
}
