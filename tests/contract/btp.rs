//! Environment `btp`: its description, and what only it has.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use technical_user_operator::api::platform::{ApiAccess, Btp};
use technical_user_operator::api::role_binding::RoleName;
use technical_user_operator::api::technical_user::ServiceKey;
use technical_user_operator::api::{Environment, Identity, Principal, Role, SecretRef};
use technical_user_operator::plan::grant::{Grant, Holder, HolderKind};
use technical_user_operator::platform::budget::{CallObserver, Unobserved};
use technical_user_operator::platform::{
    Accounts, AdminSecret, Driver, Health, Kind, LoggedOn, Ordered, Progress, connect,
};

use crate::description::{Description, Running, SampleIdentity, owner};
use crate::harness::runtime;
use crate::harness::simulator::Simulator;
use crate::suite::{confirmed, create, delete, grant, held, identities_of, issue, listed, revoke, revoke_grants};
use crate::{documents, faults, suite};

/// What the suite has to know.
static BTP: Description = Description {
    environment: |_| environment(),
    credentials: |simulator| {
        ["xsuaa", "service-manager"].map(|name| (name, simulator.credential(name, "secret"))).into()
    },
    identity: Some(SampleIdentity {
        identity: || service_key("it-rt", "integration-flow"),
        roles: ["ESBMessaging.send", "Custom.role"],
        roles_parameter: Some("roles"),
    }),
    grants: |environment| {
        let of = |kind, name: &str, origin: Option<&str>, role: &str| {
            let principal = Principal { name: name.into(), origin: origin.map(str::to_owned) };
            let role = Role::RoleCollection(RoleName { name: role.into() });
            Grant::new(Holder::new(kind, &principal, environment), role)
        };
        let users = vec![
            of(HolderKind::User, "P0001", None, "PI_Read_Only"),
            of(HolderKind::User, "P0002", Some("ldap"), "PI_Read_Only"),
            of(HolderKind::User, "jane+sender@acme.example", Some("sap.custom"), "PI_Read_Only"),
        ];
        let groups = vec![
            of(HolderKind::Group, "Integration Developers", Some("sap.custom"), "PI_Integration_Developer"),
            of(HolderKind::Group, "a/b", Some("sap.custom"), "PI_Integration_Developer"),
        ];
        vec![users, vec![of(HolderKind::User, "P0001", Some("ldap"), "PI_Administrator")], groups]
    },
    count: |simulator| {
        let state = simulator.state();
        let length = |collection: &str| state["service-manager"][collection].as_array().map_or(0, Vec::len);
        (length("instances"), length("bindings"))
    },
    routes: &[
        "auth.token",
        "service-manager.list-offerings",
        "service-manager.list-plans",
        "service-manager.create-instance",
        "service-manager.list-bindings",
        "service-manager.create-binding",
        "service-manager.get-binding",
        "service-manager.delete-binding",
        "service-manager.delete-instance",
        "xsuaa.assign",
        "xsuaa.unassign",
        "xsuaa.get-collection",
        "xsuaa.get-user",
        "xsuaa.add-mapping",
        "xsuaa.remove-mapping",
        "xsuaa.list-attribute-mappings",
    ],
};

fn environment() -> Environment {
    let access = |name: &str| Some(ApiAccess { credentials_secret_ref: SecretRef { name: name.into() } });
    Environment::Btp(Btp { authorization: access("xsuaa"), service_manager: access("service-manager") })
}

fn service_key(offering: &str, plan: &str) -> Identity {
    Identity::ServiceKey(ServiceKey {
        offering: offering.into(),
        plan: plan.into(),
        parameters: None,
        roles_parameter: None,
    })
}

/// Somebody else, with the same admin credential, makes an instance.
fn order_instance(platform: &Running, order: &serde_json::Value) {
    let key = platform.simulator.credential("service-manager", "secret");
    let text = |name: &str| key[name].as_str().expect("a service key's field").to_owned();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &text("clientid")),
        ("client_secret", &text("clientsecret")),
    ];
    runtime().block_on(async {
        let http = reqwest::Client::new();
        let asked = http.post(format!("{}/oauth/token", text("url"))).form(&form).send().await.expect("a token");
        let token: serde_json::Value = asked.json().await.expect("a token");
        let url = format!("{}/v1/service_instances?async=false", text("sm_url"));
        let bearer = token["access_token"].as_str().expect("a token");
        let made = http.post(url).bearer_auth(bearer).json(order).send().await.expect("an instance");
        assert_eq!(made.status(), 201);
    });
}

