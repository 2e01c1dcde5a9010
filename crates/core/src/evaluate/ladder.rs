//! Estimates ln Z from the energies of parallel tempering, rung by rung, by Bennett's acceptance ratio of neighbours.

use harmonium_kernels::{Key, parallel};
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::bennett::{Overlap, bennett};
use super::{Interval, LogSumExp};
use crate::sample::{ParallelTempering, Replicas};
use crate::{Error, Thermal};

/// Chains below which the spread between them tells too little.
const LEAST_CHAINS: usize = 8;

/// The most energies that are kept: 800 MB.
const MAX_ENERGIES: u64 = 100_000_000;

/// Is ln Z by the rungs of a ladder, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LadderEstimate {
    /// ln Z of the model, in nats.
    pub log_z: f64,
    /// Its standard error, from how independent chains differ.
    pub error: f64,
    /// What holds ln Z with the probability of three standard deviations, by Student's t of one degree of freedom less than there are chains.
    pub interval: Interval,
    /// ln Z of the rungs, that of the model first.
    pub rungs: Vec<f64>,
    /// The inverse temperatures, from 1 down.
    pub betas: Vec<f32>,
    /// The share of swaps that were accepted, for each pair of neighbours.
    pub swap_rates: Vec<f64>,
    /// Ways of replicas from the model to the last rung and back, over all chains: without any, chains may never have left
    /// where they began, and the error knows nothing of what they did not see.
    pub round_trips: u64,
}

/// Estimates ln Z of a model from parallel tempering, given ln Z at its lowest β, in nats: at 0 that is
/// [`Thermal::log_states`].
///
/// Each pair of neighbours gives ln Z_a − ln Z_b from the energies on both rungs (Bennett 1976, [`super::bennett`]). States of a chain depend on
/// each other, and so do those of its rungs, which swap; the sets of replicas that the options call chains do not. So the error is the
/// spread between them, linearised: chain c moves the sum of all pairs by Σ g_c / g', g_c being its part of
/// Bennett's equation and g' the derivative of all of it. It holds whatever the autocorrelation.
///
/// # Errors
/// Refuses options out of range, fewer than 8 chains, fewer than two rungs, more energies than 10⁸, what
/// [`ParallelTempering::start`] refuses, energies that are not finite, and neighbours whose energies overlap in fewer than two chains.
pub fn ladder_log_partition<M: Thermal>(
    model: &M,
    options: &ParallelTempering,
    lowest_log_z: f64,
    key: Key,
) -> Result<LadderEstimate, Error> {
    check(options, lowest_log_z)?;
    let (replicas, energies) = run(model, options, key)?;
    let (chains, betas) = (options.chains.chains, replicas.betas().to_vec());
    let (mut rungs, mut moved) = (vec![lowest_log_z], vec![0.0; chains]);
    for pair in (0..betas.len() - 1).rev() {
        let neighbours = [&energies[pair][..], &energies[pair + 1][..]];
        let step = difference([betas[pair], betas[pair + 1]], neighbours, chains)?;
        rungs.push(rungs[rungs.len() - 1] + step.log_ratio);
        moved.iter_mut().zip(step.moved).for_each(|(sum, by)| *sum += by);
    }
    rungs.reverse();
    let squares: f64 = moved.iter().map(|by| by * by).sum();
    let error = (squares * chains as f64 / (chains - 1) as f64).sqrt();
    let (log_z, half) = (rungs[0], three_sigmas(chains - 1) * error);
    let interval = Interval { low: log_z - half, high: log_z + half };
    let (swap_rates, round_trips) = (replicas.swap_rates(), replicas.round_trips().iter().sum());
    Ok(LadderEstimate { log_z, error, interval, rungs, betas, swap_rates, round_trips })
}

fn check(options: &ParallelTempering, lowest_log_z: f64) -> Result<(), Error> {
    options.check()?;
    let (chains, rungs) = (options.chains.chains, options.ladder.betas().len());
    if chains < LEAST_CHAINS {
        let expected = format!("{LEAST_CHAINS} or more, whose spread is the error");
        return Err(Error::option("chains", expected, chains));
    }
    if rungs < 2 {
        return Err(Error::option("rungs", "2 or more", rungs));
    }
    if !lowest_log_z.is_finite() {
        return Err(Error::option("ln Z at the lowest beta", "a finite number", lowest_log_z));
    }
    let looks = options.chains.sweeps / options.chains.thin;
    let all = looks.saturating_mul((chains * rungs) as u64);
    if all > MAX_ENERGIES {
        let expected = format!("at most {MAX_ENERGIES} energies (thin them)");
        return Err(Error::option("sweeps", expected, all));
    }
    Ok(())
}

