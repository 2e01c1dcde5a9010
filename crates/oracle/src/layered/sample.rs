//! Draws exact, independent states: a listed side from its law, the other side from its conditional law.

use super::law::Side;
use super::proper::Refusal;
use super::rbm::Rbm;
use crate::rng::Rng;
use crate::sample::Table;
use crate::units::{Class, Layer, Unit};

/// Halvings of an interval of 80 deviations: it shrinks below 1e-16 deviations.
const HALVINGS: usize = 64;

impl Unit {
    /// Draws a state at an input, by inverting the cumulative distribution.
    ///
    /// # Panics
    /// When counts have a rate of a million.
    pub fn draw(&self, input: &[f64], rng: &mut Rng) -> Vec<f64> {
        if matches!(self, Self::Gaussian { .. } | Self::Relu { .. } | Self::Drelu { .. }) {
            return vec![self.quantile(input, rng.uniform())];
        }
        let states = self.states(input, input).expect("a rate below a million");
        let log_z = self.cgf(input);
        let p = states.iter().map(|state| {
            let coupling: f64 = state.features.iter().zip(input).map(|(x, i)| x * i).sum();
            (state.log_weight + coupling - self.energy(&state.features) - log_z).exp()
        });
        states[Table::new(&p.collect::<Vec<_>>()).draw(rng)].features.clone()
    }

    /// Gives the x with P(X ≤ x) = u of a real-valued unit, no farther than 40 deviations from the mean.
    fn quantile(&self, input: &[f64], u: f64) -> f64 {
        let (mean, reach) = (self.mean(input)[0], 40.0 * self.variance(input)[0].sqrt());
        let bottom = if matches!(self, Self::Relu { .. }) { 0.0 } else { f64::NEG_INFINITY };
        let (mut low, mut high) = ((mean - reach).max(bottom), mean + reach);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if self.cdf(input, middle) <= u { low = middle } else { high = middle }
        }
        low
    }
}

impl Layer {
    /// Draws a state at an input.
    pub fn draw(&self, input: &[f64], rng: &mut Rng) -> Vec<f64> {
        (0..self.units).flat_map(|n| self.unit(n).draw(&input[self.span(n)], rng)).collect()
    }
}

impl Rbm {
    /// Draws independent pairs (x, y) from p(x, y); `None` where neither layer is finite, hence listed exactly.
    ///
    /// # Errors
    /// Those of [`Rbm::law`].
    pub fn sample(&self, count: usize, rng: &mut Rng) -> Result<Option<Vec<Pair>>, Refusal> {
        let law = self.law()?;
        let listed = if law.side == Side::Visible { &self.visible } else { &self.hidden };
        if listed.kind.class() != Class::Finite {
            return Ok(None);
        }
        let table = Table::new(&law.p());
        let pair = |_| {
            let state = law.states[table.draw(rng)].features.clone();
            if law.side == Side::Visible {
                let other = self.hidden.draw(&self.hidden_input(&state), rng);
                return (state, other);
            }
            (self.visible.draw(&self.visible_input(&state), rng), state)
        };
        Ok(Some((0..count).map(pair).collect()))
    }
}

/// Holds the features of a visible and a hidden state.
pub type Pair = (Vec<f64>, Vec<f64>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layered::check::models;
    use crate::stats::{self, z_score, z_star};

    const DRAWS: usize = 1000;

    /// Gives |z| of the means of x, y and x y. A feature that 1,000 draws never show has no spread, and may yet have
    /// a probability of 25/1,000 (as P < e^−25): no score below that distance.
    fn scores(of: &Rbm, draws: &[Pair]) -> Vec<f64> {
        let moments = of.moments().unwrap();
        let cross = |n: usize| {
            let (i, j) = (n / of.hidden.width(), n % of.hidden.width());
            let values: Vec<f64> = draws.iter().map(|(x, y)| x[i] * y[j]).collect();
            score(&values, moments.cross[n])
        };
        let one =
            |side: &dyn Fn(&Pair) -> f64, mean: f64| score(&draws.iter().map(side).collect::<Vec<_>>(), mean);
        let visible = one(&|pair| pair.0[0], moments.visible[0]);
        let hidden = one(&|pair| pair.1[0], moments.hidden[0]);
        (0..moments.cross.len()).map(cross).chain([visible, hidden]).collect()
    }

    fn score(values: &[f64], mean: f64) -> f64 {
        let unseen = 25.0 / DRAWS as f64;
        if (stats::mean(values) - mean).abs() <= unseen { 0.0 } else { z_score(values, mean).abs() }
    }

    /// Every pair of kinds with a finite layer, at scale 1. Control: most draws miss the moments of half the temperature.
    ///
    /// 48 pairs have fewer than 1,000 comparisons.
    #[test]
    fn draws_have_the_moments_of_the_model() {
        let (mut comparisons, mut missed, mut pairs) = (0, 0, 0);
        // The sixteen models of a pair run over the scales fastest; the tenth is three by two units of scale 1.
        let finite = |rbm: &Rbm| [&rbm.visible, &rbm.hidden].iter().any(|l| l.kind.class() == Class::Finite);
        let all: Vec<Rbm> = models().into_iter().filter(finite).collect();
        for rbm in all.chunks(16).map(|of| &of[10]) {
            assert_eq!((rbm.visible.units, rbm.hidden.units), (3, 2));
            let draws = rbm.sample(DRAWS, &mut Rng::new(551)).unwrap().unwrap();
            let right = scores(rbm, &draws);
            assert!(
                right.iter().all(|z| *z < z_star(1000)),
                "{:?} {:?} {right:?}",
                rbm.visible.kind,
                rbm.hidden.kind
            );
            let wrong = scores(&rbm.tempered(2.0), &draws);
            missed += usize::from(wrong.iter().any(|z| *z > z_star(1000)));
            comparisons += right.len();
            pairs += 1;
        }
        assert!(pairs == 48 && comparisons < 1000 && missed > pairs / 2, "{pairs} {comparisons} {missed}");
    }

    /// P(X ≤ quantile(u)) = u, on either side of the kink of a dReLU.
    #[test]
    fn quantiles_invert_the_cumulative_distribution() {
        for unit in [
            Unit::Gaussian { bias: 1.0, curvature: 3.0 },
            Unit::Relu { bias: -2.0, curvature: 1.0 },
            Unit::Drelu { bias: 0.3, shift: -0.5, plus: 0.7, minus: 2.0 },
        ] {
            for u in [1e-6, 0.1, 0.4, 0.6, 0.999] {
                crate::check::close(unit.cdf(&[0.2], unit.quantile(&[0.2], u)), u, crate::check::TAU_0);
            }
        }
    }

    #[test]
    fn pairs_without_a_finite_side_are_not_drawn() {
        use crate::units::Kind::{Gaussian, Relu};
        let rbm = Rbm::normal((Gaussian, 1), (Relu, 1), 0.1, &mut Rng::new(552));
        assert_eq!(rbm.sample(3, &mut Rng::new(1)), Ok(None));
    }
}
