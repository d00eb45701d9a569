//! Plans: made and cancelled.

use domain::plan::{self, Make, Plan};
use domain::{Kind, Owner, Refusal};
use drivers::Fault;

use super::deals::Target;
use super::{Decision, Intake, IntakeError, RequestKey, Taken};

impl From<plan::Choice> for Decision {
    fn from(choice: plan::Choice) -> Self {
        let plan::Choice { plan, change } = choice;
        Self { change, kind: Kind::Plan, view: plan.view_json(), version: plan.version, id: plan.id }
    }
}

impl Intake {
    /// Takes a plan in.
    ///
    /// # Errors
    /// Those of [`plan::create`]; see [`IntakeError`].
    pub async fn make_plan(&self, make: Make, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        let turn = make.id.clone();
        self.decide(&turn, request, async |now| Ok(plan::create(make.clone(), now)?.into())).await
    }

    /// Cancels a plan: no more slices follow.
    ///
    /// # Errors
    /// `PLAN_NOT_FOUND`, `STALE_VERSION`, `WRONG_STATE`; see [`IntakeError`].
    pub async fn cancel_plan(
        &self,
        by: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let entity = self.journal.entity(Kind::Plan, target.id).await?.filter(|plan| plan.owner == *by);
            let unknown = || IntakeError::Refused(Refusal::new("PLAN_NOT_FOUND", "there is no such plan"));
            let plan = Plan::from_entity(&entity.ok_or_else(unknown)?);
            let plan = plan.map_err(|error| Fault::Broken(format!("plan {}: {error}", target.id)))?;
            target.check(plan.version)?;
            Ok(plan::cancel(&plan, now)?.into())
        };
        self.decide(target.id, request, decide).await
    }
}
