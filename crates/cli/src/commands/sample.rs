//! Draws samples from a model and writes them as its data were, or as a picture.

use std::borrow::Cow;
use std::path::Path;

use harmonium::data::{Fields, Schema};
use harmonium::persist::write_bytes_atomically;
use harmonium::rbm::{Header, Rbm};
use harmonium::units::States;
use harmonium::{Batch, BitMatrix, Error, Key};
use ndarray::{Array2, ArrayView1};

use super::convert::write_npy;
use super::plates::shown_samples;
use crate::args::Sample;
use crate::csv::Writer;
use crate::folder::{self, VFS};
use crate::picture::{Picture, Tone, encode, grid, tile_shape};
use crate::recipe::Recipe;
use crate::sampler::draw;
use crate::stacks::model::stack;
use crate::stacks::used;
use crate::{console, interrupt};

/// Carries out `sample`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Sample) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    if let Some(opened) = stack(&args.model)? {
        return used::sample(args, &opened);
    }
    if let Some(class) = args.class {
        return Err(Error::option("class", "none, as the model has no label", class));
    }
    let ending = check(&args.out, args.n)?;
    let (rbm, header) = folder::open_model(&args.model)?;
    let file = File { rbm: &rbm, schema: folder::schema(&rbm, &header), grey: grey(&header) };
    if ending == Ending::Csv {
        file.fields()?;
    }
    let key = Key::from_seed(folder::seed(args.seed, &header));
    let bar = console::bar(args.output, args.sweeps, "sampling");
    let (samples, outcome) = draw(&rbm, (args.n, args.sweeps), &args.sampler, key, &mut |done| {
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let drawn = samples.rows();
    file.write(&args.out, ending, samples, key)?;
    if let Some(outcome) = outcome {
        if args.output.json { console::json(&outcome)? } else { console::line(outcome)? }
    }
    console::note(
        args.output,
        format!("{drawn} samples after {} sweeps each: {}", args.sweeps, args.out.display()),
    );
    Ok(())
}

/// Refuses a name that says nothing, and more samples than such a file takes.
pub(super) fn check(path: &Path, n: usize) -> Result<Ending, Error> {
    let ending = ending(path)?;
    if !(1..=ending.most()).contains(&n) {
        return Err(Error::option("n", format!("1 to {}", ending.most()), n));
    }
    Ok(ending)
}

/// Writes samples of a model as its data were.
pub(super) fn write(path: &Path, rbm: &Rbm, header: &Header, samples: States, key: Key) -> Result<(), Error> {
    let file = File { rbm, schema: folder::schema(rbm, header), grey: grey(header) };
    file.write(path, ending(path)?, samples, key)
}

/// Is the kind of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Npy,
    Csv,
    Png,
}

impl Ending {
    /// Gives the most samples that such a file takes; more tiles than that make no picture.
    fn most(self) -> usize {
        match self {
            Self::Npy | Self::Csv => 10_000_000,
            Self::Png => 10_000,
        }
    }
}

fn ending(path: &Path) -> Result<Ending, Error> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("npy") => Ok(Ending::Npy),
        Some("csv") => Ok(Ending::Csv),
        Some("png") => Ok(Ending::Png),
        _ => Err(Error::option("out", "a name that ends in .npy, .csv or .png", path.display())),
    }
}

/// Gives the range of grey values that the model was trained on, if it was on such.
fn grey(header: &Header) -> Option<[f32; 2]> {
    Recipe::from_json(&header.recipe).ok().and_then(|recipe| recipe.grey)
}

/// Writes samples of a model as its data were.
struct File<'a> {
    rbm: &'a Rbm,
    /// What the columns are, where they are no plain bits.
    schema: Option<Schema>,
    grey: Option<[f32; 2]>,
}

impl File<'_> {
    fn fields(&self) -> Result<Fields, Error> {
        let schema = self
            .schema
            .as_ref()
            .map_or_else(|| Cow::Owned(Schema::of(&self.rbm.visible().units())), Cow::Borrowed);
        Fields::new(&schema)
    }

    fn write(&self, path: &Path, ending: Ending, samples: States, key: Key) -> Result<(), Error> {
        match (ending, &samples) {
            (Ending::Npy, States::Bits(bits)) if self.schema.is_none() => write_npy(path, &bytes(bits)),
            (Ending::Npy, _) => write_npy(path, &self.columns(&samples)?),
            (Ending::Csv, _) => write_bytes_atomically(&VFS, path, self.text(&samples)?.as_bytes()),
            (Ending::Png, _) => write_bytes_atomically(&VFS, path, &encode(&self.picture(samples, key)?)),
        }
    }

    /// Gives one value a column, classes by their numbers: `(n, columns)`.
    fn columns(&self, samples: &States) -> Result<Array2<f32>, Error> {
        let fields = self.fields()?;
        let values = fields.decoded(&self.rbm.visible().features_of(samples));
        // Classes that are called by numbers are written as these.
        let value = |(row, place): (usize, usize)| {
            let field = &fields.each[place];
            let named = field.classes.iter().all(|class| class.parse::<f32>().is_ok());
            let x: f32 = values[(row, place)];
            field.classes.get(x as usize).filter(|_| named).and_then(|class| class.parse().ok()).unwrap_or(x)
        };
        Ok(Array2::from_shape_fn(values.dim(), value))
    }

    fn text(&self, samples: &States) -> Result<String, Error> {
        let fields = self.fields()?;
        let values = fields.decoded(&self.rbm.visible().features_of(samples));
        let mut out = Writer::default();
        // Columns without names have no header.
        if fields.each.iter().any(|field| field.name != (field.column + 1).to_string()) {
            fields.each.iter().for_each(|field| out.cell(&field.name));
            out.end();
        }
        for row in values.outer_iter() {
            fields.each.iter().zip(row).for_each(|(field, &x)| out.cell(&field.show(x)));
            out.end();
        }
        Ok(out.text())
    }

    fn picture(&self, samples: States, key: Key) -> Result<Picture, Error> {
        let (rows, tile) = (samples.rows(), tile_shape(samples.features()));
        let values = match samples {
            States::Bits(_) => samples.to_array(),
            reals @ States::Reals(_) => shown_samples(self.rbm, &Batch::from_states(reals)?, key)?.0,
        };
        let range = || {
            values
                .iter()
                .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &x| [low.min(x), high.max(x)])
        };
        let bits = self.rbm.visible().units().is_binary();
        let [low, high] = if bits { [0.0, 1.0] } else { self.grey.unwrap_or_else(range) };
        let width = if high > low { high - low } else { 1.0 };
        let grey = |row: ArrayView1<'_, f32>| row.iter().map(|x| (x - low) / width).collect();
        let tiles: Vec<Vec<f32>> = values.outer_iter().map(grey).collect();
        let columns = (rows as f64).sqrt().ceil() as usize;
        Ok(grid(&tiles, tile.width, tile.height, columns, Tone::Grey))
    }
}

fn bytes(samples: &BitMatrix) -> Array2<u8> {
    Array2::from_shape_fn((samples.rows(), samples.units()), |(r, u)| u8::from(samples.get(r, u)))
}
