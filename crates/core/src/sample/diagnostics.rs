//! Judges whether chains have mixed: effective sample size, autocorrelation time and split R-hat (Vehtari, Gelman, Simpson,
//! Carpenter & Bürkner 2021, "Rank-normalization, folding, and localization").
//!
//! Everything takes one quantity along chains, `(sweeps, chains)`, in the order of the sweeps. The energy is the one that a
//! [`super::Trace`] keeps; chains in wells of equal depth look mixed by it, so ask for a coordinate too where there may be such.

// A view is passed by value wherever ndarray is at home.
#![allow(clippy::needless_pass_by_value)]

use std::fmt;

use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use serde::{Deserialize, Serialize};

use crate::Error;
pub use crate::doctor::effective;
use crate::units::normal::quantile;

/// Estimates the integrated autocorrelation time τ = 1 + 2 Σ ρ_t in sweeps: what [`effective`] divides by.
pub fn autocorrelation_time(values: ArrayView2<'_, f64>) -> f64 {
    values.len() as f64 / effective(values)
}

/// Cuts each chain in two halves, the middle sweep of an odd number left out: `(sweeps, chains) → (sweeps / 2, 2 chains)`.
fn split(values: ArrayView2<'_, f64>) -> Array2<f64> {
    let half = values.nrows() / 2;
    let (first, second) = (values.slice(s![..half, ..]), values.slice(s![values.nrows() - half.., ..]));
    concatenate(Axis(1), &[first, mutant!("B171", second, first)]).expect("halves of one length")
}

/// Replaces values by Φ⁻¹((rank − 3/8) / (n + 1/4)) of their rank among all, ties by their mean rank (equation 14).
pub fn rank_normalised(values: ArrayView2<'_, f64>) -> Array2<f64> {
    let flat: Vec<f64> = values.iter().copied().collect();
    let mut order: Vec<usize> = (0..flat.len()).collect();
    order.sort_by(|&a, &b| flat[a].total_cmp(&flat[b]));
    let mut ranked = vec![0.0; flat.len()];
    let mut start = 0;
    while start < order.len() {
        let same = order[start..].iter().take_while(|&&at| flat[at] == flat[order[start]]).count().max(1);
        // Ranks start + 1 … start + same.
        let rank = start as f64 + f64::midpoint(same as f64, 1.0);
        let z = quantile((rank - 0.375) / (flat.len() as f64 + 0.25));
        order[start..start + same].iter().for_each(|&at| ranked[at] = z);
        start += same;
    }
    let mut out = values.to_owned();
    out.iter_mut().zip(ranked).for_each(|(x, z)| *x = z);
    out
}

/// Computes R̂ = √(((n − 1)/n W + B/n) / W) of chains as they are (equations 1 to 4); NaN where nothing varies.
fn r_hat(values: ArrayView2<'_, f64>) -> f64 {
    let (n, chains) = (values.nrows() as f64, values.ncols() as f64);
    let means: Vec<f64> = values.axis_iter(Axis(1)).map(|chain| chain.iter().sum::<f64>() / n).collect();
    let square = |x: f64, mean: f64| (x - mean) * (x - mean);
    let spread = |(chain, &mean)| {
        let chain: ndarray::ArrayView1<'_, f64> = chain;
        chain.iter().map(|&x| square(x, mean)).sum::<f64>() / (n - 1.0)
    };
    let within = values.axis_iter(Axis(1)).zip(&means).map(spread).sum::<f64>() / chains;
    let grand = means.iter().sum::<f64>() / chains;
    let between = means.iter().map(|&mean| square(mean, grand)).sum::<f64>() / (chains - 1.0);
    (((n - 1.0) / n * within + between) / within).sqrt()
}

/// Computes the larger of the rank-normalised split R̂ of the values and that of their distances from the median, which sees
/// chains of one mean and different width. NaN where nothing varies, ∞ where chains stand still in different places.
pub fn split_r_hat(values: ArrayView2<'_, f64>) -> f64 {
    let middle = quantile_of(values, 0.5);
    let folded = values.mapv(|x| (x - middle).abs());
    let of = |values: ArrayView2<'_, f64>| r_hat(rank_normalised(split(values).view()).view());
    of(values).max(of(folded.view()))
}

