//! Proves that rows known in part are completed as their law demands: by enumeration, and by ranks.

mod common;

use common::units::{batch, draw, exact, machine, rows_of};
use common::{close, key};
use harmonium::rbm::{Clamped, Clamping, Classifier, Noise, Rbm};
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix};
use harmonium_oracle::layered::Side;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::z_star;
use ndarray::{Array2, Axis};

const OPTIONS: Clamping = Clamping { chains: 8, annealing: 10, warming: 20, sweeps: 50 };
/// Bound of χ² with 19 degrees of freedom at 10⁻⁶.
const CHI: f64 = 63.68;

/// Compares estimates of equal rows with exact means: z* of 100 comparisons standard errors of the rows' own scatter, and what
/// 16 bits lose.
fn agree(found: &Array2<f32>, expected: impl Fn(usize) -> f64, name: &str) {
    let n = found.nrows() as f64;
    for (f, column) in found.axis_iter(Axis(1)).enumerate() {
        let mean = column.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let square = column.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / (n - 1.0);
        close(mean, expected(f), z_star(100) * (square / n).sqrt() + 2.0 / 65_536.0, (name, f));
    }
}

/// Rows with gaps of every kind: means and deviations of what is missing are those of the enumeration, the rest stays.
#[test]
fn gaps_have_their_conditional_means() {
    let h = Units::Bernoulli(3);
    let one_hot = vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    for (units, row, missing) in [
        (Units::Bernoulli(5), vec![1.0, 0.0, 1.0, 0.0, 1.0], vec![1, 3]),
        (Units::Spin(4), vec![1.0, -1.0, 1.0, -1.0], vec![0, 3]),
        (Units::Categorical { units: 3, classes: 3 }, one_hot, vec![3, 4, 5]),
        (Units::Binomial { units: 3, trials: 3 }, vec![2.0, 0.0, 3.0], vec![2]),
    ] {
        let rbm = machine(&units, &h, 1.0, 21);
        let mask = BitMatrix::from_fn(60, row.len(), |_, f| missing.contains(&f));
        let data = batch(rbm.visible(), &vec![row.clone(); 60]).masked(mask);
        let law = exact(&rbm).law_of(Side::Visible).unwrap();
        let there = |v: &[f64]| (0..row.len()).all(|f| missing.contains(&f) || v[f] == row[f]);
        let listed: Vec<_> = law.states.iter().zip(law.p()).filter(|(s, _)| there(&s.features)).collect();
        let total: f64 = listed.iter().map(|(_, p)| p).sum();
        let mean = |f: usize, power: i32| {
            listed.iter().map(|(s, p)| p / total * s.features[f].powi(power)).sum::<f64>()
        };
        let found = rbm.inpaint(&data, &OPTIONS, key(22)).unwrap();
        agree(&found.mean, |f| mean(f, 1), &format!("{units}"));
        for &f in &missing {
            let deviation = (mean(f, 2) - mean(f, 1).powi(2)).sqrt();
            let own = f64::from(found.spread.column(f).mean().unwrap());
            // 480 independent chains: the deviation is known to 1 / √(2 · 480), of which 4.89 are 0.16; it is slightly low where p
            // scatters.
            close(own, deviation, 0.16 * deviation, (format!("spread of {units}"), f));
        }
        let rest = |f: &usize| !missing.contains(f);
        assert!((0..row.len()).filter(rest).all(|f| found.spread.column(f).iter().all(|&s| s == 0.0)));
    }
}

/// Ranks the truth among 19 draws of independent chains by Σ (f + 1) v_f, ties by a coin, and gives χ² of 20 bins.
fn ranks(clamped: &Clamped<'_>, rbm: &Rbm, truth: &[Vec<f64>], seed: u64) -> f64 {
    let options = Clamping { chains: 19, annealing: 10, warming: 40, sweeps: 1 };
    let draws = clamped.draws(&options, key(seed)).unwrap();
    let draws = rows_of(rbm.visible(), draws.states());
    let score = |v: &[f64]| v.iter().enumerate().map(|(f, x)| (f + 1) as f64 * x).sum::<f64>();
    // The coins of ties must not be the words that the truth was drawn with.
    let (mut rng, mut counts) = (Rng::new(seed + 1000), [0.0; 20]);
    for (row, own) in truth.iter().enumerate() {
        let own = score(own);
        let others: Vec<f64> = draws[19 * row..19 * (row + 1)].iter().map(|v| score(v)).collect();
        let below = others.iter().filter(|&&x| x < own).count();
        let equal = others.iter().filter(|&&x| x == own).count();
        counts[below + rng.below(equal + 1)] += 1.0;
    }
    let expected = truth.len() as f64 / 20.0;
    counts.iter().map(|n: &f64| (n - expected).powi(2) / expected).sum()
}

