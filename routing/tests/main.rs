//! What the crate gives, held against recorded results.

mod data;
mod properties;
mod vectors;
