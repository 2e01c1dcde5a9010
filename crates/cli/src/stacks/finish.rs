//! Finishes the run of a stack: model, figures, result, report.

use std::path::Path;

use harmonium::linear::confusion;
use harmonium::{Batch, Error};
use serde::{Deserialize, Serialize};

use super::judge::{self, Figure, Seen, Sides};
use super::model::Model;
use super::page;
use super::recipe::{Goal, Recipe};
use super::train::Run;
use super::watch::Watch;
use crate::args::Output;
use crate::clock::Clock;
use crate::console;
use crate::folder::{Folder, read_text, write_text};

/// Rows that other methods are fitted on, at most, and rows that they are judged by.
const FITTED: usize = 5000;
const JUDGED: usize = 10_000;
/// The share of the rows that judges where a set has no test rows: one in so many.
const SHARE: usize = 6;

/// Holds what a finished run came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) run: String,
    pub(crate) model: Goal,
    pub(crate) steps: u64,
    pub(crate) digest: String,
    /// The digest of the network from a random start, if there is one.
    pub(crate) random_digest: Option<String>,
    /// The rows that the figures are of.
    pub(crate) evaluated_on: String,
    pub(crate) figures: Vec<Figure>,
    /// What other methods come to on the same rows.
    pub(crate) beside: Vec<Figure>,
    /// Classes against predictions, if there are any.
    pub(crate) confusion: Option<Vec<Vec<u64>>>,
    pub(crate) notices: Vec<String>,
    /// Seconds of training, and of all.
    pub(crate) seconds: [f64; 2],
}

/// Holds the rows that a model is judged by, and those that other methods are fitted on.
pub(crate) struct Judges {
    pub(crate) name: String,
    pub(crate) rows: Seen,
    pub(crate) labels: Option<Vec<Option<usize>>>,
    fit: Seen,
    fit_labels: Option<Vec<Option<usize>>>,
}

/// Is the last line of `train --json`.
#[derive(Serialize)]
struct LastLine<'a> {
    result: &'a Outcome,
}

/// Finishes a run whose training is done.
///
/// # Errors
/// Says which file could not be written.
pub(crate) fn run(
    run: &Run,
    models: &[Model],
    watch: &Watch,
    seconds: f64,
    output: Output,
) -> Result<(), Error> {
    let clock = Clock::start();
    let Some(model) = models.first() else { return Ok(()) };
    let steps = watch.lines.iter().filter(|line| ends(&watch.lines, line)).map(|line| line.step).sum();
    let origin = run.origin(steps)?;
    model.save(&run.folder.model(), &origin)?;
    if let Some(random) = models.get(1) {
        random.save(&run.folder.path().join("random.hmn"), &origin)?;
    }
    let judges = Judges::new(run, model)?;
    let bar = console::bar(output, 3, "evaluating");
    let mut notices: Vec<String> = watch.lines.iter().flat_map(|line| line.notices.clone()).collect();
    let figures = figures(run, models, &judges, &mut notices)?;
    bar.set_position(1);
    let beside = beside(run, model, &judges)?;
    bar.set_position(2);
    let outcome = Outcome {
        run: run.folder.path().display().to_string(),
        model: run.recipe.model,
        steps,
        digest: model.digest(),
        random_digest: models.get(1).map(Model::digest),
        evaluated_on: judges.name.clone(),
        figures,
        beside,
        confusion: matrix(model, &judges)?,
        notices,
        seconds: [seconds, seconds + clock.seconds()],
    };
    let text = serde_json::to_string_pretty(&outcome);
    let text = text.map_err(|e| Error::format("result", "", "values that JSON can hold", e))?;
    write_text(&run.folder.result(), &text)?;
    page::write(run, model, watch, &outcome, &judges)?;
    bar.finish_and_clear();
    tell(run, &outcome, output)
}

