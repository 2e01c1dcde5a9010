//! Checks `recommend`: tables beside baselines, lists without what was seen, equal bits on any number of threads, and what is refused.

mod common;

use std::fmt::Write as _;

use common::{Place, number};

/// Writes ratings of 30 users and 12 items: high where both numbers are even or both odd; every fifth pair is missing.
fn place() -> Place {
    let mut text = String::from("who|what|stars\n");
    for user in 0..30 {
        for item in (0..12).filter(|item| (user * 7 + item * 3) % 5 > 0) {
            let stars = if (user + item) % 2 == 0 { 4 + (user + item) % 3 / 2 } else { 1 + item % 2 };
            writeln!(text, "u{user}|i{item}|{stars}").unwrap();
        }
    }
    let place = Place::new();
    place.write("stars.txt", text);
    place
}

const SMALL: &str = "recommend stars.txt --hidden 4 --epochs 30 --json --quiet";

#[test]
fn machines_stand_beside_baselines_with_the_same_bits_on_any_number_of_threads() {
    let place = place();
    let lines = |threads: usize| {
        let lines = place.words(&format!("{SMALL} --folds 2 --threads {threads}")).ok().lines();
        lines.into_iter().map(|line| (line["model"].to_string(), number(&line["rmse"]))).collect::<Vec<_>>()
    };
    let found = lines(1);
    assert_eq!((found.len(), &found), (24, &lines(3)));
    let mean = |name: &str| found[16..].iter().find(|(model, _)| model.contains(name)).unwrap().1;
    assert!(mean("both RBMs") < mean("best biases") && mean("best biases") < 2.0, "{found:?}");
}

#[test]
fn lists_leave_out_what_was_seen() {
    let place = place();
    let lines = place.words(&format!("{SMALL} --user u3 --top 9")).ok().lines();
    let items: Vec<String> = lines.iter().map(|line| line["item"].as_str().unwrap().to_owned()).collect();
    // u3 lacks i(3 + 5n): 21 + 3 i is a multiple of five.
    assert_eq!(
        items.iter().collect::<std::collections::BTreeSet<_>>(),
        ["i3", "i8"].map(String::from).iter().collect()
    );
    assert_eq!(items[0], "i3");
    let lines = place.words(&format!("{SMALL} --ranking --top 3")).ok().lines();
    assert_eq!(lines.len(), 2);
    assert!((0.0..=1.0).contains(&number(&lines[1]["ranking"]["ndcg"])));
}

/// Each option of the machine and its training reaches a run that measures lists: other values, other lists.
#[test]
fn options_count_for_lists_too() {
    let place = place();
    let found = |options: &str| {
        let line = format!("recommend stars.txt --ranking --top 3 --json --quiet {options}");
        place.words(&line).ok().lines()[1]["ranking"].to_string()
    };
    let usual = "--hidden 4 --epochs 5";
    let all = [usual, "--hidden 2 --epochs 5", "--hidden 4 --epochs 0"].map(String::from).into_iter().chain(
        ["--lateral 1", "--damping 1", "--rate 0.3", "--decay 9", "--seed 7"].map(|o| format!("{usual} {o}")),
    );
    let all: Vec<String> = all.map(|options| found(&options)).collect();
    let other = all[1..].iter().filter(|ranking| **ranking != all[0]).count();
    assert!(other >= 6, "{all:#?}");
}

#[test]
fn thumbs_have_two_levels() {
    let place = Place::new();
    let line = |user: usize, item: usize| format!("u{user},i{item},{}\n", (user + item) % 2);
    let text: String = (0..20).flat_map(|user| (0..10).map(move |item| line(user, item))).collect();
    place.write("thumbs.csv", text);
    let words =
        "recommend thumbs.csv --scale 0:1:1 --hidden 4 --epochs 300 --rate 0.05 --folds 1 --json --quiet";
    let lines = place.words(words).ok().lines();
    let both = lines.iter().find(|line| line["model"] == "both RBMs").expect("a line");
    assert!(number(&both["mae"]) < 0.4 && both["seed"] == 1, "{both}");
}

/// More items than neighbours are compared among: the other models are measured all the same.
#[test]
fn neighbours_of_too_many_items_are_left_out_and_told() {
    let place = Place::new();
    let mut text = String::new();
    (0..20_100).for_each(|item| writeln!(text, "u{},i{item},{}", item % 7, 1 + item % 5).unwrap());
    place.write("wide.csv", text);
    let done = place.words("recommend wide.csv --hidden 1 --epochs 0 --folds 1 --json").ok();
    assert!(done.stderr.contains("k-NN is left out: 20100 items"), "{}", done.stderr);
    assert!(done.stdout.contains("SVD with biases") && !done.stdout.contains("k-NN"));
}

#[test]
fn what_is_wrong_is_named() {
    let place = place();
    place.write("bad.csv", "a,b,3\na,c,6\n");
    for (line, said) in [
        ("recommend stars.txt --folds 6", "folds: expected 1 to 5, got 6"),
        ("recommend stars.txt --user u99", "user: expected one of 30"),
        ("recommend stars.txt --hidden 0", "hidden: expected 1 to 65536, got 0"),
        ("recommend stars.txt --share 1.5", "share: expected 0 to 1, got 1.5"),
        ("recommend stars.txt --columns who,what,nothing", "columns: expected one of who, what, stars"),
        ("recommend stars.txt --columns who,what", "columns: expected user,item,rating"),
        ("recommend stars.txt --ranking --damping -1", "damping: expected 0 to a million, got -1"),
    ] {
        place.words(line).refused(2, &[said]);
    }
    let done = place.words("recommend stars.txt --ranking --folds 2");
    assert!(done.code == Some(2) && done.stderr.contains("cannot be used with"), "{}", done.stderr);
    place
        .words("recommend bad.csv")
        .refused(1, &["line 2: expected a rating of 1 to 5 in steps of 1, got 6"]);
}
