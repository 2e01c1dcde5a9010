//! Reads data sets and hands them out in batches.
pub fn shuffled(_rows: usize, _key: crate::Key, _epoch: u64) -> Vec<u32> { Vec::new() }
