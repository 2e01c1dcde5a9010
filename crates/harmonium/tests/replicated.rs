//! Proves the replicated softmax against its formulas: energies, statistics, sweeps, ln Z of every length, training, files.

mod common;

use std::ops::ControlFlow;

use common::units::{U, draw, wide};
use common::{close, key, masks};
use harmonium::data::{Documents, Weighted};
use harmonium::evaluate::{Ais, Betas, Interval, forward};
use harmonium::persist::{Kind, Loaded, RealVfs};
use harmonium::rbm::{Origin, Rbm, ReplicatedSoftmax};
use harmonium::stats::Phases;
use harmonium::train::{
    Cd, Centre, Estimator, FastPcd, Fit, Method, Pcd, Schedule, Silent, Snapshot, Sparsity, Step, Tempering,
    Training, fit,
};
use harmonium::units::{States, Units};
use harmonium::{Batch, EnergyModel, Gibbs, HasParams, Marginal, Rows, Thermal};
use harmonium_oracle::replicated::{Replicated, documents, log_ways};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::{tv, tv_star};
use ndarray::Array2;

/// Makes the library's model from normal parameters; fresh chains have 2 or 5 tokens.
fn model(words: usize, hidden: usize, scale: f64, seed: u64) -> ReplicatedSoftmax {
    let drawn = Replicated::normal(words, hidden, scale, &mut Rng::new(seed));
    let narrow = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let weights = Array2::from_shape_vec((words, hidden), narrow(&drawn.weights)).unwrap();
    let visible = Units::Poisson(words).layer(narrow(&drawn.visible_bias));
    let hidden = Units::Bernoulli(hidden).layer(narrow(&drawn.hidden_bias));
    ReplicatedSoftmax::from_rbm(Rbm::from_layers(weights, visible, hidden).unwrap(), &[2, 5]).unwrap()
}

/// Reads the model that samples, with its weights on the grid, into the oracle.
fn exact(model: &ReplicatedSoftmax) -> Replicated {
    let rbm = model.rbm();
    Replicated {
        words: model.words(),
        hidden: model.hidden_units(),
        weights: rbm.weights().iter().map(|&w| f64::from(w)).collect(),
        visible_bias: wide(rbm.visible_bias()),
        hidden_bias: wide(rbm.hidden_bias()),
    }
}

fn states(rows: &[Vec<f64>]) -> States {
    States::reals(rows.iter().flatten().map(|&x| x as f32).collect(), rows[0].len())
}

fn rows_of(states: &States) -> Vec<Vec<f64>> {
    states.to_array().rows().into_iter().map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
}

fn batch(rows: &[Vec<f64>]) -> Batch {
    Batch::from_states(states(rows)).unwrap()
}

/// E and F of documents of 0 to 6 tokens, and features. A coupling sum is rounded to f32 once, by u |I|, and tokens times
/// parameters are at most 40 here; probabilities come in steps of 2⁻¹⁶.
#[test]
fn energies_and_features_are_those_of_the_formulas() {
    for seed in 0..5 {
        let model = model(4, 3, 1.0, seed);
        let law = exact(&model);
        let rows: Vec<Vec<f64>> = (0..=6).flat_map(|length| documents(4, length)).collect();
        let mut state = model.unpack(states(&rows)).unwrap();
        let free = model.free_energy(&batch(&rows)).unwrap();
        let features = model.transform(&batch(&rows)).unwrap();
        model.sweep(&mut state, key(seed));
        let energies = model.energy(&state);
        let (v, h) = (rows_of(state.visible()), masks(state.hidden()));
        for row in 0..rows.len() {
            let bound = 30.0 * U * 40.0;
            close(energies[row], law.energy(&v[row], h[row]), bound, ("E", seed, row));
            let expected = law.free_energy(&rows[row]) - log_ways(&rows[row]);
            close(free[row], expected, bound, ("F", seed, row));
            for (&found, expected) in features.row(row).iter().zip(law.hidden_means(&rows[row])) {
                close(f64::from(found), expected, 2.0 / 65_536.0, ("p(h | v)", seed, row));
            }
            assert_eq!(v[row].iter().sum::<f64>(), rows[row].iter().sum::<f64>(), "a sweep keeps the length");
        }
    }
}

