//! Proves machines of ratings against enumeration, with every pattern of missing ratings, and their readers, files and lists.

use std::collections::HashSet;
use std::ops::ControlFlow::{Break, Continue};

use harmonium::data::{Rating, Ratings, ReadRatings, Scale};
use harmonium::evaluate::Lists;
use harmonium::persist::{Kind, Loaded, RealVfs, load, save};
use harmonium::rbm::Origin;
use harmonium::rbm::ratings::{
    Biases, Blend, Factors, FactorsOptions, HiddenKind, Inference, Levels, Neighbours, Objective, Predictor,
    RatingsFit, RatingsOptions, RatingsRbm, best_biases, fit_ratings, held_out, top_items,
};
use harmonium::train::{Guard, Method, Schedule};
use harmonium::{Error, HasParams, Key};
use harmonium_oracle::ratings::RatedMachine;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::z_star;

type Row = Vec<(u32, u8)>;
/// The fields of a file's header, in their order.
type Header = (String, Scale, RatingsOptions, u64, u64, String);

fn scale() -> Scale {
    Scale { levels: 3, ..Scale::default() }
}

/// Makes ratings from rows of (item, level).
fn ratings(scale: Scale, items: usize, rows: &[Row]) -> Ratings {
    let names = |what: &str, n| (0..n).map(|i| format!("{what}{i}")).collect();
    let of_user = |(user, row): (usize, &Row)| {
        row.iter().map(move |&(item, level)| Rating { user: user as u32, item, level }).collect::<Vec<_>>()
    };
    let each = rows.iter().enumerate().flat_map(of_user).collect();
    Ratings::new(scale, names("u", rows.len()), names("i", items), each).unwrap()
}

/// Gives every row of three items and three levels: 4³ patterns, of which one is empty.
fn all_rows() -> Vec<Row> {
    let row = |code: u32| {
        let digit = |item: u32| (code / 4_u32.pow(item) % 4) as u8;
        (0..3).filter(|&item| digit(item) > 0).map(|item| (item, digit(item) - 1)).collect()
    };
    (0..64).map(row).collect()
}

