//! Walks a ferromagnet through its critical temperature, and compares energy, heat and magnetisation with the exact solutions.
//!
//! `cargo run --release -p harmonium-examples --example ising [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::bm::lattice::{Ising, Lattice, Moves, Observed, exact};
use harmonium::prelude::*;
use harmonium_examples::Arguments;

fn main() -> Result<(), Error> {
    let short = Arguments::read().short;
    let (side, sweeps) = if short { (16, 400) } else { (64, 4000) };
    let (critical, key) = (exact::critical_temperature(), Key::from_seed(1));

    println!("   T     energy (exact)                  heat (exact)              |m| (infinite lattice)");
    for temperature in [1.8, 2.0, 2.2, critical, 2.4, 2.7, 3.0] {
        // Close to the critical temperature whole clusters move; elsewhere single spins do as well and cost far less.
        let moves = if (temperature - critical).abs() < 0.2 { Moves::Cluster } else { Moves::Metropolis };
        let mut lattice = Lattice::cold(side, side)?;
        let ising = Ising { temperature, moves, ..Ising::default() }.sweeps(&lattice)?;
        ising.run(&mut lattice, sweeps / 10, key.fold_in(0), |_| {});
        let mut seen = Observed::new(&lattice, sweeps);
        ising.run(&mut lattice, sweeps, key.fold_in(1), |lattice| seen.see(lattice));

        let (e, c, m) = (seen.energy(), seen.specific_heat(temperature), seen.magnetization());
        let (energy, heat) = exact::finite(side, side, temperature);
        println!(
            "{temperature:.4}  {:.5} ± {:.5} ({energy:.5})  {:.3} ± {:.3} ({heat:.3})  {:.4} ± {:.4} ({:.4})",
            e.value,
            e.error,
            c.value,
            c.error,
            m.value,
            m.error,
            exact::magnetization(temperature)
        );
    }
    Ok(())
}
