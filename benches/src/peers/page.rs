//! Writes the page: the machine, a table for each comparison, who is missing, and what must be reached.

use super::demands::Demand;
use super::machine::Machine;
use super::measured::Measured;
use super::plan::{Plan, Table};
use super::script::Script;
use super::table::table;
use crate::args::Peers;

/// Writes the whole page in Markdown.
pub(crate) fn page(
    args: &Peers,
    machine: &Machine,
    script: Result<&Script, &String>,
    plan: &Plan,
    measured: &[Measured],
    demands: &[Demand],
) -> String {
    let mut parts = vec![head(args, machine, script)];
    parts.extend(plan.tables.iter().map(|table| comparison(table, measured)));
    parts.extend(missing(measured));
    parts.push(must(demands));
    parts.join("\n\n")
}

fn head(args: &Peers, machine: &Machine, script: Result<&Script, &String>) -> String {
    let backends: Vec<String> = machine.backends.iter().map(ToString::to_string).collect();
    let peers = script.map_or_else(|why| format!("none ({why})"), |script| script.versions.clone());
    format!(
        "## Speed\n\n\
         - Machine: {}, {} cores, back ends {}; {} where none is named{}\n\
         - Harmonium {}; peers: {peers}\n\
         - MNIST, pixels above 127; rows an epoch: {}; rounds: {}, one process each; repetitions a round: {}, \
         after one that does not count\n\
         - Medians over all repetitions (slowest..fastest); ratios are those of medians",
        machine.processor,
        machine.cores,
        backends.join(", "),
        machine.fastest(),
        machine.load.map_or(String::new(), |load| format!("; load before the start {load:.2}")),
        env!("CARGO_PKG_VERSION"),
        args.n,
        args.rounds,
        args.reps,
    )
}

fn comparison(shown: &Table, measured: &[Measured]) -> String {
    let rows: Vec<Vec<String>> =
        shown.rows.iter().filter_map(|&(row, over)| cells(&measured[row], &measured[over])).collect();
    let ratio = format!("over {}", shown.base);
    let head = ["name", "threads", "batch", "size", "median", "range", "unit", &ratio];
    format!("### {}\n\n{}", shown.title, table(&head, &rows))
}

/// Writes a row, if there are figures for it.
fn cells(one: &Measured, base: &Measured) -> Option<Vec<String>> {
    let (job, spread) = (&one.job, one.spread()?);
    let number = |value: f64| if value < 1000.0 { format!("{value:.1}") } else { format!("{value:.0}") };
    Some(vec![
        job.name(),
        job.threads.to_string(),
        if job.trains() { job.batch.to_string() } else { "–".into() },
        format!("{} × {}", job.visible, job.hidden),
        number(spread.median),
        format!("{}..{}", number(spread.low), number(spread.high)),
        one.unit.clone(),
        one.over(base).map_or("–".into(), |ratio| format!("{ratio:.2}")),
    ])
}

/// Lists those that gave no figures, or not in all rounds; each reason once.
fn missing(measured: &[Measured]) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    for one in measured {
        let Some(trouble) = &one.trouble else { continue };
        let line = format!("- {}: {}", one.job.name(), trouble.sentence());
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    (!lines.is_empty()).then(|| format!("### Without figures\n\n{}", lines.join("\n")))
}

fn must(demands: &[Demand]) -> String {
    let rows: Vec<Vec<String>> = demands.iter().map(Demand::cells).collect();
    let head = ["figure", "value", "must", "stretch", "verdict"];
    format!("### What must be reached (2 threads, 784 × 500, batch 100)\n\n{}", table(&head, &rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::What;
    use crate::peers::job::Job;
    use crate::peers::measured::Trouble;
    use crate::peers::measured::test::{args, measured};

    #[test]
    fn a_comparison_shows_medians_ranges_and_ratios() {
        let args = args(&[]);
        let ours = measured(Job::own(What::Cd1, &args), &[21_000.0, 20_000.0, 30_000.0]);
        let base = measured(Job::peer("sk32", &args), &[4200.0]);
        let gone = Measured::new(Job::peer("rbms", &args));
        let shown = Table { title: "Training", base: "sk32", rows: vec![(0, 1), (1, 1), (2, 1)] };
        let text = comparison(&shown, &[ours, base, gone]);
        let rows: Vec<&str> = text.lines().skip(4).collect();
        assert_eq!(rows.len(), 2, "{text}");
        let cells: Vec<&str> = rows[0].split('|').map(str::trim).collect();
        let expected =
            ["", "harmonium-cd1", "2", "100", "784 × 500", "21000", "20000..30000", "samples/s", "5.00", ""];
        assert_eq!(cells, expected);
        assert!(text.contains("over sk32"), "{text}");
    }

    #[test]
    fn who_is_missing_is_named_once() {
        let args = args(&[]);
        let trouble = Some(Trouble::Missing("ImportError: no rbms".into()));
        let gone = Measured { trouble, ..Measured::new(Job::peer("rbms", &args)) };
        let text = missing(&[gone.clone(), gone]).unwrap();
        assert_eq!(text.matches("- rbms: not installed: ImportError").count(), 1);
        assert_eq!(missing(&[measured(Job::peer("rbms", &args), &[1.0])]), None);
    }
}
