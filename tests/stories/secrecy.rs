//! No credential is anywhere but in Secrets: not in the operator's log at its most talkative, nor in its metrics, nor in
//! anything else that the cluster stores, whatever goes well or wrong meanwhile.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::harness::api::path;
use crate::harness::conditions::condition;
use crate::harness::operator::Operator;
use crate::harness::stage::OPERATOR_NAMESPACE;
use crate::harness::{PATIENCE, Stage, Team, eventually, team};
use crate::lines::{Act, Btp, Line, Neo, Player, Uaa, named};

/// In every secret that the simulator has made up, and in those that the stories make up.
const MARK: &str = "planted";

/// Answers that are wrong, some of them with a secret inside, and whether what was asked for is done before them. That
/// it is not is never said with a status of success.
const FAULTS: [(&str, &str); 5] = [
    ("truncated", "after"),
    ("wrong-types", "after"),
    ("html", "before"),
    ("not-json", "after"),
    ("broker-error", "before"),
];

#[test]
fn credentials_are_in_secrets_and_nowhere_else() {
    let stage = Stage::alone();
    let operator = stage.start_operator(&["--log", "trace"]);
    let search = Search::new(&stage, &operator);
    thread::scope(|lines| {
        lines.spawn(|| life::<Btp>(&search));
        lines.spawn(|| life::<Neo>(&search));
        lines.spawn(|| life::<Uaa>(&search));
    });
    search.nothing_is_out("at the end");
    search.is_thorough();
    operator.stop();
}

/// Everything that happens to a line, with a search after each step.
fn life<L: Line>(search: &Search<'_>) {
    let team = Team::new(search.stage, &format!("secrecy-{}", L::NAME));
    let url = team.simulator.url().to_owned();
    let player = Player::<L>::new(team, url);
    player.perform(Act::Apply);
    over(search, &player, Act::Apply, "provisioned");
    a_secret_is_lost_and_another_altered(search, &player);
    answers_are_wrong(search, &player);
    admin_secrets_are_wrong(search, &player);
    player.perform(Act::Delete);
    over(search, &player, Act::Delete, "deleted");
}

fn over<L: Line>(search: &Search<'_>, player: &Player<'_, L>, act: Act, when: &str) {
    player.over(act, when, || search.operator.log());
    search.learn(&player.team);
    search.nothing_is_out(when);
}

fn a_secret_is_lost_and_another_altered<L: Line>(search: &Search<'_>, player: &Player<'_, L>) {
    for secret in published(&player.team) {
        player.team.patch(&secret, &json!({ "stringData": { "clientsecret": format!("{MARK}-by-hand") } }));
    }
    over(search, player, Act::Apply, "altered and healed");
    published(&player.team).iter().for_each(|secret| player.team.delete(secret));
    over(search, player, Act::Apply, "lost and healed");
}

/// While nothing but wrong answers come, roles change and Secrets are lost.
fn answers_are_wrong<L: Line>(search: &Search<'_>, player: &Player<'_, L>) {
    for ((fault, after), act) in FAULTS.into_iter().zip([Act::Change, Act::Apply].into_iter().cycle()) {
        player.team.simulator.fault("*", &json!({ "kind": fault, "after": after }));
        published(&player.team).iter().for_each(|secret| player.team.delete(secret));
        player.perform(act);
        not_ready(&player.team, player.objects(act), fault);
        search.nothing_is_out(fault);
        player.team.simulator.heal();
        let objects = player.objects(act);
        objects.iter().for_each(|object| touch(&player.team, object, fault));
        over(search, player, act, &format!("healed of {fault}"));
    }
    player.perform(Act::Apply);
    over(search, player, Act::Apply, "changed back");
}

/// First they cannot be read, then the platform refuses them. What they held before stays in use.
fn admin_secrets_are_wrong<L: Line>(search: &Search<'_>, player: &Player<'_, L>) {
    let refused =
        json!({ "clientid": "somebody", "clientsecret": format!("{MARK}-and-wrong"), "url": "", "apiurl": "" });
    let malformed = format!("{{\"clientid\": \"{MARK}\", \"clientsecret\": \"{MARK}");
    let mut said = None;
    for wrong in [malformed, refused.to_string()] {
        for name in admin_secrets(&player.team) {
            player.team.apply(&team::secret(OPERATOR_NAMESPACE, &name, &json!({ "credentials": wrong })));
        }
        said = Some(eventually("a wrong admin Secret is rejected", PATIENCE, || {
            let platform = player.team.get(&format!("platforms/{}", player.team.name))?;
            condition(&platform, "AdminSecretRejected").map(|now| now.message).filter(|now| said.as_ref() != Some(now))
        }));
        search.nothing_is_out("a wrong admin Secret");
    }
    player.log_on();
    over(search, player, Act::Apply, "logged on again");
}

