//! Decides statistical tests: thresholds, G-test, total variation, correction for many comparisons.

use crate::gamma::chi_square_survival;
use crate::math::sum;
use crate::normal::two_sided_quantile;

/// Significance of every statistical test.
pub const ALPHA: f64 = 1e-6;

/// Smallest expectation of a cell of the G-test.
pub const MIN_EXPECTATION: f64 = 25.0;

/// Gives z*(m) = Φ⁻¹(1 − α / 2m): the bound of m standardised means, Bonferroni.
pub fn z_star(comparisons: usize) -> f64 {
    two_sided_quantile(ALPHA / comparisons as f64)
}

/// Gives the arithmetic mean.
pub fn mean(x: &[f64]) -> f64 {
    sum(x.iter().copied()) / x.len() as f64
}

/// Gives the unbiased variance, Σ (x − mean)² / (n − 1).
pub fn variance(x: &[f64]) -> f64 {
    let centre = mean(x);
    sum(x.iter().map(|x| (x - centre) * (x - centre))) / (x.len() as f64 - 1.0)
}

/// Gives (mean − expected) / √(variance / n); 0 / 0, a constant that is right, counts as 0.
pub fn z_score(x: &[f64], expected: f64) -> f64 {
    let distance = mean(x) - expected;
    if distance == 0.0 { 0.0 } else { distance / (variance(x) / x.len() as f64).sqrt() }
}

/// Gives the total variation ½ Σ |p − q|.
///
/// # Panics
/// When the tables are not of one length.
pub fn tv(p: &[f64], q: &[f64]) -> f64 {
    assert_eq!(p.len(), q.len(), "tables of one length");
    0.5 * sum(p.iter().zip(q).map(|(p, q)| (p - q).abs()))
}

/// Gives the bound TV* of `draws` independent draws from `p`: floor + √(ln(1/α) / 2N).
///
/// E(TV) ≤ floor = ½ Σ √(p (1 − p) / N) by Jensen, and P(TV > E(TV) + t) ≤ e^(−2Nt²) by McDiarmid.
pub fn tv_star(p: &[f64], draws: usize) -> f64 {
    tv_floor(p, draws) + ((1.0 / ALPHA).ln() / (2.0 * draws as f64)).sqrt()
}

/// Gives the bound on the expected total variation of `draws` independent draws from `p`.
pub fn tv_floor(p: &[f64], draws: usize) -> f64 {
    0.5 * sum(p.iter().map(|p| (p * (1.0 - p).max(0.0) / draws as f64).sqrt()))
}

/// Holds the verdict of a G-test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GTest {
    /// G = 2 Σ O ln(O / E) over the pooled cells.
    pub statistic: f64,
    /// Number of pooled cells less one.
    pub degrees: usize,
    /// P(χ² > G).
    pub p_value: f64,
}

/// Tests counts against a table of probabilities.
///
/// Cells are pooled by expectation, smallest first, until every pool expects at least 25, which does not look at
/// the counts. A count in a cell of probability 0 is refuted outright, whatever its pool.
///
/// # Panics
/// When there are not as many counts as probabilities.
pub fn g_test(counts: &[u64], p: &[f64]) -> GTest {
    assert_eq!(counts.len(), p.len(), "one probability a count");
    let impossible = counts.iter().zip(p).any(|(&n, &p)| n > 0 && p == 0.0);
    let pools = pool(counts, p);
    let term =
        |&(seen, expected): &(f64, f64)| if seen > 0.0 { 2.0 * seen * (seen / expected).ln() } else { 0.0 };
    let statistic = if impossible { f64::INFINITY } else { sum(pools.iter().map(term)).max(0.0) };
    let degrees = pools.len().saturating_sub(1);
    // One pool is always met exactly, but for rounding.
    let p_value = if degrees == 0 && !impossible { 1.0 } else { chi_square_survival(degrees, statistic) };
    GTest { statistic, degrees, p_value }
}

/// Gives the pools (seen, expected); what is left at the end joins the last pool.
fn pool(counts: &[u64], p: &[f64]) -> Vec<(f64, f64)> {
    let draws = counts.iter().sum::<u64>() as f64;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let (mut pools, mut open) = (Vec::new(), (0.0, 0.0));
    for cell in order {
        open = (open.0 + counts[cell] as f64, open.1 + draws * p[cell]);
        if open.1 >= MIN_EXPECTATION {
            pools.push(std::mem::take(&mut open));
        }
    }
    match pools.last_mut() {
        Some(last) => *last = (last.0 + open.0, last.1 + open.1),
        None => pools.push(open),
    }
    pools
}

