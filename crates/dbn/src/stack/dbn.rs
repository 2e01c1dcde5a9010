//! Holds the machines of a stack, and checks that they fit on each other.

use harmonium_core::persist::digest;
use harmonium_core::units::Units;
use harmonium_core::{Error, HasParams};
use harmonium_rbm::{Classifier, Rbm};

use super::directed::Directed;
use super::top::Top;
use crate::names::check_depth;

/// Is a deep belief network: directed layers below an undirected machine (Hinton, Osindero & Teh 2006).
///
/// Layer 0 is that of the data, layer l the hidden one of machine l, counted from 1. Until [`super::UpDown`] unties them, the
/// weights that generate a layer are those that recognise the one above.
///
/// ```
/// use harmonium_core::{Batch, Key, train::Fit, units::Units};
/// use harmonium_dbn::stack::{Greedy, Recipe, Sampling, train};
/// use ndarray::Array2;
/// let data = Batch::new(Array2::from_shape_fn((64, 12), |(r, u)| ((r + u) % 4 < 2) as u8 as f32).view())?;
/// let layer = |units| Recipe { hidden: Units::Bernoulli(units), ..Recipe::default() };
/// let plan = Greedy { layers: vec![layer(8), layer(4)], ..Greedy::default() };
/// let dbn = train(plan, &data, None, Key::from_seed(1), &mut |_| std::ops::ControlFlow::Continue(()))?;
/// let drawn = dbn.sample(&Sampling { chains: 10, ..Sampling::default() }, Key::from_seed(2), &mut |_| ())?;
/// assert_eq!(drawn.means.dim(), (10, 12));
/// assert_eq!(dbn.transform(&data, 2)?.dim(), (64, 4));
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dbn {
    pub(super) lower: Vec<Directed>,
    pub(super) top: Top,
}

impl Dbn {
    /// Puts machines on each other, the one of the data first; the last stays undirected.
    ///
    /// # Errors
    /// Refuses no machine, more than [`crate::MAX_LAYERS`], and machines of which one's hidden layer is not the next one's
    /// visible layer, in kind and number of units.
    pub fn from_rbms(rbms: Vec<Rbm>) -> Result<Self, Error> {
        Self::joined(rbms, Top::Plain)
    }

    /// Puts machines and a classifier on each other: below the top machine's hidden units are those of the layer below and one
    /// label.
    ///
    /// # Errors
    /// As [`Dbn::from_rbms`].
    pub fn with_labels(lower: Vec<Rbm>, top: Classifier) -> Result<Self, Error> {
        Self::new(lower.into_iter().map(Directed::tied).collect(), Top::Labelled(top))
    }

    /// Gives the machines below the top recognition halves of their own, that of the data first: q(above | below) takes the weights
    /// and hidden units of these, p(below | above) keeps those of the machines that are there.
    ///
    /// # Errors
    /// Refuses another number of machines, and machines of other units than the ones there.
    pub fn with_recognition(self, recognition: Vec<Rbm>) -> Result<Self, Error> {
        let (expected, got) = (self.lower.len(), recognition.len());
        if expected != got {
            return Err(Error::shape(
                "recognition",
                format!("{expected} machines"),
                format!("{got} machines"),
            ));
        }
        let pairs = self.lower.into_iter().zip(recognition);
        let lower = pairs.map(|(directed, own)| directed.untied(own)).collect::<Result<_, Error>>()?;
        Self::new(lower, self.top)
    }

    fn joined(mut rbms: Vec<Rbm>, top: impl FnOnce(Rbm) -> Top) -> Result<Self, Error> {
        check_depth(rbms.len())?;
        let Some(last) = rbms.pop() else { return Err(Error::option("layers", "1 or more", 0)) };
        Self::new(rbms.into_iter().map(Directed::tied).collect(), top(last))
    }

    pub(super) fn new(lower: Vec<Directed>, top: Top) -> Result<Self, Error> {
        check_depth(lower.len() + 1)?;
        let out = Self { lower, top };
        (1..=out.lower.len()).try_for_each(|layer| out.check_joint(layer))?;
        Ok(out)
    }