/// Makes a machine of three items with parameters of size one.
fn machine(options: RatingsOptions, seed: u64) -> RatingsRbm {
    let mut rbm =
        RatingsRbm::for_data(&ratings(scale(), 3, &all_rows()), options, Key::from_seed(seed)).unwrap();
    let mut rng = Rng::new(seed);
    for block in rbm.blocks_mut() {
        block.values.iter_mut().for_each(|x| *x = rng.normal() as f32);
    }
    rbm.refresh();
    rbm
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

fn exact(rbm: &RatingsRbm) -> RatedMachine {
    let params = rbm.params();
    let get = |name| params.get(name).map(|tensor| wide(&tensor.values));
    let options = rbm.options();
    RatedMachine {
        levels: rbm.scale().levels,
        hidden: options.hidden,
        gaussian: options.kind == HiddenKind::Gaussian,
        weights: wide(rbm.weights()),
        bias: get("bias").unwrap(),
        hidden_bias: get("hidden_bias").unwrap(),
        conditional: get("conditional").unwrap_or(vec![0.0; rbm.items() * options.hidden]),
        damping: f64::from(options.damping),
        lateral: f64::from(options.lateral),
        centres: wide(rbm.centres()),
        least: f64::from(rbm.scale().least),
    }
}

fn indices(row: &[(u32, u8)]) -> Vec<(usize, usize)> {
    row.iter().map(|&(item, level)| (item as usize, usize::from(level))).collect()
}

/// Gives the published machine, ours, one of Gaussian units, and one of factored weights.
fn kinds() -> Vec<RatingsOptions> {
    let ours = RatingsOptions { hidden: 3, damping: 4.0, lateral: 2.0, ..RatingsOptions::default() };
    let gaussian = RatingsOptions { hidden: 1, kind: HiddenKind::Gaussian, ..ours.clone() };
    let factored = RatingsOptions { rank: 2, ..RatingsOptions::published(3) };
    vec![RatingsOptions::published(3), ours, gaussian, factored]
}

/// Inputs of some ten terms of size one err by 10 u each in f32, u = 6e-8, scores by the sum of that over three units and of the exponential's 1e-7;
/// p moves by as much at most: 1e-5 is far above. The lattice of Gaussian states sums to 1e-12.
#[test]
fn predictions_are_those_of_enumeration() {
    for (seed, options) in kinds().into_iter().enumerate() {
        let rbm = machine(options, seed as u64);
        let law = exact(&rbm);
        for row in all_rows() {
            for item in (0..3).filter(|item| row.iter().all(|pair| pair.0 != *item)) {
                let got = rbm.distribution(&row, item).unwrap();
                let expected = law.conditional_of(&indices(&row), item as usize);
                for (got, expected) in got.iter().zip(&expected) {
                    assert!((got - expected).abs() < 1e-5, "{seed} {row:?} {item}: {got} {expected}");
                }
            }
            let posterior = law.posterior(&indices(&row));
            let states = law.hidden_states();
            for (j, mean) in rbm.hidden_means(&row).unwrap().into_iter().enumerate() {
                let expected: f64 = posterior.iter().zip(&states).map(|(p, h)| p * h[j]).sum();
                assert!((f64::from(mean) - expected).abs() < 1e-5, "{seed} {row:?}: {mean} {expected}");
            }
        }
    }
}

fn plain(objective: Objective, batch: usize) -> RatingsFit {
    RatingsFit {
        epochs: 1,
        batch,
        learning_rate: Schedule::Constant(1.0),
        method: Method::default(),
        decay: 0.0,
        objective,
        guard: Guard { limit: 1e6, ..Guard::default() },
    }
}

/// A step of rate 1 is the gradient. Central differences of width 2ε, ε = 1/128, err by ε²/6 times a third derivative, which is below 50 for a mean over rows of
/// three ratings with weights of size one: 5e-4; f32 parameters add 6e-8 · 4 / ε = 3e-5.
#[test]
fn a_step_goes_down_the_pseudo_likelihood() {
    let rows: Vec<Row> = all_rows().into_iter().filter(|row| !row.is_empty()).collect();
    let data = ratings(scale(), 3, &rows);
    for (seed, options) in kinds().into_iter().enumerate() {
        let before = machine(options, 7 + seed as u64);
        let mut after = before.clone();
        let key = Key::from_seed(1);
        fit_ratings(&mut after, &data, &plain(Objective::Pseudo, rows.len()), key, &mut |_| Continue(()))
            .unwrap();
        let loss = |rbm: &RatingsRbm| {
            let law = exact(rbm);
            rows.iter().map(|row| law.pseudo_loss(&indices(row))).sum::<f64>() / rows.len() as f64
        };
        let moved = |block: usize, at: usize, by: f32| {
            let mut rbm = before.clone();
            rbm.blocks_mut()[block].values[at] += by;
            rbm.refresh();
            loss(&rbm)
        };
        let (old, new) = (before.params(), after.params());
        for (block, (old, new)) in old.tensors().iter().zip(new.tensors()).enumerate() {
            for at in 0..old.values.len() {
                let step = 1.0 / 128.0;
                let expected = (moved(block, at, step) - moved(block, at, -step)) / (2.0 * f64::from(step));
                let got = f64::from(old.values[at] - new.values[at]);
                assert!((got - expected).abs() < 6e-4, "{seed} {} {at}: {got} {expected}", old.name);
            }
        }
    }
}

/// The mean over 4000 rows alike of what lies in 0..1, or in −1..1 as a difference, deviates by 1/√4000 at most.
#[test]
fn contrastive_divergence_has_its_expectation() {
    let options = RatingsOptions { lateral: 0.0, ..RatingsOptions::published(2) };
    let (before, row): (_, Row) = (machine(options, 3), vec![(0, 1), (2, 0)]);
    let mut after = before.clone();
    let copies = 4000;
    let data = ratings(scale(), 3, &vec![row.clone(); copies]);
    let one = Objective::Contrastive(Schedule::Constant(1.0));
    fit_ratings(&mut after, &data, &plain(one, copies), Key::from_seed(5), &mut |_| Continue(())).unwrap();
    let law = exact(&before);
    let (row, known, states) = (indices(&row), [0, 2], law.hidden_states());
    let chains: Vec<Vec<(usize, usize)>> = (0..9).map(|code| vec![(0, code % 3), (2, code / 3)]).collect();
    let mut arrives = vec![0.0; chains.len()];
    for (p, h) in law.posterior(&row).iter().zip(&states) {
        let weights: Vec<f64> = chains.iter().map(|chain| (-law.energy(chain, &known, h)).exp()).collect();
        let total: f64 = weights.iter().sum();
        arrives.iter_mut().zip(weights).for_each(|(sum, w)| *sum += p * w / total);
    }
    let means = |row: &[(usize, usize)]| -> Vec<f64> {
        let posterior = law.posterior(row);
        (0..2).map(|j| posterior.iter().zip(&states).map(|(p, h)| p * h[j]).sum()).collect()
    };
    // ⟨−∂E/∂θ⟩ of both phases, and their difference with the sign of the loss.
    let (mut weights, mut bias, mut hidden) = (vec![0.0; 18], vec![0.0; 9], vec![0.0; 2]);
    let phases = [(-1.0, row.clone())].into_iter().chain(arrives.iter().copied().zip(chains));
    for (share, row) in phases {
        let means = means(&row);
        for &(item, level) in &row {
            bias[item * 3 + level] += share;
            (0..2).for_each(|j| weights[(item * 3 + level) * 2 + j] += share * means[j]);
        }
        (0..2).for_each(|j| hidden[j] += share * means[j]);
    }
    let bound = z_star(29) / (copies as f64).sqrt();
    for (name, expected) in [("weights", weights), ("bias", bias), ("hidden_bias", hidden)] {
        let (old, new) = (before.params(), after.params());
        let steps = old.get(name).unwrap().values.iter().zip(&new.get(name).unwrap().values);
        for (at, ((old, new), expected)) in steps.zip(&expected).enumerate() {
            let got = f64::from(old - new);
            assert!((got - expected).abs() < bound, "{name} {at}: {got} {expected}");
        }
    }
}

/// Items that nobody rated may have any weights: a machine without them predicts the same to the last bit, and so does one where only level 0 of them is strong.
#[test]
fn a_missing_rating_is_no_zero() {
    let mut rbm = machine(kinds().remove(1), 11);
    let before = rbm.predict(&[(0, 2)], &[1], &[], Inference::Exact).unwrap();
    let hidden = rbm.options().hidden;
    let kept = rbm.blocks()[0].values.len() / 3;
    rbm.blocks_mut()[0].values[2 * kept..].iter_mut().for_each(|w| *w = 5.0);
    rbm.blocks_mut()[3].values[2 * hidden..].iter_mut().for_each(|w| *w = -3.0);
    rbm.refresh();
    assert_eq!(rbm.predict(&[(0, 2)], &[1], &[], Inference::Exact).unwrap(), before);
    // Rated, or known to be, it has its say.
    assert_ne!(rbm.predict(&[(0, 2), (2, 0)], &[1], &[], Inference::Exact).unwrap(), before);
    assert_ne!(rbm.predict(&[(0, 2)], &[1], &[2], Inference::Exact).unwrap(), before);
}

/// Generated ratings: the sign of a user times that of an item, and noise.
fn generated(users: u32, items: u32) -> Ratings {
    let mut rng = Rng::new(17);
    let sign = |n: u32| if n.is_multiple_of(2) { 1.0 } else { -1.0 };
    let rows: Vec<Row> = (0..users)
        .map(|user| {
            let mut row = Row::new();
            for item in 0..items {
                let level = 2.0 + 1.3 * sign(user) * sign(item) + 0.7 * rng.normal();
                if rng.normal() > 0.3 {
                    row.push((item, level.round().clamp(0.0, 4.0) as u8));
                }
            }
            row
        })
        .collect();
    ratings(Scale::default(), items as usize, &rows)
}

fn small() -> (RatingsOptions, RatingsFit) {
    (
        RatingsOptions { hidden: 6, ..RatingsOptions::default() },
        RatingsFit { epochs: 30, batch: 16, ..RatingsFit::default() },
    )
}

fn trained(data: &Ratings, options: &RatingsOptions, fit: &RatingsFit) -> RatingsRbm {
    let key = Key::from_seed(2);
    let mut rbm = RatingsRbm::for_data(data, options.clone(), key).unwrap();
    fit_ratings(&mut rbm, data, fit, key, &mut |_| Continue(())).unwrap();
    rbm
}

fn error_of(predicted: &[f32], test: &Ratings) -> f64 {
    let given: Vec<f32> = test.each().iter().map(|r| test.value(r)).collect();
    harmonium::evaluate::rating_errors(predicted, &given).unwrap().rmse
}

fn baseline(model: &dyn Predictor, test: &Ratings) -> f64 {
    let predicted: Vec<f32> = test.each().iter().map(|r| model.predicted(r.user, r.item)).collect();
    error_of(&predicted, test)
}

/// The signal has deviation 1.3 and the noise 0.7 and a little for rounding: whoever finds it comes below 0.9, and biases, which see nothing of it, stay above 1.2.
#[test]
fn machines_and_baselines_find_what_biases_cannot() {
    let (train, test) = generated(120, 40).split(1);
    let [mean, biases] =
        [Biases::mean(&train).unwrap(), best_biases(&train).unwrap()].map(|b| baseline(&b, &test));
    assert!(mean > 1.2 && biases > 1.2, "{mean} {biases}");
    let near = Neighbours::fit(&train, 20).unwrap();
    let factors = FactorsOptions { factors: 8, epochs: 60, ..FactorsOptions::default() };
    let factors = Factors::fit(&train, &factors, Key::from_seed(1)).unwrap();
    for (name, found) in [("k-NN", baseline(&near, &test)), ("factors", baseline(&factors, &test))] {
        assert!(found < 0.9, "{name} {found}");
    }
    let (options, fit) = small();
    let gaussian = RatingsOptions { kind: HiddenKind::Gaussian, ..options.clone() };
    let slow = RatingsFit { learning_rate: Schedule::Linear { from: 0.005, to: 0.0 }, ..fit.clone() };
    let published =
        RatingsFit { learning_rate: Schedule::Constant(0.1), batch: 16, ..RatingsFit::published(60) };
    for (name, options, fit) in [
        ("ours", options.clone(), fit.clone()),
        ("factored", RatingsOptions { rank: 4, ..options }, fit),
        ("Gaussian", gaussian, slow),
        ("published", RatingsOptions::published(6), published),
    ] {
        let rbm = trained(&train, &options, &fit);
        for how in [Inference::Exact, Inference::MeanField] {
            let found = error_of(&rbm.predict_all(&train, &test, how).unwrap(), &test);
            assert!(found < 0.95, "{name} {how:?} {found}");
        }
    }
}

#[test]
fn fold_in_sees_no_test_rating() {
    let (train, test) = generated(60, 20).split(0);
    let (options, fit) = small();
    let rbm = trained(&train, &options, &fit);
    let other = |r: &Rating| Rating { level: 4 - r.level, ..*r };
    let turned: Vec<Rating> = test.each().iter().map(other).collect();
    let turned = Ratings::new(test.scale(), test.users().to_vec(), test.items().to_vec(), turned).unwrap();
    for how in [Inference::Exact, Inference::MeanField] {
        let predicted = rbm.predict_all(&train, &test, how).unwrap();
        assert_eq!(rbm.predict_all(&train, &turned, how).unwrap(), predicted);
    }
    // Nor does it see which others are asked for: of every second test pair alone the predictions are the same. The machine is
    // conditional, so that a test pair would be heard of as rated, level or no level.
    let half = test.part(|row, _| row % 2 == 0);
    for how in [Inference::Exact, Inference::MeanField] {
        let all = rbm.predict_all(&train, &test, how).unwrap();
        let every_second: Vec<f32> = all.into_iter().step_by(2).collect();
        assert_eq!(rbm.predict_all(&train, &half, how).unwrap(), every_second);
    }
    // A rating of the item asked for counts for nothing either.
    let row = train.rows().row(3).to_vec();
    let (item, level) = row[2];
    let without: Row = row.iter().copied().filter(|pair| pair.0 != item).collect();
    let mut turned = row.clone();
    turned[2].1 = 4 - level;
    let of = |row: &Row| rbm.expected(row, item).unwrap();
    assert_eq!((of(&row), of(&turned)), (of(&without), of(&without)));
}

/// Thumbs up and down have one degree; the machine of two levels with the published weights has two weights instead, and both learn
/// that even users like even items.
#[test]
fn scales_of_two_levels_are_taken() {
    let two = Scale { least: 0.0, levels: 2, ..Scale::default() };
    let rows: Vec<Row> =
        (0..30).map(|u| (0..10).map(|i| (i, u8::from((u + i) % 2 == 0))).collect()).collect();
    let data = ratings(two, 10, &rows);
    for levels in [RatingsOptions::default().levels, Levels::Free] {
        let options = RatingsOptions { hidden: 4, levels, ..RatingsOptions::default() };
        let rbm = trained(&data, &options, &RatingsFit { epochs: 100, batch: 5, ..RatingsFit::default() });
        let [like, not] = [0, 1].map(|item| rbm.expected(data.rows().row(0), item).unwrap());
        assert!(like > 0.5 && not < 0.5, "{like} {not}");
    }
}

/// The two machines of a blend start from draws of their own: with as many users as items, and all ratings alike, they would start
/// from the same weights otherwise.
#[test]
fn machines_of_a_blend_share_no_draws() {
    let rows: Vec<Row> = (0..8).map(|_| (0..8).map(|item| (item, 1)).collect()).collect();
    let options = RatingsOptions { hidden: 3, ..RatingsOptions::default() };
    let fit = RatingsFit { epochs: 0, ..RatingsFit::default() };
    let data = ratings(scale(), 8, &rows);
    let blend = Blend::fit(&data, &options, &fit, Key::from_seed(1), &mut |_| Continue(())).unwrap();
    let alike = blend.by_user.weights().iter().zip(blend.by_item.weights()).filter(|(a, b)| a == b).count();
    assert!(alike < 4, "{alike} of {} weights", blend.by_user.weights().len());
}

/// A header that promises more than its tensors hold is refused for what it says, and a machine too large for its factors as well.
#[test]
fn hostile_numbers_of_a_file_are_refused() {
    let factored = RatingsOptions { rank: 2, ..RatingsOptions::published(3) };
    let rbm = machine(factored.clone(), 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    rbm.save(&RealVfs, &path, &Origin { seed: 1, step: 1, recipe: String::new() }).unwrap();
    let whole: Loaded<Header> = load(&RealVfs, &path, None).unwrap();
    for (hidden, rank, levels, said) in [
        (65_536, 2, 3, "hidden_bias: expected 65536 values, got 3"),
        (65_537, 2, 3, "hidden: expected 1 to 65536, got 65537"),
        (3, 65_536, 3, "loadings: expected 196608 values, got 6"),
        (3, 0, 3, "weights: expected f32 of [9, 3], got [9, 2]"),
        (3, 2, 7, "bias: expected 21 values, got 9"),
    ] {
        let mut header = whole.header.clone();
        header.1.levels = levels;
        header.2 = RatingsOptions { hidden, rank, ..header.2 };
        save(&RealVfs, &path, Kind::Model, &header, &whole.tensors).unwrap();
        let error = RatingsRbm::load(&RealVfs, &path).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let huge = RatingsOptions { rank: 65_536, hidden: 65_536, ..factored };
    let error = RatingsRbm::for_data(&generated(9, 3), huge, Key::from_seed(1)).unwrap_err().to_string();
    assert!(error.starts_with("factors: expected at most 2³¹"), "{error}");
}

#[test]
fn bits_are_the_same_on_any_number_of_threads_and_from_a_file() {
    let data = generated(40, 15);
    let (options, fit) = small();
    let chains = RatingsFit { epochs: 4, ..RatingsFit::published(4) };
    for fit in [RatingsFit { epochs: 3, ..fit.clone() }, chains] {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| trained(&data, &options, &fit).digest())
        };
        assert_eq!(on(1), on(3));
    }
    let rbm = trained(&data, &options, &fit);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let origin = Origin { seed: 2, step: 9, recipe: "r".into() };
    rbm.save(&RealVfs, &path, &origin).unwrap();
    assert_eq!(RatingsRbm::load(&RealVfs, &path).unwrap(), (rbm, origin));
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    assert!(RatingsRbm::load(&RealVfs, &path).is_err());
}

#[test]
fn an_observer_stops_and_numbers_that_run_away_leave_the_last_good_epoch() {
    let data = generated(40, 15);
    let (options, fit) = small();
    let mut rbm = RatingsRbm::for_data(&data, options, Key::from_seed(1)).unwrap();
    let mut seen = Vec::new();
    let mut observer = |p: &harmonium::rbm::ratings::RatingsProgress<'_>| {
        seen.push((p.epoch, p.loss));
        if p.epoch == 5 { Break(()) } else { Continue(()) }
    };
    fit_ratings(&mut rbm, &data, &fit, Key::from_seed(1), &mut observer).unwrap();
    assert!(seen.len() == 5 && seen[4].1 < seen[0].1, "{seen:?}");
    let good = rbm.digest();
    let wild = RatingsFit {
        learning_rate: Schedule::Constant(1000.0),
        guard: Guard { limit: 10.0, ..Guard::default() },
        ..fit
    };
    let error = fit_ratings(&mut rbm, &data, &wild, Key::from_seed(1), &mut |_| Continue(())).unwrap_err();
    assert!(error.to_string().starts_with("training diverged"), "{error}");
    assert_eq!(rbm.digest(), good);
}

