//! Searches along a line for a point that satisfies the strong Wolfe conditions, by bracketing and cubic interpolation.

use harmonium_core::Params;

use super::Conjugate;

/// The share of the first slope that a value has to fall by (Armijo's ρ).
const DECREASE: f64 = 0.01;
/// How many times its length a step may grow by, and the share of a bracket that is kept from either end.
const GROWTH: f64 = 3.0;
const EDGE: f64 = 0.1;

/// Is a point with what the function has there.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) at: Params,
    pub(super) value: f64,
    pub(super) gradient: Params,
}

/// Is a line from a point in a direction that goes down.
pub(super) struct Search<'a> {
    pub(super) options: &'a Conjugate,
    pub(super) start: &'a Point,
    pub(super) direction: &'a Params,
    /// The slope at the start, below 0.
    pub(super) slope: f64,
}

/// Is a step with the value and the slope at its end.
#[derive(Clone, Copy)]
struct Step {
    length: f64,
    value: f64,
    slope: f64,
}

type Found = (f64, Point);

impl Search<'_> {
    /// Looks for a step, `length` being the first one tried. If none satisfies both conditions, the lowest point that falls as
    /// much as it must is taken; none, if there is no such point.
    pub(super) fn run(&self, length: f64, ask: &mut dyn FnMut(&Params) -> (f64, Params)) -> Option<Found> {
        let mut low = Step { length: 0.0, value: self.start.value, slope: self.slope };
        let (mut high, mut best, mut length): (Option<Step>, Option<Found>, f64) = (None, None, length);
        for _ in 0..self.options.evaluations {
            let (value, point) = self.look(length, ask);
            let step = Step { length, value, slope: point.gradient.dot(self.direction) };
            let falls = self.falls(&step);
            if falls && best.as_ref().is_none_or(|(_, best)| value < best.value) {
                best = Some((length, point));
            }
            if falls && step.slope.abs() <= -self.options.slope * self.slope {
                return best;
            }
            // A bracket: `low` falls, and the slope at it points to `high`.
            if !falls || value >= low.value && low.length > 0.0 {
                high = Some(step);
            } else {
                let onward = high.map_or(1.0, |high| (high.length - low.length).signum());
                if step.slope * onward >= 0.0 {
                    high = Some(low);
                }
                low = step;
            }
            length = next(low, high);
        }
        best
    }

    /// Tells whether a value is low enough; one that is no number is not.
    fn falls(&self, step: &Step) -> bool {
        step.value <= self.start.value + DECREASE * step.length * self.slope && step.slope.is_finite()
    }

    fn look(&self, length: f64, ask: &mut dyn FnMut(&Params) -> (f64, Params)) -> (f64, Point) {
        let mut at = self.start.at.clone();
        for (x, s) in at.tensors_mut().iter_mut().zip(self.direction.tensors()) {
            let entries = x.values.iter_mut().zip(&s.values);
            entries.for_each(|(x, s)| *x = (f64::from(*x) + length * f64::from(*s)) as f32);
        }
        let (value, gradient) = ask(&at);
        (value, Point { at, value, gradient })
    }
}

/// Gives the next length: within the bracket, or beyond the longest step as long as there is none.
fn next(low: Step, high: Option<Step>) -> f64 {
    let Some(high) = high else {
        return low.length * GROWTH;
    };
    let wide = high.length - low.length;
    let inner = cubic(low, high).filter(|length| {
        let share = (length - low.length) / wide;
        (EDGE * 1e-3..=1.0 - EDGE * 1e-3).contains(&share)
    });
    inner.unwrap_or(low.length + 0.5 * wide)
}

/// Gives where the cubic through both values and slopes is lowest (Nocedal & Wright 2006, eq. 3.59).
fn cubic(a: Step, b: Step) -> Option<f64> {
    let d = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.length - b.length);
    let square = d * d - a.slope * b.slope;
    if square.is_nan() || square < 0.0 {
        return None;
    }
    let root = square.sqrt() * (b.length - a.length).signum();
    let length = b.length - (b.length - a.length) * (b.slope + root - d) / (b.slope - a.slope + 2.0 * root);
    length.is_finite().then_some(length)
}
