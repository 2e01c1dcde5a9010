//! Computes losses of feed-forward networks and their gradients by the chain rule, and bounds what f32 may err by.
//!
//! Every number carries a bound: how far an evaluation in f32 may be from it, if sums are taken in any order and elementary
//! functions err by what [`Num`]'s constants say. The value itself is f64, written from the formulas.

/// The f32 unit roundoff, 2⁻²⁴.
const U: f64 = 1.0 / 16_777_216.0;
/// The error of an elementary function: relative for e^x and σ, absolute for tanh and softplus (per max(1, value)).
const FUNCTION: f64 = 6e-7;

/// Is a number with the bound of its f32 evaluation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Num {
    /// The number in f64.
    pub value: f64,
    /// How far its f32 evaluation may be.
    pub error: f64,
}

/// Names what a layer does with its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// 1 / (1 + e^−z).
    Sigmoid,
    /// z.
    Linear,
    /// max(0, z).
    Relu,
    /// tanh z.
    Tanh,
    /// e^z / Σ e^z.
    Softmax,
}

/// Names what is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// −Σ t ln y for a softmax, −Σ t ln y + (1 − t) ln(1 − y) for sigmoid units.
    CrossEntropy,
    /// ½ Σ (y − t)².
    Squared,
}

/// Is a layer y = f(x W + b).
#[derive(Clone, Debug)]
pub struct Layer {
    /// W, one list of weights an input.
    pub weights: Vec<Vec<f64>>,
    /// b.
    pub bias: Vec<f64>,
    /// f.
    pub activation: Activation,
}

/// Is a batch: rows, targets, and what layers' inputs are multiplied with (`masks[layer][row][unit]`; none where a list is
/// empty).
#[derive(Clone, Debug)]
pub struct Batch {
    /// Values of each row.
    pub rows: Vec<Vec<f64>>,
    /// Targets of each row; of a class its indicator.
    pub targets: Vec<Vec<f64>>,
    /// Masks by layer.
    pub masks: Vec<Vec<Vec<f64>>>,
}

impl Num {
    /// Takes a number that f32 holds.
    pub fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    fn times(self, other: Self) -> Self {
        let value = self.value * other.value;
        let error =
            self.value.abs() * other.error + other.value.abs() * self.error + self.error * other.error;
        Self { value, error: error + U * (value.abs() + error) }
    }

    /// Adds terms in any order: each partial sum is at most Σ |term|.
    fn sum(terms: impl Iterator<Item = Self>) -> Self {
        let (mut out, mut size, mut count) = (Self::default(), 0.0, 0.0);
        for term in terms {
            out.value += term.value;
            out.error += term.error;
            size += term.value.abs() + term.error;
            count += 1.0;
        }
        Self { error: out.error + count * U * 1.001 * size, ..out }
    }

    fn minus(self, other: Self) -> Self {
        Self::sum([self, Self { value: -other.value, ..other }].into_iter())
    }
}

impl Activation {
    /// Computes y; slopes are at most ¼ for σ and 1 for the others.
    fn apply(self, z: &[Num]) -> Vec<Num> {
        let each = |f: &dyn Fn(f64) -> f64, slope: f64, own: &dyn Fn(f64) -> f64| {
            let one = |z: &Num| Num { value: f(z.value), error: slope * z.error + own(f(z.value)) };
            z.iter().map(one).collect()
        };
        match self {
            Self::Sigmoid => each(&sigmoid, 0.25, &|y| FUNCTION * y),
            Self::Linear => z.to_vec(),
            Self::Relu => each(&|z| z.max(0.0), 1.0, &|_| 0.0),
            Self::Tanh => each(&f64::tanh, 1.0, &|_| FUNCTION),
            Self::Softmax => softmax(z),
        }
    }

