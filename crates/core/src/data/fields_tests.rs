//! Tests schemas on small tables: what is inferred, what becomes of each cell, and what is refused.

use std::fs;

use ndarray::array;

use super::super::{Frame, ReadOptions, Schema, Table};
use super::*;
use crate::units::Units;

const TABLE: &str =
    "smoker,region,kg,visits,id\nyes,north,61.5,3,a1\nno,south,NA,0,a2\n?,west,80,1,a3\nyes,,92,7,a4\n";

fn frame(text: &str) -> Frame {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, text).unwrap();
    Frame::open(&path, &ReadOptions::default()).unwrap()
}

fn schema(text: &str) -> Schema {
    Schema::from_json("s", text).unwrap()
}

const MIXED: &str =
    r#"{"columns": [{"name": "visits", "kind": "poisson"}, {"name": "5", "kind": "ignore"}]}"#;

#[test]
fn kinds_are_inferred_where_none_is_given() {
    let settled = schema(MIXED).settled(&frame(TABLE)).unwrap();
    let kinds: Vec<String> = settled.listed().iter().map(|column| column.kind.to_string()).collect();
    assert_eq!(kinds, ["bernoulli", "categorical:3", "diagonal", "poisson", "ignore"]);
    assert_eq!(settled.columns[0].classes, ["no", "yes"]);
    assert_eq!(settled.columns[1].classes, ["north", "south", "west"]);
    assert_eq!(settled.settled(&frame(TABLE)).unwrap(), settled, "nothing is left to settle");
    let spins = Schema::default().settled(&frame("-1,0.5\n1,2\n")).unwrap();
    assert_eq!(spins.units().unwrap(), Units::Mixed(vec![Units::Spin(1), Units::Diagonal(1)]));
}

#[test]
fn cells_become_features_and_come_back() {
    let frame = frame(TABLE);
    let settled = schema(MIXED).settled(&frame).unwrap();
    let fields = Fields::new(&settled).unwrap();
    let units = vec![
        Units::Bernoulli(1),
        Units::Categorical { units: 1, classes: 3 },
        Units::Diagonal(1),
        Units::Poisson(1),
    ];
    assert_eq!(settled.units().unwrap(), Units::Mixed(units));
    let batch = fields.batch(&frame, &settled).unwrap();
    let expected = array![
        [1.0, 1.0, 0.0, 0.0, 61.5, 3.0],
        [0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0, 80.0, 1.0],
        [1.0, 0.0, 0.0, 0.0, 92.0, 7.0]
    ];
    assert_eq!(batch.to_array(), expected);
    let missing = batch.missing().unwrap();
    let gone: Vec<(usize, usize)> =
        (0..24).map(|i| (i / 6, i % 6)).filter(|&(r, f)| missing.get(r, f)).collect();
    assert_eq!(gone, [(1, 4), (2, 0), (3, 1), (3, 2), (3, 3)]);
    let back = fields.decoded(&expected);
    assert_eq!(back.row(0), array![1.0, 0.0, 61.5, 3.0]);
    let shown: Vec<String> = fields.each.iter().zip(back.row(2)).map(|(field, &x)| field.show(x)).collect();
    assert_eq!(shown, ["no", "west", "80", "1"]);
}

/// Columns that are not neighbours share a part of the visible layer.
#[test]
fn columns_of_one_kind_stand_together() {
    let frame = frame("a,b,c,d\n1,0.5,0,7\n0,2,1,9\n");
    let settled = Schema::default().settled(&frame).unwrap();
    let fields = Fields::new(&settled).unwrap();
    assert_eq!(settled.units().unwrap(), Units::Mixed(vec![Units::Bernoulli(2), Units::Diagonal(2)]));
    let rows = fields.batch(&frame, &settled).unwrap().to_array();
    assert_eq!(rows, array![[1.0, 0.0, 0.5, 7.0], [0.0, 1.0, 2.0, 9.0]]);
    assert_eq!(fields.decoded(&rows), array![[1.0, 0.5, 0.0, 7.0], [0.0, 2.0, 1.0, 9.0]]);
}

