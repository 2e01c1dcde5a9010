//! Writes a container from front to back, without a second copy of what goes into it.

use std::io::{self, Write};

use super::layout::{CHECKSUM, DIGEST, ENTRY, HEAD, Head, Kind, MAGIC, Section, SectionKind, VERSION};

/// What goes into a section; it is written twice, once to be measured.
pub(super) trait Payload {
    fn kind(&self) -> SectionKind;
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Writes a container of at most [`MAX_SECTIONS`](super::layout::MAX_SECTIONS) payloads, the header first.
pub(super) fn compose(kind: Kind, payloads: &[&dyn Payload], out: &mut dyn Write) -> io::Result<()> {
    let front = front(kind, payloads)?;
    let mut out = Hashing { out, hasher: blake3::Hasher::new() };
    out.write_all(&front)?;
    for payload in payloads {
        payload.write_to(&mut out)?;
    }
    let digest = out.hasher.finalize();
    out.out.write_all(digest.as_bytes())
}

// Lengths and checksums stand before the contents, so the contents are produced once for them alone; that
// is cheaper than a second copy of a model in memory.
fn front(kind: Kind, payloads: &[&dyn Payload]) -> io::Result<Vec<u8>> {
    let mut offset = (HEAD + payloads.len() * ENTRY + CHECKSUM) as u64;
    let mut table = Vec::with_capacity(payloads.len() * ENTRY);
    for payload in payloads {
        let mut measure = Measure::default();
        payload.write_to(&mut measure)?;
        let Measure { length, checksum } = measure;
        let section = Section { kind: payload.kind().code(), reserved: 0, checksum, offset, length };
        table.extend(section.to_bytes());
        offset += length;
    }
    let (sections, length) = (payloads.len() as u32, offset + DIGEST as u64);
    let head = Head { magic: MAGIC, version: VERSION, kind: kind.code(), flags: 0, sections, length };
    let mut front = head.to_bytes().to_vec();
    front.extend(table);
    front.extend(crc32c::crc32c(&front).to_le_bytes());
    Ok(front)
}

#[derive(Default)]
struct Measure {
    length: u64,
    checksum: u32,
}

impl Write for Measure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length += bytes.len() as u64;
        self.checksum = crc32c::crc32c_append(self.checksum, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Hashing<'a> {
    out: &'a mut dyn Write,
    hasher: blake3::Hasher,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