/// The contrast of two sets of documents of mixed lengths is the difference of their means of v hᵀ, v and D h, and these are
/// slopes of F: by central differences in f64, which err by h² ≈ 1e-8; probabilities by 2⁻¹⁶ times at most 6 tokens.
#[test]
fn contrasts_are_slopes_of_the_free_energy() {
    let model = model(4, 3, 0.7, 11);
    let law = exact(&model);
    let sets = [[documents(4, 2), documents(4, 6)].concat(), documents(4, 3)];
    let mut phases = Phases::new(model.stats());
    model.accumulate(&model.clamp(&batch(&sets[0])), &mut phases.positive);
    model.accumulate(&model.clamp(&batch(&sets[1])), &mut phases.negative);
    let mut gradient = model.params();
    phases.contrast(&mut gradient);
    let mean_free = |law: &Replicated, set: &[Vec<f64>]| {
        set.iter().map(|v| law.free_energy(v)).sum::<f64>() / set.len() as f64
    };
    for (block, tensor) in gradient.tensors().iter().enumerate() {
        for (n, &found) in tensor.values.iter().enumerate() {
            let at = |step: f64| {
                let mut moved = law.clone();
                [&mut moved.weights, &mut moved.visible_bias, &mut moved.hidden_bias][block][n] += step;
                mean_free(&moved, &sets[0]) - mean_free(&moved, &sets[1])
            };
            let slope = (at(1e-4) - at(-1e-4)) / 2e-4;
            close(f64::from(found), slope, 6.0 * 2.0_f64.powi(-15) + 1e-6, (tensor.name, n));
        }
    }
}

/// A sweep leaves p(v | D) alone (no drift, N = 20,000), for documents of 2 and of 5 tokens side by side; the control at
/// β = 0.5 must be seen. Fresh chains have lengths 2 and 5 in equal shares (3.5σ of a fair coin: 1.2 %).
#[test]
fn sweeps_leave_documents_of_every_length_alone() {
    const N: usize = 20_000;
    let model = model(3, 3, 1.2, 21);
    let (law, mut rng) = (exact(&model), Rng::new(5));
    let laws = [2, 5].map(|length| law.law(length));
    let p = laws.each_ref().map(|law| law.iter().map(|(_, log_p)| log_p.exp()).collect::<Vec<f64>>());
    let drawn = [0, 1].map(|n| draw(&p[n], N, &mut rng));
    let rows: Vec<Vec<f64>> = (0..2 * N).map(|r| laws[r % 2][drawn[r % 2][r / 2]].0.clone()).collect();
    let distances = |swept: &States| {
        let mut counts = p.each_ref().map(|p| vec![0.0; p.len()]);
        for (r, row) in rows_of(swept).into_iter().enumerate() {
            let at = laws[r % 2].iter().position(|(v, _)| *v == row).expect("a document of its length");
            counts[r % 2][at] += 1.0 / N as f64;
        }
        [0, 1].map(|n| tv(&counts[n], &p[n]) / tv_star(&p[n], N))
    };
    let mut state = model.unpack(states(&rows)).unwrap();
    model.sweep(&mut state, key(1));
    let found = distances(state.visible());
    assert!(found.iter().all(|ratio| *ratio <= 1.0), "drift {found:?} of the bound");
    let mut state = model.unpack(states(&rows)).unwrap();
    model.tempered(0.5).sweep(&mut state, key(1));
    assert!(distances(state.visible())[1] > 2.0, "the control is seen");
    let fresh = rows_of(model.init(N, key(2)).visible());
    let short = fresh.iter().filter(|row| row.iter().sum::<f64>() == 2.0).count() as f64 / N as f64;
    let long = fresh.iter().filter(|row| row.iter().sum::<f64>() == 5.0).count() as f64 / N as f64;
    assert!((short - 0.5).abs() < 0.0125 && short + long == 1.0, "{short} {long}");
}

