//! Shows pictures with captions that say what one sees.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::html::{Html, element, void, words};
use crate::picture::{Picture, Tone, encode};

/// Bytes of the largest PNG that is shown; three of them in base64 stay below 2 MB.
pub(super) const BYTES: usize = 450_000;
/// Pixels of the column that holds a picture on a wide screen.
const COLUMN: usize = 1000;

/// Holds a picture and what the caller knows about it.
#[derive(Clone, Debug)]
pub(crate) struct Plate {
    /// The grid of tiles.
    pub(crate) picture: Picture,
    /// The facts of this picture, say "256 of 500 hidden units, evenly spread"; may be empty.
    pub(crate) note: String,
    /// The values that black and white stand for, in a grey picture.
    pub(crate) ends: [f32; 2],
}

impl Plate {
    /// Shows a picture whose values lie between 0 and 1.
    pub(crate) fn new(picture: Picture, note: String) -> Self {
        Self { picture, note, ends: [0.0, 1.0] }
    }
}

/// Says what the tiles of a plate are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Samples,
    Filters,
    Weights,
    Layer,
    Reconstructions,
}

impl Subject {
    fn alt(self) -> &'static str {
        match self {
            Self::Samples => "Grid of samples drawn from the model",
            Self::Filters => "Grid of the weights of hidden units",
            Self::Layer => "Grid of what the units of a layer look for in the rows",
            Self::Weights => "Matrix of the weights between columns and hidden units",
            Self::Reconstructions => "Grid of data rows, each above its reconstruction",
        }
    }

    fn caption(self, plate: &Plate) -> String {
        let what = match self {
            Self::Samples => "Each tile is one sample drawn from the model.",
            Self::Filters => "Each tile is one hidden unit’s weights to the visible units.",
            Self::Weights => {
                "Each line is a feature of the data in the order of the table above, each column a hidden unit."
            }
            Self::Layer => "Each tile is what one unit looks for in the rows.",
            Self::Reconstructions => {
                "Each tile of an upper row is a row of the data; below it is the model’s reconstruction of it."
            }
        };
        format!("{what} {}", colours(plate))
    }
}

/// Says what the colours stand for.
fn colours(plate: &Plate) -> String {
    let (scale, [black, white]) = (plate.picture.scale, plate.ends);
    match plate.picture.tone {
        Tone::Grey => format!("Black is {black}, white is {white}."),
        Tone::Diverging => format!(
            "Blue is negative, white zero, red positive; all tiles share one scale, from −{scale:.3} to +{scale:.3}."
        ),
        Tone::DivergingEach => {
            "Blue is negative, white zero, red positive; each tile is scaled by its own largest magnitude."
                .into()
        }
    }
}

/// Draws a plate as a figure with its caption.
pub(super) fn figure(plate: &Plate, subject: Subject) -> Html {
    let png = encode(&plate.picture);
    let shown = if png.len() <= BYTES { image(&plate.picture, &png, subject) } else { absent(png.len()) };
    let caption = words("figcaption", "", format!("{} {}", subject.caption(plate), plate.note).trim());
    element("figure", &[], [shown, caption])
}

/// Embeds the PNG, enlarged by a whole factor where the column has room, so that pixels stay square.
fn image(picture: &Picture, png: &[u8], subject: Subject) -> Html {
    let source = format!("data:image/png;base64,{}", STANDARD.encode(png));
    let factor = (COLUMN / picture.width).clamp(1, 8);
    let [width, height] = [picture.width, picture.height].map(|side| (side * factor).to_string());
    void("img", &[("src", &source), ("width", &width), ("height", &height), ("alt", subject.alt())])
}

fn absent(bytes: usize) -> Html {
    let text = format!(
        "Not shown: the picture takes {} kB, and a report holds at most {} kB of each.",
        bytes.div_ceil(1000),
        BYTES / 1000
    );
    words("p", "note", text)
}
