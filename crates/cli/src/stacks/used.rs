//! Carries out for stacks what single machines have commands for: sampling, evaluation, features, reconstructions, facts.

use std::path::Path;

use harmonium::dbn::stack::Sampling;
use harmonium::persist::write_bytes_atomically;
use harmonium::sample::check_chains;
use harmonium::units::States;
use harmonium::{Error, Key};
use ndarray::Array2;
use serde_json::{Value, json};

use super::codes::{labelled, rows};
use super::judge::{self, Figure};
use super::model::{Model, Opened};
use crate::args::{Convert, Evaluate, Output, Sample};
use crate::commands::convert::write_npy;
use crate::console;
use crate::csv::Writer;
use crate::folder::VFS;
use crate::picture::{Tone, encode, grid, tile_shape};

/// The most samples in a picture.
const TILES: usize = 10_000;

/// Draws samples of a stack.
///
/// # Errors
/// Refuses models that don't sample, options that are for single machines, and files of another kind.
pub(crate) fn sample(args: &Sample, opened: &Opened) -> Result<(), Error> {
    let ending = args.out.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !matches!(ending, "npy" | "csv" | "png") {
        return Err(Error::option("out", "a name that ends in .npy, .csv or .png", args.out.display()));
    }
    if args.n == 0 || ending == "png" && args.n > TILES {
        return Err(Error::option("n", format!("1 or more, up to {TILES} in a picture"), args.n));
    }
    check_chains(args.n)?;
    let key = Key::from_seed(args.seed.unwrap_or(opened.origin.seed));
    let bar = console::bar(args.output, args.sweeps, "sampling");
    let mut watch = |sweep| bar.set_position(sweep);
    let (states, means) = match &opened.model {
        Model::Dbn(dbn) => {
            let options = Sampling { chains: args.n, sweeps: args.sweeps, class: args.class };
            let drawn = dbn.sample(&options, key, &mut watch)?;
            (drawn.states, drawn.means)
        }
        Model::Dbm(dbm) if args.class.is_none() => {
            let state = dbm.sample(args.n, args.sweeps, key, &mut watch);
            (state.visible().clone(), dbm.visible_means(&state))
        }
        Model::Dbm(_) => return Err(Error::option("class", "none, as there is no label", "one")),
        other => return Err(Error::shape("model", "one that has a law: an rbm, dbn or dbm", other.kind())),
    };
    bar.finish_and_clear();
    write_samples(&args.out, ending, &states, &means)?;
    console::note(
        args.output,
        format!("{} samples after {} sweeps each: {}", args.n, args.sweeps, args.out.display()),
    );
    Ok(())
}

fn write_samples(path: &Path, ending: &str, states: &States, means: &Array2<f32>) -> Result<(), Error> {
    let values = states.to_array();
    match (ending, states) {
        ("npy", States::Bits(_)) => write_npy(path, &values.mapv(|x| u8::from(x > 0.5))),
        ("npy", _) => write_npy(path, &values),
        ("csv", _) => {
            let mut out = Writer::default();
            for row in values.outer_iter() {
                row.iter().for_each(|x| out.cell(&x.to_string()));
                out.end();
            }
            write_bytes_atomically(&VFS, path, out.text().as_bytes())
        }
        _ => {
            let tile = tile_shape(means.ncols());
            let tiles: Vec<Vec<f32>> = means.outer_iter().map(|row| row.to_vec()).collect();
            let columns = (tiles.len() as f64).sqrt().ceil() as usize;
            let picture = grid(&tiles, tile.width, tile.height, columns, Tone::Grey);
            write_bytes_atomically(&VFS, path, &encode(&picture))
        }
    }
}

/// Measures a stack on rows: a bound of the likelihood, a squared error, or the share of wrong classes.
///
/// # Errors
/// Refuses rows that do not fit, and bounds that are too uncertain.
pub(crate) fn evaluate(args: &Evaluate, opened: &Opened) -> Result<(), Error> {
    let key = Key::from_seed(args.seed.unwrap_or(opened.origin.seed));
    let (seen, labels) = labelled(opened, &args.data, &args.reading, None)?;
    let figure = match &opened.model {
        Model::Dbn(dbn) => judge::bound_of_dbn(dbn, &seen.bits, args.betas, key)?,
        Model::Dbm(dbm) => judge::bound_of_dbm(dbm, &seen.bits, args.betas, key)?,
        Model::Autoencoder(model) => {
            let how = "sum over columns, mean over rows";
            Figure::exact("squared error", model.squared_error(&seen.grey)?, "", how)
        }
        model => {
            let Some(labels) = labels else {
                let expected = "predict, with --labels FILE, for a classifier";
                return Err(Error::option("evaluate", expected, "rows without classes"));
            };
            let found = judge::likeliest(&judge::probabilities(model, &seen)?);
            let wrong = labels
                .iter()
                .zip(&found)
                .filter(|(label, got)| label.is_some_and(|label| label != **got))
                .count();
            let known = labels.iter().flatten().count().max(1);
            Figure::exact(
                "error rate",
                100.0 * wrong as f64 / known as f64,
                "%",
                format!("{wrong} of {known} rows wrong"),
            )
        }
    };
    if args.output.json { console::json(&figure) } else { console::line(figure) }
}

/// Computes features of rows at the top of a stack.
///
/// # Errors
/// Refuses rows that do not fit.
pub(crate) fn transform(args: &Convert, opened: &Opened) -> Result<(), Error> {
    let seen = rows(opened, &args.data, &args.reading)?;
    write(&args.out, &judge::features(&opened.model, &seen)?, args.output)
}

/// Reconstructs rows: from the top of a dbn, by mean field in a dbm, through the code of an autoencoder.
///
/// # Errors
/// Refuses classifiers, and rows that do not fit.
pub(crate) fn reconstruct(args: &Convert, opened: &Opened) -> Result<(), Error> {
    let (seen, key) =
        (rows(opened, &args.data, &args.reading)?, Key::from_seed(args.seed.unwrap_or(opened.origin.seed)));
    let back = match &opened.model {
        Model::Dbn(dbn) => dbn.reconstruct(&seen.bits, dbn.depth(), key)?,
        Model::Dbm(dbm) => dbm.reconstruct(&seen.bits)?,
        Model::Autoencoder(model) => model.reconstruct(&seen.grey)?,
        other => return Err(Error::shape("model", "one that gives rows back, no classifier", other.kind())),
    };
    write(&args.out, &back, args.output)
}

fn write(path: &Path, values: &Array2<f32>, output: Output) -> Result<(), Error> {
    write_npy(path, values)?;
    let (n, units) = values.dim();
    console::note(output, format!("{n} x {units} values: {}", path.display()));
    Ok(())
}

/// Lists what the file of a stack holds.
pub(crate) fn facts(opened: &Opened) -> Value {
    let recipe: Value = serde_json::from_str(&opened.origin.recipe).unwrap_or(Value::Null);
    let classes = match &opened.model {
        Model::Dbn(dbn) => dbn.classes(),
        Model::Classifier(network, _) => Some(network.outputs()),
        _ => None,
    };
    json!({
        "kind": opened.model.kind(),
        "layers": opened.model.widths(),
        "classes": classes,
        "step": opened.origin.step,
        "seed": opened.origin.seed,
        "recipe": recipe,
        "digest": opened.model.digest(),
    })
}
