//! Reads a container: head, section table, sections and digest, each checked before it is believed.

use std::fmt::Display;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use super::encode::LIMIT;
use super::layout::{
    CHECKSUM, DIGEST, ENTRY, HEAD, Head, Kind, MAGIC, MAX_FRONT, MAX_SECTIONS, Section, SectionKind, VERSION,
};
use super::vfs::{Source, Vfs};
use crate::error::Error;

// Everything is read through one buffer of this size, whatever a file says of its own. A multiple of 8, so
// that no number of a tensor straddles two chunks.
const BUFFER: usize = 64 * 1024;

/// A container whose checksums and digest fit its bytes.
pub(super) struct Container {
    file: Box<dyn Source>,
    path: PathBuf,
    kind: Kind,
    sections: usize,
    front: Box<[u8]>,
    buffer: Box<[u8]>,
}

impl Container {
    /// Opens and verifies a file: steps 1 to 4 of reading, in their order.
    pub(super) fn open(vfs: &dyn Vfs, path: &Path) -> Result<Self, Error> {
        let file = vfs.open(path).map_err(|e| Error::io("open", path, e))?;
        let mut container = Self {
            file,
            path: path.to_path_buf(),
            kind: Kind::Model,
            sections: 0,
            front: vec![0; MAX_FRONT].into(),
            buffer: vec![0; BUFFER].into(),
        };
        container.check_head()?;
        container.check_table()?;
        container.check_layout()?;
        container.check_contents()?;
        Ok(container)
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn sections(&self) -> usize {
        self.sections
    }

    /// Gives an entry of the table, whose index is below [`Self::sections`].
    pub(super) fn section(&self, index: usize) -> Section {
        let mut entry = [0; ENTRY];
        let from = HEAD + index * ENTRY;
        entry.copy_from_slice(&self.front[from..from + ENTRY]);
        Section::from_bytes(&entry)
    }

    /// Refuses something `at` bytes behind the start of a section.
    pub(super) fn refuse(&self, index: usize, at: u64, expected: impl Display, got: impl Display) -> Error {
        // Offsets were checked against the real length, so the sum cannot overflow.
        self.refuse_at(&part(index), self.section(index).offset + at, expected, got)
    }

    /// Reads the first bytes of a section, as many as fit `start`, and gives their number.
    pub(super) fn read_start(&mut self, index: usize, start: &mut [u8]) -> Result<usize, Error> {
        let section = self.section(index);
        let length = start.len().min(usize::try_from(section.length).unwrap_or(usize::MAX));
        self.seek(section.offset)?;
        self.file.read_exact(&mut start[..length]).map_err(|e| Error::io("read", &self.path, e))?;
        Ok(length)
    }

    /// Hands on the bytes of a section behind the first `skip` in chunks whose length, but for the last, is
    /// a multiple of 8, and checks once more that they are the bytes that were verified.
    pub(super) fn read_values(
        &mut self,
        index: usize,
        skip: usize,
        each: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        let section = self.section(index);
        self.seek(section.offset)?;
        let checksum = self.stream(section.length, skip, each)?;
        if checksum == section.checksum {
            return Ok(());
        }
        Err(self.refuse(index, 0, "the bytes that were verified", "a file changed while it was read"))
    }

    // Step 1.
    fn check_head(&mut self) -> Result<(), Error> {
        let length = self.file.length();
        let least = (HEAD + ENTRY + CHECKSUM + DIGEST) as u64;
        if length < least {
            return Err(self.refuse_at("file", length, format!("at least {least} bytes"), length));
        }
        self.read_front(0, HEAD)?;
        let mut bytes = [0; HEAD];
        bytes.copy_from_slice(&self.front[..HEAD]);
        self.check_head_fields(Head::from_bytes(&bytes), length)
    }

    fn check_head_fields(&mut self, head: Head, length: u64) -> Result<(), Error> {
        let wrong = |at, expected: String, got: String| Err(self.refuse_at("head", at, expected, got));
        if head.magic != MAGIC {
            return wrong(
                0,
                "a Harmonium file".into(),
                format!("other bytes: {}", head.magic.escape_ascii()),
            );
        }
        if head.version != VERSION {
            return wrong(8, format!("version {VERSION}"), format!("version {}", head.version));
        }
        if head.length != length {
            return wrong(16, format!("{} bytes in the file", head.length), length.to_string());
        }
        if head.flags != 0 {
            return wrong(11, "flags 0".into(), head.flags.to_string());
        }
        let Some(kind) = Kind::from_code(head.kind) else {
            return wrong(10, "kind 1 (model) or 2 (checkpoint)".into(), head.kind.to_string());
        };
        let sections = head.sections as usize;
        if !(1..=MAX_SECTIONS).contains(&sections) {
            return wrong(12, format!("1 to {MAX_SECTIONS} sections"), head.sections.to_string());
        }
        (self.kind, self.sections) = (kind, sections);
        Ok(())
    }

    // Step 2. The checksum covers the head, too.
    fn check_table(&mut self) -> Result<(), Error> {
        let end = HEAD + self.sections * ENTRY;
        let least = (end + CHECKSUM + DIGEST) as u64;
        if self.file.length() < least {
            return Err(self.refuse_at("section table", 12, format!("{least} bytes"), self.file.length()));
        }
        self.read_front(HEAD, end + CHECKSUM)?;
        let stored: [u8; CHECKSUM] = copied(&self.front[end..end + CHECKSUM]);
        let found = crc32c::crc32c(&self.front[..end]);
        self.check_checksum("section table", end as u64, u32::from_le_bytes(stored), found)
    }

    // Step 3.
    fn check_layout(&self) -> Result<(), Error> {
        let mut next = self.front_end() as u64;
        for index in 0..self.sections {
            let section = self.section(index);
            self.check_section(index, section, next)?;
            next = section.offset.checked_add(section.length).ok_or_else(|| {
                self.refuse_entry(index, 16, "an end below 2⁶⁴", format!("length {}", section.length))
            })?;
        }
        let end = self.file.length() - DIGEST as u64;
        if next == end {
            return Ok(());
        }
        Err(self.refuse_entry(self.sections - 1, 16, format!("sections up to byte {end}"), next))
    }

    fn check_section(&self, index: usize, section: Section, next: u64) -> Result<(), Error> {
        let kind = if index == 0 { SectionKind::Header } else { SectionKind::Tensor };
        if section.kind != kind.code() {
            let expected = format!("kind {} ({})", kind.code(), part(index));
            return Err(self.refuse_entry(index, 0, expected, section.kind));
        }
        if section.reserved != 0 {
            return Err(self.refuse_entry(index, 2, "0 in the reserved bytes", section.reserved));
        }
        if section.offset != next {
            return Err(self.refuse_entry(index, 8, format!("offset {next}"), section.offset));
        }
        if index == 0 && section.length > LIMIT as u64 {
            return Err(self.refuse_entry(index, 16, format!("at most {LIMIT} bytes"), section.length));
        }
        Ok(())
    }

    // Step 4.
    fn check_contents(&mut self) -> Result<(), Error> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.front[..self.front_end()]);
        for index in 0..self.sections {
            let Section { offset, length, checksum, .. } = self.section(index);
            self.seek(offset)?;
            let found = self.stream(length, 0, |bytes| {
                hasher.update(bytes);
            })?;
            self.check_checksum(&part(index), offset, checksum, found)?;
        }
        let mut stored = [0; DIGEST];
        self.file.read_exact(&mut stored).map_err(|e| Error::io("read", &self.path, e))?;
        let (expected, got) = (blake3::Hash::from_bytes(stored), hasher.finalize());
        if expected == got {
            return Ok(());
        }
        let at = self.file.length() - DIGEST as u64;
        Err(self.refuse_at("digest", at, format!("bytes of BLAKE3 {expected}"), got))
    }

    // Reads `length` bytes from where the file stands and gives their checksum.
    fn stream(&mut self, length: u64, skip: usize, mut each: impl FnMut(&[u8])) -> Result<u32, Error> {
        let mut checksum = 0;
        let mut left = length;
        let mut skipped = skip as u64;
        while left > 0 {
            let most = if skipped > 0 { skipped } else { left };
            let size = most.min(left).min(BUFFER as u64);
            let chunk = &mut self.buffer[..size as usize];
            self.file.read_exact(chunk).map_err(|e| Error::io("read", &self.path, e))?;
            checksum = crc32c::crc32c_append(checksum, chunk);
            if skipped == 0 {
                each(chunk);
            }
            skipped = skipped.saturating_sub(size);
            left -= size;
        }
        Ok(checksum)
    }

    fn check_checksum(&self, part: &str, at: u64, stored: u32, found: u32) -> Result<(), Error> {
        if mutant!("B59", stored == found, true) {
            return Ok(());
        }
        Err(self.refuse_at(part, at, format!("bytes of CRC32C {stored:08x}"), format!("{found:08x}")))
    }

    fn front_end(&self) -> usize {
        HEAD + self.sections * ENTRY + CHECKSUM
    }

    fn read_front(&mut self, from: usize, to: usize) -> Result<(), Error> {
        self.seek(from as u64)?;
        self.file.read_exact(&mut self.front[from..to]).map_err(|e| Error::io("read", &self.path, e))
    }

    fn seek(&mut self, offset: u64) -> Result<(), Error> {
        let moved = self.file.seek(SeekFrom::Start(offset));
        moved.map(drop).map_err(|e| Error::io("seek", &self.path, e))
    }

    fn refuse_entry(&self, index: usize, at: usize, expected: impl Display, got: impl Display) -> Error {
        let what = format!("section table, {}", part(index));
        self.refuse_at(&what, (HEAD + index * ENTRY + at) as u64, expected, got)
    }

    fn refuse_at(&self, part: &str, byte: u64, expected: impl Display, got: impl Display) -> Error {
        Error::format(format!("{}: {part}", self.path.display()), format!("byte {byte}"), expected, got)
    }
}

fn part(index: usize) -> String {
    if index == 0 { "header".into() } else { format!("tensor section {index}") }
}

fn copied<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(bytes);
    out
}