/// Writes the report of a finished run anew; tells whether it is the run of a stack.
///
/// # Errors
/// Says which file of the run can't be read.
pub(crate) fn again(path: &Path, output: Output) -> Result<bool, Error> {
    let folder = Folder::at(path);
    let Some(recipe) = Recipe::read(&folder)? else { return Ok(false) };
    let run = Run::load(folder, recipe)?;
    let model = Model::open(path)?;
    let (result, watch) = (run.folder.result(), Watch::new(run.folder.metrics(), output)?);
    let outcome: Outcome = serde_json::from_str(&read_text(&result)?)
        .map_err(|e| Error::format(result.display(), "", "the result of a run", e))?;
    page::write(&run, &model, &watch, &outcome, &Judges::new(&run, &model)?)?;
    console::line(format!("report {}", run.folder.report().display()))?;
    Ok(true)
}

/// Tells whether a line is the last of its phase.
fn ends(lines: &[super::watch::Line], line: &super::watch::Line) -> bool {
    lines.iter().rfind(|other| other.phase == line.phase) == Some(line)
}

impl Judges {
    /// Chooses the test rows, else the rows that judged the training, else the last of it.
    ///
    /// # Errors
    /// Refuses rows that the model can't take.
    pub(crate) fn new(run: &Run, model: &Model) -> Result<Self, Error> {
        let (how, bits) = (run.recipe.binarize, model.takes_bits());
        let (all, count) = (run.train.seen(how, bits)?, run.train.rows());
        let validation = run.recipe.tuning.as_ref().map_or(0, |tuning| tuning.validation);
        let held_out = if validation > 0 { validation } else { (count / SHARE).max(1) };
        let fit: Vec<usize> = (0..(count - held_out).clamp(1, FITTED)).collect();
        let fit_labels = classes_of(run.labels(), &fit);
        let fit = all.gather(&fit);
        if let Some(test) = &run.test {
            let some: Vec<usize> = (0..test.rows().min(JUDGED)).collect();
            let labels = classes_of(test.labels.as_ref().filter(|_| run.classes.is_some()), &some);
            let (name, rows) = (format!("{} test rows", some.len()), test.seen(how, bits)?.gather(&some));
            return Ok(Self { name, rows, labels, fit, fit_labels });
        }
        let some: Vec<usize> = (count - held_out.min(JUDGED)..count).collect();
        let what = if validation > 0 { "validation rows" } else { "training rows, the last ones" };
        let (name, labels) = (format!("{} {what}", some.len()), classes_of(run.labels(), &some));
        Ok(Self { name, rows: all.gather(&some), labels, fit, fit_labels })
    }

    /// Gives fitted and judged rows that have a class, with the classes.
    fn known(&self) -> Option<[(Seen, Vec<usize>); 2]> {
        let known = |rows: &Seen, labels: &Option<Vec<Option<usize>>>| {
            let labels = labels.as_ref()?;
            let named: Vec<usize> = (0..labels.len()).filter(|&row| labels[row].is_some()).collect();
            let classes = named.iter().filter_map(|&row| labels[row]).collect();
            (!named.is_empty()).then(|| (rows.gather(&named), classes))
        };
        Some([known(&self.fit, &self.fit_labels)?, known(&self.rows, &self.labels)?])
    }
}

/// Gives the classes of some rows.
fn classes_of(labels: Option<&Vec<Option<usize>>>, rows: &[usize]) -> Option<Vec<Option<usize>>> {
    labels.map(|labels| rows.iter().map(|&row| labels[row]).collect())
}

/// Measures the models.
fn figures(
    run: &Run,
    models: &[Model],
    judges: &Judges,
    notices: &mut Vec<String>,
) -> Result<Vec<Figure>, Error> {
    let (key, betas) = (run.recipe.key(), run.recipe.betas);
    let mut out = Vec::new();
    let bound = match &models[0] {
        Model::Dbn(dbn) if betas > 0 => Some(judge::bound_of_dbn(dbn, &judges.rows.bits, betas, key)),
        Model::Dbm(dbm) if betas > 0 => Some(judge::bound_of_dbm(dbm, &judges.rows.bits, betas, key)),
        _ => None,
    };
    match bound.map(judge::withheld).transpose()? {
        Some(Ok(figure)) => out.push(figure),
        Some(Err(why)) => notices.push(format!("The bound of the log-likelihood is withheld: {why}")),
        None => {}
    }
    if let Model::Autoencoder(model) = &models[0] {
        let how = "sum over columns, mean over rows";
        out.push(Figure::exact("squared error", model.squared_error(&judges.rows.grey)?, "", how));
    }
    for (model, name) in models.iter().zip(["error rate", "error rate from a random start"]) {
        if let Some(counts) = matrix(model, judges)? {
            let (all, right) =
                (counts.iter().flatten().sum::<u64>(), (0..counts.len()).map(|c| counts[c][c]).sum::<u64>());
            let wrong = 100.0 * (all - right) as f64 / all.max(1) as f64;
            out.push(Figure::exact(name, wrong, "%", format!("{} of {all} rows wrong", all - right)));
        }
    }
    Ok(out)
}

