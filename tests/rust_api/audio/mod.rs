//! Files and sample rates.

mod decode;
mod hang;
mod resample;
mod sources;
