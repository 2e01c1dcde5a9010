//! Puts a problem on a grid of whole numbers, in an order in which spins that are judged together are no neighbours.

use std::collections::VecDeque;

use harmonium_kernels::flips::{LARGEST, Links, Spins};

use super::Problem;
use crate::Graph;

/// Spins that are judged together.
const TOGETHER: usize = 16;

/// Is a problem as the kernel takes it: what a flip costs, in codes of 2^-shift.
pub(super) struct Codes {
    pub(super) links: Links,
    outer: Vec<i32>,
    /// The vertex in each place.
    order: Vec<u32>,
    /// The energy of one code.
    pub(super) quantum: f64,
}

impl Codes {
    /// Rounds costs to the finest grid on which no field leaves 24 bits. Whole numbers, halves and so on stay as they are.
    pub(super) fn of(problem: &Problem) -> Self {
        let graph = problem.graph();
        let order = order(graph);
        let mut place = vec![0_u32; order.len()];
        order.iter().enumerate().for_each(|(at, &vertex)| place[vertex as usize] = at as u32);
        let quantum = quantum(problem);
        let code = |x: f64| libm::rint(2.0 * x / quantum) as i32;
        let neighbours = order.iter().map(|&vertex| {
            let near = graph.neighbours(vertex as usize).iter();
            near.map(|n| (place[n.vertex as usize], code(problem.couplings()[n.edge as usize]))).collect()
        });
        let links = Links::new(neighbours);
        let outer = order.iter().map(|&vertex| code(problem.fields()[vertex as usize])).collect();
        Self { links, outer, order, quantum }
    }

    /// Starts from spins by place, `true` being up.
    pub(super) fn start(&self, up: &[bool]) -> Spins {
        Spins::new(&self.links, up, &self.outer)
    }

    /// Gives spins by vertex.
    pub(super) fn by_vertex(&self, up: &[bool]) -> Vec<bool> {
        let mut out = vec![false; up.len()];
        self.order.iter().zip(up).for_each(|(&vertex, &up)| out[vertex as usize] = up);
        out
    }
}

/// Gives the power of two that is worth one code.
fn quantum(problem: &Problem) -> f64 {
    let mut sums: Vec<f64> = problem.fields().iter().map(|h| 2.0 * h.abs()).collect();
    for (&[i, j], c) in problem.graph().edges().iter().zip(problem.couplings()) {
        sums[i as usize] += 2.0 * c.abs();
        sums[j as usize] += 2.0 * c.abs();
    }
    let most = sums.into_iter().fold(0.0, f64::max);
    // Each of the terms may be rounded up by half a code.
    let terms = (0..problem.graph().vertices()).map(|vertex| problem.graph().degree(vertex) + 1).max();
    let room = f64::from(LARGEST) - terms.unwrap_or(1) as f64;
    if most == 0.0 { 1.0 } else { libm::exp2(libm::ceil(libm::log2(most / room))) }
}

/// Vertices among which sixteen that are no neighbours are looked for: more would only take time where a graph is dense.
const LOOKS: usize = 64 * TOGETHER;

/// Lists the vertices so that each sixteen are no neighbours of each other, as far as that goes: the first free ones that fit.
fn order(graph: &Graph) -> Vec<u32> {
    let mut free: VecDeque<u32> = (0..graph.vertices() as u32).collect();
    let mut out = Vec::with_capacity(free.len());
    let mut barred = vec![usize::MAX; graph.vertices()];
    while !free.is_empty() {
        let (start, mut rest) = (out.len(), Vec::new());
        for vertex in free.drain(..LOOKS.min(free.len())) {
            if out.len() - start == TOGETHER || barred[vertex as usize] == start {
                rest.push(vertex);
                continue;
            }
            out.push(vertex);
            graph.neighbours(vertex as usize).iter().for_each(|n| barred[n.vertex as usize] = start);
        }
        let wanting = rest.len().min(start + TOGETHER - out.len());
        out.extend(rest.drain(..wanting));
        rest.into_iter().rev().for_each(|vertex| free.push_front(vertex));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vertex_has_one_place_and_sparse_neighbours_are_apart() {
        for (graph, most) in [
            (Graph::rectangle(20, 30, true).unwrap(), 10),
            (Graph::complete(40).unwrap(), usize::MAX),
            (Graph::new(3, []).unwrap(), 0),
        ] {
            let order = order(&graph);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..graph.vertices() as u32));
            let near = order.chunks(TOGETHER).map(|group| {
                let near = |v: u32| {
                    graph.neighbours(v as usize).iter().filter(|n| group.contains(&n.vertex)).count()
                };
                group.iter().map(|&v| near(v)).sum::<usize>()
            });
            assert!(near.sum::<usize>() <= most);
        }
    }

    /// Costs of flips by codes are those of the energies: exact for halves, else to half a code a term.
    #[test]
    fn costs_are_differences_of_energies() {
        let graph = Graph::complete(9).unwrap();
        let whole: Vec<f64> = (0..36).map(|e| f64::from(e % 7) / 2.0 - 1.5).collect();
        let rough: Vec<f64> = (0..36).map(|e| libm::sin(f64::from(e))).collect();
        for (couplings, slack) in [(whole, 0.0), (rough, 10.0 * 2e-6)] {
            let fields = (0..9).map(|v| f64::from(v) * 0.5 - 2.0).collect();
            let problem = Problem::new(graph.clone(), couplings, fields).unwrap();
            let codes = Codes::of(&problem);
            let mut up = vec![false; 9];
            let mut spins = codes.start(&up);
            let (before, from) = (problem.energy(&codes.by_vertex(&up)), spins.energy());
            spins.descend(&codes.links);
            up = spins.up().collect();
            let gained = problem.energy(&codes.by_vertex(&up)) - before;
            assert!(((spins.energy() - from) as f64 * codes.quantum - gained).abs() <= slack * 9.0);
        }
    }
}
