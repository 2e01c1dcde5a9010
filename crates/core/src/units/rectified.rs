//! Describes real units with a kink at zero: exact truncated Gaussians (ReLU), and Gaussians with two slopes (dReLU).
//!
//! U(x) = γ₊ x²/2 − (b + δ) x for x ≥ 0 and γ₋ x²/2 − (b − δ) x for x < 0 (Tubiana, Cocco & Monasson 2019, eq. 9, with θ± =
//! −(b ± δ)); γ± = e^g±, held within e^±8. A ReLU has γ₊ = 1, δ = 0 and no negative side.

use harmonium_kernels::Key;
use ndarray::Array2;

use super::normal::{HalfLine, uniform};
use super::{Extra, Input, Means, States, Unit, by_row, mix, words};

/// The largest |g±| = |ln γ±| that is used.
const MOST: f32 = 8.0;

/// Is a layer of rectified units.
#[derive(Clone, Debug, PartialEq)]
pub struct Rectified {
    bias: Vec<f32>,
    sides: Option<Sides>,
    /// γ of a one-sided unit: 1 for the model itself.
    precision: f32,
}

/// Holds what a unit with two sides has besides its bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Sides {
    /// δ: half of the difference of the slopes.
    pub kink: Vec<f32>,
    /// g₊ = ln γ₊.
    pub log_positive: Vec<f32>,
    /// g₋ = ln γ₋.
    pub log_negative: Vec<f32>,
}

impl Rectified {
    /// Makes a layer of units that are 0 or more (ReLU).
    pub fn one_sided(bias: Vec<f32>) -> Self {
        Self { bias, sides: None, precision: 1.0 }
    }

    /// Makes a layer of units with two sides (dReLU).
    ///
    /// # Panics
    /// If the parameters are not equally long.
    pub fn two_sided(bias: Vec<f32>, sides: Sides) -> Self {
        let lengths = [&sides.kink, &sides.log_positive, &sides.log_negative].map(Vec::len);
        assert!(lengths.iter().all(|&n| n == bias.len()), "units of all parameters");
        Self { bias, sides: Some(sides), precision: 1.0 }
    }

    /// Gives what a layer with two sides has besides its biases.
    pub fn sides(&self) -> Option<&Sides> {
        self.sides.as_ref()
    }

    fn line(&self, unit: usize, activation: f64) -> Line {
        let Some(sides) = &self.sides else {
            return Line { right: HalfLine::new(activation, f64::from(self.precision)), left: None };
        };
        let gamma = |g: f32| libm::exp(f64::from(g.clamp(-MOST, MOST))) * f64::from(self.precision);
        let kink = f64::from(sides.kink[unit]);
        Line {
            right: HalfLine::new(activation + kink, gamma(sides.log_positive[unit])),
            left: Some(HalfLine::new(kink - activation, gamma(sides.log_negative[unit]))),
        }
    }

    /// Computes something of each unit of each row: from its line, its row and its number.
    fn rows<T: Send>(&self, input: &Input<'_>, unit: impl Fn(&Line, usize, usize) -> T + Sync) -> Vec<T> {
        let (values, n) = (input.values(), self.bias.len());
        by_row(values.len() / n, |row| {
            let line = values[row * n..(row + 1) * n].iter().zip(&self.bias).enumerate();
            line.map(|(j, (i, b))| unit(&self.line(j, f64::from(i + b)), row, j)).collect()
        })
    }

    /// Computes U of a value without its factor γ or slope: (γ x²/2, slope x).
    fn parts(&self, unit: usize, x: f64) -> (f64, f64) {
        let b = f64::from(self.bias[unit]);
        let Some(sides) = &self.sides else { return (f64::from(self.precision) * x * x / 2.0, b * x) };
        let log = if x < 0.0 { sides.log_negative[unit] } else { sides.log_positive[unit] };
        let gamma = libm::exp(f64::from(log.clamp(-MOST, MOST))) * f64::from(self.precision);
        (gamma * x * x / 2.0, b * x + f64::from(sides.kink[unit]) * x.abs())
    }
}

/// Is the density of one unit: a half-line, or two that meet at zero.
struct Line {
    right: HalfLine,
    left: Option<HalfLine>,
}

impl Line {
    fn log_z(&self) -> f64 {
        let right = self.right.log_z();
        let Some(left) = self.left.map(HalfLine::log_z) else { return right };
        let most = right.max(left);
        most + libm::log(libm::exp(right - most) + libm::exp(left - most))
    }

    /// Gives p(x ≥ 0).
    fn right_share(&self) -> f64 {
        self.left.map_or(1.0, |left| 1.0 / (1.0 + libm::exp(left.log_z() - self.right.log_z())))
    }

    fn mean(&self) -> f64 {
        let (right, left) = self.sided(HalfLine::mean);
        right - left
    }

    /// Gives ⟨f(|x|); x ≥ 0⟩ and ⟨f(|x|); x < 0⟩.
    fn sided(&self, f: impl Fn(HalfLine) -> f64) -> (f64, f64) {
        let share = self.right_share();
        (share * f(self.right), self.left.map_or(0.0, |left| (1.0 - share) * f(left)))
    }

