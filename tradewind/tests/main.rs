//! The program from outside: every test runs the real binary.

mod bench;
mod cli;
mod cluster;
mod crash;
mod demo_data;
mod durability;
mod keys;
mod listen;
mod proof;
mod queue;
mod readme;
mod roles;
mod route;
mod schema;
mod server;
mod shop;
mod sqs;
mod stopping;
mod strangers;
mod tidy;
mod trading;
mod venues;
mod wallet;
mod webhooks;
