//! Refuses models whose Z is infinite, and those too large to list.

use super::rbm::Rbm;
use crate::units::Class;

/// Tells why a model has no exact answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Σ m e^(−E) diverges for some couplings of this pair of kinds, however small: two rectified layers (a product
    /// of two half-lines), or counts beside anything unbounded, where e^(w x y) beats 1/x!.
    Pair,
    /// Couplings beyond the range in which the quadratic form of a Gaussian pair is positive.
    Range,
    /// More than 2²⁰ states or nodes.
    TooManyStates,
}

impl Rbm {
    /// Accepts the models with a finite Z.
    ///
    /// Pairs of two unbounded layers are proper only with a Gaussian layer beside a Gaussian or rectified one, and
    /// only where the form left after integrating the Gaussian layer out is positive definite,
    /// diag γ − W diag σ² Wᵀ ≻ 0, with the lesser curvature of a dReLU for γ. For rectified layers that suffices but
    /// is not necessary: the few finite models beyond (the form is needed on one orthant alone) are refused as well.
    ///
    /// # Errors
    /// [`Refusal::Pair`] or [`Refusal::Range`].
    pub fn proper(&self) -> Result<(), Refusal> {
        match (self.visible.kind.class(), self.hidden.kind.class()) {
            (Class::Finite, _) | (_, Class::Finite) => Ok(()),
            (Class::Gaussian | Class::Rectified, Class::Gaussian) => self.in_range(),
            (Class::Gaussian, Class::Rectified) => self.transposed().in_range(),
            _ => Err(Refusal::Pair),
        }
    }

    fn in_range(&self) -> Result<(), Refusal> {
        self.form().root(0.0).map(|_| ()).ok_or(Refusal::Range)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        out.write_str(match self {
            Self::Pair => "Z is infinite for this pair of kinds",
            Self::Range => "Z is infinite: the couplings leave the range of the pair",
            Self::TooManyStates => "more than 2^20 states or nodes",
        })
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layered::check::{KINDS, pairs};
    use crate::rng::Rng;
    use crate::units::{Kind, Layer};

    fn small(visible: Kind, hidden: Kind) -> Rbm {
        Rbm::normal((visible, 2), (hidden, 2), 0.01, &mut Rng::new(521))
    }

    #[test]
    fn two_unbounded_layers_need_a_gaussian() {
        use Kind::{Drelu, Gaussian, Poisson, Relu};
        let improper = [(Relu, Relu), (Relu, Drelu), (Drelu, Drelu), (Poisson, Poisson), (Poisson, Gaussian)];
        for (a, b) in improper.into_iter().chain([(Poisson, Relu), (Poisson, Drelu)]) {
            assert_eq!(small(a, b).proper(), Err(Refusal::Pair));
            assert_eq!(small(b, a).proper(), Err(Refusal::Pair));
        }
        let proper = pairs().filter(|(a, b)| small(*a, *b).proper().is_ok()).count();
        assert_eq!((KINDS.len() * KINDS.len(), pairs().count(), proper), (64, 53, 53));
    }

    /// One coupling w of unit variances is proper below 1; two of 0.8 to one unit are not: 0.64 + 0.64 > 1.
    #[test]
    fn the_range_ends_where_the_form_is_singular() {
        for kind in [Kind::Gaussian, Kind::Relu, Kind::Drelu] {
            for (size, w, fits) in
                [(1, 0.999, true), (1, 1.0, false), (1, -1.1, false), (2, 0.7, true), (2, 0.8, false)]
            {
                let layers = (Layer::zeros(kind, size), Layer::zeros(Kind::Gaussian, 1));
                let rbm = Rbm::new(layers.0, layers.1, vec![w; size]);
                assert_eq!(rbm.proper().is_ok(), fits, "{kind:?} {w}");
                assert_eq!(rbm.transposed().proper().is_ok(), fits);
                assert!(fits || rbm.log_z() == Err(Refusal::Range));
            }
        }
    }

    /// Halving the variance lets the coupling grow by √2; a steep side does not help a flat one.
    #[test]
    fn the_range_follows_the_curvatures() {
        let mut rbm = Rbm::new(Layer::zeros(Kind::Drelu, 1), Layer::zeros(Kind::Gaussian, 1), vec![1.3]);
        assert!(rbm.proper().is_err());
        rbm.hidden.parameters[1][0] = 0.5_f64.ln();
        assert!(rbm.proper().is_ok());
        rbm.visible.parameters[2][0] = -0.5;
        assert!(rbm.proper().is_err());
        rbm.visible.parameters[3][0] = 2.0;
        assert!(rbm.proper().is_err());
    }

    #[test]
    fn long_lists_are_refused() {
        let rbm = Rbm::new(Layer::zeros(Kind::Spin, 21), Layer::zeros(Kind::Spin, 21), vec![0.0; 441]);
        assert_eq!(rbm.log_z(), Err(Refusal::TooManyStates));
    }
}