/// Counts classes against predictions, where the model predicts and rows have classes.
fn matrix(model: &Model, judges: &Judges) -> Result<Option<Vec<Vec<u64>>>, Error> {
    let predicts =
        matches!(model, Model::Classifier(..)) || matches!(model, Model::Dbn(dbn) if dbn.classes().is_some());
    let Some([_, (rows, labels)]) = judges.known().filter(|_| predicts) else { return Ok(None) };
    let found = judge::probabilities(model, &rows)?;
    // A file may have fewer classes in its rows than the model, never more.
    let classes = found.ncols();
    let counts = confusion(&labels, &judge::likeliest(&found), classes)?;
    Ok(Some(counts.outer_iter().map(|row| row.to_vec()).collect()))
}

/// Measures other methods on the same rows: PCA, whitening, logistic regression, nearest neighbours.
fn beside(run: &Run, model: &Model, judges: &Judges) -> Result<Vec<Figure>, Error> {
    let mut out = Vec::new();
    let width = model.widths().get(run.recipe.plan.layers.len().max(1)).copied().unwrap_or(1);
    if let Model::Autoencoder(auto) = model {
        let width = auto.code_units();
        let pca = judge::pca(&run.train.grey()?, width)?;
        let error = pca.squared_error(&judges.rows.grey)?;
        out.push(Figure::exact(
            &format!("squared error of PCA, {} components", pca.components().nrows()),
            error,
            "",
            "",
        ));
    }
    let (Some([fit, judged]), Some(classes)) = (judges.known(), run.classes) else { return Ok(out) };
    let enough =
        |sides: &Sides<'_>| sides.fit.1.len() >= 2 && sides.fit.1.iter().any(|&c| c != sides.fit.1[0]);
    let how = format!("fitted on {} training rows", fit.1.len());
    let mut add = |name: &str, a: ndarray::Array2<f32>, b: ndarray::Array2<f32>| -> Result<(), Error> {
        let sides = Sides { fit: (a.view(), &fit.1), judge: (b.view(), &judged.1) };
        if enough(&sides) {
            out.push(Figure::exact(
                &format!("error of logistic regression on {name}"),
                sides.logistic(classes)?,
                "%",
                &*how,
            ));
            out.push(Figure::exact(
                &format!("error of 5 nearest neighbours by {name}"),
                sides.neighbours()?,
                "%",
                &*how,
            ));
        }
        Ok(())
    };
    add("the rows themselves", fit.0.grey.to_array(), judged.0.grey.to_array())?;
    let pca = judge::pca(&fit.0.grey, width.min(30))?;
    let [a, b] = [&fit.0.grey, &judged.0.grey].map(|rows: &Batch| pca.transform(rows.to_array().view()));
    add(&format!("{} principal components", pca.components().nrows()), a?, b?)?;
    let whiten = judge::zca(&fit.0.grey)?;
    let [a, b] = [&fit.0.grey, &judged.0.grey].map(|rows: &Batch| whiten.transform(rows.to_array().view()));
    add("whitened rows (ZCA)", a?, b?)?;
    add("the model’s top features", judge::features(model, &fit.0)?, judge::features(model, &judged.0)?)?;
    Ok(out)
}

fn tell(run: &Run, outcome: &Outcome, output: Output) -> Result<(), Error> {
    if output.json {
        return console::json(&LastLine { result: outcome });
    }
    for figure in outcome.figures.iter().chain(&outcome.beside) {
        console::line(format!("{}: {figure}", outcome.evaluated_on))?;
    }
    outcome.notices.iter().for_each(|notice| console::note(output, notice));
    console::line(format!("digest {}", outcome.digest))?;
    console::line(format!("report {}", run.folder.report().display()))
}
