//! Cloud Identity Services as a directory: the manners of its Identity Directory (SAP API Business Hub, "Identity Directory
//! Service"), and how it is reached.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Scim;
use super::dialect::DIALECT;
use super::manners::{Manners, Paging};
use super::wire::{Abilities, Ability, USER, User};
use crate::api::environment::IdentityService;
use crate::api::identity::DirectoryUser;
use crate::platform::budget::{Limit, Limits, Pace};
use crate::platform::connect::{Api, Connecting, at, in_spec};
use crate::platform::error::{Error, Result};
use crate::platform::http::address;
use crate::platform::reading::quoted;
use crate::platform::session::{Probe, Session};
use crate::platform::whereabouts::Whereabouts;

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

static MANNERS: Manners = Manners {
    label: "identity-service",
    abilities: Some(ABILITIES),
    page: 100,
    paging: Paging::ById,
    by_name: |name| format!("userName eq {0} or emails.value eq {0}", quoted(name)),
    // With the trust that SAP sets up, a subaccount knows users by their e-mail addresses.
    known_as: User::mail,
    complete,
    works: &[WORKS],
    ends: &[ENDS],
    refuses_passwords: "the tenant's password policy may refuse it: an enterprise policy takes a second change only after 24 hours",
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

/// The directory of a tenant, its session, and what it is.
pub(in crate::platform) fn connect(
    tenant: &IdentityService,
    with: &Connecting<'_>,
) -> Result<(Arc<Scim>, Session, Whereabouts)> {
    let reference = &tenant.credentials_secret_ref;
    let named = |error: Error| error.about(format!("Secret {}", reference.name));
    let base = address::base(&tenant.url, "identityService.url").map_err(|error| in_spec(&error))?;
    let scim = address::below(&base, &["scim"], "connect")?;
    let secret = with.secret(reference)?;
    let account = with.account(super::connect::credential(secret).map_err(named)?).map_err(named)?;
    let session = at(&scim, &account, &API);
    let directory = Scim::new(session.clone(), base.as_str(), &tenant.origin, &MANNERS);
    Ok((Arc::new(directory), session, Whereabouts::at(format!("identity service {base}"))))
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
