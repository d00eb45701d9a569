//! The suite every journal driver passes.
