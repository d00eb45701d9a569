//! The program from outside: every test runs the real binary.

mod cli;
mod crash;
mod durability;
mod readme;
mod server;
mod tidy;
