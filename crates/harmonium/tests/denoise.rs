//! Proves that noise is taken off, fine pixels are found and codes are mixed as the machine demands: against enumeration.

mod common;

use common::units::{batch, exact, machine, rows_of};
use common::{close, key};
use harmonium::rbm::{Clamping, Coarse, Noise, Rbm};
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix};
use harmonium_oracle::layered::Side;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::z_star;
use ndarray::{Array2, Axis, array};

/// Rows of a case, each the same; their means are independent draws of the estimate.
const ROWS: usize = 60;
const OPTIONS: Clamping = Clamping { chains: 8, annealing: 10, warming: 20, sweeps: 50 };

/// Gives all rows and their p given what is known of them, whose ln p given the row is `log_p`.
fn posterior(rbm: &Rbm, log_p: impl Fn(&[f64]) -> f64) -> Vec<(Vec<f64>, f64)> {
    let law = exact(rbm).law_of(Side::Visible).unwrap();
    let states: Vec<Vec<f64>> = law.states.iter().map(|s| s.features.clone()).collect();
    let weights: Vec<f64> = law.p().iter().zip(&states).map(|(p, v)| p * log_p(v).exp()).collect();
    let total: f64 = weights.iter().sum();
    states.into_iter().zip(weights).map(|(v, w)| (v, w / total)).collect()
}

/// Compares estimates with exact means, feature by feature: z* of 100 comparisons standard errors, which the rows' own
/// scatter gives, and what 16 bits lose.
fn agree(found: &Array2<f32>, posterior: &[(Vec<f64>, f64)], name: &str) {
    let n = found.nrows() as f64;
    for (f, column) in found.axis_iter(Axis(1)).enumerate() {
        let expected: f64 = posterior.iter().map(|(v, p)| p * v[f]).sum();
        let mean = column.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let square = column.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / (n - 1.0);
        close(mean, expected, z_star(100) * (square / n).sqrt() + 2.0 / 65_536.0, (name, f));
    }
}

/// Counts the units that differ.
fn differing(units: &Units, a: &[f64], b: &[f64]) -> f64 {
    let features = a.iter().zip(b).filter(|(x, y)| x != y).count() as f64;
    if matches!(units, Units::Categorical { .. }) { features / 2.0 } else { features }
}

/// p(v | noisy) ∝ p(v) ε^differing (1 − ε)^same over all v, ε shared out among the other classes.
#[test]
fn denoised_bits_spins_and_classes_have_their_posterior_means() {
    let hidden = Units::Bernoulli(3);
    let classes = Units::Categorical { units: 3, classes: 3 };
    let one_hot = vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    for (units, seen, seed) in [
        (Units::Bernoulli(5), vec![1.0, 0.0, 1.0, 1.0, 0.0], 1),
        (Units::Spin(5), vec![1.0, -1.0, 1.0, 1.0, -1.0], 2),
        (classes, one_hot, 3),
    ] {
        let rbm = machine(&units, &hidden, 1.2, seed);
        let noisy = batch(rbm.visible(), &vec![seen.clone(); ROWS]);
        for rate in [0.05, 0.3] {
            let others =
                if let Units::Categorical { classes, .. } = units { classes as f64 - 1.0 } else { 1.0 };
            let log_p = |v: &[f64]| {
                let flips = differing(&units, v, &seen);
                flips * (f64::from(rate) / others / (1.0 - f64::from(rate))).ln()
            };
            let expected = posterior(&rbm, log_p);
            let found = rbm.denoise(&noisy, Noise::Flips(rate), &OPTIONS, key(seed)).unwrap();
            agree(&found.mean, &expected, &format!("{units} at {rate}"));
            // p(v | noisy) is not p(v): without the noise model nothing would be close.
            let prior = posterior(&rbm, |_| 0.0);
            let off = |law: &[(Vec<f64>, f64)]| law.iter().map(|(v, p)| p * v[0]).sum::<f64>();
            assert!((off(&prior) - off(&expected)).abs() > 0.05, "{units}: the noise decides something");
        }
    }
}

/// Draws follow the posterior too, and a bit that is missing gets nothing from the noise.
#[test]
fn draws_and_gaps_of_noisy_rows_follow_the_posterior() {
    let rbm = machine(&Units::Bernoulli(4), &Units::Bernoulli(3), 1.5, 4);
    let seen = vec![1.0, 0.0, 0.0, 1.0];
    let mask = BitMatrix::from_fn(ROWS, 4, |_, f| f == 2);
    let noisy = batch(rbm.visible(), &vec![seen.clone(); ROWS]).masked(mask);
    let odds = (0.2_f64 / 0.8).ln();
    let expected =
        posterior(&rbm, |v| [0, 1, 3].iter().map(|&f| if v[f] == seen[f] { 0.0 } else { odds }).sum());
    let clamped = rbm.denoising(&noisy, Noise::Flips(0.2)).unwrap();
    let mut done = Vec::new();
    let found = clamped.marginals(&OPTIONS, key(5), &mut |rows| done.push(rows)).unwrap();
    assert_eq!(done, [ROWS]);
    agree(&found.mean, &expected, "with a gap");
    let many = Clamping { chains: 100, sweeps: 1, warming: 30, ..OPTIONS };
    let draws = clamped.draws(&many, key(6)).unwrap();
    assert_eq!(draws.rows(), 100 * ROWS);
    let rows = draws.to_array();
    agree(&rows, &expected, "draws");
}

