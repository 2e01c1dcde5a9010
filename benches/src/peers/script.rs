//! Finds the peers' script and a Python for it, and asks for their versions.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::Peers;

/// The variable that names the folder of the script.
const VARIABLE: &str = "HARMONIUM_PEERS";

const NAME: &str = "bench_peers.py";

/// Prints what there is, package by package.
const VERSIONS: &str = "
import importlib.metadata as m, platform
found = ['Python ' + platform.python_version()]
for name in 'numpy scipy scikit-learn torch jax rbms learnergy numba'.split():
    try: found.append(name + ' ' + m.version(name))
    except m.PackageNotFoundError: found.append(name + ' not installed')
print(', '.join(found))
";

/// Is a script that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) python: PathBuf,
    pub(crate) path: PathBuf,
    /// Python and the packages behind the peers, each with its version.
    pub(crate) versions: String,
}

impl Script {
    /// Finds script and Python.
    ///
    /// # Errors
    /// Says which of them is missing.
    pub(crate) fn find(args: &Peers) -> Result<Self, String> {
        let here = env::current_dir().unwrap_or_default();
        let folder = env::var_os(VARIABLE).map(PathBuf::from);
        let path = place(args.script.as_deref(), folder, &here)?;
        let python = args.python.clone();
        let versions = versions(&python)?;
        Ok(Self { python, path, versions })
    }
}

fn place(asked: Option<&Path>, folder: Option<PathBuf>, here: &Path) -> Result<PathBuf, String> {
    let folders = || here.ancestors().map(|above| above.join("../shared/peers"));
    let mut places: Vec<PathBuf> = match (asked, folder) {
        (Some(script), _) => vec![script.into()],
        (None, Some(folder)) => vec![folder.join(NAME)],
        (None, None) => folders().map(|folder| folder.join(NAME)).collect(),
    };
    let first = places[0].display().to_string();
    places.retain(|place| place.is_file());
    let found = places.into_iter().next();
    found.ok_or_else(|| format!("no peers' script at {first} (--script FILE or ${VARIABLE})"))
}

fn versions(python: &Path) -> Result<String, String> {
    let missing = |why: String| format!("no Python by {} (--python PROGRAM): {why}", python.display());
    let output = Command::new(python).args(["-c", VERSIONS]).output().map_err(|e| missing(e.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    Err(missing(output.status.to_string()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_script_is_where_it_is_said_or_beside_the_project() {
        let root = tempfile::tempdir().unwrap();
        let peers = root.path().join("shared/peers");
        let project = root.path().join("project/benches");
        fs::create_dir_all(&peers).unwrap();
        fs::create_dir_all(&project).unwrap();
        assert!(place(None, Some(peers.clone()), &project).unwrap_err().contains("--script"));
        fs::write(peers.join(NAME), "").unwrap();
        assert!(place(None, None, &project).unwrap().is_file());
        assert!(place(None, Some(peers.clone()), &project).unwrap().is_file());
        assert!(place(Some(Path::new("nowhere.py")), Some(peers), &project).is_err());
    }

    #[test]
    fn a_python_that_is_not_there_is_named() {
        assert!(versions(Path::new("./no-such-python")).unwrap_err().contains("no-such-python"));
    }
}
