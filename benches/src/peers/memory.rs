//! Measures the peak resident memory of `harmonium train mnist`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::console;

/// Why there is no figure where nobody asked for one.
pub(crate) const NOT_ASKED: &str = "another group was asked for";

/// How often the child is looked at. Its peak never falls, so only what happens in the last moment is missed.
const INTERVAL: Duration = Duration::from_millis(10);

/// Trains for one epoch with a short evaluation, which needs as much memory as a long one, and gives the peak in MB
/// (10⁶ bytes).
///
/// # Errors
/// Says why it could not be measured.
pub(crate) fn peak(threads: usize, scratch: &Path) -> Result<f64, String> {
    let program = program()?;
    console::tell("memory of harmonium train mnist");
    let mut command = Command::new(program);
    command.args(["train", "mnist", "--epochs", "1", "--betas", "1000", "--quiet"]);
    command.args(["--threads", &threads.to_string()]).arg("--out").arg(scratch.join("run"));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|e| e.to_string())?;
    let bytes = watch(child)?;
    Ok(bytes as f64 / 1e6)
}

/// Finds the program beside this one.
fn program() -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|e| format!("no path of this program: {e}"))?;
    let program = here.with_file_name(format!("harmonium{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() { Ok(program) } else { Err("first cargo build --release -p harmonium-cli".into()) }
}

fn watch(mut child: Child) -> Result<u64, String> {
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = None;
    let end = loop {
        if let Some(end) = child.try_wait().map_err(|e| e.to_string())? {
            break end;
        }
        peak = fs::read_to_string(&status).ok().and_then(|text| high_water(&text)).or(peak);
        sleep(INTERVAL);
    };
    if end.success() { peak.ok_or("Linux alone tells".into()) } else { Err(format!("train mnist: {end}")) }
}

/// Reads the largest resident size so far, in bytes.
fn high_water(status: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_in_bytes() {
        assert_eq!(high_water("Name:\tx\nVmHWM:\t   2000 kB\nVmRSS:\t 1 kB\n"), Some(2_048_000));
        assert_eq!(high_water("Name:\tx\n"), None);
    }
}