/// Normal noise on real units: p(v | noisy) by fine sums over a grid of v, two units, standardised by the machine or not.
#[test]
fn denoised_reals_have_their_posterior_means_and_deviations() {
    let mut rbm = machine(&Units::Diagonal(2), &Units::Bernoulli(3), 0.9, 6);
    let scaling = harmonium::units::Scaling::new(vec![2.0, -1.0], vec![3.0, 0.5], 2).unwrap();
    for scaled in [false, true] {
        let (mean, deviation) = if scaled { ([2.0, -1.0], [3.0, 0.5]) } else { ([0.0; 2], [1.0; 2]) };
        rbm.set_scaling(scaled.then(|| scaling.clone())).unwrap();
        let own = |x: f64, f: usize| mean[f] + deviation[f] * x;
        let (seen, noise) = ([own(0.7, 0), own(-0.4, 1)], 0.8);
        let law = exact(&rbm);
        let (mut total, mut first, mut second) = (0.0, [0.0; 2], [0.0; 2]);
        let grid = || (-400..=400).map(|n| f64::from(n) * 0.025);
        for x in grid() {
            for y in grid() {
                let v = [own(x, 0), own(y, 1)];
                let off: f64 = v.iter().zip(seen).map(|(v, s)| ((v - s) / noise).powi(2) / 2.0).sum();
                let weight = (-law.free_energy(&[x, y]) - off).exp();
                total += weight;
                (0..2).for_each(|f| first[f] += weight * v[f]);
                (0..2).for_each(|f| second[f] += weight * v[f] * v[f]);
            }
        }
        let noisy = Array2::from_shape_fn((400, 2), |(_, f)| seen[f] as f32);
        let noisy = Batch::reals(noisy).unwrap();
        let found = rbm.denoise(&noisy, Noise::Normal(noise as f32), &OPTIONS, key(7)).unwrap();
        for f in 0..2 {
            let expected = first[f] / total;
            let deviation = (second[f] / total - expected * expected).sqrt();
            // 400 rows of 8 chains and 50 sweeps are 3,200 independent chains at least: 6 / √3,200 deviations are z* of them.
            let bound = 0.11 * deviation;
            close(f64::from(found.mean.column(f).mean().unwrap()), expected, bound, ("mean", scaled, f));
            close(f64::from(found.spread.column(f).mean().unwrap()), deviation, bound, ("spread", scaled, f));
        }
    }
}

/// Of two real units the second is missing: only the first is known through normal noise, and the second keeps the spread that
/// its partner leaves it. Bounds as above.
#[test]
fn gaps_of_blurred_reals_get_nothing_from_the_noise() {
    let rbm = machine(&Units::Diagonal(2), &Units::Bernoulli(3), 0.9, 16);
    let law = exact(&rbm);
    let (seen, noise) = (0.7, 0.5);
    let (mut total, mut first, mut second) = (0.0, [0.0; 2], [0.0; 2]);
    let grid = || (-400..=400).map(|n| f64::from(n) * 0.025);
    for x in grid() {
        for y in grid() {
            let weight = (-law.free_energy(&[x, y]) - ((x - seen) / noise).powi(2) / 2.0).exp();
            total += weight;
            [x, y].iter().enumerate().for_each(|(f, v)| first[f] += weight * v);
            [x, y].iter().enumerate().for_each(|(f, v)| second[f] += weight * v * v);
        }
    }
    let noisy = Array2::from_shape_fn((400, 2), |(_, f)| if f == 0 { seen as f32 } else { f32::NAN });
    let noisy = Batch::with_missing(noisy.view(), &Units::Diagonal(2)).unwrap();
    let found = rbm.denoise(&noisy, Noise::Normal(noise as f32), &OPTIONS, key(17)).unwrap();
    for f in 0..2 {
        let expected = first[f] / total;
        let deviation = (second[f] / total - expected * expected).sqrt();
        close(f64::from(found.mean.column(f).mean().unwrap()), expected, 0.11 * deviation, ("mean", f));
        close(f64::from(found.spread.column(f).mean().unwrap()), deviation, 0.11 * deviation, ("spread", f));
    }
}

