//! Notices Ctrl-C and termination, so that long work can save first.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::console::tell;

static WANTED: AtomicBool = AtomicBool::new(false);
static ADVICE: OnceLock<String> = OnceLock::new();

/// Starts listening. A second Ctrl-C ends the process at once.
pub(crate) fn listen() {
    let heard = ctrlc::set_handler(|| {
        if WANTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(crate::INTERRUPTED));
        }
    });
    if let Err(problem) = heard {
        tell(format_args!("note: Ctrl-C will not be noticed: {problem}"));
    }
}

/// Tells whether the user wants to stop.
pub(crate) fn wanted() -> bool {
    WANTED.load(Ordering::SeqCst)
}

/// Says what a user whose work is cut short should do.
pub(crate) fn advise(advice: String) {
    // The first advice stays: a process has one piece of work.
    ADVICE.get_or_init(|| advice);
}

/// Ends the process where everything worth keeping is saved already.
pub(crate) fn leave_if_wanted() {
    if wanted() {
        tell(ADVICE.get().map_or("interrupted", String::as_str));
        std::process::exit(i32::from(crate::INTERRUPTED));
    }
}
