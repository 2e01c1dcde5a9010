//! Sums over all states of the smaller layer, in Gray-code order.

use harmonium_core::Error;
use harmonium_core::evaluate::LogSumExp;
use harmonium_core::units::{Bernoulli, Input, Unit};
use harmonium_kernels::{BitMatrix, parallel};

use crate::{Rbm, View};

/// The most units that are enumerated: 2^25 states.
const MAX_UNITS: usize = 25;

/// States of one task, 2^12.
const BLOCK: u32 = 12;

impl Rbm {
    /// Computes ln Z exactly, in nats, by enumerating the states of the smaller layer.
    ///
    /// # Errors
    /// Refuses machines whose smaller layer has more than 25 units.
    pub fn log_z(&self) -> Result<f64, Error> {
        self.view().log_z()
    }
}

impl View<'_> {
    /// Computes ln Z exactly, in nats: ln Σ_x e^(b_x·x + Γ(I(x))), x being the smaller layer.
    ///
    /// # Errors
    /// Refuses machines whose smaller layer has more than 25 units.
    pub fn log_z(&self) -> Result<f64, Error> {
        let small = self.visible.units().min(self.hidden.units());
        if small > MAX_UNITS {
            let expected = format!("at most {MAX_UNITS} units in the smaller layer");
            return Err(Error::shape("exact enumeration", expected, small));
        }
        let bits = BLOCK.min(small as u32);
        let blocks = 1 << (small as u32 - bits);
        let parts = parallel::map(blocks, |block| self.block(small, (block as u64) << bits, bits));
        Ok(parts.into_iter().collect::<LogSumExp>().value())
    }

    /// Sums over the 2^bits states that share their upper bits with `first`.
    fn block(&self, small: usize, first: u64, bits: u32) -> f64 {
        let start = BitMatrix::from_fn(1, small, |_, unit| first >> unit & 1 == 1);
        let (enumerated, summed, mut input) = if self.hidden.units() == small {
            (&*self.hidden, &*self.visible, self.visible_input(&start).computed())
        } else {
            (&*self.visible, &*self.hidden, self.hidden_input(&start).computed())
        };
        let rows: Vec<Vec<i32>> = (0..bits as usize).map(|unit| self.codes(small, unit)).collect();
        let (mut state, mut total) = (first, LogSumExp::default());
        for index in 0..1_u64 << bits {
            if index > 0 {
                let flipped = index.trailing_zeros() as usize;
                state ^= 1 << flipped;
                flip(&mut input, &rows[flipped], state >> flipped & 1 == 1);
            }
            total.add(bias(enumerated, state) + summed.cgf(&input)[0]);
        }
        total.value()
    }

    /// Gives the codes of the couplings of one enumerated unit.
    fn codes(&self, small: usize, unit: usize) -> Vec<i32> {
        let alone = BitMatrix::from_fn(1, small, |_, u| u == unit);
        let by_hidden = self.hidden.units() == small;
        (if by_hidden { self.visible_input(&alone) } else { self.hidden_input(&alone) }).into_sums()
    }
}

fn flip(input: &mut Input<'_>, codes: &[i32], on: bool) {
    let sign = if on { 1 } else { -1 };
    input.sums_mut().iter_mut().zip(codes).for_each(|(sum, code)| *sum += sign * code);
}

fn bias(layer: &Bernoulli, state: u64) -> f64 {
    let on = layer.bias().iter().enumerate().filter(|(unit, _)| state >> unit & 1 == 1);
    on.map(|(_, &b)| f64::from(b)).sum()
}
