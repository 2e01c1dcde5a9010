//! Compares sweeps with the plain loop, on every back end, for all kinds of sizes.

use super::*;
use crate::backend::on_each;
use crate::{BitMatrix, numeric};

/// Is a machine with weights of both signs, strong enough that units depend on each other.
struct Machine {
    codes: Vec<i32>,
    lines: Codes,
    biases: Vec<f32>,
    beta: f32,
    spins: bool,
}

impl Machine {
    fn new(n: usize, spins: bool) -> Self {
        let mut words = vec![0; n * n + n];
        fill(Key::from_seed(n as u64), 0, &mut words);
        let code =
            |i: usize, j: usize| if i == j { 0 } else { (words[i.max(j) * n + i.min(j)] as i32) >> 12 };
        let codes: Vec<i32> = (0..n * n).map(|at| code(at / n, at % n)).collect();
        let biases = words[n * n..].iter().map(|&word| word as i32 as f32 * 2e-10).collect();
        Self { lines: Codes::new(n, &codes), codes, biases, beta: 0.9, spins }
    }

    fn view(&self) -> Symmetric<'_> {
        Symmetric {
            codes: &self.lines,
            biases: &self.biases,
            scale: [2_f32.powi(-20), self.beta],
            spins: self.spins,
        }
    }

    fn sums(&self, x: &[i8]) -> Vec<i32> {
        let n = self.biases.len();
        let sum = |row: &[i32], x: &[i8]| row.iter().zip(x).map(|(code, &x)| code * i32::from(x)).sum();
        x.chunks_exact(n).flat_map(|x| self.codes.chunks_exact(n).map(move |row| sum(row, x))).collect()
    }

    /// Chooses words next to the thresholds that units have when their turns come.
    fn near(&self, x: &[i8], step: u32) -> Vec<u32> {
        let (mut x, mut words) = (x.to_vec(), Vec::new());
        for unit in 0..x.len() {
            let activation = self.activation(&x, unit);
            let threshold = (numeric::sigmoid(activation) * 16_777_216.0) as u32 + (unit as u32 + step) % 5;
            words.push(threshold.saturating_sub(2).min((1 << 24) - 1) << 8);
            x[unit] = self.drawn(activation, words[unit]);
        }
        words
    }

    /// Draws unit after unit by these words.
    fn by(&self, x: &mut [i8], words: &[u32]) {
        for unit in 0..x.len() {
            x[unit] = self.drawn(self.activation(x, unit), words[unit]);
        }
    }

    fn activation(&self, x: &[i8], unit: usize) -> f32 {
        let activation =
            self.sums(x)[unit] as f32 * self.view().scale[0] * self.view().scale[1] + self.biases[unit];
        if self.spins { 2.0 * activation } else { activation }
    }

    fn drawn(&self, activation: f32, word: u32) -> i8 {
        if numeric::bernoulli(word, activation) { 1 } else { -i8::from(self.spins) }
    }

    /// Draws unit after unit, each from a fresh sum over all others.
    fn plain(&self, x: &mut [i8], key: Key, first: u64) {
        let n = self.biases.len();
        for (chain, x) in x.chunks_exact_mut(n).enumerate() {
            let mut words = vec![0; n];
            fill(key, first + chain as u64, &mut words);
            for unit in 0..n {
                let row = &self.codes[unit * n..][..n];
                let sum: i32 = row.iter().zip(&*x).map(|(code, &x)| code * i32::from(x)).sum();
                let activation = sum as f32 * self.view().scale[0] * self.view().scale[1] + self.biases[unit];
                let activation = if self.spins { 2.0 * activation } else { activation };
                let off = if self.spins { -1 } else { 0 };
                x[unit] = if numeric::bernoulli(words[unit], activation) { 1 } else { off };
            }
        }
    }
}

#[test]
fn sweeps_are_those_of_the_plain_loop_on_every_back_end() {
    on_each(|backend| {
        for n in [1, 2, 15, 16, 17, 63, 64, 65, 130, 200] {
            for (chains, spins) in [(1, false), (1, true), (37, true), (40, false)] {
                let machine = Machine::new(n, spins);
                let mut expected = vec![if spins { -1 } else { 0 }; chains * n];
                let (mut x, mut sums) = (expected.clone(), machine.sums(&expected));
                for sweep in 0..3 {
                    let key = Key::from_seed(8).fold_in(sweep);
                    machine.plain(&mut expected, key, 5);
                    machine.view().sweep(&mut x, &mut sums, key, 5);
                    assert!(x == expected, "{backend}: {chains} chains of {n} units, spins {spins}");
                }
                assert_eq!(sums, machine.sums(&x), "{backend}: {n} units");
            }
        }
    });
}

#[test]
fn blocks_of_many_chains_are_swept_like_the_plain_loop_on_every_back_end() {
    on_each(|backend| {
        for (n, chains, spins, beta) in [
            (1, 3, false, 0.9),
            (64, 70, true, 0.9),
            (65, 37, false, 0.9),
            (200, 130, true, 0.9),
            (130, 16, false, 0.9),
            // Bounds that are far apart, out of reach, or none.
            (100, 40, false, 1e-4),
            (100, 40, true, 200.0),
            (40, 20, false, 0.0),
        ] {
            let machine = Machine { beta, ..Machine::new(n, spins) };
            let blocks = Blocks::new(n, &machine.codes);
            let off = if spins { -1 } else { 0 };
            let mut expected = vec![off; chains * n];
            let mut bits = BitMatrix::zeros(chains, n);
            for sweep in 0..3 {
                let key = Key::from_seed(8).fold_in(sweep);
                machine.plain(&mut expected, key, 0);
                blocks.sweep(&mut bits, &machine.biases, machine.view().scale, spins, key);
                let seen = |at: usize| expected[at] == if bits.get(at / n, at % n) { 1 } else { off };
                assert!(
                    (0..chains * n).all(seen),
                    "{backend}: {chains} chains of {n} units, spins {spins}, beta {beta}"
                );
            }
        }
    });
}

