//! The addresses of names, asked of the system's resolver.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, Shared};
use futures_util::{FutureExt, TryFutureExt};

/// How one name is looked up; tests have names of their own.
pub(super) type LookUp = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// What came of a look-up, for everyone who waits for it.
type Found = Shared<BoxFuture<'static, Result<Vec<IpAddr>, String>>>;

/// Look-ups, at most one at a time for each name: the system's resolver holds a thread for as long as a name's server is
/// silent, and an endpoint whose name has such a server must not hold many. Nothing is kept for later.
pub(super) struct Names {
    look_up: LookUp,
    under_way: Arc<Mutex<HashMap<String, Found>>>,
}

impl Names {
    /// The system's.
    pub(super) fn of_the_system() -> Self {
        Self::by(Arc::new(|name| {
            Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) })
        }))
    }

    pub(super) fn by(look_up: LookUp) -> Self {
        Self { look_up, under_way: Arc::default() }
    }

    /// All addresses of the name.
    pub(super) async fn find(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            match under_way.get(name) {
                Some(found) => found.clone(),
                None => {
                    let found = self.begin(name.to_owned());
                    under_way.insert(name.to_owned(), found.clone());
                    found
                }
            }
        };
        found.await.map_err(io::Error::other)
    }

    /// In a task of its own, so that it ends when nobody waits any more.
    fn begin(&self, name: String) -> Found {
        let asked = (self.look_up)(name.clone());
        let under_way = Arc::clone(&self.under_way);
        let task = tokio::spawn(async move {
            let found = asked.await.map_err(|error| error.to_string());
            under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            found
        });
        task.unwrap_or_else(|_| Err("the look-up broke off".to_owned())).boxed().shared()
    }
}
