//! Derives every bound of the proofs from the f32 unit roundoff; none is tuned.

use harmonium_oracle::bits::{states, value};
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::wide;

/// The f32 unit roundoff, 2⁻²⁴.
pub(crate) const U: f64 = 1.0 / 16_777_216.0;
/// The bound of two f64 routes to one number, relative.
pub(crate) const TAU_0: f64 = 1e-12;

/// Bounds a unit's probability: converting and scaling the coupling sum S costs 2u|S|, adding the bias u|I|; the slope
/// of σ is at most ¼; σ itself errs by 2 ulp ≤ 2u, a threshold by 2⁻²⁴ = u.
pub(crate) fn tau_p(coupled: f64, total: f64) -> f64 {
    U * (coupled.abs() / 2.0 + total.abs() / 4.0 + 3.0)
}

/// Bounds one softplus: its slope is at most 1, so 2u|S| + u|I|; its own 2 ulp cost 2u(|I| + ln 2) ≤ u(2|I| + 4).
pub(crate) fn tau_softplus(coupled: f64, total: f64) -> f64 {
    U * (2.0 * coupled.abs() + 3.0 * total.abs() + 4.0)
}

/// Bounds what 16 bits lose: half a step, and a whole one at the end code 65,535, which stands for 1.
pub(crate) fn rounding(code: f64) -> f64 {
    if code * 65_536.0 >= 65_535.0 { 1.0 / 65_536.0 } else { 1.0 / 131_072.0 }
}

/// Gives (S, I) of every hidden unit.
pub(crate) fn hidden_terms(exact: &Exact, v: u64) -> Vec<(f64, f64)> {
    let totals = exact.hidden_activations(v).into_iter();
    totals.zip(&exact.hidden_bias).map(|(total, c)| (total - c, total)).collect()
}

/// Gives (S, I) of every visible unit.
pub(crate) fn visible_terms(exact: &Exact, h: u64) -> Vec<(f64, f64)> {
    let totals = exact.visible_activations(h).into_iter();
    totals.zip(&exact.visible_bias).map(|(total, b)| (total - b, total)).collect()
}

/// Bounds F(v), τ_F: the sum over the hidden units. The visible biases are added in f64.
pub(crate) fn tau_f(exact: &Exact, v: u64) -> f64 {
    hidden_terms(exact, v).into_iter().map(|(s, i)| tau_softplus(s, i)).sum()
}

/// Bounds F(v) of a row of any width.
pub(crate) fn tau_f_wide(exact: &Exact, v: &[bool]) -> f64 {
    let totals = wide::hidden_activations(exact, v).into_iter();
    totals.zip(&exact.hidden_bias).map(|(total, c)| tau_softplus(total - c, total)).sum()
}

/// Bounds ln Z: ln Σ e^x moves by at most the largest move of an x. The sum may run over either side.
pub(crate) fn tau_z(exact: &Exact) -> f64 {
    let side = |x: &Exact| (0..states(x.visible) as u64).map(|v| tau_f(x, v)).fold(0.0, f64::max);
    side(exact).max(side(&exact.transposed())) + TAU_0
}

/// Bounds what annealing costs the biases of a view: 1 − β, two products and a sum round, so each bias errs by at most
/// 3u(|(1 − β) a| + |β b|), and energies by the sum of that over all units.
pub(crate) fn tau_view(exact: &Exact, base: &[f64], beta: f64) -> f64 {
    let bases: f64 = base.iter().map(|a| ((1.0 - beta) * a).abs()).sum();
    let own: f64 = exact.visible_bias.iter().chain(&exact.hidden_bias).map(|b| (beta * b).abs()).sum();
    3.0 * U * (bases + own)
}

/// Gives the largest τ_p of a hidden unit in any state.
pub(crate) fn largest_tau_p(exact: &Exact) -> f64 {
    let terms = (0..states(exact.visible) as u64).flat_map(|v| hidden_terms(exact, v));
    terms.map(|(s, i)| tau_p(s, i)).fold(0.0, f64::max)
}

/// Bounds the statistics of one phase, τ_g / 2: 16 bits lose at most 2⁻¹⁶, the probability τ_p; the f32 mean that comes
/// out rounds by 2u of a number ≤ 1, which the 3u in τ_p cover, as a mean has no threshold.
pub(crate) fn tau_phase(exact: &Exact) -> f64 {
    1.0 / 65_536.0 + largest_tau_p(exact)
}

/// Bounds an entry of the gradient, τ_g: two phases.
pub(crate) fn tau_g(exact: &Exact) -> f64 {
    2.0 * tau_phase(exact)
}

/// Bounds the total variation of the hidden half-step, τ_T: the variation of a product is at most the sum over its
/// units.
pub(crate) fn tau_hidden_step(exact: &Exact) -> f64 {
    let total = |v| hidden_terms(exact, v).into_iter().map(|(s, i)| tau_p(s, i)).sum::<f64>();
    (0..states(exact.visible) as u64).map(total).fold(0.0, f64::max)
}

/// Bounds the total variation of a sweep: both half-steps.
pub(crate) fn tau_sweep(exact: &Exact) -> f64 {
    tau_hidden_step(exact) + tau_hidden_step(&exact.transposed())
}

/// Bounds an energy that is added in f64 from exact products: τ₀ of the sum of magnitudes.
pub(crate) fn tau_energy(exact: &Exact, v: u64, h: u64) -> f64 {
    let biases = (0..exact.visible).map(|i| (value(v, i) * exact.visible_bias[i]).abs()).sum::<f64>()
        + (0..exact.hidden).map(|j| (value(h, j) * exact.hidden_bias[j]).abs()).sum::<f64>();
    TAU_0 * (1.0 + biases + exact.weights.iter().map(|w| w.abs()).sum::<f64>())
}
