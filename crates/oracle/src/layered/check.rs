//! Lists the models that the tests of this module run over.

use std::sync::OnceLock;

use super::{Joint, Law, Rbm, Side};
use crate::rng::Rng;
use crate::units::{Class, Kind};

/// One of every kind.
pub(super) const KINDS: [Kind; 8] = [
    Kind::Bernoulli,
    Kind::Spin,
    Kind::Categorical(3),
    Kind::Gaussian,
    Kind::Relu,
    Kind::Drelu,
    Kind::Binomial(3),
    Kind::Poisson,
];

/// Gives all ordered pairs of kinds with a finite Z.
pub(super) fn pairs() -> impl Iterator<Item = (Kind, Kind)> {
    let all = KINDS.into_iter().flat_map(|a| KINDS.into_iter().map(move |b| (a, b)));
    all.filter(|(a, b)| match (a.class(), b.class()) {
        (Class::Finite, _) | (_, Class::Finite) | (Class::Gaussian, Class::Rectified) => true,
        (Class::Gaussian | Class::Rectified, other) => other == Class::Gaussian,
        (Class::Count, _) => false,
    })
}

/// Gives a model of every proper pair, exact size and weight scale that has exact answers.
pub(super) fn models() -> Vec<Rbm> {
    static MODELS: OnceLock<Vec<Rbm>> = OnceLock::new();
    MODELS.get_or_init(all).clone()
}

fn all() -> Vec<Rbm> {
    let (mut rng, mut out) = (Rng::new(500), Vec::new());
    for (a, b) in pairs() {
        for (visible, hidden) in [(1, 1), (2, 1), (3, 2), (4, 3)] {
            for scale in [0.0, 0.1, 1.0, 3.0] {
                out.push(tame(Rbm::normal((a, visible), (b, hidden), scale, &mut rng), scale));
            }
        }
    }
    // Beside a Gaussian layer, two rectified units or more may have too many nodes.
    out.retain(|rbm| unbounded(rbm).is_none() || rbm.law().is_ok_and(|law| law.states.len() <= LONGEST));
    out
}

/// Longest list of a model that is tested.
const LONGEST: usize = 1 << 16;

/// Gives the kind beside a Gaussian layer, if neither layer is finite.
pub(super) fn unbounded(rbm: &Rbm) -> Option<Kind> {
    let (a, b) = (rbm.visible.kind, rbm.hidden.kind);
    let finite = a.class() == Class::Finite || b.class() == Class::Finite;
    (!finite).then_some(if a == Kind::Gaussian { b } else { a })
}

/// Keeps what is an exponent small: variances and curvatures within about e^±2, rates below e⁴, and Gaussian pairs
/// in their range.
fn tame(mut rbm: Rbm, scale: f64) -> Rbm {
    for layer in [&mut rbm.visible, &mut rbm.hidden] {
        let blocks = layer.parameters.iter_mut().zip(layer.kind.blocks());
        for block in blocks.filter(|(_, name)| name.starts_with("log")).map(|(block, _)| block) {
            block.iter_mut().for_each(|x| *x *= 0.7 / scale.max(0.7));
        }
        if layer.kind == Kind::Poisson {
            layer.parameters[0].iter_mut().for_each(|b| *b = b.min(1.0));
        }
    }
    let largest =
        if rbm.visible.kind == Kind::Poisson || rbm.hidden.kind == Kind::Poisson { 3.0 } else { 1e9 };
    let input = [rbm.visible_bounds(), rbm.transposed().visible_bounds()].into_iter().flatten();
    let input = input.flat_map(|(low, high)| [low, high].concat()).fold(0.0, |m: f64, x| m.max(x.abs()));
    let factor = if input > largest { largest / input } else { 1.0 };
    rbm.weights.iter_mut().for_each(|w| *w *= factor);
    // The couplings may still grow by half.
    let grown = |rbm: &Rbm| {
        let weights = rbm.weights.iter().map(|w| 1.5 * w).collect();
        Rbm { weights, ..rbm.clone() }
    };
    while grown(&rbm).proper().is_err() {
        rbm.weights.iter_mut().for_each(|w| *w *= 0.7);
    }
    rbm
}

/// Gives the law of the side that [`Rbm::law`] does not list, where it has at most 2¹⁴ states.
pub(super) fn other_route(rbm: &Rbm) -> Option<Law> {
    let visible = rbm.law().unwrap().side == Side::Visible;
    let one = if visible { rbm.transposed() } else { rbm.clone() };
    (unbounded(rbm).is_some() || length(&one)? <= 16_384.0).then_some(())?;
    rbm.law_of(if visible { Side::Hidden } else { Side::Visible }).ok()
}

/// Gives the joint law where it has at most `limit` entries.
pub(super) fn joint_within(rbm: &Rbm, limit: usize) -> Option<Joint> {
    (length(rbm)? * length(&rbm.transposed())? <= limit as f64).then_some(())?;
    rbm.joint()
}

/// Gives the number of visible states that serve every hidden one.
fn length(rbm: &Rbm) -> Option<f64> {
    let (low, high) = rbm.visible_bounds()?;
    Some(rbm.visible.unit_states(&low, &high)?.iter().map(|list| list.len() as f64).product())
}

/// Gives max(1, |ln Z| / 1000): an exponent of a thousand keeps 1e-13 of its twelve digits.
pub(super) fn scale_of(rbm: &Rbm) -> f64 {
    (rbm.log_z().unwrap().abs() / 1000.0).max(1.0)
}

/// Every pair has all sixteen models, but for rectified layers beside Gaussian ones: four by three units, and strong
/// couplings, need too long a list.
#[test]
fn every_pair_is_covered() {
    let models = models();
    for (a, b) in pairs() {
        let of: Vec<&Rbm> =
            models.iter().filter(|rbm| (rbm.visible.kind, rbm.hidden.kind) == (a, b)).collect();
        let rectified = unbounded(of[0]).is_some_and(|kind| kind != Kind::Gaussian);
        assert!(of.len() == 16 || rectified && of.len() >= 8, "{a:?} {b:?}: {}", of.len());
    }
}
