//! Finds magnetisations without samples: naive mean field, and with Onsager's reaction (TAP).

use serde::{Deserialize, Serialize};

use crate::Machine;
use crate::form::Wide;

/// Says how far the free energy is expanded in the couplings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Independent units (Peterson & Anderson 1987).
    Naive,
    /// With Onsager's reaction (Thouless, Anderson & Palmer 1977; Kappen & Rodríguez 1998).
    #[default]
    Tap,
}

/// The most rounds over all units, and the change below which they have settled.
const ROUNDS: usize = 500;
const SETTLED: f64 = 1e-10;

/// The share of the old value that a unit keeps when it moves.
const DAMPING: f64 = 0.5;

/// Gives the means of all features that solve m = f(b + what the others' means give), the known units as they are: unit after
/// unit, from ½ (spins 0, classes alike), each half of the way, until nothing moves by 1e-10 or 500 rounds are over.
pub(crate) fn means(machine: &Machine, known: &[Option<usize>], order: Order) -> Vec<f64> {
    solved(machine, known, order).0
}

/// Gives the same, and whether nothing moved any more.
pub(crate) fn solved(machine: &Machine, known: &[Option<usize>], order: Order) -> (Vec<f64>, bool) {
    let wide = Wide::of(&machine.view());
    let near = Near::of(&wide);
    let (width, start) = (wide.width, if wide.spins { 0.0 } else { 1.0 / wide.width.max(2) as f64 });
    let mut m: Vec<f64> = (0..wide.units * width)
        .map(|f| known[f / width].map_or(start, |state| of_state(&wide, state, f % width)))
        .collect();
    for _ in 0..ROUNDS {
        let mut most = 0.0_f64;
        for unit in (0..wide.units).filter(|&unit| known[unit].is_none()) {
            let new = near.settled(&wide, &m, unit, order);
            for (class, new) in new.into_iter().enumerate() {
                let own = &mut m[unit * width + class];
                most = most.max((new - *own).abs());
                *own += (1.0 - DAMPING) * (new - *own);
            }
        }
        if most < SETTLED {
            return (m, true);
        }
    }
    (m, false)
}

fn of_state(wide: &Wide, state: usize, class: usize) -> f64 {
    match (wide.width, wide.spins) {
        (1, true) => 2.0 * state as f64 - 1.0,
        (1, false) => state as f64,
        _ => f64::from(u8::from(state == class)),
    }
}

/// Gives mean statistics as products of the means, block after block.
pub(crate) fn expected(machine: &Machine, known: &[Option<usize>], order: Order) -> Vec<Vec<f64>> {
    let (m, width) = (means(machine, known, order), machine.width());
    let pair = |&[i, j]: &[u32; 2]| {
        let (i, j) = (i as usize * width, j as usize * width);
        let m = &m;
        (0..width * width).map(move |at| m[i + at / width] * m[j + at % width])
    };
    let pairs = machine.graph.edges().iter().flat_map(pair).collect();
    let triple = |units: &[u32; 3]| units.iter().map(|&unit| m[unit as usize]).product();
    let third = (!machine.triples.is_empty()).then(|| machine.triples.iter().map(triple).collect());
    [pairs, m.clone()].into_iter().chain(third).collect()
}

/// Lists for each unit the terms that it is part of.
struct Near(Vec<Vec<usize>>);

impl Near {
    fn of(wide: &Wide) -> Self {
        let mut out = vec![Vec::new(); wide.units];
        for (number, (units, _)) in wide.terms.iter().enumerate() {
            units.iter().for_each(|&unit| out[unit].push(number));
        }
        Self(out)
    }

    /// Gives the means that a unit would have now.
    fn settled(&self, wide: &Wide, m: &[f64], unit: usize, order: Order) -> Vec<f64> {
        let mut inputs = vec![0.0; wide.width];
        let mut reaction = 0.0;
        for (units, table) in self.0[unit].iter().map(|&number| &wide.terms[number]) {
            for (at, weight) in table.iter().enumerate() {
                let classes = [at / wide.width, at % wide.width];
                let classes = if units.len() == 2 { classes } else { [at % wide.width; 2] };
                let own = units.iter().position(|&other| other == unit).unwrap_or(0);
                let others = units.iter().enumerate().filter(|(place, _)| *place != own);
                let product: f64 = others
                    .map(|(place, other)| {
                        m[other * wide.width + if units.len() == 2 { classes[place] } else { 0 }]
                    })
                    .product();
                inputs[if wide.width == 1 { 0 } else { classes[own.min(1)] }] += weight * product;
                if units.len() == 2 && order == Order::Tap && wide.width == 1 {
                    reaction += weight * weight * variance(wide, m[units[1 - own]]);
                }
            }
        }
        if wide.width > 1 {
            return softmax(&inputs);
        }
        let own = m[unit];
        vec![if wide.spins {
            libm::tanh(inputs[0] - own * reaction)
        } else {
            sigmoid(inputs[0] - (own - 0.5) * reaction)
        }]
    }
}

/// Gives the variance of a bit or a spin of this mean.
pub(crate) fn variance(wide: &Wide, mean: f64) -> f64 {
    if wide.spins { 1.0 - mean * mean } else { mean * (1.0 - mean) }
}

pub(crate) fn sigmoid(a: f64) -> f64 {
    let e = libm::exp(-a.abs());
    if a >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

pub(crate) fn softmax(inputs: &[f64]) -> Vec<f64> {
    let most = inputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let odds: Vec<f64> = inputs.iter().map(|a| libm::exp(a - most)).collect();
    let total: f64 = odds.iter().sum();
    odds.into_iter().map(|odds| odds / total).collect()
}
