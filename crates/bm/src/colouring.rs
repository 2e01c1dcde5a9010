//! Colours units so that no two of one colour depend on each other: those of a colour may be drawn side by side.

use harmonium_core::Error;

use crate::Graph;

/// Gives each unit a colour. Neighbours have different ones, and so have any two units of a third-order term.
///
/// ```
/// use harmonium_bm::{Colouring, Graph};
/// let square = Graph::rectangle(4, 4, true)?;
/// assert_eq!(Colouring::greedy(&square, &[]).colours(), 2);
/// let error = Colouring::new(&Graph::new(3, [[0, 1], [1, 2]])?, &[], vec![0, 1, 1]).unwrap_err();
/// assert_eq!(error.to_string(), "colouring at edge 1: expected two colours, got vertices 1 and 2, both of colour 1");
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colouring {
    of: Vec<u32>,
    classes: Vec<Vec<u32>>,
}

impl Colouring {
    /// Takes the colour of each vertex, numbered from 0.
    ///
    /// # Errors
    /// Refuses another number of colours than vertices, a colour that is not below that number, and two vertices of one
    /// colour that depend on each other, naming the edge or the triple.
    pub fn new(graph: &Graph, triples: &[[u32; 3]], of: Vec<u32>) -> Result<Self, Error> {
        let n = graph.vertices();
        if of.len() != n {
            return Err(Error::shape("colouring", format!("{n} colours"), of.len()));
        }
        if let Some(vertex) = of.iter().position(|&colour| colour as usize >= n) {
            let place = format!("vertex {vertex}");
            return Err(Error::value("colouring", place, format!("colours below {n}"), of[vertex]));
        }
        let out = Self::of(of);
        out.check(graph, triples)?;
        Ok(out)
    }

    /// Gives each vertex the lowest colour that none of its neighbours has yet, vertex by vertex.
    pub fn greedy(graph: &Graph, triples: &[[u32; 3]]) -> Self {
        let mut near: Vec<Vec<u32>> = vec![Vec::new(); graph.vertices()];
        for triple in triples {
            triple.iter().for_each(|&vertex| near[vertex as usize].extend(triple));
        }
        let mut of = vec![u32::MAX; graph.vertices()];
        for vertex in 0..of.len() {
            let others = graph.neighbours(vertex).iter().map(|next| next.vertex).chain(near[vertex].clone());
            let mut taken: Vec<u32> = others.map(|other| of[other as usize]).collect();
            taken.sort_unstable();
            taken.dedup();
            // Colours that are taken stand at their own numbers up to the first that is free.
            let free = (0..).zip(&taken).find(|(colour, taken)| colour != *taken);
            of[vertex] = free.map_or(taken.iter().filter(|&&t| t != u32::MAX).count() as u32, |(c, _)| c);
        }
        Self::of(of)
    }

    fn of(of: Vec<u32>) -> Self {
        let most = of.iter().max().map_or(0, |&most| most as usize + 1);
        let mut classes = vec![Vec::new(); most];
        (0..).zip(&of).for_each(|(vertex, &colour)| classes[colour as usize].push(vertex));
        classes.retain(|class| !class.is_empty());
        Self { of, classes }
    }

    /// Refuses a colouring of another graph.
    pub(crate) fn check(&self, graph: &Graph, triples: &[[u32; 3]]) -> Result<(), Error> {
        if self.of.len() != graph.vertices() {
            return Err(Error::shape("colouring", format!("{} colours", graph.vertices()), self.of.len()));
        }
        let same = |i: u32, j: u32| self.of[i as usize] == self.of[j as usize];
        let clash = |place: String, i: u32, j: u32| {
            let got = format!("vertices {i} and {j}, both of colour {}", self.of[i as usize]);
            Err(Error::value("colouring", place, "two colours", got))
        };
        if let Some(edge) = graph.edges().iter().position(|&[i, j]| mutant!("B130", same(i, j), false)) {
            let [i, j] = graph.edges()[edge];
            return clash(format!("edge {edge}"), i, j);
        }
        for (number, &[i, j, k]) in triples.iter().enumerate() {
            if let Some((i, j)) = [(i, j), (i, k), (j, k)].into_iter().find(|&(i, j)| same(i, j)) {
                return clash(format!("triple {number}"), i, j);
            }
        }
        Ok(())
    }

    /// Gives the number of colours.
    pub fn colours(&self) -> usize {
        self.classes.len()
    }

    /// Gives the colour of each vertex.
    pub fn colours_of(&self) -> &[u32] {
        &self.of
    }

    /// Gives the vertices of each colour, ascending.
    pub fn classes(&self) -> &[Vec<u32>] {
        &self.classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greedy_colours_are_valid_and_few() {
        for graph in [
            Graph::complete(5).unwrap(),
            Graph::rectangle(5, 7, true).unwrap(),
            Graph::new(4, [[1, 3], [0, 3]]).unwrap(),
        ] {
            let colouring = Colouring::greedy(&graph, &[]);
            colouring.check(&graph, &[]).unwrap();
            let most = (0..graph.vertices()).map(|v| graph.degree(v)).max().unwrap_or(0);
            assert!(colouring.colours() <= most + 1);
        }
        let chain = Graph::new(4, [[0, 1], [1, 2], [2, 3]]).unwrap();
        assert_eq!(Colouring::greedy(&chain, &[]).colours(), 2);
        assert_eq!(Colouring::greedy(&chain, &[[0, 1, 2], [1, 2, 3]]).colours(), 3);
    }

    #[test]
    fn wrong_colourings_are_named() {
        let chain = Graph::new(3, [[0, 1], [1, 2]]).unwrap();
        let said = |of: &[u32], triples: &[[u32; 3]]| {
            Colouring::new(&chain, triples, of.to_vec()).unwrap_err().to_string()
        };
        assert_eq!(said(&[0, 1], &[]), "colouring: expected 3 colours, got 2");
        assert_eq!(said(&[0, 1, 7], &[]), "colouring at vertex 2: expected colours below 3, got 7");
        assert_eq!(
            said(&[0, 0, 1], &[]),
            "colouring at edge 0: expected two colours, got vertices 0 and 1, both of colour 0"
        );
        assert_eq!(
            said(&[0, 1, 0], &[[0, 1, 2]]),
            "colouring at triple 0: expected two colours, got vertices 0 and 2, both of colour 0"
        );
    }
}
