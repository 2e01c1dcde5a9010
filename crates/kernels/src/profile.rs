//! Counts where the time of some work goes, stage by stage, for people to read; nothing is ever decided by it.
//!
//! A recording belongs to the thread that it is made on. Elsewhere, and while none is made, a stage costs one look at a
//! variable of its thread. A stage inside another one counts as a part of that one, so that the stages of a recording
//! never overlap.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use crate::parallel;
use crate::product::look_ups;

/// Is what a recording found out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Time from the start of the work to its end.
    pub time: Duration,
    /// All stages, in the order of their first calls.
    pub stages: Vec<Stage>,
}

/// Holds what one stage of some work took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What is done in this stage.
    pub name: &'static str,
    /// How often it was entered.
    pub calls: u64,
    /// Time on the thread that calls, which waits for the others.
    pub time: Duration,
    /// Additions and multiplications of a dense product of the same shape: 2 · rows · depth · width.
    pub operations: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Nobody records on this thread.
    #[default]
    Off,
    /// The next stage is to be counted.
    Listening,
    /// A stage is being counted, and all in it belongs to it.
    Inside,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::Off) };
    static STAGES: RefCell<Vec<Stage>> = const { RefCell::new(Vec::new()) };
}

/// Puts the recording of an outer caller back, even if the work panics.
struct Back(State, Vec<Stage>);

impl Drop for Back {
    fn drop(&mut self) {
        STATE.set(self.0);
        STAGES.set(std::mem::take(&mut self.1));
    }
}

/// Does some work and records the stages that this thread goes through.
pub fn record<R>(work: impl FnOnce() -> R) -> (R, Recording) {
    let _back = Back(STATE.replace(State::Listening), STAGES.take());
    let start = Instant::now();
    let out = work();
    (out, Recording { time: start.elapsed(), stages: STAGES.take() })
}

/// Does some work as a stage, with the operations that a dense product would take; 0 where it is no product.
#[inline]
pub fn stage<R>(name: &'static str, operations: usize, work: impl FnOnce() -> R) -> R {
    if STATE.get() != State::Listening {
        return work();
    }
    STATE.set(State::Inside);
    let start = Instant::now();
    let out = work();
    count(name, start.elapsed(), operations as u64);
    STATE.set(State::Listening);
    out
}

fn count(name: &'static str, time: Duration, operations: u64) {
    STAGES.with_borrow_mut(|stages| {
        let at = stages.iter().position(|stage| stage.name == name).unwrap_or_else(|| {
            stages.push(Stage { name, calls: 0, time: Duration::ZERO, operations: 0 });
            stages.len() - 1
        });
        let stage = &mut stages[at];
        (stage.calls, stage.time) = (stage.calls + 1, stage.time + time);
        stage.operations += operations;
    });
}

/// How long [`peak`] measures, and the least that a burst of it must last to count.
const CALIBRATION: Duration = Duration::from_millis(200);
const BURST: Duration = Duration::from_millis(4);

/// Measures the peak of table look-ups with the back end and the threads in use, in operations of a dense product a
/// second: the best of many bursts that do nothing else and stay in the nearest cache. It takes about 0.2 s.
pub fn peak() -> f64 {
    parallel::team(|| {
        let (start, mut passes, mut best) = (Instant::now(), 16, 0.0_f64);
        while best == 0.0 || start.elapsed() < CALIBRATION {
            let burst = Instant::now();
            let operations = look_ups(passes);
            let time = burst.elapsed();
            if time < BURST {
                passes *= 2;
            } else {
                best = best.max(operations as f64 / time.as_secs_f64());
            }
        }
        best
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives name, calls and operations of each stage.
    fn counts(recording: &Recording) -> Vec<(&str, u64, u64)> {
        recording.stages.iter().map(|stage| (stage.name, stage.calls, stage.operations)).collect()
    }

    #[test]
    fn stages_are_counted_by_name_and_what_is_inside_belongs_to_them() {
        let (out, recording) = record(|| {
            stage("outer", 3, || stage("inner", 100, || ()));
            stage("inner", 5, || ());
            stage("outer", 4, || 7)
        });
        assert_eq!(out, 7);
        assert_eq!(counts(&recording), [("outer", 2, 7), ("inner", 1, 5)]);
        assert!(recording.stages.iter().map(|stage| stage.time).sum::<Duration>() <= recording.time);
    }

    #[test]
    fn nothing_is_kept_of_other_threads_or_of_the_time_before() {
        stage("before", 1, || ());
        let ((), recording) = record(|| {
            std::thread::scope(|scope| {
                scope.spawn(|| stage("elsewhere", 1, || ()));
            });
        });
        assert!(recording.stages.is_empty(), "{recording:?}");
    }

    #[test]
    fn a_recording_inside_another_one_leaves_it_alone_even_by_a_panic() {
        let ((), outer) = record(|| {
            stage("first", 1, || ());
            let panic = std::panic::catch_unwind(|| record(|| stage("lost", 1, || panic!("on purpose"))));
            assert!(panic.is_err());
            let ((), inner) = record(|| stage("within", 2, || ()));
            assert_eq!(counts(&inner), [("within", 1, 2)]);
            stage("first", 1, || ());
        });
        assert_eq!(counts(&outer), [("first", 2, 2)]);
    }

    #[test]
    fn the_peak_is_a_rate() {
        assert!(peak().is_finite() && peak() > 0.0);
    }
}
