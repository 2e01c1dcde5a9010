//! Makes up the files that the tables name.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ndarray::Array2;
use ndarray_npy::NpzWriter;

use crate::common::{Place, npy_bytes};

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn idx(magic: u32, sides: &[u32], bytes: &[u8]) -> Vec<u8> {
    let head = std::iter::once(&magic).chain(sides).flat_map(|word| word.to_be_bytes());
    head.chain(bytes.iter().copied()).collect()
}

/// Makes an npy file of four rows of four bytes, with another shape or type written in its header.
fn npy_with(from: &str, to: &str) -> Vec<u8> {
    let whole = npy_bytes(&Array2::<u8>::ones((4, 4)));
    let at = whole.windows(from.len()).position(|part| part == from.as_bytes()).expect("a header");
    // Blanks pad the header to 127 bytes and a line feed.
    let mut head = [&whole[..at], to.as_bytes(), &whole[at + from.len()..127]].concat();
    head.resize(127, b' ');
    [&head[..], &whole[127..]].concat()
}

/// Lays out all files that the tables name.
pub(crate) fn place() -> Place {
    let place = Place::new();
    let bad =
        |name: &str, value: f32| place.npy(name, 4, 4, |r, c| if (r, c) == (1, 2) { value } else { 1.0 });
    for (name, value) in [
        ("nan.npy", f32::NAN),
        ("inf.npy", f32::INFINITY),
        ("minus-inf.npy", f32::NEG_INFINITY),
        ("low.npy", -0.1),
        ("high.npy", 1.5),
        ("255.npy", 255.0),
        ("grey.npy", 0.5),
    ] {
        bad(name, value);
    }
    place.npy("overflow.npy", 4, 4, |r, c| if (r, c) == (1, 2) { 1e39_f64 } else { 1.0 });
    place.npy("bits.npy", 8, 4, |r, c| f32::from(u8::from((r + c) % 3 == 0)));
    place.npy("wide.npy", 8, 5, |r, c| f32::from(u8::from((r + c) % 3 == 0)));
    place.npy("large.npy", 2, 26, |_, c| f32::from(u8::from(c > 3)));
    place.npy("bytes.npy", 4, 3, |_, c| if c == 1 { 7_u8 } else { 0 });
    place.npy("packed.npy", 2, 2, |r, c| if (r, c) == (1, 1) { 0b0001_0000_u8 } else { 0 });
    place.npy("w.npy", 4, 3, |r, c| r as f32 * 0.25 - c as f32 * 0.5);
    place.npy("b.npy", 1, 4, |_, c| c as f32);
    place.npy("c.npy", 3, 1, |r, _| r as f32 - 1.0);
    place.npy("nanb.npy", 1, 4, |_, c| if c == 3 { f32::NAN } else { 0.0 });
    text_files(&place);
    broken_files(&place);
    models(&place);
    ["out.npy", "out.txt", "out.png", "out.npz", "out.hmn", "out.csv", "out"]
        .iter()
        .for_each(|name| place.write(name, "kept"));
    place
}

fn text_files(place: &Place) {
    for (name, text) in [
        ("nan.csv", &b"0,1,1\n1,0,nan\n"[..]),
        ("inf.csv", b"0,1,1\n1,0,-inf\n"),
        ("1e400.csv", b"0,1e400\n"),
        ("hex.csv", b"0x1p3,1\n"),
        ("comma.csv", b"1,0\n0,5,1,0\n"),
        ("word.csv", b"1,0\n0,grey\n"),
        ("ragged.csv", b"1,0\n1,1\n1\n"),
        ("gap.csv", b"1,0\n\n1,1\n"),
        ("hole.csv", b"1,,0\n"),
        ("header.csv", b"left,right\n"),
        ("latin.csv", b"1\n\xe9\n"),
        ("empty.csv", b""),
        ("blank.csv", b"\n\n"),
        ("bits.csv", b"0,1\n1,0\n"),
        ("gaps.csv", b"1.5,?,2,0\nNA,1,3,1\n2,1,,1\n0,2,1,nan\n"),
        ("gaps5.csv", b"1.5,?,2,0,1\n"),
        ("named.csv", b"kg,word\n61,a\n70,b\n65,c\n"),
        ("empty-column.csv", b"1,\n2,\n"),
        ("bad.json", b"{"),
        ("name.json", b"{\"columns\": [{\"name\": \"weight\"}]}"),
        ("kind.json", b"{\"columns\": [{\"name\": \"1\", \"kind\": \"bell\"}]}"),
        ("bits.json", b"{\"columns\": [{\"name\": \"word\", \"kind\": \"bernoulli\"}]}"),
        (
            "classes.json",
            b"{\"columns\": [{\"name\": \"word\", \"kind\": \"categorical\", \"classes\": [\"a\", \"b\"]}]}",
        ),
        ("good.gset", b"3 2\n1 2 1\n2 3 -1\n"),
        ("loop.gset", b"3 2\n1 2 1\n2 2 1\n"),
        ("twice.gset", b"3 2\n1 2 1\n2 1 1\n"),
        ("nan.gset", b"3 2\n1 2 nan\n2 3 1\n"),
        ("notes.txt", b"0,1\n"),
        ("text.npy", b"0,1\n"),
        ("text.npz", b"0,1\n"),
        ("text.csv.gz", b"0,1\n"),
        ("empty.npy", b""),
        ("empty.npz", b""),
        ("empty-ubyte", b""),
        ("empty.csv.gz", b""),
    ] {
        place.write(name, text);
    }
}

