//! Environment `scim`: its description, in the variants that the RFCs leave to a directory, and what only it has. The
//! suite also runs against a SCIM server that is not ours.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use technical_user_operator::api::environment::Scim;
use technical_user_operator::api::identity::DirectoryUser;
use technical_user_operator::api::role::GroupName;
use technical_user_operator::api::{Environment, Identity, Principal, Role, RoleKind, SecretRef};
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::plan::environment::rules;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::{Kind, NewCredential};

use crate::administrator::{Administrator, GROUPS};
use crate::description::{Description, Running, SampleIdentity, owner};
use crate::harness::process::Process;
use crate::harness::runtime;
use crate::harness::simulator::Simulator;
use crate::suite::{confirmed, create, credentials_of, delete, found, grant, held, issue, listed, revoke, works};
use crate::{faults, suite};

/// A directory that can do all that the RFCs know.
pub(crate) static FULL: Description = described(|simulator| prepare(simulator, &json!({})), CALLS);
/// One that can do nothing that they leave open.
static BARE: Description = described(|simulator| prepare(simulator, &bare()), CALLS_OF_THE_BARE);
static WITHOUT_PATCH: Description =
    described(|simulator| prepare(simulator, &json!({"scimPatch": "unsupported"})), CALLS_OF_THE_BARE);
static WITHOUT_TAGS: Description =
    described(|simulator| prepare(simulator, &json!({"scimEtag": "unsupported"})), CALLS);
pub(crate) static DEAF_TO_FILTERS: Description =
    described(|simulator| prepare(simulator, &json!({"scimFilter": "ignored"})), CALLS);
pub(crate) static SHORT_PAGES: Description =
    described(|simulator| prepare(simulator, &json!({"scimPage": 1, "scimFilter": "refused"})), CALLS);
static BY_PASSWORD: Description = described(|simulator| prepare(simulator, &json!({"scimCredential": "basic"})), CALLS);
/// The faulty ones fetch tokens: a credential that is shown with every call and refused for long is not tried again.
static BARE_BY_CLIENT: Description =
    described(|simulator| prepare(simulator, &by_client(bare())), &["scim.replace-user", "scim.replace-group"]);
static SHORT_PAGES_BY_CLIENT: Description =
    described(|simulator| prepare(simulator, &by_client(json!({"scimPage": 1, "scimFilter": "refused"}))), CALLS);
static BY_CLIENT: Description =
    described(|simulator| prepare(simulator, &json!({"scimCredential": "client-credentials"})), CALLS_BY_CLIENT);

/// What the driver calls.
const CALLS: &[&str] = &[
    "scim.service-provider-config",
    "scim.list-users",
    "scim.create-user",
    "scim.get-user",
    "scim.change-user",
    "scim.delete-user",
    "scim.list-groups",
    "scim.get-group",
    "scim.change-group",
];
/// The same where there is no `PATCH`.
const CALLS_OF_THE_BARE: &[&str] = &[
    "scim.service-provider-config",
    "scim.list-users",
    "scim.create-user",
    "scim.get-user",
    "scim.replace-user",
    "scim.delete-user",
    "scim.list-groups",
    "scim.get-group",
    "scim.replace-group",
];
/// The same where tokens are fetched.
const CALLS_BY_CLIENT: &[&str] = &[
    "scim.token",
    "scim.service-provider-config",
    "scim.list-users",
    "scim.create-user",
    "scim.get-user",
    "scim.change-user",
    "scim.delete-user",
    "scim.list-groups",
    "scim.get-group",
    "scim.change-group",
];

/// What the suite has to know of the simulator's directory.
const fn described(prepare: fn(&Simulator), routes: &'static [&'static str]) -> Description {
    Description {
        environment: |simulator| environment(&format!("{}/scim/v2", simulator.url())),
        credentials: |simulator| vec![("scim", simulator.credential("scim", "secret"))],
        identity: Some(SAMPLE),
        grants: |_| grants(),
        prepare,
        count: |simulator| count(simulator.state()["scim"]["users"].as_array().expect("users")),
        routes,
    }
}

/// What it has to know of a real server, which stands beside a simulator that nobody asks. Nobody logs on there.
static REAL: Description = Description {
    environment: |_| environment(announced("url")),
    credentials: |_| vec![("scim", ANNOUNCED.get().expect("a server that runs").clone())],
    identity: Some(SampleIdentity { logs_on: None, ..SAMPLE }),
    grants: |_| grants(),
    prepare: |_| {},
    count: |_| count(&real_administrator().all("Users")),
    routes: &[],
};

