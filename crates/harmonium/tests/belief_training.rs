//! Proves that a stack trains as its plan says, machine by machine, and the same on any number of threads.

mod common;

use common::stacks::{data, fitting, on, plan};
use common::{close, exact, key};
use harmonium::dbn::stack::{
    Bounding, Greedy, Inferred, Learner, Phase, Progress, Recipe, Sampling, Stacking, UpDown, train,
};
use harmonium::rbm::Rbm;
use harmonium::train::{Action, Average, Cd, Fit, Guard, Pcd, Schedule, Silent, fit};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel, HasParams, Rows};

/// Machine 2 is what core's `fit` makes of what machine 1 infers, from the same start.
#[test]
fn layers_are_trained_by_fit() {
    let (rows, _) = data();
    let recipe = |units| Recipe { hidden: Units::Bernoulli(units), fit: fitting(), ..Recipe::default() };
    let layers = vec![recipe(6), recipe(4)];
    let mut seeds = Vec::new();
    let mut first_step = None;
    let mut watch = |progress: &Progress<'_>| {
        seeds.push((progress.phase, progress.step));
        if progress.phase == Phase::Layer(2) && progress.step == 1 {
            first_step = Some(progress.machine.clone());
        }
        on(progress)
    };
    let dbn = train(Greedy { layers, ..Greedy::default() }, &rows, None, key(3), &mut watch).unwrap();
    assert_eq!(seeds.len(), 36);
    assert_eq!(seeds[18], (Phase::Layer(2), 1));
    assert_ne!(first_step.unwrap().digest(), dbn.rbms()[1].digest());
    // What stands for the seed of layer 2: `key / 2^40 / 1`.
    let own = key(3).fold_in(1 << 40).fold_in(1);
    let inferred = Inferred::new(&rows, vec![dbn.rbms()[0]], own);
    assert_eq!((inferred.rows(), inferred.units()), (40, 6));
    let mut start = Rbm::new(Units::Bernoulli(6), Units::Bernoulli(4), own).unwrap();
    start.set_marginals(&inferred).unwrap();
    let (marginals, hidden) = (start.base().clone(), start.hidden().clone());
    let mut again = Rbm::from_layers(start.weights(), marginals, hidden).unwrap();
    fit(&mut again, &inferred, &mut Cd::new(1), &fitting(), own, &mut Silent).unwrap();
    assert_eq!(again.digest(), dbn.rbms()[1].digest());
}

/// A second machine that starts as the first one upside down keeps the bound, and its training raises it (Hinton, Osindero & Teh 2006,
/// section 4).
#[test]
fn second_machines_raise_the_bound() {
    let (rows, _) = data();
    let fitted =
        |epochs, rate| Fit { epochs, batch: 10, learning_rate: Schedule::Constant(rate), ..Fit::default() };
    let first = Recipe { hidden: Units::Bernoulli(5), fit: fitted(200, 0.2), ..Recipe::default() };
    let second = |epochs| Recipe {
        hidden: Units::Bernoulli(8),
        fit: fitted(epochs, 0.1),
        learner: Learner::Pcd(Pcd::new(5, 200)),
        transposed: true,
    };
    let bound = |epochs| {
        let layers = vec![first.clone(), second(epochs)];
        let dbn = train(Greedy { layers, ..Greedy::default() }, &rows, None, key(3), &mut on).unwrap();
        (dbn.bound(&rows, &Bounding::default(), key(1)).unwrap().bound, dbn)
    };
    let ((start, dbn), (end, _)) = (bound(0), bound(300));
    let alone = dbn.rbms()[0].exact_likelihood(&rows).unwrap().log_likelihood;
    close(start, alone, 1e-4, "the machine below");
    assert!(end > start + 0.01, "{start} to {end}");
}

