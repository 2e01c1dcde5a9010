//! Declares what an energy over finite sites must be able to do.

use crate::Error;

/// Is an energy over sites that each have finitely many states.
///
/// Two methods make a model; [`Sites::change`] makes it fast.
pub trait Sites: Sync {
    /// Gives the number of sites, 1 or more.
    fn sites(&self) -> usize;

    /// Gives the number of states of a site, 2 or more; states are 0, 1, ….
    fn states(&self, _site: usize) -> u16 {
        2
    }

    /// Computes E(x) in nats, a finite number; x has one state a site.
    fn energy(&self, x: &[u16]) -> f64;

    /// Computes E(y) − E(x) in nats, where y is x but for `to` at `site`: the exact difference, which every update rests on.
    fn change(&self, x: &[u16], site: usize, to: u16) -> f64 {
        let mut y = x.to_vec();
        y[site] = to;
        self.energy(&y) - self.energy(x)
    }

    /// Computes the changes of all sites to all states, site after site, zero for the state that is there: what locally
    /// informed proposals are made of. An estimate will do, say the first order of a gradient with respect to one-hot
    /// states (Grathwohl et al. 2021, equation 3): the acceptance asks [`Sites::change`].
    fn changes(&self, x: &[u16], out: &mut [f64]) {
        let mut at = 0;
        for site in 0..self.sites() {
            for to in 0..self.states(site) {
                out[at] = if to == x[site] { 0.0 } else { self.change(x, site, to) };
                at += 1;
            }
        }
    }

    /// Refuses parameters that do not fit each other.
    ///
    /// # Errors
    /// Says what was expected.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Refuses no sites, sites with fewer than two states, and what the energy itself refuses.
pub(super) fn check(energy: &impl Sites) -> Result<(), Error> {
    energy.check()?;
    if energy.sites() == 0 {
        return Err(Error::shape("sites", "1 or more", 0));
    }
    match (0..energy.sites()).find(|&site| energy.states(site) < 2) {
        Some(site) => Err(Error::value("states", format!("site {site}"), "2 or more", energy.states(site))),
        None => Ok(()),
    }
}