    /// Computes f′(z) from y and z.
    fn slope(self, y: Num, z: Num) -> Num {
        let one = Num::exact(1.0);
        match self {
            Self::Sigmoid => y.times(one.minus(y)),
            Self::Tanh => one.minus(y.times(y)),
            Self::Relu => {
                assert!(z.value.abs() > z.error, "an input too near to the kink for f32: {z:?}");
                Num::exact(if z.value > 0.0 { 1.0 } else { 0.0 })
            }
            Self::Linear | Self::Softmax => one,
        }
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// ln y = z − ln Σ e^z moves by at most the move of z and the largest of all; functions err relatively.
fn softmax(z: &[Num]) -> Vec<Num> {
    let most = z.iter().fold(f64::NEG_INFINITY, |most, z| most.max(z.value));
    let sum: f64 = z.iter().map(|z| (z.value - most).exp()).sum();
    let own = |z: &Num| z.error + U * (z.value - most).abs() + FUNCTION;
    let worst = z.iter().map(own).fold(0.0, f64::max);
    z.iter()
        .map(|z| {
            let value = (z.value - most).exp() / sum;
            Num { value, error: value * (own(z) + worst).exp_m1() + U }
        })
        .collect()
}

/// Computes the loss of a row and its derivatives by the inputs of the last layer.
fn ends(loss: Loss, activation: Activation, z: &[Num], t: &[f64]) -> (Num, Vec<Num>) {
    let y = activation.apply(z);
    let difference: Vec<Num> = y.iter().zip(t).map(|(y, &t)| y.minus(Num::exact(t))).collect();
    match (loss, activation) {
        (Loss::CrossEntropy, Activation::Softmax) => {
            let most = z.iter().fold(f64::NEG_INFINITY, |most, z| most.max(z.value));
            let log_sum = most + z.iter().map(|z| (z.value - most).exp()).sum::<f64>().ln();
            let value = z.iter().zip(t).map(|(z, t)| t * (log_sum - z.value)).sum();
            (Num { value, error: 2.0 * z.iter().map(|z| z.error).fold(0.0, f64::max) }, difference)
        }
        (Loss::CrossEntropy, Activation::Sigmoid) => {
            let terms = z.iter().zip(t).map(|(z, &t)| {
                let soft = z.value.max(0.0) + (-z.value.abs()).exp().ln_1p();
                let soft = Num { value: soft, error: z.error + FUNCTION * soft.max(1.0) };
                soft.minus(z.times(Num::exact(t)))
            });
            (Num::sum(terms), difference)
        }
        (Loss::Squared, _) => {
            let square = Num::sum(difference.iter().map(|d| d.times(*d)));
            let slopes = y.iter().zip(z).map(|(&y, &z)| activation.slope(y, z));
            let delta = difference.iter().zip(slopes).map(|(d, slope)| d.times(slope)).collect();
            (square.times(Num::exact(0.5)), delta)
        }
        _ => panic!("no cross-entropy of {activation:?}"),
    }
}

/// Computes the outputs of rows.
pub fn outputs(layers: &[Layer], row: &[f64]) -> Vec<f64> {
    let x: Vec<Num> = row.iter().map(|&x| Num::exact(x)).collect();
    layers
        .iter()
        .fold(x, |x, layer| layer.activation.apply(&inputs(layer, &x)))
        .iter()
        .map(|y| y.value)
        .collect()
}

fn inputs(layer: &Layer, x: &[Num]) -> Vec<Num> {
    let unit = |j: usize| {
        let terms = x.iter().zip(&layer.weights).map(|(x, w)| x.times(Num::exact(w[j])));
        Num::sum(terms.chain([Num::exact(layer.bias[j])]))
    };
    (0..layer.bias.len()).map(unit).collect()
}

/// Computes the mean loss, and its gradient in the order W₁ (input by input), b₁, W₂, …
pub fn gradient(layers: &[Layer], batch: &Batch, loss: Loss) -> (Num, Vec<Num>) {
    let share = Num::exact(1.0 / batch.rows.len() as f64);
    let mut losses = Vec::new();
    // Derivatives of each layer's inputs, and what it read, row by row.
    let mut deltas: Vec<Vec<Vec<Num>>> = vec![Vec::new(); layers.len()];
    let mut reads = deltas.clone();
    for row in 0..batch.rows.len() {
        let (own, delta, read) = of_row(layers, batch, row, loss);
        losses.push(own.times(share));
        deltas.iter_mut().zip(delta).for_each(|(all, one)| all.push(one));
        reads.iter_mut().zip(read).for_each(|(all, one)| all.push(one));
    }
    let mut entries = Vec::new();
    for ((layer, deltas), reads) in layers.iter().zip(&deltas).zip(&reads) {
        // Entry (i, j) is Σ over rows of x_i δ_j / n; a bias reads 1.
        let (inputs, units) = (layer.weights.len(), layer.bias.len());
        for (i, j) in (0..=inputs).flat_map(|i| (0..units).map(move |j| (i, j))) {
            let rows = reads.iter().zip(deltas);
            entries.push(Num::sum(rows.map(|(x, delta)| {
                let share = delta[j].times(share);
                x.get(i).map_or(share, |x| x.times(share))
            })));
        }
    }
    (Num::sum(losses.into_iter()), entries)
}

type Lines = Vec<Vec<Num>>;

fn of_row(layers: &[Layer], batch: &Batch, row: usize, loss: Loss) -> (Num, Lines, Lines) {
    let mask = |layer: usize, unit: usize| {
        Num::exact(batch.masks.get(layer).and_then(|rows| rows.get(row)).map_or(1.0, |units| units[unit]))
    };
    let mut x: Vec<Num> = batch.rows[row].iter().map(|&x| Num::exact(x)).collect();
    let (mut reads, mut zs, mut ys) = (Vec::new(), Vec::new(), Vec::new());
    for (l, layer) in layers.iter().enumerate() {
        x = x.into_iter().enumerate().map(|(unit, x)| x.times(mask(l, unit))).collect();
        let z = inputs(layer, &x);
        let y = layer.activation.apply(&z);
        reads.push(std::mem::replace(&mut x, y.clone()));
        zs.push(z);
        ys.push(y);
    }
    let last = layers.len() - 1;
    let (own, top) = ends(loss, layers[last].activation, &zs[last], &batch.targets[row]);
    let mut deltas = vec![top];
    for l in (0..last).rev() {
        let above = &deltas[0];
        let unit = |i: usize| {
            let terms = above.iter().zip(&layers[l + 1].weights[i]).map(|(d, &w)| d.times(Num::exact(w)));
            Num::sum(terms).times(mask(l + 1, i)).times(layers[l].activation.slope(ys[l][i], zs[l][i]))
        };
        let below = (0..layers[l].bias.len()).map(unit).collect();
        deltas.insert(0, below);
    }
    (own, deltas, reads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn network(sizes: &[usize], activations: &[Activation], rng: &mut Rng) -> Vec<Layer> {
        let layer = |(pair, &activation): (&[usize], &Activation)| Layer {
            weights: (0..pair[0]).map(|_| (0..pair[1]).map(|_| rng.normal()).collect()).collect(),
            bias: (0..pair[1]).map(|_| 0.5 * rng.normal()).collect(),
            activation,
        };
        sizes.windows(2).zip(activations).map(layer).collect()
    }

    fn moved(layers: &[Layer], entry: usize, by: f64) -> Vec<Layer> {
        let (mut out, mut left) = (layers.to_vec(), entry);
        let mut places: Vec<&mut Vec<f64>> =
            out.iter_mut().flat_map(|layer| layer.weights.iter_mut().chain([&mut layer.bias])).collect();
        for values in &mut places {
            if left < values.len() {
                values[left] += by;
                break;
            }
            left -= values.len();
        }
        out
    }

    /// Central differences at h = 1e-5 err by h² times the third derivative, below 1e-8 here, and by 1e-15 / h.
    #[test]
    fn gradients_are_those_of_finite_differences() {
        use Activation::{Linear, Relu, Sigmoid, Softmax, Tanh};
        let heads = [
            (Softmax, Loss::CrossEntropy),
            (Sigmoid, Loss::CrossEntropy),
            (Sigmoid, Loss::Squared),
            (Linear, Loss::Squared),
            (Tanh, Loss::Squared),
            (Relu, Loss::Squared),
        ];
        for hidden in [Sigmoid, Linear, Relu, Tanh] {
            for (head, loss) in heads {
                let mut rng = Rng::new(3);
                let layers = network(&[3, 4, 2, 3], &[hidden, hidden, head], &mut rng);
                let mut lines = |n: usize, mut f: Box<dyn FnMut(&mut Rng) -> f64>| -> Vec<Vec<f64>> {
                    (0..5).map(|_| (0..n).map(|_| f(&mut rng)).collect()).collect()
                };
                let rows = lines(3, Box::new(Rng::normal));
                let masks = vec![
                    Vec::new(),
                    lines(4, Box::new(|rng| if rng.bernoulli(0.5) { 2.0 } else { 0.0 })),
                    lines(2, Box::new(|rng| if rng.bernoulli(0.7) { 1.5 } else { 0.0 })),
                ];
                let targets = match head {
                    Softmax => {
                        (0..5).map(|r| (0..3).map(|c| f64::from(u8::from(c == r % 3))).collect()).collect()
                    }
                    _ => lines(3, Box::new(Rng::uniform)),
                };
                let batch = Batch { rows, targets, masks };
                let (_, entries) = gradient(&layers, &batch, loss);
                for (entry, exact) in entries.iter().enumerate() {
                    let at = |by| gradient(&moved(&layers, entry, by), &batch, loss).0.value;
                    let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                    let bound = 1e-6 * exact.value.abs().max(1.0);
                    assert!((exact.value - difference).abs() < bound, "{hidden:?} {head:?} {loss:?} {entry}");
                }
            }
        }
    }
}
