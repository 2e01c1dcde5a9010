//! Holds the parameters of a general Boltzmann machine, and rounds its couplings to their grid.

use harmonium_core::data::marginals;
use harmonium_core::units::{Unit, Units};
use harmonium_core::{Error, Key, Rows, check_backend, purpose};
use harmonium_kernels::{Grid, bernoulli};

use crate::codes::{Codes, Cubic};
use crate::parameters::{finite, same_length};
use crate::{Graph, Rule, Scan, Storage, View};

/// Is a Boltzmann machine over any graph: p(x) ∝ e^−E(x), E(x) = −Σ J_ij x_i x_j − Σ b_i x_i − Σ K_ijk x_i x_j x_k.
///
/// All units are of one kind: bits 0 and 1, spins ±1, or classes; between units of q classes J_ij is a table `(q, q)` (rows:
/// the smaller vertex) and b_i has q entries. The first units are visible, the columns of data; the last ones may be hidden.
/// Third-order terms are for bits and spins.
///
/// The machine that samples and scores has J and K on one fixed-point grid ([`Machine::couplings`]), so that what a unit
/// receives is an exact integer, whatever the order or the storage; the optimiser moves a finer master of them.
///
/// ```
/// use harmonium_bm::{Graph, Machine};
/// use harmonium_core::{Gibbs, Key, units::Units};
/// let graph = Graph::new(3, [[0, 1], [1, 2]])?;
/// let machine = Machine::from_parts(graph, Units::Spin(3), vec![0.5, -0.5], vec![0.0; 3])?;
/// assert!((machine.log_z()? - 3.0 * 2_f64.ln() - 2.0 * 0.5_f64.cosh().ln()).abs() < 1e-12);
/// let mut chains = machine.init(10, Key::from_seed(1));
/// machine.run(&mut chains, 0..100, Key::from_seed(2));
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub(crate) graph: Graph,
    pub(crate) units: Units,
    pub(crate) visible: usize,
    pub(crate) couplings: Vec<f32>,
    pub(crate) biases: Vec<f32>,
    pub(crate) triples: Vec<[u32; 3]>,
    pub(crate) strengths: Vec<f32>,
    pub(crate) base: Vec<f32>,
    pub(crate) grid: Grid,
    pub(crate) codes: Codes,
    pub(crate) cubic: Cubic,
    pub(crate) storage: Storage,
    pub(crate) scan: Scan,
    pub(crate) rule: Rule,
}

impl Machine {
    /// Makes a machine without couplings and biases; all units are visible.
    ///
    /// # Errors
    /// Refuses units that are neither bits nor spins nor classes, another number of them than vertices, more than 2^16
    /// terms at one unit, and a back end that this machine lacks.
    pub fn new(graph: Graph, units: Units) -> Result<Self, Error> {
        check_backend()?;
        units.check()?;
        if !units.is_binary() {
            return Err(Error::option("units", "bits, spins or classes", units));
        }
        if units.count() != graph.vertices() {
            return Err(Error::shape("units", format!("{} of the graph", graph.vertices()), units.count()));
        }
        let width = units.features() / units.count();
        let (couplings, biases) =
            (vec![0.0; graph.edges().len() * width * width], vec![0.0; units.features()]);
        let mut out = Self {
            visible: graph.vertices(),
            base: biases.clone(),
            grid: Grid::new(1, 1),
            codes: Codes::empty(),
            cubic: Cubic::default(),
            storage: Storage::Auto,
            scan: Scan::default(),
            rule: Rule::default(),
            triples: Vec::new(),
            strengths: Vec::new(),
            graph,
            units,
            couplings,
            biases,
        };
        out.settle()?;
        Ok(out)
    }

    /// Makes a machine from couplings, one an edge (of classes a table an edge), and biases, one a feature.
    ///
    /// # Errors
    /// As [`Machine::new`]; refuses other lengths, and values that are not finite.
    pub fn from_parts(
        graph: Graph,
        units: Units,
        couplings: Vec<f32>,
        biases: Vec<f32>,
    ) -> Result<Self, Error> {
        let mut out = Self::new(graph, units)?;
        same_length("couplings", out.couplings.len(), couplings.len())?;
        same_length("biases", out.biases.len(), biases.len())?;
        (out.couplings, out.biases) = (couplings, biases);
        out.check_finite()?;
        out.settle()?;
        Ok(out)
    }

    /// Makes a machine for these rows: biases of the visible units are those of the marginals of the data, the last `hidden`
    /// units of the graph are hidden, couplings are 0.
    ///
    /// # Errors
    /// As [`Machine::new`] and [`Machine::with_hidden`]; refuses data of another width or kind.
    pub fn fitted(graph: Graph, units: Units, hidden: usize, data: &dyn Rows) -> Result<Self, Error> {
        let mut out = Self::new(graph, units)?.with_hidden(hidden)?;
        out.set_marginals(data)?;
        out.biases.copy_from_slice(&out.base);
        Ok(out)
    }

    /// Hides the last units.
    ///
    /// # Errors
    /// Refuses to hide all of them.
    pub fn with_hidden(self, hidden: usize) -> Result<Self, Error> {
        let units = self.graph.vertices();
        if hidden >= units {
            return Err(Error::option("hidden", format!("fewer than the {units} units"), hidden));
        }
        Ok(Self { visible: units - hidden, ..self })
    }

