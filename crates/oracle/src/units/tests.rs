//! Tests every kind of unit by two routes to each number: closed forms and lists of states.

use super::*;
use crate::check::{DIFFERENCE, TAU_0, all_close, close};
use crate::math::{log_sum_exp, sum};
use crate::rng::Rng;

/// Gives all kinds.
pub(crate) const KINDS: [Kind; 10] = [
    Kind::Bernoulli,
    Kind::Spin,
    Kind::Categorical(3),
    Kind::Categorical(2),
    Kind::Gaussian,
    Kind::Relu,
    Kind::Drelu,
    Kind::Binomial(1),
    Kind::Binomial(4),
    Kind::Poisson,
];

/// Gives units with random parameters and inputs of every size that a model of scale 3 gives; at 5 a count is 150.
fn cases() -> Vec<(Unit, Vec<f64>)> {
    let (mut rng, mut out) = (Rng::new(501), Vec::new());
    for kind in KINDS {
        for scale in [0.0, 0.1, 1.0, 1.5] {
            for size in [-30.0, -5.0, -1.0, 0.0, 1.0, 3.0, 12.0] {
                let layer = Layer::normal(kind, 1, scale, &mut rng);
                let size = if kind == Kind::Poisson { f64::min(size, 3.0) } else { size };
                out.push((layer.unit(0), (0..kind.features()).map(|_| size + rng.normal()).collect()));
            }
        }
    }
    out
}

/// Gives the list of a unit at an input, with ln(m e^(I·x − U)) in place of ln m.
fn law(unit: &Unit, input: &[f64]) -> Vec<State> {
    let mut states = unit.states(input, input).unwrap();
    for state in &mut states {
        let coupling: f64 = state.features.iter().zip(input).map(|(x, i)| x * i).sum();
        state.log_weight += coupling - unit.energy(&state.features);
    }
    states
}

/// Gives E f(x) by the list.
fn mean_of(unit: &Unit, input: &[f64], f: impl Fn(&[f64]) -> f64) -> f64 {
    let states = law(unit, input);
    let log_z = log_sum_exp(&states.iter().map(|state| state.log_weight).collect::<Vec<_>>());
    sum(states.iter().map(|state| (state.log_weight - log_z).exp() * f(&state.features)))
}

#[test]
fn generating_functions_are_sums_over_states() {
    for (unit, input) in cases() {
        let logs: Vec<f64> = law(&unit, &input).iter().map(|state| state.log_weight).collect();
        close(unit.cgf(&input), log_sum_exp(&logs), TAU_0);
    }
}

#[test]
fn means_and_covariances_are_those_of_the_states() {
    for (unit, input) in cases() {
        let (mean, f) = (unit.mean(&input), input.len());
        for c in 0..f {
            close(mean[c], mean_of(&unit, &input, |x| x[c]), TAU_0);
            for d in 0..f {
                let product = mean_of(&unit, &input, |x| (x[c] - mean[c]) * (x[d] - mean[d]));
                close(unit.covariance(&input)[c * f + d], product, TAU_0);
            }
        }
        let diagonal: Vec<f64> = (0..f).map(|c| unit.covariance(&input)[c * (f + 1)]).collect();
        assert_eq!(unit.variance(&input), diagonal);
    }
}

#[test]
fn mean_gradients_of_the_energy_are_those_of_the_states() {
    for (unit, input) in cases() {
        let got = unit.mean_energy_gradient(&input);
        for (n, got) in got.iter().enumerate() {
            close(*got, mean_of(&unit, &input, |x| unit.energy_gradient(x)[n]), TAU_0);
        }
    }
}

