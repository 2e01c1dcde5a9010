//! Proves that a stack trains as its plan says, goes on in any phase bit for bit, and gives the same bits on any number of threads.

mod common;

use std::ops::ControlFlow;
use std::path::Path;

use common::{batch, close, exact, key};
use harmonium::dbn::stack::{
    Bounding, Dbn, Greedy, Header, Inferred, Learner, Phase, Progress, Recipe, Sampling, Stacking, UpDown,
    train,
};
use harmonium::persist::{Kind, Loaded, RealVfs, Tensor};
use harmonium::rbm::{Origin, Rbm};
use harmonium::train::{Average, Cd, Fit, Method, Pcd, Schedule, Silent, fit};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel, HasParams, Rows};
use harmonium_oracle::rng::Rng;
use ndarray::Array2;

/// Rows of 8 bits: bars of four, shifted, with noise; the label says in which half they begin.
fn data() -> (Batch, Vec<Option<usize>>) {
    let mut rng = Rng::new(5);
    let starts: Vec<usize> = (0..40).map(|row| row * 3 % 8).collect();
    let noisy = |start: &usize| {
        let bar: u64 = (0..4).map(|n| 1 << ((start + n) % 8)).sum();
        (0..8).fold(bar, |bits, unit| if rng.bernoulli(0.05) { bits ^ 1 << unit } else { bits })
    };
    let rows: Vec<u64> = starts.iter().map(noisy).collect();
    let labels = starts.iter().enumerate().map(|(row, start)| (row % 9 != 4).then_some(start / 4)).collect();
    (batch(8, &rows), labels)
}

fn fitting() -> Fit {
    Fit { epochs: 3, batch: 7, learning_rate: Schedule::Linear { from: 0.2, to: 0.05 }, ..Fit::default() }
}

/// Three machines, each trained in its own way, a label at the top, and up-down with momentum and persistent chains.
fn plan() -> Greedy {
    let momentum = Method::Sgd { momentum: Schedule::Constant(0.5) };
    let first = Recipe { hidden: Units::Bernoulli(6), fit: fitting(), ..Recipe::default() };
    let second = Recipe {
        hidden: Units::Bernoulli(8),
        fit: Fit { method: momentum.clone(), ..fitting() },
        learner: Learner::Pcd(Pcd::new(1, 10)),
        transposed: true,
    };
    let average = Some(Average::exponential(0.8));
    let third = Recipe {
        hidden: Units::Bernoulli(5),
        fit: Fit { method: Method::adam(), average, ..fitting() },
        learner: Learner::Pcd(Pcd::new(2, 12)),
        transposed: false,
    };
    let tuning = UpDown {
        epochs: 3,
        batch: 7,
        learning_rate: Schedule::Linear { from: 0.1, to: 0.01 },
        method: momentum,
        k: Schedule::Constant(2.0),
        chains: 9,
        ..UpDown::default()
    };
    Greedy { layers: vec![first, second, third], classes: Some(2), tuning: Some(tuning), ..Greedy::default() }
}

fn on(_: &Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn whole() -> Dbn {
    let (rows, labels) = data();
    train(plan(), &rows, Some(&labels), key(3), &mut on).unwrap()
}

/// Sends a training through a file.
fn filed(stacking: &Stacking, folder: &Path) -> Stacking {
    let path = folder.join("training.hrm");
    let origin = Origin { seed: 3, step: 0, recipe: "{}".into() };
    stacking.save(&RealVfs, &path, &origin).unwrap();
    let (back, header) = Stacking::load(&RealVfs, &path, plan()).unwrap();
    assert_eq!((header.seed, header.recipe.as_str()), (3, "{}"));
    back
}

/// Stops in each phase, in the middle of an epoch, at the end of one, and at the last update.
#[test]
fn interrupted_trainings_give_the_same_bits() {
    let ((rows, labels), folder) = (data(), tempfile::tempdir().unwrap());
    let expected = whole();
    assert!(expected.is_untied());
    for phase in [Phase::Layer(1), Phase::Layer(2), Phase::Layer(3), Phase::UpDown] {
        for step in [4, 12, 18] {
            let mut stacking = Stacking::new(plan()).unwrap();
            let mut stop = |progress: &Progress<'_>| {
                if (progress.phase, progress.step) == (phase, step) {
                    ControlFlow::Break(())
                } else {
                    on(progress)
                }
            };
            let ended = stacking.run(&rows, Some(&labels), key(3), &mut stop).unwrap();
            assert!(step == 18 || ended.phase == phase, "{ended:?}");
            let mut resumed = filed(&stacking, folder.path());
            assert_eq!(resumed, stacking);
            let ended = resumed.run(&rows, Some(&labels), key(3), &mut on).unwrap();
            assert_eq!(ended.phase, Phase::Done);
            let found = resumed.finish().unwrap();
            assert_eq!(found.digest(), expected.digest(), "{phase} {step}");
            assert_eq!(found, expected, "{phase} {step}");
        }
    }
}

/// What an observer saves while the training goes on is as good as where it stops.
#[test]
fn checkpoints_on_the_way_give_the_same_bits() {
    let ((rows, labels), folder) = (data(), tempfile::tempdir().unwrap());
    let mut kept = Vec::new();
    let mut keep = |progress: &Progress<'_>| {
        if progress.step.is_multiple_of(8) {
            kept.push(progress.stacking());
        }
        on(progress)
    };
    let expected = train(plan(), &rows, Some(&labels), key(3), &mut keep).unwrap();
    assert_eq!(kept.len(), 8);
    for stacking in kept {
        let mut resumed = filed(&stacking, folder.path());
        resumed.run(&rows, Some(&labels), key(3), &mut on).unwrap();
        assert_eq!(resumed.finish().unwrap().digest(), expected.digest());
    }
}

