//! Proves mean field in deep machines: the oracle's means and bound, fixed points, bounds that rise, rows by themselves.

mod common;

use common::deep::{deeps, every_row, judge, tau_unit};
use common::{all_close, close, coins, key};
use harmonium::dbn::deep::{Dbm, Inference};
use harmonium::units::{Means, Units};
use harmonium::{Batch, EnergyModel};
use harmonium_oracle::deep::Deep;

fn steps(dbm: Dbm, iterations: u32) -> Dbm {
    dbm.with_inference(Inference { iterations, tolerance: 0.0 }).unwrap()
}

/// Gives the means of every layer given every visible state, the visible ones first, as the oracle has them.
fn means(dbm: &Dbm) -> Vec<Vec<Vec<f64>>> {
    let x = judge(dbm);
    let data = every_row(&x);
    let law = dbm.view().mean_field(data.states());
    let row = |v: usize| {
        let mut out = vec![x.features(v as u64)[0].clone()];
        out.extend((1..=dbm.depth()).map(|l| {
            let all = dbm.layers()[l].means_of(law.means(l));
            all.row(v).iter().map(|&m| f64::from(m)).collect()
        }));
        out
    };
    (0..data.rows()).map(row).collect()
}

/// Bounds the error of means after some steps: a step turns errors e of a layer into at most slope · Σ|W| e, the slope of σ
/// being ¼ and that of tanh, on features of twice the size, 1; each adds its own rounding.
fn drift(x: &Deep, steps: u32) -> f64 {
    let spin = if x.spins.contains(&true) { 4.0 } else { 1.0 };
    let gain = spin * x.weights.iter().flatten().map(|w| w.abs()).sum::<f64>() / 4.0;
    let own = spin * (tau_unit(x) + 1.0 / 65_536.0);
    (0..2 * steps + 3).fold(0.0, |error, _| (error * gain + own).min(2.0))
}

/// Step by step the means are those of the oracle, where couplings are weak enough for a bound that says something.
#[test]
fn means_are_those_of_the_oracle() {
    for (dbm, n) in deeps(0.3).into_iter().flat_map(|dbm| [0_u32, 1, 2, 5].map(|n| (dbm.clone(), n + 1))) {
        let (x, dbm) = (judge(&dbm), steps(dbm, n));
        for (v, found) in means(&dbm).into_iter().enumerate() {
            let expected = x.mean_field(v as u64, n as usize);
            for (l, (found, expected)) in found.iter().zip(&expected).enumerate() {
                all_close(found, expected, drift(&x, n).min(0.02), (n, v, l));
            }
        }
    }
}

/// After many steps every layer is what its neighbours' means make of it: both sides of the equations.
#[test]
fn means_come_to_a_fixed_point() {
    for dbm in deeps(0.8) {
        let (x, dbm) = (judge(&dbm), steps(dbm, 300));
        for (v, found) in means(&dbm).into_iter().enumerate() {
            for l in 1..found.len() {
                let on = x.on(l, &x.input(l, &found));
                let expected: Vec<f64> =
                    on.iter().map(|p| if x.spins[l] { 2.0 * p - 1.0 } else { *p }).collect();
                // The neighbours are known to 16 bits, which the weights spread.
                let spread = 1.0 + x.weights.iter().flatten().map(|w| w.abs()).sum::<f64>();
                all_close(&found[l], &expected, 2.0 * spread * (tau_unit(&x) + 1.0 / 65_536.0), (v, l));
            }
        }
    }
}

/// The bound is E_q[−E] + H(q) of the means, lies below ln Σ_h e^−E, and does not fall with more steps.
#[test]
fn bounds_are_those_of_the_oracle_and_hold() {
    for dbm in deeps(0.8) {
        let (x, mut before) = (judge(&dbm), vec![f64::NEG_INFINITY; 1 << judge(&dbm).sizes[0]]);
        // A mean that is off by 2^-16 moves the bound by that times what its unit receives too much.
        let slack = 1e-4 * (1.0 + x.parameters().iter().map(|p| p.abs()).sum::<f64>());
        for n in [1, 2, 4, 50] {
            let dbm = steps(dbm.clone(), n);
            let bounds = dbm.variational_bound(&every_row(&x)).unwrap();
            for (v, (&bound, exact)) in bounds.iter().zip(x.unnormalized()).enumerate() {
                close(bound, x.bound(&x.mean_field(v as u64, n as usize)), slack, (n, v));
                assert!(bound <= exact + slack && bound >= before[v] - slack, "{n} steps, row {v}");
                before[v] = bound;
            }
        }
        if dbm.depth() == 1 {
            all_close(&before, &x.unnormalized(), slack, "mean field of one hidden layer is exact");
        }
    }
}

/// A row's means do not depend on the rows beside it, on the number of threads, or on when others come to rest.
#[test]
fn rows_and_threads_do_not_know_of_each_other() {
    let units = [Units::Bernoulli(70), Units::Bernoulli(130), Units::Spin(40), Units::Bernoulli(9)];
    let mut dbm = Dbm::new(&units, key(1)).unwrap();
    let params = common::deep::scaled(&dbm, 20.0);
    params.store(&mut dbm);
    let data = Batch::from_bits(coins(1100, 70, 2)).unwrap();
    for tolerance in [0.0, 0.01] {
        let dbm = dbm.clone().with_inference(Inference { iterations: 30, tolerance }).unwrap();
        let law = |threads: usize, data: &Batch| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| dbm.view().mean_field(data.states()))
        };
        let all = law(1, &data);
        assert!([2, 3, 8].into_iter().all(|threads| law(threads, &data) == all));
        let some = [1099, 3, 517];
        let alone = law(2, &data.gather(some));
        for (l, units) in units.iter().enumerate().skip(1) {
            let (Means::Codes(all), Means::Codes(alone)) = (all.means(l), alone.means(l)) else {
                panic!("codes")
            };
            let width = units.features();
            for (at, row) in some.into_iter().enumerate() {
                assert_eq!(alone[at * width..][..width], all[row * width..][..width], "row {row}");
            }
        }
    }
}

/// A tolerance ends steps that change nothing more than it: what is left out is small.
#[test]
fn rows_at_rest_are_left_alone() {
    for dbm in deeps(0.5) {
        let rest = |tolerance| dbm.clone().with_inference(Inference { iterations: 500, tolerance }).unwrap();
        let (exact, near) = (means(&rest(0.0)), means(&rest(1e-4)));
        for (v, (exact, near)) in exact.iter().zip(&near).enumerate() {
            exact.iter().zip(near).for_each(|(exact, near)| all_close(near, exact, 2e-3, v));
        }
    }
}

#[test]
fn options_out_of_range_are_named() {
    let say = |iterations, tolerance| Inference { iterations, tolerance }.check().unwrap_err().to_string();
    assert_eq!(say(0, 0.0), "iterations: expected 1 to 1000000, got 0");
    assert_eq!(say(5, -1.0), "tolerance: expected 0 or more, got -1");
    assert!(say(5, f32::NAN).starts_with("tolerance"));
    let dbm = deeps(0.5).swap_remove(1);
    assert!(dbm.variational_bound(&common::batch(4, &[1])).is_err());
    assert!(dbm.check_data(&common::batch(3, &[1])).is_ok());
}
