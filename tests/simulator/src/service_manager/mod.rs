//! SAP Service Manager, `/service-manager/v1`: offerings, plans, instances, bindings and their operations, as its
//! OpenAPI document and the open core (Peripli/service-manager) have them.
//!
//! What a service makes of its parameters is its [`broker::Broker`]'s; here is only what all services share.

mod answering;
mod bindings;
mod broker;
mod catalogue;
mod course;
mod instances;
mod labels;
mod listing;
mod managed_client;
mod marketplace;
mod objects;
mod query;
mod rates;
mod reading;
mod refusal;
mod shelf;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

pub(crate) use broker::{Broker, BrokerRefusal, Key, KeyOrder, Parameters};
pub(crate) use catalogue::{Offering, Plan, offerings_here, visible_plans};
pub(crate) use managed_client::register;

use crate::admin::{Admin, AdminNames};
use crate::frame::rates::Meter;
use crate::frame::{Asked, Guarded, Mounted, Platform, Routes, Settings, answer, clock};
use crate::landscape::{Both, Here};
use crate::subaccount::Subaccount;

use objects::{Binding, Instance};
use refusal::{Refusal, authorize};
use store::Store;

/// Name of the Service Manager's application, which its scopes begin with.
pub(crate) const XSAPPNAME: &str = "service-manager!b1476";
static ADMIN: AdminNames = AdminNames {
    client_id: "sb-6f1c2d3e-service-manager-admin!b5874|service-manager!b1476",
    secret: "planted-service-manager-$Ab3+xYz_9-Q==",
    x509_client_id: "sb-7a2b3c4d-service-manager-x509!b5874|service-manager!b1476",
};
/// What the plan `subaccount-admin` may do.
const ADMIN_RIGHTS: [&str; 6] = [
    "service_instance.read",
    "service_instance.manage",
    "service_binding.read",
    "service_binding.manage",
    "service_offering.read",
    "service_plan.read",
];

/// The Service Manager of the subaccount.
pub(crate) struct ServiceManager {
    subaccount: Arc<Subaccount>,
    store: Guarded<Store>,
    admin: Admin,
    rates: Meter,
}

/// Mounts the Service Manager below `/service-manager`.
pub(crate) fn mount(subaccount: &Arc<Subaccount>, other: &Arc<Subaccount>) -> Mounted {
    let (first, other) = (ServiceManager::of(subaccount), ServiceManager::of(other));
    let both = Both { frame: Arc::clone(&subaccount.frame), first: Arc::clone(&first), other: Arc::clone(&other) };
    let (router, names) = Routes::below("/service-manager", "service-manager")
        .get("list-offerings", "/v1/service_offerings", marketplace::offerings)
        .get("get-offering", "/v1/service_offerings/{id}", marketplace::offering)
        .get("list-plans", "/v1/service_plans", marketplace::plans)
        .get("get-plan", "/v1/service_plans/{id}", marketplace::plan)
        .get("list-instances", "/v1/service_instances", reading::list::<Instance>)
        .post("create-instance", "/v1/service_instances", instances::create)
        .get("get-instance", "/v1/service_instances/{id}", reading::get::<Instance>)
        .patch("update-instance", "/v1/service_instances/{id}", instances::change)
        .delete("delete-instance", "/v1/service_instances/{id}", instances::delete)
        .get("get-instance-parameters", "/v1/service_instances/{id}/parameters", reading::parameters::<Instance>)
        .get("list-bindings", "/v1/service_bindings", reading::list::<Binding>)
        .post("create-binding", "/v1/service_bindings", bindings::create)
        .get("get-binding", "/v1/service_bindings/{id}", reading::get::<Binding>)
        .patch("update-binding", "/v1/service_bindings/{id}", bindings::change)
        .delete("delete-binding", "/v1/service_bindings/{id}", bindings::delete)
        .get("get-binding-parameters", "/v1/service_bindings/{id}/parameters", reading::parameters::<Binding>)
        .get("get-operation", "/v1/{type}/{id}/operations/{operation}", operation)
        .with_state(Arc::new(both));
    Mounted { platform: first, other: Some(other), router, names }
}

