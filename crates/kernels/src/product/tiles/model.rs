//! Models the tile instructions of AMX-INT8 as Intel's manual defines them, faults included.
//!
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, the pages of `LDTILECFG`,
//! `TILEZERO`, `TILELOADD`, `TILESTORED`, `TDPBUUD` and `TDPBUSD`. Where an instruction would fault, the model panics.

use super::{Configuration, SIDE, Tile, Tiles};

/// Bytes of a row.
const BYTES: usize = 4 * SIDE;

/// Is a unit in plain Rust.
pub(super) struct Model {
    shapes: [Shape; 8],
    tiles: [[[u8; BYTES]; SIDE]; 8],
}

/// Is the rows of a tile and the bytes of each; a tile with neither is not configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    rows: usize,
    bytes: usize,
}

impl Model {
    /// Gives the shape of a tile that an instruction uses.
    fn shape(&self, tile: usize) -> Shape {
        let shape = self.shapes[tile];
        assert!(shape.rows > 0, "#UD: tile {tile} is not configured");
        shape
    }

    /// Writes a tile row by row; what lies behind its last byte and its last row becomes zero.
    fn write(&mut self, tile: usize, row: impl Fn(usize) -> [u8; BYTES]) {
        let Shape { rows, bytes } = self.shape(tile);
        let mut out = [[0; BYTES]; SIDE];
        out.iter_mut().enumerate().take(rows).for_each(|(m, out)| {
            out[..bytes].copy_from_slice(&row(m)[..bytes]);
        });
        self.tiles[tile] = out;
    }

    /// Checks the shapes of three tiles of a product.
    fn check(&self, c: usize, a: usize, b: usize) {
        assert!(c != a && a != b && c != b, "#UD: tiles {c}, {a} and {b} are not distinct");
        let [c, a, b] = [c, a, b].map(|tile| self.shape(tile));
        assert!([c, a, b].iter().all(|shape| shape.bytes % 4 == 0), "#UD: a row is no row of words");
        assert!(
            a.rows == c.rows && b.bytes == c.bytes && a.bytes == 4 * b.rows,
            "#UD: {c:?} += {a:?} · {b:?}"
        );
    }
}

fn bytes_of(words: [i32; SIDE]) -> [u8; BYTES] {
    let mut out = [0; BYTES];
    out.iter_mut().zip(words.iter().flat_map(|word| word.to_le_bytes())).for_each(|(out, byte)| *out = byte);
    out
}

fn words_of(bytes: [u8; BYTES]) -> [i32; SIDE] {
    std::array::from_fn(|n| i32::from_le_bytes(std::array::from_fn(|i| bytes[4 * n + i])))
}

impl Tiles for Model {
    /// `LDTILECFG`. Only a start row of zero is modelled, which is what an instruction that was not interrupted leaves.
    fn configured(configuration: &Configuration) -> Self {
        let bytes = &configuration.0;
        let zero = |range: std::ops::Range<usize>| bytes[range].iter().all(|&byte| byte == 0);
        assert!(bytes[0] == 1, "#GP: palette {}", bytes[0]);
        assert!(zero(1..16) && zero(32..48) && zero(56..64), "#GP: a reserved byte is not zero");
        let shapes = std::array::from_fn(|t| Shape {
            rows: usize::from(bytes[48 + t]),
            bytes: usize::from(u16::from_le_bytes([bytes[16 + 2 * t], bytes[17 + 2 * t]])),
        });
        for shape in shapes {
            assert!(shape.rows <= SIDE && shape.bytes <= BYTES, "#GP: {shape:?} is too large");
            assert!((shape.rows == 0) == (shape.bytes == 0), "#GP: {shape:?} is half configured");
        }
        Self { shapes, tiles: [[[0; BYTES]; SIDE]; 8] }
    }

    fn zero<const T: usize>(&mut self) {
        self.write(T, |_| [0; BYTES]);
    }

    /// `TILELOADD` with a stride of 64 bytes.
    fn load<const T: usize>(&mut self, from: &Tile) {
        self.write(T, |m| bytes_of(from.0[m]));
    }

    /// `TILESTORED` with a stride of 64 bytes; what the tile does not have stays as it is in memory.
    fn store<const T: usize>(&mut self, to: &mut Tile) {
        let Shape { rows, bytes } = self.shape(T);
        for (to, from) in to.0.iter_mut().zip(&self.tiles[T]).take(rows) {
            let mut out = bytes_of(*to);
            out[..bytes].copy_from_slice(&from[..bytes]);
            *to = words_of(out);
        }
    }

    /// `TDPBUSD` or `TDPBUUD`.
    fn dot<const SIGNED: bool, const C: usize, const A: usize, const B: usize>(&mut self) {
        self.check(C, A, B);
        let (shape, tiles) = (self.shape(A), self.tiles);
        self.write(C, |m| {
            let mut sums = words_of(tiles[C][m]);
            for (n, sum) in sums.iter_mut().enumerate() {
                for at in 0..shape.bytes {
                    let y = tiles[B][at / 4][4 * n + at % 4];
                    let y = if SIGNED { i32::from(y.cast_signed()) } else { i32::from(y) };
                    *sum = sum.wrapping_add(i32::from(tiles[A][m][at]) * y);
                }
            }
            bytes_of(sums)
        });
    }

    fn spread(bits: u64, row: &mut [i32; SIDE]) {
        *row = words_of(std::array::from_fn(|k| (bits >> k & 1) as u8));
    }

    fn prefetch(_tile: &Tile) {}
}
