//! Times each kernel at 784 × 500 units and 100 rows, on every back end that this machine has.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use harmonium_kernels::bernoulli::{self, Affine, Input};
use harmonium_kernels::product::{Cells, Contrast, Pair, Product, Rule, Way, walk};
use harmonium_kernels::{Backend, BitMatrix, Coupling, Grid, Key, parallel};

const ROWS: usize = 100;
const VISIBLE: usize = 784;
const HIDDEN: usize = 500;
/// Operations of a dense product of these shapes.
const PRODUCT: u64 = (2 * ROWS * VISIBLE * HIDDEN) as u64;

/// Draws bits that are one with this probability.
fn bits(units: usize, density: f32, seed: u64) -> BitMatrix {
    let bias = vec![(density / (1.0 - density)).ln(); units];
    let affine = Affine { quantum: 1.0, gain: 1.0, bias: &bias };
    bernoulli::sample(&Input::Sums(&vec![0; ROWS * units]), &affine, Key::from_seed(seed))
}

/// Makes weights from −0.1 to 0.1.
fn weights() -> Vec<f32> {
    (0..VISIBLE * HIDDEN).map(|i| (i * 7919 % 10_007) as f32 * 2e-5 - 0.1).collect()
}

/// Makes biases from −4 to 4.
fn biases(units: usize) -> Vec<f32> {
    (0..units).map(|i| 8.0 * i as f32 / units as f32 - 4.0).collect()
}

/// Times the products alone, and fused with what becomes of them.
fn products(c: &mut Criterion, backend: Backend) {
    let weights = weights();
    let coupling = Coupling::new(&weights, VISIBLE, HIDDEN, Grid::settled(VISIBLE, HIDDEN, 0.11));
    let mut group = c.benchmark_group(format!("products/{backend}"));
    group.throughput(Throughput::Elements(PRODUCT));
    for (name, way, bits, units) in [
        ("forward", Way::Forward, bits(VISIBLE, 0.14, 1), HIDDEN),
        ("backward", Way::Backward, bits(HIDDEN, 0.3, 2), VISIBLE),
    ] {
        let product = Product::new(&bits, coupling, way);
        let bias = biases(units);
        let affine = Affine { quantum: product.quantum(), gain: 1.0, bias: &bias };
        let (input, key) = (Input::Product(product), Key::from_seed(1));
        group.bench_function(name, |b| b.iter(|| product.sums()));
        group.bench_function(format!("{name}, sampled"), |b| {
            b.iter(|| bernoulli::sample(&input, &affine, key));
        });
        group.bench_function(format!("{name}, means"), |b| {
            b.iter(|| bernoulli::probabilities(&input, &affine));
        });
    }
    group.finish();
}

/// Moves the weights by plain descent.
struct Descent(f32);

impl Rule<1> for Descent {
    const MARGINS: bool = false;

    #[inline(always)]
    fn apply(
        &self,
        _at: (usize, usize),
        sums: [&Cells<i32>; 2],
        [weights]: &mut [Cells<f32>; 1],
        _margins: (&mut f32, &mut Cells<f32>),
    ) {
        weights.iter_mut().zip(sums[0]).for_each(|(w, &sum)| *w += self.0 * sum as f32);
    }
}

/// Times the statistics of one phase, and the walk that contrasts two and moves the weights.
fn statistics(c: &mut Criterion, backend: Backend) {
    let means = vec![20_000_u16; ROWS * HIDDEN];
    let (data, chains) = (bits(VISIBLE, 0.14, 1), bits(VISIBLE, 0.14, 2));
    let pair = |bits: &BitMatrix| Pair::new(bits, means.clone());
    let (positive, negative) = ([pair(&data)], [pair(&chains)]);
    let mut group = c.benchmark_group(format!("statistics/{backend}"));
    group.bench_function("transposition", |b| b.iter(|| data.transposed()));
    group.throughput(Throughput::Elements(PRODUCT));
    group.bench_function("sums", |b| b.iter(|| positive[0].sums()));
    group.throughput(Throughput::Elements(2 * PRODUCT));
    let contrast = Contrast { positive: &positive, negative: &negative, joined: true };
    let mut weights = weights();
    group.bench_function("walk", |b| {
        b.iter(|| walk(contrast, [black_box(&mut weights)], &Descent(1e-12)));
    });
    group.finish();
}

/// Times what becomes of sums that are there already.
fn sampling(c: &mut Criterion, backend: Backend) {
    let bias = biases(VISIBLE);
    let affine = Affine { quantum: 1e-5, gain: 1.0, bias: &bias };
    let sums: Vec<i32> = (0..ROWS * VISIBLE).map(|i| (i * 7919 % 200_003) as i32 - 100_000).collect();
    let (input, key) = (Input::Sums(&sums), Key::from_seed(1));
    let mut group = c.benchmark_group(format!("sampling/{backend}"));
    group.throughput(Throughput::Elements((ROWS * VISIBLE) as u64));
    group.bench_function("sample", |b| b.iter(|| bernoulli::sample(&input, &affine, key)));
    group.bench_function("probabilities", |b| b.iter(|| bernoulli::probabilities(&input, &affine)));
    group.bench_function("both", |b| b.iter(|| bernoulli::sample_with_probabilities(&input, &affine, key)));
    group.bench_function("softplus", |b| b.iter(|| bernoulli::softplus(&input, &affine)));
    let mut words = vec![0; ROWS * VISIBLE];
    group.bench_function("words", |b| b.iter(|| bernoulli::fill(key, 0, black_box(&mut words))));
    group.finish();
}

fn all(c: &mut Criterion) {
    for backend in Backend::ALL.into_iter().filter(|backend| backend.available()) {
        backend.force();
        // As in a training, the other threads stand by between two calls.
        parallel::team(|| {
            products(c, backend);
            statistics(c, backend);
            sampling(c, backend);
        });
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
