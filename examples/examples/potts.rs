//! Learns sequences over four letters with categorical units, and looks at them in the zero-sum gauge.
//!
//! `cargo run --release -p harmonium-examples --example potts`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::prelude::*;
use ndarray::Array2;

const LETTERS: [char; 4] = ['A', 'C', 'G', 'U'];
const SITES: usize = 6;

fn main() -> Result<(), Error> {
    let key = Key::from_seed(1);
    // Sites 0 and 5, 1 and 4 pair: A with U, C with G; the two in the middle are free.
    let letter = |row: usize, site: usize| -> u16 {
        let own = |site: usize| ((row * (7919 + 613 * site) + row / 11 * 104_729) >> 4) as u16 % 4;
        if site < 4 { own(site) } else { 3 - own(SITES - 1 - site) }
    };
    let data = Array2::from_shape_fn((1000, SITES), |(row, site)| letter(row, site));
    let data = Batch::classes(data.view(), LETTERS.len())?;

    let mut rbm = Rbm::for_data(&data, Units::Bernoulli(12), key)?;
    println!("before      {:.2} nats a row", rbm.exact_likelihood(&data)?.log_likelihood);
    let options = Fit { epochs: 100, batch: 50, method: Method::adam(), ..Fit::default() };
    let options = Fit { learning_rate: Schedule::Linear { from: 0.01, to: 0.0 }, ..options };
    fit(&mut rbm, &data, &mut Pcd::new(2, 200), &options, key, &mut Silent)?;
    // Four letters drawn freely would have −4 ln 4 = −5.55; these are a little less free.
    println!("100 epochs  {:.2} nats a row", rbm.exact_likelihood(&data)?.log_likelihood);

    let samples = rbm.sample(2000, 400, key, &mut |_| ()).to_array();
    let drawn = |row: usize, site: usize| (0..4).find(|c| samples[(row, site * 4 + c)] == 1.0).unwrap_or(0);
    let paired = |a: usize, b: usize| {
        (0..2000).filter(|&row| drawn(row, a) + drawn(row, b) == 3).count() as f64 / 20.0
    };
    println!(
        "pairs in samples: {:.0} % of 0-5, {:.0} % of 1-4, {:.0} % of 2-3",
        paired(0, 5),
        paired(1, 4),
        paired(2, 3)
    );

    // In the zero-sum gauge a weight says how a letter differs from the mean letter.
    let weights = rbm.zero_sum()?.weights();
    let strongest = |unit: usize| {
        let norm = |f: &usize| (weights[(*f, unit)] * 1e6) as i64;
        (0..SITES * 4).max_by_key(norm).map(|f| (f / 4, LETTERS[f % 4]))
    };
    for unit in 0..3 {
        println!("hidden unit {unit} likes most (site, letter) {:?}", strongest(unit));
    }
    Ok(())
}
