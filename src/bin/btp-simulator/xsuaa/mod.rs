//! The API of SAP Authorization and Trust Management (XSUAA), `/xsuaa/sap/rest/…`: users, role collections and their
//! assignments, mappings of groups, as its OpenAPI document and recorded answers have them.

mod collections;
mod mappings;
mod refusal;
mod store;
#[cfg(test)]
mod tests;
mod users;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::{Client, Proof, Rights};
use crate::frame::{Guarded, Mounted, Platform, Routes};
use crate::subaccount::{ADMIN_TOKEN_VALIDITY, SUBDOMAIN, Subaccount, ZONE};

use store::{Mapping, Store};

/// What a client with full access to the API may do.
pub(crate) const SCOPES: &[&str] = &[
    "xs_authorization.read",
    "xs_authorization.write",
    "xs_user.read",
    "xs_user.write",
    "xs_idp.read",
    "xs_idp.write",
];
const ADMIN: &str = "sb-full-access!a549338";
const ADMIN_X509: &str = "sb-full-access-x509!a549338";
const ADMIN_SECRET: &str = "planted-xsuaa-$Cd5+uVw_1-R==";

/// The XSUAA API of the subaccount.
pub(crate) struct Xsuaa {
    subaccount: Arc<Subaccount>,
    store: Guarded<Store>,
    admin_x509: Guarded<Value>,
}

/// Mounts the API below `/xsuaa`.
pub(crate) fn mount(subaccount: &Arc<Subaccount>) -> Mounted {
    let xsuaa = Arc::new(Xsuaa {
        subaccount: Arc::clone(subaccount),
        store: Guarded::new(Store::seeded()),
        admin_x509: Guarded::new(Value::Null),
    });
    xsuaa.register_admins();
    let (router, names) = routes().with_state(Arc::clone(&xsuaa));
    Mounted { platform: xsuaa, router, names }
}

fn routes() -> Routes<Arc<Xsuaa>> {
    let user = "/sap/rest/user/origin/{origin}/name/{name}";
    let collection = "/sap/rest/authorization/v2/rolecollections/{collection}";
    let provider = "/sap/rest/authorization/v2/identity-providers/{origin}";
    Routes::below("/xsuaa", "xsuaa")
        .get("list-origins", "/sap/rest/user/origin", users::origins)
        .get("list-users", "/sap/rest/user/origin/{origin}/name", users::names)
        .get("get-user", user, users::get)
        .delete("delete-user", user, users::delete)
        .get("get-user-by-id", "/sap/rest/user/id/{id}", users::get_by_id)
        .delete("delete-user-by-id", "/sap/rest/user/id/{id}", users::delete_by_id)
        .post("create-user", "/sap/rest/user", users::create)
        .put("update-user", "/sap/rest/user", users::update)
        .post("create-users", "/sap/rest/user/bulk", users::create_many)
        .put("assign", &format!("{user}/rolecollections/{{collection}}"), users::assign)
        .delete("unassign", &format!("{user}/rolecollections/{{collection}}"), users::unassign)
        .get("list-user-collections", "/sap/rest/authorization/v2/users/{id}/rolecollections", users::collections_of)
        .get("list-collections", "/sap/rest/authorization/v2/rolecollections", collections::list)
        .post("create-collection", "/sap/rest/authorization/v2/rolecollections", collections::create)
        .get("list-collections-first-page", "/sap/rest/authorization/v2/rolecollections/pages", collections::first_page)
        .get("list-collections-page", "/sap/rest/authorization/v2/rolecollections/pages/{page}", collections::page)
        .get("get-collection", collection, collections::get)
        .put("describe-collection", collection, collections::describe)
        .delete("delete-collection", collection, collections::delete)
        .put("add-roles", &format!("{collection}/roles"), collections::add_roles)
        .delete("remove-roles", &format!("{collection}/roles"), collections::remove_roles)
        .get("list-identity-providers", "/sap/rest/identity-providers", mappings::providers)
        .post("add-mapping", &format!("{provider}/attributes"), mappings::add)
        .get("list-mappings", &format!("{provider}/attributes/rolecollections"), mappings::of_origin)
        .get(
            "list-attribute-mappings",
            &format!("{provider}/attributes/{{attribute}}/rolecollections/{{collection}}"),
            mappings::of_attribute,
        )
        .get("list-collection-mappings", &format!("{provider}/rolecollections/{{collection}}"), mappings::of_collection)
        .delete(
            "remove-mapping",
            &format!("{provider}/attributes/{{attribute}}/{{operator}}/{{value}}/rolecollections/{{collection}}"),
            mappings::remove,
        )
}