const SAMPLE: SampleIdentity = SampleIdentity {
    identity: || user("tu \"orders\"@acme.example"),
    roles: &[],
    own_roles: || OwnRoles::None,
    fields: ["username", "password"],
    logs_on: Some(logs_on),
};

/// What the real server said when it was ready.
static ANNOUNCED: OnceLock<Value> = OnceLock::new();
/// A start; the first one fetches the server.
const START_LIMIT: Duration = Duration::from_mins(10);
const END_LIMIT: Duration = Duration::from_secs(30);

fn bare() -> Value {
    json!({"scimPatch": "unsupported", "scimEtag": "unsupported", "scimFilter": "refused"})
}

fn by_client(mut settings: Value) -> Value {
    settings["scimCredential"] = json!("client-credentials");
    settings
}

fn environment(url: &str) -> Environment {
    Environment::Scim(Scim { url: url.into(), credentials_secret_ref: SecretRef { name: "scim".into() } })
}

fn announced(key: &str) -> &'static str {
    ANNOUNCED.get().and_then(|line| line[key].as_str()).expect("a server that runs")
}

fn user(name: &str) -> Identity {
    Identity::DirectoryUser(DirectoryUser { user_name: name.into(), email: None, valid_to: None })
}

pub(crate) fn membership(user: &str, group: &str) -> Grant {
    let principal = Principal { name: user.into(), origin: None };
    let holder = rules(&environment("https://directory.example")).holder(HolderKind::User, &principal);
    Grant::new(holder, Role::GroupMembership(GroupName { group: group.into() }))
}

fn grants() -> Vec<Vec<Grant>> {
    let batch = |group: &str| vec![membership("JANE@acme.example", group), membership("o'\"neil\"", group)];
    GROUPS.iter().map(|group| batch(group)).collect()
}

/// Users that carry a mark, and those of them whose password somebody holds.
fn count(users: &[Value]) -> (usize, usize) {
    let marks: Vec<_> = users.iter().filter_map(|user| user["externalId"].as_str()).collect();
    let marks: Vec<_> = marks.into_iter().filter(|mark| mark.starts_with("cluster-1/")).collect();
    let issued = marks.iter().filter(|mark| mark.rsplit('/').next().is_some_and(|last| last.parse::<i64>().is_ok()));
    (marks.len(), issued.count())
}

/// The simulator's directory has no log-on of its own, but tells what it keeps.
fn logs_on(simulator: &Simulator, name: &str, password: &str) -> bool {
    let state = simulator.state_with_secrets();
    let users = state["scim"]["users"].as_array().expect("users").clone();
    users.iter().any(|user| user["userName"] == name && user["password"] == password && user["active"] == true)
}

fn prepare(simulator: &Simulator, settings: &Value) {
    simulator.settings(settings);
    Administrator::of(simulator).people();
}

fn real_administrator() -> Administrator {
    Administrator::with(announced("url"), ANNOUNCED.get().expect("a server").clone())
}

fn bob_is_left(platform: &Running) {
    platform.simulator.settings(&json!({"scimPage": 100}));
    let administrator = Administrator::of(&platform.simulator);
    for group in GROUPS {
        assert_eq!(administrator.members(group), 1, "nobody but Bob is left, and he is: {group}");
    }
}

#[test]
fn the_suite_in_every_variant() {
    let variants = [&FULL, &BARE, &WITHOUT_PATCH, &WITHOUT_TAGS, &DEAF_TO_FILTERS, &SHORT_PAGES];
    for description in variants {
        bob_is_left(&suite::run(description));
    }
}

#[test]
fn the_suite_with_every_credential() {
    for description in [&BY_PASSWORD, &BY_CLIENT] {
        suite::run(description);
    }
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run(&BY_CLIENT, &json!({}));
}

#[test]
fn every_fault_on_every_route_of_a_bare_directory_is_survived() {
    faults::run(&BARE_BY_CLIENT, &json!({}));
}

#[test]
fn an_answer_that_comes_too_late_is_survived() {
    faults::run_late(&BY_CLIENT);
}

#[test]
fn every_fault_on_later_pages_is_survived() {
    let mut platform = Running::start(&SHORT_PAGES_BY_CLIENT);
    drop(create(&platform, "page"));
    faults::on_later_pages(&mut platform, "scim.list-users", |platform| listed(platform, "cluster-1").len());
}

