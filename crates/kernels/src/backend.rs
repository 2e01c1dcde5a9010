//! Chooses the instruction set once, at run time; every choice gives the same bits.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

#[cfg(target_arch = "x86_64")]
use crate::simd::amx;

/// Names an instruction set that the kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Portable code, the specification of the others.
    Scalar,
    /// 128-bit vectors (64-bit ARM).
    Neon,
    /// 256-bit integer vectors with fused multiply-add (x86-64).
    Avx2,
    /// 512-bit vectors of the foundation subset (x86-64).
    Avx512,
    /// Products in the tiles of AMX-INT8, the rest as [`Backend::Avx512`] (x86-64 under Linux).
    Amx,
}

/// The environment variable that forces a back end.
pub const VARIABLE: &str = "HARMONIUM_BACKEND";

const UNKNOWN: u8 = u8::MAX;
static CHOSEN: AtomicU8 = AtomicU8::new(UNKNOWN);

impl Backend {
    /// All back ends, slowest first.
    pub const ALL: [Self; 5] = [Self::Scalar, Self::Neon, Self::Avx2, Self::Avx512, Self::Amx];

    /// Tells whether this machine has the instructions.
    pub fn available(self) -> bool {
        match self {
            Self::Scalar => true,
            // The kernels' view of words as bytes is that of the low end first.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => cfg!(target_endian = "little") && std::arch::is_aarch64_feature_detected!("neon"),
            #[cfg(not(target_arch = "aarch64"))]
            Self::Neon => false,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Self::Avx2.available() && is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Self::Amx => Self::Avx512.available() && amx::permission() == amx::Permission::Granted,
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 | Self::Amx => false,
        }
    }

    /// Gives the forced back end, else the fastest that this machine has.
    ///
    /// # Errors
    /// Says so when `HARMONIUM_BACKEND` names an unknown back end or one that this machine lacks.
    pub fn select() -> Result<Self, String> {
        let Some(name) = forced() else { return Ok(Self::fastest(Self::available)) };
        let backend: Self = name.parse()?;
        if !backend.available() {
            let there = Self::ALL.iter().filter(|b| b.available()).map(Self::to_string);
            let there = there.collect::<Vec<_>>().join(", ");
            return Err(format!("{VARIABLE}={backend}, which this machine lacks: it has {there}"));
        }
        Ok(backend)
    }

    fn fastest(there: impl Fn(Self) -> bool) -> Self {
        Self::ALL.into_iter().rfind(|&backend| there(backend)).unwrap_or(Self::Scalar)
    }

    /// Tells, in a line for the user, that the system refused the fastest back end of this CPU; nothing where a back
    /// end is forced, for then [`Backend::select`] has the answer.
    pub fn notice() -> Option<String> {
        #[cfg(target_arch = "x86_64")]
        if forced().is_none() {
            return amx::permission().notice();
        }
        None
    }

    /// Gives the back end in use.
    ///
    /// # Panics
    /// If the environment forces a back end that is not there; [`Backend::select`] reports that beforehand.
    pub fn current() -> Self {
        let chosen = CHOSEN.load(Ordering::Relaxed);
        if let Some(&backend) = Self::ALL.get(usize::from(chosen)) {
            return backend;
        }
        let backend = Self::select().unwrap_or_else(|message| panic!("{message}"));
        backend.force();
        backend
    }

    /// Makes this back end the current one of the process. As every back end gives the same bits, this changes speed
    /// alone.
    ///
    /// # Panics
    /// If this machine lacks it.
    pub fn force(self) {
        assert!(self.available(), "{self} is not available on this machine");
        CHOSEN.store(self as u8, Ordering::Relaxed);
    }
}

/// Gives the name that the environment forces.
fn forced() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|name| !name.is_empty())
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scalar => "scalar",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Amx => "amx",
        })
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|b| b.to_string() == name).ok_or_else(|| {
            format!(
                "{VARIABLE}: expected one of {}, got {name:?}",
                Self::ALL.map(|b| b.to_string()).join(", ")
            )
        })
    }
}

/// Runs a check on each back end of this machine in turn, while no other test does so.
#[cfg(test)]
pub(crate) fn on_each(check: impl Fn(Backend)) {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    // A check that failed leaves nothing behind that the next one could stumble over.
    let _guard = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for backend in Backend::ALL.into_iter().filter(|b| b.available()) {
        backend.force();
        check(backend);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_unknown_ones_refused() {
        assert!(Backend::ALL.iter().all(|b| b.to_string().parse() == Ok(*b)));
        assert!("mmx".parse::<Backend>().unwrap_err().contains("scalar, neon, avx2, avx512, amx"));
    }

    #[test]
    fn without_tiles_the_next_back_end_is_taken() {
        assert_eq!(Backend::fastest(|_| true), Backend::Amx);
        assert_eq!(Backend::fastest(|backend| backend != Backend::Amx), Backend::Avx512);
        assert_eq!(Backend::fastest(|_| false), Backend::Scalar);
    }
}