/// Gives the value that this share of all are not above.
fn quantile_of(values: ArrayView2<'_, f64>, share: f64) -> f64 {
    let mut flat: Vec<f64> = values.iter().copied().collect();
    flat.sort_by(f64::total_cmp);
    flat[((share * flat.len() as f64) as usize).min(flat.len() - 1)]
}

/// Says from where on chains count as mixed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixingTest {
    /// Split R̂ must be below: 1.01 (Vehtari et al. 2021, section 4.1).
    pub r_hat: f64,
    /// Effective sample sizes of bulk and tails, all chains together, must reach this: 400, at which their own estimates, and
    /// that of R̂, are steady (ibid.).
    pub effective: f64,
}

impl Default for MixingTest {
    fn default() -> Self {
        Self { r_hat: 1.01, effective: 400.0 }
    }
}

/// Is what the mixing test found of one quantity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixing {
    /// Rank-normalised split R̂.
    pub r_hat: f64,
    /// Effective sample size of the rank-normalised values, all chains together.
    pub bulk: f64,
    /// The lesser effective sample size of the indicators of the lowest and of the highest twentieth.
    pub tail: f64,
    /// Integrated autocorrelation time of the values, in looks.
    pub time: f64,
    /// Why the chains do not count as mixed; nothing if they do.
    pub against: Option<String>,
}

impl Mixing {
    /// Tells whether the chains count as mixed.
    pub fn mixed(&self) -> bool {
        self.against.is_none()
    }
}

impl fmt::Display for Mixing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { r_hat, bulk, tail, time, against } = self;
        write!(f, "R-hat {r_hat:.3}, effective states {bulk:.0} (tails {tail:.0}), {time:.1} looks apart: ")?;
        match against {
            Some(why) => write!(f, "not mixed, {why}"),
            None => f.write_str("mixed"),
        }
    }
}

impl MixingTest {
    /// Refuses thresholds that nothing or all would pass.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(self.r_hat > 1.0 && self.r_hat.is_finite()) {
            return Err(Error::option("R-hat", "a number above 1", self.r_hat));
        }
        if !(self.effective >= 1.0 && self.effective.is_finite()) {
            return Err(Error::option("effective states", "1 or more", self.effective));
        }
        Ok(())
    }

    /// Judges one quantity along chains, `(sweeps, chains)`.
    ///
    /// # Errors
    /// Refuses fewer than 8 sweeps, no chains, values that are not finite, and thresholds out of range.
    pub fn judge(&self, values: ArrayView2<'_, f64>) -> Result<Mixing, Error> {
        self.check()?;
        let (sweeps, chains) = values.dim();
        if sweeps < 8 || chains == 0 {
            return Err(Error::shape(
                "values",
                "8 sweeps or more of a chain",
                format!("{sweeps} of {chains}"),
            ));
        }
        if let Some(((sweep, chain), x)) = values.indexed_iter().find(|(_, x)| !x.is_finite()) {
            let place = format!("sweep {sweep}, chain {chain}");
            return Err(Error::value("values", place, "a finite number", x));
        }
        let halves = split(values);
        let below = |share: f64| {
            let least = quantile_of(values, share);
            effective(halves.mapv(|x| f64::from(u8::from(x <= least))).view())
        };
        let mut found = Mixing {
            r_hat: split_r_hat(values),
            bulk: effective(rank_normalised(halves.view()).view()),
            tail: below(0.05).min(below(0.95)),
            time: autocorrelation_time(values),
            against: None,
        };
        found.against = self.against(&found);
        Ok(found)
    }

    fn against(&self, found: &Mixing) -> Option<String> {
        if found.r_hat.is_nan() {
            return Some("the quantity never changes, which tells nothing".into());
        }
        if found.r_hat >= self.r_hat {
            return Some(format!("as R-hat is not below {}: chains, or halves of them, differ", self.r_hat));
        }
        let (least, what) =
            if found.bulk < found.tail { (found.bulk, "") } else { (found.tail, " in the tails") };
        // Written so that NaN counts against.
        let enough = least >= self.effective;
        (!enough).then(|| format!("as {least:.0} effective states{what} are fewer than {}", self.effective))
    }
}

#[cfg(test)]
mod tests {
    use harmonium_kernels::Key;
    use rand::RngCore;

    use super::*;
    use crate::units::normal::uniform;

