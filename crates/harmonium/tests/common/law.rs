//! Describes what the oracle expects of many rows: means and deviations of their statistics.

use harmonium_oracle::bits::value;
use harmonium_oracle::gradient::statistics;
use harmonium_oracle::rbm::Rbm as Exact;

/// Gives v p(h | v), v and p(h | v) of one state: W, b, c one after the other.
pub(crate) fn entries(exact: &Exact, v: u64) -> Vec<f64> {
    let p = exact.hidden_probabilities(v);
    let on: Vec<f64> = (0..exact.visible).map(|i| value(v, i)).collect();
    let pairs = on.iter().flat_map(|v| p.iter().map(move |p| v * p)).collect::<Vec<_>>();
    [pairs, on, p].concat()
}

/// Gives the deviation of every statistic of one row whose state follows `law`.
pub(crate) fn deviations(exact: &Exact, law: &[f64]) -> Vec<f64> {
    let mut squares = vec![0.0; exact.parameters()];
    for (v, p) in law.iter().enumerate() {
        let x = entries(exact, v as u64);
        squares.iter_mut().zip(x).for_each(|(sum, x)| *sum += p * x * x);
    }
    let means = statistics(exact, law).entries();
    squares.iter().zip(means).map(|(square, mean)| (square - mean * mean).max(0.0).sqrt()).collect()
}

/// Rounds a law to multiplicities of at least `rows` rows in all, and gives the rows.
pub(crate) fn multiples(law: &[f64], rows: f64) -> Vec<u64> {
    let times = |(v, p): (usize, &f64)| std::iter::repeat_n(v as u64, (p * rows).round() as usize);
    law.iter().enumerate().flat_map(times).collect()
}
