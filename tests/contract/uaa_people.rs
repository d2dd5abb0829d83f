//! Users and groups of environment `uaa`, against the simulator and against a real UAA.

use serde_json::{Value, json};
use technical_user_operator::api::identity::DirectoryUser;
use technical_user_operator::api::role::GroupName;
use technical_user_operator::api::{Identity, Principal, Role};
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::plan::grant::{Grant, Holder, HolderKind};
use technical_user_operator::platform::{Error, Issued, Kind, NewCredential, NewIdentity};

use crate::description::{Description, Running, SampleIdentity, owner};
use crate::faults;
use crate::harness::http;
use crate::harness::runtime;
use crate::suite::{
    self, confirmed, create, credentials_of, found, grant, granting, held, identities_of, issue, listed, revoke,
    revoke_grants, texts,
};
use crate::uaa::{ANNOUNCED, Administrator, announced, environment};

/// What the suite has to know of the simulator's users and groups.
static SIMULATED: Description = Description {
    environment: |simulator| environment(&format!("{}/uaa", simulator.url())),
    credentials: |simulator| vec![("uaa", simulator.credential("uaa", "secret"))],
    identity: Some(SAMPLE),
    grants: |_| sample_grants(),
    prepare: |_| {},
    count: |simulator| count(&simulator.state()["uaa"]["users"]),
    routes: &[
        "uaa.token",
        "uaa.create-user",
        "uaa.list-users",
        "uaa.replace-user",
        "uaa.change-password",
        "uaa.delete-user",
        "uaa.list-groups",
        "uaa.list-members",
        "uaa.add-member",
        "uaa.remove-member",
    ],
};

/// What it has to know of those of the real one.
static REAL: Description = Description {
    environment: |_| environment(announced("url")),
    credentials: |_| vec![("uaa", ANNOUNCED.get().expect("a UAA that runs").clone())],
    identity: Some(SAMPLE),
    grants: |_| sample_grants(),
    prepare: |_| {},
    count: |_| {
        let administrator = Administrator::new(announced("url"), announced("clientid"), announced("clientsecret"));
        count(&administrator.get("/Users?count=500")["resources"])
    },
    routes: &[],
};

const SAMPLE: SampleIdentity = SampleIdentity {
    identity: || user("tu-orders"),
    roles: &[],
    own_roles: || OwnRoles::None,
    fields: ["username", "password"],
    logs_on: None,
};

fn user(name: &str) -> Identity {
    Identity::DirectoryUser(DirectoryUser { user_name: name.into(), email: None, valid_to: None })
}

/// The two people that a UAA of the tests has, in its two groups.
fn sample_grants() -> Vec<Vec<Grant>> {
    vec![vec![member("jane", "orders.read"), member("joe", "orders.read")], vec![member("JANE", "orders.write")]]
}

fn member(user: &str, group: &str) -> Grant {
    let holder = Holder::named(HolderKind::User, user, "uaa");
    Grant::new(holder, Role::GroupMembership(GroupName { group: group.into() }))
}

/// Users that carry our mark, and those of them that have a credential of ours.
fn count(users: &Value) -> (usize, usize) {
    let marks = users.as_array().expect("users").iter().filter_map(|user| user["externalId"].as_str());
    let ours: Vec<&str> = marks.filter(|mark| mark.starts_with("cluster-1/")).collect();
    (ours.len(), ours.iter().filter(|mark| !mark.ends_with("/0")).count())
}

#[test]
fn the_suite() {
    suite::run(&SIMULATED);
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run(&SIMULATED, &json!({}));
}

/// What is also proven against a real UAA.
pub(crate) fn on_a_real_uaa() {
    suite::run(&REAL);
    let platform = Running::start(&REAL);
    a_name_that_is_taken_is_a_conflict(&platform);
    a_user_is_marked_and_keeps_what_it_is(&platform);
    groups_are_told_apart(&platform);
    a_password_logs_on_until_it_ends(&platform);
}

