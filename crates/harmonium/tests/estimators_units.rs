//! Proves the estimators, and what changes their gradients, on every pair of unit kinds against formulas in f64.

mod common;

use common::units::{batch, exact, machine, pairs, rows_of};
use common::{close, key};
use harmonium::address::Address;
use harmonium::rbm::{Exact as Enumerated, Rbm};
use harmonium::stats::Phases;
use harmonium::train::{
    Cd, Centre, Clip, Constraints, Decay, Estimate, Estimator, FastPcd, Fisher, Fit, GroupL1, Ladder, Mask,
    Pcd, Schedule, Sign, Silent, Tempering, Training, Trajectory, fit,
};
use harmonium::units::{Unit, Units};
use harmonium::{Batch, EnergyModel, Error, Gibbs, HasParams, Params};
use harmonium_oracle::layered::{Conditionals, Rbm as Exact, Side, Statistics};
use harmonium_oracle::stats::z_star;

/// Chains whose ends are independent of each other.
const CHAINS: usize = 1000;
/// Entries of all estimates.
const COMPARISONS: usize = 5000;
/// Sweeps from any start to the law, within 1e-6 where it can be listed, as a test below shows.
const SWEEPS: u32 = 30;

/// Lists statistics in the order of the library's parameters.
fn named(rbm: &Rbm, statistics: &Statistics) -> Vec<f64> {
    let block = |name: &str| -> Vec<f64> {
        match name {
            "weights" => statistics.weights.clone(),
            "visible_bias" => statistics.visible[0].clone(),
            "hidden_bias" => statistics.hidden[0].clone(),
            other => {
                let visible = other.starts_with("visible");
                let (blocks, layer) = if visible {
                    (&statistics.visible, rbm.visible())
                } else {
                    (&statistics.hidden, rbm.hidden())
                };
                let place = layer.extra().iter().position(|e| e.names[usize::from(!visible)] == other);
                blocks[1 + place.expect("a further parameter of the layer")].clone()
            }
        }
    };
    rbm.params().tensors().iter().flat_map(|tensor| block(tensor.name)).collect()
}