#[test]
fn stacks_come_back_from_their_files() {
    let (folder, dbn) = (tempfile::tempdir().unwrap(), whole());
    let path = folder.path().join("stack.hrm");
    dbn.save(&RealVfs, &path, &Origin { seed: 7, ..Origin::default() }).unwrap();
    let (back, header) = Dbn::load(&RealVfs, &path).unwrap();
    assert_eq!((&back, back.digest(), header.seed, header.classes), (&dbn, dbn.digest(), 7, 2));
    assert!(Rbm::load(&RealVfs, &path).is_err());
    assert!(Stacking::load(&RealVfs, &path, plan()).is_err());
    let real = Array2::from_shape_fn((30, 3), |(r, u)| (r * (u + 2) % 7) as f32);
    let layer = |hidden| Recipe { hidden, fit: Fit { epochs: 1, ..Fit::default() }, ..Recipe::default() };
    let layers = vec![layer(Units::Bernoulli(4)), layer(Units::Spin(3))];
    let dbn =
        train(Greedy { layers, ..Greedy::default() }, &Batch::reals(real).unwrap(), None, key(1), &mut on);
    let dbn = dbn.unwrap();
    dbn.save(&RealVfs, &path, &Origin::default()).unwrap();
    assert_eq!(Dbn::load(&RealVfs, &path).unwrap().0, dbn);
    assert!(!dbn.is_untied() && dbn.rbms()[0].scaling().is_some());
}

/// A file of another plan says so.
#[test]
fn files_of_other_plans_are_refused() {
    let ((rows, labels), folder) = (data(), tempfile::tempdir().unwrap());
    let mut stacking = Stacking::new(plan()).unwrap();
    let mut stop = |progress: &Progress<'_>| {
        if progress.phase == Phase::Layer(2) { ControlFlow::Break(()) } else { on(progress) }
    };
    stacking.run(&rows, Some(&labels), key(3), &mut stop).unwrap();
    let path = folder.path().join("training.hrm");
    stacking.save(&RealVfs, &path, &Origin::default()).unwrap();
    let mut other = plan();
    other.layers[0].hidden = Units::Bernoulli(7);
    other.layers[1].transposed = false;
    assert!(Stacking::load(&RealVfs, &path, other).unwrap_err().to_string().contains("hidden units"));
    let unlabelled = Greedy { classes: None, ..plan() };
    assert!(Stacking::load(&RealVfs, &path, unlabelled).unwrap_err().to_string().contains("classes"));
    let short = Greedy { layers: plan().layers[..1].to_vec(), ..plan() };
    assert!(Stacking::load(&RealVfs, &path, short).unwrap_err().to_string().contains("machines"));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let digests = [1, 2, 3, 8].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| whole().digest())
    });
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
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

/// A file from which a part is taken, or to which one is added, is refused.
#[test]
fn damaged_files_are_refused() {
    let (header, tensors) = whole().to_tensors(&Origin::default());
    let loaded = |header: &Header, tensors: &[Tensor]| {
        let (header, tensors) = (header.clone(), tensors.to_vec());
        Dbn::from_loaded(Loaded { kind: Kind::Model, header, tensors })
    };
    assert_eq!(loaded(&header, &tensors).unwrap().0, whole());
    for at in 0..tensors.len() {
        let mut less = tensors.clone();
        less.remove(at);
        assert!(loaded(&header, &less).is_err(), "without {}", tensors[at].name);
    }
    let more = [&tensors[..], &[Tensor { name: "machine_9/weights".into(), ..tensors[0].clone() }]].concat();
    assert!(loaded(&header, &more).is_err());
    let mut wrong = [header.clone(), header.clone(), header.clone(), header.clone()];
    wrong[0].recognition.pop();
    wrong[1].machines.pop();
    wrong[2].classes = u64::MAX;
    wrong[3].model = "rbm".into();
    assert!(wrong.iter().all(|header| loaded(header, &tensors).is_err()));
}

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
    // The law of the start: the marginals of what is inferred, all rows once.
    let inferred = Inferred::new(&rows, vec![dbn.rbms()[0]], key(9));
    assert_eq!((inferred.rows(), inferred.units()), (40, 6));
    let mut again = Rbm::for_data(&inferred, Units::Bernoulli(4), key(9)).unwrap();
    fit(&mut again, &inferred, &mut Cd::new(1), &fitting(), key(9), &mut Silent).unwrap();
    let mut twin = Rbm::for_data(&inferred, Units::Bernoulli(4), key(9)).unwrap();
    fit(&mut twin, &inferred, &mut Learner::default(), &fitting(), key(9), &mut Silent).unwrap();
    assert_eq!(again.digest(), twin.digest());
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
        guard: harmonium::train::Guard { action: harmonium::train::Action::retry(), limit: 20.0, every: 2 },
        learning_rate: Schedule::Constant(30.0),
        ..plan().tuning.unwrap()
    };
    let mut tamed = Stacking::new(Greedy { tuning: Some(retry), ..plan() }).unwrap();
    let ended = tamed.run(&rows, Some(&labels), key(3), &mut on);
    assert!(ended.map_or_else(|e| e.to_string().contains("diverged"), |e| !e.notices.is_empty()));
    assert!(exact(tamed.stack().unwrap().rbms()[0]).weights.iter().all(|w| w.abs() <= 20.0));
    assert!(tamed.stack().unwrap().rbms()[0].check_data(&rows).is_ok());
}
