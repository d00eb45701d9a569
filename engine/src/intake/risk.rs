//! What may be traded, as admins say it: the trading state, and the limits of accounts.

use domain::risk::{self, Limits, State, Status, TRADING, Terms};
use domain::{Change, Kind, Owner, Refusal};

use super::{Decision, Intake, IntakeError, RequestKey, Taken, Target};

/// All of it hangs on one row, so one goes after the other.
const TURN: &str = "risk";

fn no_such_limits() -> IntakeError {
    IntakeError::Refused(Refusal::new("LIMITS_NOT_FOUND", "the account has no limits of its own"))
}

impl Intake {
    /// Says whether anything is traded. This process goes by it from the answer on, the others within a second.
    ///
    /// # Errors
    /// `STALE_VERSION`, `NOTE_MALFORMED`; see [`IntakeError`].
    pub async fn turn_trading(
        &self,
        version: Option<u64>,
        (state, reason): (State, Option<String>),
        by: &Owner,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let before = self.risk.trading().await?;
            Target { id: TRADING, version }.check(before.version)?;
            let (after, change) = risk::turn(&before, state, reason.clone(), by, now)?;
            let (change, view) = (self.with_book(change).await?, after.view_json());
            Ok(Decision { change, kind: Kind::Trading, id: TRADING.to_owned(), version: after.version, view })
        };
        let taken = self.decide(TURN, request, decide).await;
        self.known(taken).await
    }

    /// Sets what an account, or with [`risk::ALL_OTHERS`] each that has no limits of its own, may trade at most.
    ///
    /// # Errors
    /// `STALE_VERSION`, `OUT_OF_RANGE`; see [`IntakeError`].
    pub async fn set_limits(
        &self,
        target: Target<'_>,
        terms: &Terms,
        by: &Owner,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let before = self.risk.recorded(target.id).await?;
            target.check(before.as_ref().map_or(0, |before| before.version))?;
            let (after, change) = risk::put(before.as_ref(), target.id, terms.clone(), by, now)?;
            Ok(decided(&after, self.with_book(change).await?))
        };
        let taken = self.decide(TURN, request, decide).await;
        self.known(taken).await
    }

    /// Takes limits away.
    ///
    /// # Errors
    /// `LIMITS_NOT_FOUND`, `STALE_VERSION`; see [`IntakeError`].
    pub async fn remove_limits(
        &self,
        target: Target<'_>,
        by: &Owner,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let before = self.risk.recorded(target.id).await?.filter(|limits| limits.status == Status::Active);
            let before = before.ok_or_else(no_such_limits)?;
            target.check(before.version)?;
            let (after, change) = risk::remove(&before, by, now);
            Ok(decided(&after, self.with_book(change).await?))
        };
        let taken = self.decide(TURN, request, decide).await;
        self.known(taken).await
    }

    /// The change with that of the book, where it changes anything.
    async fn with_book(&self, mut change: Change) -> Result<Change, IntakeError> {
        if !change.entities.is_empty() {
            change.entities.push(risk::book(self.risk.book().await?));
        }
        Ok(change)
    }

    /// Answers when this process goes by it. Where the journal does not say how things stand, it is asked again soon anyway.
    async fn known(&self, taken: Result<Taken, IntakeError>) -> Result<Taken, IntakeError> {
        if taken.is_ok()
            && let Err(fault) = self.risk.refresh().await
        {
            crate::observe::fault("ask what may be traded", &fault);
        }
        taken
    }
}

fn decided(limits: &Limits, change: Change) -> Decision {
    let (id, view) = (limits.id.clone(), limits.view_json());
    Decision { change, kind: Kind::Limits, id, version: limits.version, view }
}