/// Waits until one of the objects is not Ready.
fn not_ready(team: &Team<'_>, objects: Vec<Value>, why: &str) {
    let is_ready = |object: &Value| condition(object, "Ready").is_some_and(|ready| ready.status == "True");
    eventually(&format!("{} suffers from {why}", team.name), PATIENCE, || {
        let found = objects.iter().filter_map(|object| team.get(&named(object)));
        found.into_iter().any(|object| !is_ready(&object)).then_some(())
    });
}

/// Wakes an object that waits for a person.
fn touch(team: &Team<'_>, object: &Value, why: &str) {
    team.patch(&named(object), &json!({ "metadata": { "annotations": { "acme.example/touched": why } } }));
}

/// The Secrets in the team's namespace.
fn published(team: &Team<'_>) -> Vec<String> {
    let secrets = team.stage.api().list(&path("secrets", &team.name, ""));
    secrets.iter().map(|secret| format!("secrets/{}", text(&secret["metadata"]["name"]))).collect()
}

fn admin_secrets(team: &Team<'_>) -> Vec<String> {
    let secrets = team.stage.api().list(&path("secrets", OPERATOR_NAMESPACE, ""));
    let names = secrets.iter().map(|secret| text(&secret["metadata"]["name"]));
    names.filter(|name| name.starts_with(&team.name)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// Looks for what must not be found.
struct Search<'a> {
    stage: &'a Stage,
    operator: &'a Operator,
    secrets: Mutex<BTreeSet<String>>,
}

impl<'a> Search<'a> {
    fn new(stage: &'a Stage, operator: &'a Operator) -> Self {
        Self { stage, operator, secrets: Mutex::new(BTreeSet::from([MARK.to_owned()])) }
    }

    /// Adds what the team's Secrets hold; an operator draws secrets of its own, which carry no mark.
    fn learn(&self, team: &Team<'_>) {
        let secrets = published(team);
        let values = secrets.iter().filter_map(|secret| team.secret(secret.strip_prefix("secrets/")?));
        let values = values.filter_map(|secret| secret.get("clientsecret").cloned());
        let forms = values.flat_map(|value| [BASE64_STANDARD.encode(&value), value]);
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).extend(forms);
    }

    fn nothing_is_out(&self, when: &str) {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (place, text) in self.places() {
            let found = secrets.iter().find(|secret| text.contains(*secret));
            assert_eq!(found, None, "{when}, in {place}:\n{text}");
        }
    }

    /// Where a secret could get to: the log, the metrics, everything stored but Secrets, and what stands on Secrets.
    fn places(&self) -> Vec<(String, String)> {
        let stored =
            self.stage.plane().stored().into_iter().filter(|entry| !entry.key.starts_with("/registry/secrets/"));
        let stored = stored.map(|entry| (entry.key, String::from_utf8_lossy(&entry.value).into_owned()));
        let secrets = self.stage.api().list(&path("secrets", "", "")).into_iter();
        let on_secrets =
            secrets.map(|secret| (format!("metadata {}", secret["metadata"]["name"]), secret["metadata"].to_string()));
        let log = [("the log".to_owned(), self.operator.log()), ("the metrics".to_owned(), self.operator.metrics())];
        stored.chain(on_secrets).chain(log).collect()
    }

    /// Whether it looked where there is something to see.
    fn is_thorough(&self) {
        let places = self.places();
        let has = |part: &str| places.iter().any(|(place, _)| place.contains(part));
        assert!(has("/registry/events/secrecy-btp/") && has("/registry/namespaces/secrecy-uaa"));
        assert!(self.operator.log().contains("\"level\":\"DEBUG\""), "the log is not talkative");
        let secrets =
            self.stage.plane().stored().into_iter().filter(|entry| entry.key.starts_with("/registry/secrets/"));
        assert!(secrets.into_iter().any(|entry| entry.contains(MARK)), "there is no secret to find");
        let learnt = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(learnt.iter().any(|secret| !secret.contains(MARK) && BASE64_STANDARD.decode(secret).is_err()));
    }
}
