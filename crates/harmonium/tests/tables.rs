//! Proves that tables of words, numbers and gaps reach the visible units as their schema says.

mod common;

use std::fmt::Write;

use common::key;
use harmonium::data::{Fields, Frame, Kind, ReadOptions, Schema, scaled};
use harmonium::rbm::{Imputing, Rbm};
use harmonium::train::{Fit, Method, Pcd, Schedule, Silent, fit};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel};
use harmonium_oracle::rng::Rng;
use ndarray::Array2;

fn frame(text: &str) -> Frame {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    Frame::open(&path, &ReadOptions::default()).unwrap()
}

fn read(schema: &Schema, frame: &Frame) -> (Schema, Fields, Batch) {
    let settled = schema.settled(frame).unwrap();
    let fields = Fields::new(&settled).unwrap();
    let batch = fields.batch(frame, &settled).unwrap();
    (settled, fields, batch)
}

#[test]
fn gaps_are_missing_and_no_zeros() {
    let (_, _, batch) = read(&Schema::uniform(Kind::Gaussian), &frame("5,?\nNA,7\n6,\n,nan\n"));
    let missing = batch.missing().expect("gaps");
    let gone: Vec<bool> = (0..8).map(|i| missing.get(i / 2, i % 2)).collect();
    assert_eq!(gone, [false, true, true, false, false, true, true, true]);
    // The mean of a column is that of its known values.
    let (means, _) = harmonium::rows::moments(&batch).unwrap();
    assert_eq!(means, [5.5, 7.0]);
}

/// Columns alternate between kinds, so that no feature is where its column is.
#[test]
fn features_stand_where_their_units_are() {
    let text = "a,b,c,d,e\n1,x,0.5,3,z\n0,y,2.5,9,x\n1,w,-1,0,w\n";
    let schema = r#"{"columns": [{"name": "d", "kind": "poisson"}]}"#;
    let frame = frame(text);
    let (settled, fields, batch) = read(&Schema::from_json("s", schema).unwrap(), &frame);
    let units = settled.units().unwrap();
    let three = Units::Categorical { units: 2, classes: 3 };
    assert_eq!(units, Units::Mixed(vec![Units::Bernoulli(1), three, Units::Diagonal(1), Units::Poisson(1)]));
    batch.check_kind("data", &units).unwrap();
    assert_eq!(fields.decoded(&batch.to_array()), fields.values(&frame).unwrap());
    let rbm = Rbm::fitted(units, &batch, Units::Bernoulli(3), key(1)).unwrap();
    rbm.check_data(&batch).unwrap();
}

#[test]
fn rare_values_stay_small() {
    let values = Array2::from_shape_fn((2000, 3), |(r, c)| match c {
        0 => f32::from(u8::from(r == 11)) * 250.0,
        1 => (r % 7) as f32,
        _ => 1e6 + (r % 2) as f32,
    });
    let (units, batch) = (Units::Gaussian(3), Batch::reals(values).unwrap());
    let scaling = scaled(&units, &batch).unwrap().unwrap();
    let most = scaling.apply(batch.states()).to_array().iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    assert!(most <= 10.001, "{most}");
}

#[test]
fn columns_are_found_by_their_names() {
    let (settled, fields, _) = read(&Schema::default(), &frame("kg,cm\n61,170.5\n80,181\n"));
    let turned = frame("cm,kg\n165,55\n");
    let batch = fields.batch(&turned, &settled).unwrap();
    assert_eq!(batch.to_array(), ndarray::array![[55.0, 165.0]]);
}

/// Two words and two numbers that go together: what is filled in must tell them apart. The means of both groups are four
/// deviations apart, and half a deviation is more than 3σ of 400 draws that mix at once.
#[test]
fn a_gap_is_filled_with_what_goes_with_the_rest() {
    let mut rng = Rng::new(3);
    let mut text = String::from("word,kg,cm\n");
    for row in 0..600 {
        let tall = row % 2 == 0;
        let (word, kg, cm) = if tall { ("oak", 90.0, 190.0) } else { ("fern", 60.0, 160.0) };
        let (kg, cm) = (kg + 7.5 * rng.normal(), cm + 7.5 * rng.normal());
        writeln!(text, "{word},{kg:.2},{cm:.2}").unwrap();
    }
    let (settled, fields, batch) = read(&Schema::default(), &frame(&text));
    let units = settled.units().unwrap();
    let mut rbm = Rbm::fitted(units, &batch, Units::Bernoulli(4), key(1)).unwrap();
    let rate = Schedule::Linear { from: 0.02, to: 0.0 };
    let options =
        Fit { epochs: 40, batch: 20, method: Method::adam(), learning_rate: rate, ..Fit::default() };
    fit(&mut rbm, &batch, &mut Pcd::default(), &options, key(2), &mut Silent).unwrap();
    let asked = fields.batch(&frame("word,kg,cm\noak,?,190\nfern,60,NA\n,91,189\n"), &settled).unwrap();
    let filled = fields.decoded(&rbm.impute(&asked, Imputing::default(), key(3)).unwrap().mean);
    assert!((filled[(0, 1)] - 90.0).abs() < 4.0, "{filled}");
    assert!((filled[(1, 2)] - 160.0).abs() < 4.0, "{filled}");
    assert!(filled[(2, 0)] > 0.9, "classes are in the order of the alphabet: {filled}");
}

/// As many programs write a table: an index without a name first. It is a column like any other, and no row of words.
#[test]
fn an_index_without_a_name_leaves_the_header_a_header() {
    let frame = frame(",x,y\n0,1.5,1\n1,2.5,0\n2,0.5,1\n");
    assert_eq!(frame.names().unwrap(), ["1", "x", "y"]);
    let (settled, fields, batch) = read(&Schema::default(), &frame);
    assert_eq!((batch.rows(), fields.each.len()), (3, 3), "{settled:?}");
}

/// Of two columns with one name the first would be read twice.
#[test]
fn columns_of_one_name_are_refused() {
    let twice = frame("a,b,a\n1,0,0\n0,1,1\n1,1,0\n");
    let own = Fields::new(&Schema::default().settled(&twice).unwrap()).unwrap();
    assert_eq!(own.places(&twice).unwrap(), [0, 1, 2], "a schema of such a file calls them by their numbers");
    let fields = Fields::new(&Schema::default().settled(&frame("a,b\n1,0\n0,1\n")).unwrap()).unwrap();
    let refused = fields.places(&twice).unwrap_err().to_string();
    assert!(refused.contains("columns of different names, got two called a"), "{refused}");
}