impl ServiceManager {
    fn of(subaccount: &Arc<Subaccount>) -> Arc<Self> {
        let scopes = ADMIN_RIGHTS.iter().map(|right| format!("{XSAPPNAME}.subaccount.{right}")).collect();
        let admin = Admin::new(subaccount, &ADMIN, scopes);
        let subaccount = Arc::clone(subaccount);
        Arc::new(Self { subaccount, store: Guarded::default(), admin, rates: Meter::default() })
    }

    fn settings(&self) -> Arc<Settings> {
        self.subaccount.frame.settings.current()
    }

    fn now(&self) -> Duration {
        self.subaccount.frame.clock.now()
    }

    /// Looks at the store or changes it, after operations that are due have ended.
    fn with<R>(&self, act: impl FnOnce(&mut Store) -> R) -> R {
        self.store.write(|store| {
            store.settle(&self.subaccount);
            act(store)
        })
    }
}

impl Platform for ServiceManager {
    fn name(&self) -> &'static str {
        "service-manager"
    }

    fn snapshot(&self, secrets: bool) -> Value {
        let settings = self.settings();
        self.with(|store| {
            let instances: Vec<Value> =
                store.instances.iter().map(|instance| shown_instance(store, &settings, instance)).collect();
            let bindings = store.bindings.iter().map(|binding| {
                let mut shown = reading::shown(store, &settings, binding);
                if !secrets && let Some(fields) = shown.as_object_mut() {
                    fields.remove("credentials");
                }
                shown
            });
            json!({"bindings": bindings.collect::<Vec<_>>(), "instances": instances})
        })
    }

    fn reset(&self) {
        self.store.write(|store| *store = Store::default());
        self.rates.reset();
        self.admin.register(&self.subaccount);
    }

    fn admin_credential(&self, x509: bool) -> Option<Value> {
        let place = self.subaccount.place;
        let key = json!({
            "sm_url": format!("{}/service-manager", self.subaccount.frame.url), "url": self.subaccount.token_host(),
            "xsappname": XSAPPNAME, "subaccount_id": place.zone, "identityzone": place.subdomain,
        });
        self.admin.complete(key, &self.subaccount, x509)
    }

    fn admit(&self, request: &Asked<'_>) -> Result<Duration, Duration> {
        if !self.settings().rates_hold() {
            return Ok(Duration::ZERO);
        }
        let now = self.subaccount.frame.clock.now();
        self.rates.admit(request.client, &rates::levels(request.route), now).map(|()| Duration::ZERO)
    }

    /// SAP's own Kubernetes operator reads Go's way to print a time, and nothing else.
    fn come_again(&self, wait: Duration, now: Duration) -> String {
        clock::format(now + wait, "%Y-%m-%d %H:%M:%S +0000 UTC")
    }

    fn throttled(&self, retry_after: Option<String>) -> Response {
        let text = "The allowed request limit of 600 responses has been reached, please try again later.";
        let response = answer::json(StatusCode::TOO_MANY_REQUESTS, json!({"description": text}));
        answer::with_retry_after(response, retry_after)
    }
}

/// An instance for the control API: with its parameters, which no API of the platform returns.
fn shown_instance(store: &Store, settings: &Settings, instance: &Instance) -> Value {
    let mut shown = reading::shown(store, settings, instance);
    shown["parameters"] = Value::Object(instance.parameters.clone());
    shown
}

/// `GET /v1/{type}/{id}/operations/{operation}`
async fn operation(
    Here(manager): Here<ServiceManager>,
    Path((kind, id, operation)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let scope = if kind == "service_instances" { "service_instance.read" } else { "service_binding.read" };
    authorize(&manager.subaccount, &headers, scope)?;
    let (resource_type, settings) = (format!("/v1/{kind}"), manager.settings());
    manager.with(|store| {
        let found = store.operation(&id, &operation).filter(|found| found.resource_type == resource_type);
        let found = found.ok_or_else(|| Refusal::not_found("/v1/operations"))?;
        Ok(answer::json(StatusCode::OK, found.shown(&settings)))
    })
}
