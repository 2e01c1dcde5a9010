//! Holds the undirected machine at the top, with or without a label among its visible units.

use harmonium_core::units::{Layer, States};
use harmonium_core::{Batch, EnergyModel, Error};
use harmonium_rbm::{Classifier, Rbm, State, labelled};
use ndarray::s;

/// Is the machine at the top.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Top {
    /// A machine of the layer below and its own hidden units.
    Plain(Rbm),
    /// One that has a label of K classes beside the layer below.
    Labelled(Classifier),
}

impl Top {
    /// Gives the machine, label units included.
    pub(super) fn rbm(&self) -> &Rbm {
        match self {
            Self::Plain(rbm) => rbm,
            Self::Labelled(model) => model.rbm(),
        }
    }

    /// Gives K, if there is a label.
    pub(super) fn classes(&self) -> Option<usize> {
        match self {
            Self::Plain(_) => None,
            Self::Labelled(model) => Some(model.classes()),
        }
    }

    /// Gives the number of visible features without the label.
    pub(super) fn width(&self) -> usize {
        self.rbm().visible_units() - self.classes().unwrap_or(0)
    }

    /// Gives the layer that it shares with the machine below.
    pub(super) fn shared(&self) -> Layer {
        part(self.rbm().visible(), self.width())
    }

    /// Gives the machine without its label units.
    pub(super) fn unlabelled(&self) -> Result<Rbm, Error> {
        match self {
            Self::Plain(rbm) => Ok(rbm.clone()),
            Self::Labelled(model) => given(model, None),
        }
    }
}

/// Is a machine that can stand at the top of a stack in training.
pub(super) trait Crown: EnergyModel<State = State> + Clone {
    /// Gives the machine of all visible units.
    fn rbm(&self) -> &Rbm;

    /// Makes one from such a machine, with as many classes.
    fn of(rbm: Rbm, classes: usize) -> Result<Self, Error>;

    /// Puts labels behind rows, where it has any.
    fn rows(&self, below: Batch, labels: &[Option<usize>]) -> Result<Batch, Error>;

    /// Gives the visible states without those of the label.
    fn shared(&self, visible: States) -> States;

    /// Wraps it.
    fn top(self) -> Top;
}

impl Crown for Rbm {
    fn rbm(&self) -> &Rbm {
        self
    }

    fn of(rbm: Rbm, _classes: usize) -> Result<Self, Error> {
        Ok(rbm)
    }

    fn rows(&self, below: Batch, _labels: &[Option<usize>]) -> Result<Batch, Error> {
        Ok(below)
    }

    fn shared(&self, visible: States) -> States {
        visible
    }

    fn top(self) -> Top {
        Top::Plain(self)
    }
}

impl Crown for Classifier {
    fn rbm(&self) -> &Rbm {
        self.rbm()
    }

    fn of(rbm: Rbm, classes: usize) -> Result<Self, Error> {
        Self::from_rbm(rbm, classes)
    }

    fn rows(&self, below: Batch, labels: &[Option<usize>]) -> Result<Batch, Error> {
        labelled(&below, labels, self.classes())
    }

    fn shared(&self, visible: States) -> States {
        first_bits(&visible, self.units())
    }

    fn top(self) -> Top {
        Top::Labelled(self)
    }
}

/// Copies the first bits of each row.
pub(super) fn first_bits(states: &States, units: usize) -> States {
    let bits = states.expect_bits();
    let mut out = harmonium_core::BitMatrix::zeros(bits.rows(), units);
    for row in 0..bits.rows() {
        bits.for_each_one(row, |unit| {
            if unit < units {
                out.set(row, unit, true);
            }
        });
    }
    States::Bits(out)
}

/// Gives the first units of a layer of bits, or the whole layer.
fn part(layer: &Layer, width: usize) -> Layer {
    use harmonium_core::units::{Bernoulli, Unit};
    match layer.bernoulli() {
        Some(bits) if bits.bias().len() > width => {
            Layer::Bernoulli(Bernoulli::new(bits.bias()[..width].to_vec()))
        }
        _ => layer.clone(),
    }
}

/// Gives the law of x and h in a classifier: that given a class, whose weights become hidden biases, or with all label units
/// off.
pub(super) fn given(model: &Classifier, class: Option<usize>) -> Result<Rbm, Error> {
    use harmonium_core::units::{Bernoulli, Unit};
    let (rbm, units) = (model.rbm(), model.units());
    let weights = rbm.weights();
    let mut bias = rbm.hidden_bias().to_vec();
    if let Some(class) = class {
        let row = weights.row(units + mutant!("B231", class, 0));
        bias.iter_mut().zip(row).for_each(|(c, u)| *c += u);
    }
    let (visible, hidden) = (part(rbm.visible(), units), Layer::Bernoulli(Bernoulli::new(bias)));
    let mut out = Rbm::from_layers(weights.slice(s![..units, ..]).to_owned(), visible, hidden)?;
    out.set_base(Layer::Bernoulli(Bernoulli::new(rbm.base().bias()[..units].to_vec())))?;
    Ok(out)
}
