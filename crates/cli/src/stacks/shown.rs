//! Shows a network bits to learn from, drawn anew in each epoch, and the grey values themselves to be judged by.

use harmonium::data::Drawn;
use harmonium::{Batch, Error, Rows};

/// Is grey rows of which the last ones judge.
pub(crate) struct Shown {
    pub(crate) drawn: Drawn,
    pub(crate) grey: Batch,
    /// How many judge.
    pub(crate) judging: usize,
}

impl Rows for Shown {
    fn rows(&self) -> usize {
        self.drawn.rows()
    }

    fn units(&self) -> usize {
        self.drawn.units()
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        let first = self.rows() - self.judging;
        if !rows.is_empty() && rows.iter().all(|&row| (first..self.rows()).contains(&(row as usize))) {
            return Ok(self.grey.gather(rows.iter().map(|&row| row as usize)));
        }
        self.drawn.read(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use harmonium::Key;
    use harmonium::data::Table;
    use ndarray::Array2;

    #[test]
    fn rows_that_judge_are_grey_and_others_bits() {
        let table = Table::from_reals("grey", 10, 8, vec![0.5; 80]).unwrap();
        let grey = Batch::reals(Array2::from_elem((10, 8), 0.5)).unwrap();
        let shown = Shown { drawn: Drawn::new(table, Key::from_seed(1)).unwrap(), grey, judging: 3 };
        assert!(shown.read(&[7, 9]).unwrap().to_array().iter().all(|&x| x == 0.5));
        for rows in [[0, 6], [6, 7]] {
            assert!(shown.read(&rows).unwrap().to_array().iter().all(|&x| x == 0.0 || x == 1.0));
        }
        assert!(shown.read(&[10]).is_err() && shown.read(&[]).is_err());
    }
}
