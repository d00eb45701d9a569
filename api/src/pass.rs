//! The right to go on listening: a stream ends when the key that it was opened with is good no more.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use engine::access::{Access, Principal};
use engine::clock;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::gate::Visitor;
use crate::routes::App;

/// When the journal does not say, it is asked again after this.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// One stream's right.
pub(crate) struct Pass {
    access: Arc<Access>,
    principal: Option<Arc<Principal>>,
    changes: watch::Receiver<u64>,
    /// Nothing happened since it was found to be good.
    judged: bool,
    /// The look that was begun: it goes on when [`Pass::over`] is given up half-way, so that a busy stream cannot put it off.
    looking: Option<AbortOnDropHandle<bool>>,
}

impl Pass {
    /// That of whoever was let in as `caller`.
    pub(crate) fn of(app: &App, caller: Option<Visitor>) -> Self {
        let access = Arc::clone(&app.engine.access);
        let changes = access.changes();
        Self { principal: caller.and_then(|caller| caller.principal), access, changes, judged: false, looking: None }
    }

    /// Waits until the right is over. May be given up and asked again at any time.
    pub(crate) async fn over(&mut self) {
        loop {
            if !self.judged {
                let (access, principal, changes) = (&self.access, &self.principal, &mut self.changes);
                let looking = self.looking.get_or_insert_with(|| {
                    // First, so that what changes meanwhile is looked at again.
                    changes.borrow_and_update();
                    AbortOnDropHandle::new(tokio::spawn(look(Arc::clone(access), principal.clone())))
                });
                // A look that panicked lets nobody stay.
                self.judged = looking.await.unwrap_or(false);
                self.looking = None;
                if !self.judged {
                    return;
                }
            }
            let end = self.principal.as_ref().and_then(|principal| principal.expires_at);
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() { return },
                () = until(end) => {}
            }
            self.judged = false;
        }
    }
}

/// Whether the right still holds, as soon as the journal says.
async fn look(access: Arc<Access>, principal: Option<Arc<Principal>>) -> bool {
    loop {
        match access.may_stay(principal.as_deref(), clock::now()).await {
            Ok(stays) => return stays,
            Err(_) => tokio::time::sleep(ASK_AGAIN).await,
        }
    }
}

/// Waits for an instant; for ever if there is none.
async fn until(end: Option<Timestamp>) {
    let Some(end) = end else { return std::future::pending().await };
    let left = end.0.saturating_sub(clock::now().0);
    tokio::time::sleep(Duration::from_micros(u64::try_from(left).unwrap_or(0))).await;
}
