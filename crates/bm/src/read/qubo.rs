//! Reads quadratic problems of bits as qbsolv writes them: `p qubo 0 nodes diagonals elements`, then `i j value` from 0.

use std::path::Path;

use harmonium_core::{Error, data};

use super::lines::{Terms, lacks, lines};
use crate::ground::Problem;

/// The most nodes that a header may announce: their terms stand in memory before any of them is read.
const MAX_NODES: usize = 1 << 26;

/// Reads the problem of minimising Σ q_ii x_i + Σ q_ij x_i x_j, plain or gzipped. Lines that begin with `c` are comments.
///
/// # Errors
/// Names the first line that is wrong, and says what can't be read.
pub fn qubo(path: &Path) -> Result<Problem, Error> {
    parse(&path.display().to_string(), &data::text(path)?)
}

fn parse(file: &str, text: &str) -> Result<Problem, Error> {
    let mut lines = lines(file, text).filter(|line| !line.text.starts_with('c'));
    let head = lines.next().ok_or_else(|| lacks(file, "the line `p qubo`"))?;
    let ["p", "qubo", _, nodes, diagonals, elements] = head.words()[..] else {
        return Err(head.wrong("p qubo 0 nodes diagonals elements", head.text));
    };
    let [nodes, diagonals, elements]: [usize; 3] = [
        head.parse(nodes, "a number")?,
        head.parse(diagonals, "a number")?,
        head.parse(elements, "a number")?,
    ];
    if !(1..=MAX_NODES).contains(&nodes) {
        return Err(head.wrong(&format!("1 to {MAX_NODES} nodes"), nodes));
    }
    let (mut terms, mut alone) = (Terms::new(nodes), 0);
    for line in lines {
        let [i, j, value] = line.words()[..] else {
            return Err(line.wrong("two nodes and a value", line.text));
        };
        let ends = [line.vertex(i, 0, nodes)?, line.vertex(j, 0, nodes)?];
        alone += usize::from(ends[0] == ends[1]);
        terms.add(ends, line.weight(value)?);
    }
    if (alone, terms.edges.len()) != (diagonals, elements) {
        let got = format!("{alone} and {}", terms.edges.len());
        return Err(Error::format(
            file,
            "the end",
            format!("{diagonals} diagonals and {elements} elements"),
            got,
        ));
    }
    Problem::qubo(terms.graph()?, &terms.linear, &terms.quadratic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_read() {
        let problem = parse("q", "c a comment\np qubo 0 3 2 1\n0 0 -2\n2 2 1.5\n0 2 4\n").unwrap();
        assert_eq!(problem.energy(&[true, false, false]), -2.0);
        assert_eq!(problem.energy(&[true, true, true]), 3.5);
    }

    #[test]
    fn wrong_lines_are_named() {
        let said = |text: &str| parse("q", text).unwrap_err().to_string();
        assert!(said("c only\n").contains("the line `p qubo`"));
        assert_eq!(said("p qubo 0 2 1 0\n0 2 1"), "q at line 2: expected a vertex from 0 to 1, got 2");
        let counts = said("p qubo 0 2 1 0\n0 1 1");
        assert_eq!(counts, "q at the end: expected 1 diagonals and 0 elements, got 0 and 1");
        assert!(said("p qubo 0 0 0 0").contains("nodes"));
    }
}