/// The rate of flips is found from rows of the machine itself: h is a fair coin, and each of 12 bits follows it with σ(2). At
/// 4,800 bits the rate of bits that do not is known to 0.0066, the rate of flips to 0.0066 / (1 − 2 σ(−2)) = 0.0087, of which
/// 4.89 are 0.043; twelve rounds leave about a hundredth besides.
#[test]
fn the_rate_of_flips_is_found() {
    let weights = Array2::from_elem((12, 1), 4.0);
    let visible = Units::Bernoulli(12).layer(vec![-2.0; 12]);
    let rbm = Rbm::from_layers(weights, visible, Units::Bernoulli(1).layer(vec![-24.0])).unwrap();
    let mut rng = Rng::new(8);
    for rate in [0.08, 0.25] {
        let mut bit = |on: bool| on != (rng.bernoulli(1.0 / (1.0 + 2.0_f64.exp())) != rng.bernoulli(rate));
        let rows: Vec<Vec<f64>> =
            (0..400).map(|row| (0..12).map(|_| f64::from(u8::from(bit(row % 2 == 0)))).collect()).collect();
        let options = Clamping { annealing: 60, ..OPTIONS };
        let mut shares = Vec::new();
        let found = rbm
            .flip_rate(&batch(rbm.visible(), &rows), &options, key(9), &mut |share| shares.push(share))
            .unwrap();
        close(f64::from(found), rate, 0.055, rate);
        assert!(shares.is_sorted() && shares.first() > Some(&0.0) && shares.last() == Some(&1.0));
    }
}

/// p(v | sums of blocks) by enumeration: 2 × 4 pixels in blocks of 2 × 2, exact sums and majorities.
#[test]
fn fine_pixels_follow_their_law_given_coarse_ones() {
    let rbm = machine(&Units::Bernoulli(8), &Units::Bernoulli(3), 1.2, 10);
    let coarse = Coarse::new(2, 4, 2).unwrap();
    let block = |v: &[f64], b: usize| [0, 1, 4, 5].iter().map(|f| v[f + 2 * b]).sum::<f64>();
    for (least, most) in [([1, 2], [1, 2]), ([3, 0], [4, 4]), ([0, 3], [0, 4])] {
        let within = |b: usize, sum: f64| f64::from(least[b]) <= sum && sum <= f64::from(most[b]);
        let allowed = |v: &[f64]| (0..2).all(|b| within(b, block(v, b)));
        let expected = posterior(&rbm, |v| if allowed(v) { 0.0 } else { f64::NEG_INFINITY });
        let rows = |x: [u16; 2]| Array2::from_shape_fn((ROWS, 2), |(_, b)| x[b]);
        let clamped = rbm.refining(&coarse, rows(least).view(), rows(most).view()).unwrap();
        let found = clamped.marginals(&OPTIONS, key(11), &mut |_| ()).unwrap();
        agree(&found.mean, &expected, &format!("{least:?} to {most:?}"));
        let draws = clamped.draws(&OPTIONS, key(12)).unwrap();
        for v in rows_of(rbm.visible(), draws.states()) {
            assert!(allowed(&v), "{v:?} is not within {least:?} to {most:?}");
        }
        agree(&draws.to_array(), &expected, "draws");
        assert!(coarse.sums(&draws).unwrap().rows().into_iter().all(|s| (0..2).all(|b| least[b] <= s[b])));
    }
}

/// Four bits without couplings whose odds lie up to 1,600 nats apart, two of them on: the first, and the second or the fourth,
/// whose odds differ by one nat. Products of such odds leave the range of f64.
#[test]
fn odds_of_any_size_are_kept_apart() {
    let bias = [800.0_f32, 300.0, -800.0, 299.0];
    let visible = Units::Bernoulli(4).layer(bias.to_vec());
    let rbm = Rbm::from_layers(Array2::zeros((4, 1)), visible, Units::Bernoulli(1).layer(vec![0.0])).unwrap();
    let coarse = Coarse::new(2, 2, 2).unwrap();
    let sums = Array2::from_elem((ROWS, 1), 2);
    let found = rbm.refine(&coarse, sums.view(), &OPTIONS, key(18)).unwrap();
    let p = 1.0 / (1.0 + (-1.0_f64).exp());
    for row in found.mean.rows() {
        for (&mean, expected) in row.iter().zip([1.0, p, 0.0, 1.0 - p]) {
            close(f64::from(mean), expected, 2.0 / 65_536.0, "pairs");
        }
    }
}

