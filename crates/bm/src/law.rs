//! Tabulates laws, and reads moments of any order from them.

use harmonium_core::Error;
use harmonium_kernels::parallel;

use crate::ENUMERABLE;
use crate::form::{self, Form};

/// Gives p of every state, and ln Z.
///
/// # Errors
/// Refuses more than 2^20 states.
pub(crate) fn normalised(form: &Form) -> Result<(Vec<f64>, f64), Error> {
    if form.states() > f64::from(1 << ENUMERABLE) {
        let expected = format!("at most 2^{ENUMERABLE} states");
        return Err(Error::shape("exact enumeration", expected, form.states()));
    }
    let mut table = form.table();
    let most = table.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<(Vec<f64>, f64)> = parallel::map(table.len().div_ceil(1 << 14), |task| {
        let part = &table[task << 14..table.len().min((task + 1) << 14)];
        let part: Vec<f64> = part.iter().map(|x| libm::exp(x - most)).collect();
        let sum = part.iter().sum();
        (part, sum)
    });
    let total: f64 = parts.iter().map(|(_, sum)| sum).sum();
    table.clear();
    parts.iter().for_each(|(part, _)| table.extend(part.iter().map(|p| p / total)));
    Ok((table, most + libm::log(total)))
}

/// Holds the moments of all orders of the units that are free, given those that are known.
pub(crate) struct Law {
    base: usize,
    /// What is known of each unit, or else its number among the free ones.
    places: Vec<Result<usize, usize>>,
    moments: Vec<f64>,
    pub(crate) log_z: f64,
}

impl Law {
    /// Tabulates the law of the free units.
    ///
    /// # Errors
    /// Refuses more than 2^20 states.
    pub(crate) fn new(form: &Form, known: &[Option<usize>]) -> Result<Self, Error> {
        let (mut moments, log_z) = normalised(&form.given(known))?;
        form::moments(&mut moments, form.base);
        let places = known.iter().scan(0, |next, state| {
            let own = *next;
            *next += usize::from(state.is_none());
            Some(state.ok_or(own))
        });
        Ok(Self { base: form.base, places: places.collect(), moments, log_z })
    }

    /// Gives the probability that units are in these states.
    pub(crate) fn probability(&self, places: &[(usize, usize)]) -> f64 {
        let mut free: Vec<(usize, usize)> = Vec::new();
        for &(unit, class) in places {
            match self.places[unit] {
                Ok(state) if state != class => return 0.0,
                Ok(_) => (),
                Err(number) => match free.iter().find(|(other, _)| *other == number) {
                    Some(&(_, other)) if other != class => return 0.0,
                    Some(_) => (),
                    None => free.push((number, class)),
                },
            }
        }
        self.of_free(&free)
    }

    /// Moments know no class 0: it is where no other class is.
    fn of_free(&self, free: &[(usize, usize)]) -> f64 {
        let Some(at) = free.iter().position(|&(_, class)| class == 0) else {
            return self.moments[form::index(self.base, free)];
        };
        let mut rest = free.to_vec();
        let (number, _) = rest.swap_remove(at);
        let others = (1..self.base).map(|class| {
            let with: Vec<(usize, usize)> = rest.iter().copied().chain([(number, class)]).collect();
            self.of_free(&with)
        });
        self.of_free(&rest) - others.sum::<f64>()
    }

    /// Gives the mean of a product of bits, or of spins 2t − 1; a unit that comes twice counts as its square.
    pub(crate) fn product(&self, units: &[usize], spins: bool) -> f64 {
        let once = once(units, spins);
        if !spins {
            let places: Vec<(usize, usize)> = once.iter().map(|&unit| (unit, 1)).collect();
            return self.probability(&places);
        }
        let subsets = 0..1_usize << once.len();
        let term = |subset: usize| {
            let places: Vec<(usize, usize)> =
                (0..once.len()).filter(|bit| subset >> bit & 1 == 1).map(|bit| (once[bit], 1)).collect();
            let sign = if (once.len() - places.len()).is_multiple_of(2) { 1.0 } else { -1.0 };
            sign * (1 << places.len()) as f64 * self.probability(&places)
        };
        subsets.map(term).sum()
    }
}

/// Leaves out what squares are: a bit is its own square, and that of a spin is 1.
fn once(units: &[usize], spins: bool) -> Vec<usize> {
    let mut out: Vec<usize> = Vec::with_capacity(units.len());
    for &unit in units {
        match out.iter().position(|&other| other == unit) {
            Some(at) if spins => drop(out.swap_remove(at)),
            Some(_) => (),
            None => out.push(unit),
        }
    }
    out
}