/// Two machines of one shape that nothing has trained yet are drawn at addresses of their own.
#[test]
fn layers_have_keys_of_their_own() {
    let (rows, _) = data();
    let none =
        Recipe { hidden: Units::Bernoulli(8), fit: Fit { epochs: 0, ..fitting() }, ..Recipe::default() };
    let plan = Greedy { layers: vec![none; 3], ..Greedy::default() };
    let dbn = train(plan, &rows, None, key(3), &mut on).unwrap();
    let all: Vec<_> = dbn.rbms().into_iter().map(Rbm::weights).collect();
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
}

/// A recipe that asks for an average gets it.
#[test]
fn averages_are_what_is_kept() {
    let (rows, _) = data();
    let run = |average| {
        let fit = Fit { average, ..fitting() };
        let layers = vec![Recipe { hidden: Units::Bernoulli(4), fit, ..Recipe::default() }];
        train(Greedy { layers, ..Greedy::default() }, &rows, None, key(3), &mut on).unwrap().digest()
    };
    assert_ne!(run(None), run(Some(Average::exponential(0.8))));
}

/// Numbers that run away end with an error and leave the training where it was.
#[test]
fn runaway_trainings_change_nothing() {
    let (rows, labels) = data();
    let mut wild = plan();
    wild.tuning = Some(UpDown { learning_rate: Schedule::Constant(1e6), ..plan().tuning.unwrap() });
    let mut stacking = Stacking::new(wild).unwrap();
    let error = stacking.run(&rows, Some(&labels), key(3), &mut on).unwrap_err().to_string();
    assert!(error.starts_with("training diverged"), "{error}");
    assert_eq!(stacking.phase(), Phase::UpDown);
    let greedy = Greedy { tuning: None, ..plan() };
    let expected = train(greedy, &rows, Some(&labels), key(3), &mut on).unwrap();
    assert_eq!(stacking.stack().unwrap().digest(), expected.digest());
    let retry = UpDown {
        guard: Guard { action: Action::retry(), limit: 20.0, every: 2 },
        learning_rate: Schedule::Constant(30.0),
        ..plan().tuning.unwrap()
    };
    let mut tamed = Stacking::new(Greedy { tuning: Some(retry), ..plan() }).unwrap();
    let ended = tamed.run(&rows, Some(&labels), key(3), &mut on);
    assert!(ended.map_or_else(|e| e.to_string().contains("diverged"), |e| !e.notices.is_empty()));
    assert!(exact(tamed.stack().unwrap().rbms()[0]).weights.iter().all(|w| w.abs() <= 20.0));
    assert!(tamed.stack().unwrap().rbms()[0].check_data(&rows).is_ok());
}

/// Several tasks of a product, several blocks of its rows: what a wide stack trains to, draws and computes.
#[test]
fn wide_stacks_give_the_same_bits_on_any_number_of_threads() {
    let rows = Batch::from_bits(common::coins(300, 130, 4)).unwrap();
    let fit = Fit { epochs: 1, batch: 150, ..Fit::default() };
    let layer = |units| Recipe { hidden: Units::Bernoulli(units), fit: fit.clone(), ..Recipe::default() };
    let tuning =
        UpDown { epochs: 1, batch: 300, learning_rate: Schedule::Constant(1.0), ..UpDown::default() };
    let plan =
        Greedy { layers: vec![layer(100), layer(70), layer(9)], tuning: Some(tuning), ..Greedy::default() };
    let all = [1, 2, 3, 8].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let dbn = train(plan.clone(), &rows, None, key(3), &mut on).unwrap();
            let options = Sampling { chains: 150, sweeps: 4, class: None };
            let sample = dbn.sample(&options, key(4), &mut |_| ()).unwrap();
            let bound = dbn.bound(&rows, &Bounding { draws: 2, ..Bounding::default() }, key(5)).unwrap();
            let features = dbn.transform(&rows, 3).unwrap();
            (dbn.digest(), sample, bound, features, dbn.reconstruct(&rows, 3, key(6)).unwrap())
        })
    });
    assert!(all.iter().all(|found| *found == all[0]));
}
