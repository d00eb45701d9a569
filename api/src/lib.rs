//! HTTP, WebSocket, SSE, the facades and the OpenAPI document. Only here: statuses and JSON shapes.
//!
//! Start with `routes`, which has every route on one page; each handler extracts, makes one call, and shows a view.

mod routes;
mod server;

mod bids;
mod buyers;
mod cache;
mod catalogue;
mod deals;
mod envelope;
mod events;
mod invoices;
mod keys;
mod operator;
mod plans;
mod position;
mod quotes;
mod shop;
mod sockets;
mod stream;
mod swaps;
mod terms;
mod tokens;
mod webhooks;

mod account;
mod body;
mod command;
mod csv;
mod cursor;
mod idempotency;
mod page;
mod pass;
mod query;
mod seen;
mod sides;

mod facades;
mod gate;
mod health;
mod layers;
mod limits;
mod openapi;

mod problem;
mod schema;
mod start_page;

pub use drivers::Network;
pub use facades::FacadeName;
pub use openapi::openapi;
pub use routes::{Settings, facade_router, probe_router, router};
pub use server::{Limits, serve};
