//! What the Cloud Controller has written down: organizations and spaces, users and their roles, service instances,
//! keys and jobs. Nothing here decides who may do what.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::clients::Rights;
use crate::frame::{Clock, clock};
use crate::service_manager::{Parameters, Plan};

use super::jobs::Job;
use super::role_type::RoleType;
use super::selector::Metadata;

/// A moment as this API writes it, without parts of a second.
pub(super) fn stamp(clock: &Clock) -> String {
    clock::format(clock.now(), "%Y-%m-%dT%H:%M:%SZ")
}

/// What every object of the API has.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// Its guid.
    pub(super) guid: String,
    /// When it was made.
    pub(super) created_at: String,
    /// When it last changed.
    pub(super) updated_at: String,
    /// Labels and annotations.
    pub(super) metadata: Metadata,
}

impl Base {
    /// An object that is made now.
    pub(super) fn new(guid: String, now: String) -> Self {
        Self { guid, created_at: now.clone(), updated_at: now, metadata: Metadata::default() }
    }

    /// Its fields, with `rest` among them.
    pub(super) fn shown(&self, rest: Value) -> Value {
        let mut shown = json!({"guid": self.guid, "created_at": self.created_at, "updated_at": self.updated_at,
                               "metadata": self.metadata.shown()});
        for (name, value) in rest.as_object().into_iter().flatten() {
            shown[name] = value.clone();
        }
        shown
    }
}

/// An organization.
#[derive(Clone, Debug)]
pub(super) struct Organization {
    pub(super) base: Base,
    pub(super) name: &'static str,
}

/// A space.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub(super) base: Base,
    pub(super) name: &'static str,
    pub(super) organization: String,
}

/// Somebody the UAA knows. Has no `Debug`: it holds a password.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) guid: String,
    pub(super) username: String,
    pub(super) origin: String,
    /// Absent where the person logs on elsewhere.
    pub(super) password: Option<String>,
    /// Wrong passwords in a row.
    pub(super) failures: u32,
}

/// An OAuth client of the UAA. Has no `Debug`: it holds a secret.
#[derive(Clone)]
pub(super) struct UaaClient {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) authorities: &'static [&'static str],
}

/// A user the Cloud Controller has heard of. It may be a person or a client, or nobody at all: a guid is enough.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) base: Base,
}

/// A role that a user has.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) base: Base,
    pub(super) kind: RoleType,
    pub(super) user: String,
    /// Guid of the organization or the space, as the type says.
    pub(super) place: String,
}

/// How the latest operation on an object stands.
#[derive(Clone, Debug)]
pub(super) struct LastOperation {
    pub(super) kind: &'static str,
    pub(super) state: &'static str,
    pub(super) description: Option<String>,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

impl LastOperation {
    /// An operation that begins.
    pub(super) fn begun(kind: &'static str, state: &'static str, now: &str) -> Self {
        let (created_at, updated_at) = (now.to_owned(), now.to_owned());
        Self { kind, state, description: None, created_at, updated_at }
    }

    /// Whether it is this, in this state.
    pub(super) fn is(&self, kind: &str, state: &str) -> bool {
        self.kind == kind && self.state == state
    }

    /// Whether it goes on.
    pub(super) fn runs(&self) -> bool {
        self.state == "initial" || self.state == "in progress"
    }

    /// Whether it keeps its object from being deleted: one whose broker has taken it up and is not done does not.
    pub(super) fn stands_in_the_way(&self) -> bool {
        self.runs() && !self.is("create", "in progress")
    }

