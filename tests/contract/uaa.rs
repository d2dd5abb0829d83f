//! Environment `uaa`: its clients, and what only they have. All of it also runs against a real UAA where it can.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use technical_user_operator::api::environment::Uaa;
use technical_user_operator::api::identity::{GrantType, OauthClient};
use technical_user_operator::api::{Environment, Identity, SecretRef};
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::platform::{Issued, Kind, NewCredential, NewIdentity, ObservedIdentity, Ordered};

use crate::description::{Description, Running, SampleIdentity, owner};
use crate::harness::http;
use crate::harness::process::Process;
use crate::harness::runtime;
use crate::suite::{create, credentials_of, issue, listed, revoke, set_roles, texts};
use crate::{faults, suite, uaa_people};

/// What the suite has to know of the simulator's UAA.
static SIMULATED: Description = Description {
    environment: |simulator| environment(&format!("{}/uaa", simulator.url())),
    credentials: |simulator| vec![("uaa", simulator.credential("uaa", "secret"))],
    identity: Some(SAMPLE),
    grants: |_| Vec::new(),
    prepare: |_| {},
    count: |simulator| count(simulator.state()["uaa"]["clients"].as_array().expect("clients")),
    routes: &[
        "uaa.token",
        "uaa.create-client",
        "uaa.list-clients",
        "uaa.update-client",
        "uaa.change-secret",
        "uaa.delete-client",
    ],
};

/// What it has to know of the real one, which stands beside a simulator that nobody asks.
static REAL: Description = Description {
    environment: |_| environment(announced("url")),
    credentials: |_| vec![("uaa", ANNOUNCED.get().expect("a UAA that runs").clone())],
    identity: Some(SAMPLE),
    grants: |_| Vec::new(),
    prepare: |_| {},
    count: |_| count(&clients_of(announced("url"), announced("clientid"), announced("clientsecret"))),
    routes: &[],
};

const SAMPLE: SampleIdentity = SampleIdentity {
    identity: || Identity::OauthClient(OauthClient { grant_types: vec![GrantType::ClientCredentials] }),
    roles: &["orders.read", "Orders.Write"],
    own_roles: || OwnRoles::Authorities,
    fields: ["clientid", "clientsecret"],
    logs_on: None,
};

/// What the real UAA said when it was ready.
pub(crate) static ANNOUNCED: OnceLock<Value> = OnceLock::new();

/// A start; the first one fetches the UAA from a Maven repository.
const START_LIMIT: Duration = Duration::from_mins(10);
const END_LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn environment(url: &str) -> Environment {
    Environment::Uaa(Uaa { url: url.into(), credentials_secret_ref: SecretRef { name: "uaa".into() } })
}

pub(crate) fn announced(key: &str) -> &'static str {
    ANNOUNCED.get().and_then(|line| line[key].as_str()).expect("a UAA that runs")
}

/// Clients that carry our mark, and how many credentials of ours they have.
fn count(clients: &[Value]) -> (usize, usize) {
    let ours: Vec<_> = clients.iter().filter(|client| client["tuo_cluster"].is_string()).collect();
    let names = ours.iter().flat_map(|client| client["tuo_credential"].as_str().unwrap_or_default().split_whitespace());
    (ours.len(), names.count())
}

/// The administrator's own way to the UAA, past the driver.
pub(crate) struct Administrator {
    pub(crate) url: String,
    token: String,
}

impl Administrator {
    pub(crate) fn new(url: &str, id: &str, secret: &str) -> Self {
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        let token: Value = runtime().block_on(async {
            let asked = reqwest::Client::new().post(format!("{url}/oauth/token")).form(&form).send().await;
            asked.expect("an answer").json().await.expect("a token")
        });
        Self { url: url.to_owned(), token: token["access_token"].as_str().expect("a token").to_owned() }
    }

    /// Of the UAA that the driver works with, be it real or not.
    pub(crate) fn of(platform: &Running) -> Self {
        let real = ANNOUNCED.get().filter(|real| is_at(platform, real));
        let key = real.cloned().unwrap_or_else(|| platform.simulator.credential("uaa", "secret"));
        let text = |name: &str| key[name].as_str().expect("a field").to_owned();
        Self::new(&text("url"), &text("clientid"), &text("clientsecret"))
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        runtime().block_on(async { request.send().await.expect("an answer").json().await.expect("JSON") })
    }

