//! Minimises smooth functions by L-BFGS (Nocedal 1980; Liu & Nocedal 1989), with steps that satisfy the Wolfe conditions.
//!
//! All sums run in the order of the parameters, so that the path depends on the function alone.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Decrease that a step must bring, as a share of what the slope at its start promises.
const DECREASE: f64 = 1e-4;
/// Share of the slope at its start that a step may leave.
const CURVATURE: f64 = 0.9;
/// Evaluations of one line search.
const TRIES: u32 = 50;
/// Relative difference below which values of the function are rounding, so that slopes alone judge (Hager & Zhang 2005).
const ROUNDING: f64 = 1e-14;

/// Says how a function is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lbfgs {
    /// Steps that are remembered for the curvature.
    pub memory: usize,
    /// The most iterations.
    pub iterations: u64,
    /// The largest size of an entry of the gradient at which the minimum counts as found.
    pub tolerance: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self { memory: 20, iterations: 20_000, tolerance: 1e-6 }
    }
}

/// Says why a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// No entry of the gradient is larger than the tolerance.
    Converged,
    /// No step along the gradient makes the function smaller: what is left is rounding.
    Stalled,
    /// All iterations were done.
    Exhausted,
    /// The observer asked for it.
    Stopped,
}

/// Is where a minimisation stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Minimum {
    /// The parameters.
    pub x: Vec<f64>,
    /// The function there.
    pub value: f64,
    /// The largest size of an entry of the gradient there.
    pub gradient: f64,
    /// Iterations that were done.
    pub iterations: u64,
    /// Evaluations of the function and its gradient.
    pub evaluations: u64,
    /// Why it ended.
    pub end: End,
}

/// Computes the function at `x`, and writes its gradient.
pub type Function<'a> = dyn FnMut(&[f64], &mut [f64]) -> f64 + 'a;

impl Lbfgs {
    /// Refuses an empty memory, and a tolerance that is not a number from 0 on.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if self.memory == 0 {
            return Err(Error::option("memory", "1 or more", 0));
        }
        if self.tolerance >= 0.0 && self.tolerance.is_finite() {
            return Ok(());
        }
        Err(Error::option("tolerance", "0 or a number above", self.tolerance))
    }

    /// Minimises from `x` on. After each iteration `watch` sees where it stands (with `Stopped` as its end), and may stop it.
    ///
    /// ```
    /// use harmonium_core::linear::{End, Lbfgs};
    /// use std::ops::ControlFlow;
    /// // (x − 3)² + 10 (y + 1)²
    /// let mut function = |x: &[f64], gradient: &mut [f64]| {
    ///     gradient.copy_from_slice(&[2.0 * (x[0] - 3.0), 20.0 * (x[1] + 1.0)]);
    ///     (x[0] - 3.0).powi(2) + 10.0 * (x[1] + 1.0).powi(2)
    /// };
    /// let found = Lbfgs::default().minimise(vec![0.0, 0.0], &mut function, &mut |_| ControlFlow::Continue(()))?;
    /// assert!(found.end == End::Converged && (found.x[0] - 3.0).abs() < 1e-6);
    /// # Ok::<(), harmonium_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Refuses options out of range, and a start at which the function or its gradient is not finite.
    pub fn minimise(
        &self,
        x: Vec<f64>,
        function: &mut Function<'_>,
        watch: &mut dyn FnMut(&Minimum) -> ControlFlow<()>,
    ) -> Result<Minimum, Error> {
        self.check()?;
        let mut at = Point::new(&x, function);
        if !at.is_finite() {
            return Err(Error::value("function", "the start", "a finite value and gradient", at.value));
        }
        let mut memory = Memory::new(self.memory);
        let mut found = Minimum {
            x,
            value: at.value,
            gradient: at.largest(),
            iterations: 0,
            evaluations: 1,
            end: End::Converged,
        };
        while found.gradient > self.tolerance {
            if found.iterations == self.iterations {
                return Ok(Minimum { end: End::Exhausted, ..found });
            }
            let Some(next) = step(&at, &mut memory, &mut found.evaluations, function) else {
                return Ok(Minimum { end: End::Stalled, ..found });
            };
            memory.push(&at, &next);
            at = next;
            found.iterations += 1;
            (found.value, found.gradient) = (at.value, at.largest());
            found.x.clone_from(&at.x);
            found.end = End::Stopped;
            if watch(&found).is_break() {
                return Ok(found);
            }
        }
        Ok(Minimum { end: End::Converged, ..found })
    }
}

/// Takes one step: along the remembered curvature, or, if that leads nowhere, along the gradient alone.
fn step(
    at: &Point,
    memory: &mut Memory,
    evaluations: &mut u64,
    function: &mut Function<'_>,
) -> Option<Point> {
    if !memory.pairs.is_empty() {
        let direction = memory.direction(&at.gradient);
        if let Some(next) = search(at, &direction, 1.0, evaluations, function) {
            return Some(next);
        }
        memory.pairs.clear();
    }
    let direction: Vec<f64> = at.gradient.iter().map(|g| -g).collect();
    let length = dot(&direction, &direction).sqrt();
    search(at, &direction, (1.0 / length).min(1.0), evaluations, function)
}