    /// Gives a quantile: what the right side does not hold lies on the left.
    fn draw(&self, u: f64) -> f64 {
        let share = self.right_share();
        match self.left {
            Some(left) if u >= share => -left.draw(((u - share) / (1.0 - share)).clamp(1e-12, 1.0)),
            _ => self.right.draw((u / share).clamp(1e-12, 1.0)),
        }
    }

    /// Gives the likeliest value.
    fn mode(&self) -> f64 {
        let (right, left) = (self.right.peak(), self.left.map(HalfLine::peak));
        match left {
            Some(left) if left.1 > right.1 => -left.0,
            _ => right.0,
        }
    }
}

impl Unit for Rectified {
    fn bias(&self) -> &[f32] {
        &self.bias
    }

    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>) {
        let extra = self.sides.as_mut().map_or_else(Vec::new, |sides| {
            vec![&mut sides.kink[..], &mut sides.log_positive, &mut sides.log_negative]
        });
        (&mut self.bias, extra)
    }

    fn energy(&self, state: &States) -> Vec<f64> {
        let one = |(unit, &x): (usize, &f32)| {
            let (square, slope) = self.parts(unit, f64::from(x));
            square - slope
        };
        state.expect_reals().rows().into_iter().map(|row| row.iter().enumerate().map(one).sum()).collect()
    }

    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        let terms = self.rows(input, |line, _, _| line.log_z());
        terms.chunks_exact(self.bias.len()).map(|row| row.iter().sum()).collect()
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        Means::Reals(self.rows(input, |line, _, _| line.mean() as f32))
    }

    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        let n = self.bias.len();
        let draws = words(key, input.len() / n, n);
        let draw = |line: &Line, row: usize, unit: usize| line.draw(uniform(draws[row * n + unit])) as f32;
        States::reals(self.rows(input, draw), n)
    }

    fn mode(&self, input: &Input<'_>) -> States {
        States::reals(self.rows(input, |line, _, _| line.mode() as f32), self.bias.len())
    }

    /// Mixes slopes and precisions.
    fn anneal(&self, base: &Self, beta: f32) -> Self {
        let log_mix = |a: &[f32], b: &[f32]| -> Vec<f32> {
            let gamma = |g: f32| libm::exp(f64::from(g.clamp(-MOST, MOST)));
            let one = |(a, b): (&f32, &f32)| {
                libm::log((1.0 - f64::from(beta)) * gamma(*a) + f64::from(beta) * gamma(*b)) as f32
            };
            a.iter().zip(b).map(one).collect()
        };
        let sides = base.sides.as_ref().zip(self.sides.as_ref()).map(|(base, own)| Sides {
            kink: mix(&base.kink, &own.kink, beta),
            log_positive: log_mix(&base.log_positive, &own.log_positive),
            log_negative: log_mix(&base.log_negative, &own.log_negative),
        });
        Self { bias: mix(&base.bias, &self.bias, beta), sides, precision: self.precision }
    }

    fn temper(&self, beta: f32) -> Self {
        let times = |values: &[f32]| values.iter().map(|x| beta * x).collect::<Vec<f32>>();
        let sides = self.sides.as_ref().map(|sides| Sides { kink: times(&sides.kink), ..sides.clone() });
        Self { bias: times(&self.bias), sides, precision: beta * self.precision }
    }

    fn free(&self) -> Self {
        Self { bias: vec![0.0; self.bias.len()], ..self.clone() }
    }

    fn extra(&self) -> Vec<Extra<'_>> {
        let Some(sides) = &self.sides else { return Vec::new() };
        vec![
            Extra { names: ["visible_kink", "hidden_kink"], values: &sides.kink },
            Extra { names: ["visible_log_positive", "hidden_log_positive"], values: &sides.log_positive },
            Extra { names: ["visible_log_negative", "hidden_log_negative"], values: &sides.log_negative },
        ]
    }

    /// Gives |x|, −γ₊ x²/2 on the right and −γ₋ x²/2 on the left.
    fn extra_states(&self, state: &States) -> Vec<Array2<f32>> {
        if self.sides.is_none() {
            return Vec::new();
        }
        let states = state.expect_reals();
        let square = |unit: usize, x: f32| -self.parts(unit, f64::from(x)).0 as f32;
        let on = |right: bool| {
            let mut out = states.clone();
            out.indexed_iter_mut()
                .for_each(|((_, unit), x)| *x = if (*x >= 0.0) == right { square(unit, *x) } else { 0.0 });
            out
        };
        vec![states.mapv(f32::abs), on(true), on(false)]
    }

    fn extra_means(&self, input: &Input<'_>) -> Vec<Array2<f32>> {
        if self.sides.is_none() {
            return Vec::new();
        }
        let each = |f: &(dyn Fn(&Line) -> f64 + Sync)| {
            States::reals(self.rows(input, |line, _, _| f(line) as f32), self.bias.len()).to_array()
        };
        let side = |line: &Line| line.sided(HalfLine::half_energy);
        vec![
            each(&|line| {
                let (right, left) = line.sided(HalfLine::mean);
                right + left
            }),
            each(&|line| -side(line).0),
            each(&|line| -side(line).1),
        ]
    }
}
