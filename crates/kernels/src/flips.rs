//! Sweeps over spins that keep their fields: Metropolis moves in order, looked at a vector at a time.
//!
//! Flipping spin i changes the energy by s_i f_i codes. Most moves are refused where it is cold, so a vector of spins is judged at
//! once; where one flips, its neighbours' fields change, and the rest of the vector is judged anew. That is the same as
//! one spin after the other. Spin i draws from word `i / 16 % 16` of block `i / 256 * 16 + i % 16`, so that the words of 256
//! spins come out of the rounds in the order in which they are needed.

use crate::chacha::{Along, BLOCK, blocks};
use crate::numeric::{self, lanes};
use crate::simd::{Kernel, Simd};
use crate::{Backend, Key};

/// Spins whose words are computed together.
const CHUNK: usize = 256;

/// The largest |field|: beyond 24 bits a field would be rounded.
pub const LARGEST: i32 = 1 << 24;

/// Holds who is coupled to whom: the neighbours of spin i are entries `starts[i]` to `starts[i + 1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    starts: Vec<u32>,
    /// The neighbour, and what its field loses where a spin leaves +1: twice the code of the coupling.
    entries: Vec<(u32, i32)>,
}

impl Links {
    /// Takes the neighbours of each spin with the codes of their couplings.
    ///
    /// # Panics
    /// If a neighbour is not there, or there are more than 2^32 − 1 entries.
    pub fn new(neighbours: impl IntoIterator<Item = Vec<(u32, i32)>>) -> Self {
        let (mut starts, mut entries) = (vec![0], Vec::new());
        for list in neighbours {
            entries.extend(list.into_iter().map(|(vertex, code)| (vertex, 2 * code)));
            starts.push(u32::try_from(entries.len()).expect("fewer than 2^32 entries"));
        }
        let spins = starts.len() - 1;
        assert!(entries.iter().all(|&(vertex, _)| (vertex as usize) < spins), "neighbours below {spins}");
        Self { starts, entries }
    }

    /// Gives the number of spins.
    pub fn spins(&self) -> usize {
        self.starts.len() - 1
    }

    /// Gives the neighbours of a spin.
    ///
    /// # Panics
    /// If it is not there.
    pub fn neighbours(&self, spin: usize) -> impl Iterator<Item = u32> + '_ {
        self.of(spin).iter().map(|&(vertex, _)| vertex)
    }

    fn of(&self, spin: usize) -> &[(u32, i32)] {
        &self.entries[self.starts[spin] as usize..self.starts[spin + 1] as usize]
    }
}

/// Holds spins with their fields, and the energy they have come to; all in codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spins {
    count: usize,
    /// −1 for a spin that is down, else 0.
    down: Vec<i32>,
    fields: Vec<i32>,
    energy: i64,
}

impl Spins {
    /// Starts from spins, `true` being up: what a flip of spin i costs is s_i `outer[i]` + Σ_j c_ij s_i s_j, so that the energy is
    /// −½ Σ s_i `outer[i]` − ¼ Σ c_ij s_i s_j, less the part of one that all states have in common.
    ///
    /// # Panics
    /// If there are not as many of all.
    pub fn new(links: &Links, up: &[bool], outer: &[i32]) -> Self {
        let count = links.spins();
        assert_eq!((up.len(), outer.len()), (count, count), "spins of all");
        let padded = count.next_multiple_of(BLOCK);
        let mut out = Self { count, down: vec![0; padded], fields: vec![0; padded], energy: 0 };
        out.fields[..count].copy_from_slice(outer);
        for (spin, &up) in up.iter().enumerate() {
            out.down[spin] = -i32::from(!up);
            for &(vertex, twice) in links.of(spin) {
                out.fields[vertex as usize] += if up { twice / 2 } else { -(twice / 2) };
            }
        }
        let four = |spin: usize| {
            let outer = if up[spin] { outer[spin] } else { -outer[spin] };
            i64::from(out.cost(spin)) + i64::from(outer)
        };
        out.energy = (-(0..count).map(four).sum::<i64>()).div_euclid(4);
        out
    }

    /// Gives the energy.
    pub fn energy(&self) -> i64 {
        self.energy
    }

