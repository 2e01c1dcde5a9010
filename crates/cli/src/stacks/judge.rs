//! Measures models on rows, and other methods beside them.

use harmonium::dbn::deep::Dbm;
use harmonium::dbn::net::Network;
use harmonium::dbn::stack::{Bounding, Dbn};
use harmonium::evaluate::{Ais, Annealing, Betas};
use harmonium::linear::{Logistic, Pca, Regression, Whiten, Whitening, knn_accuracy};
use harmonium::{Batch, Error, ErrorKind, Key};
use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::model::Model;

/// Runs of an annealing.
const RUNS: usize = 100;
/// Rows that a bound is a mean of, at most.
const BOUNDED: usize = 1000;
/// Draws of the hidden layers for each of them.
const DRAWS: usize = 20;
/// Neighbours whose votes judge codes.
const NEIGHBOURS: usize = 5;

/// Holds one figure of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// Between what it lies, where it is an estimate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) interval: Option<[f64; 2]>,
    pub(crate) unit: String,
    /// How it was found.
    pub(crate) how: String,
}

impl Figure {
    pub(crate) fn exact(name: &str, value: f64, unit: &str, how: impl Into<String>) -> Self {
        Self { name: name.into(), value, interval: None, unit: unit.into(), how: how.into() }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:.3} {}", self.name, self.value, self.unit)?;
        self.interval.map_or(Ok(()), |[low, high]| write!(f, ", interval [{low:.3}, {high:.3}]"))?;
        if self.how.is_empty() { Ok(()) } else { write!(f, " ({})", self.how) }
    }
}

/// Gives the options of the annealing of a bound.
fn annealing<'a>(betas: usize) -> Annealing<'a> {
    Annealing { ais: Ais { runs: RUNS, betas: Betas::Count(betas) }, ..Annealing::default() }
}

/// Bounds the log-likelihood of rows under a stack from below.
///
/// # Errors
/// Refuses rows that do not fit, and what is too uncertain.
pub(crate) fn bound_of_dbn(dbn: &Dbn, rows: &Batch, betas: usize, key: Key) -> Result<Figure, Error> {
    let some = rows.gather(0..rows.rows().min(BOUNDED));
    let options = Bounding { draws: DRAWS, annealing: annealing(betas), ..Bounding::default() };
    let found = dbn.bound(&some, &options, key)?;
    let how = format!("lower bound on {} rows, 3σ of the draws and of ln Z", some.rows());
    let interval = Some([found.interval.low, found.interval.high]);
    Ok(Figure {
        name: "log-likelihood at least".into(),
        value: found.bound,
        interval,
        unit: "nats a row".into(),
        how,
    })
}

/// Bounds the log-likelihood of rows under a deep Boltzmann machine from below.
///
/// # Errors
/// As [`bound_of_dbn`].
pub(crate) fn bound_of_dbm(dbm: &Dbm, rows: &Batch, betas: usize, key: Key) -> Result<Figure, Error> {
    let some = rows.gather(0..rows.rows().min(BOUNDED));
    let found = dbm.likelihood_bound(&some, &annealing(betas), key)?;
    let ends = found.log_likelihood_bracket();
    let how = format!("variational bound on {} rows, ln Z by runs in both directions, 3σ", some.rows());
    Ok(Figure {
        name: "log-likelihood at least".into(),
        value: found.log_likelihood,
        interval: Some([ends.low, ends.high]),
        unit: "nats a row".into(),
        how,
    })
}

/// Tells estimates that were withheld from other errors.
pub(crate) fn withheld(found: Result<Figure, Error>) -> Result<Result<Figure, String>, Error> {
    match found {
        Err(error) if matches!(error.kind(), ErrorKind::Uncertain(_)) => Ok(Err(error.to_string())),
        other => other.map(Ok),
    }
}

/// Gives what a model makes of rows at its top: codes of an autoencoder, features of the last hidden layer of others.
///
/// # Errors
/// Refuses rows that do not fit.
pub(crate) fn features(model: &Model, rows: &Seen) -> Result<Array2<f32>, Error> {
    match model {
        Model::Rbm(rbm) => rbm.transform(&rows.bits),
        Model::Dbn(dbn) => dbn.transform(&rows.bits, dbn.depth()),
        Model::Dbm(dbm) => dbm.transform(&rows.bits, dbm.depth()),
        Model::Autoencoder(model) => model.encode(&rows.grey),
        Model::Classifier(network, dbm) => {
            network.up_to(&input(network, dbm.as_ref(), rows)?, network.layers().len() - 1)
        }
    }
}

