//! Differentiates −ln p(y | x) exactly: no chains and no ln Z (Larochelle & Bengio 2008, eq. 4).
//!
//! With r_k = p(k | x) − [k = y] and σ_jk = p(h_j | x, k), the gradient of a row is Σ_k r_k x_i σ_jk for W, r_k σ_jk for U,
//! Σ_k r_k σ_jk for c and r_k for d; b has none. The σ are 16-bit fixed point, as all means of hidden units are: since they
//! are multiplied with r, an entry errs by 2^-17 Σ_k |r_k| at most, which goes to 0 as the row is learnt.

use harmonium_core::units::{Means, Unit};
use harmonium_kernels::{BitMatrix, parallel};

use super::{Classifier, labels};

/// One unit of a 16-bit mean.
const CODE: f64 = 1.0 / 65_536.0;
/// Rows whose means are held at a time, 2 bytes a hidden unit and class.
const BLOCK: usize = 256;
/// Lines of W that one task adds up, and rows of one task.
const TASK: usize = 16;

/// Holds sums over rows, in f64: W over U, b before d, and c.
pub(super) type Blocks = [Vec<f64>; 3];

/// Adds up the gradients of −w ln p(y | x) over rows; a row is `(y, w)`. `scores` are those of the rows.
pub(super) fn sum(model: &Classifier, bits: &BitMatrix, scores: &[f64], rows: &[(usize, f64)]) -> Blocks {
    let (visible, hidden, k) = (model.rbm.visible_units(), model.rbm.hidden_units(), model.classes);
    let mut out = [vec![0.0; visible * hidden], vec![0.0; visible], vec![0.0; hidden]];
    for (at, part) in rows.chunks(BLOCK).enumerate() {
        let place = at * BLOCK..at * BLOCK + part.len();
        let residuals = residuals(&scores[place.start * k..place.end * k], part, k);
        add(model, &bits.gather(place), &residuals, &mut out);
    }
    out
}

/// Computes w (p(k | x) − [k = y]) of each row and class.
fn residuals(scores: &[f64], rows: &[(usize, f64)], classes: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(scores.len());
    for (scores, &(label, weight)) in scores.chunks_exact(classes).zip(rows) {
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let odds: Vec<f64> = scores.iter().map(|score| libm::exp(score - most)).collect();
        let total: f64 = odds.iter().sum();
        // 1 − p(y | x) as the sum of the others, which has all its digits where p(y | x) is nearly 1.
        let rest: f64 =
            odds.iter().enumerate().filter(|&(class, _)| class != label).map(|(_, odds)| odds).sum();
        out.extend(
            odds.iter()
                .enumerate()
                .map(|(class, odds)| weight * if class == label { -rest } else { *odds } / total),
        );
    }
    out
}

fn add(model: &Classifier, bits: &BitMatrix, residuals: &[f64], [dw, db, dc]: &mut Blocks) {
    let (units, hidden, classes) = (model.units(), model.rbm.hidden_units(), model.classes);
    let sums = model.sums(bits);
    let means: Vec<Vec<u16>> = (0..classes).map(|class| codes(model, &sums.input(class))).collect();
    let pulls = pulls(&means, residuals, hidden);
    let blank = labels::blank(bits, units, classes).transposed();
    let lines = parallel::map(units.div_ceil(TASK), |task| {
        let lines = task * TASK..units.min((task + 1) * TASK);
        lines.flat_map(|unit| line(&blank, unit, &pulls, hidden)).collect::<Vec<f64>>()
    });
    accumulate(&mut dw[..units * hidden], &lines.concat());
    let labels = parallel::map(classes, |class| of_class(&means[class], residuals, (class, classes), hidden));
    accumulate(&mut dw[units * hidden..], &labels.concat());
    for residuals in residuals.chunks_exact(classes) {
        accumulate(&mut db[units..], residuals);
    }
    for pulls in pulls.chunks_exact(hidden) {
        dc.iter_mut().zip(pulls).for_each(|(sum, &pull)| *sum += f64::from(pull));
    }
}

fn codes(model: &Classifier, input: &harmonium_core::units::Input<'_>) -> Vec<u16> {
    let Means::Codes(codes) = model.rbm.hidden.mean(input) else { panic!("means of bits are codes") };
    codes
}

/// Computes Σ_k r_k σ_jk of each row: `(n, hidden)`.
fn pulls(means: &[Vec<u16>], residuals: &[f64], hidden: usize) -> Vec<f32> {
    let rows = residuals.len() / means.len();
    let of_row = |row: usize| {
        let mut out = vec![0.0; hidden];
        for (means, r) in means.iter().zip(&residuals[row * means.len()..]) {
            let means = &means[row * hidden..][..hidden];
            out.iter_mut().zip(means).for_each(|(out, &mean)| *out += r * f64::from(mean));
        }
        out.into_iter().map(|sum: f64| (sum * CODE) as f32)
    };
    let tasks = parallel::map(rows.div_ceil(TASK), |task| {
        (task * TASK..rows.min((task + 1) * TASK)).flat_map(of_row).collect::<Vec<f32>>()
    });
    tasks.concat()
}

/// Adds the pulls of the rows in which a unit is on.
fn line(transposed: &BitMatrix, unit: usize, pulls: &[f32], hidden: usize) -> Vec<f64> {
    let mut out = vec![0.0; hidden];
    transposed.for_each_one(unit, |row| {
        let pulls = &pulls[row * hidden..][..hidden];
        out.iter_mut().zip(pulls).for_each(|(sum, &pull)| *sum += f64::from(pull));
    });
    out
}

/// Adds r_k σ_jk of one class over the rows.
fn of_class(means: &[u16], residuals: &[f64], (class, classes): (usize, usize), hidden: usize) -> Vec<f64> {
    let mut out = vec![0.0; hidden];
    for (means, residuals) in means.chunks_exact(hidden).zip(residuals.chunks_exact(classes)) {
        let r = mutant!("B92", residuals[class], 1.0) * CODE;
        out.iter_mut().zip(means).for_each(|(sum, &mean)| *sum += r * f64::from(mean));
    }
    out
}

fn accumulate(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
