//! Proves every kind of units against the oracle: layers alone, machines of every proper pair, gauges, files, training.

mod common;

use common::units::{
    U, batch, coupled_rows, draw, exact, exact_layer, kinds, machine, pairs, random, rows_of, states, wide,
};
use common::{close, key};
use harmonium::evaluate::{Ais, Betas, Interval, forward};
use harmonium::rbm::{Origin, Rbm};
use harmonium::stats::Phases;
use harmonium::train::{Cd, Fit, Method, Pcd, Schedule, Silent, fit};
use harmonium::units::{Input, Layer, Scaling, States, Unit, Units};
use harmonium::{Batch, EnergyModel, Gibbs, HasParams, Marginal, Params, Thermal, persist};
use harmonium_oracle::layered::Side;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::{tv, tv_star};
use ndarray::Array2;

/// Γ, ⟨x⟩, U and what other parameters have for statistics, at activations from −9 to 9. An activation i + b is rounded to
/// f32, by u (|i| + |b|); Γ moves by ⟨x⟩ times that, ⟨x⟩ by its variance times that and by its own rounding, which for
/// probabilities is 2⁻¹⁶.
#[test]
fn layers_are_those_of_the_formulas() {
    for (seed, units) in kinds(4).into_iter().enumerate() {
        let mut rng = Rng::new(seed as u64);
        let layer = random(&units, 0.7, &mut rng);
        let law = exact_layer(&layer);
        for step in -12_i32..=12 {
            let input: Vec<f32> =
                (0..layer.features()).map(|_| (0.7 * f64::from(step) + rng.normal()) as f32).collect();
            let given = Input::reals(input.clone(), 1.0);
            let wide_input = wide(&input);
            let moved: Vec<f64> = wide_input
                .iter()
                .zip(layer.bias())
                .map(|(i, &b)| U * (i.abs() + f64::from(b).abs()))
                .collect();
            let (means, variances) = (law.mean(&wide_input), law.variance(&wide_input));
            let bound: f64 = means.iter().zip(&moved).map(|(mean, moved)| mean.abs() * moved + 1e-7).sum();
            let at = format!("{units} at {step}");
            close(layer.cgf(&given)[0], law.cgf(&wide_input), bound, &at);
            let found = layer.means_of(&layer.mean(&given));
            for (j, &mean) in found.iter().enumerate() {
                let code = if units.is_binary() { 2.0 / 65_536.0 } else { 0.0 };
                let bound = variances[j] * moved[j] + code + 4.0 * U * means[j].abs() + 1e-12;
                close(f64::from(mean), means[j], bound, &at);
            }
            let extra = layer.extra_means(&given);
            for (found, expected) in extra.iter().zip(law.mean_energy_gradient(&wide_input).iter().skip(1)) {
                for (&found, expected) in found.iter().zip(expected) {
                    // Second moments move by the third, at most 10 times the activation's rounding here.
                    close(f64::from(found), -expected, 1e-5 * (1.0 + expected.abs()), &at);
                }
            }
            let drawn = layer.sample(&given, key(step.unsigned_abs().into()));
            let x = &rows_of(&layer, &drawn)[0];
            close(layer.energy(&drawn)[0], law.energy(x), 1e-6 * (1.0 + law.energy(x).abs()), &at);
            let found = layer.extra_states(&drawn);
            for (found, expected) in found.iter().zip(law.energy_gradient(x).iter().skip(1)) {
                for (&found, expected) in found.iter().zip(expected) {
                    close(f64::from(found), -expected, 1e-6 * (1.0 + expected.abs()), &at);
                }
            }
        }
    }
}

