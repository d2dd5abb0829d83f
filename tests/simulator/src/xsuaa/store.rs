//! Users, role collections and attribute mappings of the subaccount, and who holds what.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::frame::{clock, random};
use crate::subaccount::Place;

/// The origin of the SAP ID service.
const SAP_ID: &str = "sap.default";
/// Its name in former times, which is still accepted and never shown.
const LEGACY_SAP_ID: &str = "ldap";

/// An identity provider that the subaccount trusts.
pub(crate) struct IdentityProvider {
    /// Its origin key.
    pub(crate) origin: &'static str,
    /// Its host.
    pub(crate) host: &'static str,
    /// `oidc1.0`, `saml` or, for the SAP ID service, `ldap`-era `oidc1.0`.
    pub(crate) kind: &'static str,
}

/// All trusts of the subaccount.
pub(crate) static IDENTITY_PROVIDERS: [IdentityProvider; 3] = [
    IdentityProvider { origin: SAP_ID, host: "accounts.sap.com", kind: "oidc1.0" },
    IdentityProvider { origin: "sap.custom", host: "acme.accounts400.ondemand.com", kind: "oidc1.0" },
    IdentityProvider { origin: "corporate", host: "sts.acme.example", kind: "saml" },
];

/// The identity provider with this origin key, the legacy one included.
pub(crate) fn identity_provider(origin: &str) -> Option<&'static IdentityProvider> {
    let origin = if origin == LEGACY_SAP_ID { SAP_ID } else { origin };
    IDENTITY_PROVIDERS.iter().find(|provider| provider.origin == origin)
}

/// A (shadow) user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// Id; a user made anew gets a new one.
    pub(crate) id: String,
    /// Name at the identity provider.
    pub(crate) username: String,
    /// Mail address.
    pub(crate) email: String,
    /// Given name.
    pub(crate) given_name: Option<String>,
    /// Family name.
    pub(crate) family_name: Option<String>,
    /// The subaccount it is a user of.
    zone: &'static str,
    /// Where the user logs on.
    pub(crate) origin: &'static str,
    /// Role collections assigned to the user directly.
    pub(crate) collections: Vec<String>,
    created: Duration,
    modified: Duration,
    version: u32,
}

/// A role inside a role collection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RoleReference {
    /// Application that brings the template.
    pub(crate) role_template_app_id: String,
    /// The template.
    pub(crate) role_template_name: String,
    /// The role.
    pub(crate) name: String,
    /// What it is for.
    #[serde(default)]
    pub(crate) description: Option<String>,
}

/// A role collection that members of a group of an identity provider have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// The provider.
    pub(crate) origin: &'static str,
    /// The attribute, `Groups` for groups.
    pub(crate) attribute: String,
    /// How the value is compared.
    pub(crate) operator: String,
    /// The value.
    pub(crate) value: String,
}

/// A role collection.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoleCollection {
    /// What it is for.
    pub(crate) description: Option<String>,
    /// Its roles.
    pub(crate) roles: Vec<RoleReference>,
    /// Came with a subscription and cannot be changed.
    pub(crate) read_only: bool,
    /// Ids of the users that have it, and since when.
    pub(crate) members: BTreeMap<String, Duration>,
    /// Groups that have it.
    pub(crate) mappings: Vec<Mapping>,
}

/// Everything the API keeps.
pub(crate) struct Store {
    /// Role collections by name.
    pub(crate) collections: BTreeMap<String, RoleCollection>,
    zone: &'static str,
    users: HashMap<String, User>,
    by_name: BTreeMap<(&'static str, String), String>,
}

impl Store {
    /// What a subaccount with Cloud Integration has from the start, and one collection somebody made.
    pub(crate) fn seeded(place: &'static Place) -> Self {
        let mut collections = BTreeMap::new();
        for (name, role) in [
            ("PI_Administrator", "AuthGroup_Administrator"),
            ("PI_Business_Expert", "AuthGroup_BusinessExpert"),
            ("PI_Integration_Developer", "AuthGroup_IntegrationDeveloper"),
            ("PI_Read_Only", "AuthGroup_ReadOnly"),
        ] {
            collections.insert(name.to_owned(), shipped("it!b117912", role));
        }
        collections.insert("Subaccount Viewer".to_owned(), shipped("cis-local!b2", "Subaccount_Viewer"));
        let custom = RoleCollection { read_only: false, ..shipped("it!b117912", "AuthGroup_ReadOnly") };
        collections.insert("Order Intake Support".to_owned(), custom);
        Self { collections, zone: &place.zone, users: HashMap::new(), by_name: BTreeMap::new() }
    }

    /// A user by origin and name; names do not differ by case.
    pub(crate) fn user(&self, origin: &'static str, name: &str) -> Option<&User> {
        self.users.get(self.by_name.get(&(origin, name.to_lowercase()))?)
    }

