//! Chooses a kind of units at run time.

use harmonium_kernels::{BitMatrix, Key};
use ndarray::Array2;

use super::{
    Bernoulli, Categorical, Count, Counts, Extra, Gaussian, Input, Means, Mixed, NoisyRectified, Rectified,
    Spin, States, Unit, Units,
};

/// One unit of a 16-bit probability.
const CODE: f32 = 1.0 / 65_536.0;

/// Is a layer of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// Units that are 0 or 1.
    Bernoulli(Bernoulli),
    /// Units that are −1 or +1.
    Spin(Spin),
    /// Units that take one of several classes.
    Categorical(Categorical),
    /// Real units.
    Gaussian(Gaussian),
    /// Real units with a kink at zero.
    Rectified(Rectified),
    /// Real units that are rectified after noise was added.
    NoisyRectified(NoisyRectified),
    /// Units that count.
    Count(Count),
    /// Parts of different kinds.
    Mixed(Mixed),
}

/// Asks the layer of whatever kind.
macro_rules! each {
    ($self:expr, $layer:ident => $out:expr) => {
        match $self {
            Layer::Bernoulli($layer) => $out,
            Layer::Spin($layer) => $out,
            Layer::Categorical($layer) => $out,
            Layer::Gaussian($layer) => $out,
            Layer::Rectified($layer) => $out,
            Layer::NoisyRectified($layer) => $out,
            Layer::Count($layer) => $out,
            Layer::Mixed($layer) => $out,
        }
    };
}

/// Makes a layer of the same kind.
macro_rules! alike {
    ($self:expr, $layer:ident => $out:expr) => {
        match $self {
            Layer::Bernoulli($layer) => Layer::Bernoulli($out),
            Layer::Spin($layer) => Layer::Spin($out),
            Layer::Categorical($layer) => Layer::Categorical($out),
            Layer::Gaussian($layer) => Layer::Gaussian($out),
            Layer::Rectified($layer) => Layer::Rectified($out),
            Layer::NoisyRectified($layer) => Layer::NoisyRectified($out),
            Layer::Count($layer) => Layer::Count($out),
            Layer::Mixed($layer) => Layer::Mixed($out),
        }
    };
}

impl Layer {
    /// Names the kind.
    pub fn units(&self) -> Units {
        let count = self.features();
        match self {
            Self::Bernoulli(_) => Units::Bernoulli(count),
            Self::Spin(_) => Units::Spin(count),
            Self::Categorical(layer) => {
                let classes = layer.classes();
                Units::Categorical { units: count / classes, classes }
            }
            Self::Gaussian(layer) if layer.extra().is_empty() => Units::Gaussian(count),
            Self::Gaussian(_) => Units::Diagonal(count),
            Self::Rectified(layer) if layer.sides().is_some() => Units::Drelu(count),
            Self::Rectified(_) => Units::Relu(count),
            Self::NoisyRectified(_) => Units::NoisyRelu(count),
            Self::Count(layer) => match layer.counts() {
                Counts::Binomial(trials) => Units::Binomial { units: count, trials },
                Counts::Poisson => Units::Poisson(count),
            },
            Self::Mixed(layer) => {
                Units::Mixed(layer.parts().into_iter().map(|(part, _)| part.units()).collect())
            }
        }
    }

    /// Gives the number of features.
    pub fn features(&self) -> usize {
        self.bias().len()
    }

    /// Gives the layer of bits 0 and 1, if it is one.
    pub fn bernoulli(&self) -> Option<&Bernoulli> {
        match self {
            Self::Bernoulli(layer) => Some(layer),
            _ => None,
        }
    }

    /// Makes states whose features are all zero: a place for those that are not drawn yet.
    pub fn rest(&self, rows: usize) -> States {
        if self.units().is_binary() {
            return States::Bits(BitMatrix::zeros(rows, self.features()));
        }
        States::Reals(Array2::zeros((rows, self.features())))
    }

