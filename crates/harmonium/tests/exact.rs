//! Proves values against enumeration (oracle O1): inputs, probabilities, energies, free energies, ln Z and views.

mod common;

use common::tolerance::{
    TAU_0, hidden_terms, rounding, tau_energy, tau_f, tau_f_wide, tau_p, tau_view, tau_z, visible_terms,
};
use common::{WIDTHS, bools, close, coins, every, every_row, exact, key, model, models};
use harmonium::rbm::{Rbm, View};
use harmonium::units::{Bernoulli, Input};
use harmonium::{Batch, BitMatrix, Gibbs, Marginal, purpose};
use harmonium_kernels::evaluate;
use harmonium_oracle::enumerate::{log_z_hidden, log_z_joint};
use harmonium_oracle::likelihood::pseudo_log_likelihood;
use harmonium_oracle::math::sigmoid;
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::wide;

/// The inverse temperatures of the views.
const BETAS: [f32; 6] = [0.0, 0.3, 0.5, 0.8, 1.0, 2.0];

/// Gives the grid codes of the weights, which f64 divides exactly.
fn codes(rbm: &Rbm) -> Vec<i64> {
    let step = (-f64::from(rbm.shift())).exp2();
    rbm.weights().iter().map(|&w| (f64::from(w) / step) as i64).collect()
}

/// Asserts that sums are Σ codes over the units that are on, unit j weighing `code(i, j)`.
fn assert_sums(input: &Input<'_>, bits: &BitMatrix, units: usize, code: impl Fn(usize, usize) -> i64) {
    let sums = input.sums().expect("integer sums");
    for row in 0..bits.rows() {
        let on: Vec<usize> = (0..bits.units()).filter(|&i| bits.get(row, i)).collect();
        for j in 0..units {
            let expected: i64 = on.iter().map(|&i| code(i, j)).sum();
            assert_eq!(i64::from(sums[row * units + j]), expected, "row {row}, unit {j}");
        }
    }
}

fn assert_inputs(rbm: &Rbm, visible: &BitMatrix, hidden: &BitMatrix) {
    let (q, nv, nh, view) = (codes(rbm), rbm.visible_units(), rbm.hidden_units(), rbm.view());
    assert_sums(&view.hidden_input(&visible.clone().into()), visible, nh, |i, j| q[i * nh + j]);
    assert_sums(&view.visible_input(&hidden.clone().into()), hidden, nv, |j, i| q[i * nh + j]);
}

#[test]
fn inputs_are_exact() {
    for rbm in models() {
        let (v, h) = (every(rbm.visible_units()), every(rbm.hidden_units()));
        assert_inputs(&rbm, &common::bits(rbm.visible_units(), &v), &common::bits(rbm.hidden_units(), &h));
    }
    for (nv, nh) in WIDTHS.iter().flat_map(|&nv| WIDTHS.map(|nh| (nv, nh))) {
        assert_inputs(&model(nv, nh, 1.0, 7), &coins(9, nv, 8), &coins(9, nh, 9));
    }
}

/// 4,096 weights of 1 that are all on: with 22 bits a code would be 2²⁰ and the sum 2³².
#[test]
fn sums_of_wide_layers_do_not_overflow() {
    for (nv, nh) in [(4096, 2), (2, 4096)] {
        let mut wide = Exact::zeros(nv, nh);
        wide.weights.fill(1.0);
        let rbm = common::library(&wide);
        let on = |rows, units| BitMatrix::from_fn(rows, units, |_, _| true);
        assert_inputs(&rbm, &on(2, nv), &on(2, nh));
        assert_eq!(f64::from(rbm.weights()[(0, 0)]), 1.0);
    }
}

#[test]
fn probabilities_are_exact_to_16_bits() {
    for rbm in models() {
        let (x, got) = (exact(&rbm), rbm.transform(&every_row(&rbm)).unwrap());
        for v in every(rbm.visible_units()) {
            for (j, (s, i)) in hidden_terms(&x, v).into_iter().enumerate() {
                let got = f64::from(got[(v as usize, j)]);
                close(got, sigmoid(i), tau_p(s, i) + rounding(got), (v, j));
            }
        }
    }
}

#[test]
fn probabilities_of_wide_rows_are_exact_to_16_bits() {
    for width in WIDTHS {
        let (rbm, rows) = (model(width, width, 0.3, 5), coins(20, width, 6));
        let (x, got) = (exact(&rbm), rbm.transform(&Batch::from_bits(rows.clone()).unwrap()).unwrap());
        for row in 0..rows.rows() {
            for (j, i) in wide::hidden_activations(&x, &bools(&rows, row)).into_iter().enumerate() {
                let got = f64::from(got[(row, j)]);
                close(got, sigmoid(i), tau_p(i - x.hidden_bias[j], i) + rounding(got), (width, row, j));
            }
        }
    }
}

#[test]
fn reconstructions_are_the_probabilities_given_the_drawn_states() {
    for rbm in models() {
        let (x, data) = (exact(&rbm), every_row(&rbm));
        let got = rbm.reconstruct(&data, key(3)).unwrap();
        let place = key(3).fold_in(purpose::EVALUATE).fold_in(evaluate::RECONSTRUCT).fold_in(0).fold_in(0);
        let drawn = common::masks(&rbm.view().sample_hidden(data.states(), place));
        for (row, h) in drawn.into_iter().enumerate() {
            for (unit, (s, i)) in visible_terms(&x, h).into_iter().enumerate() {
                let got = f64::from(got[(row, unit)]);
                close(got, sigmoid(i), tau_p(s, i) + rounding(got), (row, unit));
            }
        }
    }
}