/// Five-point differences of step 1e-3: truncation 1e-12 κ₅ / 30, rounding 1e-16 |Γ| / 1e-3.
fn slope(f: impl Fn(f64) -> f64) -> f64 {
    let h = 1e-3;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

#[test]
fn derivatives_of_the_generating_function_are_cumulants() {
    for (unit, input) in cases() {
        let f = input.len();
        for c in 0..f {
            let moved = |shift: f64| {
                let mut input = input.clone();
                input[c] += shift;
                input
            };
            close(unit.mean(&input)[c], slope(|h| unit.cgf(&moved(h))), DIFFERENCE);
            let row: Vec<f64> = (0..f).map(|d| slope(|h| unit.mean(&moved(h))[d])).collect();
            all_close(&unit.covariance(&input)[c * f..][..f], &row, DIFFERENCE);
        }
    }
}

/// ∂Γ/∂θ = −E ∂U/∂θ, and ∂U/∂θ by differences at a state of either sign, for every block of every kind.
#[test]
fn gradients_of_the_energy_are_differences() {
    let mut rng = Rng::new(502);
    for kind in KINDS {
        let layer = Layer::normal(kind, 3, 0.7, &mut rng);
        let input: Vec<f64> = (0..layer.width()).map(|_| rng.normal()).collect();
        let states = layer.states(&input, &input);
        let x = states.map_or(vec![-1.25, 0.5, 2.0], |states| states[states.len() / 3].features.clone());
        for (block, parameters) in layer.parameters.iter().enumerate() {
            for n in 0..parameters.len() {
                let moved = |shift: f64| {
                    let mut layer = layer.clone();
                    layer.parameters[block][n] += shift;
                    layer
                };
                close(layer.energy_gradient(&x)[block][n], slope(|h| moved(h).energy(&x)), DIFFERENCE);
                let mean = layer.mean_energy_gradient(&input)[block][n];
                close(mean, -slope(|h| moved(h).cgf(&input)), DIFFERENCE);
            }
        }
    }
}

/// The cumulative distribution at a state is the weight of the states up to it; between nodes, that of fine panels.
#[test]
fn cumulative_distributions_add_up() {
    for (unit, input) in cases() {
        let discrete = !matches!(unit, Unit::Gaussian { .. } | Unit::Relu { .. } | Unit::Drelu { .. });
        if discrete {
            let (mut total, log_z) = (0.0, unit.cgf(&input));
            for (n, state) in law(&unit, &input).iter().enumerate() {
                total += (state.log_weight - log_z).exp();
                let x = if input.len() > 1 { n as f64 } else { state.features[0] };
                close(unit.cdf(&input, x), total, TAU_0);
                close(unit.cdf(&input, x + 0.5), total, TAU_0);
            }
            continue;
        }
        let (mean, deviation) = (unit.mean(&input)[0], unit.variance(&input)[0].sqrt());
        for x in [mean - deviation, mean, mean + 2.0 * deviation, -0.1, 0.1] {
            let density = |x: f64| (input[0] * x - unit.energy(&[x]) - unit.cgf(&input)).exp();
            let low = if matches!(unit, Unit::Relu { .. }) { 0.0 } else { f64::NEG_INFINITY };
            close(unit.cdf(&input, x), integral(&unit, &input, low, x, density), TAU_0);
        }
    }
}

/// Integrates a density up to `x` by panels that end at 0 and at `x`, where it is not smooth.
fn integral(unit: &Unit, input: &[f64], low: f64, x: f64, density: impl Fn(f64) -> f64) -> f64 {
    let nodes = unit.states(input, input).unwrap();
    let bottom = nodes.iter().map(|state| state.features[0]).fold(f64::INFINITY, f64::min);
    let top = nodes.iter().map(|state| state.features[0]).fold(f64::NEG_INFINITY, f64::max);
    // A cumulative distribution misses no more than the outer gaps of the list, which are below 1e-16.
    let bottom = (bottom - 0.1 * (top - bottom)).max(low);
    let part = |from: f64, to: f64| {
        if from >= to {
            return 0.0;
        }
        sum(crate::quadrature::panels(from, to, (to - from) / 200.0).iter().map(|(x, w)| w * density(*x)))
    };
    part(bottom, x.min(0.0)) + part(bottom.max(0.0), x)
}

#[test]
fn tempered_and_annealed_layers_mix_energies_and_keep_the_measure() {
    let mut rng = Rng::new(503);
    for kind in KINDS {
        let (layer, base) = (Layer::normal(kind, 2, 1.0, &mut rng), Layer::normal(kind, 2, 1.0, &mut rng));
        let zeros = vec![0.0; layer.width()];
        let states = layer.states(&zeros, &zeros).unwrap();
        for beta in [0.0, 0.3, 1.0, 2.0] {
            for state in states.iter().step_by(states.len().div_ceil(40)) {
                let x = &state.features;
                let (here, there) = (layer.energy(x), base.energy(x));
                // A curvature of (1 − 2) · base + 2 · own may be negative: annealing ends at 1.
                if beta <= 1.0 {
                    let mixed = layer.annealed(&base, beta);
                    close(mixed.energy(x), (1.0 - beta) * there + beta * here, TAU_0);
                    assert_eq!(mixed.log_measure(x), layer.log_measure(x));
                }
                if beta > 0.0 {
                    close(layer.tempered(beta).energy(x), beta * here, TAU_0);
                    assert_eq!(layer.tempered(beta).log_measure(x), layer.log_measure(x));
                }
            }
        }
    }
}

/// Γ by hand at b = 0 or ln 2, where it is a logarithm of a small number.
#[test]
fn closed_forms_in_numbers() {
    let ln2 = 2.0_f64.ln();
    let cgf = |kind, bias: &[f64]| Layer::with_bias(kind, bias).cgf(&vec![0.0; bias.len()]);
    close(cgf(Kind::Bernoulli, &[ln2]), 3.0_f64.ln(), TAU_0);
    close(cgf(Kind::Spin, &[ln2]), 2.5_f64.ln(), TAU_0);
    close(cgf(Kind::Categorical(3), &[ln2, 0.0, ln2]), 5.0_f64.ln(), TAU_0);
    close(cgf(Kind::Gaussian, &[1.0]), 0.5 + (2.0 * std::f64::consts::PI).ln() / 2.0, TAU_0);
    close(cgf(Kind::Relu, &[0.0]), (std::f64::consts::PI / 2.0).ln() / 2.0, TAU_0);
    close(cgf(Kind::Drelu, &[0.0]), (2.0 * std::f64::consts::PI).ln() / 2.0, TAU_0);
    close(cgf(Kind::Binomial(4), &[ln2]), 81.0_f64.ln(), TAU_0);
    close(cgf(Kind::Poisson, &[ln2]), 2.0, TAU_0);
}

#[test]
fn measures_count_and_bound_the_domain() {
    let log_m = |kind, x: &[f64]| Layer::zeros(kind, 1).log_measure(x);
    close(log_m(Kind::Binomial(4), &[2.0]), 6.0_f64.ln(), TAU_0);
    close(log_m(Kind::Poisson, &[4.0]), -24.0_f64.ln(), TAU_0);
    assert_eq!(log_m(Kind::Drelu, &[-3.0]), 0.0);
    let outside: [(Kind, &[f64]); 9] = [
        (Kind::Bernoulli, &[0.5]),
        (Kind::Spin, &[0.0]),
        (Kind::Categorical(3), &[0.0, 1.0, 1.0]),
        (Kind::Categorical(3), &[0.0; 3]),
        (Kind::Gaussian, &[f64::INFINITY]),
        (Kind::Relu, &[-0.1]),
        (Kind::Binomial(4), &[5.0]),
        (Kind::Poisson, &[-1.0]),
        (Kind::Poisson, &[1.5]),
    ];
    assert!(outside.iter().all(|(kind, x)| log_m(*kind, x) == f64::NEG_INFINITY));
}

/// A list made for a range of inputs serves each input of the range; a list of the wrong input does not.
#[test]
fn one_list_serves_a_range_of_inputs() {
    let mut rng = Rng::new(504);
    for kind in KINDS {
        let unit = Layer::normal(kind, 1, 1.0, &mut rng).unit(0);
        let wide = unit.states(&vec![-4.0; kind.features()], &vec![4.0; kind.features()]).unwrap();
        for input in [-4.0, -1.0, 0.0, 2.5, 4.0] {
            let input = vec![input; kind.features()];
            let log = |state: &State| {
                let coupling: f64 = state.features.iter().zip(&input).map(|(x, i)| x * i).sum();
                state.log_weight + coupling - unit.energy(&state.features)
            };
            close(log_sum_exp(&wide.iter().map(log).collect::<Vec<_>>()), unit.cgf(&input), TAU_0);
        }
    }
}

#[test]
fn layers_list_products_with_the_first_unit_fastest() {
    let states = Layer::zeros(Kind::Binomial(2), 2).states(&[0.0; 2], &[0.0; 2]).unwrap();
    let features: Vec<_> = states.iter().map(|state| state.features.clone()).collect();
    assert_eq!(features[..4], [vec![0.0, 0.0], vec![1.0, 0.0], vec![2.0, 0.0], vec![0.0, 1.0]]);
    close(states[4].log_weight, 4.0_f64.ln(), TAU_0);
    assert!(Layer::zeros(Kind::Spin, 21).states(&[0.0; 21], &[0.0; 21]).is_none());
    assert!(Layer::zeros(Kind::Poisson, 1).states(&[20.0], &[20.0]).is_none());
}
