//! Role collections on `btp`: what is read and how much of it, what proves that somebody holds one, and who changes a
//! user when.

use std::time::{Duration, Instant};

use serde_json::json;
use technical_user_operator::api::role::RoleName;
use technical_user_operator::api::{Principal, Role, RoleKind};
use technical_user_operator::plan::environment::rules;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::Kind;

use crate::btp::{BTP, environment};
use crate::description::Running;
use crate::harness::runtime;
use crate::suite::{confirmed, grant, held, revoke_grants};

/// The users' part of the sample grants.
fn users(platform: &Running) -> Vec<Grant> {
    platform.grants().remove(0)
}

pub(crate) fn count(platform: &Running, route: &str) -> usize {
    platform.simulator.requests().iter().filter(|request| request["route"] == route).count()
}

/// Somebody else, with the same admin credential, makes users who hold a role collection.
fn add_strangers(platform: &Running, users: &[serde_json::Value]) {
    let key = platform.simulator.credential("xsuaa", "secret");
    let text = |name: &str| key[name].as_str().expect("an admin credential's field").to_owned();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &text("clientid")),
        ("client_secret", &text("clientsecret")),
    ];
    runtime().block_on(async {
        let http = reqwest::Client::new();
        let asked = http.post(text("tokenurl")).form(&form).send().await.expect("a token");
        let token: serde_json::Value = asked.json().await.expect("a token");
        let url = format!("{}/sap/rest/user/bulk", text("apiurl"));
        for users in users.chunks(1000) {
            let bearer = token["access_token"].as_str().expect("a token");
            let made = http.post(&url).bearer_auth(bearer).json(users).send().await.expect("users");
            assert_eq!(made.status(), 200);
        }
    });
}

#[test]
fn a_role_collection_that_fits_no_answer_is_read_user_by_user() {
    let platform = Running::start(&BTP);
    let long = "x".repeat(230);
    let stranger = |number: usize| {
        json!({"username": format!("{number}-{long}"), "email": format!("{number}@{long}"), "origin": "sap.custom",
               "roleCollections": ["PI_Read_Only"]})
    };
    add_strangers(&platform, &(0..30_000).map(stranger).collect::<Vec<_>>());
    let ours = users(&platform);
    grant(&platform, &ours[..1]);
    for round in 1..3 {
        assert_eq!(held(&platform, &ours), ours[..1]);
        assert_eq!(count(&platform, "xsuaa.get-user"), round * ours.len());
    }
    assert_eq!(count(&platform, "xsuaa.get-collection"), 1, "it is known by then");
}

#[test]
fn a_bulk_read_gives_nothing_that_was_not_asked_for() {
    let platform = Running::start(&BTP);
    let stranger = |number: usize| json!({"username": format!("stranger-{number}"), "origin": "sap.custom", "roleCollections": ["PI_Read_Only"]});
    add_strangers(&platform, &(0..3000).map(stranger).collect::<Vec<_>>());
    let ours = users(&platform);
    grant(&platform, &ours);
    let grants = platform.driver.grants[&RoleKind::RoleCollection].clone();
    let of = ours[..2].iter().cloned().collect();
    let seen = runtime().block_on(grants.read(&grants.scope(&ours[0]), &of)).expect("a role collection");
    assert_eq!(seen, of);
    assert_eq!(count(&platform, "xsuaa.get-collection"), 1);
}

#[test]
fn a_404_that_is_not_the_platforms_own_proves_nothing() {
    let platform = Running::start(&BTP);
    let ours = users(&platform)[..1].to_vec();
    grant(&platform, &ours);
    let grants = platform.driver.grants[&RoleKind::RoleCollection].clone();
    for route in ["xsuaa.get-user", "xsuaa.get-collection", "xsuaa.unassign"] {
        platform.simulator.fault(route, &json!({"kind": "html", "status": 404}));
    }
    let look = runtime().block_on(grants.holds(&ours)).remove(0);
    let read = runtime().block_on(grants.read(&grants.scope(&ours[0]), &ours.iter().cloned().collect()));
    let revoked = runtime().block_on(grants.revoke(&ours)).remove(0);
    for kind in [look.map(drop), read.map(drop), revoked].map(|outcome| outcome.map_err(|error| error.kind())) {
        assert_eq!(kind, Err(Kind::Unavailable));
    }
    platform.simulator.heal();
    assert_eq!(held(&platform, &ours), ours);
}

