//! Draws samples by every sampler of the command line, and reads what it tells of itself.

mod common;

use common::{PIXELS, number, trained};

#[test]
fn every_sampler_draws_and_tells_how_it_moved() {
    let (place, _) = trained();
    let line = "sample run --n 10 --json --sampler";
    let done = place.words(&format!("{line} tempering --sweeps 400 --rungs 4 --out a.npy")).ok();
    let told = &done.lines()[0];
    let (betas, rates) = (told["ladder"][0].as_array().unwrap(), told["ladder"][1].as_array().unwrap());
    assert_eq!((betas.len(), rates.len(), number(&betas[0])), (4, 3, 1.0));
    assert!(rates.iter().all(|rate| (0.0..=1.0).contains(&number(rate))));
    assert!(number(&told["round_trips"]) > 0.0 && number(&told["mixing"]["r_hat"]) > 0.9);
    let line = format!("{line} tempered-transitions --rungs 10 --lowest-beta 0");
    let done = place.words(&format!("{line} --sweeps 400 --out b.npy")).ok();
    assert!((0.0..=1.0).contains(&number(&done.lines()[0]["acceptance"])));
    for name in ["a.npy", "b.npy"] {
        let bits: ndarray::Array2<u8> = ndarray_npy::read_npy(place.path(name)).expect("bytes");
        assert_eq!(bits.dim(), (10, PIXELS));
    }
    let done = place.words("sample run --n 5 --sampler anneal --sweeps 100 --out c.npy").ok();
    assert!(done.stdout.starts_with("lowest energy "), "{}", done.stdout);
    let bits: ndarray::Array2<u8> = ndarray_npy::read_npy(place.path("c.npy")).expect("bytes");
    assert_eq!(bits.dim(), (1, PIXELS));
}

#[test]
fn draws_do_not_depend_on_threads() {
    let (place, _) = trained();
    let line = "sample run --n 20 --sweeps 60 --quiet --sampler tempering --out";
    place.words(&format!("{line} one.npy --threads 1")).ok();
    place.words(&format!("{line} three.npy --threads 3")).ok();
    assert_eq!(place.read("one.npy"), place.read("three.npy"));
}

#[test]
fn what_a_sampler_does_not_take_is_named() {
    let (place, _) = trained();
    let say = |rest: &str| place.words(&format!("sample run --n 5 --out x.npy {rest}")).stderr;
    assert!(say("--rungs 4").contains("sampler: expected tempering or tempered-transitions"));
    let short = say("--sampler tempered-transitions --sweeps 100");
    assert!(short.contains("sweeps: expected 200 or more, for two transitions, got 100"), "{short}");
    assert!(say("--sampler tempering --lowest-beta 2").contains("lowest beta: expected 0 to below 1"));
}