#[test]
fn the_suite() {
    let platform = suite::run(&BTP);
    documents::hold(&platform.simulator);
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run(&BTP);
}

#[test]
fn a_service_that_works_in_the_background_is_waited_for() {
    let platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"asyncPlans": ["integration-flow"]}));
    let identity = create(&platform, "background");
    assert_eq!(identity.health, Health::Usable);
    let issued = issue(&platform, &identity, "background", 1);
    assert!(issued.fields.contains_key("clientid"));
    revoke(&platform, &issued.credential);
    delete(&platform, &identity);
    assert_eq!(platform.count(), (0, 0));
    documents::hold(&platform.simulator);
}

#[test]
fn a_creation_that_takes_long_is_followed_and_not_ordered_again() {
    let mut platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"asyncPlans": ["integration-flow"], "operationMillis": 60_000}));
    let (owner, sample) = (owner("long"), platform.sample(&owner("long")).expect("a sample"));
    let begun = runtime().block_on(identities_of(&platform.driver).create(&sample)).expect("an answer");
    let Ordered::Begun(operation) = begun else { panic!("it takes a minute: {begun:?}") };
    // What follows it may be another process.
    platform.reconnect();
    let follow = |driver| runtime().block_on(identities_of(driver).follow(&operation)).expect("an answer");
    assert!(matches!(follow(&platform.driver), Progress::Running));
    let found = runtime().block_on(identities_of(&platform.driver).find(&owner)).expect("an answer");
    assert_eq!(found.iter().map(|one| one.health).collect::<Vec<_>>(), [Health::InProgress]);
    assert_eq!(listed(&platform, "cluster-1")[0].health, Health::InProgress);
    platform.simulator.advance_clock(Duration::from_mins(1));
    assert!(matches!(follow(&platform.driver), Progress::Succeeded));
    assert_eq!(create(&platform, "long").health, Health::Usable);
    let requests = platform.simulator.requests();
    let orders = requests.iter().filter(|request| request["route"] == "service-manager.create-instance").count();
    assert_eq!((orders, platform.count()), (1, (1, 0)));
}

#[test]
fn a_failed_creation_is_shown_as_failed_and_can_be_cleared_away() {
    let platform = Running::start(&BTP);
    let broken = json!({"asyncPlans": ["integration-flow"], "failingPlans": ["integration-flow"]});
    platform.simulator.settings(&broken);
    let sample = platform.sample(&owner("failed")).expect("a sample");
    let identities = platform.driver.identities.clone().expect("identities");
    let error = runtime().block_on(identities.create(&sample)).expect_err("the broker is broken");
    platform.check(&error);
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    let failed = listed(&platform, "cluster-1").remove(0);
    assert_eq!(failed.health, Health::Failed);
    platform.simulator.settings(&json!({"failingPlans": []}));
    delete(&platform, &failed);
    assert_eq!(create(&platform, "failed").health, Health::Usable);
}

#[test]
fn a_plan_that_is_not_there_yet_is_named_and_found_when_it_comes() {
    let platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"itRtActivated": false}));
    let sample = platform.sample(&owner("plan")).expect("a sample");
    let identities = platform.driver.identities.clone().expect("identities");
    let error = runtime().block_on(identities.create(&sample)).expect_err("there is no such plan");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("`integration-flow`"), "{error}");
    platform.simulator.settings(&json!({"itRtActivated": true}));
    create(&platform, "plan");
}

#[test]
fn what_is_not_ours_is_a_conflict() {
    let platform = Running::start(&BTP);
    let owner = owner("foreign");
    let foreign = json!({
        "name": owner.identity_name(), "service_offering_name": "it-rt", "service_plan_name": "integration-flow",
    });
    order_instance(&platform, &foreign);
    let sample = platform.sample(&owner).expect("a sample");
    let identities = platform.driver.identities.clone().expect("identities");
    let error = runtime().block_on(identities.create(&sample)).expect_err("the name is taken");
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(listed(&platform, "cluster-1").is_empty(), "what is not marked is not listed");
}