/// The distribution of draws: sup |F_n − F| ≤ √(ln(2m/α) / 2n) with probability 1 − α over m comparisons (Dvoretzky, Kiefer &
/// Wolfowitz 1956, Massart 1990); n = 20,000, α = 1e-6, m = 100: 0.0219. It sees a shift of a mean by 6 % of a deviation.
#[test]
fn draws_follow_their_law() {
    const N: usize = 20_000;
    let bound = ((2.0 * 100.0 / 1e-6_f64).ln() / (2.0 * N as f64)).sqrt();
    for (seed, units) in kinds(1).into_iter().enumerate() {
        let mut rng = Rng::new(40 + seed as u64);
        let layer = random(&units, 0.5, &mut rng);
        let law = exact_layer(&layer).unit(0);
        for (n, shift) in [-30.0_f32, -4.0, -1.0, 0.0, 1.0, 4.0].into_iter().enumerate() {
            let input: Vec<f32> = (0..layer.features()).map(|f| shift * (1.0 + f as f32 / 4.0)).collect();
            let given = Input::reals(input.repeat(N), 1.0);
            let drawn = layer.sample(&given, key(seed as u64).fold_in(n as u64));
            let value = |row: &Vec<f64>| {
                row.iter().position(|&x| x == 1.0).filter(|_| row.len() > 1).map_or(row[0], |c| c as f64)
            };
            let mut values: Vec<f64> = rows_of(&layer, &drawn).iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            for at in (0..N).step_by(97) {
                let x = values[at];
                let below = values.partition_point(|&y| y <= x) as f64 / N as f64;
                close(below, law.cdf(&wide(&input), x), bound, format!("{units} at {shift}: {x}"));
            }
        }
    }
}

/// F and E of machines of every pair, on states drawn from the layers: inputs are rounded once, by u (|S| + |I|) a unit, so
/// that 30 roundings of the largest term bound them here.
#[test]
fn energies_are_those_of_the_formulas() {
    for (seed, (v, h)) in pairs(3, 2).into_iter().enumerate() {
        let rbm = machine(&v, &h, 0.7, 100 + seed as u64);
        let law = exact(&rbm);
        let mut state = rbm.init(40, key(seed as u64));
        rbm.sweep(&mut state, key(1));
        let (x, y) = (rows_of(rbm.visible(), state.visible()), rows_of(rbm.hidden(), state.hidden()));
        let energies = rbm.energy(&state);
        let free = rbm.free_energy(&batch(rbm.visible(), &x)).unwrap();
        for row in 0..40 {
            let scale = 1.0
                + law.free_energy(&x[row]).abs()
                + x[row].iter().chain(&y[row]).map(|x| x * x).sum::<f64>();
            close(energies[row], law.energy(&x[row], &y[row]), 30.0 * U * scale, format!("E of {v} and {h}"));
            let expected = law.free_energy(&x[row]) - law.visible.log_measure(&x[row]);
            close(free[row], expected, 30.0 * U * scale, format!("F of {v} and {h}"));
        }
    }
}

/// A tempered machine has the energies of β E: that of the oracle, whose layers are tempered one by one.
#[test]
fn tempered_energies_are_those_of_the_formulas() {
    for (seed, (v, h)) in pairs(3, 2).into_iter().enumerate() {
        let rbm = machine(&v, &h, 0.7, 150 + seed as u64);
        let state = rbm.init(20, key(seed as u64));
        let view = rbm.tempered(0.4);
        let hidden = view.sample_hidden(state.visible(), key(1));
        let (x, y) = (rows_of(rbm.visible(), state.visible()), rows_of(rbm.hidden(), &hidden));
        let (energies, free) = (view.energies(state.visible(), &hidden), view.free_energies(state.visible()));
        // β itself is an f32: 0.4 is off by 1.5e-8.
        let law = exact(&rbm).tempered(f64::from(0.4_f32));
        for row in 0..20 {
            let scale = 1.0
                + law.free_energy(&x[row]).abs()
                + x[row].iter().chain(&y[row]).map(|x| x * x).sum::<f64>();
            close(
                energies[row],
                law.energy(&x[row], &y[row]),
                30.0 * U * scale,
                format!("β E of {v} and {h}"),
            );
            close(free[row], law.free_energy(&x[row]), 30.0 * U * scale, format!("F at β of {v} and {h}"));
        }
    }
}

