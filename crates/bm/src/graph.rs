//! Lists which units are coupled, checked once: no loops, no edge twice, no unit that is not there.

use harmonium_core::Error;

/// The most vertices: numbers of them stand in 32 bits, with room to spare.
const MAX_VERTICES: usize = 1 << 30;

/// Is an undirected graph without loops and without parallel edges. It may be disconnected, and it may have no edge at all.
///
/// ```
/// use harmonium_bm::Graph;
/// let path = Graph::new(3, [[0, 1], [2, 1]])?;
/// assert_eq!(path.edges(), [[0, 1], [1, 2]]);
/// assert_eq!(path.degree(1), 2);
/// let error = Graph::new(3, [[0, 1], [2, 2]]).unwrap_err();
/// assert_eq!(error.to_string(), "graph at edge 1: expected two different vertices, got 2 and 2");
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    vertices: usize,
    edges: Vec<[u32; 2]>,
    /// Where the neighbours of each vertex start.
    starts: Vec<usize>,
    neighbours: Vec<Neighbour>,
}

/// Is one end of an edge, seen from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Neighbour {
    /// The vertex over there.
    pub vertex: u32,
    /// The number of the edge that leads there.
    pub edge: u32,
}

impl Graph {
    /// Joins vertices by edges. Edges keep their order; each is stored with its smaller vertex first.
    ///
    /// # Errors
    /// Refuses no vertices or more than 2^30, loops, edges that come twice in either direction, and vertices that are not there,
    /// each with the number of the edge.
    pub fn new(vertices: usize, edges: impl IntoIterator<Item = [usize; 2]>) -> Result<Self, Error> {
        if !(1..=MAX_VERTICES).contains(&vertices) {
            return Err(Error::option("vertices", format!("1 to {MAX_VERTICES}"), vertices));
        }
        let edges = edges.into_iter().enumerate().map(|(edge, ends)| checked(vertices, edge, ends));
        let edges = edges.collect::<Result<Vec<_>, _>>()?;
        if u32::try_from(edges.len()).is_err() {
            return Err(Error::shape("graph", "fewer than 2^32 edges", edges.len()));
        }
        let out = Self::joined(vertices, edges);
        out.check_single()?;
        Ok(out)
    }

    /// Joins every vertex to every other, in the order (0, 1), (0, 2), … (n−2, n−1).
    ///
    /// # Errors
    /// Refuses no vertices, and more than 2^15.
    pub fn complete(vertices: usize) -> Result<Self, Error> {
        if vertices > 1 << 15 {
            return Err(Error::option("vertices of a complete graph", "at most 32768", vertices));
        }
        Self::new(vertices, (0..vertices).flat_map(|i| (i + 1..vertices).map(move |j| [i, j])))
    }

    /// Joins every one of the first vertices to every one of the others: the graph of a restricted machine, edge by edge in the
    /// order of its weights `(first, second)`.
    ///
    /// # Errors
    /// Refuses no vertices, and more than 2^32 − 1 edges.
    pub fn bipartite(first: usize, second: usize) -> Result<Self, Error> {
        if first.saturating_mul(second) > u32::MAX as usize {
            return Err(Error::option(
                "edges of a bipartite graph",
                "at most 2^32 − 1",
                format!("{first} × {second}"),
            ));
        }
        Self::new(first + second, (0..first).flat_map(|i| (first..first + second).map(move |j| [i, j])))
    }

    /// Joins the sites of a rectangle to their right and lower neighbours, site (r, c) being vertex `r · columns + c`; with
    /// `periodic`, the last ones to the first. A periodic side of 2 has one edge between its two sites, not two.
    ///
    /// # Errors
    /// Refuses a rectangle without sites, and one with more than 2^31.
    pub fn rectangle(rows: usize, columns: usize, periodic: bool) -> Result<Self, Error> {
        if rows.saturating_mul(columns) > 1 << 31 {
            return Err(Error::option("sites of a rectangle", "at most 2^31", format!("{rows} × {columns}")));
        }
        let next = |at: usize, side: usize| match at + 1 {
            next if next < side => Some(next),
            _ if periodic && side > 2 => Some(0),
            _ => None,
        };
        let site = |r: usize, c: usize| r * columns + c;
        let edges = (0..rows * columns).flat_map(|at| {
            let (r, c) = (at / columns, at % columns);
            let right = next(c, columns).map(|right| [site(r, c), site(r, right)]);
            let down = next(r, rows).map(|down| [site(r, c), site(down, c)]);
            [right, down].into_iter().flatten()
        });
        Self::new(rows * columns, edges.collect::<Vec<_>>())
    }

    /// Gives the number of vertices.
    pub fn vertices(&self) -> usize {
        self.vertices
    }

    /// Gives the edges, the smaller vertex first.
    pub fn edges(&self) -> &[[u32; 2]] {
        &self.edges
    }

    /// Gives the neighbours of a vertex, ascending.
    ///
    /// # Panics
    /// If there is no such vertex.
    pub fn neighbours(&self, vertex: usize) -> &[Neighbour] {
        &self.neighbours[self.starts[vertex]..self.starts[vertex + 1]]
    }

    /// Gives the number of neighbours of a vertex.
    ///
    /// # Panics
    /// If there is no such vertex.
    pub fn degree(&self, vertex: usize) -> usize {
        self.neighbours(vertex).len()
    }

    /// Gives for each vertex the number of its connected part, numbered by their first vertices.
    pub fn components(&self) -> Vec<usize> {
        let mut of = vec![usize::MAX; self.vertices];
        let mut count = 0;
        for first in 0..self.vertices {
            if of[first] == usize::MAX {
                self.flood(first, count, &mut of);
                count += 1;
            }
        }
        of
    }