    /// Gives the spins, `true` being up.
    pub fn up(&self) -> impl Iterator<Item = bool> + '_ {
        self.down[..self.count].iter().map(|&down| down == 0)
    }

    /// Sweeps once at this β a code: spin after spin, each flips with probability r min(1, e^(−β change)), r being
    /// [`numeric::TRIED`], which is cut off below 2^-24.
    pub fn sweep(&mut self, links: &Links, beta: f32, key: Key, sweep: u64) {
        Backend::current().run(Sweep { spins: self, links, beta, key, number: sweep });
    }

    /// Flips the named spins, one after the other.
    ///
    /// # Panics
    /// If one is not there.
    pub fn flip_all(&mut self, links: &Links, spins: &[u32]) {
        for &spin in spins {
            self.flip(links, spin as usize, spin as usize);
        }
    }

    /// Tells whether a spin is up.
    ///
    /// # Panics
    /// If it is not there.
    pub fn is_up(&self, spin: usize) -> bool {
        self.down[..self.count][spin] == 0
    }

    /// Flips every spin that lowers the energy, in order, until none does.
    pub fn descend(&mut self, links: &Links) {
        let mut quiet = false;
        while !quiet {
            quiet = true;
            for spin in 0..self.count {
                if self.cost(spin) < 0 {
                    self.flip(links, spin, spin);
                    quiet = false;
                }
            }
        }
    }

    /// Gives what a flip costs.
    #[inline(always)]
    fn cost(&self, spin: usize) -> i32 {
        (self.fields[spin] ^ self.down[spin]) - self.down[spin]
    }

    /// Flips a spin, and tells whether one of the sixteen spins from `first` on is its neighbour.
    #[inline(always)]
    fn flip(&mut self, links: &Links, spin: usize, first: usize) -> bool {
        self.energy += i64::from(self.cost(spin));
        let down = self.down[spin];
        self.down[spin] = mutant!("B210", !down, down);
        let mut near = false;
        for &(vertex, twice) in links.of(spin) {
            self.fields[vertex as usize] -= (mutant!("B329", twice, twice / 2) ^ down) - down;
            near |= (vertex as usize).wrapping_sub(first) < BLOCK;
        }
        near
    }
}

/// Tells whether a spin flips whose word this is and whose flip costs so many codes, at this β a code: (2 (word >> 9) + 1) 2^-24 <
/// r min(1, e^(−β cost)), r being [`numeric::TRIED`]; NaN is a no. Sweeps decide so.
pub fn flips(word: u32, cost: i32, beta: f32) -> bool {
    let e = numeric::exp(cost as f32 * -beta);
    let chance = if e > 1.0 { 1.0 } else { e };
    ((2 * (word >> 9) + 1) as f32) * (1.0 / 16_777_216.0) < mutant!("B383", numeric::TRIED, 1.0) * chance
}

struct Sweep<'a> {
    spins: &'a mut Spins,
    links: &'a Links,
    beta: f32,
    key: Key,
    number: u64,
}

impl Kernel for Sweep<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(mut self) {
        for chunk in 0..self.spins.down.len().div_ceil(CHUNK) {
            let words = self.words::<S>(chunk);
            let end = CHUNK.min(self.spins.down.len() - chunk * CHUNK);
            for (place, words) in words.chunks_exact(BLOCK).take(end / BLOCK).enumerate() {
                self.vector::<S>(chunk * CHUNK + place * BLOCK, words);
            }
        }
    }
}

