//! Computes normal distributions from words of a stream: quantiles, and Gaussians cut off at zero.
//!
//! Only operations of IEEE and of the pure-Rust `libm` are used, so that draws are the same on every CPU.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Coefficients of numerator and denominator, from the highest power down.
type Ratio = ([f64; 8], [f64; 8]);

/// Wichura (1988), AS 241, routine PPND16: the centre, the shoulders and the tails.
#[allow(clippy::excessive_precision)]
const CENTRE: Ratio = (
    [
        2.509_080_928_730_122_672_7e3,
        3.343_057_558_358_812_810_5e4,
        6.726_577_092_700_870_085_3e4,
        4.592_195_393_154_987_145_7e4,
        1.373_169_376_550_946_112_5e4,
        1.971_590_950_306_551_442_7e3,
        1.331_416_678_917_843_774_5e2,
        3.387_132_872_796_366_608_0,
    ],
    [
        5.226_495_278_852_854_561_0e3,
        2.872_908_573_572_194_267_4e4,
        3.930_789_580_009_271_061_0e4,
        2.121_379_430_158_659_586_7e4,
        5.394_196_021_424_751_107_7e3,
        6.871_870_074_920_579_083_0e2,
        4.231_333_070_160_091_125_2e1,
        1.0,
    ],
);
#[allow(clippy::excessive_precision)]
const SHOULDERS: Ratio = (
    [
        7.745_450_142_783_414_076_4e-4,
        2.272_384_498_926_918_458_33e-2,
        2.417_807_251_774_506_117_70e-1,
        1.270_458_252_452_368_382_58,
        3.647_848_324_763_204_605_04,
        5.769_497_221_460_691_405_50,
        4.630_337_846_156_545_295_90,
        1.423_437_110_749_683_577_34,
    ],
    [
        1.050_750_071_644_416_843_24e-9,
        5.475_938_084_995_344_946_00e-4,
        1.519_866_656_361_645_719_66e-2,
        1.481_039_764_274_800_745_90e-1,
        6.897_673_349_851_000_045_50e-1,
        1.676_384_830_183_803_849_40,
        2.053_191_626_637_758_821_87,
        1.0,
    ],
);
#[allow(clippy::excessive_precision)]
const TAILS: Ratio = (
    [
        2.010_334_399_292_288_132_65e-7,
        2.711_555_568_743_487_578_15e-5,
        1.242_660_947_388_078_438_60e-3,
        2.653_218_952_657_612_309_30e-2,
        2.965_605_718_285_048_912_30e-1,
        1.784_826_539_917_291_335_80,
        5.463_784_911_164_114_369_90,
        6.657_904_643_501_103_777_20,
    ],
    [
        2.044_263_103_389_939_785_64e-15,
        1.421_511_758_316_445_888_70e-7,
        1.846_318_317_510_054_681_80e-5,
        7.868_691_311_456_132_591_00e-4,
        1.487_536_129_085_061_485_25e-2,
        1.369_298_809_227_358_053_10e-1,
        5.998_322_065_558_879_376_90e-1,
        1.0,
    ],
);

fn ratio((above, below): &Ratio, x: f64) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().fold(0.0, |sum, c| sum * x + c);
    horner(above) / horner(below)
}

/// Gives a number in (0, 1) for each word, in the middle of its step of 2^-32.
pub(crate) fn uniform(word: u32) -> f64 {
    (f64::from(word) + 0.5) / 4_294_967_296.0
}

/// Computes the x that a standard normal draw exceeds with probability e^`log_p`, at most ½.
fn upper_tail(log_p: f64) -> f64 {
    let r = (-log_p).sqrt();
    if r <= 5.0 { ratio(&SHOULDERS, r - 1.6) } else { ratio(&TAILS, r - 5.0) }
}

/// Computes Φ⁻¹(p) for p in (0, 1).
pub(crate) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let x = upper_tail(libm::log(p.min(1.0 - p)));
    if q < 0.0 { -x } else { x }
}

/// Below this many standard deviations the half-line is so far out that series in 1/t are exact to 1e-7.
const FAR: f64 = -25.0;

/// Is the density ∝ e^(a x − γ x²/2) on x ≥ 0, with t = a / √γ.
#[derive(Clone, Copy, Debug)]
pub(super) struct HalfLine {
    t: f64,
    root: f64,
}

impl HalfLine {
    pub(super) fn new(a: f64, precision: f64) -> Self {
        let root = precision.sqrt();
        Self { t: a / root, root }
    }

    /// Computes ln Φ(t) + t²/2.
    fn log_scaled(self) -> f64 {
        let t = self.t;
        if t > FAR {
            return t * t / 2.0 + libm::log(0.5 * libm::erfc(-t * FRAC_1_SQRT_2));
        }
        let s = 1.0 / (t * t);
        -libm::log(-t) - libm::log(2.0 * PI) / 2.0 + libm::log1p(-s * (1.0 - s * (3.0 - 15.0 * s)))
    }

    /// Computes ln ∫₀^∞ e^(a x − γ x²/2) dx.
    pub(super) fn log_z(self) -> f64 {
        self.log_scaled() + libm::log(2.0 * PI) / 2.0 - libm::log(self.root)
    }

    /// Computes ⟨x⟩ = (t + φ(t)/Φ(t)) / √γ.
    pub(super) fn mean(self) -> f64 {
        self.scaled_mean() / self.root
    }

