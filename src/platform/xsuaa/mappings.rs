//! Role collections of groups: attribute mappings of an identity provider.

use std::collections::BTreeSet;

use super::{Xsuaa, wire};
use crate::api::Role;
use crate::api::role_binding::RoleName;
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};

const READ: &str = "list attribute mappings";
const GRANT: &str = "create attribute mapping";
const REVOKE: &str = "delete attribute mapping";

impl Xsuaa {
    /// Which groups of an identity provider get which role collections, in one read.
    pub(super) async fn groups(&self, origin: &str) -> Result<BTreeSet<Grant>> {
        let path = [&at(origin)[..], &["rolecollections"]].concat();
        let mappings: Vec<wire::Mapping> = self
            .session
            .get(READ, &path)
            .urgency(Urgency::Last)
            .send_json()
            .await
            .map_err(|error| missing(error, origin))?;
        Ok(mappings.iter().filter_map(|mapping| held_by_group(mapping, origin)).collect())
    }

    /// Maps. What the API says to a mapping that exists already is not documented, so a refusal is checked.
    pub(super) async fn map(&self, grant: &Grant) -> Result<()> {
        let body = wire::NewMapping {
            role_collection_name: grant.role.name(),
            attribute_name: wire::GROUPS,
            attribute_value: &grant.holder.name,
            operator: wire::EQUALS,
        };
        let sent = self.session.post(GRANT, &at(&grant.holder.origin)).json(&body).accept(&[409]).send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == Kind::Invalid && self.is_mapped(grant).await? => Ok(()),
            Err(error) => Err(missing(error, &grant.holder.origin)),
        }
    }

    /// Removes a mapping. What the API says to one that is not there is not documented, so a refusal is checked.
    pub(super) async fn unmap(&self, grant: &Grant) -> Result<()> {
        let rest = [wire::GROUPS, wire::EQUALS, &grant.holder.name, "rolecollections", grant.role.name()];
        let path = [&at(&grant.holder.origin)[..], &rest].concat();
        match self.session.delete(REVOKE, &path).urgency(Urgency::First).accept(&[404]).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == Kind::Invalid && !self.is_mapped(grant).await? => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn is_mapped(&self, grant: &Grant) -> Result<bool> {
        let rest = [wire::GROUPS, "rolecollections", grant.role.name()];
        let path = [&at(&grant.holder.origin)[..], &rest].concat();
        let answer = self.session.get(READ, &path).accept(&[400, 404]).send().await?;
        let mappings: Vec<wire::Mapping> = if answer.status() == 200 { answer.json(READ)? } else { Vec::new() };
        Ok(mappings.iter().any(|mapping| mapping.group() == Some(grant.holder.name.as_str())))
    }
}

fn at(origin: &str) -> [&str; 7] {
    ["sap", "rest", "authorization", "v2", "identity-providers", origin, "attributes"]
}

fn missing(error: Error, origin: &str) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    let detail = format!("there is no identity provider `{origin}`, or no such role collection");
    Error::new(Kind::NotFound, error.operation()).detail(detail)
}

fn held_by_group(mapping: &wire::Mapping, origin: &str) -> Option<Grant> {
    let holder = Holder { kind: HolderKind::Group, name: mapping.group()?.to_owned(), origin: origin.to_owned() };
    let role = Role::RoleCollection(RoleName { name: mapping.role_collection_name.clone() });
    Some(Grant { holder, role })
}
