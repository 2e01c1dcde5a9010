//! Lays out the head and the section table of a container, byte for byte as in `FORMAT.md`.

/// The first bytes of every file. The first is no text and the last is a line feed, so a transfer that
/// takes the file for text damages them and is noticed at once.
pub(super) const MAGIC: [u8; 8] = *b"\x89HARMON\n";
/// The version written, and the only one read.
pub(super) const VERSION: u16 = 1;
pub(super) const HEAD: usize = 24;
pub(super) const ENTRY: usize = 24;
pub(super) const CHECKSUM: usize = 4;
pub(super) const DIGEST: usize = 32;
/// The most sections, so that the table fits a buffer whose size no file decides.
pub(super) const MAX_SECTIONS: usize = 1024;
/// Head, largest table and its checksum.
pub(super) const MAX_FRONT: usize = HEAD + ENTRY * MAX_SECTIONS + CHECKSUM;

/// What a container holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A model: what is needed to sample and to score.
    Model,
    /// A checkpoint: what is needed to go on training.
    Checkpoint,
}

impl Kind {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Model => 1,
            Self::Checkpoint => 2,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        [Self::Model, Self::Checkpoint].into_iter().find(|kind| kind.code() == code)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Model => "a model",
            Self::Checkpoint => "a checkpoint",
        }
    }
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionKind {
    Header,
    Tensor,
}

impl SectionKind {
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Header => 1,
            Self::Tensor => 2,
        }
    }
}

/// The head as it stands in the file, nothing believed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) magic: [u8; 8],
    pub(super) version: u16,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) sections: u32,
    pub(super) length: u64,
}

impl Head {
    pub(super) fn to_bytes(self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..8].copy_from_slice(&self.magic);
        bytes[8..10].copy_from_slice(&self.version.to_le_bytes());
        bytes[10] = self.kind;
        bytes[11] = self.flags;
        bytes[12..16].copy_from_slice(&self.sections.to_le_bytes());
        bytes[16..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; HEAD]) -> Self {
        Self {
            magic: take(bytes, 0),
            version: u16::from_le_bytes(take(bytes, 8)),
            kind: bytes[10],
            flags: bytes[11],
            sections: u32::from_le_bytes(take(bytes, 12)),
            length: u64::from_le_bytes(take(bytes, 16)),
        }
    }
}

/// One entry of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) kind: u16,
    pub(super) reserved: u16,
    pub(super) checksum: u32,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Section {
    pub(super) fn to_bytes(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[..2].copy_from_slice(&self.kind.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.reserved.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; ENTRY]) -> Self {
        Self {
            kind: u16::from_le_bytes(take(bytes, 0)),
            reserved: u16::from_le_bytes(take(bytes, 2)),
            checksum: u32::from_le_bytes(take(bytes, 4)),
            offset: u64::from_le_bytes(take(bytes, 8)),
            length: u64::from_le_bytes(take(bytes, 16)),
        }
    }
}

// The ranges are constants within the arrays above, so the copy cannot miss.
fn take<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[from..from + N]);
    out
}
