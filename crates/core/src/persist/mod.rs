//! Saves models and checkpoints so that a file is old or new, never torn.
