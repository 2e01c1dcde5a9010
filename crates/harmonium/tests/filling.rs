//! Proves that gaps are filled by the law of any model given what is there: restricted, general and deep machines.

mod common;

use common::{close, key};
use harmonium::bm::{Graph, Machine};
use harmonium::dbn::deep::Dbm;
use harmonium::rbm::{Classifier, Noise, Rbm};
use harmonium::sample::{Filling, Imputed, fill};
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, EnergyModel};
use ndarray::{Array2, array};

const OPTIONS: Filling = Filling { chains: 200, sweeps: 40 };
/// Equal rows; with the chains 8,000 independent draws.
const ROWS: usize = 40;

/// Fills the second of two bits whose first is on.
fn filled<M: EnergyModel>(model: &M, units: usize) -> Imputed {
    let gone = BitMatrix::from_fn(ROWS, units, |_, f| f == 1);
    let ones = Batch::new(Array2::from_elem((ROWS, units), 1.0).view()).unwrap().masked(gone);
    fill(model, &ones, OPTIONS, key(1), &mut |_| ()).unwrap()
}

/// Compares mean and spread of the second unit with p, of 8,000 draws within 4.89 deviations; the rest stays as it was.
fn agrees(found: &Imputed, p: f64, name: &str) {
    let n = (ROWS * OPTIONS.chains) as f64;
    let mean = found.mean.column(1).iter().map(|&x| f64::from(x)).sum::<f64>() / ROWS as f64;
    close(mean, p, 4.89 * (p * (1.0 - p) / n).sqrt(), name);
    let own = f64::from(found.mean[(0, 1)]);
    assert!(own > 0.0 && own < 1.0, "{name}: the chains of a row differ");
    close(f64::from(found.spread[(0, 1)]), (own * (1.0 - own)).sqrt(), 1e-6, name);
    assert!(
        found.mean.column(0).iter().all(|&x| x == 1.0) && found.spread.column(0).iter().all(|&x| x == 0.0)
    );
}

