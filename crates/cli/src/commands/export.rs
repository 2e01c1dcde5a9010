//! Writes the weights on their grid for other programs.

use std::collections::BTreeMap;

use harmonium::Error;
use harmonium::persist::{export_npz, export_safetensors};
use harmonium::rbm::Origin;

use crate::args::Export;
use crate::folder::{self, VFS};

/// Carries out `export`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Export) -> Result<(), Error> {
    let ending = args.out.extension().and_then(|e| e.to_str()).unwrap_or_default().to_owned();
    if !["safetensors", "npz"].contains(&ending.as_str()) {
        let expected = "a name that ends in .safetensors or .npz";
        return Err(Error::option("out", expected, args.out.display()));
    }
    let (rbm, header) = folder::open_model(&args.model)?;
    let origin = Origin { seed: header.seed, step: header.step, recipe: header.recipe };
    let (header, tensors) = rbm.to_tensors(&origin);
    if ending == "npz" {
        return export_npz(&VFS, &args.out, &tensors);
    }
    let metadata = BTreeMap::from([
        ("model".to_owned(), header.model),
        ("shift".to_owned(), header.shift.to_string()),
        ("step".to_owned(), header.step.to_string()),
        ("seed".to_owned(), header.seed.to_string()),
        ("recipe".to_owned(), header.recipe),
    ]);
    export_safetensors(&VFS, &args.out, &tensors, &metadata)
}
