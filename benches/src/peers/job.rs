//! Names one measurement: which program does which work, of what size, on how many threads.

use std::fmt;

use harmonium::Backend;

use crate::args::{Peers, What};
use crate::own::line_name;

/// Says who works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// This one.
    Own(What),
    /// The peer of this name.
    Peer(&'static str),
}

/// Is one measurement, made once a round in a process of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) program: Program,
    /// The back end that is forced; else it is the fastest.
    pub(crate) backend: Option<Backend>,
    pub(crate) threads: usize,
    pub(crate) batch: usize,
    /// Rows of an epoch.
    pub(crate) n: usize,
    pub(crate) visible: usize,
    pub(crate) hidden: usize,
}

/// The machine that all comparisons but those of shapes are made on.
pub(crate) const SHAPE: (usize, usize) = (784, 500);

impl Job {
    /// Makes the measurement that the options ask for: batch 100, 784 × 500.
    pub(crate) fn new(program: Program, args: &Peers) -> Self {
        let (visible, hidden) = SHAPE;
        Self { program, backend: None, threads: args.threads, batch: 100, n: args.n, visible, hidden }
    }

    pub(crate) fn own(what: What, args: &Peers) -> Self {
        Self::new(Program::Own(what), args)
    }

    pub(crate) fn peer(name: &'static str, args: &Peers) -> Self {
        Self::new(Program::Peer(name), args)
    }

    /// Tells whether it trains, so that its batch matters.
    pub(crate) fn trains(&self) -> bool {
        match self.program {
            Program::Own(what) => matches!(what, What::Cd1 | What::Pcd1),
            Program::Peer(name) => !name.contains("gibbs"),
        }
    }

    /// Gives the name of its line.
    pub(crate) fn name(&self) -> String {
        match self.program {
            Program::Own(what) => line_name(what, self.backend.map(|b| b.to_string()).as_deref()),
            Program::Peer(name) => name.into(),
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threads, batch, visible, hidden, .. } = self;
        write!(f, "{}, {visible} × {hidden}, batch {batch}, threads {threads}", self.name())
    }
}
