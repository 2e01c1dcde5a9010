//! Runs one measurement in a process of its own and reads what it gave.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harmonium::Error;

use super::job::{Job, Program};
use super::measured::Trouble;
use super::script::Script;
use crate::args::{Peers, What};
use crate::own::synthetic;
use crate::record::Record;

/// These choose the kernels and blocks of OpenBLAS, ours that of the back end: nobody shall be forced.
const CLEARED: [&str; 3] = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", BACKEND];

const BACKEND: &str = "HARMONIUM_BACKEND";

/// Holds what all children are started with.
pub(crate) struct Children<'a> {
    pub(crate) args: &'a Peers,
    pub(crate) script: Option<&'a Script>,
    /// The folder of MNIST.
    pub(crate) images: &'a Path,
    /// A folder for files that pass between us.
    pub(crate) scratch: &'a Path,
}

impl Children<'_> {
    /// Does one job and gives its repetitions.
    ///
    /// # Errors
    /// Says that the program is not installed, or why it failed.
    pub(crate) fn run(&self, job: &Job) -> Result<Vec<Record>, Trouble> {
        let lines = self.scratch.join("repetitions.tsv");
        let _ = fs::remove_file(&lines);
        let mut command = self.command(job, &lines).map_err(Trouble::Failed)?;
        CLEARED.iter().for_each(|name| {
            command.env_remove(name);
        });
        if let Some(backend) = job.backend {
            command.env(BACKEND, backend.to_string());
        }
        let output = command.output().map_err(|e| Trouble::Failed(e.to_string()))?;
        match trouble(&output) {
            Some(reason) => Err(Trouble::of(reason)),
            None => read(&fs::read_to_string(&lines).unwrap_or_default()).map_err(Trouble::Failed),
        }
    }

    fn command(&self, job: &Job, lines: &Path) -> Result<Command, String> {
        let mut command = match job.program {
            Program::Own(what) => self.own(what, job)?,
            Program::Peer(name) => self.peer(name, job)?,
        };
        // A run of annealing takes long enough to be measured by itself.
        let reps = if job.program == Program::Own(What::Ais) { 1 } else { self.args.reps };
        let numbers = [("--threads", job.threads), ("--batch", job.batch), ("--n", job.n), ("--reps", reps)];
        numbers.iter().for_each(|(flag, number)| {
            command.args([flag, number.to_string().as_str()]);
        });
        command.arg("--tsv").arg(lines);
        Ok(command)
    }

    fn own(&self, what: What, job: &Job) -> Result<Command, String> {
        let program = std::env::current_exe().map_err(|e| format!("no path of this program: {e}"))?;
        let mut command = Command::new(program);
        command.args(["own", &what.to_string()]).arg("--data").arg(self.images);
        sizes(&mut command, ["--visible", "--hidden"], job);
        if let (What::Ais, Some(model)) = (what, &self.args.model) {
            command.arg("--model").arg(model);
        }
        Ok(command)
    }

    fn peer(&self, name: &str, job: &Job) -> Result<Command, String> {
        let script = self.script.ok_or("no script")?;
        let mut command = Command::new(&script.python);
        // JAX takes no number of threads, but it heeds the processors that it may use.
        if name.starts_with("jax") && exists("taskset") {
            command = Command::new("taskset");
            command.args(["-c", &format!("0-{}", job.threads - 1)]).arg(&script.python);
        }
        command.args(["-W", "ignore"]).arg(&script.path).arg(name);
        sizes(&mut command, ["--nv", "--nh"], job);
        command.arg("--data").arg(self.rows(job).map_err(|e| e.to_string())?);
        Ok(command)
    }

    /// Provides the rows that our own program takes, too: the images, or a file of synthetic bits, a byte each.
    fn rows(&self, job: &Job) -> Result<PathBuf, Error> {
        if job.visible == super::job::SHAPE.0 {
            return Ok(self.images.into());
        }
        let path = self.scratch.join(format!("{}x{}.bin", job.n, job.visible));
        if !path.exists() {
            let bits = synthetic(job.n, job.visible)?;
            let places = (0..job.n).flat_map(|row| (0..job.visible).map(move |unit| (row, unit)));
            let bytes: Vec<u8> = places.map(|(row, unit)| u8::from(bits.get(row, unit))).collect();
            fs::write(&path, bytes).map_err(|e| Error::io("write", &path, e))?;
        }
        Ok(path)
    }
}

fn sizes(command: &mut Command, [visible, hidden]: [&str; 2], job: &Job) {
    command.args([visible, job.visible.to_string().as_str(), hidden, job.hidden.to_string().as_str()]);
}

fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Tells why a child gave nothing: its own word (`# NAME FAILED: reason`), else the last line of its complaint.
fn trouble(output: &Output) -> Option<String> {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if let Some((_, reason)) =
        stdout.lines().find_map(|line| line.strip_prefix("# ")?.split_once(" FAILED: "))
    {
        return Some(reason.into());
    }
    let last = || stderr.lines().rfind(|line| !line.trim().is_empty()).map(str::trim).map(String::from);
    (!output.status.success()).then(|| last().unwrap_or_else(|| output.status.to_string()))
}

fn read(text: &str) -> Result<Vec<Record>, String> {
    let records: Vec<Record> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
    if records.is_empty() { Err("it wrote no figures".into()) } else { Ok(records) }
}

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;

    use super::*;

    fn output(stdout: &str) -> Output {
        Output { status: ExitStatus::default(), stdout: stdout.into(), stderr: b"a warning\n".to_vec() }
    }

    #[test]
    fn the_word_of_a_peer_that_failed_is_heard() {
        let failed = output("# jax-cd1 FAILED: ModuleNotFoundError: No module named 'jax'\n");
        assert_eq!(trouble(&failed).unwrap(), "ModuleNotFoundError: No module named 'jax'");
        assert_eq!(trouble(&output("sk32 th=2 batch=100 median 5000 samples/s\n")), None);
    }

    #[test]
    fn figures_are_read_and_their_absence_is_told() {
        let records = read("sk32\t2\t100\tsamples/s\t5000.5\nsk32\t2\t100\tsamples/s\t5100\n").unwrap();
        assert_eq!(records.iter().map(|r| r.value).collect::<Vec<_>>(), [5000.5, 5100.0]);
        assert!(read("").is_err() && read("nonsense\n").is_err());
    }
}