    /// Adds third-order terms K_ijk x_i x_j x_k, each of three different units.
    ///
    /// # Errors
    /// Refuses them between classes; units that are not there, that come twice in a term, and terms that come twice, by
    /// their numbers; strengths that are not finite; and a colouring in use that does not tell their units apart.
    pub fn with_triples(mut self, triples: &[[usize; 3]], strengths: Vec<f32>) -> Result<Self, Error> {
        if self.width() > 1 {
            return Err(Error::option("triples", "bits or spins", &self.units));
        }
        same_length("triples", triples.len(), strengths.len())?;
        let sorted = triples.iter().enumerate().map(|(n, triple)| self.sorted(n, *triple));
        (self.triples, self.strengths) = (sorted.collect::<Result<_, _>>()?, strengths);
        self.check_single()?;
        if let Scan::Coloured(colouring) = &self.scan {
            colouring.check(&self.graph, &self.triples)?;
        }
        self.check_finite()?;
        self.settle()?;
        Ok(self)
    }

    /// Draws all couplings anew, evenly between ±`spread`, in the order of the edges.
    ///
    /// # Errors
    /// Refuses a spread that is negative or not finite.
    pub fn randomised(mut self, spread: f32, key: Key) -> Result<Self, Error> {
        if !(spread >= 0.0 && spread.is_finite()) {
            return Err(Error::option("spread", "0 or more", spread));
        }
        let mut words = vec![0; self.couplings.len()];
        bernoulli::fill(key.fold_in(purpose::INIT), 0, &mut words);
        let even = |word: u32| (f64::from(word) + 0.5) / 2_147_483_648.0 - 1.0;
        let drawn = words.into_iter().map(|word| (f64::from(spread) * even(word)) as f32);
        self.couplings.iter_mut().zip(drawn).for_each(|(coupling, drawn)| *coupling = drawn);
        self.settle()?;
        Ok(self)
    }

    /// Chooses the order in which units are visited.
    ///
    /// # Errors
    /// Refuses a colouring that is not one of this machine.
    pub fn with_scan(self, scan: Scan) -> Result<Self, Error> {
        if let Scan::Coloured(colouring) = &scan {
            colouring.check(&self.graph, &self.triples)?;
        }
        Ok(Self { scan, ..self })
    }

    /// Chooses how a unit is drawn.
    #[must_use]
    pub fn with_rule(self, rule: Rule) -> Self {
        Self { rule, ..self }
    }

    /// Chooses how couplings are stored for sampling.
    #[must_use]
    pub fn with_storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self.recode();
        self
    }

    /// Keeps the marginals of the data, smoothed, as the base of annealing; hidden units have no bias in it.
    ///
    /// # Errors
    /// Refuses data of another width or kind.
    pub fn set_marginals(&mut self, data: &dyn Rows) -> Result<(), Error> {
        let layer = marginals(&self.visible_kind(), data, None)?;
        self.base.fill(0.0);
        self.base[..layer.bias().len()].copy_from_slice(layer.bias());
        Ok(())
    }

    /// Replaces the biases of the base of annealing, one a feature.
    ///
    /// # Errors
    /// Refuses another number of them, and one that is not finite.
    pub fn set_base(&mut self, base: &[f32]) -> Result<(), Error> {
        same_length("base", self.biases.len(), base.len())?;
        finite("base", base)?;
        self.base.copy_from_slice(base);
        Ok(())
    }

    /// Gives the graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Gives the kind and number of all units.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Gives the number of visible units.
    pub fn visible_units(&self) -> usize {
        self.visible
    }

    /// Gives the number of hidden units.
    pub fn hidden_units(&self) -> usize {
        self.graph.vertices() - self.visible
    }

    /// Gives the couplings that the machine samples with, on their grid: one an edge, of classes a table an edge.
    pub fn couplings(&self) -> Vec<f32> {
        self.couplings.iter().map(|&coupling| self.grid.round(coupling)).collect()
    }

    /// Gives the biases, one a feature.
    pub fn biases(&self) -> &[f32] {
        &self.biases
    }

    /// Gives the third-order terms, each ascending.
    pub fn triples(&self) -> &[[u32; 3]] {
        &self.triples
    }

    /// Gives the strengths of the third-order terms that the machine samples with, on the grid of the couplings.
    pub fn strengths(&self) -> Vec<f32> {
        self.strengths.iter().map(|&strength| self.grid.round(strength)).collect()
    }

    /// Gives the biases of the base of annealing, one a feature.
    pub fn base(&self) -> &[f32] {
        &self.base
    }

    /// Views the machine as it is.
    pub fn view(&self) -> View<'_> {
        View::whole(self)
    }

    /// Gives the kind and number of the visible units.
    pub fn visible_kind(&self) -> Units {
        match self.units {
            Units::Spin(_) => Units::Spin(self.visible),
            Units::Categorical { classes, .. } => Units::Categorical { units: self.visible, classes },
            _ => Units::Bernoulli(self.visible),
        }
    }

    /// Gives the features of a unit: 1, or one a class.
    pub(crate) fn width(&self) -> usize {
        self.biases.len() / self.graph.vertices()
    }

    /// Gives the number of states of a unit.
    pub(crate) fn states(&self) -> usize {
        self.width().max(2)
    }

    pub(crate) fn is_spin(&self) -> bool {
        matches!(self.units, Units::Spin(_))
    }
}