    /// Computes I·x of each row, in nats: the energy that the input takes off.
    pub fn coupled(&self, state: &States, input: &Input<'_>) -> Vec<f64> {
        let (features, signs) = (self.features(), self.signs());
        let States::Bits(bits) = state else {
            let values = input.values();
            let row = |(x, input): (ndarray::ArrayView1<'_, f32>, &[f32])| {
                x.iter().zip(input).map(|(&x, &i)| f64::from(x) * f64::from(i)).sum()
            };
            return state
                .expect_reals()
                .rows()
                .into_iter()
                .zip(values.chunks_exact(features))
                .map(row)
                .collect();
        };
        let chosen = |row: usize, value: &dyn Fn(usize) -> f64| {
            let mut sum = 0.0;
            bits.for_each_one(row, |j| sum += value(j));
            if signs { 2.0 * sum - (0..features).map(value).sum::<f64>() } else { sum }
        };
        // Integers add exactly in f64.
        if let Some(sums) = input.sums() {
            let scale = f64::from(input.quantum) * f64::from(input.gain);
            return (0..bits.rows())
                .map(|r| chosen(r, &|j| f64::from(sums[r * features + j])) * scale)
                .collect();
        }
        let values = input.values();
        (0..bits.rows()).map(|r| chosen(r, &|j| f64::from(values[r * features + j]))).collect()
    }

    /// Gives the features themselves, spins as −1 and +1: `(n, features)`.
    pub fn features_of(&self, state: &States) -> Array2<f32> {
        let values = state.to_array();
        if self.signs() { values.mapv_into(|t| 2.0 * t - 1.0) } else { values }
    }

    /// Gives the means of the features, those of spins from −1 to 1: `(n, features)`.
    ///
    /// # Panics
    /// If the means are no whole rows.
    pub fn means_of(&self, means: &Means) -> Array2<f32> {
        let feature = |p: f32| if self.signs() { 2.0 * p - 1.0 } else { p };
        let values = match means {
            Means::Codes(codes) => codes.iter().map(|&code| feature(f32::from(code) * CODE)).collect(),
            Means::Reals(values) => values.clone(),
        };
        States::reals(values, self.features()).to_array()
    }

    /// Gives ln Z of the layer alone: Γ(0), in nats.
    pub fn log_z(&self) -> f64 {
        self.cgf(&Input::zero(1, self.features()))[0]
    }
}

impl From<Bernoulli> for Layer {
    fn from(layer: Bernoulli) -> Self {
        Self::Bernoulli(layer)
    }
}

impl Unit for Layer {
    fn bias(&self) -> &[f32] {
        each!(self, layer => layer.bias())
    }

    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>) {
        each!(self, layer => layer.parts_mut())
    }

    fn energy(&self, state: &States) -> Vec<f64> {
        each!(self, layer => layer.energy(state))
    }

    fn log_measure(&self, state: &States) -> Vec<f64> {
        each!(self, layer => layer.log_measure(state))
    }

    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        each!(self, layer => layer.cgf(input))
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        each!(self, layer => layer.mean(input))
    }

    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        each!(self, layer => layer.sample(input, key))
    }

    fn sample_with_means(&self, input: &Input<'_>, key: Key) -> (States, Means) {
        each!(self, layer => layer.sample_with_means(input, key))
    }

    fn mode(&self, input: &Input<'_>) -> States {
        each!(self, layer => layer.mode(input))
    }

    /// # Panics
    /// If the base is of another kind.
    fn anneal(&self, base: &Self, beta: f32) -> Self {
        match (self, base) {
            (Self::Bernoulli(own), Self::Bernoulli(base)) => Self::Bernoulli(own.anneal(base, beta)),
            (Self::Spin(own), Self::Spin(base)) => Self::Spin(own.anneal(base, beta)),
            (Self::Categorical(own), Self::Categorical(base)) => Self::Categorical(own.anneal(base, beta)),
            (Self::Gaussian(own), Self::Gaussian(base)) => Self::Gaussian(own.anneal(base, beta)),
            (Self::Rectified(own), Self::Rectified(base)) => Self::Rectified(own.anneal(base, beta)),
            (Self::NoisyRectified(own), Self::NoisyRectified(base)) => {
                Self::NoisyRectified(own.anneal(base, beta))
            }
            (Self::Count(own), Self::Count(base)) => Self::Count(own.anneal(base, beta)),
            (Self::Mixed(own), Self::Mixed(base)) => Self::Mixed(own.anneal(base, beta)),
            _ => panic!("a base of {} for {}", base.units(), self.units()),
        }
    }

    fn temper(&self, beta: f32) -> Self {
        alike!(self, layer => layer.temper(beta))
    }

    fn free(&self) -> Self {
        alike!(self, layer => layer.free())
    }

    fn signs(&self) -> bool {
        each!(self, layer => layer.signs())
    }

    fn extra(&self) -> Vec<Extra<'_>> {
        each!(self, layer => layer.extra())
    }

    fn extra_states(&self, state: &States) -> Vec<Array2<f32>> {
        each!(self, layer => layer.extra_states(state))
    }

    fn extra_means(&self, input: &Input<'_>) -> Vec<Array2<f32>> {
        each!(self, layer => layer.extra_means(input))
    }
}
