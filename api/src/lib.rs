//! HTTP, WebSocket, SSE, the facades and the OpenAPI document. Only here: statuses and JSON shapes.
//!
//! Start with `routes`, which has every route on one page; each handler extracts, makes one call, and shows a view.

mod routes;
mod server;

mod envelope;
mod events;
mod position;
mod quotes;
mod sockets;
mod stream;
mod swaps;
mod terms;
mod tokens;

mod account;
mod body;
mod cursor;
mod idempotency;
mod query;

mod facades;
mod health;
mod layers;
mod limits;
mod network;
mod openapi;
mod problem;
mod schema;
mod start_page;

pub use network::Network;
pub use openapi::openapi;
pub use routes::{Settings, dex_router, probe_router, router};
pub use server::{Limits, serve};