/// Annealing from independent columns reaches ln Z of every pair: within twice its interval of 3σ, so that 69 pairs miss with
/// probability 1e-7; the interval itself must be narrow enough to say something.
#[test]
fn annealing_reaches_ln_z_of_every_pair() {
    for (seed, (v, h)) in pairs(3, 2).into_iter().enumerate() {
        let rbm = machine(&v, &h, 0.4, 800 + seed as u64);
        let expected = exact(&rbm).log_z().unwrap();
        let options = Ais { runs: 300, betas: Betas::Count(60) };
        let path = rbm.path(rbm.base()).unwrap();
        let found = forward(&path, &options, key(seed as u64), &mut |_, _| ()).unwrap();
        let Interval { low, high } = found.interval;
        assert!(high - low < 1.0, "{v} and {h}: an interval of {low} to {high}");
        close(found.log_z, expected, high - low + 1e-4, format!("{v} and {h}"));
    }
}

/// Pseudo-likelihoods of machines whose visible units have two states.
#[test]
fn pseudo_likelihoods_are_those_of_the_formulas() {
    let two = |units: &Units| matches!(units, Units::Bernoulli(_) | Units::Spin(_));
    for (seed, (v, h)) in pairs(4, 2).into_iter().filter(|(v, _)| two(v)).enumerate() {
        let rbm = machine(&v, &h, 0.7, 850 + seed as u64);
        let rows = rows_of(rbm.visible(), rbm.init(20, key(seed as u64)).visible());
        let found = rbm.pseudo_log_likelihood(&batch(rbm.visible(), &rows)).unwrap().mean().unwrap();
        let expected = exact(&rbm).pseudo_log_likelihood(&rows, None).unwrap();
        close(found, expected, 1e-5 * (1.0 + expected.abs()), format!("{v} and {h}"));
    }
}

/// ln Z by enumeration, where a layer has finitely many states.
#[test]
fn partition_functions_are_exact() {
    let mut exact_ones = 0;
    for (seed, (v, h)) in pairs(3, 2).into_iter().enumerate() {
        let rbm = machine(&v, &h, 0.6, 200 + seed as u64);
        let Ok(log_z) = rbm.log_z() else { continue };
        exact_ones += 1;
        let expected = exact(&rbm).log_z().unwrap();
        close(log_z, expected, 1e-5 * (1.0 + expected.abs()), format!("{v} and {h}"));
    }
    // 4 finite kinds with 9 on the other side, and 5 others with these 4.
    assert_eq!(exact_ones, 56);
}

