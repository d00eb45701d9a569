//! The venues of `tradewind simnet` by way of their own interfaces: the same prices as our router, and an end for every order
//! whatever they do.

mod faults;
mod quotes;
