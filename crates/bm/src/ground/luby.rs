//! Gives lengths of restarts that are right for any problem, up to a logarithm.

/// Gives the n-th length, from 0: 1, 1, 2, 1, 1, 2, 4, … Each power of two gets the same share of the time, so that whichever length
/// suits a problem best loses no more than the number of those tried (Luby, Sinclair & Zuckerman 1993).
pub(super) fn luby(n: u64) -> u64 {
    let mut at = n + 1;
    loop {
        // The next power of two is where a block of the sequence ends with its longest.
        let end = (at + 1).next_power_of_two();
        if at + 1 == end {
            return end / 2;
        }
        at -= end / 2 - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_paper() {
        let first: Vec<u64> = (0..15).map(luby).collect();
        assert_eq!(first, [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]);
    }
}