/// Between two rows lie means of visible units given mixed codes; at both ends those given the rows' own codes.
#[test]
fn codes_are_mixed_evenly() {
    let rbm = machine(&Units::Bernoulli(4), &Units::Bernoulli(3), 1.0, 13);
    let [a, b] = [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 1.0]];
    let one = |x: [f32; 4]| Batch::new(Array2::from_shape_vec((1, 4), x.to_vec()).unwrap().view()).unwrap();
    let found = rbm.interpolate(&one(a), &one(b), 3).unwrap();
    let law = exact(&rbm);
    let codes = |x: [f32; 4]| law.hidden.mean(&law.hidden_input(&x.map(f64::from)));
    let (first, last) = (codes(a), codes(b));
    for (step, t) in [0.0, 0.5, 1.0].into_iter().enumerate() {
        let mixed: Vec<f64> = first.iter().zip(&last).map(|(x, y)| (1.0 - t) * x + t * y).collect();
        let expected = law.visible.mean(&law.visible_input(&mixed));
        // Codes lose at most 2⁻¹⁶ each, which weights below 4 carry on at slope ¼; means lose as much again.
        expected
            .iter()
            .enumerate()
            .for_each(|(f, &e)| close(f64::from(found[(step, f)]), e, 6e-5, (step, f)));
    }
    assert!(rbm.interpolate(&one(a), &one(b), 1).is_err());
}

/// One seed gives the same bits on one thread and on eight; another seed gives others.
#[test]
fn threads_change_no_bit() {
    let rbm = machine(&Units::Bernoulli(30), &Units::Bernoulli(20), 0.5, 14);
    let noisy = Batch::from_bits(common::coins(150, 30, 15)).unwrap();
    let coarse = Coarse::new(5, 6, 1).unwrap();
    let run = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let denoised = rbm.denoise(&noisy, Noise::Flips(0.1), &OPTIONS, key(seed)).unwrap();
            let sums = coarse.sums(&noisy).unwrap();
            let refined = rbm.refine(&coarse, sums.view(), &OPTIONS, key(seed)).unwrap();
            // A block of one pixel is the pixel, up to what 16 bits say of certainty.
            let off = (&refined.mean - &noisy.to_array()).mapv(f32::abs);
            assert!(off.iter().all(|&x| x <= 1.0 / 65_536.0));
            denoised
        })
    };
    assert_eq!(run(1, 1), run(8, 1));
    assert_ne!(run(1, 1), run(1, 2));
}

#[test]
fn what_cannot_be_is_refused() {
    let bits = machine(&Units::Bernoulli(4), &Units::Bernoulli(2), 0.5, 16);
    let reals = machine(&Units::Gaussian(4), &Units::Bernoulli(2), 0.5, 17);
    let row = Batch::new(array![[1.0, 0.0, 1.0, 0.0]].view()).unwrap();
    let values = Batch::reals(array![[1.0, 0.0, 1.0, 0.0]]).unwrap();
    let said = |result: Result<harmonium::rbm::Imputed, harmonium::Error>| result.unwrap_err().to_string();
    let o = Clamping::default();
    for rate in [0.0, 1.0, -0.1, f32::NAN] {
        let text = said(bits.denoise(&row, Noise::Flips(rate), &o, key(1)));
        assert_eq!(text, format!("flips: expected a rate between 0 and 1, got {rate}"));
    }
    for deviation in [0.0, -1.0, f32::INFINITY, f32::NAN] {
        let text = said(reals.denoise(&values, Noise::Normal(deviation), &o, key(1)));
        assert_eq!(text, format!("noise: expected a deviation above 0, got {deviation}"));
    }
    assert!(said(bits.denoise(&row, Noise::Normal(1.0), &o, key(1))).contains("flips, not normal noise"));
    assert!(said(reals.denoise(&values, Noise::Flips(0.1), &o, key(1))).contains("none of flips"));
    assert!(said(bits.denoise(&values, Noise::Flips(0.1), &o, key(1))).contains("data: expected"));
    let none = Clamping { chains: 0, ..o };
    assert_eq!(
        said(bits.denoise(&row, Noise::Flips(0.1), &none, key(1))),
        "chains: expected 1 to 10000, got 0"
    );
    let none = Clamping { sweeps: 0, ..o };
    assert_eq!(said(bits.inpaint(&row, &none, key(1))), "sweeps: expected 1 or more, got 0");
    let coarse = Coarse::new(2, 2, 2).unwrap();
    let text = said(bits.refine(&coarse, array![[5]].view(), &o, key(1)));
    assert_eq!(text, "sums of blocks at row 0, block 0: expected least ≤ most, and at most 4, got 5 to 5");
    assert!(said(bits.refine(&coarse, array![[1, 2]].view(), &o, key(1))).contains("rows of 1 blocks"));
    assert!(
        said(reals.refine(&coarse, array![[1]].view(), &o, key(1))).contains("visible units: expected bits")
    );
    assert!(
        Coarse::new(3, 4, 2).is_err() && Coarse::new(4, 4, 0).is_err() && Coarse::new(18, 18, 9).is_err()
    );
}
