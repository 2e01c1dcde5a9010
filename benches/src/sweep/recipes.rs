//! Lists the recipes of the sweep: the settled one, and those that change one or two things of it.

use harmonium::rbm::Rbm;
use harmonium::train::{Cd, Decay, Estimator, Fit, Method, Pcd, Schedule};

/// Is a way to train: options and an estimator, under the words that tell it from the settled one.
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) fit: Fit,
    pub(crate) estimator: Box<dyn Estimator<Rbm>>,
}

fn recipe(name: &'static str, fit: Fit) -> Recipe {
    Recipe { name, fit, estimator: Box::new(Pcd::default()) }
}

fn falling(from: f64) -> Schedule {
    Schedule::Linear { from, to: 0.0 }
}

/// Makes the 30 recipes for data of this size; the first is the settled one.
pub(crate) fn all(rows: usize, units: usize) -> Vec<Recipe> {
    let settled = || Fit::for_bits(rows, units);
    [
        vec![recipe("settled", settled())],
        rates(&settled),
        lengths(&settled),
        penalties(&settled),
        batches(&settled),
    ]
    .into_iter()
    .chain([estimators(&settled), rules(&settled)])
    .flatten()
    .collect()
}

fn rates(settled: &dyn Fn() -> Fit) -> Vec<Recipe> {
    let scaled =
        |name, share| recipe(name, Fit { learning_rate: falling(share * rate(&settled())), ..settled() });
    let shaped = |name, learning_rate| recipe(name, Fit { learning_rate, ..settled() });
    let from = rate(&settled());
    vec![
        scaled("a tenth of the rate", 0.1),
        scaled("a quarter of the rate", 0.25),
        scaled("half the rate", 0.5),
        scaled("twice the rate", 2.0),
        scaled("five times the rate", 5.0),
        shaped("half the rate, constant", Schedule::Constant(from / 2.0)),
        shaped("the rate falls along half a cosine", Schedule::Cosine { from, to: 0.0 }),
    ]
}

/// Gives the rate at the start.
fn rate(fit: &Fit) -> f64 {
    fit.learning_rate.at(0, 1, 0)
}

fn lengths(settled: &dyn Fn() -> Fit) -> Vec<Recipe> {
    let long = |name, times: f64, share| {
        let fit = settled();
        let epochs = (f64::from(fit.epochs) * times).ceil() as u32;
        recipe(name, Fit { epochs, learning_rate: falling(share * rate(&fit)), ..fit })
    };
    vec![
        long("a third of the epochs", 1.0 / 3.0, 1.0),
        long("a third of the epochs, three times the rate", 1.0 / 3.0, 3.0),
        long("twice the epochs", 2.0, 1.0),
        long("twice the epochs, half the rate", 2.0, 0.5),
    ]
}

fn penalties(settled: &dyn Fn() -> Fit) -> Vec<Recipe> {
    let scaled = |name, share: f32| {
        let fit = settled();
        let decay = Decay { l2: fit.decay.l2 * share, ..fit.decay };
        recipe(name, Fit { decay, ..fit })
    };
    let l1 = |name, l1| recipe(name, Fit { decay: Decay { l1, l2: 0.0 }, ..settled() });
    vec![
        scaled("no penalty", 0.0),
        scaled("a third of the penalty", 1.0 / 3.0),
        scaled("three times the penalty", 3.0),
        scaled("ten times the penalty", 10.0),
        l1("L1 of 0.0001", 1e-4),
        l1("L1 of 0.001", 1e-3),
    ]
}

/// Batches of other sizes, in as many updates of the same length.
fn batches(settled: &dyn Fn() -> Fit) -> Vec<Recipe> {
    let batch = |name, batch, share| {
        let fit = settled();
        let epochs = (f64::from(fit.epochs) * batch as f64 / fit.batch as f64).ceil() as u32;
        recipe(name, Fit { batch, epochs, learning_rate: falling(share * rate(&fit)), ..fit })
    };
    vec![batch("batch 20, half the rate", 20, 0.5), batch("batch 50", 50, 1.0), batch("batch 200", 200, 1.0)]
}

fn estimators(settled: &dyn Fn() -> Fit) -> Vec<Recipe> {
    let by = |name, estimator| Recipe { name, fit: settled(), estimator };
    vec![
        by("CD-1", Box::new(Cd::new(1)) as Box<dyn Estimator<Rbm>>),
        by("CD-5", Box::new(Cd::new(5))),
        by("PCD-3", Box::new(Pcd::new(3, 100))),
        by("20 chains", Box::new(Pcd::new(1, 20))),
        by("500 chains", Box::new(Pcd::new(1, 500))),
    ]
}

fn rules(settled: &dyn Fn() -> Fit) -> Vec<Recipe> {
    let momentum = |momentum| Method::Sgd { momentum: Schedule::Constant(momentum) };
    vec![
        recipe("not centred", Fit { centre: None, ..settled() }),
        recipe("the last state, no mean", Fit { average: None, ..settled() }),
        recipe(
            "momentum 0.5, half the rate",
            Fit { method: momentum(0.5), learning_rate: falling(rate(&settled()) / 2.0), ..settled() },
        ),
        recipe(
            "Adam, rate 0.001",
            Fit { method: Method::adam(), learning_rate: falling(0.001), ..settled() },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_recipes_are_all_different_and_sound() {
        let all = all(1_000, 50);
        assert_eq!(all.len(), 30);
        for (i, recipe) in all.iter().enumerate() {
            recipe.fit.check().unwrap();
            recipe.estimator.check().unwrap();
            assert!(all[..i].iter().all(|other| other.name != recipe.name), "{}", recipe.name);
        }
    }
}
