//! Speaks to the terminal: results on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;

use harmonium::{Backend, Error};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::args::Output;

/// Prints a line of text on stdout.
///
/// # Errors
/// Says why it could not be written. A reader that has left, as `head` does, is no error: the work goes on.
pub(crate) fn line(text: impl Display) -> Result<(), Error> {
    match writeln!(stdout(), "{text}") {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::io("write", Path::new("stdout"), e)),
        _ => Ok(()),
    }
}

/// Prints a value as one line of JSON on stdout; numbers that are not finite become null.
///
/// # Errors
/// As [`line()`].
pub(crate) fn json(value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(value);
    line(text.map_err(|e| Error::format("json", "", "values that JSON can hold", e))?)
}

/// Prints why a command failed, on one line of stderr.
pub(crate) fn error(error: &Error) {
    tell(format_args!("error: {}", error.to_string().replace(['\n', '\r'], " ")));
}

/// Prints what the reader of the options has to say: help where it was asked for, else one line on what is wrong.
pub(crate) fn usage(refusal: &clap::Error) -> ExitCode {
    if !refusal.use_stderr()
        || refusal.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    {
        let _ = refusal.print();
    } else {
        let text = refusal.to_string();
        let lines = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim);
        tell(format_args!("{} (see --help)", lines.collect::<Vec<_>>().join(" ")));
    }
    ExitCode::from(if refusal.use_stderr() { 2 } else { 0 })
}

/// Tells something on stderr, unless the user wants quiet.
pub(crate) fn note(output: Output, text: impl Display) {
    if !output.quiet {
        tell(text);
    }
}

/// Writes a line to stderr. Where nobody hears it, nobody can be told so: `eprintln!` would panic.
pub(crate) fn tell(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
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

/// Uses so many threads for all parallel work, and tells when not all of the CPU can be used.
///
/// # Errors
/// Refuses zero threads, and a back end that this machine lacks.
pub(crate) fn threads(output: Output) -> Result<(), Error> {
    harmonium::check_backend()?;
    Backend::notice().into_iter().for_each(|notice| note(output, notice));
    let Some(count) = output.threads else { return Ok(()) };
    if count == 0 || count > 4096 {
        return Err(Error::option("threads", "1 to 4096", count));
    }
    let built = rayon::ThreadPoolBuilder::new().num_threads(count).build_global();
    built.map_err(|problem| Error::option("threads", "as many as the system gives", problem))
}
