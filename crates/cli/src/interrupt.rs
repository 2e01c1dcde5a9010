//! Notices Ctrl-C and termination: a training saves first, everything else ends at once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::console::tell;

/// Whether a training runs that looks at [`wanted`] and saves.
static ARMED: AtomicBool = AtomicBool::new(false);
static WANTED: AtomicBool = AtomicBool::new(false);
static ADVICE: OnceLock<String> = OnceLock::new();

/// Starts listening. While nothing is armed, and at the second Ctrl-C, the process ends at once: files are written as a
/// whole or not at all, so there is nothing to lose.
pub(crate) fn listen() {
    let heard = ctrlc::set_handler(|| {
        let again = WANTED.swap(true, Ordering::SeqCst);
        if again || !ARMED.load(Ordering::SeqCst) {
            leave();
        }
    });
    if let Err(problem) = heard {
        tell(format_args!("note: Ctrl-C will not be noticed: {problem}"));
    }
}

/// Does work that looks at [`wanted`] itself.
pub(crate) fn armed<T>(work: impl FnOnce() -> T) -> T {
    ARMED.store(true, Ordering::SeqCst);
    let out = work();
    ARMED.store(false, Ordering::SeqCst);
    out
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

fn leave() -> ! {
    tell(ADVICE.get().map_or("interrupted", String::as_str));
    std::process::exit(i32::from(crate::INTERRUPTED));
}