/// Holds rows as grey values and as bits.
pub(crate) struct Seen {
    pub(crate) grey: Batch,
    /// The grey values again for models that take no bits.
    pub(crate) bits: Batch,
}

impl Seen {
    /// Copies some rows.
    pub(crate) fn gather(&self, rows: &[usize]) -> Self {
        Self { grey: self.grey.gather(rows.iter().copied()), bits: self.bits.gather(rows.iter().copied()) }
    }
}

fn input(network: &Network, dbm: Option<&Dbm>, rows: &Seen) -> Result<Batch, Error> {
    match dbm {
        Some(_) if network.inputs() != rows.grey.units() => super::tune::inputs(rows, dbm),
        _ => Ok(rows.grey.clone()),
    }
}

/// Computes the probabilities of classes.
///
/// # Errors
/// Refuses models without classes, and rows that do not fit.
pub(crate) fn probabilities(model: &Model, rows: &Seen) -> Result<Array2<f32>, Error> {
    match model {
        Model::Dbn(dbn) if dbn.classes().is_some() => Ok(dbn.predict_proba(&rows.bits)?.mapv(|p| p as f32)),
        Model::Classifier(network, dbm) => network.predict_proba(&input(network, dbm.as_ref(), rows)?),
        other => {
            let expected = "a classifier (made by finetune) or a dbn with labels";
            Err(Error::shape("model", expected, format!("{} without classes", other.kind())))
        }
    }
}

/// Gives the first of the likeliest classes of each row.
pub(crate) fn likeliest(probabilities: &Array2<f32>) -> Vec<usize> {
    let best = |row: ndarray::ArrayView1<'_, f32>| {
        (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
    };
    probabilities.rows().into_iter().map(best).collect()
}

/// Holds rows to fit on and rows to judge by, with their classes.
pub(crate) struct Sides<'a> {
    pub(crate) fit: (ArrayView2<'a, f32>, &'a [usize]),
    pub(crate) judge: (ArrayView2<'a, f32>, &'a [usize]),
}

impl Sides<'_> {
    /// Fits a logistic regression, and gives the share of rows that it gets wrong, in percent.
    ///
    /// # Errors
    /// Refuses classes that the fitted rows do not have.
    pub(crate) fn logistic(&self, classes: usize) -> Result<f64, Error> {
        let options = Regression::default();
        let fitted = Logistic::fit(self.fit.0, self.fit.1, classes, &options)?;
        Ok(100.0 * (1.0 - fitted.accuracy(self.judge.0, self.judge.1)?))
    }

    /// Gives the share of rows that the votes of their nearest neighbours get wrong, in percent.
    ///
    /// # Errors
    /// As [`knn_accuracy`].
    pub(crate) fn neighbours(&self) -> Result<f64, Error> {
        let k = NEIGHBOURS.min(self.fit.1.len());
        Ok(100.0 * (1.0 - knn_accuracy(self.fit, self.judge, k)?))
    }
}

/// Fits a PCA of as many components as rows and columns allow, at most so many.
///
/// # Errors
/// As [`Pca::fit`].
pub(crate) fn pca(rows: &Batch, components: usize) -> Result<Pca, Error> {
    Pca::fit(rows, components.min(rows.units()).min(rows.rows()))
}

/// Of the mean variance of a column, the part that whitening adds to each direction: those that hardly vary stay small.
const FLOOR: f64 = 0.1;

/// Fits the map that makes rows white and turns them as little as can be.
///
/// # Errors
/// As [`Whitening::fit`].
pub(crate) fn zca(rows: &Batch) -> Result<Whitening, Error> {
    let variances = rows.to_array().mapv(f64::from).var_axis(Axis(0), 0.0);
    let epsilon = (FLOOR * variances.mean().unwrap_or(0.0)).max(Whiten::default().epsilon);
    Whitening::fit(rows, &Whiten { epsilon, ..Whiten::default() })
}
