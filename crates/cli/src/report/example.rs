//! Makes up a run for the tests: strokes, 30 epochs, every section filled.

use super::{Ailment, Curve, Diagnosis, Figure, Idle, Plate, Report, Series, Units};
use crate::picture::{self, Tone};

/// Draws from [0, 1), the same numbers each time.
pub(super) struct Noise(pub(super) u32);

impl Noise {
    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0 >> 8) / f64::from(1 << 24)
    }

    /// Draws around zero, about as a normal of variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// Draws a tile with one to three soft strokes, values in [0, 1].
fn strokes(noise: &mut Noise, side: usize) -> Vec<f32> {
    let mut tile = vec![0.0_f32; side * side];
    for _ in 0..=(noise.next() * 3.0) as usize {
        let (angle, offset) = (noise.next() * std::f64::consts::PI, (noise.next() - 0.5) * 0.6 * side as f64);
        for (i, pixel) in tile.iter_mut().enumerate() {
            let [x, y] = [i % side, i / side].map(|c| c as f64 - side as f64 / 2.0 + 0.5);
            let [across, along] =
                [x * angle.cos() + y * angle.sin() - offset, y * angle.cos() - x * angle.sin()];
            let ink = (-across * across / 2.0).exp() * f64::from(u8::from(along.abs() < side as f64 * 0.36));
            *pixel = pixel.max(ink as f32);
        }
    }
    tile
}

/// Draws weights: a bright and a dark bump on noise.
fn filter(noise: &mut Noise, side: usize) -> Vec<f32> {
    let (plus, minus) = (strokes(noise, side), strokes(noise, side));
    plus.iter().zip(&minus).map(|(p, m)| 0.8 * (p - m) + 0.06 * noise.normal() as f32).collect()
}

fn falling(noise: &mut Noise, from: f64, to: f64, jitter: f64) -> Vec<f64> {
    (0..30).map(|e| to + (from - to) * (-f64::from(e) / 6.0).exp() + jitter * noise.normal()).collect()
}

fn curve(name: &str, unit: &str, series: Vec<Series>, note: &str) -> Curve {
    let x = (1..=30).map(f64::from).collect();
    Curve { name: name.into(), unit: unit.into(), x_label: "epoch".into(), x, series, note: note.into() }
}

fn curves(noise: &mut Noise) -> Vec<Curve> {
    let log_likelihood = falling(noise, -150.0, -92.0, 0.2);
    let interval = log_likelihood.iter().map(|v| [v - 2.5, v + 1.8]).collect();
    let estimate = Series { name: "test".into(), values: log_likelihood, interval: Some(interval) };
    let pseudo = ["training", "validation"];
    let pseudo = pseudo.map(|name| Series::new(name, falling(noise, -190.0, -66.0, 0.8)));
    let squared = Series::new("training", falling(noise, 0.09, 0.0173, 0.0002));
    let gap = Series::new("validation − training", falling(noise, 0.1, 1.4, 0.1));
    let norms = Series::new("‖ΔW‖ / ‖W‖", falling(noise, 0.03, 0.0007, 0.000_03));
    vec![
        curve(
            "Log-likelihood",
            "nats per row",
            vec![estimate],
            "Estimated by AIS; the band is 3σ of the mean weight.",
        ),
        curve(
            "Pseudo log-likelihood",
            "nats per row",
            pseudo.into(),
            "A proxy: it ranks epochs of one run, not models.",
        ),
        curve("Reconstruction error", "mean square per unit", vec![squared], ""),
        curve("Free-energy gap", "nats per row", vec![gap], "A growing gap is a sign of overfitting."),
        curve("Relative size of updates", "", vec![norms], ""),
    ]
}