    /// A user by id.
    pub(crate) fn user_by_id(&self, id: &str) -> Option<&User> {
        self.users.get(id)
    }

    /// All users of an origin, by name.
    pub(crate) fn users_of(&self, origin: &'static str) -> impl Iterator<Item = &User> {
        let range = self.by_name.range((origin, String::new())..);
        range.take_while(move |((of, _), _)| *of == origin).filter_map(|(_, id)| self.users.get(id))
    }

    /// All users.
    pub(crate) fn users(&self) -> impl Iterator<Item = &User> {
        self.by_name.values().filter_map(|id| self.users.get(id))
    }

    /// Makes a user; nobody checks that the identity provider knows the name.
    pub(crate) fn add_user(
        &mut self,
        origin: &'static str,
        name: &str,
        email: Option<String>,
        now: Duration,
    ) -> String {
        let id = random::uuid();
        let user = User {
            id: id.clone(),
            username: name.to_owned(),
            email: email.unwrap_or_else(|| name.to_owned()),
            given_name: None,
            family_name: None,
            zone: self.zone,
            origin,
            collections: Vec::new(),
            created: now,
            modified: now,
            version: 0,
        };
        self.by_name.insert((origin, name.to_lowercase()), id.clone());
        self.users.insert(id.clone(), user);
        id
    }

    /// Changes a user; every change counts, also one that changes nothing.
    pub(crate) fn touch(&mut self, id: &str, now: Duration, change: impl FnOnce(&mut User)) -> Option<&User> {
        let user = self.users.get_mut(id)?;
        change(user);
        user.version += 1;
        user.modified = now;
        Some(user)
    }

    /// Takes a user away, and with it all assignments.
    pub(crate) fn remove_user(&mut self, id: &str) -> Option<User> {
        let user = self.users.remove(id)?;
        self.by_name.remove(&(user.origin, user.username.to_lowercase()));
        for name in &user.collections {
            if let Some(collection) = self.collections.get_mut(name) {
                collection.members.remove(id);
            }
        }
        Some(user)
    }

    /// Assigns a role collection; the user and the collection exist.
    pub(crate) fn assign(&mut self, id: &str, collection: &str, now: Duration) -> Option<&User> {
        self.collections.get_mut(collection)?.members.entry(id.to_owned()).or_insert(now);
        self.touch(id, now, |user| {
            if !user.collections.iter().any(|held| held == collection) {
                user.collections.push(collection.to_owned());
            }
        })
    }

    /// Takes a role collection from a user.
    pub(crate) fn unassign(&mut self, id: &str, collection: &str, now: Duration) -> Option<&User> {
        self.collections.get_mut(collection)?.members.remove(id);
        self.touch(id, now, |user| user.collections.retain(|held| held != collection))
    }

    /// Takes a role collection away from everybody and out of the subaccount.
    pub(crate) fn remove_collection(&mut self, name: &str, now: Duration) -> bool {
        let Some(collection) = self.collections.remove(name) else { return false };
        for id in collection.members.keys() {
            self.touch(id, now, |user| user.collections.retain(|held| held != name));
        }
        true
    }
}

fn shipped(application: &str, role: &str) -> RoleCollection {
    let reference = RoleReference {
        role_template_app_id: application.to_owned(),
        role_template_name: role.to_owned(),
        name: role.to_owned(),
        description: None,
    };
    RoleCollection { roles: vec![reference], read_only: true, ..RoleCollection::default() }
}

impl User {
    /// `XSUser`, the whole user.
    pub(crate) fn shown(&self) -> Value {
        let moment = |moment| clock::format(moment, "%Y-%m-%dT%H:%M:%S%.3f+00:00");
        let mut shown = json!({
            "id": self.id, "username": self.username, "email": self.email, "origin": self.origin, "zoneId": self.zone,
            "created": moment(self.created), "modified": moment(self.modified), "verified": false,
            "legacyVerificationBehavior": false, "passwordChangeRequired": false, "version": self.version,
            "active": true, "roleCollections": self.collections,
        });
        if let Some(name) = &self.given_name {
            shown["givenName"] = json!(name);
        }
        if let Some(name) = &self.family_name {
            shown["familyName"] = json!(name);
        }
        shown
    }

    /// `UserReference`, as a role collection lists its users.
    pub(crate) fn reference(&self) -> Value {
        json!({"id": self.id, "username": self.username, "zoneId": self.zone, "email": self.email, "origin": self.origin})
    }
}

impl RoleReference {
    /// As the API shows it.
    pub(crate) fn shown(&self) -> Value {
        json!({"roleTemplateAppId": self.role_template_app_id, "roleTemplateName": self.role_template_name,
               "name": self.name, "description": self.description.as_deref().unwrap_or_default()})
    }
}
