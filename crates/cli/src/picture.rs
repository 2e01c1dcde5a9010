//! Draws grids of tiles, one tile a sample or a hidden unit, and encodes them as PNG.
//!
//! Pixels are indices into a palette of 256 colours: 0 is the gap between tiles, 1 to 255 run from the lowest
//! value to the highest. One byte a pixel keeps a picture of coloured filters as small as a grey one.

/// Index of the colour between tiles, of padding, and of values that are not numbers.
const GAP: u8 = 0;
/// Index of the middle of the scale; zero in the diverging tones.
const MIDDLE: f32 = 128.0;
/// Colour of the gap: told apart from black, white and both ends of the diverging scale.
const GAP_COLOUR: [u8; 3] = [122, 128, 138];
/// Five colours from −1 to +1: dark blue, light blue, near white, light red, dark red.
const DIVERGING: [[f32; 3]; 5] =
    [[16.0, 52.0, 128.0], [104.0, 160.0, 216.0], [248.0; 3], [232.0, 134.0, 104.0], [136.0, 12.0, 32.0]];
/// Pixels of one picture that `fitting` allows: noise of this size takes about 400 kB.
const PIXELS: usize = 400_000;
/// Tiles of one picture that `fitting` allows: more cannot be told apart on a screen.
const TILES: usize = 256;

/// Says which colour a value gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Values in [0, 1] from black to white; what lies outside is clipped.
    Grey,
    /// Blue for negative, white for zero, red for positive values; all tiles share the largest magnitude.
    Diverging,
    /// As `Diverging`, but each tile is scaled by its own largest magnitude.
    DivergingEach,
}

/// Gives the width and height of one tile in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Pixels of a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
}

/// Holds a grid of tiles in palette colours, `(height, width)` in row order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Picture {
    /// Pixels of a row, at least 1.
    pub(crate) width: usize,
    /// Rows, at least 1.
    pub(crate) height: usize,
    /// The tone that its indices stand for.
    pub(crate) tone: Tone,
    /// The magnitude that the ends of the scale stand for; 1 where each tile has its own.
    pub(crate) scale: f32,
    pixels: Vec<u8>,
}

/// Guesses a tile from the number of units: a square where there is one (784 → 28 × 28), else the nearest
/// rectangle that holds them all (7 → 3 × 3, its last cells padded). At least 1 × 1.
pub(crate) fn tile_shape(units: usize) -> Tile {
    let floor = units.isqrt();
    let width = if floor * floor == units { floor } else { floor + 1 }.max(1);
    Tile { width, height: units.div_ceil(width).max(1) }
}

/// Says how many of `count` tiles a picture should show, so that it stays readable and a report small.
pub(crate) fn fitting(count: usize, tile: Tile) -> usize {
    count.min(TILES).min((PIXELS / ((tile.width + 1) * (tile.height + 1))).max(1))
}

/// Picks `shown` of `count` positions, evenly spread and in order.
pub(crate) fn spread(count: usize, shown: usize) -> Vec<usize> {
    let shown = shown.min(count);
    (0..shown).map(|i| i * count / shown).collect()
}

/// Draws tiles row by row, `columns` to a row, with lines of one pixel between and around them.
///
/// A tile is its values in row order. Missing values are padded, values too many left out.
pub(crate) fn grid(tiles: &[Vec<f32>], width: usize, height: usize, columns: usize, tone: Tone) -> Picture {
    let tiles: Vec<&[f32]> = tiles.iter().map(Vec::as_slice).collect();
    draw(&tiles, &Layout::new(Tile { width, height }, tiles.len(), columns, 1), tone)
}

/// Draws data in [0, 1] above their reconstructions: rows alternate, and a wider gap parts the pairs.
///
/// Where one list is longer, the rest of it is left out.
pub(crate) fn pairs(data: &[Vec<f32>], reconstructions: &[Vec<f32>], tile: Tile, columns: usize) -> Picture {
    let count = data.len().min(reconstructions.len());
    let columns = columns.clamp(1, count.max(1));
    let rows = data[..count].chunks(columns).zip(reconstructions[..count].chunks(columns));
    let mut tiles: Vec<&[f32]> = Vec::new();
    for (above, below) in rows {
        for row in [above, below] {
            tiles.extend(row.iter().map(Vec::as_slice));
            tiles.resize(tiles.len().next_multiple_of(columns), &[]);
        }
    }
    draw(&tiles, &Layout::new(tile, tiles.len(), columns, 2), Tone::Grey)
}