#[test]
fn the_suite_on_a_real_server() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: no real SCIM server without python3");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scim/run.sh");
    let mut server = Process::start("the SCIM server", Command::new(script));
    let line = server.wait_for_line("\"token\"", START_LIMIT);
    ANNOUNCED.set(serde_json::from_str(&line).expect("a line of JSON")).expect("one server");
    real_administrator().people();
    suite::run(&REAL);
    for group in GROUPS {
        assert_eq!(real_administrator().members(group), 1, "nobody but Bob is left");
    }
    server.close_input();
    server.wait(END_LIMIT);
}

#[test]
fn a_credential_that_is_shown_with_every_call_survives_one_refusal() {
    let platform = Running::start(&FULL);
    platform.converge("log on", async |driver| driver.log_on().await?.whole());
    platform.simulator.fault("scim.list-users", &json!({"kind": "status", "status": 401, "times": 1}));
    let identities = suite::identities_of(&platform.driver);
    assert!(runtime().block_on(identities.list("cluster-1")).is_ok());
}

#[test]
fn what_is_not_ours_is_a_conflict_and_stays_as_it_is() {
    let platform = Running::start(&FULL);
    let administrator = Administrator::of(&platform.simulator);
    for (name, mark) in [("taken", "4711"), ("TAKEN-2", "cluster-2/foreign/1")] {
        let id = administrator.user(name, mark);
        let mut sample = platform.sample(&owner("foreign")).expect("a sample");
        sample.identity = user(&name.to_lowercase());
        let identities = suite::identities_of(&platform.driver);
        let error = runtime().block_on(identities.create(&sample)).expect_err("the name is taken");
        assert_eq!(error.kind(), Kind::Conflict);
        assert!(listed(&platform, "cluster-1").is_empty() && found(&platform, "foreign").is_empty());
        let users = platform.simulator.state()["scim"]["users"].clone();
        let kept = users.as_array().expect("users").iter().find(|user| user["id"] == id.as_str()).cloned();
        assert_eq!(kept.expect("the user")["externalId"], mark);
    }
}

#[test]
fn a_password_that_somebody_else_replaced_is_seen() {
    let mut platform = Running::start(&FULL);
    let identity = create(&platform, "replaced");
    assert_eq!(identity.credential, None);
    let first = issue(&platform, &identity, "replaced", 1);
    let credential = |platform: &Running| found(platform, "replaced").remove(0).credential;
    assert_eq!(credential(&platform), Some(owner("replaced").credential_name(1)));
    platform.reconnect();
    let second = issue(&platform, &identity, "replaced", 2);
    assert_eq!(credential(&platform), Some(owner("replaced").credential_name(2)));
    assert_eq!(listed(&platform, "cluster-1").remove(0).credential, credential(&platform));
    assert_eq!((works(&platform, &first), works(&platform, &second)), (Some(false), Some(true)));
    revoke(&platform, &second.credential);
    assert_eq!((credential(&platform), works(&platform, &second)), (None, Some(false)));
    // The answer to the new password is lost: the mark tells that the one before has ended.
    platform.simulator.fault("scim.change-user", &json!({"kind": "other-object", "after": "after", "times": 1}));
    let (owner, name) = (owner("replaced"), owner("replaced").credential_name(3));
    let lost =
        runtime().block_on(credentials_of(&platform.driver).issue(&identity, &NewCredential::made(&owner, &name)));
    assert_eq!(lost.err().map(|error| error.kind()), Some(Kind::OutcomeUnknown));
    assert_eq!(credential(&platform), Some(name));
}

#[test]
fn a_user_that_changed_meanwhile_is_read_again() {
    for (description, route) in [(&FULL, "scim.change-user"), (&WITHOUT_PATCH, "scim.replace-user")] {
        let platform = Running::start(description);
        let identity = create(&platform, "crossed");
        platform.simulator.fault(route, &json!({"kind": "status", "status": 412, "times": 1}));
        let (owner, name) = (owner("crossed"), owner("crossed").credential_name(1));
        let issued =
            runtime().block_on(credentials_of(&platform.driver).issue(&identity, &NewCredential::made(&owner, &name)));
        assert!(issued.is_ok(), "one that crossed another's is decided anew");
    }
}