    /// As objects show it.
    pub(super) fn shown(&self) -> Value {
        json!({"type": self.kind, "state": self.state, "description": self.description,
               "created_at": self.created_at, "updated_at": self.updated_at})
    }
}

/// A service instance.
pub(super) struct Instance {
    pub(super) base: Base,
    pub(super) name: String,
    pub(super) space: String,
    pub(super) plan: &'static Plan,
    pub(super) tags: Vec<String>,
    pub(super) parameters: Parameters,
    /// What the tokens of its keys open; absent until it stands.
    pub(super) rights: Option<Arc<Rights>>,
    pub(super) last_operation: LastOperation,
}

/// A service key. Has no `Debug`: it holds credentials.
pub(super) struct ServiceKey {
    pub(super) base: Base,
    pub(super) name: String,
    pub(super) instance: String,
    pub(super) credentials: Value,
    /// The OAuth client that ends with it.
    pub(super) client_id: Option<String>,
    pub(super) last_operation: LastOperation,
}

/// Everything.
#[derive(Default)]
pub(super) struct Store {
    pub(super) organizations: Vec<Organization>,
    pub(super) spaces: Vec<Space>,
    pub(super) identities: Vec<Identity>,
    pub(super) clients: Vec<UaaClient>,
    pub(super) refresh_tokens: HashMap<String, String>,
    pub(super) users: Vec<User>,
    pub(super) roles: Vec<Role>,
    pub(super) instances: Vec<Instance>,
    pub(super) keys: Vec<ServiceKey>,
    pub(super) jobs: HashMap<String, Job>,
    /// Guids of the jobs that have not ended.
    pub(super) running: Vec<String>,
}

impl Store {
    /// The organization with this guid.
    pub(super) fn organization(&self, guid: &str) -> Option<&Organization> {
        self.organizations.iter().find(|one| one.base.guid == guid)
    }

    /// The space with this guid.
    pub(super) fn space(&self, guid: &str) -> Option<&Space> {
        self.spaces.iter().find(|one| one.base.guid == guid)
    }

    /// The organization that a space is in; empty if there is no such space.
    pub(super) fn organization_of(&self, space: &str) -> &str {
        self.space(space).map_or("", |space| space.organization.as_str())
    }

    /// The instance with this guid.
    pub(super) fn instance(&self, guid: &str) -> Option<&Instance> {
        self.instances.iter().find(|one| one.base.guid == guid)
    }

    /// The same, to be changed.
    pub(super) fn instance_mut(&mut self, guid: &str) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|one| one.base.guid == guid)
    }

    /// The key with this guid.
    pub(super) fn key(&self, guid: &str) -> Option<&ServiceKey> {
        self.keys.iter().find(|one| one.base.guid == guid)
    }

    /// The same, to be changed.
    pub(super) fn key_mut(&mut self, guid: &str) -> Option<&mut ServiceKey> {
        self.keys.iter_mut().find(|one| one.base.guid == guid)
    }

    /// The last operation of the instance or the key with this guid.
    pub(super) fn last_operation_mut(&mut self, guid: &str) -> Option<&mut LastOperation> {
        let of_instances = self.instances.iter_mut().map(|one| (&one.base, &mut one.last_operation));
        let of_keys = self.keys.iter_mut().map(|one| (&one.base, &mut one.last_operation));
        of_instances.chain(of_keys).find(|(base, _)| base.guid == guid).map(|(_, operation)| operation)
    }

    /// Whom the UAA knows by this guid.
    pub(super) fn identity(&self, guid: &str) -> Option<&Identity> {
        self.identities.iter().find(|one| one.guid == guid)
    }

    /// Whom the UAA knows by this name, in this origin or in any. Names differ by more than their case.
    pub(super) fn named<'a>(
        &'a self,
        username: &'a str,
        origin: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Identity> + 'a {
        let same = move |one: &&Identity| one.username.eq_ignore_ascii_case(username);
        self.identities.iter().filter(same).filter(move |one| origin.is_none_or(|origin| one.origin == origin))
    }

    /// The user with this guid, if the Cloud Controller has heard of it.
    pub(super) fn user(&self, guid: &str) -> Option<&User> {
        self.users.iter().find(|one| one.base.guid == guid)
    }

    /// Writes a user down, unless it is there.
    pub(super) fn hear_of(&mut self, guid: &str, now: &str) {
        if self.user(guid).is_none() {
            self.users.push(User { base: Base::new(guid.to_owned(), now.to_owned()) });
        }
    }

    /// Whether the user has one of these roles at the place.
    pub(super) fn holds(&self, user: &str, place: &str, kinds: &[RoleType]) -> bool {
        self.roles.iter().any(|role| role.user == user && role.place == place && kinds.contains(&role.kind))
    }

    /// How answers name a user: by its name, or by its guid where the UAA knows none.
    pub(super) fn presentation_name(&self, guid: &str) -> String {
        self.identity(guid).map_or_else(|| guid.to_owned(), |identity| identity.username.clone())
    }
}