impl Sweep<'_> {
    /// Gives the words of a chunk in the order of its spins.
    #[inline(always)]
    fn words<S: Simd>(&self, chunk: usize) -> [i32; CHUNK] {
        let mut out = [0; CHUNK];
        for part in (0..BLOCK).step_by(S::LANES) {
            let counter = (chunk * BLOCK + part) as u64;
            let words = blocks::<S>(self.key.words(), counter, self.number, Along::Counters);
            for w in 0..BLOCK {
                S::store(&mut out[w * BLOCK + part..], words[w]);
            }
        }
        out
    }

    /// Moves sixteen spins in order, but for the places that fill the last vector. They are judged together; where one flips that has a neighbour among them, those behind it
    /// are judged anew.
    #[inline(always)]
    fn vector<S: Simd>(&mut self, first: usize, words: &[i32]) {
        let all = mutant!("B306", u32::MAX >> (32 - BLOCK.min(self.spins.count - first)), u32::MAX);
        let there = mutant!("B330", all, all >> 1);
        let mut flips = self.judge::<S>(first, words) & there;
        while flips != 0 {
            let lane = flips.trailing_zeros();
            flips &= flips - 1;
            let near = self.spins.flip(self.links, first + lane as usize, first);
            if mutant!("B211", near, false) {
                flips = self.judge::<S>(first, words) & there & 0xFFFE << lane;
            }
        }
    }

    /// Says which of sixteen spins would flip, as [`flips`] does.
    #[inline(always)]
    fn judge<S: Simd>(&self, first: usize, words: &[i32]) -> u32 {
        let mut flips = 0;
        for part in (0..BLOCK).step_by(S::LANES) {
            let at = first + part;
            let down = S::load(&self.spins.down[at..]);
            let cost = S::add(S::xor(S::load(&self.spins.fields[at..]), down), S::shr::<31>(down));
            let e = lanes::exp::<S>(S::mul(S::from_int(cost), S::splat_f32(-self.beta)));
            // A NaN that stands in the second place is kept.
            let chance =
                S::mul(S::min(S::splat_f32(1.0), e), S::splat_f32(mutant!("B383", numeric::TRIED, 1.0)));
            let word = S::or(S::shl::<1>(S::shr::<9>(S::load(&words[part..]))), S::splat(1));
            let u = S::mul(S::from_int(word), S::splat_f32(1.0 / 16_777_216.0));
            flips |= S::less(u, chance) << part;
        }
        flips
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::on_each;
    use rand::RngCore;

    /// A ring with chords, whose neighbours often share a vector, of a length that fills none.
    fn links(spins: usize) -> Links {
        let near = |i: usize| {
            let mut list: Vec<(u32, i32)> = Vec::new();
            for (step, code) in [(1, 3), (2, -2), (17, 1)] {
                for vertex in [(i + step) % spins, (i + spins - step) % spins] {
                    list.push((vertex as u32, code));
                }
            }
            list
        };
        Links::new((0..spins).map(near))
    }

    /// Does the same one spin after the other, from the formulas: sums anew for every spin.
    fn plainly(links: &Links, up: &mut [bool], outer: &[i32], beta: f32, key: Key, sweep: u64) -> i64 {
        let sign = |up: bool| if up { 1 } else { -1 };
        let mut change = 0;
        for spin in 0..up.len() {
            let mut stream = key.stream(sweep);
            stream.set_word_pos(16 * (spin / 256 * 16 + spin % 16) as u128 + (spin / 16 % 16) as u128);
            let word = stream.next_u32();
            let sum: i32 = links.of(spin).iter().map(|&(j, twice)| twice / 2 * sign(up[j as usize])).sum();
            let cost = sign(up[spin]) * (sum + outer[spin]);
            if flips(word, cost, beta) {
                up[spin] = !up[spin];
                change += i64::from(cost);
            }
        }
        change
    }

    #[test]
    fn no_number_flips_nothing() {
        assert!(!flips(0, 0, f32::NAN) && flips(0, 0, 1.0));
        on_each(|backend| {
            let links = links(37);
            let mut spins = Spins::new(&links, &[true; 37], &[0; 37]);
            spins.sweep(&links, f32::NAN, Key::from_seed(1), 0);
            assert!(spins.up().all(|up| up), "{backend}");
        });
    }

    #[test]
    fn every_back_end_sweeps_like_the_plain_loop() {
        let key = Key::from_seed(3);
        for spins in [37, 256, 600] {
            let links = links(spins);
            let outer: Vec<i32> = (0..spins).map(|i| i as i32 % 5 - 2).collect();
            let begin: Vec<bool> = (0..spins).map(|i| i % 3 == 0).collect();
            let (mut plain, mut energy) = (begin.clone(), Spins::new(&links, &begin, &outer).energy());
            for sweep in 0..4 {
                energy += plainly(&links, &mut plain, &outer, 0.2, key, sweep);
            }
            on_each(|backend| {
                let mut ours = Spins::new(&links, &begin, &outer);
                (0..4).for_each(|sweep| ours.sweep(&links, 0.2, key, sweep));
                assert_eq!(ours.up().collect::<Vec<_>>(), plain, "{spins} spins on {backend}");
                assert_eq!(ours.energy(), energy);
                assert_eq!(ours, Spins::new(&links, &plain, &outer), "fields");
            });
        }
    }

    /// Where every flip costs nothing each spin flips, but none that is not there.
    #[test]
    fn places_behind_the_last_spin_never_flip() {
        let links = links(37);
        on_each(|_| {
            let mut spins = Spins::new(&links, &[true; 37], &[0; 37]);
            spins.sweep(&links, 0.0, Key::from_seed(1), 0);
            assert!(spins.up().all(|up| !up));
            assert_eq!(spins, Spins::new(&links, &[false; 37], &[0; 37]));
        });
    }

    #[test]
    fn a_descent_ends_where_no_flip_gains() {
        let links = links(100);
        let mut spins = Spins::new(&links, &(0..100).map(|i| i % 3 == 0).collect::<Vec<_>>(), &[1; 100]);
        let before = spins.energy();
        spins.descend(&links);
        assert!((0..100).all(|spin| spins.cost(spin) >= 0) && spins.energy() < before);
    }
}
