//! Sums over all states of one layer: in Gray-code order where units have two states, else by listing them.

use harmonium_core::Error;
use harmonium_core::evaluate::LogSumExp;
use harmonium_core::units::{Input, Layer, States, Unit, Units};
use harmonium_kernels::product::Way;
use harmonium_kernels::{BitMatrix, parallel};

use crate::{ENUMERABLE, Rbm, View};

/// The most states that are enumerated: those of 25 bits.
const MAX_BITS: u32 = 25;

/// States of one task, 2^12.
const BLOCK: u32 = 12;

impl Rbm {
    /// Tells whether enumerating the smaller layer takes no time: at most 2^20 states.
    pub fn is_enumerable(&self) -> bool {
        let smaller = states(&self.visible.units()).min(states(&self.hidden.units()));
        smaller <= f64::from(1 << ENUMERABLE)
    }

    /// Computes ln Z exactly, in nats, by enumerating the states of the smaller layer.
    ///
    /// # Errors
    /// Refuses machines of which neither layer has at most 2^25 states.
    pub fn log_z(&self) -> Result<f64, Error> {
        self.view().log_z()
    }
}

/// Says which layer is enumerated: `Forward` sums over visible states, whose input goes forward to the hidden layer.
#[derive(Clone, Copy)]
struct Side<'a> {
    way: Way,
    enumerated: &'a Layer,
    summed: &'a Layer,
}

impl View<'_> {
    /// Computes ln Z exactly, in nats: ln Σ_x e^(−U(x) + Γ(I(x))), x being the layer with fewer states.
    ///
    /// # Errors
    /// Refuses machines of which neither layer has at most 2^25 states, and those without an energy.
    pub fn log_z(&self) -> Result<f64, Error> {
        self.check_energy("ln Z")?;
        let [hidden, visible] = [&self.hidden, &self.visible].map(|layer| states(&layer.units()));
        let backward = Side { way: Way::Backward, enumerated: &self.hidden, summed: &self.visible };
        let forward = Side { way: Way::Forward, enumerated: &self.visible, summed: &self.hidden };
        let (count, side) = if hidden <= visible { (hidden, backward) } else { (visible, forward) };
        if count > f64::from(1 << MAX_BITS) {
            let expected = format!("at most 2^{MAX_BITS} states of the smaller layer");
            return Err(Error::shape("exact enumeration", expected, format!("{count:e}")));
        }
        if matches!(side.enumerated.units(), Units::Bernoulli(_) | Units::Spin(_)) {
            return Ok(self.gray(side));
        }
        let blocks = (count as u64).div_ceil(1 << BLOCK);
        let parts = parallel::map(blocks as usize, |block| self.listed(side, block as u64, count as u64));
        Ok(parts.into_iter().collect::<LogSumExp>().value())
    }

    fn input<'b>(&'b self, side: Side<'_>, states: &'b States) -> Input<'b> {
        match side.way {
            Way::Forward => self.hidden_input(states),
            Way::Backward => self.visible_input(states),
        }
    }

    fn gray(&self, side: Side<'_>) -> f64 {
        let small = side.enumerated.features() as u32;
        let bits = BLOCK.min(small);
        let blocks = 1 << (small - bits);
        let parts = parallel::map(blocks, |block| self.block(side, (block as u64) << bits, bits));
        parts.into_iter().collect::<LogSumExp>().value()
    }

    /// Sums over the 2^bits states that share their upper bits with `first`.
    fn block(&self, side: Side<'_>, first: u64, bits: u32) -> f64 {
        let small = side.enumerated.features();
        let state_of =
            |state: u64| States::Bits(BitMatrix::from_fn(1, small, |_, unit| state >> unit & 1 == 1));
        let start = state_of(first);
        let mut input = self.input(side, &start).computed();
        let rows: Vec<Vec<i32>> = (0..bits as usize).map(|unit| self.codes(side, unit)).collect();
        let (mut state, mut total) = (first, LogSumExp::default());
        for index in 0..1_u64 << bits {
            if index > 0 {
                let flipped = index.trailing_zeros() as usize;
                state ^= 1 << flipped;
                input.add(&rows[flipped], if state >> flipped & 1 == 1 { 1 } else { -1 });
            }
            total.add(bias(side.enumerated, state) + side.summed.cgf(&input)[0]);
        }
        total.value()
    }

    /// Gives what the sums change by when one enumerated bit is set.
    fn codes(&self, side: Side<'_>, unit: usize) -> Vec<i32> {
        let alone = |on: bool| {
            let bits = BitMatrix::from_fn(1, side.enumerated.features(), |_, u| on && u == unit);
            self.input(side, &States::Bits(bits)).sums().map(std::borrow::Cow::into_owned).unwrap_or_default()
        };
        alone(true).iter().zip(alone(false)).map(|(with, without)| with - without).collect()
    }

    /// Sums over the states of one task, each with its share of the measure.
    fn listed(&self, side: Side<'_>, block: u64, count: u64) -> f64 {
        let numbers: Vec<u64> = (block << BLOCK..count.min((block + 1) << BLOCK)).collect();
        let states = list(&side.enumerated.units(), &numbers);
        let measures = side.enumerated.log_measure(&states);
        let cgf = side.summed.cgf(&self.input(side, &states));
        let terms = side.enumerated.energy(&states).into_iter().zip(cgf).zip(measures);
        terms.map(|((energy, cgf), measure)| measure - energy + cgf).collect::<LogSumExp>().value()
    }
}

/// Counts the states of a layer: infinite where units are real or unbounded.
pub(crate) fn states(units: &Units) -> f64 {
    let each = match *units {
        Units::Bernoulli(_) | Units::Spin(_) => 2.0,
        Units::Categorical { classes, .. } => classes as f64,
        Units::Binomial { trials, .. } => f64::from(trials) + 1.0,
        _ => f64::INFINITY,
    };
    libm::pow(each, units.count() as f64)
}

/// Lists states by their numbers, the first unit being the lowest digit.
pub(crate) fn list(units: &Units, numbers: &[u64]) -> States {
    let digit = |number: u64, unit: usize, base: u64| number / base.pow(unit as u32) % base;
    if let Units::Binomial { units, trials } = *units {
        let counts = |&number: &u64| (0..units).map(move |unit| digit(number, unit, u64::from(trials) + 1));
        return States::reals(numbers.iter().flat_map(counts).map(|x| x as f32).collect(), units);
    }
    if let Units::Bernoulli(units) | Units::Spin(units) = *units {
        let on = |r: usize, unit: usize| digit(numbers[r], unit, 2) == 1;
        return States::Bits(BitMatrix::from_fn(numbers.len(), units, on));
    }
    let (features, classes) = (units.features(), units.features() / units.count());
    let on = |r: usize, f: usize| digit(numbers[r], f / classes, classes as u64) == (f % classes) as u64;
    States::Bits(BitMatrix::from_fn(numbers.len(), features, on))
}

/// Computes −U of a state of two-state units.
fn bias(layer: &Layer, state: u64) -> f64 {
    let off = if layer.signs() { -1.0 } else { 0.0 };
    let value = |unit: usize| if state >> unit & 1 == 1 { 1.0 } else { off };
    layer.bias().iter().enumerate().map(|(unit, &b)| value(unit) * f64::from(b)).sum()
}
