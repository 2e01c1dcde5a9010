//! Encodes rows into a few numbers and decodes them: a network with a code layer in its middle.

use harmonium_core::{Batch, Error, Rows, rows};
use harmonium_kernels::BitMatrix;
use harmonium_rbm::Rbm;
use ndarray::Array2;

use super::Network;

/// Is a deep autoencoder: a network whose outputs are to be its inputs, and one layer of which is the code.
///
/// It is tuned as any network, [`Autoencoder::network_mut`], with [`super::Targets::Inputs`].
#[derive(Clone, Debug, PartialEq)]
pub struct Autoencoder {
    network: Network,
    code: usize,
}

impl Autoencoder {
    /// Takes a network whose first `code` layers encode and whose others decode.
    ///
    /// # Errors
    /// Refuses a code that is not below the last layer, and a network with another number of outputs than of inputs.
    pub fn new(network: Network, code: usize) -> Result<Self, Error> {
        let most = network.layers().len() - 1;
        if !(1..=most).contains(&code) {
            return Err(Error::option("code layer", format!("1 to {most}, below the last"), code));
        }
        if network.outputs() != network.inputs() {
            let expected = format!("{}, as inputs", network.inputs());
            return Err(Error::shape("outputs", expected, network.outputs()));
        }
        Ok(Self { network, code })
    }

    /// Unrolls the machines of a stack, from the data up.
    ///
    /// # Errors
    /// As [`Network::unrolled`].
    pub fn unrolled(machines: &[&Rbm]) -> Result<Self, Error> {
        Self::new(Network::unrolled(machines)?, machines.len())
    }

    /// Gives the network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Lends the network for tuning.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Gives the number of layers that encode.
    pub fn code_layer(&self) -> usize {
        self.code
    }

    /// Gives the units of the code.
    pub fn code_units(&self) -> usize {
        self.network.layers()[self.code - 1].units()
    }

    /// Computes the codes of rows: `(n, inputs) → (n, code)`.
    ///
    /// # Errors
    /// Refuses rows of another width and missing values.
    pub fn encode(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        self.network.up_to(data, self.code)
    }

    /// Computes rows from codes: `(n, code) → (n, inputs)`.
    ///
    /// # Errors
    /// Refuses codes of another width and such that are not finite.
    pub fn decode(&self, codes: Array2<f32>) -> Result<Array2<f32>, Error> {
        let codes = Batch::reals(codes)?;
        codes.check_units("codes", self.code_units())?;
        Ok(self.network.through(codes.to_array(), self.code..self.network.layers().len()))
    }

    /// Encodes and decodes rows: `(n, inputs) → (n, inputs)`.
    ///
    /// # Errors
    /// As [`Autoencoder::encode`].
    pub fn reconstruct(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        self.network.transform(data)
    }

    /// Computes the mean over rows of the squared error of their reconstruction, summed over the columns.
    ///
    /// # Errors
    /// As [`Autoencoder::encode`]; says which rows could not be read.
    pub fn squared_error(&self, data: &dyn Rows) -> Result<f64, Error> {
        let mut sum = 0.0;
        for block in rows::blocks(data) {
            let block = block?;
            let off = self.reconstruct(&block)? - block.to_array();
            // Row by row, in their order.
            let one = |row: ndarray::ArrayView1<'_, f32>| {
                row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>()
            };
            sum += off.rows().into_iter().map(one).sum::<f64>();
        }
        Ok(sum / data.rows() as f64)
    }

    /// Computes binary codes: a bit is set where the unit is above `threshold`, ½ for sigmoid units: `(n, inputs) → (n, code)`
    /// (Salakhutdinov & Hinton 2009, §3.3).
    ///
    /// # Errors
    /// As [`Autoencoder::encode`]; refuses a threshold that is not finite.
    pub fn codes(&self, data: &Batch, threshold: f32) -> Result<BitMatrix, Error> {
        if !threshold.is_finite() {
            return Err(Error::option("threshold", "a finite number", threshold));
        }
        let codes = self.encode(data)?;
        Ok(BitMatrix::from_fn(codes.nrows(), codes.ncols(), |row, unit| codes[(row, unit)] > threshold))
    }
}
