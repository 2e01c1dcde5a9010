//! Unpacks gzip, told by its content and by its name.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::{GzDecoder, MultiGzDecoder};

use super::file::{self, read_bounded};
use crate::Error;

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks bytes that begin as gzip does; hands others on, unless the file was `named` as gzip.
pub(super) fn unpack(field: &str, bytes: Vec<u8>, named: bool) -> Result<Vec<u8>, Error> {
    if bytes.starts_with(&MAGIC) {
        return unpack_members(field, &bytes);
    }
    if named {
        return Err(Error::format(field, "byte 0", "gzip, which begins 1f 8b", begin(&bytes)));
    }
    Ok(bytes)
}

/// Opens a file that is unpacked as [`unpack`] does, but while it is read; damage shows as an error of reading, at the
/// latest at its end.
pub(super) fn reader(path: &Path, named: bool) -> Result<Box<dyn Read>, Error> {
    let mut source = BufReader::new(file::open(path)?.0);
    let bytes = source.fill_buf().map_err(|e| Error::io("read", path, e))?;
    if bytes.starts_with(&MAGIC) {
        return Ok(Box::new(MultiGzDecoder::new(source)));
    }
    if named {
        return Err(Error::format(path.display(), "byte 0", "gzip, which begins 1f 8b", begin(bytes)));
    }
    Ok(Box::new(source))
}

/// Reads a file of text, plain or gzipped.
///
/// # Errors
/// Says what could not be read, and where text is not UTF-8.
pub fn text(path: &Path) -> Result<String, Error> {
    let field = path.display().to_string();
    let named = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    let bytes = unpack(&field, file::read(path)?, named)?;
    String::from_utf8(bytes).map_err(|e| {
        let place = format!("byte {}", e.utf8_error().valid_up_to());
        Error::format(field, place, "text in UTF-8", "other bytes")
    })
}

fn unpack_members(field: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let (mut rest, mut out) = (bytes, Vec::new());
    while !rest.is_empty() {
        let place = format!("the gzip member at byte {}", bytes.len() - rest.len());
        let mut member = GzDecoder::new(rest);
        out = read_bounded(&mut member, out)
            .map_err(|e| Error::format(field, place, "whole gzip data and nothing behind it", e))?;
        rest = member.into_inner();
    }
    if out.is_empty() {
        return Err(Error::format(field, "", "data", "an empty file, packed"));
    }
    out.shrink_to_fit();
    Ok(out)
}

fn begin(bytes: &[u8]) -> String {
    bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Vec<u8> {
        (0..20_000_u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 7).to_le_bytes()).collect()
    }

    #[test]
    fn what_was_packed_comes_back() {
        let packed = pack(&text());
        assert_eq!(unpack("f", packed.clone(), true).unwrap(), text());
        assert_eq!(unpack("f", packed.clone(), false).unwrap(), text());
        assert_eq!(unpack("f", [packed.clone(), packed].concat(), true).unwrap(), [text(), text()].concat());
        assert_eq!(unpack("f", b"0,1".to_vec(), false).unwrap(), b"0,1");
    }

    #[test]
    fn a_cut_at_every_hundredth_byte_is_refused() {
        let packed = pack(&text());
        for end in (0..packed.len()).step_by(100).chain(1..64).chain(packed.len() - 64..packed.len()) {
            assert!(unpack("f", packed[..end].to_vec(), true).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn bytes_behind_the_end_are_refused() {
        for tail in [&[0_u8][..], &[0; 64], b"garbage", &[0x1f], &[0x1f, 0x8b]] {
            let error = unpack("f", [pack(&text()), tail.to_vec()].concat(), true).unwrap_err();
            assert!(error.to_string().contains("nothing behind it"), "{error}");
        }
    }

    #[test]
    fn a_wrong_checksum_and_an_empty_content_are_refused() {
        let mut packed = pack(&text());
        let crc = packed.len() - 8;
        packed[crc] ^= 1;
        assert!(unpack("f", packed, true).is_err());
        assert!(unpack("f", pack(&[]), true).is_err());
        assert!(unpack("f", b"0,1".to_vec(), true).unwrap_err().to_string().contains("30 2c 31"));
    }
}
