//! Holds what an estimator keeps between two updates, as arrays with names.

use std::collections::BTreeMap;

use harmonium_kernels::BitMatrix;

use crate::Error;
use crate::persist::{Tensor, Values};
use crate::units::States;

/// The name of packed chains.
const CHAINS: &str = "chains";

/// Holds all that lives on in an estimator: packed chains, numbers, counters. A training that gets it back goes on bit
/// for bit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept(BTreeMap<String, (Vec<usize>, Values)>);

impl Kept {
    /// Keeps packed chains, if there are any: `(chains, visible)`.
    #[must_use]
    pub fn with_chains(mut self, chains: Option<&States>) -> Self {
        if let Some(states) = chains {
            let values = match states {
                States::Bits(bits) => Values::Bits(bits.words().to_vec()),
                States::Reals(values) => Values::F32(values.iter().copied().collect()),
            };
            self.0.insert(CHAINS.into(), (vec![states.rows(), states.features()], values));
        }
        self
    }

    /// Keeps real numbers of a shape, row-major.
    #[must_use]
    pub fn with_reals(mut self, name: &str, shape: &[usize], values: &[f32]) -> Self {
        self.0.insert(name.into(), (shape.to_vec(), Values::F32(values.to_vec())));
        self
    }

    /// Keeps counters.
    #[must_use]
    pub fn with_counts(self, name: &str, counts: &[u64]) -> Self {
        self.with_integers(name, counts.iter().map(|&n| n as i64).collect())
    }

    /// Keeps integers.
    #[must_use]
    pub fn with_integers(mut self, name: &str, values: Vec<i64>) -> Self {
        self.0.insert(name.into(), (vec![values.len()], Values::I64(values)));
        self
    }

    /// Takes arrays as a file holds them.
    pub fn from_tensors(tensors: impl IntoIterator<Item = Tensor>) -> Self {
        Self(tensors.into_iter().map(|t| (t.name, (t.shape, t.values))).collect())
    }

    /// Gives the arrays as a file holds them, in the order of their names.
    pub fn tensors(&self) -> Vec<Tensor> {
        let tensor = |(name, (shape, values)): (&String, &(Vec<usize>, Values))| Tensor {
            name: name.clone(),
            shape: shape.clone(),
            values: values.clone(),
        };
        self.0.iter().map(tensor).collect()
    }

    /// Tells whether nothing lives on.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the packed chains out, if there are any.
    ///
    /// # Errors
    /// Refuses anything but chains of this number.
    pub fn take_chains(&mut self, chains: usize) -> Result<Option<States>, Error> {
        let Some((shape, values)) = self.0.remove(CHAINS) else { return Ok(None) };
        let refusal = |got: String| Error::shape(CHAINS, format!("{chains} chains"), got);
        match (values, &shape[..]) {
            (Values::Bits(words), &[rows, units]) if rows == chains => {
                BitMatrix::from_words(rows, units, words)
                    .map(|bits| Some(States::Bits(bits)))
                    .ok_or_else(|| refusal("other words than the shape has".into()))
            }
            (Values::F32(values), &[rows, features])
                if rows == chains && features > 0 && values.iter().all(|x| x.is_finite()) =>
            {
                Ok(Some(States::reals(values, features)))
            }
            (values, _) => Err(refusal(described(&shape, &values))),
        }
    }

    /// Takes finite numbers of this shape out, if there are any.
    ///
    /// # Errors
    /// Refuses another shape or type, and numbers that are not finite.
    pub fn take_reals(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, Error> {
        match self.0.remove(name) {
            None => Ok(None),
            Some((got, Values::F32(values)))
                if got == shape && values.len() == shape.iter().product::<usize>() =>
            {
                match values.iter().position(|x| !x.is_finite()) {
                    None => Ok(Some(values)),
                    Some(at) => Err(Error::value(name, format!("entry {at}"), "a finite number", values[at])),
                }
            }
            Some((got, values)) => {
                Err(Error::shape(name, format!("numbers of shape {shape:?}"), described(&got, &values)))
            }
        }
    }

    /// Takes this many counters out, if there are any.
    ///
    /// # Errors
    /// Refuses another number or type, and negative counts.
    pub fn take_counts(&mut self, name: &str, count: usize) -> Result<Option<Vec<u64>>, Error> {
        match self.0.remove(name) {
            None => Ok(None),
            Some((_, Values::I64(counts))) if counts.len() == count && counts.iter().all(|&n| n >= 0) => {
                Ok(Some(counts.into_iter().map(i64::cast_unsigned).collect()))
            }
            Some((shape, values)) => {
                Err(Error::shape(name, format!("{count} counters"), described(&shape, &values)))
            }
        }
    }

    /// Takes integers out, however many there are.
    ///
    /// # Errors
    /// Refuses another type.
    pub fn take_integers(&mut self, name: &str) -> Result<Option<Vec<i64>>, Error> {
        match self.0.remove(name) {
            None => Ok(None),
            Some((_, Values::I64(values))) => Ok(Some(values)),
            Some((shape, values)) => Err(Error::shape(name, "integers", described(&shape, &values))),
        }
    }

    /// Refuses what nobody took.
    ///
    /// # Errors
    /// Names the first such array.
    pub fn finished(&self, estimator: &str) -> Result<(), Error> {
        match self.0.first_key_value() {
            None => Ok(()),
            Some((name, (shape, values))) => {
                Err(Error::shape(name, format!("none for {estimator}"), described(shape, values)))
            }
        }
    }
}

fn described(shape: &[usize], values: &Values) -> String {
    match (values, shape) {
        (Values::Bits(_), [rows, _]) => format!("{rows} chains"),
        (Values::Bits(_), _) => format!("bits of shape {shape:?}"),
        (Values::F32(_), _) => format!("numbers of shape {shape:?}"),
        (Values::I64(_), _) => format!("counters of shape {shape:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Kept {
        let bits = BitMatrix::from_fn(3, 70, |row, unit| (row + unit) % 3 == 0);
        Kept::default()
            .with_chains(Some(&bits.into()))
            .with_reals("a", &[1, 2], &[0.5, -1.0])
            .with_counts("n", &[7])
    }

    #[test]
    fn arrays_come_back_through_tensors() {
        let mut kept = Kept::from_tensors(full().tensors());
        assert_eq!(kept, full());
        assert_eq!(kept.take_chains(3).unwrap().unwrap().rows(), 3);
        assert_eq!(kept.take_reals("a", &[1, 2]).unwrap().unwrap(), [0.5, -1.0]);
        assert_eq!(kept.take_counts("n", 1).unwrap().unwrap(), [7]);
        assert_eq!(kept.take_counts("n", 1).unwrap(), None);
        assert!(kept.finished("CD").is_ok() && kept.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let say = |result: Result<(), Error>| result.unwrap_err().to_string();
        assert_eq!(say(full().take_chains(4).map(drop)), "chains: expected 4 chains, got 3 chains");
        let expected = "a: expected numbers of shape [2], got numbers of shape [1, 2]";
        assert_eq!(say(full().take_reals("a", &[2]).map(drop)), expected);
        assert_eq!(
            say(full().take_counts("n", 2).map(drop)),
            "n: expected 2 counters, got counters of shape [1]"
        );
        assert_eq!(say(full().finished("CD")), "a: expected none for CD, got numbers of shape [1, 2]");
        let mut infinite = Kept::default().with_reals("a", &[1], &[f32::INFINITY]);
        assert_eq!(
            say(infinite.take_reals("a", &[1]).map(drop)),
            "a at entry 0: expected a finite number, got inf"
        );
    }
}
