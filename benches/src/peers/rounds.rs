//! Goes over all measurements in turn, round by round, so that all are made in the same minutes.

use super::child::Children;
use super::measured::Measured;
use super::plan::Plan;
use crate::console;

/// Makes all rounds. Who fails once is left out from then on.
pub(crate) fn run(plan: &Plan, children: &Children<'_>, rounds: usize) -> Vec<Measured> {
    let mut all: Vec<Measured> = plan.jobs.iter().cloned().map(Measured::new).collect();
    let count = all.len();
    for round in 1..=rounds {
        for (at, one) in all.iter_mut().enumerate().filter(|(_, one)| one.trouble.is_none()) {
            console::tell(format_args!("round {round} of {rounds}, {} of {count}: {}", at + 1, one.job));
            one.add(children.run(&one.job));
            if let Some(trouble) = &one.trouble {
                console::tell(format_args!("{}: {}", one.job.name(), trouble.sentence()));
            }
        }
    }
    all
}
