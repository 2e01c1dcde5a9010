//! Looks at the machine: its processor, cores and back ends.

use std::fs;
use std::thread::available_parallelism;

use harmonium::Backend;

/// Holds what a reader of the figures must know of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    /// Whether the processor has matrix units for bytes.
    pub(crate) amx: bool,
    /// The back ends that run here, slowest first.
    pub(crate) backends: Vec<Backend>,
}

impl Machine {
    /// Looks at this machine.
    pub(crate) fn look() -> Self {
        Self::parse(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default())
    }

    /// Reads what Linux tells of the processor; elsewhere only its architecture is known.
    pub(crate) fn parse(cpuinfo: &str) -> Self {
        Self {
            processor: field(cpuinfo, "model name").unwrap_or(std::env::consts::ARCH).into(),
            cores: available_parallelism().map_or(1, usize::from),
            amx: field(cpuinfo, "flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "amx_int8")),
            backends: Backend::ALL.into_iter().filter(|backend| backend.available()).collect(),
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

fn field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    let pairs = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPUINFO: &str = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nflags\t\t: fpu avx2 amx_int8\n";

    #[test]
    fn processor_and_matrix_units_are_read() {
        let machine = Machine::parse(CPUINFO);
        assert_eq!((machine.processor.as_str(), machine.amx), ("A CPU @ 2 GHz", true));
        assert!(!Machine::parse(&CPUINFO.replace("amx_int8", "amx_int8x")).amx);
        assert_eq!(Machine::parse("").processor, std::env::consts::ARCH);
    }

    #[test]
    fn one_back_end_is_the_fastest_and_the_others_are_slower() {
        let machine = Machine::parse("");
        assert!(machine.backends.contains(&Backend::Scalar));
        assert_eq!(machine.others().count() + 1, machine.backends.len());
    }
}
