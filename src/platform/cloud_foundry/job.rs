//! Jobs: what a Cloud Controller is at work on, behind a 202.

use super::dialect::failure;
use super::is_accepted;
use super::wire::Job;
use crate::platform::broker::order::{self, leads_nowhere, watched};
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Answer;
use crate::platform::session::Session;
use crate::platform::{Operation, Progress};

const FOLLOW: &str = "follow job";
const JOBS: &str = "/v3/jobs/";
/// Stands between a job that takes the last role away and its instance: its success is seen in what tokens are good for.
const WITHOUT_ROLES: &str = "#without-roles/";

/// How an order went on. A job does not always tell of what.
pub type Course = order::Course<()>;

/// The job that a `Location` names, or an [`Operation`]. It leads nowhere else.
fn guid(location: &str) -> Option<&str> {
    let path = location.split(['?', '#']).next()?;
    let (_, guid) = path.rsplit_once(JOBS)?;
    let is_guid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    Some(guid).filter(|guid| !guid.is_empty() && guid.bytes().all(is_guid))
}

/// What has become of an order that was answered like this, within a moment.
pub async fn watch(session: &Session, operation: &'static str, answer: &Answer) -> Result<Course> {
    if !is_accepted(answer) {
        return Ok(Course::AtOnce);
    }
    let job = answer.header("location").and_then(guid).ok_or_else(|| leads_nowhere(operation))?;
    watched((), Operation(format!("{JOBS}{job}")), || look(session, operation, job)).await
}

/// How a change goes on. What is no job tells nothing.
pub async fn follow(session: &Session, operation: &Operation) -> Result<Progress> {
    match guid(&operation.0) {
        Some(job) => look(session, FOLLOW, job).await,
        None => Ok(Progress::Gone),
    }
}

/// The same job, marked as one that takes the last role of an instance away.
pub fn without_roles(Operation(place): Operation, instance: &str) -> Operation {
    Operation(format!("{place}{WITHOUT_ROLES}{instance}"))
}

/// The instance from which a job takes the last role away, if it is such a one.
pub fn bared(operation: &Operation) -> Option<&str> {
    operation.0.split_once(WITHOUT_ROLES).map(|(_, instance)| instance)
}

async fn look(session: &Session, operation: &'static str, job: &str) -> Result<Progress> {
    let answer = session.get(FOLLOW, &["v3", "jobs", job]).accept(&[404, 410]).send().await?;
    if matches!(answer.status(), 404 | 410) {
        return Ok(Progress::Gone);
    }
    let seen: Job = answer.json(FOLLOW)?;
    let odd = |detail: &str| Error::new(Kind::UnexpectedAnswer, FOLLOW).detail(detail);
    if seen.guid != job {
        return Err(odd("it is about another job"));
    }
    match seen.state.as_str() {
        "COMPLETE" => Ok(Progress::Succeeded),
        "FAILED" => {
            let (kind, detail) = failure(seen.errors.as_ref());
            Ok(Progress::Failed(Error::new(kind, operation).detail(detail)))
        }
        "PROCESSING" | "POLLING" => Ok(Progress::Running),
        _ => Err(odd("the job is in no state that we know")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_read_from_any_base_and_leads_nowhere_else() {
        for base in ["", "/below/here", "https://api.example/x"] {
            assert_eq!(guid(&format!("{base}/v3/jobs/a-1")), Some("a-1"));
        }
        // Jobs that only clean up are named by more than a guid.
        assert_eq!(guid("/v3/jobs/a-1.b"), Some("a-1.b"));
        for wrong in ["", "/v3/jobs/", "/v3/jobs/../roles", "/v3/jobs/a%2fb", "/v3/roles/a", "/v2/jobs/a"] {
            assert_eq!(guid(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_job_that_takes_the_last_role_is_still_that_job() {
        let marked = without_roles(Operation("/v3/jobs/a".into()), "i-1");
        assert_eq!((guid(&marked.0), bared(&marked)), (Some("a"), Some("i-1")));
        assert_eq!(bared(&Operation("/v3/jobs/a".into())), None);
    }
}
