//! Writes the report of a stack's run: curves, layers, samples, reconstructions, classes and codes.

use harmonium::dbn::net::Network;
use harmonium::dbn::stack::{Dbn, Sampling};
use harmonium::{Error, Key};
use ndarray::{Array2, Axis, concatenate, s};
use serde_json::Value;

use super::finish::{Judges, Outcome};
use super::judge::{self, Figure as Measure};
use super::model::Model;
use super::recipe::Goal;
use super::train::Run;
use super::watch::{Line, Watch};
use crate::folder::write_text;
use crate::picture::{Picture, Tone, fitting, grid, pairs, spread, tile_shape};
use crate::report::{Comparison, Confusion, Curve, Figure, Map, Plate, Report, Series, render};

/// Tiles in a row.
const COLUMNS: usize = 16;
/// Units of a layer that are shown.
const UNITS: usize = 96;
/// Rows that are shown with their reconstructions, and points of a map.
const PAIRS: usize = 20;
const POINTS: usize = 2000;
/// Samples that are shown, and sweeps of their chains.
const SAMPLES: usize = 100;
const SWEEPS: u64 = 1000;

/// Writes the report.
///
/// # Errors
/// Says what could not be computed or written.
pub(crate) fn write(
    run: &Run,
    model: &Model,
    watch: &Watch,
    outcome: &Outcome,
    judges: &Judges,
) -> Result<(), Error> {
    let recipe = run.recipe.to_json()?;
    let report = Report {
        title: title(run, model),
        summary: summary(outcome),
        notices: outcome.notices.clone(),
        curves: curves(&watch.lines),
        samples: samples(run, model)?,
        layers: layers(model)?,
        reconstructions: reconstructions(run, model, judges)?,
        map: Some(map(model, judges)?),
        confusion: outcome.confusion.clone().map(|counts| Confusion {
            counts,
            note: format!(
                "Lines are the true classes of the {}, columns those that were predicted.",
                outcome.evaluated_on
            ),
        }),
        comparison: comparison(outcome),
        recipe: flat(&recipe),
        command: run.recipe.command(),
        environment: crate::commands::report::environment()?,
        ..Report::default()
    };
    write_text(&run.folder.report(), &render(&report))
}

fn title(run: &Run, model: &Model) -> String {
    let widths: Vec<String> = model.widths().iter().map(usize::to_string).collect();
    let name = match run.recipe.model {
        Goal::Dbn => "Deep belief network",
        Goal::Dbm => "Deep Boltzmann machine",
        Goal::Autoencoder => "Autoencoder",
        Goal::Classifier => "Classifier",
    };
    format!("{name} {} on {}", widths.join("-"), run.recipe.name())
}

fn summary(outcome: &Outcome) -> Vec<Figure> {
    let one = |figure: &Measure| {
        if let Some(ends) = figure.interval {
            return Figure::estimate(&figure.name, figure.value, ends, &figure.unit, &figure.how);
        }
        let detail = format!("{}; {}", outcome.evaluated_on, figure.how);
        Figure::exact(&figure.name, &format!("{:.2} {}", figure.value, figure.unit), &detail)
    };
    let mut out: Vec<Figure> = outcome.figures.iter().map(one).collect();
    let [training, all] = outcome.seconds;
    out.push(Figure::exact("updates", &outcome.steps.to_string(), "of all phases"));
    out.push(Figure::exact("seconds", &format!("{training:.1}"), &format!("{all:.1} with the evaluation")));
    out.push(Figure::exact("digest", outcome.digest.get(..12).unwrap_or_default(), &outcome.digest));
    out
}

/// Makes a chart of each phase, and one of all validation errors.
fn curves(lines: &[Line]) -> Vec<Curve> {
    let mut out: Vec<Curve> = Vec::new();
    for lines in lines.chunk_by(|a, b| a.phase == b.phase) {
        let x: Vec<f64> = lines.iter().map(|line| f64::from(line.epoch)).collect();
        let curve = |name: String, unit: &str, values: Vec<f64>, note: &str| Curve {
            series: vec![Series::new(&name, values)],
            name,
            unit: unit.into(),
            x_label: "epoch".into(),
            x: x.clone(),
            note: note.into(),
        };
        let (phase, measure) = (&lines[0].name, &lines[0].measure);
        let note = if measure == "squared error" {
            "What one pass up and down makes of some rows that the machine sees, summed over its units; no likelihood."
        } else {
            "Mean over the rows of the epoch, as they were trained on."
        };
        let values = lines.iter().map(|line| line.value).collect();
        out.push(curve(
            format!("{phase}: {measure}"),
            if measure == "cross-entropy" { "nats a row" } else { "" },
            values,
            note,
        ));
        if lines.iter().any(|line| line.validation_error.is_some()) {
            let values = lines.iter().map(|line| 100.0 * line.validation_error.unwrap_or(f64::NAN)).collect();
            out.push(curve(
                format!("{phase}: validation rows wrong"),
                "%",
                values,
                "The best epoch is kept.",
            ));
        }
    }
    out
}

