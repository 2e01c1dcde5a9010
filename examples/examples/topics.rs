//! Learns topics of documents with a replicated softmax, and prints the perplexity of a held-out word beside that of single words.
//!
//! `cargo run --release -p harmonium-examples --example topics [-- --short] [--valid]`: with `HARMONIUM_EXTRA` set, the blog entries of
//! `$HARMONIUM_EXTRA/kos/docword.kos.txt.gz`, else a small generated corpus. Every fifth document is held out, by the hash of its
//! number; with `--valid` another fifth, and the first one is left out.
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::Path;

use harmonium::data::{Documents, fold};
use harmonium::evaluate::{Ais, Betas};
use harmonium::prelude::*;
use harmonium::rbm::ReplicatedSoftmax;
use harmonium::train::Decay;
use harmonium_examples::Arguments;
use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

const WORDS: [&str; 12] = [
    "spin", "energy", "lattice", "field", "goal", "match", "team", "coach", "flour", "oven", "sugar", "yeast",
];

fn main() -> Result<(), Error> {
    let (key, arguments) = (Key::from_seed(1), Arguments::read());
    let file = std::env::var_os("HARMONIUM_EXTRA").map(|f| Path::new(&f).join("kos/docword.kos.txt.gz"));
    let file = file.filter(|file| file.exists());
    let (all, topics) = match &file {
        Some(file) => (Documents::read(file)?, 50),
        None => (generated(1_000, key)?, 3),
    };
    let (epochs, runs) = if arguments.short { (3, 20) } else { (80, 500) };
    let held = u32::from(arguments.has("--valid"));
    let rows = |keep: &dyn Fn(u32) -> bool| -> Vec<u32> {
        (0..all.rows() as u32).filter(|&row| keep(fold(u64::from(row)))).collect()
    };
    let train = all.gather(&rows(&|fold| fold != 0 && fold != held))?;
    let test = all.read(&rows(&|fold| fold == held))?;

    let mut model = ReplicatedSoftmax::for_data(&train, topics, key)?;
    println!("{} documents of {} words; {} held out", all.rows(), all.units(), test.rows());
    let alone = model.base_perplexity(&test)?;
    println!("single words  {alone}");

    // Chains that go on find what short ones from the data miss: documents that the model likes and nobody wrote.
    let options = Fit { epochs, batch: 50, method: Method::adam(), ..Fit::default() };
    let options = Fit { decay: Decay { l2: 0.01, ..Decay::default() }, ..options };
    let options = Fit { learning_rate: Schedule::Linear { from: 0.005, to: 0.0 }, ..options };
    fit(&mut model, &train, &mut Pcd::new(1, 100), &options, key, &mut Silent)?;
    let ais = Ais { runs, betas: Betas::Count(100) };
    let found = model.perplexity(&test, &ais, key, &mut |_, _| ())?;
    println!("{topics} topics  {found}: {:.1} % below", 100.0 * (1.0 - found.per_word / alone.per_word));
    for topic in 0..topics.min(3) {
        let name = |word: usize| file.is_none().then(|| WORDS[word]).map_or(format!("#{word}"), String::from);
        let top = model.top_words(topic, 4)?.into_iter().map(|(word, w)| format!("{} {w:+.2}", name(word)));
        println!("topic {topic}: {}", top.collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

/// Draws documents of 20 to 59 tokens about one of three topics each: four words are its own, and one token in five is any.
fn generated(documents: usize, key: Key) -> Result<Documents, Error> {
    let range = Uniform::new(0.0_f64, 1.0).expect("an interval");
    let draws = Array2::random_using((documents, 121), range, &mut key.fold_in(99).stream(0));
    let document = |row: usize| {
        let (topic, mut counts) = ((draws[(row, 120)] * 3.0) as usize, [0; WORDS.len()]);
        for token in 0..20 + row % 40 {
            let any = draws[(row, 2 * token)] < 0.2;
            let (from, number) = if any { (0, 12.0) } else { (4 * topic, 4.0) };
            counts[from + (draws[(row, 2 * token + 1)] * number) as usize] += 1;
        }
        counts.into_iter().enumerate().filter(|(_, n)| *n > 0).map(|(word, n)| (word as u32, n)).collect()
    };
    Documents::new(WORDS.len(), &(0..documents).map(document).collect::<Vec<_>>())
}
