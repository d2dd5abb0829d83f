//! Organizations and spaces: names to guids, looked up once and kept for a while.
//!
//! The platform shows those in which the admin credential has a role, and of the others not even that they are there.

use super::known::Known;
use super::list::{List, only};
use super::{another, wire};
use crate::api::identity::Space;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::Session;

const ORGANIZATION: &str = "look up organization";
const SPACE: &str = "look up space";

/// An organization, or a space in it, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub organization: String,
    pub space: Option<String>,
}

impl From<&Space> for Place {
    fn from(space: &Space) -> Self {
        Self { organization: space.organization.clone(), space: Some(space.name.clone()) }
    }
}

/// The guids that were looked up so far.
pub struct Places {
    session: Session,
    known: Known<Place, String>,
}

impl Places {
    /// None yet.
    pub fn new(session: Session) -> Self {
        Self { session, known: Known::default() }
    }

    /// The guid of a place.
    pub async fn guid(&self, place: &Place) -> Result<String> {
        let organization = Place { organization: place.organization.clone(), space: None };
        let look = look_for_organization(self.session.clone(), place.organization.clone());
        let organization = self.known.get(organization, look).await?;
        let Some(space) = &place.space else { return Ok(organization.as_ref().clone()) };
        let look =
            look_for_space(self.session.clone(), place.organization.clone(), organization.to_string(), space.clone());
        Ok(self.known.get(place.clone(), look).await?.as_ref().clone())
    }

    /// The guid of a place, asked for now: it is there, and to be seen.
    pub async fn guid_now(&self, place: &Place) -> Result<String> {
        self.forget(place);
        self.guid(place).await
    }

    /// Forgets a place, with its organization.
    pub fn forget(&self, place: &Place) {
        self.known
            .forget(|known, _| known == place || (known.space.is_none() && known.organization == place.organization));
    }
}

async fn look_for_organization(session: Session, name: String) -> Result<String> {
    let names = only(&name);
    let list = List::new(ORGANIZATION, "organizations", &[("names", &names)]);
    let found: Vec<wire::Named> = list.read(&session).await?.items;
    let what = format!("organization `{name}`");
    pick(ORGANIZATION, found, &name, &what).map(|organization| organization.guid)
}

async fn look_for_space(session: Session, organization: String, guid: String, name: String) -> Result<String> {
    let names = only(&name);
    let list = List::new(SPACE, "spaces", &[("names", &names), ("organization_guids", &guid)]);
    let found: Vec<wire::Named> = list.read(&session).await?.items;
    let what = format!("space `{name}` of organization `{organization}`");
    let space = pick(SPACE, found, &name, &what)?;
    let is_there = wire::guid(space.relationships.organization.as_ref()) == guid;
    if is_there { Ok(space.guid) } else { Err(another(SPACE)) }
}

/// The one of this name. Names compare in any case on the platform, and here exactly: one role of two spellings would
/// be two.
fn pick(operation: &'static str, found: Vec<wire::Named>, name: &str, what: &str) -> Result<wire::Named> {
    if found.iter().any(|one| one.name.to_lowercase() != name.to_lowercase()) {
        return Err(another(operation));
    }
    let is_spelled_otherwise = !found.is_empty();
    found.into_iter().find(|one| one.name == name).ok_or_else(|| {
        let hint = if is_spelled_otherwise {
            "is spelled otherwise"
        } else {
            "is not to be seen; is it there, and has the admin credential a role in it?"
        };
        Error::new(Kind::NotFound, operation).detail(format!("{what} {hint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_one_of_exactly_this_name() {
        let named = |name: &str| wire::Named {
            guid: name.into(),
            name: name.into(),
            relationships: wire::Relationships::default(),
        };
        let of = |found: Vec<wire::Named>| pick(SPACE, found, "Dev", "space `Dev`").map(|one| one.guid);
        assert_eq!(of(vec![named("dev"), named("Dev")]).unwrap(), "Dev");
        let error = of(vec![named("dev")]).unwrap_err();
        assert!(error.kind() == Kind::NotFound && error.to_string().contains("spelled otherwise"), "{error}");
        assert!(of(Vec::new()).unwrap_err().to_string().contains("has the admin credential a role in it"));
        assert_eq!(of(vec![named("other")]).unwrap_err().kind(), Kind::UnexpectedAnswer);
    }
}