fn plates(noise: &mut Noise) -> [Option<Plate>; 3] {
    let tile = picture::tile_shape(784);
    let data: Vec<_> = (0..128).map(|_| strokes(noise, 28)).collect();
    let blurred: Vec<Vec<f32>> =
        data.iter().map(|d| d.iter().map(|v| 0.8 * v + 0.1 * noise.next() as f32).collect()).collect();
    let filters: Vec<_> = (0..picture::fitting(500, tile)).map(|_| filter(noise, 28)).collect();
    [
        (picture::grid(&data, 28, 28, 16, Tone::Grey), "128 chains after 1,000 sweeps from random states."),
        (picture::grid(&filters, 28, 28, 16, Tone::Diverging), "256 of 500 hidden units, evenly spread."),
        (picture::pairs(&data[..32], &blurred[..32], tile, 16), "The first 32 rows of the test set."),
    ]
    .map(|(picture, note)| Some(Plate::new(picture, note.into())))
}

fn diagnosis() -> Diagnosis {
    let ailment = |severity: &str, found: &str, advice: &str, options: &str| Ailment {
        severity: severity.into(),
        found: found.into(),
        advice: advice.into(),
        options: options.split(' ').map(str::to_owned).collect(),
        ..Ailment::default()
    };
    let dead = ailment(
        "note",
        "12 of 500 hidden units are dead, off on the rows of data (mean below 0.005)",
        "train fewer hidden units, or lower the learning rate, which drives units out of reach",
        "--hidden --learning-rate",
    );
    let figures = named(&[("count", "12"), ("share", "0.024")]);
    let figures = figures.into_iter().map(|(name, value)| (name, value.parse().unwrap_or(0.0)));
    let dead = Ailment { figures: figures.collect(), units: vec![0, 60, 120], ..dead };
    let gap = ailment(
        "serious",
        "the free-energy gap has grown to 61.20 nats, from 8.31",
        "stop earlier, raise the L2 penalty or train fewer hidden units",
        "--stop --l2 --hidden --epochs",
    );
    let rate = ailment(
        "warning",
        "numbers ran away, and the guard lowered the rate once",
        "lower the learning rate",
        "--learning-rate",
    );
    Diagnosis { last: Some(vec![dead, gap]), passed: vec![(2, rate)] }
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect()
}

fn summary() -> Vec<Figure> {
    vec![
        Figure::estimate(
            "Test log-likelihood",
            -91.87,
            [-94.1, -90.35],
            "nats",
            "3σ of the mean weight of 100 AIS runs",
        ),
        Figure::exact("Pseudo log-likelihood, training", "−66.02 nats", "a proxy, last epoch"),
        Figure::exact("Time", "41.3 s", "30 epochs, 43,600 rows/s"),
        Figure::exact(
            "Digest",
            "9f2c61d07ab3e85514cc02de88f1b7a0347dd5521b6e9a0f44c3870aa1be6d19",
            "BLAKE3 of the parameters",
        ),
    ]
}

pub(super) fn example() -> Report {
    let noise = &mut Noise(7);
    let [samples, filters, reconstructions] = plates(noise);
    let means = (0..500)
        .map(|i| if i % 60 == 0 { 0.0 } else { (0.22 + 0.14 * noise.normal()).clamp(0.01, 1.0) as f32 })
        .collect();
    let recipe = named(&[
        ("data", "strokes, 60,000 rows of 28 × 28"),
        ("hidden units", "500"),
        ("estimator", "PCD, k = 1, 256 chains"),
        ("optimiser", "SGD, rate 0.05 falling to 0.005, momentum 0.5, L2 0.0001"),
        ("batch", "128"),
        ("seed", "1"),
    ]);
    let command = "harmonium train strokes --hidden 500 --epochs 30 --estimator pcd --k 1 --chains 256 --rate 0.05 \
                   --momentum 0.5 --l2 0.0001 --batch 128 --seed 1 --out runs/strokes-500";
    Report {
        kind: super::Kind::Training,
        title: "RBM 784 × 500 on strokes".into(),
        summary: summary(),
        notices: vec![
            "The rate was halved once, at step 812: the weights had grown beyond the guard.".into(),
        ],
        diagnosis: Some(diagnosis()),
        curves: curves(noise),
        samples,
        filters,
        reconstructions,
        weights: None,
        columns: None,
        units: Some(Units { means, idle: Idle::Ends { dead_below: 0.01, saturated_above: 0.99 } }),
        recipe,
        command: command.into(),
        environment: named(&[("version", "Harmonium 0.1.0"), ("back end", "avx2"), ("threads", "8")]),
        ..Report::default()
    }
}
