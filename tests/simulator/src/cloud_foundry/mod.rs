//! Cloud Foundry: the API v3 of a Cloud Controller below `/cloud-foundry`, and the UAA beside it below `/cf-uaa`.
//!
//! It follows the Cloud Controller's source and its prose documentation (cloudfoundry/cloud_controller_ng); its OpenAPI
//! document says of itself that it is an experiment. Service instances and keys are made by the brokers that the
//! Service Manager asks too, for the token service of the first subaccount.

mod access;
mod instance_change;
mod instances;
mod jobs;
mod keys;
mod marketplace;
mod order;
mod permitted;
mod places;
mod query;
mod rates;
mod refusal;
mod role_order;
mod role_type;
mod roles;
mod root;
mod seed;
mod selector;
mod store;
#[cfg(test)]
mod tests;
mod uaa;
mod users;

use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::frame::{Frame, Guarded, Mounted, Platform, Routes, Settings, answer};
use crate::subaccount::Subaccount;

use query::ListQuery;
use refusal::Refusal;
use seed::Lasting;
use store::Store;

const PREFIX: &str = "/cloud-foundry";
const UAA_PREFIX: &str = "/cf-uaa";
const REALM: &str = "cloud-foundry";

/// The state behind the routes.
pub(crate) struct CloudFoundry {
    subaccount: Arc<Subaccount>,
    lasting: Lasting,
    store: Guarded<Store>,
    rates: rates::Counter,
}

/// Mounts the Cloud Controller and its UAA. Keys are for the subaccount's token service.
pub(crate) fn mount(subaccount: &Arc<Subaccount>) -> Mounted {
    let lasting = Lasting::new();
    let store = Guarded::new(lasting.store(&subaccount.frame.clock));
    let rates = rates::Counter::default();
    let cloud = Arc::new(CloudFoundry { subaccount: Arc::clone(subaccount), lasting, store, rates });
    let api = Routes::below(PREFIX, "cloud-foundry");
    let api = services(roles_and_places(api));
    let (router, mut names) = api.with_state(Arc::clone(&cloud));
    let counted = router.layer(middleware::from_fn_with_state(Arc::clone(&cloud), rates::count));
    let (uaa, more) = Routes::below(UAA_PREFIX, "cf-uaa")
        .get("info", "/info", uaa::info)
        .get("login", "/login", uaa::info)
        .post("token", "/oauth/token", uaa::token)
        .with_state(Arc::clone(&cloud));
    names.extend(more);
    Mounted { platform: cloud, other: None, router: counted.merge(uaa), names }
}

fn roles_and_places(api: Routes<Arc<CloudFoundry>>) -> Routes<Arc<CloudFoundry>> {
    // A command line asks for the root without a slash, other clients with one.
    api.get("root", "/", root::root)
        .get("bare-root", "", root::root)
        .get("v3-root", "/v3", root::v3)
        .get("info", "/v3/info", root::info)
        .get("unknown", "/v3/{*path}", root::unknown)
        .get("list-organizations", "/v3/organizations", places::organizations)
        .get("get-organization", "/v3/organizations/{guid}", places::organization)
        .get("list-spaces", "/v3/spaces", places::spaces)
        .get("get-space", "/v3/spaces/{guid}", places::space)
        .get("list-users", "/v3/users", users::list)
        .post("create-user", "/v3/users", users::create)
        .get("get-user", "/v3/users/{guid}", users::get)
        .get("list-roles", "/v3/roles", roles::list)
        .post("create-role", "/v3/roles", roles::create)
        .get("get-role", "/v3/roles/{guid}", roles::get)
        .delete("delete-role", "/v3/roles/{guid}", roles::delete)
        .get("get-job", "/v3/jobs/{guid}", jobs::get)
}

fn services(api: Routes<Arc<CloudFoundry>>) -> Routes<Arc<CloudFoundry>> {
    const INSTANCE: &str = "/v3/service_instances/{guid}";
    const KEY: &str = "/v3/service_credential_bindings/{guid}";
    api.get("list-offerings", "/v3/service_offerings", marketplace::offerings)
        .get("get-offering", "/v3/service_offerings/{guid}", marketplace::offering)
        .get("list-plans", "/v3/service_plans", marketplace::plans)
        .get("get-plan", "/v3/service_plans/{guid}", marketplace::plan)
        .get("list-instances", "/v3/service_instances", instances::list)
        .post("create-instance", "/v3/service_instances", instances::create)
        .get("get-instance", INSTANCE, instances::get)
        .patch("update-instance", INSTANCE, instance_change::change)
        .delete("delete-instance", INSTANCE, instances::delete)
        .get("get-instance-parameters", &format!("{INSTANCE}/parameters"), instances::parameters)
        .get("list-bindings", "/v3/service_credential_bindings", keys::list)
        .post("create-binding", "/v3/service_credential_bindings", keys::create)
        .get("get-binding", KEY, keys::get)
        .patch("update-binding", KEY, keys::change)
        .delete("delete-binding", KEY, keys::delete)
        .get("get-binding-details", &format!("{KEY}/details"), keys::details)
        .get("get-binding-parameters", &format!("{KEY}/parameters"), keys::parameters)
}