fn entries(params: &Params) -> Vec<f64> {
    params.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

/// Holds what is known of a row's ∂E/∂θ, the hidden units averaged out, under a model: mean, deviation, largest deviation.
struct Known {
    mean: Vec<f64>,
    deviation: Vec<f64>,
    most: Vec<f64>,
}

impl Known {
    fn of(rbm: &Rbm, x: &Exact) -> Self {
        let law = x.law_of(Side::Visible).expect("every proper pair of two units a side is listed");
        let row = |v: &[f64]| named(rbm, &x.row_statistics(v));
        let mean = law.mean(row);
        let square = law.mean(|v| row(v).iter().map(|s| s * s).collect());
        let deviation = mean.iter().zip(square).map(|(m, s)| (s - m * m).max(0.0).sqrt()).collect();
        let mut most = vec![0.0_f64; mean.len()];
        // States that 1,000 times as many chains would not meet.
        for (state, _) in law.states.iter().zip(&law.log_p).filter(|(_, log_p)| **log_p > -25.0) {
            let far = row(&state.features).into_iter().zip(&mean).map(|(s, m)| (s - m).abs());
            most.iter_mut().zip(far).for_each(|(most, far)| *most = most.max(far));
        }
        Self { mean, deviation, most }
    }

    /// Gives Bernstein's bound on the mean over the chains, z s/√N + z² M/3N, and that of the roundings: probabilities are in
    /// 16 bits, values and gradients in f32.
    fn bound(&self, n: usize, data: f64) -> f64 {
        let (z, chains) = (z_star(COMPARISONS), CHAINS as f64);
        let noise = z * self.deviation[n] / chains.sqrt() + z * z * self.most[n] / (3.0 * chains);
        noise + 2.0_f64.powi(-13) * (1.0 + self.mean[n].abs() + data.abs())
    }
}

/// Gives ⟨∂E/∂θ⟩ of rows, the hidden units averaged out.
fn of_rows(rbm: &Rbm, rows: &[Vec<f64>]) -> Vec<f64> {
    named(rbm, &exact(rbm).data_statistics(rows, None))
}

fn contrast(rbm: &Rbm, phases: &Phases) -> Vec<f64> {
    let mut out = rbm.params();
    phases.contrast(&mut out);
    entries(&out)
}

/// Makes a machine of the same kinds whose parameters are θ + F.
fn added(rbm: &Rbm, fast: &Params) -> Rbm {
    let mut out = rbm.clone();
    for (block, fast) in out.blocks_mut().into_iter().zip(fast.tensors()) {
        block.values.iter_mut().zip(&fast.values).for_each(|(x, f)| *x += f);
    }
    out.refresh();
    out
}

/// Gives the estimate of each estimator after so many sweeps that no chain knows where it started, with the model whose law
/// the chains must have.
fn estimates(rbm: &Rbm, other: &Rbm, data: &Batch, seed: u64) -> Vec<(&'static str, Rbm, Vec<f64>)> {
    let run = |estimator: &mut dyn Estimator<Rbm>, model: &Rbm, sweeps: u32, step: u64| {
        let mut phases = Phases::new(model.stats());
        let at = Address::new(key(seed), step);
        let estimate = estimator.estimate(model, data, sweeps, at, &mut phases).unwrap();
        assert!(matches!(estimate, Estimate::Phases));
        contrast(model, &phases)
    };
    let mut out = vec![
        ("CD", rbm.clone(), run(&mut Cd::new(SWEEPS), rbm, SWEEPS, 1)),
        ("PCD", rbm.clone(), run(&mut Pcd::new(1, CHAINS), rbm, SWEEPS, 2)),
    ];
    let mut fast = FastPcd::new(1, CHAINS);
    fast.rate = 0.2;
    run(&mut fast, rbm, 1, 3);
    let hastened = added(rbm, fast.fast().expect("fast parameters"));
    fast.rate = 0.0;
    out.push(("fast PCD", hastened, run(&mut fast, rbm, SWEEPS, 4)));
    let mut tempering = Tempering::new(1, CHAINS, Ladder::Betas(vec![1.0, 0.75, 0.5]));
    out.push(("PT", rbm.clone(), run(&mut tempering, rbm, SWEEPS, 5)));
    assert!(tempering.swap_rates().iter().all(|rate| *rate > 0.01), "{:?}", tempering.swap_rates());
    let mut trajectory = Trajectory::new(1, CHAINS);
    run(&mut trajectory, other, 1, 6);
    out.push(("PTT", rbm.clone(), run(&mut trajectory, rbm, SWEEPS, 7)));
    assert!(trajectory.swap_rates()[0] > 0.0 && trajectory.swap_rates()[0] < 1.0);
    out
}

/// The negative phase of every estimator is the model's own, for every parameter of every pair of kinds. Control: it is not
/// that of the model at 0.6 β.
#[test]
fn estimates_have_their_expectation_on_every_pair() {
    let (mut seen, mut count) = (0, 0);
    for (seed, (v, h)) in pairs(2, 2).into_iter().enumerate() {
        let seed = 1000 + seed as u64;
        let rbm = machine(&v, &h, 0.4, seed);
        let few = rows_of(rbm.visible(), rbm.init(40, key(seed)).visible());
        let rows: Vec<Vec<f64>> = few.iter().cycle().take(CHAINS).cloned().collect();
        let (data, positive) = (batch(rbm.visible(), &rows), of_rows(&rbm, &few));
        let weak = Known::of(&rbm, &exact(&rbm).tempered(0.6));
        let own = Known::of(&rbm, &exact(&rbm));
        for (name, model, got) in estimates(&rbm, &added(&rbm, &rbm.params()), &data, seed) {
            let hastened = (name == "fast PCD").then(|| Known::of(&model, &exact(&model)));
            let law = hastened.as_ref().unwrap_or(&own);
            for n in 0..got.len() {
                let expected = positive[n] - law.mean[n];
                close(got[n], expected, law.bound(n, positive[n]), (name, v.to_string(), h.to_string(), n));
                count += 1;
            }
            let far =
                |n: usize| (got[n] - positive[n] + weak.mean[n]).abs() > 2.0 * law.bound(n, positive[n]);
            seen += usize::from((0..got.len()).any(far));
        }
    }
    assert!(count <= COMPARISONS, "{count} comparisons");
    assert!(seen > 3 * 56, "the control was seen {seen} times of {}", 5 * 56);
}

/// From every start, on the pairs whose states are listed. Real values and counts have no longer memory: their pairs are made
/// of the same weights.
#[test]
fn chains_forget_their_start() {
    let mut count = 0;
    for (seed, (v, h)) in pairs(2, 2).into_iter().enumerate() {
        let x = exact(&machine(&v, &h, 0.4, 1000 + seed as u64));
        let Some(conditionals) = Conditionals::of(&x) else { continue };
        let p = x.law_of(Side::Visible).unwrap().p();
        if p.len() > 100 {
            continue;
        }
        let sweeps = conditionals.visible_sweep().sweeps_to(&p, 1e-6, SWEEPS as usize);
        assert!(sweeps.is_some(), "{v} and {h} remember for more than {SWEEPS} sweeps");
        count += 1;
    }
    assert!(count >= 16, "{count} pairs");
}

/// Fills the phases with the batch and with chains that are given.
struct Given(Batch);

impl Estimator<Rbm> for Given {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn estimate(
        &mut self,
        model: &Rbm,
        data: &Batch,
        _sweeps: u32,
        _at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        model.accumulate(&model.clamp(data), &mut phases.positive);
        model.accumulate(&model.clamp(&self.0), &mut phases.negative);
        Ok(Estimate::Phases)
    }
}

const RATE: f32 = 0.125;

/// Lists options that change a gradient or bound what it moves, each alone.
fn changes() -> Vec<(&'static str, Fit)> {
    let plain = || Fit {
        epochs: 1,
        batch: 100,
        learning_rate: Schedule::Constant(f64::from(RATE)),
        ..Fit::default()
    };
    let bounds = |constraints| Fit { constraints, ..plain() };
    let none = Constraints::default;
    let masks = vec![Mask { block: "weights".into(), zeros: vec![0, 3] }];
    vec![
        ("plain", plain()),
        ("centred", Fit { centre: Some(Centre::default()), ..plain() }),
        ("enhanced", Fit { enhanced: true, ..plain() }),
        ("decay", Fit { decay: Decay { l1: 0.3, l2: 0.2 }, ..plain() }),
        ("group", Fit { group_l1: Some(GroupL1 { strength: 0.5 }), ..plain() }),
        ("clip", Fit { clip: Some(Clip { norm: 0.25 }), ..plain() }),
        ("proximal", bounds(Constraints { proximal: 2.0, ..none() })),
        ("sign", bounds(Constraints { sign: Some(Sign::Positive), ..none() })),
        ("norm", bounds(Constraints { max_norm: Some(0.3), ..none() })),
        ("masks", bounds(Constraints { masks, ..none() })),
        ("frozen weights", bounds(Constraints { frozen: vec!["weights".into()], ..none() })),
        ("frozen bias", bounds(Constraints { frozen: vec!["visible_bias".into()], ..none() })),
    ]
}

fn moved(rbm: &Rbm, [rows, chains]: [&[Vec<f64>]; 2], options: &Fit) -> Rbm {
    let (mut out, mut given) = (rbm.clone(), Given(batch(rbm.visible(), chains)));
    fit(&mut out, &batch(rbm.visible(), rows), &mut given, options, key(1), &mut Silent).unwrap();
    out
}

/// Holds ⟨x⟩, ⟨y⟩ and the means of products about given offsets over rows, y being the hidden means.
struct Moments {
    visible: Vec<f64>,
    hidden: Vec<f64>,
    rows: Vec<[Vec<f64>; 2]>,
}

impl Moments {
    fn of(x: &Exact, rows: &[Vec<f64>]) -> Self {
        let both: Vec<[Vec<f64>; 2]> =
            rows.iter().map(|v| [v.clone(), x.hidden.mean(&x.hidden_input(v))]).collect();
        let mean = |side: usize| -> Vec<f64> {
            let width = both[0][side].len();
            (0..width).map(|i| both.iter().map(|row| row[side][i]).sum::<f64>() / both.len() as f64).collect()
        };
        Self { visible: mean(0), hidden: mean(1), rows: both }
    }

    /// Gives ⟨(x − μ)(y − λ)ᵀ⟩.
    fn about(&self, mu: &[f64], lambda: &[f64]) -> Vec<f64> {
        let entry = |i: usize, j: usize| -> f64 {
            let product = |[x, y]: &[Vec<f64>; 2]| (x[i] - mu[i]) * (y[j] - lambda[j]);
            self.rows.iter().map(product).sum::<f64>() / self.rows.len() as f64
        };
        (0..mu.len()).flat_map(|i| (0..lambda.len()).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect()
    }
}

/// Gives the gradient of each block after the change of coordinates, from the formulas: ∂W' = −(⟨(x − μ)(y − λ)ᵀ⟩ data −
/// model), or the covariances of either phase about its own means, and biases less λ and μ times that.
fn gradient(rbm: &Rbm, [rows, chains]: [&[Vec<f64>]; 2], options: &Fit) -> Vec<Vec<f64>> {
    let (x, mut rest) = (exact(rbm), Vec::new());
    rest.extend(of_rows(rbm, rows).into_iter().zip(of_rows(rbm, chains)).map(|(data, model)| data - model));
    let mut out: Vec<Vec<f64>> = Vec::new();
    for tensor in rbm.params().tensors() {
        let tail = rest.split_off(tensor.values.len());
        out.push(std::mem::replace(&mut rest, tail));
    }
    if options.centre.is_none() && !options.enhanced {
        return out;
    }
    let [data, model] = [rows, chains].map(|rows| Moments::of(&x, rows));
    let half = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| f64::midpoint(*a, *b)).collect::<Vec<_>>();
    let (mu, lambda, parts) = if options.enhanced {
        let own = |m: &Moments| m.about(&m.visible, &m.hidden);
        (half(&data.visible, &model.visible), half(&data.hidden, &model.hidden), [own(&data), own(&model)])
    } else {
        let about = |m: &Moments| m.about(&data.visible, &data.hidden);
        (data.visible.clone(), data.hidden.clone(), [about(&data), about(&model)])
    };
    out[0] = parts[0].iter().zip(&parts[1]).map(|(data, model)| model - data).collect();
    let width = lambda.len();
    for (n, w) in out[0].clone().into_iter().enumerate() {
        out[1][n / width] -= lambda[n % width] * w;
        out[2][n % width] -= mu[n / width] * w;
    }
    out
}

/// Gives the parameters after one step, from the formulas.
fn expected(rbm: &Rbm, phases: [&[Vec<f64>]; 2], options: &Fit) -> Vec<f64> {
    let (params, width) = (rbm.params(), rbm.hidden().features());
    let lines = params.tensors()[0].values.len() / width;
    let mut theta: Vec<Vec<f64>> =
        params.tensors().iter().map(|t| t.values.iter().map(|&x| f64::from(x)).collect()).collect();
    let mut g = gradient(rbm, phases, options);
    let column =
        |w: &[f64], j: usize, of: &dyn Fn(f64) -> f64| (0..lines).map(|i| of(w[i * width + j])).sum::<f64>();
    let sign = |w: f64| if w == 0.0 { 0.0 } else { w.signum() };
    for (n, &w) in theta[0].iter().enumerate() {
        let group = options.group_l1.map_or(0.0, |group| f64::from(group.strength));
        let pull = group / lines as f64 * column(&theta[0], n % width, &f64::abs);
        g[0][n] += (f64::from(options.decay.l1) + pull) * sign(w) + f64::from(options.decay.l2) * w;
    }
    let bounds = &options.constraints;
    for (n, tensor) in params.tensors().iter().enumerate() {
        if bounds.frozen.iter().any(|name| name == tensor.name) {
            g[n].fill(0.0);
        }
    }
    if let Some(clip) = options.clip {
        let norm = g.iter().flatten().map(|g| g * g).sum::<f64>().sqrt();
        let factor = (f64::from(clip.norm) / norm).min(1.0);
        g.iter_mut().flatten().for_each(|g| *g *= factor);
    }
    let rate = f64::from(RATE);
    theta.iter_mut().flatten().zip(g.into_iter().flatten()).for_each(|(x, g)| *x -= rate * g);
    for mask in &bounds.masks {
        mask.zeros.iter().for_each(|&n| theta[0][n] = 0.0);
    }
    for w in &mut theta[0] {
        *w = sign(*w) * (w.abs() - rate * f64::from(bounds.proximal)).max(0.0);
        *w = if bounds.sign.is_some() { w.max(0.0) } else { *w };
    }
    if let Some(most) = bounds.max_norm {
        let norms: Vec<f64> = (0..width).map(|j| column(&theta[0], j, &|w| w * w).sqrt()).collect();
        theta[0]
            .iter_mut()
            .enumerate()
            .for_each(|(n, w)| *w *= (f64::from(most) / norms[n % width]).min(1.0));
    }
    theta.concat()
}

/// One step of every change on every pair, from rows and chains that are given: statistics are off by 2⁻¹⁵ times the largest
/// features for probabilities in 16 bits, and by roundings; centring adds up to as many of them as the offsets have units, times
/// the offsets, twice. Control: with most pairs each change is seen, its step being another than the plain one.
#[test]
fn changes_of_gradients_are_those_of_the_formulas_on_every_pair() {
    let mut seen = std::collections::BTreeMap::new();
    for (seed, (v, h)) in pairs(3, 2).into_iter().enumerate() {
        let start = machine(&v, &h, 0.5, 1200 + seed as u64);
        let drawn = |rows: usize, n: u64| rows_of(start.visible(), start.init(rows, key(n)).visible());
        let (rows, chains) = (drawn(50, 1), drawn(30, 2));
        let phases = [&rows[..], &chains[..]];
        for (name, options) in changes() {
            // Bounds hold from the start on: a step at rate 0 brings the machine there.
            let still = Fit { learning_rate: Schedule::Constant(0.0), ..options.clone() };
            let rbm = moved(&start, phases, &still);
            let both = phases.map(|rows| Moments::of(&exact(&rbm), rows));
            let offsets: f64 =
                both.iter().flat_map(|m| m.visible.iter().chain(&m.hidden)).map(|x| x.abs()).sum();
            let features = both.iter().flat_map(|m| m.rows.iter().flatten().flatten());
            let largest = features.fold(1.0_f64, |most, x| most.max(x.abs()));
            let bound = f64::from(RATE) * 2.0_f64.powi(-14) * largest.powi(2) * (1.0 + offsets).powi(2);
            let (got, expected) =
                (entries(&moved(&rbm, phases, &options).params()), expected(&rbm, phases, &options));
            let plain = entries(&moved(&rbm, phases, &changes()[0].1).params());
            for n in 0..got.len() {
                close(got[n], expected[n], bound, (name, v.to_string(), h.to_string(), n));
            }
            let differs = (0..got.len()).any(|n| (plain[n] - got[n]).abs() > 4.0 * bound);
            *seen.entry(name).or_insert(0) += usize::from(differs);
        }
    }
    let unseen = seen.iter().find(|(name, seen)| **name != "plain" && **seen < 20);
    assert!(unseen.is_none(), "of 56 pairs: {seen:?}");
}

/// The diagonal Fisher matrix is m (1 − m) for bits alone; other units are refused by name, before anything moves.
#[test]
fn the_fisher_matrix_of_other_units_is_refused() {
    let (mut bits, mut others) = (0, 0);
    for (seed, (v, h)) in pairs(3, 2).into_iter().enumerate() {
        let mut rbm = machine(&v, &h, 0.5, 1300 + seed as u64);
        let before = rbm.clone();
        let rows = rows_of(rbm.visible(), rbm.init(20, key(1)).visible());
        let options = Fit { epochs: 1, fisher: Some(Fisher::default()), ..Fit::default() };
        let data = batch(rbm.visible(), &rows);
        let fitted = fit(&mut rbm, &data, &mut Cd::new(1), &options, key(1), &mut Silent);
        let bit = |units: Units| units.is_binary() && !matches!(units, Units::Spin(_));
        if bit(rbm.visible().units()) && bit(rbm.hidden().units()) {
            bits += usize::from(fitted.is_ok() && rbm != before);
        } else {
            let said = fitted.unwrap_err().to_string();
            assert_eq!(said, "fisher: expected a model whose units are all bits, got spins or real values");
            assert!(rbm == before);
            others += 1;
        }
    }
    assert_eq!((bits, bits + others), (4, 56));
}

/// A finished gradient has no negative phase, from which both take their means.
#[test]
fn finished_gradients_are_refused_where_both_phases_are_needed() {
    let (v, h) = pairs(3, 2).swap_remove(0);
    let start = machine(&v, &h, 0.5, 1);
    let data = batch(start.visible(), &rows_of(start.visible(), start.init(20, key(1)).visible()));
    for (name, options) in [
        ("enhanced", Fit { enhanced: true, ..Fit::default() }),
        ("fisher", Fit { fisher: Some(Fisher::default()), ..Fit::default() }),
    ] {
        let mut rbm = start.clone();
        let refused =
            fit(&mut rbm, &data, &mut Enumerated::new(), &options, key(1), &mut Silent).unwrap_err();
        let said = format!("{name}: expected an estimator with a negative phase, got a finished gradient");
        assert_eq!(refused.to_string(), said);
        assert!(rbm == start, "nothing has moved");
        assert!(fit(&mut rbm, &data, &mut Cd::new(1), &options, key(1), &mut Silent).is_ok());
    }
    let centred = Fit { centre: Some(Centre::default()), ..Fit::default() };
    let mut rbm = start.clone();
    fit(&mut rbm, &data, &mut Enumerated::new(), &centred, key(1), &mut Silent).unwrap();
    assert!(Training::new(&rbm, &data, &centred).is_ok() && rbm != start);
}
