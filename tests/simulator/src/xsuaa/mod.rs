//! The API of SAP Authorization and Trust Management (XSUAA), `/xsuaa/sap/rest/…`: users, role collections and their
//! assignments, mappings of groups, as its OpenAPI document and recorded answers have them.

mod collections;
mod mappings;
mod permitted;
mod refusal;
mod store;
#[cfg(test)]
mod tests;
mod users;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::{Admin, AdminNames};
use crate::frame::rates::Queue;
use crate::frame::{Asked, Guarded, Mounted, Platform, Routes};
use crate::landscape::Both;
use crate::subaccount::Subaccount;

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
static ADMIN: AdminNames = AdminNames {
    client_id: "sb-full-access!a549338",
    secret: "planted-xsuaa-$Cd5+uVw_1-R==",
    x509_client_id: "sb-full-access-x509!a549338",
};

/// The XSUAA API of the subaccount.
pub(crate) struct Xsuaa {
    subaccount: Arc<Subaccount>,
    store: Guarded<Store>,
    admin: Admin,
    authorizations: Queue,
    providers: Queue,
}

/// The origin of the simulated tenant of the identity service.
const IDENTITY_SERVICE: &str = "sap.custom";

/// Requests a second to `/sap/rest/authorization/v2` (SAP Help Portal, "Rate Limiting"). Those to `/sap/rest/user` are
/// counted here too, which is an assumption: the page does not name them.
const AUTHORIZATIONS_PER_SECOND: u32 = 45;
/// Requests a second to `/sap/rest/identity-providers` (the same page).
const PROVIDERS_PER_SECOND: u32 = 30;

/// Mounts the API below `/xsuaa`.
pub(crate) fn mount(first: &Arc<Xsuaa>, other: &Arc<Xsuaa>) -> Mounted {
    let frame = Arc::clone(&first.subaccount.frame);
    let both = Both { frame, first: Arc::clone(first), other: Arc::clone(other) };
    let (router, names) = routes().with_state(Arc::new(both));
    let (platform, other): (Arc<Xsuaa>, Arc<Xsuaa>) = (Arc::clone(first), Arc::clone(other));
    Mounted { platform, other: Some(other), router, names }
}

/// Paths are those of the OpenAPI document; names of parameters are ours.
fn routes() -> Routes<Arc<Both<Xsuaa>>> {
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
    /// The API of a subaccount.
    pub(crate) fn of(subaccount: &Arc<Subaccount>) -> Arc<Self> {
        let admin = Admin::new(subaccount, &ADMIN, SCOPES.iter().map(|&scope| scope.to_owned()).collect());
        Arc::new(Self {
            subaccount: Arc::clone(subaccount),
            store: Guarded::new(Store::seeded(subaccount.place)),
            admin,
            authorizations: Queue::default(),
            providers: Queue::default(),
        })
    }

    /// The templates of the roles that a user of the identity service holds through role collections, under whichever
    /// of these names it is known.
    pub(crate) fn role_templates_of(&self, names: &[&str]) -> Vec<String> {
        self.store.read(|store| {
            let user = names.iter().find_map(|name| store.user(IDENTITY_SERVICE, name));
            let held =
                user.into_iter().flat_map(|user| &user.collections).filter_map(|name| store.collections.get(name));
            held.flat_map(|collection| &collection.roles).map(|role| role.role_template_name.clone()).collect()
        })
    }

    fn now(&self) -> Duration {
        self.subaccount.frame.clock.now()
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
                json!({"name": name, "readOnly": collection.read_only, "members": collection.members.keys().collect::<Vec<_>>(),
                       "mappings": mappings(name, &collection.mappings)})
            });
            json!({"roleCollections": collections.collect::<Vec<_>>(),
                   "users": store.users().map(store::User::shown).collect::<Vec<_>>()})
        })
    }

    fn reset(&self) {
        self.store.write(|store| *store = Store::seeded(self.subaccount.place));
        self.authorizations.reset();
        self.providers.reset();
        self.admin.register(&self.subaccount);
    }

    fn admit(&self, request: &Asked<'_>) -> Result<Duration, Duration> {
        let frame = &self.subaccount.frame;
        if !frame.settings.current().rates_hold() {
            return Ok(Duration::ZERO);
        }
        match request.route {
            "xsuaa.list-identity-providers" => self.providers.admit(PROVIDERS_PER_SECOND, frame.clock.now()),
            _ => self.authorizations.admit(AUTHORIZATIONS_PER_SECOND, frame.clock.now()),
        }
    }

    fn admin_credential(&self, x509: bool) -> Option<Value> {
        let (place, token_host) = (self.subaccount.place, self.subaccount.token_host());
        let mut key = json!({
            "tenantmode": "dedicated", "subaccountid": place.zone, "credential-type": "secret",
            "tokenurl": format!("{token_host}/oauth/token"), "xsappname": "full-access!a549338",
            "serviceInstanceId": "930dd55c-d3e5-40f6-b65b-266d2b05d622", "url": token_host,
            "uaadomain": "authentication.simulator.hana.ondemand.com",
            "apiurl": format!("{}/xsuaa", self.subaccount.frame.url), "identityzone": place.subdomain,
            "identityzoneid": place.zone, "tenantid": place.zone, "zoneid": place.zone, "name": "simulator", "read-only": false,
        });
        if x509 {
            key["credential-type"] = json!("client certificate");
            key["tokenurl"] = json!(format!("{}/oauth/token", self.subaccount.certificate_token_host()));
            key["clientx509enabled"] = json!(true);
            key["certificate-pinning"] = json!(true);
        }
        self.admin.complete(key, &self.subaccount, x509)
    }
}
