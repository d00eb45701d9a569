//! What the crate gives, held against recorded results.

mod data;
mod properties;
mod routes;
mod vectors;