#[test]
fn users_and_groups_are_told_apart() {
    let platform = Running::start(&SIMULATED);
    a_name_that_is_taken_is_a_conflict(&platform);
    a_user_is_marked_and_keeps_what_it_is(&platform);
    groups_are_told_apart(&platform);
}

fn a_name_that_is_taken_is_a_conflict(platform: &Running) {
    let sample = platform.sample(&owner("taken")).expect("a sample");
    for name in ["jane", "Jane"] {
        let wanted = NewIdentity { identity: user(name), ..sample.clone() };
        let error = runtime().block_on(identities_of(&platform.driver).create(&wanted)).expect_err("it is Jane's");
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
    }
    assert!(found(platform, "taken").is_empty() && listed(platform, "cluster-1").is_empty());
}

fn a_user_is_marked_and_keeps_what_it_is(platform: &Running) {
    let made = create(platform, "kept");
    let user = Some(Principal { name: "tu-orders".into(), origin: Some("uaa".into()) });
    assert_eq!((&made.user, &made.credential, made.roles.is_none()), (&user, &None, true));
    let mark = made.mark.clone().expect("a mark");
    assert_eq!((mark.uid.as_str(), mark.namespace.as_str(), mark.name.as_str()), ("kept", "orders", "intake"));
    let issued = issue(platform, &made, "kept", 1);
    let issued = texts(&issued);
    assert_eq!(issued.keys().collect::<Vec<_>>(), ["password", "url", "username"]);
    assert_eq!(issued["username"], "tu-orders");
    let now = found(platform, "kept").remove(0);
    assert_eq!(now.credential, Some(owner("kept").credential_name(1)));
    assert_eq!((&now.id, &now.user, &now.mark), (&made.id, &made.user, &made.mark), "the rest is as it was");
    let shown = Administrator::of(platform).get(&format!("/Users/{}", made.id));
    assert_eq!((&shown["active"], &shown["verified"]), (&json!(true), &json!(true)));
    let address = owner("kept").address_of_nobody();
    assert_eq!(shown["emails"][0]["value"], address.as_str());

    let own = [Grant::new(Holder::named(HolderKind::User, "tu-orders", "uaa"), member("x", "orders.read").role)];
    grant(platform, &own);
    assert_eq!(confirmed(platform, &own), own, "a user that we made is a member like any other");
    suite::delete(platform, &made);
    assert!(held(platform, &own).is_empty() && confirmed(platform, &own).is_empty(), "its memberships go with it");
    revoke_grants(platform, &own);
}

fn groups_are_told_apart(platform: &Running) {
    let administrator = Administrator::of(platform);
    administrator.post("/Groups", &json!({"displayName": "Orders.Read"}));
    let [lower, upper] = ["orders.read", "Orders.Read"].map(|group| [member("jane", group)]);
    grant(platform, &upper);
    assert!(held(platform, &lower).is_empty() && confirmed(platform, &lower).is_empty(), "another group");
    assert_eq!(held(platform, &upper), upper);
    revoke_grants(platform, &upper);

    let unknown = [member("nobody", "orders.read"), member("jane", "no.such.group")];
    for (grant, word) in unknown.iter().zip(["`nobody`", "`no.such.group`"]) {
        let batch = std::slice::from_ref(grant);
        assert!(held(platform, batch).is_empty() && confirmed(platform, batch).is_empty());
        let refused = only(platform, batch).expect_err("there is none");
        assert_eq!(refused.kind(), Kind::NotFound);
        assert!(refused.to_string().contains(word), "{refused}");
        revoke_grants(platform, batch);
    }
    // Two hundred names are more than fit into an address.
    let many: Vec<Grant> =
        (0..200).map(|number| member(&format!("nobody-{number}-{}", "x".repeat(200)), "orders.read")).collect();
    let jane = member("jane", "orders.read");
    grant(platform, std::slice::from_ref(&jane));
    assert_eq!(held(platform, &[many, vec![jane.clone()]].concat()).as_slice(), std::slice::from_ref(&jane));
    revoke_grants(platform, &[jane]);
}

/// What comes of one attempt.
fn only(platform: &Running, batch: &[Grant]) -> Result<(), Error> {
    runtime().block_on(granting(&platform.driver, batch).grant(batch)).remove(0)
}

