//! Checks `ising`: figures beside the exact ones, files, equal bits on any number of threads, and what is refused.

mod common;

use std::fs;

use common::{Place, keys, number};

const FIGURES: [&str; 14] = [
    "autocorrelation",
    "binder",
    "energy",
    "energy_error",
    "energy_exact",
    "energy_infinite",
    "heat",
    "heat_error",
    "heat_exact",
    "heat_infinite",
    "magnetization",
    "magnetization_error",
    "magnetization_infinite",
    "temperature",
];

#[test]
fn figures_lie_beside_the_exact_ones() {
    let place = Place::new();
    for moves in ["metropolis", "heat-bath", "cluster"] {
        let options =
            format!("ising --size 16x20 --temperature 2,3 --sweeps 2000 --moves {moves} --json --quiet");
        let lines = place.words(&options).ok().lines();
        assert_eq!(lines.len(), 2);
        for line in &lines {
            let mut names = keys(line);
            names.sort_unstable();
            assert_eq!(names, FIGURES);
            let [energy, exact, error] =
                ["energy", "energy_exact", "energy_error"].map(|name| number(&line[name]));
            // Errors come from 32 parts: t of 31 degrees of freedom is beyond 7 with probability 7e-8.
            assert!((energy - exact).abs() < 7.0 * error, "{moves}: {line}");
        }
    }
}

#[test]
fn a_range_leaves_a_table_a_report_and_pictures_of_equal_bits_on_any_number_of_threads() {
    let place = Place::new();
    let read = |threads: usize| {
        let options =
            format!("ising --size 32 --temperature 2:3:3 --sweeps 50 --warming 10 --threads {threads}");
        place.words(&format!("{options} --quiet --out out-{threads}")).ok();
        let file = |name: &str| fs::read(place.path(&format!("out-{threads}/{name}"))).expect(name);
        ["ising.csv", "report.html", "lattice-2.png", "lattice-2.5.png", "lattice-3.png"].map(file)
    };
    let one = read(1);
    assert_eq!(read(3), one);
    assert_eq!(String::from_utf8_lossy(&one[0]).lines().count(), 4);
    let page = String::from_utf8_lossy(&one[1]);
    assert!(page.contains("Specific heat per site") && page.contains("Harmonium lattice report"));
}

#[test]
fn a_temperature_alone_gives_what_it_gives_in_a_list() {
    let place = Place::new();
    let lines = |t: &str| {
        place
            .words(&format!("ising --size 5 --temperature {t} --sweeps 40 --json --quiet --start hot"))
            .ok()
            .lines()
    };
    assert_eq!(lines("2.5,3")[1], lines("3")[0]);
}

#[test]
fn what_is_no_lattice_and_no_temperature_is_refused() {
    let place = Place::new();
    place.words("ising --size 1x4").refused(2, &["sides of a lattice", "2 sites or more", "got 1"]);
    place.words("ising --size 4 --temperature 0").refused(2, &["temperature", "got 0"]);
    place.words("ising --size 4 --temperature nan").refused(2, &["temperature"]);
    place.words("ising --size 4 --sweeps 1").refused(2, &["sweeps", "2 or more"]);
    place.words("ising --size 4 --moves cluster --antiferromagnet").refused(2, &["moves", "antiferromagnet"]);
    place.words("ising --size 4x4x4").refused(2, &["--size"]);
    place.words("ising --temperature 1:2:99999").refused(2, &["at most 1000"]);
}
