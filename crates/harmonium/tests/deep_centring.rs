//! Proves that centred gradients of deep machines are gradients in other coordinates of the same machine.

mod common;

use common::deep::{deeps, entries, judge, means, packed};
use common::{all_close, key};
use harmonium::address::Address;
use harmonium::dbn::deep::{Centred, Dbm};
use harmonium::stats::Phases;
use harmonium::train::{Estimate, Estimator};
use harmonium::{Batch, EnergyModel, Gibbs};
use harmonium_oracle::deep::Deep;

/// Is an estimator whose phases are given: data and all even states alike.
struct Given(Batch, Vec<u64>);

impl Estimator<Dbm> for Given {
    fn check(&self) -> Result<(), harmonium::Error> {
        Ok(())
    }

    fn estimate(
        &mut self,
        model: &Dbm,
        _: &Batch,
        _: u32,
        _: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, harmonium::Error> {
        model.accumulate(&model.clamp(&self.0), &mut phases.positive);
        model.accumulate(&model.unpack(packed(&judge(model), &self.1))?, &mut phases.negative);
        Ok(Estimate::Phases)
    }
}

/// Takes parameters of the machine centred on μ to those of the machine itself: b_l = b̃_l − W_lᵀ μ_{l−1} − W_{l+1} μ_{l+1}.
fn uncentred(x: &Deep, theta: &[f64], mu: &[Vec<f64>]) -> Vec<f64> {
    let mut out = x.with_parameters(theta);
    for l in 0..mu.len() {
        let received = out.input(l, mu);
        out.biases[l].iter_mut().zip(received).for_each(|(b, i)| *b -= i);
    }
    out.parameters()
}

/// The centred gradient is T Tᵀ g, T being the change of coordinates, read off column by column: so it vanishes where g does, and a
/// small step along it lowers whatever g says is lowered, which leaves the law that training aims at as it is.
#[test]
fn centred_gradients_are_gradients_of_the_centred_machine() {
    for (dbm, enhanced) in deeps(0.6).into_iter().flat_map(|dbm| [false, true].map(|e| (dbm.clone(), e))) {
        let x = judge(&dbm);
        let data = common::batch(x.sizes[0], &[1, 2, 3, 3]);
        let all: Vec<u64> = (0..1 << x.units()).collect();
        let given = || Given(data.clone(), all.clone());
        let at = Address::new(key(1), 0);
        let mut phases = Phases::new(dbm.stats());
        let plain = given().estimate(&dbm, &data, 1, at, &mut phases).unwrap().gradient(&dbm, &phases);
        let g = entries(&plain);
        let mut centred = if enhanced { Centred::enhanced(given()) } else { Centred::new(given()) };
        let mut phases = Phases::new(dbm.stats());
        let found = centred.estimate(&dbm, &data, 1, at, &mut phases).unwrap().gradient(&dbm, &phases);
        let (mut mu, mut from) = (Vec::new(), 0);
        let (p, n) = (means(&dbm, &phases.positive), means(&dbm, &phases.negative));
        let mut next = |skip: usize, size: usize| {
            from += skip + size;
            let pick = |values: &[f64]| values[from - size..from].to_vec();
            let (p, n) = (pick(&p), pick(&n));
            let half = |(p, n): (&f64, f64)| if enhanced { 0.5 * p + 0.5 * n } else { *p };
            mu.push(p.iter().zip(n).map(half).collect::<Vec<f64>>());
        };
        next(x.sizes[0] * x.sizes[1], x.sizes[0]);
        next(0, x.sizes[1]);
        x.sizes.windows(2).skip(1).for_each(|pair| next(pair[0] * pair[1], pair[1]));
        // T is linear: its columns are images of unit vectors.
        let m = g.len();
        let column = |n: usize| {
            let unit: Vec<f64> = (0..m).map(|i| f64::from(u8::from(i == n))).collect();
            uncentred(&x, &unit, &mu)
        };
        let columns: Vec<Vec<f64>> = (0..m).map(column).collect();
        let across: Vec<f64> = columns.iter().map(|c| c.iter().zip(&g).map(|(t, g)| t * g).sum()).collect();
        let mut expected = vec![0.0; m];
        for (column, c) in columns.iter().zip(&across) {
            expected.iter_mut().zip(column).for_each(|(sum, t)| *sum += t * c);
        }
        // f32 sums of at most m terms up to 4.
        all_close(&entries(&found), &expected, m as f64 * 1e-6, (x.sizes.clone(), enhanced));
        assert_eq!(centred.offsets().is_some(), !enhanced);
    }
}
