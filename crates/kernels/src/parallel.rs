//! Spreads independent tasks over threads: through rayon, or through a team that stays awake between calls.
//!
//! A training step is a dozen short bursts of tasks. Waking threads for each costs more than some of the bursts, so
//! [`team`] keeps helpers spinning while its body runs, and [`each`] hands tasks to them. Who does a task changes no
//! result: tasks write disjoint places, and sums are integers or have an order of their own.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::Cell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rayon::prelude::*;

use crate::shared::Shared;

/// Runs `work` once for each of `0 .. tasks`, on as many threads as there are, and returns when all is done.
///
/// # Panics
/// If a task panics.
pub fn each(tasks: usize, work: impl Fn(usize) + Sync) {
    if tasks < 2 || rayon::current_num_threads() == 1 {
        return (0..tasks).for_each(work);
    }
    match CURRENT.take() {
        Some(team) => {
            let _back = Back(team);
            // SAFETY: the pointer is set by `team` alone, which outlives its body, and the body runs on this thread.
            unsafe { &*team }.each(tasks, &work);
        }
        None => (0..tasks).into_par_iter().for_each(&work),
    }
}

/// Computes `work` once for each of `0 .. tasks`, and gives the results in that order.
///
/// # Panics
/// If a task panics.
pub fn map<T: Send>(tasks: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let mut results: Vec<Option<T>> = (0..tasks).map(|_| None).collect();
    let slots = Shared::new(&mut results);
    each(tasks, |task| {
        // SAFETY: each task writes its own slot.
        unsafe { slots.part(task, 1)[0] = Some(work(task)) };
    });
    results.into_iter().flatten().collect()
}

/// Runs `body` on this thread while the other threads of the pool stand by for its calls of [`each`].
///
/// Helpers join when they are free and are never waited for, so teams may run beside each other. A helper that has had
/// nothing to do for a while does other work of the pool.
pub fn team<R>(body: impl FnOnce() -> R) -> R {
    let helpers = rayon::current_num_threads() - 1;
    if helpers == 0 || CURRENT.get().is_some() {
        return body();
    }
    let team = Arc::new(Team::default());
    for helper in 0..helpers {
        let team = Arc::clone(&team);
        rayon::spawn(move || team.help(if helper % 2 == 0 { End::Last } else { End::First }));
    }
    let _dismissal = Dismissal(&team);
    let _back = Back(CURRENT.replace(Some(Arc::as_ptr(&team))).unwrap_or(std::ptr::null()));
    body()
}

thread_local! {
    /// The team whose body this thread runs, unless a task of it is running.
    static CURRENT: Cell<Option<*const Team>> = const { Cell::new(None) };
}

/// Puts a thread's team back, even if a task panics.
struct Back(*const Team);

impl Drop for Back {
    fn drop(&mut self) {
        CURRENT.set((!self.0.is_null()).then_some(self.0));
    }
}

/// Ends a team, even if its body panics.
struct Dismissal<'a>(&'a Team);

impl Drop for Dismissal<'_> {
    fn drop(&mut self) {
        self.0.dismissed.store(true, Ordering::Release);
        self.0.wake();
    }
}

/// Is a burst of tasks: borrowed for as long as one of them runs.
type Work<'a> = &'a (dyn Fn(usize) + Sync);

