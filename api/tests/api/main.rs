//! The API over real sockets: a real engine on a temporary journal, the paper venue at once.

mod bad_input;
mod best_execution;
mod connections;
mod dex;
mod dex_sockets;
mod health;
mod limits;
mod retention;
mod site;
mod streams;
mod swaps;
