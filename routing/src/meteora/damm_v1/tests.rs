//! DAMM v1.
