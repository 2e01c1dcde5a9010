//! Reads states kept as bit masks and walks through all of them in Gray-code order.

/// Tells whether a unit of a state is on.
pub fn is_on(state: u64, unit: usize) -> bool {
    state >> unit & 1 == 1
}

/// Gives the value of a unit, 0 or 1.
pub fn value(state: u64, unit: usize) -> f64 {
    f64::from(u8::from(is_on(state, unit)))
}

/// Gives the number of states of `units` units.
///
/// # Panics
/// Above 24 units: a table of that size is a mistake.
pub fn states(units: usize) -> usize {
    assert!(units <= 24, "{units} units are too many to enumerate");
    1 << units
}

/// Spreads a mask into one `bool` a unit.
pub fn to_bools(state: u64, units: usize) -> Vec<bool> {
    (0..units).map(|unit| is_on(state, unit)).collect()
}

/// Packs at most 64 `bool`s into a mask.
///
/// # Panics
/// With more than 64 units.
pub fn from_bools(state: &[bool]) -> u64 {
    assert!(state.len() <= 64, "{} units do not fit a mask", state.len());
    state.iter().rev().fold(0, |mask, &on| mask << 1 | u64::from(on))
}

/// Visits every state of `units` units once; each comes with the one unit that flipped since the previous state.
pub fn gray(units: usize) -> impl Iterator<Item = (u64, Option<usize>)> {
    (0..states(units) as u64).map(|n| (n ^ n >> 1, (n > 0).then(|| n.trailing_zeros() as usize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gray_code_visits_each_state_once_by_single_flips() {
        let (mut state, mut seen) = (0, [false; 64]);
        for (next, flipped) in gray(6) {
            state ^= flipped.map_or(0, |unit| 1 << unit);
            assert_eq!(state, next);
            assert!(!std::mem::replace(&mut seen[next as usize], true));
        }
        assert!(seen.iter().all(|&seen| seen));
    }

    #[test]
    fn no_unit_has_one_state() {
        assert_eq!(gray(0).collect::<Vec<_>>(), [(0, None)]);
    }

    #[test]
    fn masks_and_bools_are_inverse() {
        for state in [0, 1, 0b1011, u64::MAX, 1 << 63] {
            assert_eq!(from_bools(&to_bools(state, 64)), state);
        }
        assert_eq!(to_bools(0b110, 3), [false, true, true]);
        assert_eq!((value(0b10, 0), value(0b10, 1)), (0.0, 1.0));
    }
}
