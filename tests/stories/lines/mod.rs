//! The lines that stories disturb: what each applies, how its roles change, and what its platform must hold then. A
//! line says nothing of how it gets there.

use std::iter;
use std::marker::PhantomData;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::conditions::{condition, is_current};
use crate::harness::kubelet::has_rolled_out;
use crate::harness::{PATIENCE, Team};

mod btp;
mod certificates;
mod client_certificates;
mod cloud_foundry;
mod neo;
mod restarts;
mod scim;
mod uaa;

pub(crate) use btp::Btp;
pub(crate) use neo::Neo;
pub(crate) use uaa::Uaa;

/// What a user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// Everything is applied.
    Apply,
    /// Roles are taken and others given.
    Change,
    /// Another credential is asked for.
    Rotate,
    /// Everything is deleted, the Platform too.
    Delete,
}

impl Act {
    pub(crate) const ALL: [Self; 4] = [Self::Apply, Self::Change, Self::Rotate, Self::Delete];
}

/// One environment, with one kind of identity and the roles for it.
pub(crate) trait Line {
    /// Its name among the lines.
    const NAME: &str;

    /// What is done in it: everything, where there is a credential that can be asked for.
    const ACTS: &[Act] = &Act::ALL;

    /// In which of them the operator is killed: in all, but for what another line shows already.
    const KILLED_IN: &[Act] = Self::ACTS;

    /// Puts the admin Secrets in place; the Platform's environment. All its calls go to `url`.
    fn environment(team: &Team<'_>, url: &str) -> Value;

    /// The team's objects after an act.
    fn objects(team: &Team<'_>, act: Act) -> Vec<Value>;

    /// What the platform holds, and what can be done with the Secret.
    fn world(team: &Team<'_>) -> Value;

    /// What [`Line::world`] is to be after an act.
    fn wanted(act: Act) -> Value;
}

/// A line with the team that plays it.
pub(crate) struct Player<'a, L> {
    /// The team.
    pub(crate) team: Team<'a>,
    url: String,
    platform: Value,
    line: PhantomData<L>,
}

impl<'a, L: Line> Player<'a, L> {
    /// `url` is where the operator finds the team's simulator.
    pub(crate) fn new(team: Team<'a>, url: String) -> Self {
        let platform = platform::<L>(&team, &url);
        Self { team, url, platform, line: PhantomData }
    }

    /// Puts the admin Secrets right again.
    pub(crate) fn log_on(&self) {
        L::environment(&self.team, &self.url);
    }

    /// Does it.
    pub(crate) fn perform(&self, act: Act) {
        let objects = self.objects(act);
        if act == Act::Delete {
            objects.iter().for_each(|object| self.team.delete(&named(object)));
        } else {
            objects.iter().for_each(|object| self.team.apply(object));
        }
    }

    /// Why an act is not over; nothing if it is.
    pub(crate) fn left_to_do(&self, act: Act) -> Option<String> {
        let unfinished = self.objects(act).into_iter().find_map(|object| {
            let name = named(&object);
            let mut found = self.team.get(&name);
            found.iter_mut().for_each(|object| object["metadata"]["managedFields"] = Value::Null);
            match (act, &found) {
                (Act::Delete, None) => None,
                (Act::Delete, Some(left)) => Some(format!("{name} is there: {left:#}")),
                (Act::Rotate, Some(object)) if may_be_asked(object) && !is_rotated(object) => {
                    Some(format!("{name} is not rotated: {object:#}"))
                }
                (_, Some(object)) if is_ready(object) => None,
                (_, other) => Some(format!("{name} is not Ready: {:#}", other.as_ref().unwrap_or(&Value::Null))),
            }
        });
        unfinished.or_else(|| {
            let (world, wanted) = (L::world(&self.team), L::wanted(act));
            (world != wanted).then(|| format!("{world}\ninstead of\n{wanted}"))
        })
    }

    /// Waits until an act is over; `said` is the operator's side of the story if it never is.
    pub(crate) fn over(&self, act: Act, how: &str, said: impl Fn() -> String) {
        let deadline = Instant::now() + PATIENCE;
        while let Some(left) = self.left_to_do(act) {
            assert!(Instant::now() < deadline, "{} {act:?}, {how}: {left}\n{}", self.team.name, said());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The Platform and everything on it.
    pub(crate) fn objects(&self, act: Act) -> Vec<Value> {
        let mut objects: Vec<Value> = iter::once(self.platform.clone()).chain(L::objects(&self.team, act)).collect();
        for user in objects.iter_mut().filter(|object| may_be_asked(object)) {
            let rotation = &mut user["spec"]["credential"]["rotation"];
            if rotation.is_null() {
                // Nobody here uses the old one.
                *rotation = json!({ "overlap": "Fixed", "minOverlap": "0s" });
            }
            if matches!(act, Act::Rotate | Act::Delete) {
                user["metadata"]["annotations"] = json!({ "technicaluser.dev/rotate": "now" });
            }
        }
        objects
    }
}

/// The Platform of a line, and its admin Secrets in place. What a look at the whole would put right later must be right
/// before, so there is none.
pub(crate) fn platform<L: Line>(team: &Team<'_>, url: &str) -> Value {
    let mut platform = team.platform(&L::environment(team, url));
    platform["spec"]["resyncInterval"] = "1h".into();
    platform
}

fn is_ready(object: &Value) -> bool {
    if object["kind"] == "Deployment" {
        return has_rolled_out(object);
    }
    is_current(object) && condition(object, "Ready").is_some_and(|ready| ready.status == "True")
}

/// Whether it is a TechnicalUser for which another credential can be asked.
fn may_be_asked(object: &Value) -> bool {
    let spec = &object["spec"];
    object["kind"] == "TechnicalUser" && spec["credential"].is_object() && spec["credential"]["certificate"].is_null()
}

fn is_rotated(user: &Value) -> bool {
    let status = &user["status"];
    status["credential"]["demand"].is_string() && status["superseded"].is_null() && status["intent"].is_null()
}

/// An object by resource and name.
pub(crate) fn named(manifest: &Value) -> String {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    format!("{}s/{}", text(&manifest["kind"]).to_lowercase(), text(&manifest["metadata"]["name"]))
}

/// An admin credential whose calls go somewhere else.
pub(crate) fn leading_to(url: &str, team: &Team<'_>, api: &str) -> Value {
    led(url, team, &team.simulator.credential(api, "secret"))
}

/// The same for a credential that is at hand.
fn led(url: &str, team: &Team<'_>, credential: &Value) -> Value {
    serde_json::from_str(&credential.to_string().replace(team.simulator.url(), url)).expect("a credential")
}