fn sigma(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Two coupled units of a general machine: p(second on | first on) = σ(b + J), and σ(2 (b + J)) of spins.
#[test]
fn a_general_machine_fills_gaps() {
    let machine = |units| {
        Machine::from_parts(Graph::new(2, [[0, 1]]).unwrap(), units, vec![0.75], vec![0.5, -0.25]).unwrap()
    };
    agrees(&filled(&machine(Units::Bernoulli(2)), 2), sigma(0.5), "bits");
    let spins = Batch::spins(Array2::from_elem((ROWS, 2), 1.0).view()).unwrap();
    let gone = BitMatrix::from_fn(ROWS, 2, |_, f| f == 1);
    let found = fill(&machine(Units::Spin(2)), &spins.masked(gone), OPTIONS, key(2), &mut |_| ()).unwrap();
    agrees(&found, sigma(1.0), "spins");
}

/// Sums over all states of a machine of 2, 1 and 1 units, and of one of 2 and 1 units.
#[test]
fn machines_of_two_layers_and_deep_ones_fill_gaps() {
    let (bias, hidden, top) = ([-0.5_f64, -1.0], -0.75, 0.5);
    let (weights, coupling) = ([2.0_f64, 1.5], 2.0);
    let energy = |v: f64, h: f64, t: f64| {
        -(bias[1] * v + h * (weights[0] + weights[1] * v + hidden) + t * (top + coupling * h))
    };
    let sum = |v: f64, tops: &[f64]| -> f64 {
        let states = tops.iter().flat_map(|&t| [0.0, 1.0].map(|h| (h, t)));
        states.map(|(h, t)| (-energy(v, h, t)).exp()).sum()
    };
    let p = |tops: &[f64]| sum(1.0, tops) / (sum(0.0, tops) + sum(1.0, tops));
    let layer = |bias: &[f64]| Units::Bernoulli(bias.len()).layer(bias.iter().map(|&b| b as f32).collect());
    let first = array![[weights[0] as f32], [weights[1] as f32]];
    let rbm = Rbm::from_layers(first.clone(), layer(&bias), layer(&[hidden])).unwrap();
    agrees(&filled(&rbm, 2), p(&[0.0]), "two layers");
    let layers = vec![layer(&bias), layer(&[hidden]), layer(&[top])];
    let dbm = Dbm::from_layers(layers, vec![first, array![[coupling as f32]]]).unwrap();
    agrees(&filled(&dbm, 2), p(&[0.0, 1.0]), "three layers");
    assert!((p(&[0.0]) - p(&[0.0, 1.0])).abs() > 0.03, "the top decides something");
}

/// p(v | noisy) of a machine of 2, 1 and 1 units by summing all 16 states; of equal rows the chains' means scatter by less than bits
/// do, whose deviation is ½ at most: 4.89 · ½ / √8,000 = 0.027. The second bit is missing in half of the cases.
#[test]
fn a_deep_machine_takes_noise_off() {
    let (bias, hidden, top, weights, coupling) = ([-0.5_f64, 0.25], -0.75, 0.5, [2.0_f64, -1.5], 2.0);
    let layer = |bias: &[f64]| Units::Bernoulli(bias.len()).layer(bias.iter().map(|&b| b as f32).collect());
    let first = array![[weights[0] as f32], [weights[1] as f32]];
    let layers = vec![layer(&bias), layer(&[hidden]), layer(&[top])];
    let dbm = Dbm::from_layers(layers, vec![first, array![[coupling as f32]]]).unwrap();
    let bit = |state: u32, at: u32| f64::from(state >> at & 1);
    for (seen, missing) in [([1.0, 1.0], false), ([0.0, 1.0], false), ([1.0, 0.0], true)] {
        let rate = 0.2_f64;
        let known = |f: usize| !(missing && f == 1);
        let weight = |s: u32| {
            let (v, h, t) = ([bit(s, 0), bit(s, 1)], bit(s, 2), bit(s, 3));
            let inner: f64 = (0..2).map(|f| v[f] * (bias[f] + weights[f] * h)).sum();
            let kept = |f: usize| if v[f] == seen[f] { 1.0 - rate } else { rate };
            let noise: f64 = (0..2).filter(|&f| known(f)).map(kept).product();
            (inner + h * hidden + t * (top + coupling * h)).exp() * noise
        };
        let total: f64 = (0..16).map(weight).sum();
        let mask = BitMatrix::from_fn(ROWS, 2, |_, f| !known(f));
        let rows = Array2::from_shape_fn((ROWS, 2), |(_, f)| seen[f] as f32);
        let rows = Batch::new(rows.view()).unwrap().masked(mask);
        let found = dbm.denoise(&rows, Noise::Flips(rate as f32), OPTIONS, key(3), &mut |_| ()).unwrap();
        for f in 0..2 {
            let p = (0..16).map(|s| weight(s) * bit(s, f)).sum::<f64>() / total;
            let mean = found.mean.column(f as usize).iter().map(|&x| f64::from(x)).sum::<f64>() / ROWS as f64;
            close(mean, p, 0.027, (seen, missing, f));
        }
    }
    let rows = Batch::new(Array2::zeros((1, 2)).view()).unwrap();
    let said = |noise| dbm.denoise(&rows, noise, OPTIONS, key(1), &mut |_| ()).unwrap_err().to_string();
    assert!(said(Noise::Normal(1.0)).starts_with("noise: expected flips of bits or spins"));
    assert!(said(Noise::Flips(1.0)).starts_with("flips: expected a rate between 0 and 1"));
}

#[test]
fn what_has_no_gaps_to_draw_is_refused() {
    let rbm = Rbm::new(Units::Bernoulli(4), Units::Bernoulli(2), key(1)).unwrap();
    let gone = BitMatrix::from_fn(1, 4, |_, f| f == 0);
    let row = |units| Batch::new(Array2::zeros((1, units)).view()).unwrap();
    let said = |options| fill(&rbm, &row(4), options, key(1), &mut |_| ()).unwrap_err().to_string();
    assert_eq!(said(Filling { chains: 0, ..OPTIONS }), "chains: expected 1 to 100000, got 0");
    assert_eq!(said(Filling { sweeps: 0, ..OPTIONS }), "sweeps: expected 1 or more, got 0");
    assert!(fill(&rbm, &row(5), OPTIONS, key(1), &mut |_| ()).is_err());
    let mut seen = Vec::new();
    let whole = fill(&rbm, &row(4), Filling { chains: 2, sweeps: 1 }, key(1), &mut |n| seen.push(n)).unwrap();
    assert!(whole.mean == Array2::<f32>::zeros((1, 4)) && seen == [1, 2]);
    // A classifier's rows may lack their class alone.
    let classifier = Classifier::from_rbm(rbm, 2).unwrap();
    let said = fill(&classifier, &row(4).masked(gone), OPTIONS, key(1), &mut |_| ()).unwrap_err().to_string();
    assert!(said.contains("a missing one"), "{said}");
}