fn comparison(outcome: &Outcome) -> Option<Comparison> {
    let own = outcome.figures.iter().filter(|figure| figure.interval.is_none());
    let line = |figure: &Measure| {
        [figure.name.clone(), format!("{:.2} {}", figure.value, figure.unit), figure.how.clone()]
    };
    let lines: Vec<[String; 3]> = own.chain(&outcome.beside).map(line).collect();
    let note = format!("All figures are of the {}.", outcome.evaluated_on);
    (!outcome.beside.is_empty()).then_some(Comparison { lines, note })
}

fn pictured(values: &Array2<f32>, columns: usize) -> Picture {
    let tile = tile_shape(values.ncols());
    let rows: Vec<Vec<f32>> = values.outer_iter().map(|row| row.to_vec()).collect();
    grid(&rows, tile.width, tile.height, columns, Tone::Grey)
}

/// Draws samples: of a network with labels as many of each class, a line each.
fn samples(run: &Run, model: &Model) -> Result<Option<Plate>, Error> {
    let key = run.recipe.key();
    let (means, columns, what) = match model {
        Model::Dbn(dbn) if dbn.classes().is_some() => by_class(dbn, key)?,
        Model::Dbn(dbn) => {
            let options = Sampling { chains: SAMPLES, sweeps: SWEEPS, class: None };
            (dbn.sample(&options, key, &mut |_| ())?.means, COLUMNS, String::new())
        }
        Model::Dbm(dbm) => {
            let state = dbm.sample(SAMPLES, SWEEPS, key, &mut |_| ());
            (dbm.visible_means(&state), COLUMNS, String::new())
        }
        _ => return Ok(None),
    };
    let half = SWEEPS / 2;
    let note = format!(
        "{what} Fresh chains, each after {half} sweeps of warming up and {half} of the model; shown are the means that the \
         rows are drawn with."
    );
    Ok(Some(Plate::new(pictured(&means, columns), note.trim().to_owned())))
}

/// Draws as many samples of each of the first ten classes.
fn by_class(dbn: &Dbn, key: Key) -> Result<(Array2<f32>, usize, String), Error> {
    let (shown, chains) = (dbn.classes().unwrap_or(0).min(10), SAMPLES / 10);
    let of = |class: usize| {
        let options = Sampling { chains, sweeps: SWEEPS, class: Some(class) };
        Ok(dbn.sample(&options, key.fold_in(class as u64), &mut |_| ())?.means)
    };
    let all = (0..shown).map(of).collect::<Result<Vec<_>, Error>>()?;
    let views: Vec<_> = all.iter().map(|part| part.view()).collect();
    let means = concatenate(Axis(0), &views).map_err(|e| Error::shape("samples", "rows of one width", e))?;
    Ok((means, chains, format!("A line a class, from 0 to {}.", shown - 1)))
}

/// Draws some rows above what the model gives back of them.
fn reconstructions(run: &Run, model: &Model, judges: &Judges) -> Result<Option<Plate>, Error> {
    let count = judges.rows.grey.rows().min(PAIRS);
    let shown = judges.rows.gather(&(0..count).collect::<Vec<_>>());
    let (above, back) = match model {
        Model::Dbn(dbn) => (&shown.bits, dbn.reconstruct(&shown.bits, dbn.depth(), run.recipe.key())?),
        Model::Dbm(dbm) => (&shown.bits, dbm.reconstruct(&shown.bits)?),
        Model::Autoencoder(model) => (&shown.grey, model.reconstruct(&shown.grey)?),
        Model::Rbm(_) | Model::Classifier(..) => return Ok(None),
    };
    let lists = |values: &Array2<f32>| values.outer_iter().map(|row| row.to_vec()).collect::<Vec<_>>();
    let picture = pairs(&lists(&above.to_array()), &lists(&back), tile_shape(back.ncols()), 10);
    let way = match model {
        Model::Dbn(_) => " States are drawn up to the top and down again.",
        Model::Dbm(_) => " From the means of the first hidden layer, which know of the layers above.",
        _ => "",
    };
    Ok(Some(Plate::new(picture, format!("The first {count} of the {}.{way}", judges.name))))
}