/// Only a real UAA gives tokens to users, and only by a client that may ask for them.
fn a_password_logs_on_until_it_ends(platform: &Running) {
    let client = json!({
        "client_id": "cf-like", "client_secret": "planted", "authorized_grant_types": ["password"],
        "scope": ["openid", "orders.read"],
    });
    Administrator::of(platform).post("/oauth/clients", &client);
    let made = create(platform, "logs-on");
    let own = [Grant::new(Holder::named(HolderKind::User, "tu-orders", "uaa"), member("x", "orders.read").role)];
    grant(platform, &own);
    let first = issue(platform, &made, "logs-on", 1);
    assert!(log_on(&first).expect("a token").contains("orders.read"), "the group is in the token");
    let second = issue(platform, &made, "logs-on", 2);
    assert_eq!((log_on(&first).err(), log_on(&second).err()), (Some(401), None), "a user has one password");
    revoke(platform, &first.credential);
    assert_eq!(log_on(&second).err(), None, "it was superseded long ago");
    revoke(platform, &second.credential);
    assert_eq!(log_on(&second).err(), Some(401));
    assert_eq!(found(platform, "logs-on").remove(0).credential, None);
    suite::delete(platform, &made);
}

/// The scopes of a token for a user's password; the status where it is refused.
fn log_on(issued: &Issued) -> Result<String, u16> {
    let fields = texts(issued);
    let form = [
        ("grant_type", "password"),
        ("client_id", "cf-like"),
        ("client_secret", "planted"),
        ("username", fields["username"].as_str()),
        ("password", fields["password"].as_str()),
    ];
    runtime().block_on(async {
        let url = format!("{}/oauth/token", fields["url"]);
        let answer = http::client(None).post(url).form(&form).send().await.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.expect("JSON");
        if status.is_success() { Ok(body["scope"].to_string()) } else { Err(status.as_u16()) }
    })
}

#[test]
fn an_administrator_without_password_write_is_told_what_is_missing() {
    let platform = Running::start(&SIMULATED);
    let made = create(&platform, "refused");
    platform.simulator.fault("uaa.change-password", &json!({"kind": "status", "status": 403}));
    let (owner, name) = (owner("refused"), owner("refused").credential_name(1));
    let refused =
        runtime().block_on(credentials_of(&platform.driver).issue(&made, &NewCredential::made(&owner, &name)));
    let error = refused.err().expect("refused");
    assert_eq!(error.kind(), Kind::Forbidden);
    assert!(error.to_string().contains("password.write"), "{error}");
}

#[test]
fn an_administrator_of_clients_alone_is_not_stopped_by_users_that_it_may_not_see() {
    let mut platform = Running::start(&SIMULATED);
    drop(create(&platform, "hidden"));
    platform.simulator.fault("uaa.list-users", &json!({"kind": "status", "status": 403, "times": 1}));
    assert_eq!(listed(&platform, "cluster-1").len(), 1, "who was let in before is asked again");
    platform.reconnect();
    platform.simulator.fault("uaa.list-users", &json!({"kind": "status", "status": 403}));
    assert!(listed(&platform, "cluster-1").is_empty());
    let refused = runtime().block_on(identities_of(&platform.driver).find(&owner("hidden")));
    assert_eq!(refused.err().map(|error| error.kind()), Some(Kind::Forbidden), "that nothing is there is not said");
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_lost() {
    let platform = Running::start(&SIMULATED);
    let made = create(&platform, "crossed");
    platform.simulator.fault("uaa.replace-user", &json!({"kind": "status", "status": 409, "times": 1}));
    let (owner, name) = (owner("crossed"), owner("crossed").credential_name(1));
    let crossed =
        runtime().block_on(credentials_of(&platform.driver).issue(&made, &NewCredential::made(&owner, &name)));
    assert_eq!(crossed.err().map(|error| error.kind()), Some(Kind::InProgress), "it is looked at again");
    assert_eq!(platform.count(), (1, 0), "and nothing was set");
    drop(issue(&platform, &made, "crossed", 1));
}
