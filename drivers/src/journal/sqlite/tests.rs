//! What only this driver has to show.