impl Xsuaa {
    fn now(&self) -> Duration {
        self.subaccount.frame.clock.now()
    }

    fn register_admins(&self) {
        let rights = Rights::new(SCOPES.iter().map(|&scope| scope.to_owned()).collect(), ADMIN_TOKEN_VALIDITY);
        let proof = Proof::Secret(ADMIN_SECRET.to_owned());
        drop(self.subaccount.clients.register(Client { id: ADMIN.to_owned(), proof, rights: Arc::clone(&rights) }));
        let Some(issued) = self.subaccount.admin_certificate("xsuaa-admin") else { return };
        let (fingerprint, valid_until) = (issued.details.fingerprint, issued.details.valid_until);
        let proof = Proof::Certificate { fingerprint, valid_until };
        drop(self.subaccount.clients.register(Client { id: ADMIN_X509.to_owned(), proof, rights }));
        let certurl = self.subaccount.certificate_token_host();
        let fields = json!({
            "clientid": ADMIN_X509, "credential-type": "client certificate", "certificate": issued.chain,
            "key": issued.key, "certurl": certurl, "tokenurl": format!("{certurl}/oauth/token"),
            "clientx509enabled": true, "certificate-pinning": true,
        });
        self.admin_x509.write(|kept| *kept = fields);
    }
}

impl Platform for Xsuaa {
    fn name(&self) -> &'static str {
        "xsuaa"
    }

    fn snapshot(&self, _secrets: bool) -> Value {
        self.store.read(|store| {
            let mappings = |name: &str, held: &[Mapping]| {
                held.iter().map(|mapping| self.mapping_shown(name, mapping)).collect::<Vec<_>>()
            };
            let collections = store.collections.iter().map(|(name, collection)| {
                json!({"name": name, "readOnly": collection.read_only, "members": collection.members,
                       "mappings": mappings(name, &collection.mappings)})
            });
            json!({"roleCollections": collections.collect::<Vec<_>>(),
                   "users": store.users().map(store::User::shown).collect::<Vec<_>>()})
        })
    }

    fn reset(&self) {
        self.store.write(|store| *store = Store::seeded());
        self.register_admins();
    }

    fn admin_credential(&self, x509: bool) -> Option<Value> {
        let token_host = self.subaccount.token_host();
        let mut credential = json!({
            "tenantmode": "dedicated", "subaccountid": ZONE, "credential-type": "secret", "clientid": ADMIN,
            "tokenurl": format!("{token_host}/oauth/token"), "xsappname": "full-access!a549338",
            "serviceInstanceId": "930dd55c-d3e5-40f6-b65b-266d2b05d622", "url": token_host,
            "uaadomain": "authentication.simulator.hana.ondemand.com",
            "apiurl": format!("{}/xsuaa", self.subaccount.frame.url), "identityzone": SUBDOMAIN,
            "identityzoneid": ZONE, "tenantid": ZONE, "zoneid": ZONE, "name": "simulator", "read-only": false,
        });
        if !x509 {
            credential["clientsecret"] = json!(ADMIN_SECRET);
            return Some(credential);
        }
        let fields = self.admin_x509.read(Clone::clone);
        for (name, value) in fields.as_object()? {
            credential[name] = value.clone();
        }
        Some(credential)
    }
}
