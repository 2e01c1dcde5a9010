//! Proves equal bits over threads and back ends, and inequality where something really differs.

mod common;

use common::recipe::{End, Recipe, data, machine, recipes};
use common::{exact, key};
use harmonium::evaluate::{Ais, Betas, forward};
use harmonium::train::Silent;
use harmonium::{Gibbs, HasParams, Marginal};
use harmonium_kernels::Backend;

/// Runs a recipe in a pool of its own. Forcing a back end changes speed alone, so that tests beside this one don't mind.
fn train(recipe: &Recipe, threads: usize, backend: Backend) -> End {
    backend.force();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| recipe.clone().whole(&mut Silent))
}

fn backends() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|backend| backend.available())
}

#[test]
fn threads_and_back_ends_change_no_bit_of_a_training() {
    for recipe in recipes() {
        let first = train(&recipe, 1, Backend::Scalar);
        for (threads, backend) in [1, 2, 3, 8].into_iter().flat_map(|n| backends().map(move |b| (n, b))) {
            assert!(train(&recipe, threads, backend) == first, "{threads} threads on {backend}: {recipe:?}");
        }
    }
}

/// Sampling, scores, exact and annealed ln Z.
fn values(threads: usize, backend: Backend) -> (Vec<u64>, String) {
    backend.force();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let rbm = machine();
        let mut state = rbm.init(100, key(2));
        (0..5).for_each(|n| rbm.sweep(&mut state, key(3).fold_in(n)));
        let f = rbm.free_energy(&data()).unwrap();
        let pseudo = rbm.pseudo_log_likelihood(&data()).unwrap();
        let options = Ais { runs: 64, betas: Betas::Count(20) };
        let annealed = forward(&rbm.path(rbm.base()).unwrap(), &options, key(4), &mut |_, _| {}).unwrap();
        let small = common::model(15, 40, 0.3, 9).log_z().unwrap();
        let numbers = format!("{annealed:?} {small:?} {f:?} {pseudo:?}");
        (state.visible().expect_bits().words().to_vec(), numbers)
    })
}

#[test]
fn threads_and_back_ends_change_no_bit_of_a_value() {
    let first = values(1, Backend::Scalar);
    for (threads, backend) in [1, 2, 3, 8].into_iter().flat_map(|n| backends().map(move |b| (n, b))) {
        assert!(values(threads, backend) == first, "{threads} threads on {backend}");
    }
}

/// The control: every recipe, seed and parameter shows in the digest.
#[test]
fn what_differs_has_another_digest() {
    let ends: Vec<String> = recipes().into_iter().map(|r| r.whole(&mut Silent).digest).collect();
    let different: std::collections::HashSet<&String> = ends.iter().collect();
    assert_eq!(different.len(), ends.len());
    let mut rbm = machine();
    let before = rbm.digest();
    rbm.blocks_mut()[2].values[39] = 1e-30;
    assert_ne!(rbm.digest(), before);
    assert_eq!(exact(&rbm).hidden_bias[39], f64::from(1e-30_f32));
}
