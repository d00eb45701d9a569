//! The program from outside: every test runs the real binary.

mod bench;
mod cli;
mod cluster;
mod crash;
mod durability;
mod proof;
mod readme;
mod roles;
mod route;
mod schema;
mod server;
mod stopping;
mod strangers;
mod tidy;