    /// Refuses a joint between two machines that do not fit, and a standardisation above the data.
    fn check_joint(&self, layer: usize) -> Result<(), Error> {
        let (below, above) = (self.lower[layer - 1].hidden().units(), self.kind(layer));
        let upper = self.lower.get(layer).map_or(self.top.rbm(), |directed| &directed.generative);
        if below != above {
            return Err(Error::shape(format!("visible units of machine {}", layer + 1), below, above));
        }
        if upper.scaling().is_some() {
            let expected = "none above the data";
            return Err(Error::shape(format!("standardisation of machine {}", layer + 1), expected, "one"));
        }
        Ok(())
    }

    /// Gives the units of a layer as the machine above it has them, label units left out.
    fn kind(&self, layer: usize) -> Units {
        match self.lower.get(layer) {
            Some(directed) => directed.generative.visible().units(),
            None => self.top.shared().units(),
        }
    }

    /// Gives L, the number of machines and of hidden layers.
    pub fn depth(&self) -> usize {
        self.lower.len() + 1
    }

    /// Gives the units of a layer: of the data (0), or the hidden ones of a machine.
    ///
    /// # Errors
    /// Refuses layers that are not there.
    pub fn units(&self, layer: usize) -> Result<Units, Error> {
        self.check_layer(layer, 0)?;
        if layer == self.depth() { Ok(self.top.rbm().hidden().units()) } else { Ok(self.kind(layer)) }
    }

    /// Gives K, if the top machine has a label.
    pub fn classes(&self) -> Option<usize> {
        self.top.classes()
    }

    /// Gives the machines, that of the data first. Of those below the top, which up-down may have untied, these are the
    /// generative halves: their weights and visible units count. The top machine has its label units last.
    pub fn rbms(&self) -> Vec<&Rbm> {
        self.lower.iter().map(|directed| &directed.generative).chain([self.top.rbm()]).collect()
    }

    /// Gives the machines that infer the hidden layers, that of the data first: what a feed-forward network starts from. Of
    /// those below the top the weights and hidden units count; the top machine comes without its label units.
    ///
    /// # Errors
    /// Refuses a top machine whose parameters are not finite.
    pub fn recognisers(&self) -> Result<Vec<Rbm>, Error> {
        let lower = self.lower.iter().map(|directed| Ok(directed.recogniser().clone()));
        lower.chain([self.top.unlabelled()]).collect()
    }

    /// Gives the classifier at the top, if there is a label.
    pub fn classifier(&self) -> Option<&Classifier> {
        match &self.top {
            Top::Plain(_) => None,
            Top::Labelled(model) => Some(model),
        }
    }

    /// Tells whether up-down has given recognition weights of their own.
    pub fn is_untied(&self) -> bool {
        self.lower.iter().any(|directed| directed.recognition.is_some())
    }

    /// Hashes all machines that sample or infer: names, shapes and values on their grids, and the grids themselves.
    pub fn digest(&self) -> String {
        let names: Vec<(String, &Rbm)> = self.named().collect();
        let parts: Vec<(String, Vec<f32>)> =
            names.into_iter().map(|(name, rbm)| (name + "/" + &rbm.digest(), Vec::new())).collect();
        let entries: Vec<(&str, &[usize], &[f32])> =
            parts.iter().map(|(name, values)| (name.as_str(), &[0][..], &values[..])).collect();
        digest(&entries, self.classes().unwrap_or(0) as i32)
    }

    /// Names all machines.
    pub(super) fn named(&self) -> impl Iterator<Item = (String, &Rbm)> {
        let halves = self.lower.iter().enumerate().flat_map(|(n, directed)| {
            let recognition =
                directed.recognition.iter().map(move |rbm| (format!("recognition_{}", n + 1), rbm));
            [(format!("machine_{}", n + 1), &directed.generative)].into_iter().chain(recognition)
        });
        halves.chain([(format!("machine_{}", self.depth()), self.top.rbm())])
    }

    /// Refuses a layer that is not there.
    pub(super) fn check_layer(&self, layer: usize, least: usize) -> Result<(), Error> {
        if (least..=self.depth()).contains(&layer) {
            return Ok(());
        }
        Err(Error::option("layer", format!("{least} to {}", self.depth()), layer))
    }
}
