//! How instances and bindings are read: one, or many, and what nobody gives back. The same for both.

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;

use crate::frame::{Settings, answer};
use crate::landscape::Here;

use super::ServiceManager;
use super::listing::ListQuery;
use super::objects::{Binding, Instance};
use super::refusal::{Refusal, authorize};
use super::shelf::{Resource, Shelf};
use super::store::Store;

/// Fields of both that `fieldQuery` knows.
const FIELDS: &[&str] = &["id", "name", "ready", "created_at", "updated_at", "context/clusterid", "context/namespace"];

/// What the Service Manager keeps on a shelf and shows.
pub(crate) trait Kept: Resource + Sized {
    /// The scope that reads it.
    const READ: &'static str;
    /// Fields that `fieldQuery` knows, beyond those of both.
    const FIELDS: &'static [&'static str];

    /// Where it stands.
    fn shelf(store: &Store) -> &Shelf<Self>;

    /// It, with its last operation where that is shown.
    fn shown(&self, last_operation: Option<Value>) -> Value;
}

impl Kept for Instance {
    const READ: &'static str = "service_instance.read";
    const FIELDS: &'static [&'static str] = &["service_plan_id", "platform_id", "usable", "shared"];

    fn shelf(store: &Store) -> &Shelf<Self> {
        &store.instances
    }

    fn shown(&self, last_operation: Option<Value>) -> Value {
        self.shown(last_operation)
    }
}

impl Kept for Binding {
    const READ: &'static str = "service_binding.read";
    const FIELDS: &'static [&'static str] = &["service_instance_id"];

    fn shelf(store: &Store) -> &Shelf<Self> {
        &store.bindings
    }

    fn shown(&self, last_operation: Option<Value>) -> Value {
        self.shown(last_operation)
    }
}

/// The object with this id.
pub(crate) fn found<'a, K: Kept>(store: &'a Store, id: &str) -> Result<&'a K, Refusal> {
    K::shelf(store).get(id).ok_or_else(|| Refusal::not_found(K::TYPE))
}

/// It, with its last operation.
pub(crate) fn shown<K: Kept>(store: &Store, settings: &Settings, one: &K) -> Value {
    one.shown(store.last_operation(one.base()).map(|operation| operation.shown(settings)))
}

/// `GET /v1/…/{id}`
pub(crate) async fn get<K: Kept>(
    Here(manager): Here<ServiceManager>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, K::READ)?;
    let settings = manager.settings();
    manager.with(|store| Ok(answer::json(StatusCode::OK, shown::<K>(store, &settings, found(store, &id)?))))
}

/// `GET /v1/…`
pub(crate) async fn list<K: Kept>(
    Here(manager): Here<ServiceManager>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, K::READ)?;
    let settings = manager.settings();
    let selection = query.understood(&[FIELDS, K::FIELDS].concat(), &settings)?;
    let now = manager.now();
    manager.with(|store| {
        let mut matching = K::shelf(store).select(&selection.fields, &selection.labels);
        matching.retain(|(_, one)| one.base().made + selection.unseen <= now);
        Ok(selection.page(K::TYPE, &matching, |one| {
            let attached = query.with_last_operations().then(|| store.last_operation(one.base())).flatten();
            one.shown(attached.map(|operation| operation.shown(&settings)))
        }))
    })
}

/// `GET /v1/…/{id}/parameters`: none of these services gives its parameters back.
pub(crate) async fn parameters<K: Kept>(
    Here(manager): Here<ServiceManager>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, K::READ)?;
    manager.with(|store| found::<K>(store, &id).map(drop))?;
    Err(Refusal::bad_request("this operation is not supported."))
}
