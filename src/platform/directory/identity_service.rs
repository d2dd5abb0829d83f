//! Cloud Identity Services as a directory: the manners of its Identity Directory (SAP API Business Hub, "Identity Directory
//! Service"), and how it is reached.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Directory;
use super::dialect::DIALECT;
use super::manners::{Manners, PLAIN, Paging};
use super::pages::Shelf;
use super::wire::{Abilities, Ability, USER, User};
use crate::api::environment::IdentityService;
use crate::api::identity::DirectoryUser;
use crate::api::{IdentityKind, RoleKind};
use crate::plan::capability::Table;
use crate::platform::budget::{Limit, Limits, Pace};
use crate::platform::connect::{Api, Connecting, at, in_spec};
use crate::platform::error::{Error, Result};
use crate::platform::http::address;
use crate::platform::reading::quoted;
use crate::platform::session::Probe;
use crate::platform::whereabouts::Whereabouts;
use crate::platform::{Driver, Maker};

/// SAP slows down above 200 calls a minute and refuses above 280; Identity Provisioning is slow above 150.
const API: Api = Api {
    name: "identity-service",
    limits: Limits::one(Limit::Kept(Pace::a_minute(150.0))),
    dialect: &DIALECT,
    probe: Some(Probe { path: &["Users"], query: &[("count", "1"), ("attributes", "id")] }),
};

/// SAP's own attributes of a user.
const SAP: &str = "urn:ietf:params:scim:schemas:extension:sap:2.0:User";
/// A password that is set without this has to be changed at the first log-on, which no machine does.
const WORKS: (&str, &str) = ("urn:ietf:params:scim:schemas:extension:sap:2.0:User:passwordDetails.status", "enabled");
/// What ends a password. To set another would be refused within a day where the policy is strict.
const ENDS: (&str, &str) = ("urn:ietf:params:scim:schemas:extension:sap:2.0:User:passwordDetails.status", "disabled");

/// It has no `ServiceProviderConfig`.
const ABILITIES: Abilities = Abilities {
    patch: Ability { supported: true },
    filter: Ability { supported: true },
    etag: Ability { supported: false },
};

/// Those of a tenant that a subaccount of the multi-environment trusts: with the trust that SAP sets up, it knows users by
/// their e-mail addresses.
pub(in crate::platform) static BY_ADDRESS: Manners = Manners {
    label: "identity-service",
    abilities: Some(ABILITIES),
    page: 100,
    paging: Paging::ById,
    known_as: |user| Some(user.mail()),
    by_name: Some(|name| format!("userName eq {0} or emails.value eq {0}", quoted(name))),
    complete,
    works: &[WORKS],
    ends: &[ENDS],
    refuses_passwords: "the tenant's password policy may refuse it: an enterprise policy takes a second change only after 24 hours",
    ..PLAIN
};

/// Those of a tenant that is a user base of a Neo subaccount, which knows users by the ids that the tenant gives them. A
/// tenant cannot search for those.
pub(in crate::platform) static BY_USER_ID: Manners =
    Manners { users: &USERS_WITH_IDS, known_as: User::user_id, by_name: None, ..BY_ADDRESS };

const USERS_WITH_IDS: Shelf = Shelf {
    path: "Users",
    attributes: "id,userName,externalId,displayName,emails,urn:ietf:params:scim:schemas:extension:sap:2.0:User:userId",
};

/// Without this it would be inactive, and a person would have to follow the link of a mail.
fn complete(body: &mut Value, user: &DirectoryUser) {
    let mut sap = json!({ "status": "active", "sendMail": false, "mailVerified": true });
    if let Some(valid_to) = &user.valid_to {
        sap["validTo"] = json!(valid_to.0.to_string());
    }
    body["schemas"] = json!([USER, SAP]);
    body[SAP] = sap;
}

/// How the other APIs of a platform know a tenant's users.
pub(in crate::platform) struct Trust<'a> {
    /// What they call the tenant.
    pub(in crate::platform) origin: &'a str,
    /// By which names.
    pub(in crate::platform) manners: &'static Manners,
}

/// Gives a driver what a tenant can do. Tells what the tenant is.
pub(in crate::platform) fn join(
    driver: &mut Driver,
    tenant: &IdentityService,
    trust: &Trust<'_>,
    table: &Table,
    with: &Connecting<'_>,
) -> Result<Whereabouts> {
    let reference = &tenant.credentials_secret_ref;
    let named = |error: Error| error.about(format!("Secret {}", reference.name));
    let base = address::base(&tenant.url, "identityService.url").map_err(|error| in_spec(&error))?;
    let scim = address::below(&base, &["scim"], "connect")?;
    let secret = with.secret(reference)?;
    let account = with.account(super::credential(secret).map_err(named)?).map_err(named)?;
    let session = at(&scim, &account, &API);
    let directory = Arc::new(Directory::new(session.clone(), base.as_str(), trust.origin, trust.manners));
    let users = Maker::of(Arc::clone(&directory), table.recall(IdentityKind::DirectoryUser));
    driver.makers.insert(IdentityKind::DirectoryUser, users);
    driver.grants.insert(RoleKind::GroupMembership, directory);
    driver.sessions.push(session);
    Ok(Whereabouts::at(format!("identity service {base}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_user_needs_nobody_to_confirm_it() {
        let user = |valid_to: Value| -> DirectoryUser {
            serde_json::from_value(json!({"userName": "tu", "validTo": valid_to})).unwrap()
        };
        let mut body = json!({});
        complete(&mut body, &user(json!("2027-01-01T00:00:00Z")));
        let sap =
            json!({"status": "active", "sendMail": false, "mailVerified": true, "validTo": "2027-01-01T00:00:00Z"});
        assert_eq!(body, json!({"schemas": [USER, SAP], SAP: sap}));
        complete(&mut body, &user(Value::Null));
        assert_eq!(body[SAP].get("validTo"), None);
    }
}
