//! Names the parameters of layers: a name of a block lives as long as the program.

use harmonium_core::Error;

/// Layers that a stack can have.
pub const MAX_LAYERS: usize = 16;

macro_rules! numbered {
    ($($item:ident $stem:literal)*) => { $(
        pub(crate) const $item: [&str; MAX_LAYERS] = [
            concat!($stem, "_1"), concat!($stem, "_2"), concat!($stem, "_3"), concat!($stem, "_4"),
            concat!($stem, "_5"), concat!($stem, "_6"), concat!($stem, "_7"), concat!($stem, "_8"),
            concat!($stem, "_9"), concat!($stem, "_10"), concat!($stem, "_11"), concat!($stem, "_12"),
            concat!($stem, "_13"), concat!($stem, "_14"), concat!($stem, "_15"), concat!($stem, "_16"),
        ];
    )* };
}

numbered! {
    WEIGHTS "weights"
    BIAS "bias"
}

/// Refuses stacks without layers and with more than have names.
pub(crate) fn check_depth(layers: usize) -> Result<(), Error> {
    if (1..=MAX_LAYERS).contains(&layers) {
        return Ok(());
    }
    Err(Error::option("layers", format!("1 to {MAX_LAYERS}"), layers))
}