#[test]
fn bad_ratings_rows_and_options_are_refused() {
    let read = |text: &str| Ratings::parse("f", text, Scale::default(), &ReadRatings::default());
    for (text, said) in [
        ("1,2,3\n1,3,0\n", "line 2: expected a rating of 1 to 5 in steps of 1, got 0"),
        ("1,2,3\n1,3,5.5\n", "line 2: expected a rating of 1 to 5 in steps of 1, got 5.5"),
        ("1,2,3\n1,3,nan\n", "got nan"),
        ("1,2,3\n7,9,1\n1,2,4\n", "line 3: expected another pair of user and item than line 1 has"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text:?}: {error}");
    }
    let pair = Rating { user: 0, item: 0, level: 1 };
    let again = Ratings::new(Scale::default(), vec!["u".into()], vec!["i".into()], vec![pair, pair]);
    assert!(again.unwrap_err().to_string().contains("row 1: expected another pair"));
    // Names with gaps are names.
    assert_eq!(read("7,1000000,3\n-4,x,5\n").unwrap().items(), ["1000000", "x"]);
    let rbm = machine(kinds().remove(1), 1);
    let digest = rbm.digest();
    let refused = |result: Result<f32, Error>, said: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    };
    refused(rbm.expected(&[(3, 0)], 1), "rating 0: expected an item below 3");
    refused(rbm.expected(&[(0, 3)], 1), "rating 0");
    refused(rbm.expected(&[(1, 0), (0, 1)], 2), "rating 1: expected items in rising order");
    refused(rbm.expected(&[(0, 0), (0, 1)], 2), "rating 1");
    refused(rbm.expected(&[], 3), "item: expected a number below 3, got 3");
    assert!((1.0..=3.0).contains(&rbm.expected(&[], 0).unwrap()));
    assert_eq!(rbm.digest(), digest);
    for bad in [
        RatingsOptions { hidden: 0, ..RatingsOptions::default() },
        RatingsOptions { damping: f32::NAN, ..RatingsOptions::default() },
        RatingsOptions { lateral: -1.0, ..RatingsOptions::default() },
        RatingsOptions { levels: Levels::Polynomials(vec![]), ..RatingsOptions::default() },
        RatingsOptions { levels: Levels::Polynomials(vec![1.0, -1.0]), ..RatingsOptions::default() },
    ] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
    for bad in [
        RatingsFit { batch: 0, ..RatingsFit::default() },
        RatingsFit { decay: f32::INFINITY, ..RatingsFit::default() },
        RatingsFit { learning_rate: Schedule::Constant(f64::NAN), ..RatingsFit::default() },
        RatingsFit { objective: Objective::Contrastive(Schedule::Constant(0.0)), ..RatingsFit::default() },
    ] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
}