/// Draws what the units of each hidden layer look for: their weights, combined downwards with those of the layers below.
fn layers(model: &Model) -> Result<Vec<(String, Plate)>, Error> {
    let mut combined: Option<Array2<f32>> = None;
    let mut out = Vec::new();
    for (n, weights) in matrices(model)?.into_iter().enumerate() {
        let fields = combined.map_or_else(|| weights.clone(), |below: Array2<f32>| below.dot(&weights));
        let (units, tile) = (fields.ncols(), tile_shape(fields.nrows()));
        let shown = fitting(units, tile).min(UNITS);
        let tiles: Vec<Vec<f32>> =
            spread(units, shown).into_iter().map(|j| fields.column(j).to_vec()).collect();
        let how = if n == 0 { "Weights to the rows." } else { "Weights times those of the layers below." };
        let picture = grid(&tiles, tile.width, tile.height, COLUMNS, Tone::DivergingEach);
        out.push((
            format!("Layer {}", n + 1),
            Plate::new(picture, format!("{shown} of {units} units. {how}")),
        ));
        combined = Some(fields);
    }
    Ok(out)
}

/// Gives the weights of all hidden layers, `(below, layer)`, without those of labels.
fn matrices(model: &Model) -> Result<Vec<Array2<f32>>, Error> {
    let first = |network: &Network, layers: usize| {
        network.layers()[..layers].iter().map(|layer| layer.weights().to_owned()).collect::<Vec<_>>()
    };
    Ok(match model {
        Model::Rbm(rbm) => vec![rbm.weights()],
        Model::Dbn(dbn) => dbn.recognisers()?.iter().map(harmonium::rbm::Rbm::weights).collect(),
        Model::Dbm(dbm) => (1..=dbm.depth()).map(|l| dbm.weights(l)).collect::<Result<_, _>>()?,
        Model::Autoencoder(model) => first(model.network(), model.code_layer()),
        Model::Classifier(network, dbm) => {
            let mut all = first(network, network.layers().len() - 1);
            if let (Some(dbm), Some(lowest)) = (dbm, all.first_mut()) {
                *lowest = lowest.slice(s![..dbm.visible_units(), ..]).to_owned();
            }
            all
        }
    })
}

/// Maps rows by the two principal components of what the model makes of them; codes of two numbers as they are.
fn map(model: &Model, judges: &Judges) -> Result<Map, Error> {
    let named = spread(judges.rows.grey.rows(), POINTS);
    let features = judge::features(model, &judges.rows.gather(&named))?;
    let (points, how) = if features.ncols() == 2 {
        (features, "The axes are the two numbers of the code.".to_owned())
    } else {
        let rows = harmonium::Batch::reals(features)?;
        let pca = judge::pca(&rows, 2)?;
        let share: f64 = 100.0 * pca.explained_share().sum();
        let how = format!(
            "The axes are the two principal components of the top features, which hold {share:.0} % of their variance."
        );
        (pca.transform(rows.to_array().view())?, how)
    };
    let class = |row: usize| judges.labels.as_ref().and_then(|labels| labels[named[row]]);
    let at = |row: usize| [points[(row, 0)], if points.ncols() > 1 { points[(row, 1)] } else { 0.0 }];
    let coloured =
        if judges.labels.is_some() { " Colours are classes, which the map does not know." } else { "" };
    let note = format!("{} of the {}. {how}{coloured}", points.nrows(), judges.name);
    Ok(Map { points: (0..points.nrows()).map(|row| (at(row), class(row))).collect(), note })
}

/// Lists the leaves of the recipe with their paths, machines by their numbers; what is not set is left out.
fn flat(recipe: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Ok(value) = serde_json::from_str(recipe) {
        crate::commands::report::leaves("", &numbered(value), &mut out);
    }
    out.retain(|(name, value)| value != "null" && value != "[]" && name != "given");
    out
}

/// Turns lists of objects into objects by number.
fn numbered(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, numbered(value))).collect(),
        Value::Array(all) if all.iter().any(Value::is_object) => {
            let each = all.into_iter().enumerate();
            each.map(|(n, value)| ((n + 1).to_string(), numbered(value))).collect()
        }
        other => other,
    }
}
