//! Trains deep belief networks machine by machine, and samples, bounds and fine-tunes them (Hinton, Osindero & Teh 2006).