#[test]
fn a_whole_group_that_is_written_undoes_nobody_elses_change() {
    let platform = Running::start(&WITHOUT_PATCH);
    let administrator = Administrator::of(&platform.simulator);
    let (carol, bob) = (administrator.user("carol", "4711"), administrator.all("Users"));
    let bob = bob.iter().find(|user| user["userName"] == "bob").expect("Bob")["id"].clone();
    let group = administrator.all("Groups").into_iter().find(|group| group["displayName"] == GROUPS[0]).expect("it");
    // Our look at the group shows what was there before Carol came.
    let slow = json!({"kind": "latency", "latencyMs": 2000, "times": 1});
    platform.simulator.fault("scim.get-group", &slow);
    let batch = [membership("jane@acme.example", GROUPS[0])];
    std::thread::scope(|scope| {
        let granted = scope.spawn(|| grant(&platform, &batch));
        std::thread::sleep(Duration::from_millis(1000));
        let schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
        let members = [json!({"value": bob}), json!({"value": carol})];
        let with_carol = json!({"schemas": schemas, "displayName": GROUPS[0], "members": members});
        administrator.put(&format!("Groups/{}", group["id"].as_str().expect("an id")), &with_carol);
        granted.join().expect("granted");
    });
    assert_eq!(administrator.members(GROUPS[0]), 3, "Bob, Carol and Jane");
}

#[test]
fn a_batch_is_one_change_and_what_is_not_there_spoils_no_other() {
    let platform = Running::start(&FULL);
    let batch: Vec<Grant> =
        ["jane@acme.example", "nobody", "o'\"neil\""].iter().map(|name| membership(name, GROUPS[0])).collect();
    let grants = platform.driver.grants[&RoleKind::GroupMembership].clone();
    let kinds = |results: Vec<Result<(), technical_user_operator::platform::Error>>| -> Vec<Option<Kind>> {
        results.into_iter().map(|result| result.err().map(|error| error.kind())).collect()
    };
    let results = kinds(runtime().block_on(grants.grant(&batch)));
    assert_eq!(results, [None, Some(Kind::NotFound), None]);
    assert_eq!(held(&platform, &batch).len(), 2);
    let changes = platform.asked().into_iter().filter(|request| request["route"] == "scim.change-group");
    assert_eq!(changes.count(), 1, "many members are added at once");
    assert_eq!(kinds(runtime().block_on(grants.revoke(&batch))), [None, None, None], "who is not there has no role");
    assert!(confirmed(&platform, &batch).is_empty());
    let nowhere = [membership("jane@acme.example", "No such group")];
    assert_eq!(kinds(runtime().block_on(grants.grant(&nowhere))), [Some(Kind::NotFound)]);
    assert_eq!(kinds(runtime().block_on(grants.revoke(&nowhere))), [None]);
    assert!(held(&platform, &nowhere).is_empty() && confirmed(&platform, &nowhere).is_empty());
}

#[test]
fn two_groups_of_one_name_are_not_told_apart() {
    let platform = Running::start(&FULL);
    let administrator = Administrator::of(&platform.simulator);
    let bob = administrator.user("bob-2", "4711");
    administrator.group(GROUPS[0], &bob);
    let grants = platform.driver.grants[&RoleKind::GroupMembership].clone();
    let batch = [membership("jane@acme.example", GROUPS[0])];
    let error = runtime().block_on(grants.grant(&batch)).remove(0).expect_err("which is meant?");
    assert!(error.kind() == Kind::Invalid && error.to_string().contains("several groups"), "{error}");
}

#[test]
fn a_user_that_goes_meanwhile_hides_no_other() {
    let platform = Running::start(&FULL);
    platform.simulator.settings(&json!({"scimPage": 10}));
    let administrator = Administrator::of(&platform.simulator);
    let ids: Vec<String> =
        (0..30).map(|number| administrator.user(&format!("tu-{number}"), &format!("cluster-1/{number}"))).collect();
    let slow = json!({"kind": "latency", "latencyMs": 1500, "page": "later", "times": 2});
    platform.simulator.fault("scim.list-users", &slow);
    let seen = std::thread::scope(|scope| {
        let seen = scope.spawn(|| listed(&platform, "cluster-1"));
        std::thread::sleep(Duration::from_millis(700));
        administrator.delete(&format!("Users/{}", ids[0]));
        seen.join().expect("a list")
    });
    assert_eq!(seen.len(), 29, "the list was read again");
}

#[test]
fn a_404_of_somebody_in_between_removes_nothing() {
    let platform = Running::start(&FULL);
    let identity = create(&platform, "here");
    let issued = issue(&platform, &identity, "here", 1);
    platform.simulator.fault("scim.get-user", &json!({"kind": "not-found"}));
    let credentials = suite::maker(&platform.driver).credentials.clone();
    assert!(runtime().block_on(credentials.revoke(&issued.credential)).is_err(), "nobody said that the user is gone");
    platform.simulator.heal();
    delete(&platform, &identity);
    assert!(runtime().block_on(credentials.revoke(&issued.credential)).is_ok(), "the directory says that it is gone");
}
