//! Tokens and the pools between them, made ready for routing.

mod curve;
mod file;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use thiserror::Error;

pub use self::file::{NetworkFile, ReadError, Trade};

pub(crate) use self::curve::{Curve, Given, Stretch};

use crate::piece::Piece;
use crate::pool::Pool;
use crate::swap::{PoolError, Side};

/// Pools as edges between tokens, their curves made ready: cheap to ask many times, remade a pool at a time.
#[derive(Clone, Debug, Default)]
pub struct Network {
    now: u64,
    tokens: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, usize>,
    pools: Vec<Listed>,
    names: HashSet<Arc<str>>,
    /// Two for each pool, at `2·pool` for trades that pay its first token and after it for those that pay its second.
    edges: Vec<Edge>,
    /// The edges that leave each token.
    leaving: Vec<Vec<Way>>,
    left_out: Vec<LeftOut>,
}

/// A pool and the tokens it stands between.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name, unique in its network.
    pub id: Arc<str>,
    /// Its first token, as a place in [`Network::tokens`].
    pub token_a: usize,
    /// Its second token.
    pub token_b: usize,
    /// Its state.
    pub pool: Pool,
}

/// A pool that takes no part, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The pool's name.
    pub pool: Arc<str>,
    /// What is wrong: names the field.
    pub why: String,
}

/// A pool cannot be listed, by its field.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListError {
    /// A token that the network does not have.
    #[error("{field}: no token {token}")]
    UnknownToken {
        /// `token_a` or `token_b`.
        field: &'static str,
        /// What stood there.
        token: String,
    },
    /// Both tokens are the same.
    #[error("token_b: is the same as token_a")]
    SameToken,
    /// Another pool has the name.
    #[error("id: another pool has it")]
    SameName,
    /// The state cannot be.
    #[error("pool.{0}")]
    Broken(PoolError),
}

/// One direction of a pool.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// What the bound is computed from.
    pub(crate) pieces: Vec<Piece>,
    /// The same as floats, for searches.
    pub(crate) curve: Curve,
    /// Why there are no pieces.
    refusal: Option<PoolError>,
}

/// What a search looks at first of an edge that leaves a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) edge: u32,
    pub(crate) to: usize,
    /// Units received for the first unit paid, or nothing.
    pub(crate) first: f64,
}

impl Network {
    /// A network without pools, whose quotes are for the time `now`, in seconds since the Unix epoch. Tokens that are
    /// named twice count once.
    pub fn new<T: Into<Arc<str>>>(tokens: impl IntoIterator<Item = T>, now: u64) -> Self {
        let mut network = Self { now, ..Self::default() };
        for token in tokens {
            let token = token.into();
            if !network.by_name.contains_key(&token) {
                network.by_name.insert(token.clone(), network.tokens.len());
                network.tokens.push(token);
                network.leaving.push(Vec::new());
            }
        }
        network
    }

    /// Lists a pool between two tokens. Its place is the number of pools listed before it.
    ///
    /// # Errors
    /// See [`ListError`]: nothing is listed.
    pub fn list(&mut self, id: impl Into<Arc<str>>, (a, b): (&str, &str), pool: Pool) -> Result<usize, ListError> {
        let id = id.into();
        let place = |field, token: &str| {
            let unknown = || ListError::UnknownToken { field, token: token.into() };
            self.token(token).ok_or_else(unknown)
        };
        let (token_a, token_b) = (place("token_a", a)?, place("token_b", b)?);
        if token_a == token_b {
            return Err(ListError::SameToken);
        }
        if self.names.contains(&id) {
            return Err(ListError::SameName);
        }
        pool.check().map_err(ListError::Broken)?;
        let place = self.pools.len();
        for (side, from, to) in [(Side::A, token_a, token_b), (Side::B, token_b, token_a)] {
            let edge = Edge::new(from, to, &pool, side, self.now);
            self.leaving[from].push(Way { edge: edge_number(place, side), to, first: edge.curve.first() });
            self.edges.push(edge);
        }
        self.names.insert(id.clone());
        self.pools.push(Listed { id, token_a, token_b, pool });
        Ok(place)
    }

    /// Says in every answer that a pool was not listed.
    pub fn leave_out(&mut self, pool: impl Into<Arc<str>>, why: impl Into<String>) {
        self.left_out.push(LeftOut { pool: pool.into(), why: why.into() });
    }

    /// Puts a listed pool into another state.
    ///
    /// # Errors
    /// [`PoolError::Invalid`]: the pool stays as it was. A place without a pool is [`PoolError::Math`].
    pub fn set(&mut self, place: usize, pool: Pool) -> Result<(), PoolError> {
        pool.check()?;
        let listed = self.pools.get_mut(place).ok_or(PoolError::Math)?;
        listed.pool = pool;
        self.remake(place);
        Ok(())
    }

    /// Moves to another time: fees that depend on it are those of then.
    pub fn set_now(&mut self, now: u64) {
        if self.now == now {
            return;
        }
        self.now = now;
        for place in 0..self.pools.len() {
            self.remake(place);
        }
    }

    /// The time of all quotes, in seconds since the Unix epoch.
    #[must_use]
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// The tokens' names.
    #[must_use]
    pub fn tokens(&self) -> &[Arc<str>] {
        &self.tokens
    }

    /// The place of a token.
    #[must_use]
    pub fn token(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The pools, in the order in which they were listed.
    #[must_use]
    pub fn pools(&self) -> &[Listed] {
        &self.pools
    }

    /// The pools that take no part: those that could not be listed, and those that trade in neither direction.
    #[must_use]
    pub fn left_out(&self) -> Vec<LeftOut> {
        let silent = self.pools.iter().zip(self.edges.chunks(2)).filter_map(|(listed, edges)| {
            let why =
                edges.iter().all(|edge| edge.pieces.is_empty()).then(|| edges.iter().find_map(|edge| edge.refusal))?;
            let why = why.map_or_else(|| "it holds nothing to trade".to_owned(), |error| error.to_string());
            Some(LeftOut { pool: listed.id.clone(), why })
        });
        self.left_out.iter().cloned().chain(silent).collect()
    }

    pub(crate) fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The edges that leave a token.
    pub(crate) fn leaving(&self, token: usize) -> &[Way] {
        self.leaving.get(token).map_or(&[], Vec::as_slice)
    }

    fn remake(&mut self, place: usize) {
        let listed = &self.pools[place];
        for (side, from, to) in [(Side::A, listed.token_a, listed.token_b), (Side::B, listed.token_b, listed.token_a)] {
            let number = edge_number(place, side);
            let edge = Edge::new(from, to, &listed.pool, side, self.now);
            for way in self.leaving[from].iter_mut().filter(|way| way.edge == number) {
                way.first = edge.curve.first();
            }
            self.edges[number as usize] = edge;
        }
    }
}

impl Edge {
    /// A direction in which the pool does not trade has no pieces.
    fn new(from: usize, to: usize, pool: &Pool, side: Side, now: u64) -> Self {
        let (pieces, refusal) = match pool.pieces(side, now) {
            Ok(pieces) => (pieces, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let curve = Curve::new(&pieces);
        Self { from, to, pieces, curve, refusal }
    }
}

/// The pool of an edge, and the token it takes.
pub(crate) const fn pool_of(edge: u32) -> (usize, Side) {
    (edge as usize / 2, if edge.is_multiple_of(2) { Side::A } else { Side::B })
}

fn edge_number(place: usize, side: Side) -> u32 {
    let first = u32::try_from(place * 2).unwrap_or(u32::MAX - 1);
    first + u32::from(side == Side::B)
}