/// ln Z_D by enumeration: activations are rounded to f32, by u (|I| + |b|) each and D times.
#[test]
fn partition_functions_are_exact_at_every_length() {
    for (seed, hidden) in [(31, 1), (32, 4), (33, 8)] {
        let model = model(5, hidden, 0.8, seed);
        let law = exact(&model);
        let lengths = [1, 2, 7, 40, 1000];
        for (found, length) in model.log_z(&lengths).unwrap().into_iter().zip(lengths) {
            close(found, law.log_z(length), 20.0 * U * f64::from(length) + 1e-10, (hidden, length));
        }
        let rows = [documents(5, 3), documents(5, 4)].concat();
        let found = model.exact_perplexity(&batch(&rows)).unwrap();
        close(found.per_word, law.perplexity(&rows), 1e-5 * law.perplexity(&rows), "perplexity");
        assert_eq!((found.documents, found.tokens), (rows.len(), 35 * 3 + 70 * 4));
        // The base of a model without data is uniform.
        close(model.base_perplexity(&batch(&rows)).unwrap().per_word, 5.0, 1e-5, "single words");
    }
}

/// Annealing at one length, and in one go through all lengths to 60, reaches ln Z_D within twice its interval of 3σ: 5 models
/// and 7 lengths miss with probability 1e-7; intervals must be narrow enough to say something.
#[test]
fn annealing_reaches_ln_z_of_every_length() {
    for seed in 40..45 {
        let model = model(6, 4, 0.5, seed);
        let law = exact(&model);
        let options = Ais { runs: 300, betas: Betas::Count(60) };
        let lengths = [12, 3, 60, 30, 12];
        let found = model.annealed_log_z(&lengths, &options, key(seed), &mut |_, _| ()).unwrap();
        assert_eq!(found[0], found[4], "in the order asked for");
        let alone = lengths.iter().take(2).map(|&length| {
            let path = model.path(length).unwrap();
            (forward(&path, &options, key(seed), &mut |_, _| ()).unwrap(), length)
        });
        for (found, length) in found.into_iter().zip(lengths).chain(alone) {
            let Interval { low, high } = found.interval;
            assert!(high - low < 1.0, "length {length}: an interval of {low} to {high}");
            close(found.log_z, law.log_z(length), high - low + 1e-4, ("ln Z", seed, length));
        }
        let rows = documents(6, 3);
        let perplexity = model.perplexity(&batch(&rows), &options, key(seed), &mut |_, _| ()).unwrap();
        let Interval { low, high } = perplexity.interval;
        assert!(low <= perplexity.per_word && perplexity.per_word <= high && perplexity.ess > 10.0);
        close(perplexity.per_word, law.perplexity(&rows), 2.0 * (high - low), "perplexity");
    }
}

/// Documents of 5 to 44 tokens about one of two topics: a topic's four words have 0.2 each, the others 0.05.
fn corpus(rows: usize, seed: u64) -> Documents {
    let mut rng = Rng::new(seed);
    let document = |_| {
        let (topic, length) = (usize::from(rng.bernoulli(0.5)), 5 + (rng.uniform() * 40.0) as u32);
        let mut counts = [0; 8];
        for _ in 0..length {
            let own = rng.bernoulli(0.8) == (topic == 0);
            counts[(rng.uniform() * 4.0) as usize + if own { 0 } else { 4 }] += 1;
        }
        (0..8).filter(|&k| counts[k] > 0).map(|k| (k as u32, counts[k])).collect()
    };
    Documents::new(8, &(0..rows).map(document).collect::<Vec<_>>()).unwrap()
}

fn whole(documents: &Documents) -> Batch {
    documents.read(&(0..documents.rows() as u32).collect::<Vec<_>>()).unwrap()
}

fn options(epochs: u32) -> Fit {
    Fit {
        epochs,
        batch: 50,
        learning_rate: Schedule::Linear { from: 0.02, to: 0.0 },
        method: Method::adam(),
        ..Fit::default()
    }
}

