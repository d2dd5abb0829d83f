//! SAP Service Manager, `/service-manager/v1`: offerings, plans, instances, bindings and their operations, as its
//! OpenAPI document and the open core (Peripli/service-manager) have them.
//!
//! What a service makes of its parameters is its [`broker::Broker`]'s; here is only what all services share.

mod answering;
mod bindings;
mod broker;
mod catalogue;
mod instances;
mod labels;
mod listing;
mod managed_client;
mod marketplace;
mod objects;
mod query;
mod refusal;
mod shelf;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

pub(crate) use broker::{Broker, BrokerRefusal, Key, KeyOrder, Parameters, Wanted};
pub(crate) use managed_client::register;

use crate::admin::{Admin, AdminNames};
use crate::frame::{Guarded, Mounted, Platform, Routes, Settings, answer};
use crate::subaccount::{SUBDOMAIN, Subaccount, ZONE};

use answering::{AsyncQuery, Run};
use catalogue::Plan;
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
}

/// Mounts the Service Manager below `/service-manager`.
pub(crate) fn mount(subaccount: &Arc<Subaccount>) -> Mounted {
    let scopes = ADMIN_RIGHTS.iter().map(|right| format!("{XSAPPNAME}.subaccount.{right}")).collect();
    let admin = Admin::new(subaccount, &ADMIN, scopes);
    let manager = Arc::new(ServiceManager { subaccount: Arc::clone(subaccount), store: Guarded::default(), admin });
    let (router, names) = Routes::below("/service-manager", "service-manager")
        .get("list-offerings", "/v1/service_offerings", marketplace::offerings)
        .get("get-offering", "/v1/service_offerings/{id}", marketplace::offering)
        .get("list-plans", "/v1/service_plans", marketplace::plans)
        .get("get-plan", "/v1/service_plans/{id}", marketplace::plan)
        .get("list-instances", "/v1/service_instances", instances::list)
        .post("create-instance", "/v1/service_instances", instances::create)
        .get("get-instance", "/v1/service_instances/{id}", instances::get)
        .patch("update-instance", "/v1/service_instances/{id}", instances::change)
        .delete("delete-instance", "/v1/service_instances/{id}", instances::delete)
        .get("get-instance-parameters", "/v1/service_instances/{id}/parameters", instances::parameters)
        .get("list-bindings", "/v1/service_bindings", bindings::list)
        .post("create-binding", "/v1/service_bindings", bindings::create)
        .get("get-binding", "/v1/service_bindings/{id}", bindings::get)
        .patch("update-binding", "/v1/service_bindings/{id}", bindings::change)
        .delete("delete-binding", "/v1/service_bindings/{id}", bindings::delete)
        .get("get-binding-parameters", "/v1/service_bindings/{id}/parameters", bindings::parameters)
        .get("get-operation", "/v1/{type}/{id}/operations/{operation}", operation)
        .with_state(Arc::clone(&manager));
    Mounted { platform: manager, router, names }
}

impl ServiceManager {
    fn settings(&self) -> Arc<Settings> {
        self.subaccount.frame.settings.current()
    }

    /// Looks at the store or changes it, after operations that are due have ended.
    fn with<R>(&self, act: impl FnOnce(&mut Store) -> R) -> R {
        self.store.write(|store| {
            store.settle(&self.subaccount);
            act(store)
        })
    }

    /// How an operation on this plan runs: the client may ask, the broker decides.
    fn run(&self, settings: &Settings, plan: &Plan, wish: AsyncQuery) -> Run {
        let asynchronous = settings.async_plans.contains(plan.name) || wish.wanted == Some(true);
        let takes = if asynchronous { Duration::from_millis(settings.operation_millis) } else { Duration::ZERO };
        Run { asynchronous, ends: self.subaccount.frame.clock.now() + takes }
    }
}

impl Platform for ServiceManager {
    fn name(&self) -> &'static str {
        "service-manager"
    }

    fn snapshot(&self, secrets: bool) -> Value {
        self.with(|store| {
            let instances: Vec<Value> =
                store.instances.iter().map(|instance| shown_instance(store, instance)).collect();
            let bindings = store.bindings.iter().map(|binding| {
                let mut shown = answering::binding(store, binding);
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
        self.admin.register(&self.subaccount);
    }

    fn admin_credential(&self, x509: bool) -> Option<Value> {
        let key = json!({
            "sm_url": format!("{}/service-manager", self.subaccount.frame.url), "url": self.subaccount.token_host(),
            "xsappname": XSAPPNAME, "subaccount_id": ZONE, "identityzone": SUBDOMAIN,
        });
        self.admin.complete(key, &self.subaccount, x509)
    }

    fn throttled(&self, retry_after: Option<String>) -> Response {
        let text = "The allowed request limit of 600 responses has been reached, please try again later.";
        let response = answer::json(StatusCode::TOO_MANY_REQUESTS, json!({"description": text}));
        answer::with_retry_after(response, retry_after)
    }
}

/// An instance for the control API: with its parameters, which no API of the platform returns.
fn shown_instance(store: &Store, instance: &objects::Instance) -> Value {
    let mut shown = answering::instance(store, instance);
    shown["parameters"] = Value::Object(instance.parameters.clone());
    shown
}

/// The broker's answer, unless the settings make every broker of this plan fail.
fn broker_answer<T>(
    settings: &Settings,
    plan: &Plan,
    action: &str,
    ask: impl FnOnce() -> Result<T, BrokerRefusal>,
) -> Result<T, Refusal> {
    if settings.failing_plans.contains(plan.name) {
        return Err(Refusal::broker(action, 500, "the broker is out of order"));
    }
    ask().map_err(|refusal| Refusal::broker(action, refusal.status, &refusal.text))
}

/// `GET /v1/{type}/{id}/operations/{operation}`
async fn operation(
    State(manager): State<Arc<ServiceManager>>,
    Path((kind, id, operation)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let scope = if kind == "service_instances" { "service_instance.read" } else { "service_binding.read" };
    authorize(&manager.subaccount, &headers, scope)?;
    let resource_type = format!("/v1/{kind}");
    manager.with(|store| {
        let found = store.operation(&id, &operation).filter(|found| found.resource_type == resource_type);
        let found = found.ok_or_else(|| Refusal::not_found("/v1/operations"))?;
        Ok(answer::json(StatusCode::OK, found.shown()))
    })
}
