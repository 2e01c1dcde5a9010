//! Times each kernel at 784 × 500 units and 100 rows, on every back end that this machine has.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use harmonium_kernels::bernoulli::{self, Affine};
use harmonium_kernels::{Backend, BitMatrix, Coupling, Grid, Key, product};

const ROWS: usize = 100;
const VISIBLE: usize = 784;
const HIDDEN: usize = 500;

/// Draws bits that are one with this probability.
fn bits(units: usize, density: f32, seed: u64) -> BitMatrix {
    let bias = vec![(density / (1.0 - density)).ln(); units];
    let affine = Affine { quantum: 1.0, gain: 1.0, bias: &bias };
    bernoulli::sample(&vec![0; ROWS * units], &affine, Key::from_seed(seed))
}

fn products(c: &mut Criterion, backend: Backend) {
    let weights: Vec<f32> = (0..VISIBLE * HIDDEN).map(|i| (i * 7919 % 10_007) as f32 * 2e-5 - 0.1).collect();
    let coupling = Coupling::new(&weights, VISIBLE, HIDDEN, Grid::settled(VISIBLE, HIDDEN, 0.11));
    let (v, h) = (bits(VISIBLE, 0.14, 1), bits(HIDDEN, 0.3, 2));
    let p16 = vec![20_000_u16; ROWS * HIDDEN];
    let mut group = c.benchmark_group(format!("products/{backend}"));
    group.throughput(Throughput::Elements((2 * ROWS * VISIBLE * HIDDEN) as u64));
    let mut sums = vec![0; ROWS * HIDDEN];
    group.bench_function("forward", |b| b.iter(|| product::forward(&v, &coupling, black_box(&mut sums))));
    let mut sums = vec![0; ROWS * VISIBLE];
    group.bench_function("backward", |b| b.iter(|| product::backward(&h, &coupling, black_box(&mut sums))));
    let mut sums = vec![0; VISIBLE * HIDDEN];
    group.bench_function("statistics", |b| {
        b.iter(|| product::add_statistics(&v, &p16, HIDDEN, black_box(&mut sums)));
    });
    group.finish();
}

fn sampling(c: &mut Criterion, backend: Backend) {
    let bias: Vec<f32> = (0..VISIBLE).map(|i| i as f32 * 0.01 - 4.0).collect();
    let affine = Affine { quantum: 1e-5, gain: 1.0, bias: &bias };
    let sums: Vec<i32> = (0..ROWS * VISIBLE).map(|i| (i * 7919 % 200_003) as i32 - 100_000).collect();
    let mut group = c.benchmark_group(format!("sampling/{backend}"));
    group.throughput(Throughput::Elements((ROWS * VISIBLE) as u64));
    group.bench_function("sample", |b| b.iter(|| bernoulli::sample(&sums, &affine, Key::from_seed(1))));
    group.bench_function("probabilities", |b| b.iter(|| bernoulli::probabilities(&sums, &affine)));
    group.bench_function("softplus", |b| b.iter(|| bernoulli::softplus(&sums, &affine)));
    group.finish();
}

fn all(c: &mut Criterion) {
    for backend in Backend::ALL.into_iter().filter(|backend| backend.available()) {
        backend.force();
        products(c, backend);
        sampling(c, backend);
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