    fn flood(&self, first: usize, number: usize, of: &mut [usize]) {
        let mut open = vec![first];
        of[first] = number;
        while let Some(vertex) = open.pop() {
            for next in self.neighbours(vertex).iter().map(|next| next.vertex as usize) {
                if of[next] == usize::MAX {
                    of[next] = number;
                    open.push(next);
                }
            }
        }
    }

    fn joined(vertices: usize, edges: Vec<[u32; 2]>) -> Self {
        let mut starts = vec![0; vertices + 1];
        edges.iter().flatten().for_each(|&vertex| starts[vertex as usize + 1] += 1);
        (0..vertices).for_each(|vertex| starts[vertex + 1] += starts[vertex]);
        let mut free = starts.clone();
        let mut neighbours = vec![Neighbour { vertex: 0, edge: 0 }; 2 * edges.len()];
        for (edge, &[i, j]) in edges.iter().enumerate() {
            for (from, to) in [(i, j), (j, i)] {
                neighbours[free[from as usize]] = Neighbour { vertex: to, edge: edge as u32 };
                free[from as usize] += 1;
            }
        }
        starts.windows(2).for_each(|ends| neighbours[ends[0]..ends[1]].sort_unstable());
        Self { vertices, edges, starts, neighbours }
    }

    /// Refuses an edge that comes twice: the same neighbour stands twice in a row then.
    fn check_single(&self) -> Result<(), Error> {
        for vertex in 0..self.vertices {
            if let Some(twice) = self.neighbours(vertex).windows(2).find(|two| two[0].vertex == two[1].vertex)
            {
                let [i, j] = self.edges[twice[1].edge as usize];
                let place = format!("edge {}", twice[1].edge);
                return Err(Error::value("graph", place, "each edge once", format!("{i} and {j} again")));
            }
        }
        Ok(())
    }
}

/// Refuses an edge that is a loop or leads nowhere.
fn checked(vertices: usize, edge: usize, [i, j]: [usize; 2]) -> Result<[u32; 2], Error> {
    let place = format!("edge {edge}");
    if i.max(j) >= vertices {
        return Err(Error::value("graph", place, format!("vertices below {vertices}"), i.max(j)));
    }
    if i == j {
        return Err(Error::value("graph", place, "two different vertices", format!("{i} and {j}")));
    }
    Ok([i.min(j) as u32, i.max(j) as u32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_edges_are_refused_by_their_number() {
        let said = |edges: &[[usize; 2]]| Graph::new(3, edges.to_vec()).unwrap_err().to_string();
        assert_eq!(said(&[[0, 1], [1, 3]]), "graph at edge 1: expected vertices below 3, got 3");
        assert_eq!(said(&[[1, 1]]), "graph at edge 0: expected two different vertices, got 1 and 1");
        let twice = said(&[[0, 1], [1, 2], [1, 0]]);
        assert_eq!(twice, "graph at edge 2: expected each edge once, got 0 and 1 again");
        assert!(Graph::new(0, []).is_err());
    }

    #[test]
    fn neighbours_are_both_ends_of_every_edge() {
        let graph = Graph::complete(5).unwrap();
        assert_eq!(graph.edges().len(), 10);
        for vertex in 0..5 {
            for next in graph.neighbours(vertex) {
                let (i, j) = (vertex.min(next.vertex as usize), vertex.max(next.vertex as usize));
                assert_eq!(graph.edges()[next.edge as usize], [i as u32, j as u32]);
            }
            assert_eq!(graph.degree(vertex), 4);
        }
    }

    #[test]
    fn rectangles_have_two_edges_a_site_and_no_double_ones() {
        let torus = Graph::rectangle(3, 4, true).unwrap();
        assert!((0..12).all(|site| torus.degree(site) == 4));
        assert_eq!(torus.edges().len(), 24);
        assert_eq!(Graph::rectangle(3, 4, false).unwrap().edges().len(), 17);
        assert_eq!(Graph::rectangle(2, 2, true).unwrap().edges().len(), 4);
        assert!(Graph::rectangle(0, 4, true).is_err());
    }

    /// Sizes whose products or sums pass what a number holds, and such as no memory would: named before anything is made.
    #[test]
    fn sizes_out_of_range_are_refused() {
        let said = |graph: Result<Graph, Error>| graph.unwrap_err().to_string();
        let whole = usize::MAX;
        for (first, second) in [(whole, 2), (2, whole), (1 << 31, 4), (whole, whole)] {
            let expected =
                format!("edges of a bipartite graph: expected at most 2^32 − 1, got {first} × {second}");
            assert_eq!(said(Graph::bipartite(first, second)), expected);
        }
        for (rows, columns) in [(whole, 2), (2, whole), (1 << 33, 1 << 33)] {
            let expected = format!("sites of a rectangle: expected at most 2^31, got {rows} × {columns}");
            assert_eq!(said(Graph::rectangle(rows, columns, false)), expected);
        }
        let expected = "vertices of a complete graph: expected at most 32768, got 32769";
        assert_eq!(said(Graph::complete((1 << 15) + 1)), expected);
        assert!(said(Graph::new(MAX_VERTICES + 1, [])).starts_with("vertices: expected 1 to"));
    }

    #[test]
    fn parts_are_found_and_a_graph_may_have_no_edge() {
        let graph = Graph::new(5, [[3, 1], [0, 4]]).unwrap();
        assert_eq!(graph.components(), [0, 1, 2, 1, 0]);
        assert_eq!(Graph::new(2, []).unwrap().components(), [0, 1]);
        assert_eq!(Graph::bipartite(2, 3).unwrap().edges()[4], [1, 3]);
    }
}