/// A sweep leaves p(v, h) alone (no drift, N = 20,000): hidden states start from their exact law, visible ones are drawn from
/// them, and after a sweep the hidden states drawn from these are compared; and the same with the sides exchanged. The
/// control at β = 0.6 must be seen on the side that is enumerated.
#[test]
fn sweeps_leave_every_pair_alone() {
    const N: usize = 20_000;
    let mut seen = 0;
    for (seed, (v, h)) in pairs(3, 2).into_iter().enumerate() {
        let rbm = machine(&v, &h, 1.0, 300 + seed as u64);
        let (law, mut rng) = (exact(&rbm), Rng::new(seed as u64));
        let finite = |units: &Units| units.is_binary() || matches!(units, Units::Binomial { .. });
        if finite(&h) {
            let p = law.law_of(Side::Hidden).unwrap();
            let rows: Vec<Vec<f64>> =
                draw(&p.p(), N, &mut rng).into_iter().map(|n| p.states[n].features.clone()).collect();
            let start = states(rbm.hidden(), &rows);
            let view = rbm.view();
            let next = |view: &harmonium::rbm::View<'_>| {
                let visible = view.sample_visible(&start, key(1));
                view.sample_hidden(&visible, key(2))
            };
            let distance = |drawn: &States| {
                let rows = rows_of(rbm.hidden(), drawn);
                let mut counts = vec![0.0; p.states.len()];
                rows.iter().for_each(|row| {
                    counts[p.states.iter().position(|s| s.features == *row).unwrap()] += 1.0 / N as f64;
                });
                tv(&counts, &p.p())
            };
            let bound = tv_star(&p.p(), N);
            let (right, weak) = (distance(&next(&view)), distance(&next(&rbm.tempered(0.6))));
            assert!(right <= bound, "{v} and {h}: {right} above {bound}");
            seen += u32::from(weak > 2.0 * bound);
        }
        if finite(&v) {
            let p = law.law_of(Side::Visible).unwrap();
            let rows: Vec<Vec<f64>> =
                draw(&p.p(), N, &mut rng).into_iter().map(|n| p.states[n].features.clone()).collect();
            let mut state = rbm.unpack(states(rbm.visible(), &rows)).unwrap();
            rbm.sweep(&mut state, key(3));
            let mut counts = vec![0.0; p.states.len()];
            for row in rows_of(rbm.visible(), state.visible()) {
                counts[p.states.iter().position(|s| s.features == row).unwrap()] += 1.0 / N as f64;
            }
            let (distance, bound) = (tv(&counts, &p.p()), tv_star(&p.p(), N));
            assert!(distance <= bound, "{v} and {h}: {distance} above {bound}");
        }
    }
    // Random machines of few units: on most of them, not on all, a sweep at 0.6 β is far from the law.
    assert!(seen >= 24, "the control was seen {seen} times of 36");
}

/// The contrast of two sets of rows is the difference of their means of ∂E/∂θ, for every parameter: within 2⁻¹⁵ for
/// probabilities in 16 bits times the largest feature, and roundings of 30 u.
#[test]
fn contrasts_are_those_of_the_formulas() {
    for (seed, (v, h)) in pairs(3, 2).into_iter().enumerate() {
        let rbm = machine(&v, &h, 0.7, 400 + seed as u64);
        let law = exact(&rbm);
        let (mut phases, mut rows) = (Phases::new(rbm.stats()), Vec::new());
        for (n, size) in [(0, 70), (1, 40)] {
            let state = rbm.init(size, key(n));
            rows.push(rows_of(rbm.visible(), state.visible()));
            let stats = if n == 0 { &mut phases.positive } else { &mut phases.negative };
            let split = state.visible().gather(0..64.min(size));
            rbm.accumulate(&rbm.unpack(split).unwrap(), stats);
            if size > 64 {
                rbm.accumulate(&rbm.unpack(state.visible().gather(64..size)).unwrap(), stats);
            }
        }
        let mut gradient: Params = rbm.params();
        phases.contrast(&mut gradient);
        let [data, model] = [0, 1].map(|n| law.data_statistics(&rows[n], None));
        let largest = rows.iter().flatten().flatten().fold(1.0_f64, |most, x| most.max(x.abs()));
        for tensor in gradient.tensors() {
            let side = |name: &str, statistics: &harmonium_oracle::layered::Statistics| -> Vec<f64> {
                match name {
                    "weights" => statistics.weights.clone(),
                    "visible_bias" => statistics.visible[0].clone(),
                    "hidden_bias" => statistics.hidden[0].clone(),
                    other => {
                        let (blocks, layer, side) = if other.starts_with("visible") {
                            (&statistics.visible, rbm.visible(), 0)
                        } else {
                            (&statistics.hidden, rbm.hidden(), 1)
                        };
                        blocks[1 + layer.extra().iter().position(|e| e.names[side] == other).unwrap()].clone()
                    }
                }
            };
            let (a, b) = (side(tensor.name, &data), side(tensor.name, &model));
            for (n, &found) in tensor.values.iter().enumerate() {
                let bound =
                    (2.0_f64.powi(-14) + 30.0 * U) * largest * largest + 1e-5 * (a[n].abs() + b[n].abs());
                close(f64::from(found), a[n] - b[n], bound, format!("{} of {v} and {h}", tensor.name));
            }
        }
    }
}

