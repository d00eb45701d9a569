//! DAMM v2 against its vectors, and the properties that every pool has.
