//! The suite every venue driver passes.