    fn delete(&self, path: &str) {
        let request = reqwest::Client::new().delete(format!("{}{path}", self.url)).bearer_auth(&self.token);
        assert!(runtime().block_on(request.send()).expect("an answer").status().is_success());
    }

    fn put(&self, path: &str, body: &Value) {
        let request = reqwest::Client::new().put(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        assert!(runtime().block_on(request.send()).expect("an answer").status().is_success());
    }

    pub(crate) fn post(&self, path: &str, body: &Value) {
        let request = reqwest::Client::new().post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        let answer = runtime().block_on(request.send()).expect("an answer");
        assert_eq!(answer.status(), 201);
    }
}

fn is_at(platform: &Running, real: &Value) -> bool {
    matches!(&platform.environment, Environment::Uaa(uaa) if real["url"] == uaa.url.as_str())
}

fn clients_of(url: &str, id: &str, secret: &str) -> Vec<Value> {
    let page = Administrator::new(url, id, secret).get("/oauth/clients?count=500");
    page["resources"].as_array().expect("clients").clone()
}

fn client(id: &str, more: &Value) -> Value {
    let mut client = json!({
        "client_id": id, "client_secret": "planted", "authorized_grant_types": ["client_credentials"],
    });
    client.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    client
}

#[test]
fn the_suite() {
    suite::run(&SIMULATED);
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run(&SIMULATED, &json!({}));
}

#[test]
fn an_answer_that_comes_too_late_is_survived() {
    faults::run_late(&SIMULATED);
}

#[test]
fn a_client_that_goes_meanwhile_hides_no_other() {
    let platform = Running::start(&SIMULATED);
    platform.simulator.settings(&json!({"uaaPage": 100}));
    let mark = json!({"tuo_cluster": "cluster-1", "tuo_owner": "x"});
    let clients: Vec<Value> = (0..300).map(|number| client(&format!("tuo-{number:04}"), &mark)).collect();
    let administrator = Administrator::of(&platform);
    administrator.post("/oauth/clients/tx", &json!(clients));
    let slow = json!({"kind": "latency", "latencyMs": 1500, "page": "later", "times": 2});
    platform.simulator.fault("uaa.list-clients", &slow);
    let seen = std::thread::scope(|scope| {
        let seen = scope.spawn(|| listed(&platform, "cluster-1"));
        std::thread::sleep(Duration::from_millis(2200));
        administrator.delete("/oauth/clients/tuo-0000");
        seen.join().expect("a list")
    });
    assert_eq!(seen.len(), 299, "the list was read again");
}

#[test]
fn two_secrets_are_in_force_and_end_one_after_the_other() {
    let platform = Running::start(&SIMULATED);
    secrets_come_and_go(&platform);
    a_crash_leaves_no_secret_that_nobody_ends(&platform);
    a_mark_of_a_former_version_is_read(&platform);
}

/// The names of a client's credentials, the older first.
fn names(platform: &Running, identity: &ObservedIdentity) -> Vec<i64> {
    let found = platform.converge("find", async |driver| credentials_of(driver).find(identity).await);
    found.iter().filter_map(|one| one.name.rsplit_once('-')?.1.parse().ok()).collect()
}

/// Which of these get a token, asked once: a proof would give those that are refused some time.
fn that_work(issued: &[&Issued]) -> Vec<bool> {
    let works = |one: &Issued| {
        let fields = texts(one);
        let mut form = vec![("grant_type", "client_credentials")];
        let named = [("client_id", "clientid"), ("client_secret", "clientsecret")];
        form.extend(named.map(|(name, field)| (name, fields[field].as_str())));
        let request = http::client(None).post(&fields["tokenurl"]).form(&form);
        runtime().block_on(request.send()).expect("an answer").status().is_success()
    };
    issued.iter().map(|one| works(one)).collect()
}

fn secrets_come_and_go(platform: &Running) {
    let identity = create(platform, "pair");
    assert_eq!(identity.credential, None, "they are listed");
    let [first, second] = [1, 2].map(|number| issue(platform, &identity, "pair", number));
    assert_eq!(names(platform, &identity), [1, 2]);
    assert_eq!(that_work(&[&first, &second]), [true, true], "the older one works beside the newer");
    let third = issue(platform, &identity, "pair", 3);
    assert_eq!(names(platform, &identity), [2, 3]);
    assert_eq!(that_work(&[&first, &second, &third]), [false, true, true], "the oldest makes room");
    let listed = platform.converge("list", async |driver| credentials_of(driver).list("cluster-1").await);
    assert_eq!(listed.iter().map(|one| &one.id).collect::<Vec<_>>(), [&second.credential.id, &third.credential.id]);
    revoke(platform, &first.credential);
    revoke(platform, &second.credential);
    assert_eq!(that_work(&[&second, &third]), [false, true]);
    assert_eq!(names(platform, &identity), [3]);
    let fourth = issue(platform, &identity, "pair", 4);
    revoke(platform, &fourth.credential);
    assert_eq!(that_work(&[&third, &fourth]), [false, false], "the newer ends with the older alone");
    let none: [i64; 0] = [];
    assert_eq!(names(platform, &identity), none);
    let fifth = issue(platform, &identity, "pair", 5);
    revoke(platform, &fifth.credential);
    assert_eq!(that_work(&[&fifth]), [false], "the only one ends too");
    suite::delete(platform, &identity);
}

/// A mark names a secret that was never added, or one that has ended, whatever the crash left: what works is ended by
/// whoever ends all that the mark names.
fn a_crash_leaves_no_secret_that_nobody_ends(platform: &Running) {
    let identity = create(platform, "crash");
    let name = |number| owner("crash").credential_name(number);
    let path = format!("/oauth/clients/{}", identity.id);
    let mark = |names: &[i64]| {
        let names: Vec<String> = names.iter().map(|number| name(*number)).collect();
        let types = ["client_credentials"];
        let body =
            json!({"client_id": identity.id, "authorized_grant_types": types, "tuo_credential": names.join(" ")});
        Administrator::of(platform).put(&path, &body);
    };
    let find = || platform.converge("find", async |driver| credentials_of(driver).find(&identity).await);
    for all_at_once in [true, false] {
        let first = issue(platform, &identity, "crash", 1);
        mark(&[1, 2]);
        if all_at_once {
            find().iter().for_each(|one| revoke(platform, one));
            assert_eq!(that_work(&[&first]), [false], "it went by the name of the one that never was");
            continue;
        }
        let third = issue(platform, &identity, "crash", 3);
        assert_eq!(that_work(&[&first, &third]), [true, true], "the Secret's one serves until the new one does");
        find().iter().filter(|one| one.name != name(3)).for_each(|one| revoke(platform, one));
        assert_eq!(that_work(&[&first, &third]), [false, true]);
        // It has ended, and the mark does not say so yet.
        mark(&[2, 3]);
        find().iter().filter(|one| one.name == name(2)).for_each(|one| revoke(platform, one));
        assert_eq!(that_work(&[&third]), [true], "the one that is left is not the one that has ended");
        assert_eq!(names(platform, &identity), [3]);
        let again = platform.converge("issue", async |driver| {
            credentials_of(driver).issue(&identity, &NewCredential::made(&owner("crash"), &name(3))).await
        });
        assert!(matches!(again, Ordered::Found), "what is there is found");
    }
    suite::delete(platform, &identity);
}

/// It named the one secret that there was.
fn a_mark_of_a_former_version_is_read(platform: &Running) {
    let identity = create(platform, "former");
    let first = issue(platform, &identity, "former", 1);
    assert_eq!(
        Administrator::of(platform).get(&format!("/oauth/clients/{}", identity.id))["tuo_credential"],
        owner("former").credential_name(1)
    );
    let second = issue(platform, &identity, "former", 2);
    revoke(platform, &first.credential);
    assert_eq!(that_work(&[&first, &second]), [false, true]);
    suite::delete(platform, &identity);
}

#[test]
fn a_secret_whose_answer_is_lost_is_not_added_again_and_has_a_name() {
    let platform = Running::start(&SIMULATED);
    let identity = create(&platform, "lost");
    let first = issue(&platform, &identity, "lost", 1);
    for (number, fault) in [
        (2, json!({"kind": "other-object", "after": "after", "times": 1})),
        (3, json!({"kind": "reset", "after": "after", "times": 1})),
    ] {
        platform.simulator.fault("uaa.change-secret", &fault);
        let (owner, name) = (owner("lost"), owner("lost").credential_name(number));
        let lost =
            runtime().block_on(credentials_of(&platform.driver).issue(&identity, &NewCredential::made(&owner, &name)));
        assert_eq!(lost.err().map(|error| error.kind()), Some(Kind::OutcomeUnknown), "{fault}");
        assert_eq!(names(&platform, &identity), [number - 1, number], "{fault}");
        let changes = |request: &&Value| request["route"] == "uaa.change-secret";
        if number == 2 {
            assert_eq!(platform.simulator.requests().iter().filter(changes).count(), 2, "one for each credential");
            assert_eq!(that_work(&[&first]), [true]);
        }
    }
}

#[test]
fn the_suite_on_a_real_uaa() {
    let is_there = |tool: &str| Command::new(tool).arg("-version").output().is_ok();
    if let Some(missing) = ["java", "mvn"].iter().find(|tool| !is_there(tool)) {
        println!("skipped: no real UAA without {missing}");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/uaa/run.sh");
    let mut uaa = Process::start("the UAA", Command::new(script));
    let line = uaa.wait_for_line("\"clientsecret\"", START_LIMIT);
    ANNOUNCED.set(serde_json::from_str(&line).expect("a line of JSON")).expect("one UAA");
    suite::run(&REAL);
    let clients = Running::start(&REAL);
    authorities_come_and_go(&clients);
    secrets_come_and_go(&clients);
    a_crash_leaves_no_secret_that_nobody_ends(&clients);
    a_mark_of_a_former_version_is_read(&clients);
    uaa_people::on_a_real_uaa();
    uaa.close_input();
    uaa.wait(END_LIMIT);
}

#[test]
fn authorities_are_exactly_the_wanted_ones() {
    authorities_come_and_go(&Running::start(&SIMULATED));
}

fn authorities_come_and_go(platform: &Running) {
    let made = create(platform, "authorities");
    let sample = platform.sample(&owner("authorities")).expect("a sample");
    for roles in [&["a.b", "A.B"][..], &[], &["orders.read"]] {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let wanted = NewIdentity { roles, ..sample.clone() };
        let changed = set_roles(platform, &made, &wanted);
        assert_eq!(changed.roles.as_ref(), Some(&wanted.roles));
        assert_eq!(listed(platform, "cluster-1").remove(0).roles, changed.roles);
    }
    suite::delete(platform, &made);
}

#[test]
fn what_is_not_ours_is_a_conflict() {
    let platform = Running::start(&SIMULATED);
    let foreign = owner("foreign");
    Administrator::of(&platform).post("/oauth/clients", &client(&foreign.identity_name(), &json!({})));
    let sample = platform.sample(&foreign).expect("a sample");
    let identities = suite::identities_of(&platform.driver);
    let error = runtime().block_on(identities.create(&sample)).expect_err("the name is taken");
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(listed(&platform, "cluster-1").is_empty(), "what is not marked is not listed");
}

#[test]
fn the_credential_that_was_issued_last_can_be_ended_too() {
    let platform = Running::start(&SIMULATED);
    let identity = create(&platform, "ended");
    let issued = issue(&platform, &identity, "ended", 1);
    revoke(&platform, &issued.credential);
    let error = runtime().block_on(credentials_of(&platform.driver).prove(&issued)).expect_err("it has ended");
    assert_eq!(error.kind(), Kind::ProofRefused);
}

#[test]
fn lists_are_read_to_their_end() {
    let platform = Running::start(&SIMULATED);
    let mark = json!({"tuo_cluster": "cluster-1", "tuo_owner": "x"});
    let clients: Vec<Value> = (0..1100).map(|number| client(&format!("tuo-{number:04}"), &mark)).collect();
    Administrator::of(&platform).post("/oauth/clients/tx", &json!(clients));
    assert_eq!(listed(&platform, "cluster-1").len(), 1100);
    let requests = platform.simulator.requests();
    assert_eq!(requests.iter().filter(|request| request["route"] == "uaa.list-clients").count(), 3);
}

#[test]
fn every_fault_on_later_pages_is_survived() {
    let mut platform = Running::start(&SIMULATED);
    platform.simulator.settings(&json!({"uaaPage": 2}));
    (0..5).for_each(|number| drop(create(&platform, &format!("page-{number}"))));
    faults::on_later_pages(&mut platform, "uaa.list-clients", |platform| listed(platform, "cluster-1").len());
}

#[test]
fn an_administrator_without_clients_admin_is_told_what_is_missing() {
    let platform = Running::start(&SIMULATED);
    platform.simulator.fault("uaa.create-client", &json!({"kind": "status", "status": 400}));
    let sample = platform.sample(&owner("refused")).expect("a sample");
    let identities = suite::identities_of(&platform.driver);
    let error = runtime().block_on(identities.create(&sample)).expect_err("refused");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains("clients.admin"), "{error}");
}
