//! Measures models.
