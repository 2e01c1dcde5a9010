//! Reads lists of coordinates: `i j value` from 0, a term of one variable with itself being linear.

use std::path::Path;

use harmonium_core::{Error, data};

use super::lines::{Terms, lacks, lines};
use crate::ground::Problem;

/// The largest number of a variable: terms of all stand in memory.
const LARGEST: usize = (1 << 26) - 1;

/// Reads the problem of minimising Σ a_ii x_i + Σ a_ij x_i x_j, plain or gzipped. The first line says what x is:
/// `# vartype=SPIN` for ±1, `# vartype=BINARY` for 0 and 1 (the format of dimod; couplings of spins are −a_ij then).
///
/// # Errors
/// Names the first line that is wrong, and says what can't be read.
pub fn coo(path: &Path) -> Result<Problem, Error> {
    parse(&path.display().to_string(), &data::text(path)?)
}

fn parse(file: &str, text: &str) -> Result<Problem, Error> {
    let mut lines = lines(file, text);
    let head = lines.next().ok_or_else(|| lacks(file, "# vartype=SPIN or BINARY"))?;
    let spins = match head.text.trim_start_matches('#').trim() {
        "vartype=SPIN" => true,
        "vartype=BINARY" => false,
        _ => return Err(head.wrong("# vartype=SPIN or # vartype=BINARY", head.text)),
    };
    let (mut entries, mut vertices) = (Vec::new(), 0);
    for line in lines.filter(|line| !line.text.starts_with('#')) {
        let [i, j, value] = line.words()[..] else {
            return Err(line.wrong("two variables and a value", line.text));
        };
        let ends = [line.vertex(i, 0, LARGEST + 1)?, line.vertex(j, 0, LARGEST + 1)?];
        vertices = vertices.max(ends[0].max(ends[1]) + 1);
        entries.push((ends, line.weight(value)?));
    }
    let mut terms = Terms::new(vertices);
    entries.into_iter().for_each(|(ends, value)| terms.add(ends, value));
    let graph = terms.graph()?;
    if spins {
        let negated = |values: Vec<f64>| values.into_iter().map(|x| -x).collect();
        return Problem::new(graph, negated(terms.quadratic), negated(terms.linear));
    }
    Problem::qubo(graph, &terms.linear, &terms.quadratic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spins_and_bits_are_told_apart() {
        let spins = parse("c", "# vartype=SPIN\n0 1 2.0\n1 1 -1\n").unwrap();
        assert_eq!(spins.energy(&[true, false]), -2.0 + 1.0);
        let bits = parse("c", "# vartype=BINARY\n0,1,2.0\n1,1,-1\n").unwrap();
        assert_eq!((bits.energy(&[true, false]), bits.energy(&[true, true])), (0.0, 1.0));
    }

    #[test]
    fn wrong_lines_are_named() {
        let said = |text: &str| parse("c", text).unwrap_err().to_string();
        assert!(said("0 1 2").contains("line 1: expected # vartype=SPIN"));
        assert_eq!(said("# vartype=SPIN\n0 1"), "c at line 2: expected two variables and a value, got 0 1");
        assert!(said("# vartype=SPIN\n").contains("vertices"));
        assert!(said("# vartype=SPIN\n0 999999999999 1").contains("a vertex from 0"));
    }
}
