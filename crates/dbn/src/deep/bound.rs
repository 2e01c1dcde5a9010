//! Computes the variational bound of ln p(v): what mean field says of the likelihood.

use harmonium_core::units::{Input, States, Unit};
use harmonium_core::{Batch, EnergyModel, Error};
use harmonium_kernels::product::Way;
use ndarray::{Array1, Array2};

use super::link::inputs;
use super::view::{From, wide};
use super::{Dbm, Posterior, View};

/// Rows whose bounds are computed at a time.
const BLOCK: usize = 1024;

impl Dbm {
    /// Computes `E_q[−E(v, h)] + H(q)` of each row, in nats, q being mean field: `(n, visible) → n`. Less ln Z it is a lower bound of
    /// ln p(v), and no value of it means anything beside an uncertain ln Z. With one hidden layer it is exact.
    ///
    /// q is known to 16 bits, and the bound with it: a mean that is off by 2^-17 moves it by that times what its unit receives
    /// too much or too little, which is nothing at rest.
    ///
    /// # Errors
    /// Refuses rows of another width or kind, and missing values.
    pub fn variational_bound(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_data(data)?;
        data.check_complete("data")?;
        let (view, states) = (self.view(), data.states());
        let starts = (0..states.rows()).step_by(BLOCK);
        let bounds = starts.flat_map(|start| {
            let rows = states.gather(start..states.rows().min(start + BLOCK));
            view.bounds(&rows, &view.mean_field(&rows))
        });
        Ok(bounds.collect())
    }
}

impl View<'_> {
    /// Adds −U(v) + Σ_l (Γ_l(J_l) − J_l·m_l) + Σ m_{l−1}·W_l·m_l, where q_l was made of the input J_l: the entropy of q_l is
    /// Γ_l(J_l) − J_l·m_l + E_q[U_l].
    fn bounds(&self, visible: &States, law: &Posterior) -> Vec<f64> {
        let measure = self.layers[0].log_measure(visible);
        let own = self.layers[0].energy(visible).into_iter().zip(measure);
        let mut total: Vec<f64> = own.map(|(energy, measure)| measure - energy).collect();
        let mut add = |values: Vec<f64>| total.iter_mut().zip(values).for_each(|(sum, x)| *sum += x);
        let mut features = vec![wide(&self.layers[0], visible)];
        for l in 1..self.layers.len() {
            let input = Input::reals(law.inputs[l - 1].clone(), self.gain);
            let means = self.layers[l].means_of(law.means(l)).mapv(f64::from);
            add(self.layers[l].cgf(&input));
            add(products(&input.values(), &means, mutant!("B246", -1.0, 0.0)));
            features.push(means);
        }
        for l in self.side(1) {
            add(products(&self.received(l, &features), &features[l], 1.0));
        }
        total
    }

    /// Gives what a layer receives from means of its neighbours, β included.
    fn received(&self, l: usize, features: &[Array2<f64>]) -> Vec<f32> {
        let terms: Vec<(usize, Array2<f64>)> = self.codes_about(l);
        let terms: Vec<_> =
            terms.iter().map(|(from, codes)| (features[*from].view(), codes.view())).collect();
        let nothing = Array2::zeros((features[0].nrows(), self.layers[l].features()));
        let sums = inputs(&nothing, &terms, self.dbm.grid.quantum());
        sums.into_iter().map(|x| x * self.gain).collect()
    }

    /// Gives the codes through which a layer receives, with the layer that they come from.
    pub(super) fn codes_about(&self, l: usize) -> Vec<(usize, Array2<f64>)> {
        let codes = |from: From<'_>| {
            let codes = from.link.codes();
            let forward = from.way == Way::Forward;
            (from.layer, if forward { codes } else { codes.reversed_axes() })
        };
        self.neighbours(l).into_iter().map(codes).collect()
    }
}

/// Computes sign · Σ I m of each row.
fn products(input: &[f32], means: &Array2<f64>, sign: f64) -> Vec<f64> {
    let rows = input.chunks(means.ncols()).zip(means.rows());
    rows.map(|(i, m)| sign * i.iter().zip(m).map(|(&i, m)| f64::from(i) * m).sum::<f64>()).collect()
}