#[test]
fn an_unknown_role_collection_is_named_and_does_not_stop_the_others() {
    let platform = Running::start(&BTP);
    let mut batch = platform.grants().remove(0);
    batch[1].role = Role::RoleCollection(RoleName { name: "No Such Thing".into() });
    let grants = platform.driver.grants.clone().expect("grants");
    let results = runtime().block_on(grants.grant(&batch));
    assert!(results[0].is_ok() && results[2].is_ok());
    let error = results[1].as_ref().expect_err("there is no such role collection");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("`No Such Thing`"), "{error}");
}

#[test]
fn lists_are_read_to_their_end() {
    let platform = Running::start(&BTP);
    let made: Vec<_> = (0..60).map(|number| create(&platform, &format!("page-{number}")).id).collect();
    let mut listed: Vec<_> = listed(&platform, "cluster-1").into_iter().map(|identity| identity.id).collect();
    listed.sort();
    assert!(made.iter().all(|id| listed.binary_search(id).is_ok()));
    assert_eq!(listed.len(), made.len());
}

#[test]
fn many_callers_share_one_token_and_one_look_up() {
    let platform = Running::start(&BTP);
    let identities = platform.driver.identities.clone().expect("identities");
    let samples: Vec<_> = (0..50).filter_map(|number| platform.sample(&owner(&format!("many-{number}")))).collect();
    let results = runtime().block_on(futures::future::join_all(samples.iter().map(|sample| identities.create(sample))));
    assert!(results.iter().all(Result::is_ok));
    let requests = platform.simulator.requests();
    let count = |route: &str| requests.iter().filter(|request| request["route"] == route).count();
    assert_eq!(count("auth.token"), 1);
    assert_eq!(count("service-manager.list-plans"), 1);
    assert_eq!(count("service-manager.create-instance"), 50);
}

#[test]
fn a_refused_admin_credential_stops_all_calls() {
    let simulator = Simulator::start();
    let mut key = simulator.credential("service-manager", "secret");
    key["clientsecret"] = json!("another");
    let driver = service_manager(&key);
    let identities = driver.identities.expect("identities");
    for _ in 0..5 {
        let error = runtime().block_on(identities.list("cluster-1")).expect_err("the credential is refused");
        assert_eq!(error.kind(), Kind::CredentialsRefused);
    }
    assert_eq!(simulator.requests().len(), 2, "asked twice and never again");
}

#[test]
fn a_401_that_no_token_service_wrote_is_an_outage() {
    let platform = Running::start(&BTP);
    platform.simulator.fault("auth.token", &json!({"kind": "html", "status": 401}));
    let identities = platform.driver.identities.clone().expect("identities");
    for _ in 0..5 {
        let error = runtime().block_on(identities.list("cluster-1")).expect_err("there is no token");
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.wait().is_some(), "it is said when to come back");
    }
    assert_eq!(platform.simulator.requests().len(), 1, "it may be a wrong credential all the same");
}

#[test]
fn a_role_is_gone_only_when_the_answer_shows_it() {
    let platform = Running::start(&BTP);
    let grants = (BTP.grants)(&platform.environment)[0][..1].to_vec();
    grant(&platform, &grants);
    platform.simulator.fault("xsuaa.unassign", &json!({"kind": "not-json", "after": "before", "times": 1}));
    let roles = platform.driver.grants.clone().expect("grants");
    let error = runtime().block_on(roles.revoke(&grants)).remove(0).expect_err("nothing was taken away");
    assert_eq!(error.kind(), Kind::UnexpectedAnswer);
    assert_eq!(held(&platform, &grants), grants);
    revoke_grants(&platform, &grants);
    assert_eq!(held(&platform, &grants), []);
}

/// The users' part of the sample grants.
fn users(platform: &Running) -> Vec<Grant> {
    platform.grants().remove(0)
}

