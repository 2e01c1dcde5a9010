//! Searches for the ground state of a spin glass on a torus, which is a Max-Cut problem: by cooling, and by tempering with clusters.
//!
//! `cargo run --release -p harmonium-examples --example maxcut [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::bm::Graph;
use harmonium::bm::ground::{Anneal, Ground, Problem, Temper, anneal, temper};
use harmonium::prelude::*;
use harmonium_examples::Arguments;
use rand::Rng;

fn main() -> Result<(), Error> {
    let (key, short) = (Key::from_seed(1), Arguments::read().short);
    let side = if short { 20 } else { 60 };

    // Every edge weighs 1 or −1: whoever cuts the one and spares the other gains, but not all can be pleased at once.
    let torus = Graph::rectangle(side, side, true)?;
    let mut stream = key.fold_in(99).stream(0);
    let weights: Vec<f64> = torus.edges().iter().map(|_| if stream.random() { 1.0 } else { -1.0 }).collect();
    let positive = weights.iter().filter(|w| **w > 0.0).count();
    println!(
        "{} vertices, {positive} edges worth cutting and {} not",
        torus.vertices(),
        weights.len() - positive
    );
    let problem = Problem::max_cut(torus, &weights)?;

    let cooling = Anneal { rounds: if short { 7 } else { 31 }, ..Anneal::default() };
    let cooled = anneal(&problem, &cooling, key, &mut |_| false)?;
    report("annealing", &cooled);

    // Copies that differ in a cluster exchange it: on lattices that leads over barriers that no single spin can climb.
    let ladder = Temper { rounds: if short { 5 } else { 40 }, ..Temper::default() };
    let tempered = temper(&problem, &ladder, key, &|| false, &mut |_| false)?;
    report("tempering", &tempered);
    println!("{}", picture(&tempered.up, side));
    Ok(())
}

fn report(name: &str, ground: &Ground) {
    for at in &ground.trace {
        if at.rounds.is_power_of_two() {
            println!("{name}: cut {} after {} sweeps", -at.energy, at.sweeps);
        }
    }
    println!("{name}: cut {} in the end", -ground.energy);
}

/// Draws the upper left of the torus, a side of the cut dark.
fn picture(up: &[bool], side: usize) -> String {
    let line =
        |r: usize| (0..side.min(40)).map(|c| if up[r * side + c] { "██" } else { "  " }).collect::<String>();
    (0..side.min(20)).map(line).collect::<Vec<_>>().join("\n")
}
