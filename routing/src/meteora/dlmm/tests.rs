//! Properties that hold for every pool.
