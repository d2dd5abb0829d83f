//! What is there at start: organizations, spaces, people, and whom an operator logs on as.

use crate::frame::{Clock, random};

use super::role_type::RoleType;
use super::store::{Base, Identity, Organization, Role, Space, Store, UaaClient, stamp};

/// Name of the technical user.
pub(super) const TECHNICAL_USER: &str = "technical-user-operator@acme.example";
/// The identity provider it belongs to.
pub(super) const TECHNICAL_USER_ORIGIN: &str = "acme-platform";
/// The UAA client that can be used instead of it.
pub(super) const CLIENT: &str = "technical-user-operator";
/// The client that command lines use, which has no secret.
pub(super) const COMMAND_LINE: &str = "cf";
/// The identity provider of those who name none.
pub(super) const USUAL_ORIGIN: &str = "sap.ids";

/// Names and origins of people. Jane is in two identity providers.
const PEOPLE: [(&str, &str); 5] = [
    ("jane@acme.example", "sap.ids"),
    ("jane@acme.example", "acme-platform"),
    ("joe@acme.example", "acme-platform"),
    ("P0000001", "sap.ids"),
    ("admin@acme.example", "sap.ids"),
];

/// What outlives a reset: guids, passwords and secrets. Has no `Debug`: it holds secrets.
pub(super) struct Lasting {
    organizations: [(&'static str, String); 3],
    spaces: Vec<(&'static str, usize, String)>,
    people: Vec<String>,
    technical_user: String,
    /// The technical user's password.
    pub(super) password: String,
    /// The client's secret.
    pub(super) secret: String,
}

impl Lasting {
    /// Every simulator is a landscape of its own.
    pub(super) fn new() -> Self {
        let spaces = [("integration", 0), ("monitoring", 0), ("shared", 1), ("integration", 2)];
        Self {
            organizations: ["acme", "partners", "strangers"].map(|name| (name, random::uuid())),
            spaces: spaces.into_iter().map(|(name, organization)| (name, organization, random::uuid())).collect(),
            people: PEOPLE.iter().map(|_| random::uuid()).collect(),
            technical_user: random::uuid(),
            password: format!("planted-{}", random::opaque()),
            secret: format!("planted-{}", random::opaque()),
        }
    }

    /// Everything as it is at start. The technical user and the client manage `acme` and develop in its spaces; of
    /// `partners` they see no more than an auditor, and of `strangers` nothing.
    pub(super) fn store(&self, clock: &Clock) -> Store {
        let mut store = Store::default();
        let base = |guid: &String| Base::new(guid.clone(), stamp(clock));
        store.organizations =
            self.organizations.iter().map(|(name, guid)| Organization { base: base(guid), name }).collect();
        store.spaces = self.spaces.iter().map(|(name, at, guid)| self.space(name, *at, base(guid))).collect();
        store.identities = self.identities();
        store.clients = self.clients();
        for user in [self.technical_user.as_str(), CLIENT] {
            self.give_usual_roles(&mut store, user, clock);
        }
        // Somebody whose role was there before anything else.
        Self::give(&mut store, &self.people[4], RoleType::OrganizationManager, &self.organizations[0].1, clock);
        Self::give(&mut store, &self.people[4], RoleType::OrganizationManager, &self.organizations[2].1, clock);
        store
    }

    fn space(&self, name: &'static str, at: usize, base: Base) -> Space {
        Space { base, name, organization: self.organizations[at].1.clone() }
    }

    fn identities(&self) -> Vec<Identity> {
        let identity = |guid: &String, username: &str, origin: &str, password: Option<String>| Identity {
            guid: guid.clone(),
            username: username.to_owned(),
            origin: origin.to_owned(),
            password,
            failures: 0,
        };
        let people = self.people.iter().zip(PEOPLE);
        let mut all: Vec<Identity> = people.map(|(guid, (name, origin))| identity(guid, name, origin, None)).collect();
        let password = Some(self.password.clone());
        all.push(identity(&self.technical_user, TECHNICAL_USER, TECHNICAL_USER_ORIGIN, password));
        all
    }

    fn clients(&self) -> Vec<UaaClient> {
        let (command_line, client) = (COMMAND_LINE.to_owned(), CLIENT.to_owned());
        vec![
            UaaClient { id: command_line, secret: String::new(), authorities: &[] },
            UaaClient {
                id: client,
                secret: self.secret.clone(),
                authorities: &["cloud_controller.read", "cloud_controller.write"],
            },
        ]
    }

    fn give_usual_roles(&self, store: &mut Store, user: &str, clock: &Clock) {
        let [(_, acme), (_, partners), _] = &self.organizations;
        Self::give(store, user, RoleType::OrganizationUser, acme, clock);
        Self::give(store, user, RoleType::OrganizationManager, acme, clock);
        Self::give(store, user, RoleType::OrganizationAuditor, partners, clock);
        let own: Vec<String> =
            self.spaces.iter().filter(|(_, at, _)| *at == 0).map(|(.., guid)| guid.clone()).collect();
        for space in own {
            Self::give(store, user, RoleType::SpaceDeveloper, &space, clock);
        }
        if let Some((.., shared)) = self.spaces.iter().find(|(_, at, _)| *at == 1) {
            Self::give(store, user, RoleType::SpaceAuditor, shared, clock);
        }
    }

    fn give(store: &mut Store, user: &str, kind: RoleType, place: &str, clock: &Clock) {
        store.hear_of(user, &stamp(clock));
        let base = Base::new(random::uuid(), stamp(clock));
        store.roles.push(Role { base, kind, user: user.to_owned(), place: place.to_owned() });
    }
}
