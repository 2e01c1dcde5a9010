//! Judges the learning rate by how large an update is against the weights (Hinton 2010, §7.1).

use super::{Doctor, Finding, Remark, Severity};

/// Says how fast a training moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// ‖ΔW‖ / ‖W‖ of one update, as [`relative_change`] gives it.
    pub change: f64,
    /// The largest |weight|.
    pub largest: f64,
    /// The rate of that update as a share of the training's largest.
    pub declined: f64,
    /// Finished epochs.
    pub epoch: u32,
    /// Updates of an epoch.
    pub batches: u64,
    /// Updates of the whole training.
    pub total: u64,
    /// How often the guard has lowered the rate.
    pub retries: u32,
}

/// Computes ‖after − before‖ / ‖after‖ of two states of the weights, one update apart.
pub fn relative_change(before: &[f32], after: &[f32]) -> f64 {
    let square = |x: f64| x * x;
    let moved: f64 = before.iter().zip(after).map(|(&a, &b)| square(f64::from(b) - f64::from(a))).sum();
    let size: f64 = after.iter().map(|&b| square(f64::from(b))).sum();
    if moved == 0.0 { 0.0 } else { (moved / size).sqrt() }
}

/// Judges the pace: too high where the guard had to step in, where an epoch's noise overwrites the weights, or where large
/// weights have jammed; too low where weights are still what they began as, and all updates together lead nowhere.
///
/// Noise is judged from the third epoch on: weights start from nothing, and the first updates are larger than they are. A
/// rate that declines is judged low by what it was at its largest.
pub fn pace(pace: &Pace, options: &Doctor) -> Vec<Remark> {
    if pace.retries > 0 {
        let times = if pace.retries == 1 { "once".to_owned() } else { format!("{} times", pace.retries) };
        let found = format!("numbers ran away, and the guard lowered the rate {times}");
        let figures = [("retries", f64::from(pace.retries))];
        return vec![Finding::RateTooHigh.remark(Severity::Warning, found, &figures, &[])];
    }
    let noise = pace.change * (pace.batches as f64).sqrt();
    if pace.epoch > 2 && noise > options.fast {
        let found = format!(
            "an update changes the weights by {:.1e} of their size, an epoch by more than itself",
            pace.change
        );
        let figures = [("relative change", pace.change), ("of an epoch", noise)];
        return vec![Finding::RateTooHigh.remark(Severity::Warning, found, &figures, &[])];
    }
    let reach = pace.change / pace.declined * pace.total as f64;
    if pace.declined > 0.0 && reach < options.slow && pace.largest > options.largest {
        let found = format!("weights have reached {:.1}, where updates move them no more", pace.largest);
        let figures = [("largest weight", pace.largest), ("relative change", pace.change)];
        return vec![Finding::RateTooHigh.remark(Severity::Warning, found, &figures, &[])];
    }
    if pace.declined > 0.0 && reach < options.slow && pace.largest < options.begun {
        let found = format!(
            "an update changes the weights by {:.1e} of their size, the whole training by {reach:.1e}",
            pace.change
        );
        let figures = [("relative change", pace.change), ("of the training", reach)];
        return vec![Finding::RateTooLow.remark(Severity::Warning, found, &figures, &[])];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEALTHY: Pace =
        Pace { change: 1e-3, declined: 1.0, epoch: 3, largest: 0.05, batches: 600, total: 6000, retries: 0 };

    fn found(pace: Pace) -> Vec<Finding> {
        super::pace(&pace, &Doctor::default()).iter().map(|remark| remark.finding).collect()
    }

    #[test]
    fn changes_are_relative() {
        assert_eq!(relative_change(&[3.0, 0.0], &[3.0, 4.0]), 0.8);
        assert_eq!(relative_change(&[0.0], &[0.0]), 0.0);
    }

    #[test]
    fn rates_are_judged_by_the_epoch_and_by_the_whole() {
        assert_eq!(found(HEALTHY), []);
        // √600 · 0.05 = 1.2.
        assert_eq!(found(Pace { change: 0.05, ..HEALTHY }), [Finding::RateTooHigh]);
        assert_eq!(found(Pace { change: 0.05, epoch: 2, ..HEALTHY }), []);
        assert_eq!(found(Pace { retries: 1, ..HEALTHY }), [Finding::RateTooHigh]);
        // 6,000 · 10⁻⁵ = 0.06.
        assert_eq!(found(Pace { change: 1e-5, ..HEALTHY }), [Finding::RateTooLow]);
        // An update of one row may be nothing at all.
        assert_eq!(found(Pace { change: 0.0, largest: 2.0, ..HEALTHY }), []);
        // Nothing moves where every draw is decided.
        assert_eq!(found(Pace { change: 0.0, largest: 50.0, ..HEALTHY }), [Finding::RateTooHigh]);
    }

    #[test]
    fn a_rate_that_declines_to_nothing_is_not_too_low() {
        assert_eq!(found(Pace { change: 1e-5, declined: 0.01, ..HEALTHY }), []);
        assert_eq!(found(Pace { change: 0.0, declined: 0.0, ..HEALTHY }), []);
    }
}
