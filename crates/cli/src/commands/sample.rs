//! Draws samples from a model and writes them as bits or as a picture.

use std::path::Path;

use harmonium::persist::write_bytes_atomically;
use harmonium::units::States;
use harmonium::{BitMatrix, Error, Key};

use super::convert::write_npy;
use crate::args::Sample;
use crate::folder::{self, VFS};
use crate::picture::{Tone, encode, grid, tile_shape};
use crate::{console, interrupt};

/// Carries out `sample`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Sample) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    let ending = ending(&args.out)?;
    if !(1..=ending.most()).contains(&args.n) {
        return Err(Error::option("n", format!("1 to {}", ending.most()), args.n));
    }
    let (rbm, header) = folder::open_model(&args.model)?;
    let key = Key::from_seed(folder::seed(args.seed, &header));
    let bar = console::bar(args.output, args.sweeps, "sampling");
    let samples = rbm.sample(args.n, args.sweeps, key, &mut |done| {
        bar.set_position(done);
    });
    bar.finish_and_clear();
    write(&args.out, ending, &samples)?;
    console::note(
        args.output,
        format!("{} samples after {} sweeps each: {}", args.n, args.sweeps, args.out.display()),
    );
    Ok(())
}

#[derive(Clone, Copy)]
enum Ending {
    Npy,
    Png,
}

impl Ending {
    /// Gives the most samples that such a file takes; more tiles than that make no picture.
    fn most(self) -> usize {
        match self {
            Self::Npy => 10_000_000,
            Self::Png => 10_000,
        }
    }
}

fn ending(path: &Path) -> Result<Ending, Error> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("npy") => Ok(Ending::Npy),
        Some("png") => Ok(Ending::Png),
        _ => Err(Error::option("out", "a name that ends in .npy or .png", path.display())),
    }
}

fn write(path: &Path, ending: Ending, samples: &States) -> Result<(), Error> {
    match (ending, samples) {
        (Ending::Npy, States::Bits(bits)) => write_npy(path, &bytes(bits)),
        (Ending::Npy, States::Reals(values)) => write_npy(path, values),
        (Ending::Png, _) => write_bytes_atomically(&VFS, path, &encode(&picture(samples))),
    }
}

fn bytes(samples: &BitMatrix) -> ndarray::Array2<u8> {
    ndarray::Array2::from_shape_fn((samples.rows(), samples.units()), |(r, u)| u8::from(samples.get(r, u)))
}

fn picture(samples: &States) -> crate::picture::Picture {
    let tile = tile_shape(samples.features());
    let tiles: Vec<Vec<f32>> = samples.to_array().outer_iter().map(|row| row.to_vec()).collect();
    let columns = (samples.rows() as f64).sqrt().ceil() as usize;
    grid(&tiles, tile.width, tile.height, columns, Tone::Grey)
}