/// Gauges give every visible state its probability: log p within 1e-6, as weights are rounded to 2⁻²¹ of the largest.
#[test]
fn gauges_leave_p_alone() {
    let q = |units| Units::Categorical { units, classes: 3 };
    let cases = [
        (q(3), Units::Bernoulli(2), "zero-sum"),
        (q(2), q(2), "zero-sum"),
        (Units::Bernoulli(4), Units::Bernoulli(3), "spins"),
        (Units::Bernoulli(4), Units::Spin(3), "spins"),
        (Units::Spin(4), Units::Spin(3), "bits"),
        (Units::Spin(4), Units::Gaussian(2), "bits"),
        (Units::Bernoulli(4), Units::Diagonal(2), "variance"),
    ];
    for (seed, (v, h, gauge)) in cases.into_iter().enumerate() {
        let rbm = machine(&v, &h, 0.5, 500 + seed as u64);
        let other = match gauge {
            "zero-sum" => rbm.zero_sum(),
            "spins" => rbm.to_spins(),
            "bits" => rbm.to_bits(),
            _ => rbm.unit_variance(),
        }
        .unwrap();
        assert_ne!(rbm.digest(), other.digest(), "{gauge} changes parameters");
        let (a, b) = (exact(&rbm), exact(&other));
        for state in &a.law_of(Side::Visible).unwrap().states {
            let turned: Vec<f64> = match (v.clone(), other.visible().units()) {
                (Units::Bernoulli(_), Units::Spin(_)) => {
                    state.features.iter().map(|x| 2.0 * x - 1.0).collect()
                }
                (Units::Spin(_), Units::Bernoulli(_)) => {
                    state.features.iter().map(|x| f64::midpoint(*x, 1.0)).collect()
                }
                _ => state.features.clone(),
            };
            close(
                b.log_p(&turned).unwrap(),
                a.log_p(&state.features).unwrap(),
                5e-6,
                format!("{gauge} of {v} and {h}"),
            );
        }
        if gauge == "zero-sum" {
            let weights = other.weights();
            for unit in weights.exact_chunks((3, 1)) {
                assert!(unit.sum().abs() < 1e-5, "sums of classes");
            }
        }
    }
}

/// A file gives the machine back, and its base.
#[test]
fn files_hold_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, (v, h)) in pairs(3, 2).into_iter().enumerate() {
        let mut rbm = machine(&v, &h, 0.5, 600 + seed as u64);
        let mut rng = Rng::new(seed as u64);
        rbm.set_base(random(&v, 0.5, &mut rng)).unwrap();
        let path = folder.path().join(format!("{seed}.harm"));
        rbm.save(&persist::RealVfs, &path, &Origin::default()).unwrap();
        let (back, _) = Rbm::load(&persist::RealVfs, &path).unwrap();
        assert_eq!((back.digest(), back.base()), (rbm.digest(), rbm.base()), "{v} and {h}");
    }
}

