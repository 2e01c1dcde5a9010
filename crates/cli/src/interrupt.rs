//! Notices Ctrl-C and termination, so that long work can save first.

use std::sync::atomic::{AtomicBool, Ordering};

static WANTED: AtomicBool = AtomicBool::new(false);

/// Starts listening. A second Ctrl-C ends the process at once.
pub(crate) fn listen() {
    let heard = ctrlc::set_handler(|| {
        if WANTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(crate::INTERRUPTED));
        }
    });
    if let Err(problem) = heard {
        crate::console::tell(format_args!("note: Ctrl-C will not be noticed: {problem}"));
    }
}

/// Tells whether the user wants to stop.
pub(crate) fn wanted() -> bool {
    WANTED.load(Ordering::SeqCst)
}

/// Ends the process where everything worth keeping is saved already.
pub(crate) fn leave_if_wanted() {
    if wanted() {
        crate::console::tell("interrupted");
        std::process::exit(i32::from(crate::INTERRUPTED));
    }
}