impl CloudFoundry {
    fn frame(&self) -> &Frame {
        &self.subaccount.frame
    }

    fn settings(&self) -> Arc<Settings> {
        self.frame().settings.current()
    }

    /// The moment, for an object that is made or changed now.
    fn stamp(&self) -> String {
        store::stamp(&self.frame().clock)
    }

    /// Base URL of the API, as clients see it.
    fn url(&self) -> String {
        format!("{}{PREFIX}", self.frame().url)
    }

    /// Base URL of the UAA, as clients see it.
    fn uaa_url(&self) -> String {
        format!("{}{UAA_PREFIX}", self.frame().url)
    }

    /// An entry of `links`.
    fn link(&self, path: &str) -> Value {
        json!({"href": format!("{}{path}", self.url())})
    }

    /// Looks at the store or changes it, after jobs that are due have ended.
    fn with<R>(&self, act: impl FnOnce(&mut Store) -> R) -> R {
        self.store.write(|store| {
            store.settle(&self.subaccount);
            act(store)
        })
    }

    /// A query whose refusal is 400.
    fn query(&self, raw: Option<&str>, known: &[&str]) -> Result<ListQuery, Refusal> {
        ListQuery::read(raw, known, self.settings().cloud_foundry_page.max(1), Refusal::bad_query)
    }

    /// A query whose refusal is 422: lists of roles and users differ in it from the others.
    fn strict_query(&self, raw: Option<&str>, known: &[&str]) -> Result<ListQuery, Refusal> {
        ListQuery::read(raw, known, self.settings().cloud_foundry_page.max(1), Refusal::unprocessable)
    }

    /// 202: a job does it.
    fn accepted(&self, job: &str) -> Response {
        let location = format!("{}/v3/jobs/{job}", self.url());
        answer::with_header(StatusCode::ACCEPTED.into_response(), header::LOCATION, &location)
    }
}

impl Platform for CloudFoundry {
    fn name(&self) -> &'static str {
        "cloud-foundry"
    }

    fn snapshot(&self, secrets: bool) -> Value {
        self.with(|store| {
            json!({
                "organizations": store.organizations.iter().map(|one| places::shown_organization(self, one)).collect::<Vec<_>>(),
                "spaces": store.spaces.iter().map(|one| places::shown_space(self, one)).collect::<Vec<_>>(),
                "users": store.users.iter().map(|one| users::shown(self, store, one)).collect::<Vec<_>>(),
                "roles": store.roles.iter().map(|one| roles::shown(self, one)).collect::<Vec<_>>(),
                "instances": store.instances.iter().map(|one| {
                    let mut shown = instances::shown(self, one);
                    shown["parameters"] = Value::Object(one.parameters.clone());
                    shown
                }).collect::<Vec<_>>(),
                "bindings": store.keys.iter().map(|one| {
                    let mut shown = keys::shown(self, one);
                    if secrets {
                        shown["credentials"] = one.credentials.clone();
                    }
                    shown
                }).collect::<Vec<_>>(),
                "known": store.identities.iter().map(|one| {
                    json!({"guid": one.guid, "username": one.username, "origin": one.origin})
                }).collect::<Vec<_>>(),
            })
        })
    }

    fn reset(&self) {
        self.store.write(|store| *store = self.lasting.store(&self.frame().clock));
        self.rates.reset();
    }

    /// What one notes of a technical user: the platform hands out no file.
    fn admin_credential(&self, x509: bool) -> Option<Value> {
        let credential = json!({
            "url": self.url(), "username": seed::TECHNICAL_USER, "password": self.lasting.password,
            "origin": seed::TECHNICAL_USER_ORIGIN,
        });
        (!x509).then_some(credential)
    }

    fn client_credential(&self) -> Option<Value> {
        Some(json!({"url": self.url(), "clientid": seed::CLIENT, "clientsecret": self.lasting.secret}))
    }

    fn throttled(&self, retry_after: Option<String>) -> Response {
        answer::with_retry_after(Refusal::too_many(true).as_plain_text(), retry_after)
    }

    fn come_again(&self, wait: Duration, _now: Duration) -> String {
        wait.as_secs().to_string()
    }
}