/// A layer alone can't know that its four columns go together; with hidden units of any kind the exact log-likelihood rises by
/// more than 0.3 nats (for bits, from 4 ln 2 = 2.77 towards ln 2 + 4 H(0.1) = 1.99), and one seed gives one machine.
#[test]
fn every_kind_learns() {
    let mut cases: Vec<(Units, Units)> = kinds(4).into_iter().map(|v| (v, Units::Bernoulli(3))).collect();
    cases.extend(kinds(3).into_iter().skip(1).map(|h| (Units::Bernoulli(4), h)));
    for (seed, (v, h)) in cases.into_iter().enumerate() {
        let rows = coupled_rows(&v, 1000, 700 + seed as u64);
        let layer = v.layer(vec![0.0; v.features()]);
        let data = batch(&layer, &rows);
        let train = || {
            let mut student = Rbm::fitted(v.clone(), &data, h.clone(), key(2)).unwrap();
            let before = student.clone();
            let options = Fit {
                epochs: 60,
                batch: 50,
                learning_rate: Schedule::Linear { from: 0.02, to: 0.0 },
                method: Method::adam(),
                ..Fit::default()
            };
            fit(&mut student, &data, &mut Pcd::new(1, 50), &options, key(3), &mut Silent).unwrap();
            (before, student)
        };
        let (before, after) = train();
        let [low, high] = [&before, &after].map(|rbm| {
            let scaling = rbm.scaling();
            let volume = scaling.map_or(0.0, Scaling::log_volume);
            let rows = scaling.map_or_else(|| rows.clone(), |s| rows_of(&layer, &s.apply(data.states())));
            let expected = exact(rbm).log_likelihood(&rows, None).unwrap() - volume;
            if let Ok(figures) = rbm.exact_likelihood(&data) {
                close(
                    figures.log_likelihood,
                    expected,
                    1e-4 * (1.0 + expected.abs()),
                    format!("{v} and {h}"),
                );
            }
            expected
        });
        assert_eq!(after.digest(), train().1.digest(), "one seed gives one machine");
        assert!(high - low > 0.3, "{v} and {h}: {low} → {high}");
    }
}

/// A mixed layer is its parts side by side: energies, cumulants, means, and draws from keys of their own.
#[test]
fn mixed_layers_are_their_parts() {
    let parts = [
        Units::Bernoulli(2),
        Units::Spin(1),
        Units::Categorical { units: 2, classes: 3 },
        Units::Diagonal(2),
        Units::Poisson(1),
    ];
    let mut rng = Rng::new(900);
    let layers: Vec<Layer> = parts.iter().map(|units| random(units, 0.5, &mut rng)).collect();
    let bias = layers.iter().flat_map(|layer| layer.bias().to_vec()).collect();
    let mut mixed = Units::Mixed(parts.to_vec()).layer(bias);
    mixed.parts_mut().1[0].copy_from_slice(layers[3].extra()[0].values);
    let input: Vec<f32> = (0..20 * mixed.features()).map(|_| rng.normal() as f32).collect();
    let all = Array2::from_shape_vec((20, mixed.features()), input.clone()).unwrap();
    let drawn = mixed.sample(&Input::reals(input.clone(), 1.0), key(1));
    let (energies, cgf) = (mixed.energy(&drawn), mixed.cgf(&Input::reals(input.clone(), 1.0)));
    let means = mixed.means_of(&mixed.mean(&Input::reals(input, 1.0)));
    let (mut begin, mut sums) = (0, vec![[0.0; 2]; 20]);
    for (p, layer) in layers.iter().enumerate() {
        let place = ndarray::s![.., begin..begin + layer.features()];
        begin += layer.features();
        let share = Input::reals(all.slice(place).iter().copied().collect(), 1.0);
        let own = layer.sample(&share, key(1).fold_in(p as u64));
        assert_eq!(layer.features_of(&own), drawn.to_array().slice(place), "draws of {}", layer.units());
        assert_eq!(layer.means_of(&layer.mean(&share)), means.slice(place), "means of {}", layer.units());
        for (row, (u, gamma)) in layer.energy(&own).into_iter().zip(layer.cgf(&share)).enumerate() {
            sums[row] = [sums[row][0] + u, sums[row][1] + gamma];
        }
    }
    for (row, [u, gamma]) in sums.into_iter().enumerate() {
        close(energies[row], u, 1e-12, "U");
        close(cgf[row], gamma, 1e-12, "Γ");
    }
    let twice = Units::Mixed(vec![Units::Diagonal(1), Units::Diagonal(1)]);
    assert!(Rbm::new(twice, Units::Bernoulli(1), key(1)).is_err());
}