#[test]
fn one_kind_for_all_shares_its_classes() {
    let settle =
        |kind: &str, text: &str| Schema::uniform(kind.parse().unwrap()).settled(&frame(text)).unwrap();
    let settled = settle("categorical", "A,C\nC,G\nU,?\nA,C\n");
    assert_eq!(settled.units().unwrap(), Units::Categorical { units: 2, classes: 4 });
    assert_eq!(settled.columns.len(), 1, "both are alike");
    assert_eq!(settle("categorical", "1,5\n3,2\n").columns[0].classes, ["1", "2", "3", "5"]);
    assert_eq!(
        settle("categorical", "0,1\n2,0\n").units().unwrap(),
        Units::Categorical { units: 2, classes: 3 }
    );
    assert_eq!(
        settle("categorical:5", "0,1\n2,0\n").units().unwrap(),
        Units::Categorical { units: 2, classes: 5 }
    );
    assert_eq!(settle("binomial", "0,4\n16,0\n").units().unwrap(), Units::Binomial { units: 2, trials: 16 });
    assert_eq!(settle("bernoulli", "y,n\nn,\ny,n\n").columns[0].classes, ["n", "y"]);
}

#[test]
fn bytes_are_grey_values_or_counts_and_bits_are_spins() {
    let bytes = Table::from_bytes("t", 2, 2, vec![0, 51, 102, 255]).unwrap();
    let values = |kind: &str, table: &Table| {
        let frame = Frame::Numbers("t".into(), table.clone());
        let settled = Schema::uniform(kind.parse().unwrap()).settled(&frame).unwrap();
        Fields::new(&settled).unwrap().values(&frame).unwrap()
    };
    assert_eq!(values("gaussian", &bytes), array![[0.0, 0.2], [0.4, 1.0]]);
    assert_eq!(values("poisson", &bytes), array![[0.0, 51.0], [102.0, 255.0]]);
    let bits = Table::from_bits("t", crate::BitMatrix::from_fn(2, 2, |r, c| r == c)).unwrap();
    assert_eq!(values("spin", &bits), array![[1.0, -1.0], [-1.0, 1.0]]);
}

#[test]
fn another_file_is_read_by_the_names_or_numbers_of_the_first() {
    let settled = schema(MIXED).settled(&frame(TABLE)).unwrap();
    let fields = Fields::new(&settled).unwrap();
    let turned = frame("visits,kg,region,smoker\n2,55,west,no\n");
    assert_eq!(fields.values(&turned).unwrap(), array![[0.0, 2.0, 55.0, 2.0]]);
    let bare = frame("no,west,55,2,x9\nyes,west,60,1,x8\n");
    assert_eq!(fields.values(&bare).unwrap().row(0), array![0.0, 2.0, 55.0, 2.0]);
    assert_eq!(fields.values(&frame("no,west,55,2\n")).unwrap(), array![[0.0, 2.0, 55.0, 2.0]]);
    for (text, words) in [
        (
            "smoker,region,kg\nno,west,55\n",
            "expected a column visits (poisson), got columns smoker, region, kg",
        ),
        ("no,west,55\n", "data: expected 4 columns, got 3 columns"),
        (
            "no,east,55,2\n",
            "at line 1, column 2: expected one of north, south, west (categorical:3), got \"east\"",
        ),
        ("no,west,heavy,2\n", "at line 1, column 3: expected a number (diagonal), got \"heavy\""),
        ("no,west,55,-2\n", "at line 1, column 4: expected a count: 0, 1, 2, … (poisson), got \"-2\""),
    ] {
        let error = fields.values(&frame(text)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn columns_that_nothing_can_be_made_of_are_named() {
    let words = (0..70).map(|i| format!("w{i},{i}.5")).collect::<Vec<_>>().join("\n");
    for (columns, text, says) in [
        (
            r#"{"name": "x"}"#,
            TABLE,
            "schema at column x: expected one of smoker, region, kg, visits, id, got",
        ),
        (
            r#"{"name": "9"}"#,
            "1,2\n",
            "schema at column 9: expected a number from 1 to 2, as there is no header",
        ),
        (r#"{"name": "1"}, {"name": "smoker"}"#, TABLE, "expected one description, got two"),
        (
            "",
            &words,
            "schema at column 1: expected at most 64 different words, a kind, or kind ignore, got 70",
        ),
        ("", "a,b\nx,1\nx,2\n", "schema at column a: expected two words at least, or kind ignore, got one"),
        (
            "",
            "a,b\n?,1\n,2\n",
            "schema at column a: expected a value in some row, or kind ignore, got missing",
        ),
        (
            r#"{"name": "b", "kind": "bernoulli"}"#,
            "a,b\n1,x\n2,y\n3,z\n",
            "expected 0 and 1, or two different words",
        ),
        (
            r#"{"name": "1", "kind": "ignore"}"#,
            "5\n",
            "schema: expected one column at least that is not left out",
        ),
        (
            r#"{"name": "1", "kind": "categorical:1"}"#,
            "0\n",
            "schema at column 1: expected kind categorical:",
        ),
    ] {
        let error =
            schema(&format!("{{\"columns\": [{columns}]}}")).settled(&frame(text)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
