//! Lists the measurements to make and the tables that they fill.

use harmonium::Backend;

use super::job::Job;
use super::machine::Machine;
use crate::args::{Group, Peers, What};

const TRAINING: [&str; 10] = [
    "sk32",
    "np-cd1",
    "np-pcd1",
    "torch-cd1",
    "torch-pcd1",
    "torch-cd1-bf16",
    "jax-cd1",
    "rbms",
    "rbms-cd",
    "learnergy",
];
const SMALL: [&str; 4] = ["sk64b10", "sk32b10", "torch-cd1", "torch-pcd1"];
const SAMPLING: [&str; 6] =
    ["gibbs-torch", "gibbs-torch-bf16", "gibbs-np", "gibbs-sk", "gibbs-rbms", "jax-gibbs"];

/// Rows of an epoch of the portable code, which is slow and alike from row to row.
const SCALAR_ROWS: usize = 2000;

/// Holds every measurement once, and the tables that point to them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) jobs: Vec<Job>,
    pub(crate) tables: Vec<Table>,
}

/// Lists some measurements, each beside another that it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) title: &'static str,
    /// What the ratio is taken over.
    pub(crate) base: &'static str,
    /// Index of a job, and of the one that it is compared with.
    pub(crate) rows: Vec<(usize, usize)>,
}

impl Plan {
    /// Plans what the options ask for, with or without peers.
    pub(crate) fn new(args: &Peers, machine: &Machine, peers: bool) -> Self {
        let mut plan = Self { jobs: Vec::new(), tables: Vec::new() };
        let wanted = |group| args.group == Group::All || args.group == group;
        if wanted(Group::Train) {
            plan.training(args, machine, peers);
        }
        if wanted(Group::Small) {
            plan.small_batches(args, peers);
        }
        if wanted(Group::Gibbs) {
            plan.sampling(args, peers);
        }
        if wanted(Group::Scaling) && args.threads > 1 {
            plan.scaling(args);
        }
        if wanted(Group::Shapes) {
            plan.shapes(args, peers);
        }
        if wanted(Group::Limits) {
            plan.limits(args);
        }
        plan
    }

    fn training(&mut self, args: &Peers, machine: &Machine, peers: bool) {
        let forced = machine.others().map(Some);
        let mut jobs: Vec<Job> = std::iter::once(None)
            .chain(forced)
            .flat_map(|backend| [What::Cd1, What::Pcd1].map(|what| on_backend(what, backend, args)))
            .collect();
        jobs.extend(some(&TRAINING, peers, args));
        self.table("Training, batch 100", "sk32", &jobs, &Job::peer("sk32", args));
    }

    fn small_batches(&mut self, args: &Peers, peers: bool) {
        let mut jobs = [What::Cd1, What::Pcd1].map(|what| Job::own(what, args)).to_vec();
        jobs.extend(some(&SMALL, peers, args));
        let jobs: Vec<Job> = jobs.into_iter().map(|job| Job { batch: 10, ..job }).collect();
        let base = Job { batch: 10, ..Job::peer("sk64b10", args) };
        self.table("Training, batch 10", "sk64b10", &jobs, &base);
    }

    fn sampling(&mut self, args: &Peers, peers: bool) {
        let mut jobs = vec![Job::own(What::Gibbs, args)];
        jobs.extend(some(&SAMPLING, peers, args));
        let title = "Block Gibbs sampling, 1000 chains, 20 sweeps";
        self.table(title, "gibbs-torch", &jobs, &Job::peer("gibbs-torch", args));
    }

    fn scaling(&mut self, args: &Peers) {
        let mut rows = Vec::new();
        for what in [What::Cd1, What::Pcd1, What::Gibbs] {
            let all = self.index(&Job::own(what, args));
            let one = self.index(&Job { threads: 1, ..Job::own(what, args) });
            rows.extend([(one, one), (all, one)]);
        }
        self.tables.push(Table { title: "Threads", base: "1 thread", rows });
    }