#[test]
fn nobody_holds_what_is_not_there() {
    let platform = Running::start(&BTP);
    let environment = environment();
    let of = |kind, name: &str, origin: &str, role: &str| {
        let principal = Principal { name: name.into(), origin: Some(origin.into()) };
        Grant::new(rules(&environment).holder(kind, &principal), Role::RoleCollection(RoleName { name: role.into() }))
    };
    let nobody = [
        of(HolderKind::User, "stranger", "sap.custom", "PI_Read_Only"),
        of(HolderKind::User, "stranger", "gone.idp", "PI_Read_Only"),
        of(HolderKind::User, "stranger", "sap.custom", "No Such Thing"),
        of(HolderKind::Group, "Developers", "gone.idp", "PI_Read_Only"),
        of(HolderKind::Group, "Developers", "sap.custom", "No Such Thing"),
    ];
    assert_eq!(held(&platform, &nobody), []);
    assert_eq!(confirmed(&platform, &nobody), []);
    revoke_grants(&platform, &nobody);
}

#[test]
fn a_user_is_changed_by_one_call_at_a_time_whatever_the_role_collection() {
    let platform = Running::start(&BTP);
    let [reader, administrator] = [platform.grants()[0][0].clone(), platform.grants()[1][0].clone()];
    assert_eq!(reader.holder, administrator.holder);
    let other = platform.grants()[0][2].clone();
    let grants = platform.driver.grants[&RoleKind::RoleCollection].clone();
    let wait = Duration::from_millis(600);
    let slow = |one: Grant, two: Grant| {
        let delay = json!({"kind": "latency", "latencyMs": wait.as_millis(), "times": 2});
        platform.simulator.fault("xsuaa.assign", &delay);
        let started = Instant::now();
        let (one, two) = (vec![one], vec![two]);
        let done = runtime().block_on(async { tokio::join!(grants.grant(&one), grants.grant(&two)) });
        assert!(done.0.into_iter().chain(done.1).all(|outcome| outcome.is_ok()));
        started.elapsed()
    };
    platform.converge("log on", async |driver| driver.log_on().await);
    assert!(slow(reader.clone(), administrator) >= wait * 2);
    assert!(slow(reader, other) < wait * 2, "two users are");
}

#[test]
fn an_unknown_role_collection_is_named_and_does_not_stop_the_others() {
    let platform = Running::start(&BTP);
    let mut batch = platform.grants().remove(0);
    batch[1].role = Role::RoleCollection(RoleName { name: "No Such Thing".into() });
    let grants = platform.driver.grants[&RoleKind::RoleCollection].clone();
    let results = runtime().block_on(grants.grant(&batch));
    assert!(results[0].is_ok() && results[2].is_ok());
    let error = results[1].as_ref().expect_err("there is no such role collection");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("`No Such Thing`"), "{error}");
}

#[test]
fn a_role_is_gone_only_when_the_answer_shows_it() {
    let platform = Running::start(&BTP);
    let grants = (BTP.grants)(&platform.environment)[0][..1].to_vec();
    grant(&platform, &grants);
    platform.simulator.fault("xsuaa.unassign", &json!({"kind": "not-json", "after": "before", "times": 1}));
    let roles = platform.driver.grants[&RoleKind::RoleCollection].clone();
    let error = runtime().block_on(roles.revoke(&grants)).remove(0).expect_err("nothing was taken away");
    assert_eq!(error.kind(), Kind::UnexpectedAnswer);
    assert_eq!(held(&platform, &grants), grants);
    revoke_grants(&platform, &grants);
    assert_eq!(held(&platform, &grants), []);
}
