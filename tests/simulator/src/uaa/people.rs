//! The UAA's users and groups as answers show them, and what both have in common: versions, pages, errors. Seen on UAA
//! 4.30; the groups that every UAA comes with are not simulated.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Uaa;
use super::access::Need;
use super::kinds;
use super::refusal::Refusal;
use super::search::in_terms_of_answers;
use crate::directory::filter::{Filter, Scope};
use crate::directory::input::Body;
use crate::directory::projection::Projection;
use crate::directory::resource::Resource;
use crate::directory::shelf::{Directory, Which};
use crate::frame::{answer, random};

const SCHEMAS: [&str; 1] = ["urn:scim:schemas:core:1.0"];

/// Reading users and groups.
pub(super) const READ: Need = Need("uaa.admin scim.read zones.uaa.admin");
/// Changing them.
pub(super) const WRITE: Need = Need("uaa.admin scim.write zones.uaa.admin");
/// Making users.
pub(super) const CREATE: Need = Need("uaa.admin scim.write scim.create zones.uaa.admin");

/// Users and groups of a new UAA, as `scim` of a `uaa.yml` declares them: two people, and two groups without members.
pub(super) fn first(now: Duration) -> Directory {
    let mut all = Directory::new(&kinds::USER, &kinds::GROUP);
    for name in ["jane", "joe"] {
        let body = json!({
            "userName": name, "name": {"familyName": "Doe", "givenName": name},
            "emails": [{"value": format!("{name}@acme.example"), "primary": false}], "approvals": [], "active": true,
            "verified": true, "origin": "uaa", "zoneId": "uaa", "password": format!("planted-{}", random::opaque()),
        });
        body.as_object().map(|body| all.users.add(body.clone(), now));
    }
    for name in ["orders.read", "orders.write"] {
        let body = json!({"displayName": name, "zoneId": "uaa", "members": []});
        body.as_object().map(|body| all.groups.add(body.clone(), now));
    }
    all
}

/// An error of this half of the UAA.
pub(super) fn wrong(status: StatusCode, error: &'static str, text: impl Into<String>) -> Refusal {
    Refusal::Scim(status, error, text.into(), json!({}))
}

/// 404.
pub(super) fn missing(which: Which, id: &str) -> Refusal {
    let what = if which == Which::Users { "User" } else { "Group" };
    wrong(StatusCode::NOT_FOUND, "scim_resource_not_found", format!("{what} {id} does not exist"))
}

/// The version that `If-Match` asks for; nothing for any.
pub(super) fn version(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let bad = |text: String| wrong(StatusCode::BAD_REQUEST, "scim", text);
    let given = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let given = given.ok_or_else(|| bad("Missing If-Match for PUT".to_owned()))?;
    match given.trim_matches('"') {
        "*" => Ok(None),
        number => number
            .parse()
            .map(Some)
            .map_err(|_| bad(format!("Invalid version match header (should be a version number): {number}"))),
    }
}

/// A user or a group as answers show it.
pub(super) fn shown(all: &Directory, which: Which, resource: &Resource) -> Body {
    let mut shown = resource.body.clone();
    shown.remove("password");
    shown["meta"] = json!({"version": resource.version, "created": resource.body["meta"]["created"],
                           "lastModified": resource.body["meta"]["lastModified"]});
    shown.insert("schemas".to_owned(), json!(SCHEMAS));
    if which == Which::Groups {
        shown.entry("members").or_insert_with(|| json!([]));
        return shown;
    }
    let group = |one: &Resource| json!({"value": one.id, "display": one.text("displayName"), "type": "DIRECT"});
    shown.insert("groups".to_owned(), all.groups_of(&resource.id).map(group).collect());
    shown
}

/// An answer about one of them, with its version as entity tag.
pub(super) fn answered(status: StatusCode, all: &Directory, which: Which, resource: &Resource) -> Response {
    let response = answer::json(status, Value::Object(shown(all, which, resource)));
    answer::with_header(response, header::ETAG, &format!("\"{}\"", resource.version))
}

/// The query of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    filter: Option<String>,
    attributes: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
}

impl Uaa {
    /// A list. Its first index is one, whatever is asked for; a page has a hundred entries, and at most five hundred.
    pub(super) fn people(&self, which: Which, wanted: &Wanted) -> Result<Response, Refusal> {
        let most = i64::try_from(self.frame.settings.current().uaa_page).unwrap_or(i64::MAX);
        let count = wanted.count.unwrap_or(100).clamp(0, most);
        let start = wanted.start_index.unwrap_or(1).max(1);
        self.people.read(|all| {
            let shelf = all.shelf(which);
            let parsed = |text: &String| {
                let unreadable = || format!("Invalid filter expression: [{text}] [created]");
                let read = if which == Which::Users { in_terms_of_answers(text) } else { Some(text.clone()) };
                let filter = read.and_then(|text| Filter::parse(&text, Scope::Resource(shelf.kind)).ok());
                filter.ok_or_else(|| wrong(StatusCode::BAD_REQUEST, "scim", unreadable()))
            };
            let filter = wanted.filter.as_ref().map(parsed).transpose()?;
            let projection =
                Projection::read(shelf.kind, wanted.attributes.as_deref(), None).unwrap_or(Projection::All);
            let found: Vec<&Resource> = shelf.wanted(filter.as_ref()).collect();
            let skipped = usize::try_from(start - 1).unwrap_or(0);
            let page = found.iter().skip(skipped).take(usize::try_from(count).unwrap_or(0));
            let one = |one: &&Resource| {
                let mut body = projection.of(shown(all, which, one));
                if wanted.attributes.is_some() {
                    body.remove("schemas");
                }
                Value::Object(body)
            };
            let body = json!({"resources": page.map(one).collect::<Vec<_>>(), "startIndex": start,
                              "itemsPerPage": count, "totalResults": found.len(), "schemas": SCHEMAS});
            Ok(answer::json(StatusCode::OK, body))
        })
    }
}
