//! The suite every export driver passes.