    /// Makes x_t = a x_t−1 + √(1 − a²) e with normal e: autocorrelations a^t, τ = (1 + a) / (1 − a).
    fn walk(sweeps: usize, chains: usize, a: f64) -> Array2<f64> {
        let mut out = Array2::zeros((sweeps, chains));
        for chain in 0..chains {
            let mut stream = Key::from_seed(5).stream(chain as u64);
            let mut noise = || quantile(uniform(stream.next_u32()));
            let mut x = noise();
            for sweep in 0..sweeps {
                out[(sweep, chain)] = x;
                x = a * x + (1.0 - a * a).sqrt() * noise();
            }
        }
        out
    }

    /// τ = 3 at a = ½; with 20,000 values its estimate has a deviation of some 4 %, as in the tests of [`effective`].
    #[test]
    fn healthy_chains_have_mixed() {
        let values = walk(5000, 4, 0.5);
        let found = MixingTest::default().judge(values.view()).unwrap();
        assert!(found.mixed(), "{found}");
        assert!((found.time / 3.0 - 1.0).abs() < 0.15, "{found}");
        assert!(found.r_hat < 1.005 && (found.bulk * 3.0 / 20_000.0 - 1.0).abs() < 0.15, "{found}");
    }

    /// The defects that the paper names: a chain elsewhere, a trend that all chains share (only halves see it), a chain of
    /// another width (only folding sees it), too few states.
    #[test]
    fn each_defect_is_seen_and_named() {
        let test = MixingTest::default();
        let why = |values: &Array2<f64>| test.judge(values.view()).unwrap().against.unwrap_or_default();
        let free = walk(1000, 4, 0.3);
        assert_eq!(why(&free), "");
        let mut apart = free.clone();
        apart.column_mut(2).mapv_inplace(|x| x + 1.0);
        assert!(why(&apart).contains("R-hat"));
        let trend = Array2::from_shape_fn((1000, 4), |(t, c)| free[(t, c)] + t as f64 / 500.0);
        assert!(why(&trend).contains("R-hat"));
        let mut wide = free.clone();
        wide.column_mut(1).mapv_inplace(|x| 4.0 * x);
        assert!(why(&wide).contains("R-hat"));
        let few = walk(60, 4, 0.0);
        assert!(why(&few).contains("effective states"), "{}", why(&few));
        assert!(why(&Array2::zeros((50, 4))).contains("never changes"));
        let still = Array2::from_shape_fn((50, 4), |(_, c)| c as f64);
        assert!(why(&still).contains("R-hat"));
    }

    /// Two chains 1, 2 and 3, 4 by hand: W = ½, B/n = ((3.5 − 1.5)²/2) = 2, so R̂ = √((¼ + 2) / ½).
    #[test]
    fn r_hat_and_ranks_are_those_of_the_formulas() {
        let values = ndarray::array![[1.0, 3.0], [2.0, 4.0]];
        assert!((r_hat(values.view()) - 4.5_f64.sqrt()).abs() < 1e-15);
        let ranks = rank_normalised(ndarray::array![[7.0, 7.0], [-1.0, 9.0]].view());
        assert_eq!(ranks[(0, 0)], quantile((2.5 - 0.375) / 4.25));
        assert_eq!(ranks[(0, 0)], ranks[(0, 1)]);
        assert_eq!((ranks[(1, 0)], ranks[(1, 1)]), (quantile(0.625 / 4.25), quantile(3.625 / 4.25)));
        assert_eq!(split(ndarray::array![[1.0], [2.0], [3.0]].view()), ndarray::array![[1.0, 3.0]]);
    }

    #[test]
    fn values_and_thresholds_out_of_range_are_named() {
        let say = |values: &Array2<f64>| MixingTest::default().judge(values.view()).unwrap_err().to_string();
        assert!(say(&Array2::zeros((7, 2))).starts_with("values: expected 8 sweeps"));
        let mut bad = Array2::zeros((9, 2));
        bad[(3, 1)] = f64::NAN;
        assert!(say(&bad).starts_with("values at sweep 3, chain 1: expected a finite number"));
        let low = MixingTest { r_hat: 1.0, ..MixingTest::default() };
        assert!(low.check().is_err() && MixingTest { effective: f64::NAN, ..low }.check().is_err());
    }
}
