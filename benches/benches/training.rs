//! Times epochs of a 784 × 500 machine at several sizes of batches, and sweeps of 1000 chains.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use harmonium::prelude::*;
use harmonium::train::{Estimator, Training};

const ROWS: usize = 10_000;
const BATCHES: [usize; 3] = [10, 100, 1000];

fn strokes() -> Batch {
    let bit = |row: usize, unit: usize| (row * 131 + unit * 977 + row * unit) % 100 < 14;
    Batch::from_bits(harmonium::BitMatrix::from_fn(ROWS, 784, bit)).expect("rows and columns")
}

/// Times one epoch from the same beginning, with one chain a row of a batch.
fn epoch<E: Estimator<Rbm>>(c: &mut Criterion, name: &str, estimator: impl Fn(usize) -> E) {
    let (data, key) = (strokes(), Key::from_seed(1));
    let rbm = Rbm::for_data(&data, Units::Bernoulli(500), key).expect("a machine");
    let mut group = c.benchmark_group(format!("{name}, epoch of 10,000 rows"));
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    for batch in BATCHES {
        let options = Fit { epochs: 1, batch, ..Fit::default() };
        let beginning = || {
            let training = Training::new(&rbm, &data, &options).expect("options");
            (rbm.clone(), training, estimator(batch))
        };
        group.bench_function(BenchmarkId::new("batch", batch), |b| {
            b.iter_batched_ref(
                beginning,
                |(rbm, training, estimator)| training.run(rbm, &data, estimator, key, &mut Silent),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn epochs(c: &mut Criterion) {
    epoch(c, "cd-1", |_| Cd::new(1));
    epoch(c, "pcd-1", |chains| Pcd::new(1, chains));
}

fn sweeps(c: &mut Criterion) {
    let (data, key) = (strokes(), Key::from_seed(1));
    let rbm = Rbm::for_data(&data, Units::Bernoulli(500), key).expect("a machine");
    let mut state = rbm.init(1000, key);
    let mut group = c.benchmark_group("sweep of 1000 chains");
    group.throughput(Throughput::Elements(1000));
    let mut sweep = 0;
    group.bench_function("gibbs", |b| {
        b.iter(|| {
            rbm.sweep(&mut state, key.fold_in(sweep));
            sweep += 1;
        });
    });
    group.finish();
}

criterion_group!(benches, epochs, sweeps);
criterion_main!(benches);
