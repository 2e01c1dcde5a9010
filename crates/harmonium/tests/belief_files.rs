//! Proves that the training of a stack goes on in any phase bit for bit, through a file, and that files are what they hold.

mod common;

use std::ops::ControlFlow;
use std::path::Path;

use common::key;
use common::stacks::{data, on, plan, whole};
use harmonium::Batch;
use harmonium::dbn::stack::{Dbn, Greedy, Header, Phase, Progress, Recipe, Stacking, train};
use harmonium::persist::{Kind, Loaded, RealVfs, Tensor};
use harmonium::rbm::{Origin, Rbm};
use harmonium::train::Fit;
use harmonium::units::Units;
use ndarray::Array2;

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
    let mut other = plan();
    (other.layers[1].hidden, other.layers[1].transposed) = (Units::Bernoulli(9), false);
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