#[test]
fn free_energies_are_exact() {
    for rbm in models() {
        let (x, got) = (exact(&rbm), rbm.free_energy(&every_row(&rbm)).unwrap());
        every(rbm.visible_units())
            .into_iter()
            .for_each(|v| close(got[v as usize], x.free_energy(v), tau_f(&x, v) + TAU_0, v));
    }
}

#[test]
fn free_energies_of_wide_rows_are_exact() {
    for (nv, nh) in WIDTHS.iter().flat_map(|&nv| WIDTHS.map(|nh| (nv, nh))) {
        let (rbm, rows) = (model(nv, nh, 0.5, 11), coins(6, nv, 12));
        let (x, got) = (exact(&rbm), rbm.free_energy(&Batch::from_bits(rows.clone()).unwrap()).unwrap());
        for row in 0..rows.rows() {
            let v = bools(&rows, row);
            close(got[row], wide::free_energy(&x, &v), tau_f_wide(&x, &v) + 1e-10, (nv, nh, row));
        }
    }
}

/// Every joint state, drawn states included: v from the rows, h as `infer` drew it.
fn assert_energies(view: &View<'_>, x: &Exact, slack: f64) {
    for v in every(x.visible) {
        let (hidden, visible) = (every(x.hidden), vec![v; 1 << x.hidden]);
        let got = view.energies(&common::states(x.visible, &visible), &common::states(x.hidden, &hidden));
        hidden
            .iter()
            .zip(got)
            .for_each(|(&h, got)| close(got, x.energy(v, h), tau_energy(x, v, h) + slack, (v, h)));
    }
}

#[test]
fn energies_are_exact() {
    models().iter().for_each(|rbm| assert_energies(&rbm.view(), &exact(rbm), 0.0));
}

#[test]
fn energies_of_chains_are_those_of_their_states() {
    for rbm in models() {
        let (x, state) = (exact(&rbm), harmonium::EnergyModel::infer(&rbm, &every_row(&rbm), key(2)));
        let got = rbm.energy(&state);
        for (row, (v, h)) in common::pairs(&state).into_iter().enumerate() {
            close(got[row], x.energy(v, h), tau_energy(&x, v, h), (v, h));
        }
    }
}

#[test]
fn log_z_is_exact() {
    for rbm in models() {
        let x = exact(&rbm);
        close(rbm.log_z().unwrap(), log_z_joint(&x), tau_z(&x), (x.visible, x.hidden));
    }
}

/// 15 units pass several blocks of the enumeration; the wide side bounds ln Z by its own softplus sum.
#[test]
fn log_z_of_one_wide_side_is_exact() {
    for (nv, nh) in [(129, 15), (15, 65), (65, 13)] {
        let rbm = model(nv, nh, 0.3, 4);
        let x = exact(&rbm);
        let (small, narrow) = if nv < nh { (x.transposed(), nv) } else { (x.clone(), nh) };
        let bound = |h: u64| tau_f(&small.transposed(), h);
        let worst = every(narrow).into_iter().map(bound).fold(0.0, f64::max);
        close(rbm.log_z().unwrap(), log_z_hidden(&small), worst + 1e-10, (nv, nh));
    }
}

/// ln σ has slope at most 1 in F(v') − F(v), so every unit costs at most two free energies.
#[test]
fn pseudo_likelihoods_are_exact() {
    for rbm in models() {
        let (x, got) = (exact(&rbm), rbm.pseudo_log_likelihood(&every_row(&rbm)).unwrap());
        for v in every(rbm.visible_units()) {
            let pair = |i: usize| tau_f(&x, v) + tau_f(&x, v ^ 1 << i) + TAU_0;
            let bound: f64 = (0..x.visible).map(pair).sum();
            close(got[v as usize], pseudo_log_likelihood(&x, &[v], None), bound, v);
        }
    }
}

/// Asserts free energies, energies and ln Z of a view, whose biases err by `slack` in all.
fn assert_view(view: &View<'_>, x: &Exact, slack: f64) {
    let rows = common::states(x.visible, &every(x.visible));
    for (v, got) in view.free_energies(&rows).into_iter().enumerate() {
        close(got, x.free_energy(v as u64), tau_f(x, v as u64) + slack + TAU_0, v);
    }
    assert_energies(view, x, slack);
    close(view.log_z().unwrap(), log_z_joint(x), tau_z(x) + slack, "ln Z");
}

#[test]
fn tempered_views_scale_the_energy() {
    for rbm in models() {
        for beta in BETAS {
            let (x, zeros) = (exact(&rbm), vec![0.0; rbm.visible_units()]);
            let slack = tau_view(&x, &zeros, f64::from(beta));
            let view = harmonium::Thermal::tempered(&rbm, beta);
            assert_view(&view, &x.tempered(f64::from(beta)), slack);
        }
    }
}

#[test]
fn annealed_views_mix_energies() {
    for rbm in models() {
        let base: Vec<f32> = (0..rbm.visible_units()).map(|i| 0.7 - 0.4 * i as f32).collect();
        let wide: Vec<f64> = base.iter().map(|&a| f64::from(a)).collect();
        for beta in &BETAS[..5] {
            let (x, b) = (exact(&rbm), f64::from(*beta));
            let view = rbm.annealed(&Bernoulli::new(base.clone()).into(), *beta);
            assert_view(&view, &x.annealed(&wide, b), tau_view(&x, &wide, b));
        }
    }
}
