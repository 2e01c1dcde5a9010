//! Adds hidden units while a training goes on, and widens all that is of the parameters' shape.

use serde::{Deserialize, Serialize};

use super::Mask;
use super::transform::strength;
use crate::params::Tensor;
use crate::{Error, Params};

/// Half the width of the uniform weights of new units: their deviation is 0.01, as that of initial ones.
const SPREAD: f32 = 0.017_320_508;

/// Says from which epoch on a model has how many hidden units.
///
/// New units have zero biases and small uniform weights, drawn from the key of the seed at that step. With weights of zero
/// p(v) would stay exactly as it is, but all new units would learn the same. Moments of the optimiser start at 0 for them,
/// averages at their first values, and centring at their means without input. A state from before a growth, say the best one of
/// an early stopping, fits no model that has grown since.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Growth {
    /// The epoch that begins with the new units, counted from 0.
    pub epoch: u32,
    /// Hidden units from then on; a model that has as many or more stays as it is.
    pub hidden: usize,
    /// Half the width of the uniform weights of new units; 0 leaves p(v) exactly as it is.
    pub spread: f32,
}

impl Default for Growth {
    fn default() -> Self {
        Self { epoch: 0, hidden: 1, spread: SPREAD }
    }
}

impl Growth {
    /// Makes a growth to so many hidden units at the beginning of an epoch.
    pub fn new(epoch: u32, hidden: usize) -> Self {
        Self { epoch, hidden, ..Self::default() }
    }

    /// Refuses plans whose epochs or units do not rise, and spreads that are no numbers from 0.
    ///
    /// # Errors
    /// Names the option.
    pub(super) fn check(plan: &[Self]) -> Result<(), Error> {
        plan.iter().try_for_each(|growth| strength("growth spread", growth.spread))?;
        let rises = |pair: &[Self]| pair[0].epoch < pair[1].epoch && pair[0].hidden < pair[1].hidden;
        match plan.windows(2).find(|pair| !rises(pair)) {
            None => Ok(()),
            Some(pair) => {
                let got = format!(
                    "{} at epoch {}, {} at {}",
                    pair[0].hidden, pair[0].epoch, pair[1].hidden, pair[1].epoch
                );
                Err(Error::option("growth", "epochs and hidden units that rise", got))
            }
        }
    }

    /// Gives the growth that is due in an epoch, if the model is smaller.
    pub(super) fn due(plan: &[Self], epoch: u32, hidden: impl Fn() -> usize) -> Option<Self> {
        let last = plan.iter().rev().find(|growth| growth.epoch <= epoch)?;
        (last.hidden > hidden()).then_some(*last)
    }

    /// Numbers masks for the present number of hidden features: with growth they are numbered for the last and largest one.
    pub(super) fn masks(plan: &[Self], masks: &[Mask], (hidden, features): (usize, usize)) -> Vec<Mask> {
        let last = plan.last().map_or(0, |growth| growth.hidden * (features / hidden.max(1)));
        if mutant!("B110", last <= features, true) {
            return masks.to_vec();
        }
        let entry =
            |&entry: &usize| (entry % last < features).then_some(entry / last * features + entry % last);
        let narrow =
            |mask: &Mask| Mask { zeros: mask.zeros.iter().filter_map(entry).collect(), ..mask.clone() };
        masks.iter().map(narrow).collect()
    }
}

/// Puts values into the corner of tensors that are as large or larger, and leaves there what is in these beside them.
pub(super) fn widen(small: &mut Params, mut large: Params) {
    if small.tensors().is_empty() {
        return; // Methods without moments keep none.
    }
    for (large, small) in large.tensors_mut().iter_mut().zip(small.tensors()) {
        let width = |tensor: &Tensor| tensor.shape.last().copied().unwrap_or(1);
        let (from, to) = (width(small), width(large));
        for (large, small) in large.values.chunks_mut(to).zip(small.values.chunks(from)) {
            large[..from].copy_from_slice(small);
        }
    }
    *small = large;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_must_rise() {
        let plan =
            |stages: &[(u32, usize)]| stages.iter().map(|&(e, h)| Growth::new(e, h)).collect::<Vec<_>>();
        assert!(Growth::check(&plan(&[(0, 3), (2, 5)])).is_ok());
        for bad in [&[(2, 3), (2, 5)][..], &[(1, 3), (2, 3)]] {
            assert!(
                Growth::check(&plan(bad)).unwrap_err().to_string().starts_with("growth: expected epochs")
            );
        }
        let bad = [Growth { spread: f32::NAN, ..Growth::new(1, 2) }];
        assert!(Growth::check(&bad).unwrap_err().to_string().starts_with("growth spread"));
        let due = |epoch, hidden| Growth::due(&plan(&[(1, 3), (4, 5)]), epoch, || hidden).map(|g| g.hidden);
        assert_eq!(
            [due(0, 2), due(1, 2), due(3, 3), due(9, 3), due(9, 5)],
            [None, Some(3), None, Some(5), None]
        );
    }

    #[test]
    fn masks_are_numbered_for_the_last_width() {
        let mask = Mask { block: "weights".into(), zeros: vec![0, 4, 5, 9] };
        let of = |hidden| {
            Growth::masks(&[Growth::new(1, 5)], std::slice::from_ref(&mask), (hidden, hidden))[0]
                .zeros
                .clone()
        };
        assert_eq!((of(5), of(2)), (vec![0, 4, 5, 9], vec![0, 2]));
    }
}
