//! Role collections of groups: attribute mappings of an identity provider.

use std::collections::BTreeSet;

use super::{Xsuaa, check, is_unknown, wire};
use crate::api::Role;
use crate::api::role::RoleName;
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Answer;

const READ: &str = "list attribute mappings";
const GRANT: &str = "create attribute mapping";
const REVOKE: &str = "delete attribute mapping";

impl Xsuaa {
    /// Which groups of an identity provider get a role collection. The document: 404 is "not found", so nobody gets it.
    /// There are at most 5000 mappings in a subaccount.
    pub(super) async fn groups_of(&self, origin: &str, collection: &str, urgency: Urgency) -> Result<BTreeSet<Grant>> {
        let path = [&at(origin)[..], &[wire::GROUPS, "rolecollections", collection]].concat();
        let answer = self.session.get(READ, &path).urgency(urgency).accept(&[404]).send().await?;
        if is_unknown(&answer, READ)? {
            return Ok(BTreeSet::new());
        }
        let mappings: Vec<wire::Mapping> = answer.json(READ)?;
        Ok(mappings.iter().filter_map(|mapping| held_by(mapping, origin)).collect())
    }

    /// Whether each of these, all of one group or of several, is mapped.
    pub(super) async fn held_by_group(&self, grants: &[&Grant], urgency: Urgency) -> Vec<Result<bool>> {
        let mut held = Vec::with_capacity(grants.len());
        for grant in grants {
            held.push(self.is_mapped(grant, urgency).await);
        }
        held
    }

    /// Maps. What the API says to a mapping that exists already is not documented, so every answer that does not show
    /// the mapping is checked.
    pub(super) async fn map(&self, grant: &Grant) -> Result<()> {
        let Grant { holder, role } = grant;
        let body = wire::NewMapping {
            role_collection_name: role.name(),
            attribute_name: wire::GROUPS,
            attribute_value: holder.name(),
            operator: wire::EQUALS,
        };
        let sent = self.session.post(GRANT, &at(holder.origin())).json(&body).accept(&[409]).send().await;
        match sent {
            Ok(answer) if shows(&answer, grant) => Ok(()),
            Err(error) if error.kind() != Kind::Invalid => Err(missing(error, grant)),
            _ if self.is_mapped(grant, Urgency::Normal).await? => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(Error::new(Kind::UnexpectedAnswer, GRANT).detail("the mapping is not there after it")),
        }
    }

    /// Removes a mapping. What the API says to one that is not there is not documented, so every answer that does not
    /// show the mapping that went is checked.
    pub(super) async fn unmap(&self, grant: &Grant) -> Result<()> {
        let Grant { holder, role } = grant;
        let rest = [wire::GROUPS, wire::EQUALS, holder.name(), "rolecollections", role.name()];
        let path = [&at(holder.origin())[..], &rest].concat();
        match self.session.delete(REVOKE, &path).urgency(Urgency::First).accept(&[404]).send().await {
            Ok(answer) if shows(&answer, grant) => Ok(()),
            Err(error) if error.kind() != Kind::Invalid => Err(error),
            _ if !self.is_mapped(grant, Urgency::First).await? => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(Error::new(Kind::UnexpectedAnswer, REVOKE).detail("the mapping is there after it")),
        }
    }

    async fn is_mapped(&self, grant: &Grant, urgency: Urgency) -> Result<bool> {
        check(grant, READ)?;
        let groups = self.groups_of(grant.holder.origin(), grant.role.name(), urgency).await?;
        Ok(groups.contains(grant))
    }
}

fn at(origin: &str) -> [&str; 7] {
    ["sap", "rest", "authorization", "v2", "identity-providers", origin, "attributes"]
}

/// Whether an answer is a success that shows this very mapping.
fn shows(answer: &Answer, grant: &Grant) -> bool {
    let mapping = answer.json::<wire::Mapping>(READ);
    let shown = mapping.ok().and_then(|mapping| held_by(&mapping, grant.holder.origin()));
    answer.status() < 300 && shown.as_ref() == Some(grant)
}

fn missing(error: Error, Grant { holder, role }: &Grant) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    let (role, origin) = (role.name(), holder.origin());
    let detail = format!("there is no role collection `{role}`, or no identity provider `{origin}`");
    Error::new(Kind::NotFound, error.operation()).detail(detail)
}

fn held_by(mapping: &wire::Mapping, origin: &str) -> Option<Grant> {
    let holder = Holder::named(HolderKind::Group, mapping.group()?, origin);
    let role = Role::RoleCollection(RoleName { name: mapping.role_collection_name.clone() });
    Some(Grant::new(holder, role))
}
