//! `/v3/organizations` and `/v3/spaces`: to be seen by those with a role in them.

use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::frame::answer;

use super::CloudFoundry;
use super::permitted::Reader;
use super::query::Order;
use super::refusal::Refusal;
use super::store::{Base, Organization, Space};

/// The quota of every organization.
const QUOTA: &str = "b7f1c3d0-5c1e-4f27-9a52-0d8e6c1f7a10";

pub(super) fn ordered<'a>(base: &'a Base, name: &'a str) -> Order<'a> {
    Order { name, created_at: &base.created_at, updated_at: &base.updated_at }
}

/// An organization as answers show it.
pub(super) fn shown_organization(cloud: &CloudFoundry, organization: &Organization) -> Value {
    let path = format!("/v3/organizations/{}", organization.base.guid);
    organization.base.shown(json!({
        "name": organization.name, "suspended": false,
        "relationships": {"quota": {"data": {"guid": QUOTA}}},
        "links": {"self": cloud.link(&path), "domains": cloud.link(&format!("{path}/domains")),
                  "default_domain": cloud.link(&format!("{path}/domains/default")),
                  "quota": cloud.link(&format!("/v3/organization_quotas/{QUOTA}"))},
    }))
}

/// A space as answers show it.
pub(super) fn shown_space(cloud: &CloudFoundry, space: &Space) -> Value {
    let path = format!("/v3/spaces/{}", space.base.guid);
    let manifest = json!({"href": format!("{}{path}/actions/apply_manifest", cloud.url()), "method": "POST"});
    space.base.shown(json!({
        "name": space.name, "suspended": false,
        "relationships": {"organization": {"data": {"guid": space.organization}}, "quota": {"data": null}},
        "links": {"self": cloud.link(&path), "features": cloud.link(&format!("{path}/features")),
                  "apply_manifest": manifest,
                  "organization": cloud.link(&format!("/v3/organizations/{}", space.organization))},
    }))
}

/// `GET /v3/organizations`
pub(super) async fn organizations(
    Reader { cloud, caller }: Reader,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    let query = cloud.query(raw.as_deref(), &["names", "label_selector"])?;
    cloud.with(|store| {
        let mut found: Vec<&Organization> = store
            .organizations
            .iter()
            .filter(|one| caller.sees_organization(store, &one.base.guid))
            .filter(|one| query.allows("names", one.name) && query.allows("guids", &one.base.guid))
            .filter(|one| query.labels().meets(&one.base.metadata))
            .collect();
        query.sort(&mut found, |one| ordered(&one.base, one.name));
        let page = query.slice(&found).iter().map(|one| shown_organization(&cloud, one)).collect();
        let list = format!("{}/v3/organizations", cloud.url());
        Ok(answer::json(StatusCode::OK, query.envelope(&list, found.len(), page)))
    })
}

/// `GET /v3/organizations/{guid}`
pub(super) async fn organization(
    Reader { cloud, caller }: Reader,
    Path(guid): Path<String>,
) -> Result<Response, Refusal> {
    cloud.with(|store| {
        let found = store.organization(&guid).filter(|_| caller.sees_organization(store, &guid));
        let found = found.ok_or_else(|| Refusal::not_found("Organization"))?;
        Ok(answer::json(StatusCode::OK, shown_organization(&cloud, found)))
    })
}

/// `GET /v3/spaces`
pub(super) async fn spaces(Reader { cloud, caller }: Reader, RawQuery(raw): RawQuery) -> Result<Response, Refusal> {
    let query = cloud.query(raw.as_deref(), &["names", "organization_guids", "include", "label_selector"])?;
    cloud.with(|store| {
        let mut found: Vec<&Space> = store
            .spaces
            .iter()
            .filter(|one| caller.sees_space(store, &one.base.guid))
            .filter(|one| query.allows("names", one.name) && query.allows("guids", &one.base.guid))
            .filter(|one| query.allows("organization_guids", &one.organization))
            .filter(|one| query.labels().meets(&one.base.metadata))
            .collect();
        query.sort(&mut found, |one| ordered(&one.base, one.name));
        let page = query.slice(&found);
        let list = format!("{}/v3/spaces", cloud.url());
        let shown = page.iter().map(|one| shown_space(&cloud, one)).collect();
        let mut body = query.envelope(&list, found.len(), shown);
        if query.includes("organization") {
            let around =
                store.organizations.iter().filter(|one| page.iter().any(|sp| sp.organization == one.base.guid));
            let around: Vec<Value> = around.map(|one| shown_organization(&cloud, one)).collect();
            body["included"] = json!({"organizations": around});
        }
        Ok(answer::json(StatusCode::OK, body))
    })
}

/// `GET /v3/spaces/{guid}`
pub(super) async fn space(Reader { cloud, caller }: Reader, Path(guid): Path<String>) -> Result<Response, Refusal> {
    cloud.with(|store| {
        let found = store.space(&guid).filter(|_| caller.sees_space(store, &guid));
        let found = found.ok_or_else(|| Refusal::not_found("Space"))?;
        Ok(answer::json(StatusCode::OK, shown_space(&cloud, found)))
    })
}
