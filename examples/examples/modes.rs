//! Samples a machine of sixteen modes with known weights: plain chains see one of them, parallel tempering weighs all.
//!
//! `cargo run --release -p harmonium-examples --example modes [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::prelude::*;
use harmonium::rbm::Parts;
use harmonium::sample::{Chains, Ladder, MixingTest, ParallelTempering, Seen, Trace};
use harmonium_examples::Arguments;
use ndarray::{Array1, Array2};

/// The coupling of 16 visible and 4 hidden units of a group; there are four groups.
const J: f64 = 2.0;
/// What makes a group rather on or off; e^16t is about its odds.
const TILTS: [f64; 4] = [0.0, 0.05, 0.1, -0.05];

fn main() -> Result<(), Error> {
    let (key, short) = (Key::from_seed(1), Arguments::read().short);
    let rbm = machine()?;
    let sweeps = if short { 300 } else { 3000 };
    let chains = Chains { chains: 20, burn_in: 512, sweeps, thin: 1 };
    let ladder = Ladder::Even { rungs: 20, lowest: 0.2 };

    let (mut plain, mut tempered) = (Modes::default(), Modes::default());
    let mut trace = Trace::default();
    let mut look = |seen: &Seen<'_>| plain.count(seen);
    Chains { sweeps: 20 * sweeps, thin: 20, ..chains }.run(&rbm, key, &mut [&mut look])?;
    let mut look = |seen: &Seen<'_>| tempered.count(seen);
    let tempering = ParallelTempering { chains, ladder, adapt: true };
    let replicas = tempering.run(&rbm, key, &mut [&mut look, &mut trace])?;

    println!("mode  exact   plain   tempered");
    for (mode, exact) in weights().into_iter().enumerate() {
        println!("{mode:04b}  {exact:.4}  {:.4}  {:.4}", plain.share(mode), tempered.share(mode));
    }
    println!("total variation: plain {:.3}, tempered {:.3}", plain.variation(), tempered.variation());
    let rates = replicas.swap_rates();
    let least = rates.iter().copied().fold(1.0, f64::min);
    println!("round trips {}, least swap rate {least:.2}", replicas.round_trips().iter().sum::<u64>());
    println!("energies: {}", MixingTest::default().judge(trace.values().view())?);
    Ok(())
}

fn machine() -> Result<Rbm, Error> {
    let weights = Array2::from_shape_fn((64, 16), |(i, j)| if i / 16 == j / 4 { J as f32 } else { 0.0 });
    let visible_bias = Array1::from_shape_fn(64, |i| (-2.0 * J + TILTS[i / 16]) as f32);
    Rbm::from_parts(Parts { weights, visible_bias, hidden_bias: Array1::from_elem(16, (-8.0 * J) as f32) })
}

/// Groups are independent; n visible units on have C(16, n) e^(b n) (1 + e^(c + J n))⁴.
fn weights() -> Vec<f64> {
    let odds = TILTS.map(|tilt| {
        let choose = |n: u32| (0..n).fold(1.0, |c, k| c * f64::from(16 - k) / f64::from(k + 1));
        let hidden = |n: u32| (1.0 + (J * (f64::from(n) - 8.0)).exp()).powi(4);
        let share = |n: u32| choose(n) * ((tilt - 2.0 * J) * f64::from(n)).exp() * hidden(n);
        (9..=16).map(share).sum::<f64>() / (0..=16).map(share).sum::<f64>()
    });
    let of = |mode: usize| (0..4).map(|g| if mode >> g & 1 == 1 { odds[g] } else { 1.0 - odds[g] }).product();
    (0..16).map(of).collect()
}

#[derive(Default)]
struct Modes([u64; 16]);

impl Modes {
    fn count(&mut self, seen: &Seen<'_>) {
        let rows = seen.states().expect_bits();
        let on = |row, g: usize| usize::from((rows.row(row)[0] >> (16 * g) & 0xFFFF).count_ones() > 8) << g;
        (0..rows.rows()).for_each(|row| self.0[(0..4).map(|g| on(row, g)).sum::<usize>()] += 1);
    }

    fn share(&self, mode: usize) -> f64 {
        self.0[mode] as f64 / self.0.iter().sum::<u64>() as f64
    }

    fn variation(&self) -> f64 {
        weights().into_iter().enumerate().map(|(mode, w)| (w - self.share(mode)).abs() / 2.0).sum()
    }
}