/// The truth ranks evenly among completions of its own gaps (simulation-based calibration; Talts and others 2018): 2,000 rows
/// drawn exactly, each with gaps of its own. With the gaps of another row it does not.
#[test]
fn the_truth_ranks_evenly_among_completions() {
    for (units, seed) in [
        (Units::Bernoulli(5), 31),
        (Units::Spin(5), 32),
        (Units::Categorical { units: 3, classes: 3 }, 33),
        (Units::Binomial { units: 3, trials: 3 }, 34),
    ] {
        let rbm = machine(&units, &Units::Bernoulli(3), 0.8, seed);
        let law = exact(&rbm).law_of(Side::Visible).unwrap();
        let mut rng = Rng::new(seed);
        let drawn = draw(&law.p(), 2_000, &mut rng);
        let truth: Vec<Vec<f64>> = drawn.iter().map(|&n| law.states[n].features.clone()).collect();
        let wide = if matches!(units, Units::Categorical { .. }) { 3 } else { 1 };
        let gone: Vec<bool> = (0..2_000 * 5).map(|_| rng.bernoulli(0.5)).collect();
        let mask = BitMatrix::from_fn(2_000, truth[0].len(), |r, f| gone[5 * r + f / wide]);
        let data = batch(rbm.visible(), &truth).masked(mask);
        let chi = ranks(&rbm.inpainting(&data).unwrap(), &rbm, &truth, seed);
        assert!(chi < CHI, "{units}: {chi}");
        if let Units::Bernoulli(n) = units {
            let all = BitMatrix::from_fn(2_000, n, |_, f| f < 4);
            let one = vec![vec![1.0; n]; 2_000];
            let other = batch(rbm.visible(), &one).masked(all);
            let chi = ranks(&rbm.inpainting(&other).unwrap(), &rbm, &truth, seed);
            assert!(chi > 2.0 * CHI, "the ranks of other rows are even: {chi}");
        }
    }
}

/// The same of noisy rows: with the rate of the noise the ranks are even, with another they are not.
#[test]
fn the_truth_ranks_evenly_among_denoised_rows() {
    for (units, seed) in [(Units::Bernoulli(5), 41), (Units::Spin(5), 42)] {
        let rbm = machine(&units, &Units::Bernoulli(3), 0.8, seed);
        let law = exact(&rbm).law_of(Side::Visible).unwrap();
        let mut rng = Rng::new(seed);
        let drawn = draw(&law.p(), 2_000, &mut rng);
        let truth: Vec<Vec<f64>> = drawn.iter().map(|&n| law.states[n].features.clone()).collect();
        let off = if matches!(units, Units::Spin(_)) { -1.0 } else { 0.0 };
        let mut flip = |x: f64| if rng.bernoulli(0.2) { 1.0 + off - x } else { x };
        let noisy: Vec<Vec<f64>> = truth.iter().map(|v| v.iter().map(|&x| flip(x)).collect()).collect();
        let noisy = batch(rbm.visible(), &noisy);
        let chi = |rate| ranks(&rbm.denoising(&noisy, Noise::Flips(rate)).unwrap(), &rbm, &truth, seed);
        assert!(chi(0.2) < CHI, "{units}: {}", chi(0.2));
        let reversed = ranks(&rbm.denoising(&noisy, Noise::Flips(0.8)).unwrap(), &rbm, &truth, seed);
        assert!(reversed > 2.0 * CHI, "{units}: noise turned round gives {reversed}");
    }
}

/// p(x | class, what is there) by enumeration of a machine of 4 bits and 3 classes; draws have the width of x.
#[test]
fn rows_of_a_class_are_completed() {
    let rbm = machine(&Units::Bernoulli(7), &Units::Bernoulli(3), 1.0, 51);
    let model = Classifier::from_rbm(rbm.clone(), 3).unwrap();
    let law = exact(&rbm).law_of(Side::Visible).unwrap();
    for class in 0..3 {
        let row = [1.0, 0.0, 0.0, 0.0];
        let gone = BitMatrix::from_fn(60, 4, |_, f| f > 0);
        let x = Batch::new(Array2::from_shape_fn((60, 4), |(_, f)| row[f]).view()).unwrap().masked(gone);
        let fits = |v: &[f64]| v[0] == 1.0 && (0..3).all(|c| (v[4 + c] == 1.0) == (c == class));
        let listed: Vec<_> = law.states.iter().zip(law.p()).filter(|(s, _)| fits(&s.features)).collect();
        let total: f64 = listed.iter().map(|(_, p)| p).sum();
        let mean = |f: usize| listed.iter().map(|(s, p)| p / total * s.features[f]).sum::<f64>();
        let found = model.complete_class(&x, &[class; 60], &OPTIONS, key(52)).unwrap();
        assert_eq!(found.mean.dim(), (60, 4));
        agree(&found.mean, mean, &format!("class {class}"));
        let draws = model.draw_class(&x, &[class; 60], &OPTIONS, key(53)).unwrap();
        assert_eq!((draws.rows(), draws.units()), (480, 4));
        agree(&draws.to_array(), mean, &format!("draws of class {class}"));
    }
    let x = Batch::new(Array2::zeros((1, 4)).view()).unwrap();
    let said =
        |classes: &[usize]| model.complete_class(&x, classes, &OPTIONS, key(1)).unwrap_err().to_string();
    assert_eq!(said(&[3]), "classes at row 0: expected a class below 3, got 3");
    assert_eq!(said(&[]), "classes: expected one for each of 1 rows, got 0");
}

/// Equal rows in different blocks are walked by chains of their own, and rows without gaps come back as they were.
#[test]
fn chains_of_different_blocks_differ() {
    let rbm = machine(&Units::Bernoulli(6), &Units::Bernoulli(3), 1.0, 61);
    let gone = BitMatrix::from_fn(300, 6, |r, _| r != 7);
    let data = batch(rbm.visible(), &vec![vec![1.0; 6]; 300]).masked(gone);
    let found = rbm.inpaint(&data, &OPTIONS, key(62)).unwrap();
    // Blocks hold 1,024 chains: 128 rows of 8.
    assert_ne!(found.mean.row(0), found.mean.row(128));
    assert!(found.mean.row(7).iter().all(|&x| x == 1.0) && found.spread.row(7).iter().all(|&x| x == 0.0));
    let whole = data.gather(7..8);
    assert_eq!(rbm.inpaint(&whole, &OPTIONS, key(62)).unwrap().mean, whole.to_array());
}
