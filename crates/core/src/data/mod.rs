//! Reads data sets and hands them out in batches.
