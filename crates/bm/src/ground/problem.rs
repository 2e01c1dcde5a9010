//! Holds an energy of spins on a graph, and makes one of Max-Cut and of quadratic problems of bits.

use harmonium_core::Error;

use crate::Graph;

/// Is E(s) = −Σ J_ij s_i s_j − Σ h_i s_i + `offset`, s_i = ±1, over the edges and the vertices of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    graph: Graph,
    couplings: Vec<f64>,
    fields: Vec<f64>,
    offset: f64,
}

impl Problem {
    /// Takes J, one an edge in the order of the graph's, and h, one a vertex.
    ///
    /// # Errors
    /// Refuses other numbers of them, and what is not finite, by its place.
    pub fn new(graph: Graph, couplings: Vec<f64>, fields: Vec<f64>) -> Result<Self, Error> {
        check("couplings", "edge", &couplings, graph.edges().len())?;
        check("fields", "vertex", &fields, graph.vertices())?;
        Ok(Self { graph, couplings, fields, offset: 0.0 })
    }

    /// Makes the problem whose energy is minus the cut: the sum of the weights of edges between unlike spins.
    ///
    /// # Errors
    /// As [`Problem::new`].
    pub fn max_cut(graph: Graph, weights: &[f64]) -> Result<Self, Error> {
        let fields = vec![0.0; graph.vertices()];
        let couplings = weights.iter().map(|w| -w / 2.0).collect();
        let offset = -weights.iter().sum::<f64>() / 2.0;
        Ok(Self { offset, ..Self::new(graph, couplings, fields)? })
    }

    /// Makes the problem whose energy is Σ q_i x_i + Σ q_ij x_i x_j for bits x, which are one where a spin is up: `linear` has a
    /// number for each vertex, `quadratic` one for each edge.
    ///
    /// # Errors
    /// As [`Problem::new`].
    pub fn qubo(graph: Graph, linear: &[f64], quadratic: &[f64]) -> Result<Self, Error> {
        check("linear terms", "vertex", linear, graph.vertices())?;
        check("quadratic terms", "edge", quadratic, graph.edges().len())?;
        let mut fields: Vec<f64> = linear.iter().map(|q| -q / 2.0).collect();
        for (&[i, j], q) in graph.edges().iter().zip(quadratic) {
            fields[i as usize] -= q / 4.0;
            fields[j as usize] -= q / 4.0;
        }
        let offset = linear.iter().sum::<f64>() / 2.0 + quadratic.iter().sum::<f64>() / 4.0;
        let couplings = quadratic.iter().map(|q| -q / 4.0).collect();
        Ok(Self { offset, ..Self::new(graph, couplings, fields)? })
    }

    /// Gives the graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Gives J, one an edge.
    pub fn couplings(&self) -> &[f64] {
        &self.couplings
    }

    /// Gives h, one a vertex.
    pub fn fields(&self) -> &[f64] {
        &self.fields
    }

    /// Computes E of spins, `true` being up.
    ///
    /// # Panics
    /// If there are not as many spins as vertices.
    pub fn energy(&self, up: &[bool]) -> f64 {
        assert_eq!(up.len(), self.graph.vertices(), "one spin a vertex");
        let sign = |vertex: usize| if up[vertex] { 1.0 } else { -1.0 };
        let edges = self.graph.edges().iter().zip(&self.couplings);
        let pairs: f64 = edges.map(|(&[i, j], c)| c * sign(i as usize) * sign(j as usize)).sum();
        let alone: f64 = self.fields.iter().enumerate().map(|(vertex, h)| h * sign(vertex)).sum();
        self.offset - pairs - alone
    }

    /// Gives temperatures between which it freezes: half of the root mean square of what a flip costs among random spins, and a
    /// quarter of the mean |cost| of one coupling or field, but not less than a thirtieth of the former.
    pub(super) fn temperatures(&self) -> [f64; 2] {
        let terms: Vec<f64> =
            self.couplings.iter().chain(&self.fields).copied().filter(|x| *x != 0.0).collect();
        let square: f64 = 2.0 * self.couplings.iter().map(|j| 4.0 * j * j).sum::<f64>()
            + self.fields.iter().map(|h| 4.0 * h * h).sum::<f64>();
        if terms.is_empty() || square == 0.0 {
            return [1.0, 1.0];
        }
        let hot = 0.5 * (square / self.graph.vertices() as f64).sqrt();
        let mean = terms.iter().map(|x| 2.0 * x.abs()).sum::<f64>() / terms.len() as f64;
        [hot, (0.25 * mean).max(hot / 30.0).min(hot)]
    }
}

fn check(field: &str, place: &str, values: &[f64], expected: usize) -> Result<(), Error> {
    if values.len() != expected {
        return Err(Error::shape(field, format!("{expected}, one for each {place}"), values.len()));
    }
    // Sums of squares of them must be finite too.
    match values.iter().position(|x| x.is_nan() || x.abs() > 1e100) {
        Some(at) => {
            Err(Error::value(field, format!("{place} {at}"), "numbers from -1e100 to 1e100", values[at]))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(n: usize) -> impl Iterator<Item = Vec<bool>> {
        (0..1_u32 << n).map(move |state| (0..n).map(|i| state >> i & 1 == 1).collect())
    }

    fn graph() -> Graph {
        Graph::new(5, [[0, 1], [1, 2], [2, 3], [3, 4], [0, 4], [1, 3]]).unwrap()
    }

    #[test]
    fn a_cut_is_the_weight_between_the_sides() {
        let weights = [1.0, -2.0, 3.0, 0.5, 1.0, -1.0];
        let problem = Problem::max_cut(graph(), &weights).unwrap();
        for up in states(5) {
            let ends = graph().edges().to_vec();
            let cut: f64 = (0..6)
                .filter(|&e| up[ends[e][0] as usize] != up[ends[e][1] as usize])
                .map(|e| weights[e])
                .sum();
            assert!((problem.energy(&up) + cut).abs() < 1e-12);
        }
    }

    #[test]
    fn a_quadratic_problem_of_bits_keeps_its_value() {
        let (linear, quadratic) = ([1.0, -2.0, 0.5, 0.0, 3.0], [1.0, -2.0, 3.0, 0.5, 1.0, -1.0]);
        let problem = Problem::qubo(graph(), &linear, &quadratic).unwrap();
        for up in states(5) {
            let bit = |i: u32| f64::from(u8::from(up[i as usize]));
            let alone: f64 = (0..5).map(|i| linear[i as usize] * bit(i)).sum();
            let pairs: f64 =
                graph().edges().iter().zip(quadratic).map(|(&[i, j], q)| q * bit(i) * bit(j)).sum();
            assert!((problem.energy(&up) - alone - pairs).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_not_finite_is_refused_by_its_place() {
        let said =
            |couplings: Vec<f64>| Problem::new(graph(), couplings, vec![0.0; 5]).unwrap_err().to_string();
        assert_eq!(said(vec![0.0; 5]), "couplings: expected 6, one for each edge, got 5");
        let bad = said(vec![0.0, 0.0, f64::NAN, 0.0, 0.0, 0.0]);
        assert_eq!(bad, "couplings at edge 2: expected numbers from -1e100 to 1e100, got NaN");
    }
}