fn broken_files(place: &Place) {
    let whole = npy_bytes(&Array2::<u8>::ones((4, 4)));
    assert_eq!(whole.len(), 144, "a header of 128 bytes");
    let whole = npy_bytes(&Array2::<f32>::ones((4, 4)));
    place.write("short.npy", &whole[..whole.len() - 1]);
    place.write("long.npy", [&whole[..], b"x"].concat());
    place.write("head.npy", &whole[..40]);
    place.write("no-rows.npy", &npy_with("(4, 4)", "(0, 4)")[..128]);
    place.write("no-columns.npy", &npy_with("(4, 4)", "(4, 0)")[..128]);
    place.write("scalar.npy", &npy_with("(4, 4)", "()")[..129]);
    place.write("object.npy", npy_with("'|u1'", "'|O'"));
    let packed = gz(b"0,1\n1,0\n");
    place.write("hollow.csv.gz", gz(b""));
    place.write("cut.csv.gz", &packed[..packed.len() - 3]);
    place.write("tail.csv.gz", [&packed[..], b"more"].concat());
    place.write("signed-ubyte", idx(0x0903, &[1, 1, 1], &[0]));
    place.write("rank-ubyte", idx(0x0803, &[1, 1], &[]));
    place.write("short-ubyte", idx(0x0802, &[2, 2], &[0, 0, 0]));
    place.write("none-ubyte", idx(0x0802, &[0, 2], &[]));
    place.write("huge-ubyte", idx(0x0803, &[u32::MAX, u32::MAX, u32::MAX], &[0]));
    place.write("grey-ubyte", idx(0x0802, &[2, 2], &[0, 255, 128, 0]));
    let mut npz = NpzWriter::new(std::io::Cursor::new(Vec::new()));
    let ones = Array2::<f32>::ones((4, 3));
    ["a", "b"].iter().for_each(|name| npz.add_array(*name, &ones).expect("an array"));
    place.write("two.npz", npz.finish().expect("an archive").into_inner());
    std::fs::create_dir(place.path("folder.npy")).expect("a folder");
}

fn models(place: &Place) {
    let import = "import --weights w.npy --visible-bias b.npy --hidden-bias c.npy --out model.hmn";
    place.words(import).ok();
    place.npy("ww.npy", 26, 26, |_, _| 0.0_f32);
    place.npy("bb.npy", 26, 1, |_, _| 0.0_f32);
    place.words("import --weights ww.npy --visible-bias bb.npy --hidden-bias bb.npy --out large.hmn").ok();
    place.words("train bits.npy --hidden 2 --epochs 1 --betas 0 --out run").ok();
    let stack = "train bits.npy --model dbn --layers 2,2 --labels none --epochs 1 --tune-epochs 0 --betas 0 --out stack";
    place.words(stack).ok();
    std::fs::rename(place.path("stack/model.hmn"), place.path("deep.hmn")).expect("a model");
    ["folder.csv"].iter().for_each(|name| std::fs::create_dir(place.path(name)).expect("a folder"));
    place.words("train bits.npy --visible gaussian --hidden 2 --epochs 1 --betas 0 --out real").ok();
}
