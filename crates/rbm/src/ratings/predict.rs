//! Predicts ratings of a row, new or not, from those that it gave: nothing is trained, and nothing else is looked at.

use harmonium_core::Error;
use harmonium_core::data::{Rating, Ratings};
use harmonium_kernels::parallel;

use super::row::{Pair, Work, activate, softmax_of};
use super::{Inference, RatingsRbm};

impl RatingsRbm {
    /// Computes the means of the hidden units from a row's ratings: what folds a new user in.
    ///
    /// # Errors
    /// As [`RatingsRbm::check_row`].
    pub fn hidden_means(&self, row: &[Pair]) -> Result<Vec<f32>, Error> {
        self.check_row(row)?;
        Ok(super::contrastive::means(self, row, self.gain(row.len())))
    }

    /// Computes p(level of the item given the row's ratings), all hidden states summed up; a rating of the item itself in the row counts for nothing.
    ///
    /// # Errors
    /// As [`RatingsRbm::check_row`]; refuses an item that is not there.
    pub fn distribution(&self, row: &[Pair], item: u32) -> Result<Vec<f64>, Error> {
        Ok(self.distributions(row, &[item], &[], Inference::Exact)?.remove(0))
    }

    /// Computes the expected rating of an item.
    ///
    /// # Errors
    /// As [`RatingsRbm::distribution`].
    pub fn expected(&self, row: &[Pair], item: u32) -> Result<f32, Error> {
        Ok(self.mean(&self.distribution(row, item)?))
    }

    /// Computes expected ratings of several items, each for itself; `known` are items of which it is known that they are rated, but not how: the
    /// conditional term hears of them. Leave it empty where nobody knows.
    ///
    /// # Errors
    /// As [`RatingsRbm::distribution`].
    pub fn predict(
        &self,
        row: &[Pair],
        items: &[u32],
        known: &[u32],
        how: Inference,
    ) -> Result<Vec<f32>, Error> {
        let all = self.distributions(row, items, known, how)?;
        Ok(all.iter().map(|p| self.mean(p)).collect())
    }

    /// Computes the distributions of several items, `(items, levels)`, as [`RatingsRbm::predict`] does.
    ///
    /// # Errors
    /// As [`RatingsRbm::distribution`].
    pub fn distributions(
        &self,
        row: &[Pair],
        items: &[u32],
        known: &[u32],
        how: Inference,
    ) -> Result<Vec<Vec<f64>>, Error> {
        self.check_row(row)?;
        if let Some(item) = items.iter().chain(known).find(|item| **item as usize >= self.items()) {
            return Err(Error::value("item", "", format!("a number below {}", self.items()), item));
        }
        // With the item asked for there is one rating more.
        let g = self.gain(row.len() + 1);
        let mut input = self.hidden_input(row, g);
        known.iter().filter(|item| !rated(row, **item)).for_each(|&item| self.known(&mut input, item, g));
        let (pull, mut work) = (self.pull(row), self.work());
        let mut one = |&item: &u32| {
            if rated(row, item) {
                let rest: Vec<Pair> = row.iter().copied().filter(|pair| pair.0 != item).collect();
                return self.distributions(&rest, &[item], known, how).map(|mut all| all.remove(0));
            }
            let coupling = self.lateral(pull, row.len() + 1);
            let scores = match how {
                Inference::Exact => self.scores(item, &input, g, coupling, &mut work),
                Inference::MeanField => {
                    let mut hidden = Work::of(input.clone());
                    activate(self.options.kind, &mut hidden, input.len());
                    self.given_hidden(item, &hidden.means, g, coupling)
                }
            };
            Ok(softmax_of(&scores))
        };
        items.iter().map(&mut one).collect()
    }

    /// Predicts test ratings from the training ratings of their users, in the order of the test: its levels are never looked at.
    ///
    /// # Errors
    /// Refuses sets of other users or items; as [`RatingsRbm::check_row`].
    pub fn predict_all(&self, train: &Ratings, test: &Ratings, how: Inference) -> Result<Vec<f32>, Error> {
        if train.users() != test.users()
            || train.items().len() != self.items()
            || test.items().len() != self.items()
        {
            let expected = format!("parts of one set with {} items", self.items());
            return Err(Error::shape("ratings", expected, "others"));
        }
        let (given, asked) = (train.rows(), test.rows());
        let given = mutant!("B284", &given, &asked);
        let of_user = parallel::map(asked.rows(), |user| {
            let items: Vec<u32> = asked.row(user).iter().map(|pair| pair.0).collect();
            self.predict(given.row(user), &items, mutant!("B358", &[], &items[..]), how)
        });
        let of_user = of_user.into_iter().collect::<Result<Vec<_>, _>>()?;
        let find = |r: &Rating| {
            let place = asked.row(r.user as usize).partition_point(|pair| pair.0 < r.item);
            of_user[r.user as usize][place]
        };
        Ok(test.each().iter().map(find).collect())
    }

    /// Gives the mean of a distribution over levels, in ratings; it lies on the scale by itself.
    fn mean(&self, p: &[f64]) -> f32 {
        let mean: f64 = p.iter().enumerate().map(|(level, p)| p * f64::from(self.scale.value(level))).sum();
        (mean as f32).clamp(self.scale.least, self.scale.most())
    }
}

fn rated(row: &[Pair], item: u32) -> bool {
    row.binary_search_by_key(&item, |pair| pair.0).is_ok()
}