/// Is a place with the function and its gradient there.
struct Point {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

impl Point {
    fn new(x: &[f64], function: &mut Function<'_>) -> Self {
        let mut gradient = vec![0.0; x.len()];
        let value = function(x, &mut gradient);
        Self { x: x.to_vec(), value, gradient }
    }

    fn along(&self, direction: &[f64], length: f64, function: &mut Function<'_>) -> Self {
        let x: Vec<f64> = self.x.iter().zip(direction).map(|(x, d)| x + length * d).collect();
        Self::new(&x, function)
    }

    fn is_finite(&self) -> bool {
        self.value.is_finite() && self.gradient.iter().all(|g| g.is_finite())
    }

    fn largest(&self) -> f64 {
        self.gradient.iter().fold(0.0, |most, g| most.max(g.abs()))
    }
}

/// Is one end of the interval that a line search closes in on: length of the step, value and slope there.
#[derive(Clone, Copy)]
struct Bound {
    length: f64,
    value: f64,
    slope: f64,
}

/// Finds a step with the weak Wolfe conditions: between a length that is too short, the slope still falling, and one that is
/// too long (Lewis & Overton 2013), by the minimum of a cubic kept away from both ends.
fn search(
    at: &Point,
    direction: &[f64],
    first: f64,
    evaluations: &mut u64,
    function: &mut Function<'_>,
) -> Option<Point> {
    let start = Bound { length: 0.0, value: at.value, slope: dot(&at.gradient, direction) };
    if start.slope >= 0.0 {
        return None;
    }
    let (mut short, mut long): (Bound, Option<Bound>) = (start, None);
    let mut length = first;
    for _ in 0..TRIES {
        let next = at.along(direction, length, function);
        *evaluations += 1;
        let here = Bound { length, value: next.value, slope: dot(&next.gradient, direction) };
        if !next.is_finite() || is_too_long(&start, &here) {
            long = Some(here);
        } else if here.slope < CURVATURE * start.slope {
            short = here;
        } else {
            return Some(next);
        }
        length = match &long {
            Some(long) => between(&short, long),
            None => mutant!("B266", 2.0, 0.5) * length,
        };
    }
    None
}

/// Tells whether a step fails to bring its decrease; where values differ by rounding alone, whether its slope rises too much.
fn is_too_long(start: &Bound, here: &Bound) -> bool {
    if (here.value - start.value).abs() <= ROUNDING * start.value.abs() {
        return here.slope > (2.0 * DECREASE - 1.0) * start.slope;
    }
    here.value > start.value + DECREASE * here.length * start.slope
}

/// Gives the minimum of the cubic through both ends, or their middle, at least a tenth of the interval away from each.
fn between(short: &Bound, long: &Bound) -> f64 {
    let width = long.length - short.length;
    let chord = 3.0 * (short.value - long.value) / width + short.slope + long.slope;
    let root = (chord * chord - short.slope * long.slope).sqrt();
    let share = (root + chord - short.slope) / (long.slope - short.slope + 2.0 * root);
    let share = if share.is_finite() { 1.0 - (1.0 - share).clamp(0.1, 0.9) } else { 0.5 };
    short.length + share * width
}

/// Remembers the last steps s with the changes y of the gradient over them.
struct Memory {
    most: usize,
    pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
}

impl Memory {
    fn new(most: usize) -> Self {
        Self { most, pairs: VecDeque::new() }
    }

    /// Keeps a step unless rounding ate its curvature, sᵀy > 0.
    fn push(&mut self, from: &Point, to: &Point) {
        let difference = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        let (s, y) = (difference(&to.x, &from.x), difference(&to.gradient, &from.gradient));
        let curvature = dot(&s, &y);
        if curvature > f64::EPSILON * dot(&y, &y) * 1e-3 {
            if self.pairs.len() == self.most {
                self.pairs.pop_front();
            }
            self.pairs.push_back((s, y, curvature));
        }
    }

    /// Computes −H g by the two loops (Nocedal & Wright 2006, algorithm 7.4); H starts at sᵀy / yᵀy of the last step.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut d: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for (s, y, curvature) in self.pairs.iter().rev() {
            let share = dot(s, &d) / curvature;
            add(&mut d, -share, y);
            shares.push(share);
        }
        if let Some((_, y, curvature)) = self.pairs.back() {
            let scale = curvature / dot(y, y);
            d.iter_mut().for_each(|d| *d *= scale);
        }
        for ((s, y, curvature), share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let back = dot(y, &d) / curvature;
            add(&mut d, mutant!("B265", share - back, share + back), s);
        }
        d
    }
}

fn add(to: &mut [f64], factor: f64, x: &[f64]) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to += factor * x);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
