//! Operations: what the Service Manager is at work on, behind a 202.

use super::dialect::failure;
use super::wire::LastOperation;
use super::{BINDINGS, INSTANCES};
use crate::platform::broker::order::{self, leads_nowhere, watched};
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Answer;
use crate::platform::session::Session;
use crate::platform::{Operation, Progress};

const FOLLOW: &str = "follow operation";

/// How an order went on, to the resource of which id.
pub type Course = order::Course<String>;

/// Where an operation is, as its `Location` says. An [`Operation`] is the text of one, and leads nowhere else.
struct Place<'a> {
    collection: &'a str,
    resource: &'a str,
    id: &'a str,
}

impl<'a> Place<'a> {
    /// Reads `/v1/service_instances/{id}/operations/{id}`, whatever stands before it.
    fn read(location: &'a str) -> Option<Self> {
        let path = location.split(['?', '#']).next()?;
        let mut backwards = path.rsplit('/');
        let id = backwards.next().filter(|id| is_id(id))?;
        backwards.next().filter(|word| *word == "operations")?;
        let resource = backwards.next().filter(|id| is_id(id))?;
        let collection = backwards.next().filter(|word| [INSTANCES, BINDINGS].contains(word))?;
        backwards.next().filter(|word| *word == "v1")?;
        Some(Self { collection, resource, id })
    }

    fn operation(&self) -> Operation {
        Operation(format!("/v1/{}/{}/operations/{}", self.collection, self.resource, self.id))
    }

    /// Whether a look shows this operation and no other.
    fn is_shown_by(&self, seen: &LastOperation) -> bool {
        let is = |seen: Option<&String>, known: &str| seen.is_none_or(|seen| seen == known);
        is(seen.id.as_ref(), self.id) && is(seen.resource_id.as_ref(), self.resource)
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// What has become of an order that was answered like this, within a moment.
pub async fn watch(session: &Session, operation: &'static str, answer: &Answer) -> Result<Course> {
    if answer.status() != 202 {
        return Ok(Course::AtOnce);
    }
    let place = answer.header("location").and_then(Place::read).ok_or_else(|| leads_nowhere(operation))?;
    watched(place.resource.to_owned(), place.operation(), || look(session, operation, &place)).await
}

/// How a change goes on. What is no place of an operation tells nothing.
pub async fn follow(session: &Session, operation: &Operation) -> Result<Progress> {
    match Place::read(&operation.0) {
        Some(place) => look(session, FOLLOW, &place).await,
        None => Ok(Progress::Gone),
    }
}

/// The word at the end of an operation that takes the last role away: its success is seen in what tokens are good for.
const WITHOUT_ROLES: &str = "#without-roles";

/// The same operation, marked as one that takes the last role away.
pub fn without_roles(Operation(place): Operation) -> Operation {
    Operation(place + WITHOUT_ROLES)
}

/// The instance from which an operation takes the last role away, if it is such a one.
pub fn bared(operation: &Operation) -> Option<&str> {
    let place = Place::read(operation.0.strip_suffix(WITHOUT_ROLES)?)?;
    (place.collection == INSTANCES).then_some(place.resource)
}

async fn look(session: &Session, operation: &'static str, place: &Place<'_>) -> Result<Progress> {
    let path = ["v1", place.collection, place.resource, "operations", place.id];
    let answer = session.get(FOLLOW, &path).accept(&[404, 410]).send().await?;
    if matches!(answer.status(), 404 | 410) {
        return Ok(Progress::Gone);
    }
    let seen: LastOperation = answer.json(FOLLOW)?;
    let odd = |detail: &str| Error::new(Kind::UnexpectedAnswer, FOLLOW).detail(detail);
    if !place.is_shown_by(&seen) {
        return Err(odd("it is about another operation"));
    }
    match seen.state.as_str() {
        "succeeded" => Ok(Progress::Succeeded),
        "failed" => {
            let (kind, detail) = failure(seen.errors.as_ref());
            Ok(Progress::Failed(Error::new(kind, operation).detail(detail)))
        }
        _ if seen.in_progress() => Ok(Progress::Running),
        _ => Err(odd("the operation is in no state that we know")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_place_is_read_from_any_base_and_leads_nowhere_else() {
        for base in ["", "/below/here", "https://sm.example/x"] {
            let location = format!("{base}/v1/service_instances/a-1/operations/b-2");
            let place = Place::read(&location).unwrap();
            assert_eq!(place.operation().0, "/v1/service_instances/a-1/operations/b-2");
        }
        let wrong = [
            "",
            "/v1/service_instances/a/operations/",
            "/v1/service_instances/../operations/b",
            "/v1/service_instances/a%2fb/operations/b",
            "/v1/platforms/a/operations/b",
            "/v2/service_instances/a/operations/b",
            "/v1/service_bindings/a",
        ];
        assert!(wrong.iter().all(|location| Place::read(location).is_none()));
    }

    #[test]
    fn a_look_at_another_operation_is_seen() {
        let place = Place { collection: "service_instances", resource: "a", id: "b" };
        let seen = |text: Value| serde_json::from_value::<LastOperation>(text).unwrap();
        assert!(place.is_shown_by(&seen(json!({"state": "succeeded"}))));
        assert!(place.is_shown_by(&seen(json!({"state": "succeeded", "id": "b", "resource_id": "a"}))));
        assert!(!place.is_shown_by(&seen(json!({"state": "succeeded", "id": "c", "resource_id": "a"}))));
        assert!(!place.is_shown_by(&seen(json!({"state": "succeeded", "id": "b", "resource_id": "c"}))));
    }
}