/// A mixed table is learnt: five columns, bits, classes and real ones, that one hidden coin decides. Samples come out in the
/// columns' own units: in others, means would be 4 deviations away and deviations 72 times too small.
#[test]
fn mixed_tables_are_learnt_and_sampled_in_their_own_units() {
    let parts = [Units::Bernoulli(2), Units::Categorical { units: 1, classes: 3 }, Units::Diagonal(2)];
    let units = Units::Mixed(parts.to_vec());
    let columns: Vec<Vec<Vec<f64>>> = parts.iter().map(|part| coupled_rows(part, 2000, 5)).collect();
    let real = |x: f64| 300.0 + 40.0 * x;
    let row = |r: usize| -> Vec<f32> {
        let reals = columns[2][r][..2].iter().map(|&x| real(x));
        columns[0][r][..2].iter().chain(&columns[1][r][..3]).copied().chain(reals).map(|x| x as f32).collect()
    };
    let values = Array2::from_shape_vec((2000, units.features()), (0..2000).flat_map(row).collect()).unwrap();
    let data = Batch::reals(values.clone()).unwrap();
    let mut rbm = Rbm::fitted(units, &data, Units::Bernoulli(6), key(1)).unwrap();
    let before = rbm.mean_unnormalized(&data).unwrap() - rbm.log_z().unwrap();
    let options = Fit {
        epochs: 40,
        batch: 50,
        learning_rate: Schedule::Linear { from: 0.02, to: 0.0 },
        method: Method::adam(),
        ..Fit::default()
    };
    fit(&mut rbm, &data, &mut Pcd::new(1, 100), &options, key(2), &mut Silent).unwrap();
    let after = rbm.exact_likelihood(&data).unwrap().log_likelihood;
    assert!(after - before > 0.3, "{before} → {after}");
    let samples = rbm.sample(2000, 400, key(3), &mut |_| ()).to_array();
    for (column, (x, y)) in values.columns().into_iter().zip(samples.columns()).enumerate() {
        let (deviation, expected) = (x.std(0.0), x.mean().unwrap());
        assert!((y.mean().unwrap() - expected).abs() < 0.5 * deviation, "mean of column {column}");
        assert!((y.std(0.0) / deviation - 1.0).abs() < 0.25, "deviation of column {column}");
    }
}

/// Data of another kind are refused by name, and pairs without a finite Z.
#[test]
fn what_does_not_fit_is_refused() {
    let said = |error: harmonium::Error| error.to_string();
    for (v, h) in kinds(2).into_iter().flat_map(|v| kinds(2).into_iter().map(move |h| (v.clone(), h))) {
        if v.check_pair(&h).is_err() {
            let error = said(Rbm::new(v.clone(), h.clone(), key(1)).unwrap_err());
            assert!(error.contains("bounded"), "{v} and {h}: {error}");
        }
    }
    let relu = Rbm::new(Units::Relu(2), Units::Bernoulli(2), key(1)).unwrap();
    let negative = Batch::reals(ndarray::array![[1.0, 2.0], [0.5, -1.0]]).unwrap();
    assert!(
        said(relu.free_energy(&negative).unwrap_err())
            .ends_with("row 1, column 1: expected 0 or more, got -1")
    );
    let mut bits = Rbm::new(Units::Bernoulli(2), Units::Bernoulli(2), key(1)).unwrap();
    let before = bits.digest();
    assert!(fit(&mut bits, &negative, &mut Cd::new(1), &Fit::default(), key(1), &mut Silent).is_err());
    assert_eq!(before, bits.digest());
    assert!(Batch::reals(ndarray::array![[f32::NAN]]).is_err());
    assert!(Batch::classes(ndarray::array![[0, 3]].view(), 3).is_err());
}