/// Lists of length 3 against sums written out over all orders of five items and all sets of relevant ones.
#[test]
fn lists_are_judged_as_the_formulas_say() {
    let order = [3_u32, 0, 4, 1, 2];
    for set in 1..32_u32 {
        let relevant: HashSet<u32> = (0..5).filter(|item| set >> item & 1 == 1).collect();
        let mut lists = Lists::new(3, 5).unwrap();
        lists.add(&order, &relevant);
        let got = lists.ranking().unwrap();
        let hit = |place: usize| f64::from(u8::from(relevant.contains(&order[place])));
        let gain: f64 = (0..3).map(|place| hit(place) / (place as f64 + 2.0).log2()).sum();
        let ideal: f64 = (0..relevant.len().min(3)).map(|place| 1.0 / (place as f64 + 2.0).log2()).sum();
        assert!((got.ndcg - gain / ideal).abs() < 1e-14, "{relevant:?} {got:?}");
        let hits: f64 = (0..3).map(hit).sum();
        assert_eq!((got.precision, got.recall), (hits / 3.0, hits / relevant.len() as f64));
        let at = |place: usize| hit(place) * (0..=place).map(hit).sum::<f64>() / (place + 1) as f64;
        let map = (0..3).map(at).sum::<f64>() / relevant.len().min(3) as f64;
        assert!((got.map - map).abs() < 1e-14 && got.coverage == 0.6, "{got:?}");
    }
    assert_eq!(top_items(&[1.0, 3.0, 3.0, 2.0], |item| item == 1, 2), [2, 3]);
    assert_eq!(top_items(&[1.0, 3.0, 3.0, 2.0], |_| false, 9), [1, 2, 3, 0]);
}