/// A word alone has perplexity near 8; who knows the topic has e^H = e^(−0.8 ln 0.2 − 0.2 ln 0.05) = 6.60. Learning by CD, PCD and
/// fast PCD must find at least half of the way, exactly measured on fresh documents; and the topics' words come first.
#[test]
fn topics_are_learnt() {
    let (data, test) = (corpus(1000, 1), whole(&corpus(500, 2)));
    let mut estimators: [Box<dyn Estimator<ReplicatedSoftmax>>; 3] =
        [Box::new(Cd::new(1)), Box::new(Pcd::new(1, 100)), Box::new(FastPcd::default())];
    for estimator in &mut estimators {
        let mut model = ReplicatedSoftmax::for_data(&data, 2, key(6)).unwrap();
        let before = model.exact_perplexity(&test).unwrap().per_word;
        fit(&mut model, &data, estimator.as_mut(), &options(30), key(7), &mut Silent).unwrap();
        let after = model.exact_perplexity(&test).unwrap().per_word;
        assert!(before > 7.8 && after < 7.3, "{before} → {after}");
        let top: Vec<usize> = model.top_words(0, 4).unwrap().into_iter().map(|(word, _)| word).collect();
        assert!(top.iter().all(|&k| k < 4) || top.iter().all(|&k| k >= 4), "{top:?}");
        let drawn = model.sample(200, 30, 40, key(8)).unwrap();
        let sharp =
            rows_of(&drawn).iter().filter(|v| (v[..4].iter().sum::<f64>() - 15.0).abs() > 5.0).count();
        assert!(sharp > 120, "{sharp} of 200 documents of 30 tokens are about one topic");
    }
}

/// A training of persistent chains that is stopped after any step and goes on from a checkpoint ends bit for bit alike; another
/// file does not load.
#[test]
fn trainings_and_files_come_back() {
    let data = corpus(200, 3);
    let fresh = || (ReplicatedSoftmax::for_data(&data, 3, key(9)).unwrap(), Pcd::new(1, 20));
    let mut kept: Vec<Snapshot> = Vec::new();
    let (mut model, mut pcd) = fresh();
    let mut keep = |step: &Step<'_, ReplicatedSoftmax>| {
        kept.push(step.snapshot());
        ControlFlow::Continue(())
    };
    fit(&mut model, &data, &mut pcd, &options(2), key(10), &mut keep).unwrap();
    assert_eq!(kept.len(), 8);
    for snapshot in &kept {
        let (header, tensors) = model.to_checkpoint(snapshot, &Origin::default());
        let loaded = Loaded { kind: Kind::Checkpoint, header, tensors };
        let (mut again, back, _) = ReplicatedSoftmax::from_checkpoint(loaded).unwrap();
        assert!(back == *snapshot && again.lengths() == model.lengths());
        let (mut training, mut pcd) = (Training::new(&again, &data, &options(2)).unwrap(), Pcd::new(1, 20));
        training.restore(&mut again, &mut pcd, &back).unwrap();
        training.run(&mut again, &data, &mut pcd, key(10), &mut Silent).unwrap();
        assert_eq!(again.digest(), model.digest(), "stopped after step {}", snapshot.step);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("topics.harm");
    model.save(&RealVfs, &path, &Origin::default()).unwrap();
    let (back, _) = ReplicatedSoftmax::load(&RealVfs, &path).unwrap();
    assert_eq!(
        (back.digest(), back.lengths(), back.rbm().base()),
        (model.digest(), model.lengths(), model.rbm().base())
    );
    assert!(Rbm::load(&RealVfs, &path).is_err(), "a file of another model");
    model.rbm().save(&RealVfs, &path, &Origin::default()).unwrap();
    assert!(ReplicatedSoftmax::load(&RealVfs, &path).is_err(), "a file of another model");
}

/// Threads change no bit of a training: counts and 16-bit means have exact sums.
#[test]
fn threads_change_no_bit() {
    let data = corpus(200, 4);
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = ReplicatedSoftmax::for_data(&data, 3, key(9)).unwrap();
            fit(&mut model, &data, &mut Cd::new(2), &options(2), key(10), &mut Silent).unwrap();
            let perplexity = model.perplexity(
                &whole(&data),
                &Ais { runs: 10, betas: Betas::Count(10) },
                key(1),
                &mut |_, _| (),
            );
            (model.digest(), perplexity.unwrap().per_word.to_bits())
        })
    };
    assert_eq!(train(1), train(4));
}

