//! Looks at the machine: its processor, cores and back ends.

use std::fs;
use std::thread::available_parallelism;

use harmonium::Backend;

/// Holds what a reader of the figures must know of the machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    /// The back ends that run here, slowest first.
    pub(crate) backends: Vec<Backend>,
    /// Programs that ran in the last minute, on average: other work beside ours spoils the figures.
    pub(crate) load: Option<f64>,
}

impl Machine {
    /// Looks at this machine.
    pub(crate) fn look() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self { load: load(&read("/proc/loadavg")), ..Self::parse(&read("/proc/cpuinfo")) }
    }

    /// Reads what Linux tells of the processor; elsewhere only its architecture is known.
    pub(crate) fn parse(cpuinfo: &str) -> Self {
        Self {
            processor: field(cpuinfo, "model name").unwrap_or(std::env::consts::ARCH).into(),
            cores: available_parallelism().map_or(1, usize::from),
            backends: Backend::ALL.into_iter().filter(|backend| backend.available()).collect(),
            load: None,
        }
    }

    /// Gives the back end that is used where none is forced.
    pub(crate) fn fastest(&self) -> Backend {
        self.backends.last().copied().unwrap_or(Backend::Scalar)
    }

    /// Gives the back ends that are used only where they are forced.
    pub(crate) fn others(&self) -> impl Iterator<Item = Backend> {
        self.backends.iter().copied().filter(|&backend| backend != self.fastest())
    }
}

fn load(loadavg: &str) -> Option<f64> {
    loadavg.split(' ').next()?.parse().ok()
}

fn field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    let pairs = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPUINFO: &str = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nflags\t\t: fpu avx2\n";

    #[test]
    fn the_processor_is_read() {
        assert_eq!(Machine::parse(CPUINFO).processor, "A CPU @ 2 GHz");
        assert_eq!(Machine::parse("").processor, std::env::consts::ARCH);
    }

    #[test]
    fn the_load_of_the_last_minute_is_read() {
        assert_eq!((load("3.69 3.17 2.72 1/128 4321\n"), load("")), (Some(3.69), None));
    }

    #[test]
    fn one_back_end_is_the_fastest_and_the_others_are_slower() {
        let machine = Machine::parse("");
        assert!(machine.backends.contains(&Backend::Scalar));
        assert_eq!(machine.others().count() + 1, machine.backends.len());
    }
}
