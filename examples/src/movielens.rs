//! Finds MovieLens-100K, which may not be passed on and is no part of the repository.

use std::path::{Path, PathBuf};

use harmonium::data::mnist_folder;

const FILE: &str = "movielens/ml-100k.inter";

/// Gives its file in `movielens` beside the folder of MNIST: `$HARMONIUM_DATA/movielens` or `data/movielens`.
///
/// # Errors
/// Says where it was looked for, to be told in place of what would have been measured.
pub fn movielens() -> Result<PathBuf, String> {
    let mnist = mnist_folder().map_err(|error| error.to_string())?;
    at_hand(mnist.parent().unwrap_or(&mnist))
}

fn at_hand(data: &Path) -> Result<PathBuf, String> {
    let file = data.join(FILE);
    if file.is_file() {
        return Ok(file);
    }
    Err(format!("skipped: MovieLens-100K is not at hand as {FILE} in {}", data.display()))
}

#[cfg(test)]
mod tests {
    use harmonium::data::{Ratings, ReadRatings, Scale};
    use harmonium::evaluate::rating_errors;
    use harmonium::rbm::ratings::{Biases, Predictor};

    use super::{at_hand, movielens};

    #[test]
    fn a_set_that_is_not_at_hand_is_skipped_with_a_message() {
        let said = at_hand("nowhere".as_ref()).unwrap_err();
        assert_eq!(said, "skipped: MovieLens-100K is not at hand as movielens/ml-100k.inter in nowhere");
    }

    /// Figures of a script of its own: 0.9438 and 0.7482 for biases, as means of five folds, and the facts of the file.
    #[test]
    #[allow(clippy::print_stderr)] // Whoever runs the test must know that it measured nothing.
    fn baselines_of_films_are_the_known_ones() {
        let file = match movielens() {
            Ok(file) => file,
            Err(skipped) => return eprintln!("{skipped}"),
        };
        let all = Ratings::open(&file, Scale::default(), &ReadRatings::default()).unwrap();
        assert_eq!((all.each().len(), all.users().len(), all.items().len()), (100_000, 943, 1682));
        let mut found = [0.0; 2];
        for fold in 0..5 {
            let (train, test) = all.split(fold);
            let biases = Biases::fit(&train, [15.0, 10.0]).unwrap();
            let predicted: Vec<f32> = test.each().iter().map(|r| biases.predicted(r.user, r.item)).collect();
            let given: Vec<f32> = test.each().iter().map(|r| test.value(r)).collect();
            let errors = rating_errors(&predicted, &given).unwrap();
            found = [found[0] + errors.rmse / 5.0, found[1] + errors.mae / 5.0];
        }
        assert!((found[0] - 0.9438).abs() < 1e-4 && (found[1] - 0.7482).abs() < 1e-4, "{found:?}");
    }
}