/// Gives Holm's adjusted p-values (1979): a test fails where its adjusted value is at most α.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let (mut out, mut highest) = (vec![0.0; p_values.len()], 0.0_f64);
    for (rank, &test) in order.iter().enumerate() {
        highest = highest.max(p_values[test] * (p_values.len() - rank) as f64).min(1.0);
        out[test] = highest;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, all_close, close};
    use crate::rng::Rng;
    use crate::sample::Table;

    #[test]
    fn z_star_as_listed() {
        for (m, z) in [(1, 4.89), (20, 5.45), (44, 5.59), (100, 5.73), (1000, 6.11), (10_000, 6.47)] {
            assert!((z_star(m) - z).abs() <= 0.005, "z*({m}) = {}", z_star(m));
        }
    }

    #[test]
    fn mean_variance_and_score_of_four_numbers() {
        let x = [1.0, 2.0, 3.0, 6.0];
        assert_eq!(mean(&x), 3.0);
        close(variance(&x), 14.0 / 3.0, TAU_0);
        close(z_score(&x, 2.0), 1.0 / (14.0_f64 / 12.0).sqrt(), TAU_0);
        assert_eq!((z_score(&[1.0; 3], 1.0), z_score(&[1.0; 3], 0.5)), (0.0, f64::INFINITY));
    }

    #[test]
    fn total_variation_of_two_coins() {
        close(tv(&[0.3, 0.7], &[0.5, 0.5]), 0.2, TAU_0);
        assert_eq!(tv(&[1.0, 0.0], &[0.0, 1.0]), 1.0);
    }

    #[test]
    fn tv_star_by_hand() {
        // N = 20,000: t = 0.0186; the floor of a fair coin is √(1 / 4N).
        close(tv_star(&[0.5, 0.5], 20_000), (1.0 / 80_000.0_f64).sqrt() + 0.018_585, 1e-6);
        assert_eq!(tv_floor(&[1.0, 0.0], 10), 0.0);
    }

    #[test]
    fn g_by_hand() {
        let got = g_test(&[60, 40], &[0.5, 0.5]);
        close(got.statistic, 2.0 * (60.0 * 1.2_f64.ln() + 40.0 * 0.8_f64.ln()), TAU_0);
        assert_eq!(got.degrees, 1);
        close(got.p_value, chi_square_survival(1, got.statistic), TAU_0);
    }

    #[test]
    fn small_cells_are_pooled_without_loss() {
        let (counts, p) = ([700, 10, 12, 8, 270, 0], [0.7, 0.01, 0.012, 0.008, 0.27, 0.0]);
        let pools = pool(&counts, &p);
        assert_eq!(pools.len(), 3);
        assert!(pools.iter().all(|pool| pool.1 >= MIN_EXPECTATION));
        close(pools.iter().map(|pool| pool.0).sum(), 1000.0, TAU_0);
        close(pools.iter().map(|pool| pool.1).sum(), 1000.0, TAU_0);
        assert_eq!(pool(&[3, 4], &[0.5, 0.5]), [(7.0, 7.0)]);
        assert_eq!(g_test(&[3, 4], &[0.5, 0.5]).p_value, 1.0);
    }

    #[test]
    fn an_impossible_count_is_refuted() {
        assert_eq!(g_test(&[99_999, 1], &[1.0, 0.0]).p_value, 0.0);
        assert_eq!(g_test(&[100_000, 0], &[1.0, 0.0]).p_value, 1.0);
    }

    /// Under the null the p-values are nearly uniform: in 2,000 tests the share below ½ has deviation 0.0112,
    /// and the share below 0.05 has deviation 0.0049. The slack is for G, which exceeds χ² by about 1 / 6E a cell.
    #[test]
    fn p_values_are_uniform_under_the_null() {
        let p: Vec<f64> = (1..=10).map(|n| f64::from(n) / 55.0).collect();
        let (table, mut rng) = (Table::new(&p), Rng::new(61));
        let values: Vec<f64> = (0..2000)
            .map(|_| {
                let mut counts = [0; 10];
                (0..2000).for_each(|_| counts[table.draw(&mut rng)] += 1);
                g_test(&counts, &p).p_value
            })
            .collect();
        let share = |below: f64| values.iter().filter(|&&p| p < below).count() as f64 / 2000.0;
        assert!((share(0.5) - 0.5).abs() < z_star(2) * 0.0112);
        assert!((share(0.05) - 0.05).abs() < z_star(2) * 0.0049);
    }

    #[test]
    fn holm_by_hand() {
        all_close(&holm(&[0.01, 0.04, 0.03, 0.005]), &[0.03, 0.06, 0.06, 0.02], TAU_0);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