fn count(platform: &Running, route: &str) -> usize {
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
    let grants = platform.driver.grants.clone().expect("grants");
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
    let grants = platform.driver.grants.clone().expect("grants");
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
        Grant::new(Holder::new(kind, &principal, &environment), Role::RoleCollection(RoleName { name: role.into() }))
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
    let grants = platform.driver.grants.clone().expect("grants");
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
fn an_api_that_refuses_tokens_is_left_alone_and_found_again() {
    let platform = Running::start(&BTP);
    platform.converge("log on", async |driver| driver.log_on().await?.whole());
    platform.simulator.fault("service-manager.list-instances", &json!({"kind": "status", "status": 401, "times": 1}));
    assert!(listed(&platform, "cluster-1").is_empty());
    platform.simulator.fault("service-manager.list-instances", &json!({"kind": "status", "status": 401}));
    let identities = platform.driver.identities.clone().expect("identities");
    for _ in 0..3 {
        let error = runtime().block_on(identities.list("cluster-1")).expect_err("the token is refused");
        assert_eq!(error.kind(), Kind::Unavailable, "the token service has just accepted the credential");
    }
    let requests = platform.simulator.requests();
    let of = |route: &str| requests.iter().filter(|request| request["route"] == route).count();
    assert!(of("service-manager.list-instances") <= 8, "it is asked less and less often");
    assert_eq!(of("auth.token"), 2, "once for each admin credential");
    platform.simulator.heal();
    assert!(listed(&platform, "cluster-1").is_empty());
}

#[test]
fn a_long_wait_is_handed_on_and_not_waited_out() {
    let platform = Running::start(&BTP);
    let throttle = json!({"kind": "throttle", "retryAfter": "go-time", "retryAfterSeconds": 120, "times": 1});
    platform.simulator.fault("service-manager.list-instances", &throttle);
    let identities = platform.driver.identities.clone().expect("identities");
    for _ in 0..2 {
        let started = Instant::now();
        let error = runtime().block_on(identities.list("cluster-1")).expect_err("two minutes are asked for");
        assert_eq!(error.kind(), Kind::Throttled);
        assert!(error.wait().is_some_and(|wait| wait > Duration::from_secs(100)), "{:?}", error.wait());
        assert!(started.elapsed() < Duration::from_secs(5));
    }
    let requests = platform.simulator.requests();
    let lists = requests.iter().filter(|request| request["route"] == "service-manager.list-instances").count();
    assert_eq!(lists, 1, "nobody asks again before the time has come");
}

/// Name of the test that [`a_client_certificate_logs_on`] runs, and of the variable by which it finds its simulator.
const WITH_CERTIFICATE: &str = "btp::log_on_with_a_certificate";
const SERVICE_KEY: &str = "CONTRACT_SERVICE_KEY";

#[test]
fn a_client_certificate_logs_on() {
    let simulator = Simulator::start();
    // The authority to trust is read from the environment of a process, so this takes a process of its own.
    let ended = Command::new(std::env::current_exe().expect("this test's binary"))
        .args(["--ignored", "--exact", WITH_CERTIFICATE])
        .env("SSL_CERT_FILE", simulator.ca_file())
        .env(SERVICE_KEY, simulator.credential("service-manager", "x509").to_string())
        .output()
        .expect("run a test");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by a_client_certificate_logs_on, in a process that trusts its simulator"]
fn log_on_with_a_certificate() {
    let key = std::env::var(SERVICE_KEY).expect("a service key");
    let driver = service_manager(&serde_json::from_str(&key).expect("JSON"));
    runtime().block_on(driver.log_on()).and_then(LoggedOn::whole).expect("the certificate logs on");
    let identities = driver.identities.expect("identities");
    assert!(runtime().block_on(identities.list("cluster-1")).expect("the token is good").is_empty());
}

/// A subaccount with a Service Manager alone, which this service key is for.
fn service_manager(key: &Value) -> Driver {
    let entries = BTreeMap::from([("key.json".to_owned(), key.to_string().into_bytes())]);
    let secrets = BTreeMap::from([("key".to_owned(), AdminSecret::parse(&entries).expect("a good Secret"))]);
    let access = ApiAccess { credentials_secret_ref: SecretRef { name: "key".into() } };
    let environment = Environment::Btp(Btp { authorization: None, service_manager: Some(access) });
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    connect(&environment, &secrets, &Accounts::default(), &observer).expect("a driver")
}
