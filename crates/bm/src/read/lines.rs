//! Takes lines of numbers apart, and says which line is wrong.

use std::fmt::Display;
use std::str::FromStr;

use harmonium_core::Error;

use crate::Graph;

/// Is a line with its number, from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) file: &'a str,
    pub(super) number: usize,
    pub(super) text: &'a str,
}

/// Gives the lines that hold something.
pub(super) fn lines<'a>(file: &'a str, text: &'a str) -> impl Iterator<Item = Line<'a>> {
    let all = text.lines().enumerate().map(|(at, text)| (at + 1, text.trim()));
    all.filter(|(_, text)| !text.is_empty()).map(move |(number, text)| Line { file, number, text })
}

impl<'a> Line<'a> {
    /// Gives the words.
    pub(super) fn words(self) -> Vec<&'a str> {
        self.text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).collect()
    }

    /// Reads one word.
    pub(super) fn parse<T: FromStr>(self, word: &str, expected: &str) -> Result<T, Error> {
        word.parse().map_err(|_| self.wrong(expected, word))
    }

    /// Reads a vertex below `vertices`, numbered from `first`.
    pub(super) fn vertex(self, word: &str, first: usize, vertices: usize) -> Result<usize, Error> {
        let number: Option<usize> = word.parse().ok();
        let vertex = number.and_then(|number| number.checked_sub(first)).filter(|&vertex| vertex < vertices);
        let last = vertices + first - 1;
        vertex.ok_or_else(|| self.wrong(&format!("a vertex from {first} to {last}"), word))
    }

    /// Reads a finite number.
    pub(super) fn weight(self, word: &str) -> Result<f64, Error> {
        let number: f64 = self.parse(word, "a number")?;
        if number.is_finite() { Ok(number) } else { Err(self.wrong("a finite number", word)) }
    }

    /// Refuses the line.
    pub(super) fn wrong(self, expected: &str, got: impl Display) -> Error {
        Error::format(self.file, format!("line {}", self.number), expected, got)
    }
}

/// Says what a file lacks.
pub(super) fn lacks(file: &str, expected: &str) -> Error {
    Error::format(file, "the end", expected, "no more lines")
}

/// Collects terms of one or of two vertices.
pub(super) struct Terms {
    pub(super) linear: Vec<f64>,
    pub(super) edges: Vec<[usize; 2]>,
    pub(super) quadratic: Vec<f64>,
}

impl Terms {
    pub(super) fn new(vertices: usize) -> Self {
        Self { linear: vec![0.0; vertices], edges: Vec::new(), quadratic: Vec::new() }
    }

    /// Adds a term; one of a vertex with itself is linear.
    pub(super) fn add(&mut self, [i, j]: [usize; 2], value: f64) {
        if i == j {
            self.linear[i] += value;
        } else {
            self.edges.push([i, j]);
            self.quadratic.push(value);
        }
    }

    /// Makes the graph of the pairs.
    pub(super) fn graph(&self) -> Result<Graph, Error> {
        Graph::new(self.linear.len(), self.edges.iter().copied())
    }
}