/// Spins that all pull one way with the largest codes there are: 2 Σ q b has 33 bits, what is left of it 32.
#[test]
fn sums_that_pass_32_bits_on_their_way_are_right() {
    let (n, chains) = (700, 3);
    let codes: Vec<i32> = (0..n * n).map(|at| if at / n == at % n { 0 } else { (1 << 21) - 1 }).collect();
    let machine =
        Machine { lines: Codes::new(n, &codes), codes, biases: vec![0.0; n], beta: 1.0, spins: true };
    let scale = [2_f32.powi(-31), 1.0];
    let blocks = Blocks::new(n, &machine.codes);
    on_each(|backend| {
        let (mut bits, key) = (BitMatrix::from_fn(chains, n, |_, _| true), Key::from_seed(8));
        let mut x = vec![1; chains * n];
        let mut sums = machine.sums(&x);
        assert!(sums.iter().all(|&sum| sum > 1 << 30));
        Symmetric { scale, ..machine.view() }.sweep(&mut x, &mut sums, key, 0);
        blocks.sweep(&mut bits, &machine.biases, scale, true, key);
        assert!((0..chains * n).all(|at| (x[at] == 1) == bits.get(at / n, at % n)), "{backend}");
        // Activations of about ±1.4 leave neither all up nor all down.
        assert!(x.contains(&1) && x.contains(&-1));
    });
}

/// Weights of all sizes, and words far from thresholds and next to them: whoever the upper parts leave open is decided by all.
#[test]
fn one_chain_with_upper_parts_is_swept_like_the_plain_loop_on_every_back_end() {
    on_each(|backend| {
        for (n, spins) in [(1, false), (16, true), (33, false), (100, true), (130, false), (200, true)] {
            let machine = Machine::new(n, spins);
            let upper = Upper::new(n, &machine.codes).unwrap();
            let mut expected: Vec<i8> =
                (0..n).map(|unit| if unit % 3 == 0 { 1 } else { -i8::from(spins) }).collect();
            let mut chain = Chain::new(&upper, expected.clone());
            for sweep in 0..20 {
                let key = Key::from_seed(8).fold_in(sweep);
                let mut words = vec![0; n];
                fill(key, 0, &mut words);
                if sweep >= 10 {
                    words = machine.near(&expected, sweep as u32);
                }
                machine.by(&mut expected, &words);
                chain.sweep(&machine.view(), &upper, &words);
                assert!(chain.x() == expected, "{backend}: {n} units, spins {spins}, sweep {sweep}");
            }
            assert_eq!(chain, Chain::new(&upper, expected), "{backend}: sums of {n} units");
        }
    });
}

/// Every word is chosen next to the threshold that its unit has when its turn comes.
#[test]
fn units_next_to_their_threshold_are_those_of_the_plain_loop() {
    on_each(|backend| {
        for (n, spins, scale) in
            [(100, false, 0.9), (100, true, 0.9), (48, false, 1e-4), (48, true, 200.0), (40, false, 0.0)]
        {
            let machine = Machine { beta: scale, ..Machine::new(n, spins) };
            let view = machine.view();
            let mut x: Vec<i8> =
                (0..n).map(|unit| if unit % 3 == 0 { 1 } else { -i8::from(spins) }).collect();
            for step in 0..60 {
                let (mut expected, mut words, mut sums) = (x.clone(), vec![0; n], machine.sums(&x));
                for unit in 0..n {
                    let activation = machine.sums(&expected)[unit] as f32 * view.scale[0] * view.scale[1]
                        + machine.biases[unit];
                    let activation = if spins { 2.0 * activation } else { activation };
                    let threshold =
                        (numeric::sigmoid(activation) * 16_777_216.0) as u32 + (unit as u32 + step) % 5;
                    words[unit] = threshold.saturating_sub(2).min((1 << 24) - 1) << 8;
                    expected[unit] =
                        if numeric::bernoulli(words[unit], activation) { 1 } else { -i8::from(spins) };
                }
                view.sweep_one(&mut x, &mut sums, &words);
                assert!(x == expected, "{backend}: {n} units, spins {spins}, scale {scale}");
            }
        }
    });
}

#[test]
fn words_that_are_given_are_those_of_the_stream() {
    let machine = Machine::new(50, false);
    let (mut x, mut words) = (vec![0; 50], vec![0; 50]);
    let (mut other, mut sums) = (x.clone(), vec![0; 50]);
    fill(Key::from_seed(1), 3, &mut words);
    machine.view().sweep_one(&mut x, &mut sums, &words);
    machine.plain(&mut other, Key::from_seed(1), 3);
    assert!(x == other && sums == machine.sums(&x));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let machine = Machine::new(100, true);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut x = vec![1; 300 * 100];
        let mut sums = machine.sums(&x);
        pool.install(|| (0..3).for_each(|n| machine.view().sweep(&mut x, &mut sums, Key::from_seed(n), 0)));
        (x, sums)
    };
    let one = run(1);
    assert!([2, 7].into_iter().all(|threads| run(threads) == one));
}
