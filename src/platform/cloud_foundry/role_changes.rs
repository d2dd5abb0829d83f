//! Giving roles and taking them away. The API takes one at a time.
//!
//! A user is named by name and origin. What the platform says it has given already is looked at. A role is taken away by
//! its guid, which is looked up right before; that it is not there is believed of a list of a place that is seen now.

use futures::future::join_all;

use super::job::{Course, watch};
use super::refusal::Complaint;
use super::roles::{Held, SIDE_BY_SIDE, at, unsupported};
use super::{CloudFoundry, another, is_accepted, taken, wire};
use crate::plan::grant::{Grant, HolderKind};
use crate::platform::broker::order::in_progress;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::side_by_side::side_by_side;

const GIVE: &str = "give role";
const TAKE: &str = "take role away";

/// Takes all of these away, which share a place.
pub(super) async fn revoke(driver: &CloudFoundry, grants: &[Grant]) -> Vec<Result<()>> {
    let Some(place) = grants.first().and_then(|grant| at(&grant.role)) else {
        return grants.iter().map(|_| Err(unsupported(TAKE))).collect();
    };
    // Nobody would see a role of a place that we may not look at any more.
    if let Err(error) = driver.places.guid_now(&place).await {
        return grants.iter().map(|_| Err(error.share())).collect();
    }
    side_by_side(grants, SIDE_BY_SIDE, |grant| &grant.role, |grants| driver.take_all(grants)).await
}

impl CloudFoundry {
    /// Gives one user all of these, one after the other.
    pub(super) async fn give_all(&self, grants: Vec<&Grant>) -> Vec<Result<()>> {
        let mut results = Vec::with_capacity(grants.len());
        for grant in grants {
            results.push(self.give(grant).await);
        }
        results
    }

    async fn give(&self, grant: &Grant) -> Result<()> {
        let place = at(&grant.role).filter(|_| grant.holder.kind() == HolderKind::User);
        let place = place.ok_or_else(|| unsupported(GIVE))?;
        let guid = self.places.guid(&place).await?;
        let kind = grant.role.name();
        let here = if place.space.is_some() { "space" } else { "organization" };
        let body = wire::new_role(kind, (grant.holder.name(), grant.holder.origin()), (here, &guid));
        // A second one is refused as a duplicate.
        let call = self.session.post(GIVE, &["v3", "roles"]).json(&body).repeatable().accept(&[422]);
        let answer = call.send().await?;
        if answer.status() != 422 {
            let made: wire::Role = answer.json(GIVE).map_err(taken)?;
            let is_it = made.kind == kind && made.place() == guid;
            return if is_it { Ok(()) } else { Err(taken(another(GIVE))) };
        }
        let complaint = Complaint::of(&answer);
        match complaint {
            Complaint::Duplicate if self.is_held(grant).await? => return Ok(()),
            Complaint::UnknownPlace => self.places.forget(&place),
            _ => {}
        }
        Err(complaint.error(GIVE, &grant.holder))
    }

    async fn is_held(&self, grant: &Grant) -> Result<bool> {
        let held = self.holders_of(&grant.role, Urgency::Normal).await?;
        Ok(held.iter().any(|held| held.grant == *grant))
    }

    /// Takes one role away from all of these.
    async fn take_all(&self, grants: Vec<&Grant>) -> Vec<Result<()>> {
        let Some(first) = grants.first() else { return Vec::new() };
        match self.holders_of(&first.role, Urgency::First).await {
            Ok(held) => join_all(grants.iter().map(|grant| self.take(grant, &held))).await,
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    async fn take(&self, grant: &Grant, held: &[Held]) -> Result<()> {
        for role in held.iter().filter(|held| held.grant == *grant) {
            self.take_one(grant, &role.guid).await?;
        }
        Ok(())
    }

    async fn take_one(&self, grant: &Grant, guid: &str) -> Result<()> {
        let call = self.session.delete(TAKE, &["v3", "roles", guid]).urgency(Urgency::First);
        let answer = call.accept(&[404, 410, 422]).send().await?;
        if answer.status() == 422 {
            return Err(Complaint::of(&answer).error(TAKE, &grant.holder));
        }
        match watch(&self.session, TAKE, &answer).await? {
            Course::Open(_) => Err(in_progress(TAKE)),
            Course::AtOnce | Course::Done(()) if is_accepted(&answer) => Ok(()),
            // A 404 may be anybody's.
            Course::AtOnce | Course::Done(()) => {
                let held = self.holders_of(&grant.role, Urgency::First).await?;
                let is_there = held.iter().any(|held| held.guid == guid);
                if is_there { Err(not_taken()) } else { Ok(()) }
            }
        }
    }
}

fn not_taken() -> Error {
    Error::new(Kind::UnexpectedAnswer, TAKE).detail("the role is still there")
}
