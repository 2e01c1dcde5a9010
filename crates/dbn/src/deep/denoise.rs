//! Takes flips off rows: p(v | noisy) ∝ p(v) · p(noisy | v), the noise clamped below a machine of many layers.

use harmonium_core::sample::{Filling, Imputed};
use harmonium_core::units::{Input, Unit, Units};
use harmonium_core::{Batch, EnergyModel, Error, Key, purpose};
use harmonium_kernels::{evaluate, parallel};
use harmonium_rbm::Noise;
use ndarray::Array2;

use super::state::Latent;
use super::{Dbm, View};

impl Dbm {
    /// Computes p(v = 1 | noisy) of every bit, and the mean of every spin, `(n, visible)`: chains start at hidden units inferred from
    /// the noisy row, and walk with what was seen as an input to the visible units; averages are over chains, of means given the
    /// hidden units of the last sweep. A unit that is missing gets nothing from the noise. `key` is that of the seed; `watch` hears
    /// of each chain.
    ///
    /// # Errors
    /// Refuses rows that the machine can't take, other visible units than bits and spins, other noise than flips, and options out of
    /// range.
    pub fn denoise(
        &self,
        noisy: &Batch,
        noise: Noise,
        options: Filling,
        key: Key,
        watch: &mut dyn FnMut(usize),
    ) -> Result<Imputed, Error> {
        options.check()?;
        noise.check()?;
        self.check_data(noisy)?;
        let shifts = self.shifts(noisy, noise)?;
        let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::CLAMP);
        let mut sums = Array2::<f64>::zeros(shifts.dim());
        for chain in 0..options.chains {
            sums += &self.cleaned(noisy, &shifts, options.sweeps, key.fold_in(chain as u64)).mapv(f64::from);
            watch(chain + 1);
        }
        let mean = sums / options.chains as f64;
        let signs = self.layers()[0].signs();
        let spread = mean.mapv(|m| (if signs { 1.0 - m * m } else { m * (1.0 - m) }).max(0.0).sqrt() as f32);
        Ok(Imputed { mean: mean.mapv(|m| m as f32), spread })
    }

    /// Gives the input of each visible unit from what was seen of it: ln p(seen | on) − ln p(seen | off), half of it for spins.
    fn shifts(&self, noisy: &Batch, noise: Noise) -> Result<Array2<f32>, Error> {
        let units = self.layers()[0].units();
        let (rate, share) = match (noise, &units) {
            (Noise::Flips(rate), Units::Bernoulli(_)) => (f64::from(rate), 1.0),
            (Noise::Flips(rate), Units::Spin(_)) => (f64::from(rate), 0.5),
            (noise, units) => {
                let got = format!("{noise:?} of {units}");
                return Err(Error::option("noise", "flips of bits or spins below a deep machine", got));
            }
        };
        let (bits, odds) = (noisy.bits()?, share * libm::log((1.0 - rate) / rate));
        let shift = |(r, f): (usize, usize)| {
            let gone = noisy.missing().is_some_and(|missing| missing.get(r, f));
            (if gone {
                0.0
            } else if bits.get(r, f) {
                odds
            } else {
                -odds
            }) as f32
        };
        Ok(Array2::from_shape_fn((noisy.rows(), noisy.units()), shift))
    }

    /// Walks one chain of each row; gives the means of the visible units of its last sweep.
    fn cleaned(&self, noisy: &Batch, shifts: &Array2<f32>, sweeps: u32, key: Key) -> Array2<f32> {
        let (view, visible) = (self.view(), &self.layers()[0]);
        let mut state = view.standing(noisy.states().clone(), Latent::Clamped);
        parallel::team(|| {
            view.infer(&mut state, key.fold_in(0));
            let mut means = None;
            for sweep in 1..=u64::from(sweeps) {
                let key = key.fold_in(sweep);
                view.draw_side(1, &mut state.layers, key);
                for l in view.side(0).skip(1) {
                    view.draw(l, &mut state.layers, View::half_step(l, key));
                }
                let seen = view.input(0, &state.layers).values().into_iter().zip(shifts);
                let input = Input::reals(seen.map(|(i, s)| i + mutant!("B362", s, &0.0)).collect(), 1.0);
                let (drawn, expected) = visible.sample_with_means(&input, View::half_step(0, key));
                state.layers[0] = drawn;
                means = Some(expected);
            }
            means.map_or_else(|| Array2::zeros(shifts.dim()), |means| visible.means_of(&means))
        })
    }
}
