//! Fills in missing values of a table.

use std::path::Path;

use harmonium::data::{Cells, Field, Fields, Frame, Kind, ReadOptions};
use harmonium::persist::write_bytes_atomically;
use harmonium::rbm::{Imputed, Imputing};
use harmonium::{BitMatrix, EnergyModel, Error, Key};

use super::clamped::two_layers;
use crate::args::Impute;
use crate::csv::Writer;
use crate::folder::{self, VFS};
use crate::{console, interrupt};

/// Carries out `impute`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Impute) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    check_out(&args.out)?;
    folder::check_place(&args.out)?;
    let options = Imputing { warming: args.warming, sweeps: args.sweeps };
    options.check()?;
    let frame = Frame::open(&args.data, &ReadOptions::default())?;
    let Frame::Text(cells) = &frame else {
        let expected = "a table *.csv or *.data, in which values may be missing";
        return Err(Error::option("data", expected, args.data.display()));
    };
    let why = "inpaint fills gaps by a dbm too";
    let (rbm, header) = two_layers(&args.model, why)?;
    let schema = folder::schema(&rbm, &header);
    let schema = schema.unwrap_or_else(|| harmonium::data::Schema::of(&rbm.visible().units()));
    let fields = Fields::new(&schema)?;
    let rows = fields.batch(&frame, &schema)?;
    rbm.check_data(&rows)?;
    let key = Key::from_seed(folder::seed(args.seed, &header));
    let imputed = rbm.impute(&rows, options, key)?;
    let places = fields.places(&frame)?;
    let filled =
        Filled { cells, fields: &fields, places: &places, missing: rows.missing(), imputed: &imputed };
    write_bytes_atomically(&VFS, &args.out, filled.table().as_bytes())?;
    let gaps = filled.gaps();
    console::note(args.output, format!("{gaps} missing values filled in: {}", args.out.display()));
    Ok(())
}

fn check_out(path: &Path) -> Result<(), Error> {
    if path.extension().is_some_and(|e| e == "csv") {
        return Ok(());
    }
    Err(Error::option("out", "a name that ends in .csv", path.display()))
}

/// Holds a table with its gaps, and what fills them.
struct Filled<'a> {
    cells: &'a Cells,
    fields: &'a Fields,
    /// The column of each field.
    places: &'a [usize],
    missing: Option<&'a BitMatrix>,
    imputed: &'a Imputed,
}

impl Filled<'_> {
    fn is_gone(&self, row: usize, field: &Field) -> bool {
        self.missing.is_some_and(|missing| missing.get(row, field.first))
    }

    fn gaps(&self) -> usize {
        let of = |field| (0..self.cells.rows()).filter(|&row| self.is_gone(row, field)).count();
        self.fields.each.iter().map(of).sum()
    }

    /// Writes the table: known cells as they stood, and behind all columns one more for each that had gaps.
    fn table(&self) -> String {
        let any = |field: &&Field| (0..self.cells.rows()).any(|row| self.is_gone(row, field));
        let with_gaps: Vec<&Field> = self.fields.each.iter().filter(any).collect();
        let mut out = Writer::default();
        if let Some(names) = self.cells.names() {
            self.header(names, &with_gaps, &mut out);
        }
        let means = self.fields.decoded(&self.imputed.mean);
        for row in 0..self.cells.rows() {
            for column in 0..self.cells.columns() {
                let at = self.places.iter().position(|&place| place == column);
                match at.filter(|&at| self.is_gone(row, &self.fields.each[at])) {
                    Some(at) => out.cell(&self.value(at, means[(row, at)])),
                    None => out.cell(self.cells.text(row, column)),
                }
            }
            with_gaps.iter().for_each(|field| out.cell(&self.certainty(row, field).to_string()));
            out.end();
        }
        out.text()
    }

    /// Writes the names of the columns; a table that came without them stays without.
    fn header(&self, names: &[String], with_gaps: &[&Field], out: &mut Writer) {
        names.iter().for_each(|name| out.cell(name));
        for field in with_gaps {
            let column = self.places[self.fields.each.iter().position(|other| other == *field).unwrap_or(0)];
            out.cell(&format!("{} {}", names[column], measure(field)));
        }
        out.end();
    }

    /// Gives what fills a gap: a mean, or of bits and classes the likelier one.
    fn value(&self, at: usize, mean: f32) -> String {
        let field = &self.fields.each[at];
        match field.kind {
            Kind::Bernoulli => field.show(f32::from(u8::from(mean >= 0.5))),
            Kind::Spin => field.show(if mean >= 0.0 { 1.0 } else { -1.0 }),
            _ => field.show(mean),
        }
    }

    /// Gives the deviation of a value, or the probability of a bit or a class; of known ones 0 and 1.
    fn certainty(&self, row: usize, field: &Field) -> f32 {
        let gone = self.is_gone(row, field);
        let mean = self.imputed.mean[(row, field.first)];
        match field.kind {
            Kind::Bernoulli | Kind::Spin | Kind::Categorical(_) if !gone => 1.0,
            Kind::Bernoulli => mean.max(1.0 - mean),
            Kind::Spin => f32::midpoint(mean.abs(), 1.0),
            Kind::Categorical(_) => (0..field.kind.width())
                .map(|class| self.imputed.mean[(row, field.first + class)])
                .fold(0.0, f32::max),
            _ => self.imputed.spread[(row, field.first)],
        }
    }
}

/// Names what stands beside a value.
fn measure(field: &Field) -> &'static str {
    match field.kind {
        Kind::Bernoulli | Kind::Spin | Kind::Categorical(_) => "probability",
        _ => "deviation",
    }
}