#[derive(Default)]
struct Team {
    /// How the present burst stands.
    state: AtomicU64,
    work: Slot,
    done: AtomicUsize,
    dismissed: AtomicBool,
    sleepers: AtomicUsize,
    bed: (Mutex<()>, Condvar),
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Holds the work of the present burst.
#[derive(Default)]
struct Slot(Cell<Option<Work<'static>>>);

// SAFETY: the slot is written between bursts by the one thread that runs the body, and read by whoever took a task of
// the burst; taking it synchronises with the writing, and the next writing waits for the task's end.
unsafe impl Sync for Slot {}

/// Is a burst in one word: its number, its tasks, and how many are taken from either end, each in 16 bits.
///
/// Half of the members take from the first task on, half from the last, so that a thread meets the same part of the
/// weights in burst after burst.
#[derive(Clone, Copy)]
struct Burst(u64);

#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}

const MOST: usize = u16::MAX as usize;

impl Burst {
    fn new(number: u64, tasks: usize) -> Self {
        Self(number << 48 | (tasks as u64) << 32)
    }

    fn number(self) -> u64 {
        self.0 >> 48
    }

    fn field(self, index: u32) -> usize {
        (self.0 >> (16 * index)) as usize & MOST
    }

    /// Gives the next task from one end, and what the burst is once it is taken.
    fn next(self, end: End) -> Option<(usize, Self)> {
        let (tasks, first, last) = (self.field(2), self.field(1), self.field(0));
        (first + last < tasks).then(|| match end {
            End::First => (first, Self(self.0 + (1 << 16))),
            End::Last => (tasks - 1 - last, Self(self.0 + 1)),
        })
    }
}

/// Looks at the state before a thread lets others run, and before it goes to sleep.
const SPINS: u32 = 2_000;
const YIELDS: u32 = 200;

impl Team {
    fn each(&self, tasks: usize, work: Work<'_>) {
        if tasks > MOST {
            let some = tasks.div_ceil(MOST);
            return self.each(tasks.div_ceil(some), &|part| {
                (part * some..tasks.min((part + 1) * some)).for_each(work);
            });
        }
        // SAFETY: only tasks of this burst use the work, and this function returns after the last of them.
        self.work.0.set(Some(unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) }));
        self.done.store(0, Ordering::Relaxed);
        let number = Burst(self.state.load(Ordering::Relaxed)).number() + 1;
        self.state.store(Burst::new(number, tasks).0, Ordering::Release);
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            self.wake();
        }
        while self.take(End::First) {}
        let mut looks = 0;
        while self.done.load(Ordering::Acquire) < tasks {
            pause(&mut looks);
        }
        if let Some(panic) = self.panic.lock().expect("no panic while it is held").take() {
            resume_unwind(panic);
        }
    }

    /// Does one task if one is left.
    fn take(&self, end: End) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while let Some((task, taken)) = Burst(state).next(end) {
            match self.state.compare_exchange_weak(state, taken.0, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    self.run(task);
                    return true;
                }
                Err(now) => state = now,
            }
        }
        false
    }

    fn run(&self, task: usize) {
        let work = self.work.0.get().expect("a burst has work");
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(task))) {
            self.panic.lock().expect("no panic while it is held").get_or_insert(panic);
        }
        self.done.fetch_add(1, Ordering::Release);
    }

    fn help(&self, end: End) {
        let mut looks = 0;
        while !self.dismissed.load(Ordering::Acquire) {
            if self.take(end) {
                looks = 0;
            } else if pause(&mut looks) {
                if rayon::yield_now() != Some(rayon::Yield::Executed) {
                    self.sleep();
                }
                looks = 0;
            }
        }
    }

    /// Sleeps until the next burst; a wake-up that is missed costs a millisecond.
    fn sleep(&self) {
        let (lock, bell) = &self.bed;
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        let guard = lock.lock().expect("no panic while it is held");
        drop(bell.wait_timeout(guard, Duration::from_millis(1)));
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
    }

    fn wake(&self) {
        self.bed.1.notify_all();
    }
}

/// Waits a moment, longer the more often it was called; tells when it was called so often that sleep is better.
fn pause(looks: &mut u32) -> bool {
    *looks = looks.saturating_add(1);
    if *looks < SPINS {
        spin_loop();
    } else {
        std::thread::yield_now();
    }
    *looks > SPINS + YIELDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(n: usize) -> u64 {
        let sum = AtomicU64::new(0);
        each(n, |i| {
            sum.fetch_add((i * i) as u64, Ordering::Relaxed);
        });
        sum.into_inner()
    }

    #[test]
    fn a_team_does_each_task_of_each_burst_once() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        pool.install(|| {
            team(|| {
                for n in (0..200).chain([5000, 65_535, 65_536, 150_000]) {
                    let n64 = n as u64;
                    assert_eq!(squares(n), (n64.max(1) - 1) * n64 * (2 * n64).saturating_sub(1) / 6);
                }
            });
        });
    }

    #[test]
    fn teams_beside_and_inside_each_other_finish() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let sums: Vec<u64> = pool.install(|| {
            (0..6).into_par_iter().map(|n| team(|| team(|| (0..50).map(|_| squares(n)).sum()))).collect()
        });
        assert_eq!(sums, [0, 0, 50, 250, 700, 1500]);
    }

    /// Both teams hold a worker each, so that nobody but idle helpers is left for what the bodies ask of the pool.
    #[test]
    fn bodies_may_call_on_the_pool_itself() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let (pool, begun) = (&pool, &std::sync::Barrier::new(2));
        let sum = || pool.install(|| (0..1000_u64).into_par_iter().sum::<u64>());
        std::thread::scope(|scope| {
            let bodies = [0, 1].map(|_| {
                scope.spawn(move || {
                    team(|| {
                        assert_eq!(squares(100), 328_350);
                        begun.wait();
                        sum()
                    })
                })
            });
            assert!(bodies.into_iter().all(|body| body.join().unwrap() == 499_500));
        });
    }

    #[test]
    fn a_panic_of_a_task_arrives_after_the_others_ended() {
        let done = AtomicUsize::new(0);
        let result = catch_unwind(AssertUnwindSafe(|| {
            team(|| {
                each(100, |i| {
                    assert!(i != 7, "task seven");
                    done.fetch_add(1, Ordering::Relaxed);
                });
            });
        }));
        assert!(result.is_err());
        assert_eq!(squares(10), 285);
    }
}