/// Encodes a picture as PNG with a palette; the same picture gives the same bytes.
pub(crate) fn encode(picture: &Picture) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A picture has at least one pixel and the length its sides promise, and a Vec takes every write.
    write(picture, &mut bytes).expect("a picture in memory is encoded");
    bytes
}

fn write(picture: &Picture, bytes: &mut Vec<u8>) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(bytes, picture.width as u32, picture.height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette(picture.tone));
    encoder.set_compression(png::Compression::High);
    // Differences of palette indices say little; unfiltered rows pack better.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.pixels)?;
    writer.finish()
}

/// Places tiles: where each begins, and how large the whole is.
struct Layout {
    tile: Tile,
    columns: usize,
    rows: usize,
    /// Rows that stand together before a wider gap.
    group: usize,
}

impl Layout {
    fn new(tile: Tile, tiles: usize, columns: usize, group: usize) -> Self {
        let columns = columns.clamp(1, tiles.max(1));
        Self { tile, columns, rows: tiles.div_ceil(columns), group }
    }

    fn width(&self) -> usize {
        self.columns * (self.tile.width + 1) + 1
    }

    fn height(&self) -> usize {
        1 + self.rows * (self.tile.height + 1) + self.wider(self.rows.saturating_sub(1))
    }

    /// Gives the first pixel row of a row of tiles.
    fn top(&self, row: usize) -> usize {
        1 + row * (self.tile.height + 1) + self.wider(row)
    }

    /// Gives the pixels added above a row by the wider gaps between groups.
    fn wider(&self, row: usize) -> usize {
        const MORE: usize = 4;
        if self.group > 1 { row / self.group * MORE } else { 0 }
    }

    /// Gives the position of a tile's first pixel.
    fn origin(&self, tile: usize) -> usize {
        self.top(tile / self.columns) * self.width() + 1 + tile % self.columns * (self.tile.width + 1)
    }
}

fn draw(tiles: &[&[f32]], layout: &Layout, tone: Tone) -> Picture {
    let (width, height) = (layout.width(), layout.height());
    let mut pixels = vec![GAP; width * height];
    let shared = largest(tiles.iter().copied().flatten());
    for (index, tile) in tiles.iter().enumerate() {
        let scale = if tone == Tone::DivergingEach { largest(tile.iter()) } else { shared };
        // A tile without width has no rows; `max` keeps `chunks` from a length of zero.
        let rows = tile.chunks(layout.tile.width.max(1)).take(layout.tile.height);
        for (y, row) in rows.enumerate() {
            let start = layout.origin(index) + y * width;
            paint(&mut pixels[start..][..layout.tile.width], row, tone, scale);
        }
    }
    Picture { width, height, tone, scale: if tone == Tone::Diverging { shared } else { 1.0 }, pixels }
}

fn paint(pixels: &mut [u8], values: &[f32], tone: Tone, scale: f32) {
    for (pixel, &value) in pixels.iter_mut().zip(values) {
        *pixel = if tone == Tone::Grey { grey(value) } else { diverging(value, scale) };
    }
}

fn grey(value: f32) -> u8 {
    if value.is_nan() { GAP } else { (value.clamp(0.0, 1.0) * 254.0).round() as u8 + 1 }
}

fn diverging(value: f32, scale: f32) -> u8 {
    if value.is_nan() { GAP } else { (MIDDLE + (value / scale).clamp(-1.0, 1.0) * 127.0).round() as u8 }
}

/// Gives the largest finite magnitude; 1 where all is zero, so that it can divide.
fn largest<'a>(values: impl Iterator<Item = &'a f32>) -> f32 {
    let most = values.map(|v| v.abs()).filter(|v| v.is_finite()).fold(0.0, f32::max);
    if most > 0.0 { most } else { 1.0 }
}

fn palette(tone: Tone) -> Vec<u8> {
    let colour = if tone == Tone::Grey { grey_colour } else { diverging_colour };
    GAP_COLOUR.into_iter().chain((1..=255).flat_map(colour)).collect()
}

fn grey_colour(index: u8) -> [u8; 3] {
    [(f32::from(index - 1) * 255.0 / 254.0).round() as u8; 3]
}