    fn shapes(&mut self, args: &Peers, peers: bool) {
        let mut rows = Vec::new();
        for (visible, hidden) in [(64, 100), (784, 4000)] {
            for batch in [10, 100, 1000] {
                let n = epoch_of(args.n, hidden, batch);
                let shaped = |job| Job { batch, n, visible, hidden, ..job };
                let own = self.index(&shaped(Job::own(What::Cd1, args)));
                if peers {
                    let torch = self.index(&shaped(Job::peer("torch-cd1", args)));
                    rows.extend([(own, torch), (torch, torch)]);
                } else {
                    rows.push((own, own));
                }
            }
        }
        let base = if peers { "torch-cd1" } else { "itself" };
        self.tables.push(Table { title: "Other shapes", base, rows });
    }

    fn limits(&mut self, args: &Peers) {
        let job = Job::own(What::Ais, args);
        let title = "Annealed importance sampling, 100 runs, 14,501 temperatures";
        self.table(title, "itself", std::slice::from_ref(&job), &job);
    }

    /// Adds a table whose rows are all compared with one of them; without that one, with the first.
    fn table(&mut self, title: &'static str, base: &'static str, jobs: &[Job], against: &Job) {
        let there = jobs.contains(against);
        let indices: Vec<usize> = jobs.iter().map(|job| self.index(job)).collect();
        let (base, over) = if there { (base, self.index(against)) } else { ("the first row", indices[0]) };
        self.tables.push(Table { title, base, rows: indices.into_iter().map(|row| (row, over)).collect() });
    }

    /// Gives the index of a job; one that several tables show is measured once.
    fn index(&mut self, job: &Job) -> usize {
        self.jobs.iter().position(|known| known == job).unwrap_or_else(|| {
            self.jobs.push(job.clone());
            self.jobs.len() - 1
        })
    }
}

fn some(names: &'static [&'static str], peers: bool, args: &Peers) -> impl Iterator<Item = Job> {
    names.iter().take_while(move |_| peers).map(|name| Job::peer(name, args))
}

fn on_backend(what: What, backend: Option<Backend>, args: &Peers) -> Job {
    let n = if backend == Some(Backend::Scalar) { args.n.min(SCALAR_ROWS) } else { args.n };
    Job { backend, n, ..Job::own(what, args) }
}

/// Takes a fifth of the rows for a large machine, and at least four batches.
fn epoch_of(n: usize, hidden: usize, batch: usize) -> usize {
    let rows = if hidden > 1000 { n / 5 } else { n };
    (rows / batch).max(4) * batch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::measured::test::args;

    fn plan(line: &[&str], peers: bool) -> Plan {
        Plan::new(&args(line), &Machine::parse(""), peers)
    }

    #[test]
    fn no_measurement_is_made_twice() {
        let plan = plan(&[], true);
        for (at, job) in plan.jobs.iter().enumerate() {
            assert!(!plan.jobs[..at].contains(job), "{job}");
        }
        assert_eq!(plan.tables.len(), 6);
        assert!(
            plan.tables.iter().flat_map(|t| &t.rows).all(|(row, over)| (*row).max(*over) < plan.jobs.len())
        );
    }

    #[test]
    fn a_single_thread_has_no_scaling() {
        assert!(plan(&["--group", "scaling", "--threads", "1"], true).jobs.is_empty());
        assert_eq!(plan(&["--group", "scaling"], true).jobs.len(), 6);
    }

    #[test]
    fn without_peers_only_our_own_work_is_planned() {
        let alone = plan(&[], false);
        assert!(alone.jobs.iter().all(|job| matches!(job.program, crate::peers::job::Program::Own(_))));
        assert_eq!(alone.tables[0].base, "the first row");
        assert_eq!(plan(&["--group", "gibbs"], true).tables[0].base, "gibbs-torch");
    }

    #[test]
    fn epochs_of_other_shapes_are_whole_batches() {
        assert_eq!(epoch_of(10_000, 4000, 10), 2000);
        assert_eq!(epoch_of(10_000, 4000, 1000), 4000);
        assert_eq!(epoch_of(10_000, 100, 100), 10_000);
    }
}