#[test]
fn a_quarter_of_each_user_is_held_out() {
    let all = generated(30, 20);
    let (train, test) = held_out(&all);
    for user in 0..30 {
        let [kept, out, both] = [&train, &test, &all].map(|set| set.rows().row(user).len());
        assert_eq!((out, kept + out), ((both / 4).max(1), both));
    }
    assert!(test.each().iter().all(|r| !train.rows().has(r.user as usize, r.item)));
}

/// Columns are named by their numbers from 1 as well, in any order.
#[test]
fn columns_are_read_by_number() {
    let options = ReadRatings { columns: Some(["4", "1", "3"].map(String::from)), ..ReadRatings::default() };
    let read =
        Ratings::parse("f", "item,day,stars,user\na,9,5,x\nb,9,2,x\n", Scale::default(), &options).unwrap();
    assert_eq!((read.users(), read.items()), (&["x".to_owned()][..], &["a".to_owned(), "b".to_owned()][..]));
    assert_eq!(read.each().iter().map(|r| read.value(r)).collect::<Vec<_>>(), [5.0, 2.0]);
}

/// Figures of a script of its own: 1.3333 for the mean, 1.2054 and 1.0095 for biases, as means of five folds.
#[test]
fn baselines_of_lectures_are_the_known_ones() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/insteval/InstEval.csv.gz");
    let columns = Some(["s", "d", "y"].map(String::from));
    let options = ReadRatings { columns, ..ReadRatings::default() };
    let all = Ratings::open(file.as_ref(), Scale::default(), &options).unwrap();
    assert_eq!((all.each().len(), all.users().len(), all.items().len()), (73_421, 2_972, 1_128));
    let mean = all.each().iter().map(|r| f64::from(all.value(r))).sum::<f64>() / 73_421.0;
    assert!((mean - 3.205_74).abs() < 5e-6);
    let (mut of_mean, mut of_biases) = (0.0, 0.0);
    for fold in 0..5 {
        let (train, test) = all.split(fold);
        of_mean += baseline(&Biases::mean(&train).unwrap(), &test) / 5.0;
        of_biases += baseline(&Biases::fit(&train, [15.0, 10.0]).unwrap(), &test) / 5.0;
    }
    assert!((of_mean - 1.3333).abs() < 1e-4 && (of_biases - 1.2054).abs() < 1e-4, "{of_mean} {of_biases}");
}
