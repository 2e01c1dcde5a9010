//! Multiplies laws of one's own: a product of experts, whose energies add (Hinton 2002).

use super::{Sites, Smooth};
use crate::Error;

/// Is the law ∝ e^−(E_a + E_b) over the same sites or coordinates; products nest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Product<A, B>(pub A, pub B);

fn same(what: &str, a: usize, b: usize) -> Result<(), Error> {
    if a == b { Ok(()) } else { Err(Error::shape(what, format!("{a} in both experts"), b)) }
}

impl<A: Sites, B: Sites> Sites for Product<A, B> {
    fn sites(&self) -> usize {
        self.0.sites()
    }

    fn states(&self, site: usize) -> u16 {
        self.0.states(site)
    }

    fn energy(&self, x: &[u16]) -> f64 {
        self.0.energy(x) + mutant!("B177", self.1.energy(x), 0.0)
    }

    fn change(&self, x: &[u16], site: usize, to: u16) -> f64 {
        self.0.change(x, site, to) + self.1.change(x, site, to)
    }

    fn changes(&self, x: &[u16], out: &mut [f64]) {
        let mut other = vec![0.0; out.len()];
        self.0.changes(x, out);
        self.1.changes(x, &mut other);
        out.iter_mut().zip(other).for_each(|(a, b)| *a += b);
    }

    fn check(&self) -> Result<(), Error> {
        self.0.check()?;
        self.1.check()?;
        same("sites", self.0.sites(), self.1.sites())?;
        (0..self.0.sites())
            .try_for_each(|at| same("states", self.0.states(at).into(), self.1.states(at).into()))
    }
}

impl<A: Smooth, B: Smooth> Smooth for Product<A, B> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn energy(&self, x: &[f64]) -> f64 {
        self.0.energy(x) + self.1.energy(x)
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let mut other = vec![0.0; out.len()];
        self.0.gradient(x, out);
        self.1.gradient(x, &mut other);
        out.iter_mut().zip(other).for_each(|(a, b)| *a += b);
    }

    fn check(&self) -> Result<(), Error> {
        self.0.check()?;
        self.1.check()?;
        same("coordinates", self.0.dim(), self.1.dim())
    }
}
