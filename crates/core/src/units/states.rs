//! Holds what the units of a layer are, or are on average, as the features that couple to the other layer.

use harmonium_kernels::BitMatrix;
use ndarray::Array2;

use crate::Error;

/// Holds the states of a layer, `(n, features)`: rows are samples.
#[derive(Clone, Debug, PartialEq)]
pub enum States {
    /// Units of two states, or one bit for each class of a categorical unit.
    Bits(BitMatrix),
    /// Units that take other values: real numbers and counts.
    Reals(Array2<f32>),
}

impl States {
    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.rows(),
            Self::Reals(values) => values.nrows(),
        }
    }

    /// Gives the number of features of a row.
    pub fn features(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.units(),
            Self::Reals(values) => values.ncols(),
        }
    }

    /// Copies the named rows, in the order given.
    ///
    /// # Panics
    /// If a row is not there.
    #[must_use]
    pub fn gather(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        match self {
            Self::Bits(bits) => Self::Bits(bits.gather(rows)),
            Self::Reals(values) => {
                let rows: Vec<usize> = rows.into_iter().collect();
                Self::Reals(values.select(ndarray::Axis(0), &rows))
            }
        }
    }

    /// Makes states of values, row-major.
    ///
    /// # Panics
    /// If they are no whole rows.
    pub fn reals(values: Vec<f32>, features: usize) -> Self {
        let rows = values.len() / features;
        Self::Reals(Array2::from_shape_vec((rows, features), values).expect("whole rows"))
    }

    /// Takes features from `other` where the mask is set.
    ///
    /// # Panics
    /// If the shapes or kinds differ.
    #[must_use]
    pub fn filled(&self, mask: &BitMatrix, other: &Self) -> Self {
        match (self, other) {
            (Self::Bits(own), Self::Bits(other)) => {
                let words = own.words().iter().zip(other.words()).zip(mask.words());
                let words = words.map(|((own, other), mask)| own & !mask | other & mask).collect();
                Self::Bits(BitMatrix::from_words(own.rows(), own.units(), words).expect("words of one shape"))
            }
            (Self::Reals(own), Self::Reals(other)) => {
                let pick = |(r, f)| if mask.get(r, f) { other[(r, f)] } else { own[(r, f)] };
                Self::Reals(Array2::from_shape_fn(own.dim(), pick))
            }
            _ => panic!("states of one kind"),
        }
    }

    /// Puts rows under rows.
    ///
    /// # Panics
    /// If there are no parts, or they are of different kinds or widths.
    #[must_use]
    pub fn stacked(parts: &[Self]) -> Self {
        let rows = parts.iter().map(Self::rows).sum();
        match &parts[0] {
            Self::Bits(first) => {
                let words = parts.iter().flat_map(|part| part.expect_bits().words().to_vec()).collect();
                Self::Bits(
                    BitMatrix::from_words(rows, first.units(), words).expect("whole rows of one width"),
                )
            }
            Self::Reals(first) => {
                let values =
                    parts.iter().flat_map(|part| part.expect_reals().iter().copied().collect::<Vec<_>>());
                Self::reals(values.collect(), first.ncols())
            }
        }
    }

    /// Gives the bits.
    ///
    /// # Panics
    /// If there are none: states are of their layer's kind, and what enters a model was checked.
    pub fn expect_bits(&self) -> &BitMatrix {
        self.bits().expect("states of a binary layer are bits")
    }

    /// Gives the values.
    ///
    /// # Panics
    /// If there are none: states are of their layer's kind, and what enters a model was checked.
    pub fn expect_reals(&self) -> &Array2<f32> {
        match self {
            Self::Reals(values) => values,
            Self::Bits(_) => panic!("states of a real layer are values"),
        }
    }

    /// Gives the bits, where there are any.
    pub fn bits(&self) -> Option<&BitMatrix> {
        match self {
            Self::Bits(bits) => Some(bits),
            Self::Reals(_) => None,
        }
    }

    /// Gives the features as numbers, bits as 0 and 1: `(n, features)`.
    pub fn to_array(&self) -> Array2<f32> {
        match self {
            Self::Bits(bits) => unpack(bits),
            Self::Reals(values) => values.clone(),
        }
    }

    /// Refuses states of another width.
    ///
    /// # Errors
    /// Says which width was expected and which was got.
    pub fn check_features(&self, field: &str, expected: usize) -> Result<(), Error> {
        if self.features() == expected {
            return Ok(());
        }
        Err(Error::shape(field, format!("{expected} units"), format!("{} units", self.features())))
    }
}

impl From<BitMatrix> for States {
    fn from(bits: BitMatrix) -> Self {
        Self::Bits(bits)
    }
}

/// Holds the means of a layer, `(n, features)`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Means {
    /// Probabilities in units of 2^-16 that a bit is one.
    Codes(Vec<u16>),
    /// Means of values.
    Reals(Vec<f32>),
}

/// Unpacks bits to 0 and 1: `(n, units)`.
pub fn unpack(bits: &BitMatrix) -> Array2<f32> {
    Array2::from_shape_fn((bits.rows(), bits.units()), |(r, u)| f32::from(u8::from(bits.get(r, u))))
}