/// Runs all sweeps, and keeps the energies of every rung, look after look.
fn run<'a, M: Thermal>(
    model: &'a M,
    options: &ParallelTempering,
    key: Key,
) -> Result<(Replicas<'a, M>, Vec<Vec<f64>>), Error> {
    let mut replicas = options.start(model, key)?;
    let mut energies = vec![Vec::new(); replicas.betas().len()];
    parallel::team(|| {
        for done in 1..=options.chains.burn_in + options.chains.sweeps {
            replicas.step()?;
            if options.chains.shows(done) {
                let seen = (0..energies.len()).map(|rung| replicas.energies(rung));
                energies
                    .iter_mut()
                    .zip(seen)
                    .for_each(|(all, new): (&mut Vec<f64>, Array1<f64>)| all.extend(new));
            }
        }
        Ok((replicas, energies))
    })
}

/// Is what a pair of rungs tells.
struct Step {
    /// ln Z of the first less ln Z of the second.
    log_ratio: f64,
    /// How far each chain moves it.
    moved: Vec<f64>,
}

/// Compares two rungs by energies at β = 1, `looks` × `chains` of each.
fn difference(betas: [f32; 2], energies: [&[f64]; 2], chains: usize) -> Result<Step, Error> {
    let gap = f64::from(betas[0]) - f64::from(betas[1]);
    // From the second rung to the first, whose law is the narrower one.
    let [first, second] = energies.map(|all| all.iter().map(|energy| gap * energy).collect::<Vec<_>>());
    let between = format!("between beta {} and {}", betas[0], betas[1]);
    let log_ratio = bennett(&second, &first).ok_or_else(|| {
        Error::uncertain("energies", "finite ones on every rung", format!("others {between}"))
    })?;
    let overlap = Overlap::of(&second, &first, log_ratio);
    let [up, down] = [&overlap.of_a, &overlap.of_b].map(|logs| parts(logs, chains));
    let enough = [&up, &down].into_iter().all(|parts| mutant!("B346", overlapping(parts), true));
    if !enough {
        let expected = "neighbouring rungs whose energies overlap in two chains or more";
        return Err(Error::uncertain("log_z", expected, format!("less {between}: use more rungs or sweeps")));
    }
    // Both sums are alike at the root, so that one scale serves all.
    let slope = overlap.log_slope();
    let scaled = |log: f64| libm::exp(log - slope);
    let moved = up.iter().zip(&down).map(|(a, b)| scaled(*a) - scaled(*b)).collect();
    Ok(Step { log_ratio, moved })
}

/// Gives the logarithm of each chain's part of a sum.
fn parts(logs: &[f64], chains: usize) -> Vec<f64> {
    let looks = logs.len() / chains;
    let of = |chain: usize| {
        let (first, step) = mutant!("B344", (chain, chains), (chain * looks, 1));
        logs.iter().skip(first).step_by(step).take(looks).copied().collect::<LogSumExp>().value()
    };
    (0..chains).map(of).collect()
}

/// Tells whether the parts are worth those of two chains that are alike, (Σ f)² ≥ 2 Σ f².
fn overlapping(parts: &[f64]) -> bool {
    let sum = parts.iter().copied().collect::<LogSumExp>().value();
    let squares = parts.iter().map(|log| 2.0 * log).collect::<LogSumExp>().value();
    squares - 2.0 * sum <= -std::f64::consts::LN_2
}

/// Gives how many standard errors Student's t stays within as often as a normal number within three: the expansion in 1/ν of Fisher &
/// Cornish (1960), good to 0.5 % from 7 degrees of freedom on.
fn three_sigmas(freedom: usize) -> f64 {
    let terms = [3.0, 30.0 / 4.0, 1656.0 / 96.0, 11_592.0 / 384.0];
    let nu = freedom as f64;
    terms.iter().rev().fold(0.0, |sum, term| sum / nu + term)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of Student's t at 0.998650102, by integration.
    #[test]
    fn three_sigmas_are_those_of_students_t() {
        for (freedom, expected) in [(7, 4.5300), (9, 4.0943), (20, 3.4222), (60, 3.1299)] {
            assert!(
                (three_sigmas(freedom) / expected - 1.0).abs() < 5e-3,
                "{freedom}: {}",
                three_sigmas(freedom)
            );
        }
    }

    #[test]
    fn overlap_of_one_chain_alone_is_none() {
        assert!(overlapping(&[0.0, 0.0, -50.0]));
        assert!(!overlapping(&[0.0, -3.0, -50.0]));
        assert!(!overlapping(&[f64::NEG_INFINITY; 3]) && !overlapping(&[f64::NAN, 0.0]));
    }
}