/// Goes straight from each of the five colours to the next.
fn diverging_colour(index: u8) -> [u8; 3] {
    let place = f32::from(index - 1) * 4.0 / 254.0;
    let left = (place as usize).min(3);
    let mix =
        |c: usize| DIVERGING[left][c] + (place - left as f32) * (DIVERGING[left + 1][c] - DIVERGING[left][c]);
    std::array::from_fn(|c| mix(c).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("header");
        let mut pixels = vec![0; reader.output_buffer_size().expect("size")];
        let info = reader.next_frame(&mut pixels).expect("frame");
        (info.width, info.height, pixels)
    }

    #[test]
    fn shapes_are_square_where_a_square_fits() {
        for (units, width, height) in
            [(784, 28, 28), (64, 8, 8), (1, 1, 1), (0, 1, 1), (7, 3, 3), (20, 5, 4), (500, 23, 22)]
        {
            assert_eq!(tile_shape(units), Tile { width, height }, "{units} units");
        }
    }

    #[test]
    fn a_grey_grid_survives_the_file() {
        let picture = grid(&[vec![0.0, 1.0], vec![2.0, -1.0], vec![f32::NAN]], 2, 1, 2, Tone::Grey);
        let (width, height, pixels) = decoded(&encode(&picture));
        assert_eq!((width, height), (7, 5));
        let at =
            |x: usize, y: usize| -> [u8; 3] { pixels[(y * 7 + x) * 3..][..3].try_into().expect("three") };
        assert_eq!([at(1, 1), at(2, 1)], [[0; 3], [255; 3]]);
        assert_eq!([at(4, 1), at(5, 1)], [[255; 3], [0; 3]], "values outside [0, 1] are clipped");
        assert_eq!([at(0, 0), at(3, 1), at(1, 3), at(5, 3)], [GAP_COLOUR; 4], "gap, gap, NaN, padding");
    }

    #[test]
    fn filters_are_blue_below_and_red_above_zero() {
        let tiles = [vec![-2.0, 0.0, 2.0], vec![-1.0, 0.0, 1.0]];
        let shared = grid(&tiles, 3, 1, 2, Tone::Diverging);
        assert_eq!(
            shared.pixels[10..].iter().take(8).copied().collect::<Vec<_>>(),
            [1, 128, 255, 0, 65, 128, 192, 0]
        );
        assert_eq!(shared.scale, 2.0);
        let each = grid(&tiles, 3, 1, 2, Tone::DivergingEach);
        assert_eq!(each.pixels[14..17], [1, 128, 255]);
        let [blue, white, red] = [1, 128, 255].map(diverging_colour);
        assert!(blue[2] > blue[0] && red[0] > red[2] && white.iter().all(|&c| c > 240));
    }

    #[test]
    fn pairs_put_the_reconstruction_below_its_data() {
        let data = vec![vec![1.0]; 3];
        let picture = pairs(&data, &vec![vec![0.0]; 3], Tile { width: 1, height: 1 }, 2);
        // Rows: data, its reconstruction, a gap of 1 + 4 pixels, and the same for the third.
        assert_eq!((picture.width, picture.height), (5, 13));
        let column: Vec<u8> = picture.pixels.chunks(5).map(|row| row[1]).collect();
        assert_eq!(column, [0, 255, 0, 1, 0, 0, 0, 0, 0, 255, 0, 1, 0]);
        assert!(picture.pixels.chunks(5).skip(5).all(|row| row[3] == GAP), "the fourth place is empty");
    }

    #[test]
    fn degenerate_grids_are_still_pictures() {
        for picture in [
            grid(&[], 28, 28, 16, Tone::Grey),
            grid(&[vec![]], 0, 0, 0, Tone::Diverging),
            grid(&[vec![f32::INFINITY, f32::NAN, 0.0]], 1, 2, 9, Tone::DivergingEach),
            pairs(&[], &[vec![1.0]], Tile { width: 2, height: 2 }, 0),
        ] {
            let (width, height, _) = decoded(&encode(&picture));
            assert_eq!((width as usize, height as usize), (picture.width, picture.height));
        }
    }

    #[test]
    fn what_is_shown_is_bounded_and_spread() {
        assert_eq!(fitting(1024, tile_shape(784)), 256);
        assert_eq!(fitting(1024, tile_shape(40_000)), 9);
        assert_eq!(fitting(3, tile_shape(10_000_000)), 1);
        assert_eq!(spread(10, 5), [0, 2, 4, 6, 8]);
        assert_eq!(spread(3, 5), [0, 1, 2], "no more than there are");
    }
}