    fn scaled_mean(self) -> f64 {
        let t = self.t;
        if t > FAR {
            return t + libm::exp(-self.log_scaled() - libm::log(2.0 * PI) / 2.0);
        }
        let s = 1.0 / (t * t);
        -(1.0 - s * (2.0 - s * (10.0 - 74.0 * s))) / t
    }

    /// Computes ⟨x²⟩ = (1 + t √γ ⟨x⟩) / γ.
    pub(super) fn square(self) -> f64 {
        let t = self.t;
        let scaled = if t > FAR { 1.0 + t * self.scaled_mean() } else { far_square(1.0 / (t * t)) };
        scaled / (self.root * self.root)
    }

    /// Computes ⟨γ x²/2⟩.
    pub(super) fn half_energy(self) -> f64 {
        self.square() * self.root * self.root / 2.0
    }

    /// Gives the likeliest x, and the logarithm of its density before it is normalised.
    pub(super) fn peak(self) -> (f64, f64) {
        let t = self.t.max(0.0);
        (t / self.root, t * t / 2.0)
    }

    /// Gives the x that a draw exceeds with probability u.
    pub(super) fn draw(self, u: f64) -> f64 {
        let t = self.t;
        if t <= FAR {
            return self.far_draw(libm::log(u));
        }
        let above = 0.5 * libm::erfc(-t * FRAC_1_SQRT_2) * u;
        let z = if above < 0.075 { upper_tail(libm::log(above)) } else { -quantile(above) };
        (t + z).max(0.0) / self.root
    }

    /// Solves ln u = t x − x²/2 + ln Φ(t − x) + (t − x)²/2 − ln Φ(t) − t²/2 by iteration: x is nearly exponential.
    fn far_draw(self, log_u: f64) -> f64 {
        let (t, mut x, here) = (self.t, 0.0, self.log_scaled());
        for _ in 0..4 {
            x = (Self { t: t - x, root: 1.0 }.log_scaled() - here - log_u) / (x / 2.0 - t);
        }
        x / self.root
    }
}

/// Computes γ ⟨x²⟩ far out from s = 1/t².
fn far_square(s: f64) -> f64 {
    s * (2.0 - s * (10.0 - 74.0 * s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cdf(x: f64) -> f64 {
        0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
    }

    #[test]
    fn quantiles_invert_the_distribution() {
        // A relative error ε of x moves Φ by x φ(x) ε; PPND16 promises ε near 1e-16, erfc 1e-15.
        for i in 1..2000 {
            let p = f64::from(i) / 2000.0;
            assert!((cdf(quantile(p)) / p - 1.0).abs() < 1e-13, "{p}");
        }
        for p in [1e-10, 1e-30, 1e-200] {
            assert!((cdf(-upper_tail(libm::log(p))) / p - 1.0).abs() < 1e-11, "{p}");
        }
    }

    /// Integrates x^n e^(t x − x²/2) on x ≥ 0 by Simpson's rule, relative to the largest value.
    fn integral(t: f64, power: i32) -> f64 {
        let (width, steps) = (if t < -3.0 { 60.0 / -t } else { t.max(0.0) + 14.0 }, 200_000);
        let peak = if t > 0.0 { t * t / 2.0 } else { 0.0 };
        let f = |x: f64| x.powi(power) * (t * x - x * x / 2.0 - peak).exp();
        let h = width / f64::from(steps);
        let weight = |i: i32| if i == 0 || i == steps { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
        (0..=steps).map(|i| weight(i) * f(h * f64::from(i))).sum::<f64>() * h / 3.0
    }

    #[test]
    fn half_lines_have_the_moments_of_their_integrals() {
        for t in [-200.0, -40.0, -25.1, -24.9, -8.0, -1.0, 0.0, 0.7, 5.0, 30.0] {
            let (line, zero) = (HalfLine::new(t, 1.0), integral(t, 0));
            let peak = if t > 0.0 { t * t / 2.0 } else { 0.0 };
            assert!((line.log_z() - peak - zero.ln()).abs() < 1e-8, "ln Z at {t}");
            // The series beyond −25 leave terms of 706 / t⁸, 5e-9, and 353 / t⁶ of the square, 1.4e-6.
            assert!((line.mean() * zero / integral(t, 1) - 1.0).abs() < 1e-6, "mean at {t}");
            assert!((line.square() * zero / integral(t, 2) - 1.0).abs() < 1e-5, "square at {t}");
        }
    }

    #[test]
    fn draws_from_half_lines_leave_the_right_share_above() {
        for (t, precision) in
            [(-100.0, 2.0), (-25.1, 1.0), (-24.9, 1.0), (-3.0, 4.0), (0.0, 1.0), (2.0, 0.5), (9.0, 1.0)]
        {
            let line = HalfLine::new(t * f64::sqrt(precision), precision);
            for u in [1e-9, 0.01, 0.3, 0.5, 0.9, 0.999_999] {
                let x = line.draw(u) * line.root;
                // Beyond x: the half-line of t − x, times the density there.
                let rest =
                    HalfLine::new(t - x, 1.0).log_z() + t * x - x * x / 2.0 - HalfLine::new(t, 1.0).log_z();
                assert!((rest - libm::log(u)).abs() < 1e-5, "{t} {u}: {rest}");
            }
        }
    }
}
