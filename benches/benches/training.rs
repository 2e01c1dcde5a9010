//! Times updates of a 784 × 500 machine and sweeps of 1000 chains.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use harmonium::prelude::*;
use harmonium::train::Training;

const ROWS: usize = 10_000;

fn strokes() -> Batch {
    let bit = |row: usize, unit: usize| (row * 131 + unit * 977 + row * unit) % 100 < 14;
    Batch::from_bits(harmonium::BitMatrix::from_fn(ROWS, 784, bit)).expect("rows and columns")
}

fn epoch(c: &mut Criterion) {
    let (data, key) = (strokes(), Key::from_seed(1));
    let options = Fit { epochs: 1, ..Fit::default() };
    let rbm = Rbm::for_data(&data, Units::Bernoulli(500), key).expect("a machine");
    let mut group = c.benchmark_group("epoch of 10,000 rows");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    group.bench_function("cd-1", |b| {
        b.iter(|| {
            let mut training = Training::new(&rbm, &data, &options).expect("options");
            training.run(&mut rbm.clone(), &data, &mut Cd::default(), key, &mut Silent)
        });
    });
    group.bench_function("pcd-1", |b| {
        b.iter(|| {
            let mut training = Training::new(&rbm, &data, &options).expect("options");
            training.run(&mut rbm.clone(), &data, &mut Pcd::default(), key, &mut Silent)
        });
    });
    group.finish();
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

criterion_group!(benches, epoch, sweeps);
criterion_main!(benches);
