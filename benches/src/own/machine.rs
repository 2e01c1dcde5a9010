//! Provides the machine to sample from: that of a file, or the random one that the peers sample from.

use harmonium::persist::vfs::RealVfs;
use harmonium::rbm::{Parts, Rbm};
use harmonium::{Error, Key};
use ndarray::{Array1, Array2};
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

use crate::args::Own;

/// Half the width of a uniform distribution of standard deviation 0.1, which is 0.1 · √3.
const HALF_WIDTH: f32 = 0.173_205_08;

/// Provides the machine; a random one has no biases.
///
/// # Errors
/// Says what is wrong with the file or with the sizes.
pub(crate) fn machine(args: &Own) -> Result<Rbm, Error> {
    if let Some(path) = &args.model {
        return Ok(Rbm::load(&RealVfs, path)?.0);
    }
    let range = Uniform::new(-HALF_WIDTH, HALF_WIDTH).map_err(|e| Error::option("weights", "a range", e))?;
    let mut stream = Key::from_seed(0).stream(0);
    Rbm::from_parts(Parts {
        weights: Array2::random_using((args.visible, args.hidden), range, &mut stream),
        visible_bias: Array1::zeros(args.visible),
        hidden_bias: Array1::zeros(args.hidden),
    })
}
