//! Speaks to the terminal: results on stdout, everything else on stderr.
// The only file of the workspace that prints.
#![allow(clippy::print_stdout)]

use std::fmt::Display;

use harmonium::Error;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::args::Output;

/// Prints a line of text on stdout.
pub(crate) fn line(text: impl Display) {
    println!("{text}");
}

/// Prints a value as one line of JSON on stdout; numbers that are not finite become null.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => println!("{text}"),
        Err(problem) => eprintln!("error: json: {problem}"),
    }
}

/// Prints why a command failed, on one line of stderr.
pub(crate) fn error(error: &Error) {
    eprintln!("error: {}", error.to_string().replace('\n', " "));
}

/// Tells something on stderr, unless the user wants quiet.
pub(crate) fn note(output: Output, text: impl Display) {
    if !output.quiet {
        eprintln!("{text}");
    }
}

/// Makes a progress bar with the time left; it stays hidden where nobody looks.
pub(crate) fn bar(output: Output, length: u64, what: &str) -> ProgressBar {
    if output.quiet || output.json {
        return ProgressBar::hidden();
    }
    let template = "{msg} {wide_bar} {percent:>3} %  {elapsed} gone, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_message(what.to_owned())
}

/// Uses so many threads for all parallel work.
///
/// # Errors
/// Refuses zero threads, and a back end that this machine lacks.
pub(crate) fn threads(output: Output) -> Result<(), Error> {
    harmonium::check_backend()?;
    let Some(count) = output.threads else { return Ok(()) };
    if count == 0 || count > 4096 {
        return Err(Error::option("threads", "1 to 4096", count));
    }
    let built = rayon::ThreadPoolBuilder::new().num_threads(count).build_global();
    built.map_err(|problem| Error::option("threads", "as many as the system gives", problem))
}
