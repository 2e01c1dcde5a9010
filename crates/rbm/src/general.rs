//! Turns restricted machines into general ones over a bipartite graph, and back.

use harmonium_bm::{Graph, Machine};
use harmonium_core::units::{Layer, Unit, Units};
use harmonium_core::{Error, HasParams};
use ndarray::Array2;

use crate::Rbm;

impl Rbm {
    /// Gives the general machine of the same energies: both layers side by side, the hidden one last. Weights and biases are the
    /// same numbers; the grid of a general machine is as fine.
    ///
    /// # Errors
    /// Refuses layers that are not both bits, both spins, or both of as many classes; and a layer too wide for a graph.
    pub fn to_machine(&self) -> Result<Machine, Error> {
        let (nv, nh) = (self.visible().units().count(), self.hidden().units().count());
        let units = match (self.visible().units(), self.hidden().units()) {
            (Units::Bernoulli(_), Units::Bernoulli(_)) => Units::Bernoulli(nv + nh),
            (Units::Spin(_), Units::Spin(_)) => Units::Spin(nv + nh),
            (Units::Categorical { classes, .. }, Units::Categorical { classes: other, .. })
                if classes == other =>
            {
                Units::Categorical { units: nv + nh, classes }
            }
            (visible, hidden) => {
                let got = format!("{visible} and {hidden}");
                return Err(Error::option("layers", "bits, spins or as many classes on both sides", got));
            }
        };
        let (weights, width) = (self.weights(), units.features() / units.count());
        let entry = |n: usize| {
            let (edge, at) = (n / (width * width), n % (width * width));
            let (i, j) = mutant!("B144", (edge / nh, edge % nh), (edge % nv, edge / nv));
            weights[(i * width + at / width, j * width + at % width)]
        };
        let couplings = (0..weights.len()).map(entry).collect();
        let biases = self.visible_bias().iter().chain(self.hidden_bias()).copied().collect();
        let mut out =
            Machine::from_parts(Graph::bipartite(nv, nh)?, units, couplings, biases)?.with_hidden(nh)?;
        out.set_base(&[self.base().bias(), &vec![0.0; self.hidden_units()]].concat())?;
        Ok(out)
    }

    /// Gives the restricted machine of the same energies.
    ///
    /// # Errors
    /// Refuses a machine without hidden units, with third-order terms, or with an edge between two visible or two hidden units,
    /// naming it.
    pub fn from_machine(machine: &Machine) -> Result<Self, Error> {
        let (nv, nh) = (machine.visible_units(), machine.hidden_units());
        let inside = |&[i, j]: &[u32; 2]| ((i as usize) < nv) == ((j as usize) < nv);
        if let Some(edge) = machine.graph().edges().iter().position(inside) {
            let [i, j] = machine.graph().edges()[edge];
            let expected = "edges between a visible and a hidden unit";
            return Err(Error::value("graph", format!("edge {edge}"), expected, format!("{i} and {j}")));
        }
        if nh == 0 || machine.blocks().len() > 2 {
            let got = format!("{nh} hidden units, {} third-order terms", machine.triples().len());
            return Err(Error::shape("machine", "hidden units and pairs alone", got));
        }
        let width = machine.units().features() / machine.units().count();
        let mut weights = Array2::zeros((nv * width, nh * width));
        let couplings = machine.couplings();
        for (table, &[i, j]) in couplings.chunks(width * width).zip(machine.graph().edges()) {
            for (at, &coupling) in table.iter().enumerate() {
                let (i, j) = (i as usize * width + at / width, (j as usize - nv) * width + at % width);
                weights[(i, j)] = coupling;
            }
        }
        let (visible, hidden) = machine.biases().split_at(nv * width);
        let layer = |kind: Units, biases: &[f32]| kind.layer(biases.to_vec());
        let of = |units: usize| match machine.units() {
            Units::Spin(_) => Units::Spin(units),
            Units::Categorical { classes, .. } => Units::Categorical { units, classes: *classes },
            _ => Units::Bernoulli(units),
        };
        let mut out = Self::from_layers(weights, layer(of(nv), visible), layer(of(nh), hidden))?;
        let base: Layer = layer(of(nv), &machine.base()[..nv * width]);
        out.set_base(base)?;
        Ok(out)
    }
}
