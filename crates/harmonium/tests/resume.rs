//! Proves that a stopped training goes on bit for bit, from every step, and that a refused snapshot changes nothing.

mod common;

use std::ops::ControlFlow;

use common::recipe::{Any, End, Recipe, data, further, machine, others, recipes};
use harmonium::persist::{Kind, Loaded};
use harmonium::rbm::{Origin, Rbm};
use harmonium::train::{Kept, Pcd, Silent, Snapshot, Step, Training};
use harmonium::{EnergyModel, HasParams};

/// Runs a whole training and keeps the snapshot after every step.
fn snapshots(recipe: &Recipe) -> (End, Vec<Snapshot>) {
    let mut kept = Vec::new();
    let mut keep = |step: &Step<'_, Rbm>| {
        kept.push(step.snapshot());
        ControlFlow::Continue(())
    };
    let end = recipe.clone().whole(&mut keep);
    (end, kept)
}

/// Sends a snapshot through a checkpoint's header and tensors and back.
fn filed(snapshot: &Snapshot) -> Snapshot {
    let mut rbm = machine();
    rbm.restore(&snapshot.params, snapshot.shift).expect("parameters on their grid");
    let (header, tensors) = rbm.to_checkpoint(snapshot, &Origin::default());
    let (_, back, _) =
        Rbm::from_checkpoint(Loaded { kind: Kind::Checkpoint, header, tensors }).expect("a checkpoint");
    assert!(back == *snapshot, "a checkpoint loses a part");
    back
}

fn restore(recipe: &mut Recipe, snapshot: &Snapshot) -> Result<(Training, Rbm), harmonium::Error> {
    // Another seed's machine, so that nothing is left over from the first run.
    let mut rbm = Rbm::new(
        harmonium::units::Units::Bernoulli(70),
        harmonium::units::Units::Bernoulli(40),
        common::key(77),
    )?;
    let mut training = Training::new(&rbm, &data(), &recipe.options)?;
    training.restore(&mut rbm, recipe.estimator.get_mut(), snapshot)?;
    Ok((training, rbm))
}

fn chains(chains: usize, units: usize) -> Kept {
    Kept::default().with_chains(Some(&common::coins(chains, units, 1).into()))
}

#[test]
fn a_training_resumed_after_any_step_ends_alike() {
    for recipe in recipes().into_iter().chain(others()).chain(further()) {
        let mut average = None;
        let last = recipe.clone().whole(&mut |step: &Step<'_, Rbm>| {
            average = step.averaged().map(|average| (average.digest(), average.params()));
            ControlFlow::Continue(())
        });
        let (end, kept) = snapshots(&recipe);
        assert!(end == last && average.is_some() == recipe.options.average.is_some());
        assert_eq!((end.steps, kept.len()), (9, 9));
        for (step, snapshot) in kept.iter().enumerate() {
            let mut again = recipe.clone();
            let (mut training, mut rbm) = restore(&mut again, &filed(snapshot)).unwrap();
            assert_eq!(training.step(), step as u64 + 1);
            let summary = again.run(&mut training, &mut rbm, &mut Silent).unwrap();
            let last = kept.last().expect("nine snapshots");
            assert!(training.snapshot(&rbm, again.estimator.get()) == *last, "step {}: {recipe:?}", step + 1);
            let averaged = training.averaged(&rbm).map(|average| (average.digest(), average.params()));
            assert!(averaged == average, "the average, step {}: {recipe:?}", step + 1);
            assert!(again.end(&rbm, summary.steps) == end, "stopped after step {}: {recipe:?}", step + 1);
        }
    }
}

/// An observer that stops and a second run of the same training: the same end.
#[test]
fn a_stopped_training_goes_on() {
    for recipe in recipes() {
        let end = recipe.clone().whole(&mut Silent);
        let (mut again, mut rbm) = (recipe.clone(), machine());
        let mut training = Training::new(&rbm, &data(), &recipe.options).unwrap();
        let mut stop = |step: &Step<'_, Rbm>| match step.training.step() {
            5 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        assert!(again.run(&mut training, &mut rbm, &mut stop).unwrap().stopped);
        assert!(!again.run(&mut training, &mut rbm, &mut Silent).unwrap().stopped);
        assert!(again.end(&rbm, training.step()) == end, "{recipe:?}");
    }
}

/// A snapshot taken by an observer changes nothing.
#[test]
fn looking_changes_nothing() {
    let recipe = &recipes()[7];
    assert!(snapshots(recipe).0 == recipe.clone().whole(&mut Silent));
}

/// Damages one part of a snapshot at a time: each is refused, and model, chains and step are as they were.
#[test]
fn a_refused_snapshot_changes_nothing() {
    let recipe = recipes().into_iter().rfind(|r| r.options.centre.is_some()).expect("a centred recipe");
    let (_, kept) = snapshots(&recipe);
    let damages: [fn(&mut Snapshot); 8] = [
        |s| s.params.tensors_mut()[0].values[3] = f32::NAN,
        |s| s.params.tensors_mut()[2].values[3] = f32::INFINITY,
        |s| s.params.tensors_mut()[1].shape = vec![71],
        |s| s.shift = 60,
        |s| s.kept = chains(37, 69),
        |s| s.kept = chains(36, 70),
        |s| s.offsets = Some([vec![0.0; 70], vec![0.0; 39]]),
        |s| s.moments.0.tensors_mut()[0].name = "other",
    ];
    for (n, damage) in damages.into_iter().enumerate() {
        let (mut pcd, mut rbm, mut bad) = (Pcd::new(1, 37), machine(), kept[6].clone());
        let mut training = Training::new(&rbm, &data(), &recipe.options).unwrap();
        training.restore(&mut rbm, &mut pcd, &kept[2]).unwrap();
        let before = (rbm.clone(), pcd.clone(), training.snapshot(&rbm, &pcd));
        damage(&mut bad);
        assert!(training.restore(&mut rbm, &mut pcd, &bad).is_err(), "damage {n} is taken");
        let after = (rbm.clone(), pcd.clone(), training.snapshot(&rbm, &pcd));
        assert_eq!(before.0.digest(), after.0.digest(), "damage {n}");
        assert!(before == after, "damage {n} left the training half restored");
    }
}

/// A snapshot with chains belongs to PCD; CD would silently start from the data instead.
#[test]
fn a_snapshot_of_another_estimator_is_refused() {
    let recipe =
        |persistent| recipes().into_iter().find(|r| matches!(r.estimator, Any::Pcd(_)) == persistent);
    let (mut cd, pcd) = (recipe(false).expect("a CD recipe"), recipe(true).expect("a PCD recipe"));
    let snapshot = &snapshots(&pcd).1[3];
    assert!(restore(&mut pcd.clone(), snapshot).is_ok());
    let error = restore(&mut cd, snapshot).unwrap_err().to_string();
    assert_eq!(error, "chains: expected none for CD, got 37 chains");
}
