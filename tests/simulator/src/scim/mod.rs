//! Any directory that speaks SCIM 2.0 (RFC 7643, RFC 7644). Mounted below `/scim`.
//!
//! It does what the RFCs ask for and no product adds; what they leave to the server is a switch.

mod access;
mod discovery;
mod kinds;
mod resources;
mod search;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::directory::collection::{Groups, Users};
use crate::directory::shelf::Directory;
use crate::frame::{Frame, Guarded, Mounted, Platform, Routes, ScimCredential};
use access::Admin;
use kinds::{GROUP, USER};

const PREFIX: &str = "/scim";
const REALM: &str = "scim";

/// The state behind the routes.
struct Scim {
    frame: Arc<Frame>,
    admin: Guarded<Admin>,
    directory: Guarded<Directory>,
}

/// The directory's routes below `/scim`.
pub(crate) fn mount(frame: &Arc<Frame>) -> Mounted {
    let directory = Guarded::new(Directory::new(&USER, &GROUP));
    let scim = Arc::new(Scim { frame: Arc::clone(frame), admin: Guarded::new(Admin::fresh()), directory });
    let api = Routes::below(PREFIX, "scim")
        .post("token", "/oauth/token", access::token)
        .get("service-provider-config", "/v2/ServiceProviderConfig", discovery::configuration)
        .get("list-resource-types", "/v2/ResourceTypes", discovery::resource_types)
        .get("get-resource-type", "/v2/ResourceTypes/{id}", discovery::resource_type)
        .get("list-schemas", "/v2/Schemas", discovery::schemas)
        .get("get-schema", "/v2/Schemas/{id}", discovery::schema)
        .get("list-users", "/v2/Users", resources::list::<Users>)
        .post("create-user", "/v2/Users", resources::create::<Users>)
        .get("get-user", "/v2/Users/{id}", resources::get::<Users>)
        .put("replace-user", "/v2/Users/{id}", resources::replace::<Users>)
        .patch("change-user", "/v2/Users/{id}", resources::change::<Users>)
        .delete("delete-user", "/v2/Users/{id}", resources::delete::<Users>)
        .get("list-groups", "/v2/Groups", resources::list::<Groups>)
        .post("create-group", "/v2/Groups", resources::create::<Groups>)
        .get("get-group", "/v2/Groups/{id}", resources::get::<Groups>)
        .put("replace-group", "/v2/Groups/{id}", resources::replace::<Groups>)
        .patch("change-group", "/v2/Groups/{id}", resources::change::<Groups>)
        .delete("delete-group", "/v2/Groups/{id}", resources::delete::<Groups>)
        .post("search", "/v2/.search", search::search)
        .post("bulk", "/v2/Bulk", discovery::not_implemented)
        .get("me", "/v2/Me", discovery::not_implemented)
        .get("nothing", "/v2/{*path}", discovery::nothing);
    let (router, names) = api.with_state(Arc::clone(&scim));
    Mounted { platform: scim, other: None, router, names }
}

impl Scim {
    /// Base URL of the protocol.
    fn url(&self) -> String {
        format!("{}{PREFIX}/v2", self.frame.url)
    }

    fn token_url(&self) -> String {
        format!("{}{PREFIX}/oauth/token", self.frame.url)
    }
}

impl Platform for Scim {
    fn name(&self) -> &'static str {
        "scim"
    }

    fn snapshot(&self, secrets: bool) -> Value {
        self.directory.read(|all| json!({"users": all.users.snapshot(secrets), "groups": all.groups.snapshot(secrets)}))
    }

    fn reset(&self) {
        self.directory.write(|all| *all = Directory::new(&USER, &GROUP));
        self.admin.write(|admin| *admin = Admin::fresh());
    }

    /// What the switch says administrators are handed.
    fn admin_credential(&self, x509: bool) -> Option<Value> {
        let url = self.url();
        let credential = self.admin.read(|admin| match self.frame.settings.current().scim_credential {
            ScimCredential::Bearer => json!({"url": url, "token": admin.token}),
            ScimCredential::Basic => json!({"url": url, "username": admin.name, "password": admin.secret}),
            ScimCredential::ClientCredentials => json!({
                "url": url, "tokenurl": self.token_url(), "clientid": admin.name, "clientsecret": admin.secret,
            }),
        });
        (!x509).then_some(credential)
    }
}
