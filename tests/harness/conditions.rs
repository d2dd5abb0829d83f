//! Waiting for what an object says of itself.

use serde_json::Value;

use super::eventually;
use super::team::{PATIENCE, Team};

/// What a condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) message: String,
}

/// The condition of this type, if the object has it.
pub(crate) fn condition(object: &Value, kind: &str) -> Option<Condition> {
    let found = object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)?;
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    Some(Condition { status: text("status"), reason: text("reason"), message: text("message") })
}

/// Whether everything is said of the spec as it stands now.
pub(crate) fn is_current(object: &Value) -> bool {
    object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

impl Team<'_> {
    /// Waits until objects are Ready as their specs stand now.
    pub(crate) fn ready(&self, what: &[&str]) {
        for what in what {
            self.until(what, "Ready", |object| {
                is_current(object) && condition(object, "Ready").is_some_and(|ready| ready.status == "True")
            });
        }
    }

    /// Waits until an object is not Ready, for this reason and with this in its message.
    pub(crate) fn not_ready(&self, what: &str, reason: &str, part: &str) {
        self.until(what, &format!("not Ready, {reason}: {part}"), |object| {
            condition(object, "Ready")
                .is_some_and(|ready| ready.status != "True" && ready.reason == reason && ready.message.contains(part))
        });
    }

    /// Waits until an object is as `holds` says; shows its conditions if it never is.
    pub(crate) fn until(&self, what: &str, wanted: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let last = std::cell::RefCell::new(Value::Null);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually(&format!("{what} of {}: {wanted}", self.name), PATIENCE, || {
                *last.borrow_mut() = self.get(what).unwrap_or_default();
                holds(&last.borrow()).then(|| last.borrow().clone())
            })
        }));
        found.unwrap_or_else(|_| panic!("{what} of {} was not {wanted}. It is: {:#}", self.name, last.borrow()))
    }
}