/// What is no count, too long or without a length is refused by name; so are chains that swap places.
#[test]
fn what_does_not_fit_is_refused() {
    let model = model(3, 2, 0.5, 50);
    let said = |error: harmonium::Error| error.to_string();
    let free = |values: Array2<f32>| said(model.free_energy(&Batch::reals(values).unwrap()).unwrap_err());
    assert!(free(ndarray::array![[1.0, 2.0, 0.5]]).contains("row 0, column 2: expected a count"));
    assert!(free(ndarray::array![[1.0, 2.0]]).contains("3 columns"));
    assert!(free(ndarray::array![[0.0, 9e5, 9e5]]).contains("at most 1000000 tokens"));
    let gaps = Batch::with_missing(ndarray::array![[1.0, f32::NAN, 0.0]].view(), &Units::Poisson(3)).unwrap();
    assert!(model.transform(&gaps).is_err());
    assert!(said(model.log_z(&[0]).unwrap_err()).contains("1 to 1000000 tokens"));
    assert!(model.path(0).is_err() && model.sample(1, 0, 2, key(1)).is_err());
    assert!(model.top_words(2, 1).is_err());
    let empty = Batch::reals(ndarray::array![[0.0, 0.0, 0.0]]).unwrap();
    assert!(
        model.exact_perplexity(&empty).is_err() && ReplicatedSoftmax::for_data(&empty, 2, key(1)).is_err()
    );
    let bits = Rbm::new(Units::Bernoulli(3), Units::Bernoulli(2), key(1)).unwrap();
    assert!(said(ReplicatedSoftmax::from_rbm(bits, &[1]).unwrap_err()).contains("Poisson and Bernoulli"));
    let mut student = model.clone();
    let data = Batch::reals(ndarray::array![[1.0, 2.0, 0.0]]).unwrap();
    let refused = fit(&mut student, &data, &mut Tempering::default(), &Fit::default(), key(1), &mut Silent);
    assert!(said(refused.unwrap_err()).contains("rows of one length"));
    let wide = ReplicatedSoftmax::new(70, 40, &[5], key(1)).unwrap();
    assert!(said(wide.log_z(&[5]).unwrap_err()).contains("words times hidden states"));
    assert!(wide.unpack(States::reals(vec![0.5; 70], 70)).is_err());
}

/// The third statistic is D h: what centres takes it for h, and sparsity for a probability.
#[test]
fn options_without_a_formula_are_refused() {
    let data = corpus(20, 5);
    let model = ReplicatedSoftmax::for_data(&data, 2, key(1)).unwrap();
    let refused = |options: Fit, words: &str| {
        let error = Training::new(&model, &data, &options).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    };
    refused(Fit { centre: Some(Centre::default()), ..options(1) }, "centre: expected a model whose");
    refused(Fit { enhanced: true, ..options(1) }, "enhanced: expected a model whose");
    refused(Fit { sparsity: Some(Sparsity::default()), ..options(1) }, "sparsity: expected Bernoulli");
    assert!(Training::new(&model, &data, &options(1)).is_ok());
}

/// Whole weights make the model that repeated documents make; a document that does not count leaves no trace.
#[test]
fn weights_of_documents_are_counts() {
    let data = corpus(60, 6);
    let counts: Vec<f32> = (0..60_u16).map(|row| f32::from(row * 29 % 4)).collect();
    let rows = counts.iter().enumerate().flat_map(|(row, &n)| std::iter::repeat_n(row as u32, n as usize));
    let repeated = data.gather(&rows.collect::<Vec<_>>()).unwrap();
    let weighted = Weighted::new(data, counts).unwrap();
    let [once, many] =
        [&weighted as &dyn Rows, &repeated].map(|rows| ReplicatedSoftmax::for_data(rows, 2, key(1)).unwrap());
    assert!(once == many);
}

/// A header may name a hundred million documents; a file must have as many bytes.
#[test]
fn a_header_alone_fills_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docword.txt");
    std::fs::write(&path, "1000000\n4\n1\n1 2 3\n").unwrap();
    let error = Documents::read(&path).unwrap_err().to_string();
    assert!(error.ends_with("has bytes, 18, got 1000000"), "{error}");
}
