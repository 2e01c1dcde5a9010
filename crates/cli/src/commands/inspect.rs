//! Tells what a file or a run holds.

use harmonium::rbm::{Header, Rbm};
use harmonium::{Error, HasParams};
use serde_json::{Value, json};

use crate::args::Inspect;
use crate::{console, folder};

/// Carries out `inspect`.
///
/// # Errors
/// Says what is wrong with the file.
pub(crate) fn run(args: &Inspect) -> Result<(), Error> {
    let facts = if let Some(opened) = crate::stacks::model::stack(&args.file)? {
        crate::stacks::used::facts(&opened)
    } else {
        let (rbm, header) = folder::open_model(&args.file)?;
        facts(&rbm, &header)
    };
    if args.json {
        return console::json(&facts);
    }
    for (name, value) in facts.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        console::line(format!("{name:<12} {text}"))?;
    }
    Ok(())
}

fn facts(rbm: &Rbm, header: &Header) -> Value {
    let recipe: Value = serde_json::from_str(&header.recipe).unwrap_or(Value::Null);
    json!({
        "kind": header.model,
        "units": { "visible": header.visible.to_string(), "hidden": header.hidden.to_string() },
        "visible": rbm.visible_units(),
        "hidden": rbm.hidden_units(),
        "shift": rbm.shift(),
        "step": header.step,
        "seed": header.seed,
        "recipe": recipe,
        "digest": rbm.digest(),
    })
}
