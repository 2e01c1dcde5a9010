//! Times epochs of backpropagation through 784-500-500-2000-10 at several sizes of batches: f32 products above all.

use std::ops::ControlFlow;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use harmonium::dbn::net::{Activation, Network, Omit, Targets, Tuning, tune};
use harmonium::prelude::*;
use ndarray::Array2;

const ROWS: usize = 4_000;
const SIZES: [usize; 5] = [784, 500, 500, 2000, 10];
const ACTIVATIONS: [Activation; 4] =
    [Activation::Sigmoid, Activation::Sigmoid, Activation::Sigmoid, Activation::Softmax];

fn grey() -> Batch {
    let value = |(row, unit): (usize, usize)| ((row * 131 + unit * 977 + row * unit) % 256) as f32 / 255.0;
    Batch::reals(Array2::from_shape_fn((ROWS, SIZES[0]), value)).expect("rows and columns")
}

fn epochs(c: &mut Criterion) {
    let (data, key) = (grey(), Key::from_seed(1));
    let labels: Vec<Option<usize>> = (0..ROWS).map(|row| Some(row * 7 % 10)).collect();
    let network = Network::new(&SIZES, &ACTIVATIONS, key).expect("a network");
    let mut group = c.benchmark_group("backpropagation, epoch of 4,000 rows");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    for (name, dropout) in [("plain", 0.0), ("dropout", 0.5)] {
        for batch in [100, 1000] {
            let dropout = Omit { inputs: 0.4 * dropout, hidden: dropout };
            let method = Method::Sgd { momentum: Schedule::Constant(0.9) };
            let options = Tuning { epochs: 1, batch, method, dropout, ..Tuning::default() };
            group.bench_function(BenchmarkId::new(name, batch), |b| {
                b.iter_batched_ref(
                    || network.clone(),
                    |network| {
                        let targets = Targets::Classes(&labels);
                        tune(network, &data, &targets, &options, key, &mut |_| ControlFlow::Continue(()))
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, epochs);
criterion_main!(benches);
