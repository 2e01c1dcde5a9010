//! Reads the graphs of the G-set (Helmberg & Rendl's generator rudy): vertices and edges, then `i j weight` from 1.

use std::path::Path;

use harmonium_core::{Error, data};

use super::lines::{Line, lacks, lines};
use crate::Graph;
use crate::ground::Problem;

/// Reads a Max-Cut problem, plain or gzipped; a line without a weight has the weight 1.
///
/// # Errors
/// Names the first line that is wrong, and says what can't be read.
pub fn gset(path: &Path) -> Result<Problem, Error> {
    parse(&path.display().to_string(), &data::text(path)?)
}

fn parse(file: &str, text: &str) -> Result<Problem, Error> {
    let mut lines = lines(file, text);
    let head = lines.next().ok_or_else(|| lacks(file, "vertices and edges"))?;
    let [vertices, count] = head.words()[..] else { return Err(head.wrong("vertices and edges", head.text)) };
    let [vertices, count]: [usize; 2] = [head.parse(vertices, "a number")?, head.parse(count, "a number")?];
    if vertices == 0 {
        return Err(head.wrong("1 vertex or more", vertices));
    }
    let (mut edges, mut weights) = (Vec::new(), Vec::new());
    for line in lines {
        let (ends, weight) = edge(line, vertices)?;
        edges.push(ends);
        weights.push(weight);
    }
    if edges.len() != count {
        return Err(Error::format(file, "the end", format!("{count} edges"), edges.len()));
    }
    Problem::max_cut(Graph::new(vertices, edges)?, &weights)
}

fn edge(line: Line<'_>, vertices: usize) -> Result<([usize; 2], f64), Error> {
    let words = line.words();
    let (i, j, weight) = match words[..] {
        [i, j] => (i, j, 1.0),
        [i, j, weight] => (i, j, line.weight(weight)?),
        _ => return Err(line.wrong("two vertices and a weight", line.text)),
    };
    Ok(([line.vertex(i, 1, vertices)?, line.vertex(j, 1, vertices)?], weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_is_read_with_and_without_weights() {
        let problem = parse("g", "3 2\n1 2 -1\n2 3\n").unwrap();
        assert_eq!(problem.graph().edges(), [[0, 1], [1, 2]]);
        assert_eq!(problem.energy(&[true, false, true]), 0.0);
        assert_eq!(problem.energy(&[true, true, false]), -1.0);
    }

    #[test]
    fn wrong_lines_are_named() {
        let said = |text: &str| parse("g", text).unwrap_err().to_string();
        assert_eq!(said(""), "g at the end: expected vertices and edges, got no more lines");
        assert_eq!(said("3 1\n\n1 4 1"), "g at line 3: expected a vertex from 1 to 3, got 4");
        assert_eq!(said("3 1\n0 1"), "g at line 2: expected a vertex from 1 to 3, got 0");
        assert_eq!(said("3 1\n1 2 nan"), "g at line 2: expected a finite number, got nan");
        assert_eq!(said("3 2\n1 2 1"), "g at the end: expected 2 edges, got 1");
        assert_eq!(said("3 2\n1 2\n2 1"), "graph at edge 1: expected each edge once, got 0 and 1 again");
        assert!(said("3\n").contains("vertices and edges") && said("0 0").contains("1 vertex"));
    }
}
