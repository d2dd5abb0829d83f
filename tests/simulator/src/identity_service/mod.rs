//! SAP Cloud Identity Services: the Identity Directory, and the logon with a user's password. Mounted below
//! `/identity-service`.
//!
//! The directory follows its OpenAPI document, the rest SAP's documentation. `/logon` is not SAP's: it is the place
//! where a test proves a password, as any application that asks the identity service would.

mod access;
mod kinds;
mod lists;
mod logon;
mod passwords;
mod resources;
mod rules;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::certificates::Authority;
use crate::directory::collection::{Groups, Users};
use crate::frame::{Asked, Frame, Guarded, Mounted, Platform, Routes, clock};
use access::Admin;
use store::Store;

pub(crate) use store::Person;

const PREFIX: &str = "/identity-service";
const REALM: &str = "identity-service";
const MINUTE: Duration = Duration::from_mins(1);
/// Requests a minute that are answered at once, and those that are answered at all, a second late.
const AT_ONCE: u32 = 200;
const AT_ALL: u32 = 280;
const DELAY: Duration = Duration::from_secs(1);

/// The tenant.
pub(crate) struct IdentityService {
    frame: Arc<Frame>,
    authority: Arc<Authority>,
    admin: Guarded<Admin>,
    store: Guarded<Store>,
    window: Guarded<(Duration, u32)>,
}

/// The tenant's routes below `/identity-service`.
pub(crate) fn mount(service: &Arc<IdentityService>) -> Mounted {
    let api = Routes::below(PREFIX, "identity-service")
        .post("token", "/oauth2/token", access::token)
        .get("logon", "/logon", logon::logon)
        .get("follow-link", "/activation", logon::follow)
        .get("list-users", "/scim/Users", lists::list::<Users>)
        .post("create-user", "/scim/Users", resources::create::<Users>)
        .get("get-user", "/scim/Users/{id}", resources::get::<Users>)
        .put("replace-user", "/scim/Users/{id}", resources::replace::<Users>)
        .patch("change-user", "/scim/Users/{id}", resources::change::<Users>)
        .delete("delete-user", "/scim/Users/{id}", resources::delete::<Users>)
        .get("list-groups", "/scim/Groups", lists::list::<Groups>)
        .post("create-group", "/scim/Groups", resources::create::<Groups>)
        .get("get-group", "/scim/Groups/{id}", resources::get::<Groups>)
        .put("replace-group", "/scim/Groups/{id}", resources::replace::<Groups>)
        .patch("change-group", "/scim/Groups/{id}", resources::change::<Groups>)
        .delete("delete-group", "/scim/Groups/{id}", resources::delete::<Groups>);
    let (router, names) = api.with_state(Arc::clone(service));
    let platform: Arc<IdentityService> = Arc::clone(service);
    Mounted { platform, other: None, router, names }
}

impl IdentityService {
    /// An empty tenant.
    pub(crate) fn new(frame: &Arc<Frame>, authority: &Arc<Authority>) -> Arc<Self> {
        Arc::new(Self {
            frame: Arc::clone(frame),
            authority: Arc::clone(authority),
            admin: Guarded::new(Admin::fresh(authority, frame.clock.now())),
            store: Guarded::new(Store::new()),
            window: Guarded::default(),
        })
    }

    fn scim_url(&self) -> String {
        format!("{}{PREFIX}/scim", self.frame.url)
    }

    /// Who has this name and this password, if they are let in.
    pub(crate) fn logon(&self, name: &str, password: &str) -> Option<Person> {
        let now = self.frame.clock.now();
        let policy = self.frame.settings.current().identity_password_policy;
        let stamp = clock::format(now, "%Y-%m-%dT%H:%M:%SZ");
        self.store.write(|store| store.logon(name, password, policy, now, &stamp))
    }
}

impl Platform for IdentityService {
    fn name(&self) -> &'static str {
        "identity-service"
    }

    fn snapshot(&self, secrets: bool) -> Value {
        let link = format!("{}{PREFIX}/activation", self.frame.url);
        let policy = self.frame.settings.current().identity_password_policy;
        self.store.read(|store| store.snapshot(secrets, &link, policy))
    }

    fn reset(&self) {
        self.store.write(|store| *store = Store::new());
        self.admin.write(|admin| *admin = Admin::fresh(&self.authority, self.frame.clock.now()));
        self.window.write(|window| *window = Default::default());
    }

    fn admin_credential(&self, x509: bool) -> Option<Value> {
        let url = |host: &str| format!("{host}{PREFIX}");
        self.admin.read(|admin| admin.credential(&url(&self.frame.url), &url(&self.frame.mtls_url), x509))
    }

    /// The directory's limit is the tenant's. Who comes too often waits a minute from then on.
    fn admit(&self, request: &Asked<'_>) -> Result<Duration, Duration> {
        let elsewhere = ["identity-service.token", "identity-service.logon", "identity-service.follow-link"];
        if !self.frame.settings.current().rates_hold() || elsewhere.contains(&request.route) {
            return Ok(Duration::ZERO);
        }
        let now = self.frame.clock.now();
        self.window.write(|(since, used)| {
            if now >= *since + MINUTE {
                (*since, *used) = (now, 0);
            }
            *used += 1;
            match *used {
                used if used <= AT_ONCE => Ok(Duration::ZERO),
                used if used <= AT_ALL => Ok(DELAY),
                _ => {
                    if *used == AT_ALL + 1 {
                        *since = now;
                    }
                    Err((*since + MINUTE).saturating_sub(now))
                }
            }
        })
    }

    /// It does not say when to come back.
    fn throttled(&self, _retry_after: Option<String>) -> axum::response::Response {
        crate::frame::answer::throttled_plain(None)
    }
}
