//! Environment `neo`: its description, and what only it has.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use technical_user_operator::api::environment::Neo;
use technical_user_operator::api::role::{ApplicationRole, RoleName};
use technical_user_operator::api::{Environment, Principal, Role, RoleKind, SecretRef};
use technical_user_operator::plan::environment::rules;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::{Error, Grants, Kind};

use crate::description::{Description, Running};
use crate::harness::patience::eventually;
use crate::harness::runtime;
use crate::suite::{confirmed, grant, held, revoke_grants};
use crate::{faults, suite};

/// What the suite has to know.
static NEO: Description = Description {
    environment: |_| environment(),
    credentials: |simulator| vec![("neo", simulator.credential("neo", "secret"))],
    identity: None,
    grants: |_| {
        let custom = Some("acme.accounts.ondemand.com");
        let members = vec![
            user("P2", None, member_role("Developer")),
            user("P2", None, member_role("IntegrationAuditor")),
            user("P2", custom, member_role("Developer")),
            // A member already, spelled otherwise: its own role must survive.
            user("p0000001", Some("Accounts.SAP.com"), member_role("Developer")),
        ];
        let senders = vec![
            user("P2", None, application_role("ESBMessaging.send")),
            user("oauth_client_4711", custom, application_role("ESBMessaging.send")),
            user("jane+sender@acme.example", None, application_role("ESBMessaging.send")),
        ];
        vec![members, senders]
    },
    prepare: |_| {},
    count: |_| (0, 0),
    routes: &[
        "neo.token",
        "neo.list-members",
        "neo.add-member",
        "neo.change-member",
        "neo.remove-member",
        "neo.list-role-users",
        "neo.add-role-users",
        "neo.remove-role-users",
    ],
};

fn environment() -> Environment {
    let credentials_secret_ref = SecretRef { name: "neo".into() };
    let (host, subaccount) = ("hana.ondemand.com".into(), "acme".into());
    let (identity_service, cloud_integration) = (None, None);
    Environment::Neo(Neo { host, subaccount, credentials_secret_ref, identity_service, cloud_integration })
}

fn user(name: &str, user_base: Option<&str>, role: Role) -> Grant {
    let principal = Principal { name: name.into(), origin: user_base.map(str::to_owned) };
    Grant::new(rules(&environment()).holder(HolderKind::User, &principal), role)
}

fn member_role(name: &str) -> Role {
    Role::MemberRole(RoleName { name: name.into() })
}

fn application_role(name: &str) -> Role {
    let (application, provider) = ("abciflmap".into(), Some("sapprovider".into()));
    Role::ApplicationRole(ApplicationRole { application, provider, name: name.into() })
}

fn grants_of(platform: &Running) -> &dyn Grants {
    platform.driver.grants[&RoleKind::MemberRole].as_ref()
}

fn outcomes(platform: &Running, batch: &[Grant]) -> Vec<Result<(), Error>> {
    runtime().block_on(grants_of(platform).grant(batch))
}

fn member(platform: &Running, name: &str) -> Option<Value> {
    let state = platform.simulator.state();
    let members = state["neo"]["members"].as_array().expect("members").clone();
    members.into_iter().find(|member| member["userName"] == name)
}

fn calls(platform: &Running, route: &str) -> usize {
    platform.simulator.requests().iter().filter(|request| request["route"] == route).count()
}

#[test]
fn the_suite() {
    suite::run(&NEO);
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run(&NEO, &serde_json::json!({}));
}

#[test]
fn an_answer_that_comes_too_late_is_survived() {
    faults::run_late(&NEO);
}

#[test]
fn every_fault_is_survived_where_the_users_tell() {
    let mut platform = Running::start(&NEO);
    platform.simulator.settings(&json!({"rates": "lifted"}));
    let sender = [user("P2", None, application_role("ESBMessaging.send"))];
    grant(&platform, &sender);
    let route = "neo.list-user-roles";
    for fault in faults::all(route) {
        platform.reconnect();
        platform.simulator.fault("neo.list-role-users", &json!({"kind": "html", "status": 404}));
        platform.simulator.fault(route, &fault);
        assert_eq!(confirmed(&platform, &sender), sender, "{fault}");
        assert_ne!(platform.simulator.faults()[route]["times"], fault["times"], "{fault}");
        platform.simulator.heal();
    }
}

#[test]
fn a_thousand_grants_of_an_application_role_cost_one_call() {
    let platform = Running::start(&NEO);
    let send = application_role("ESBMessaging.send");
    let batch: Vec<Grant> = (0..1000).map(|number| user(&format!("P{number}"), None, send.clone())).collect();
    grant(&platform, &batch);
    assert_eq!(calls(&platform, "neo.add-role-users"), 1);
    assert_eq!(held(&platform, &batch).len(), 1000);
    revoke_grants(&platform, &batch);
    assert!(held(&platform, &batch).is_empty());
    assert_eq!(calls(&platform, "neo.remove-role-users"), 3, "an address takes only so many names");
}

#[test]
fn a_member_costs_one_write_however_many_roles_change() {
    let platform = Running::start(&NEO);
    let roles = ["Developer", "ReadOnly", "IntegrationAuditor"];
    let batch: Vec<Grant> =
        ["P2", "P3"].iter().flat_map(|name| roles.map(|role| user(name, None, member_role(role)))).collect();
    grant(&platform, &batch);
    assert_eq!((calls(&platform, "neo.list-members"), calls(&platform, "neo.add-member")), (2, 2));
    revoke_grants(&platform, &batch[..2]);
    assert_eq!(calls(&platform, "neo.change-member"), 1);
    grant(&platform, &batch[2..]);
    assert_eq!(calls(&platform, "neo.change-member"), 1, "what is as it shall be is not written");
}

#[test]
fn the_member_goes_with_its_last_role_and_others_roles_stay() {
    let platform = Running::start(&NEO);
    let administrator = user("P0000001", None, member_role("Developer"));
    let newcomer = user("P2", None, member_role("Developer"));
    grant(&platform, &[administrator.clone(), newcomer.clone()]);
    assert_eq!(member(&platform, "P2").expect("a member")["roles"], json!(["Developer"]));
    revoke_grants(&platform, &[administrator, newcomer]);
    assert_eq!(member(&platform, "P2"), None);
    assert_eq!(member(&platform, "P0000001").expect("a member")["roles"], json!(["AccountAdministrator"]));
}

#[test]
fn older_subaccounts_and_lower_case_names_are_understood() {
    let platform = Running::start(&NEO);
    platform.simulator.settings(&json!({"neoOlderUserExtension": true, "neoLowerCaseUsers": true}));
    for batch in platform.grants() {
        grant(&platform, &batch);
        assert_eq!(held(&platform, &batch), batch);
    }
}

#[test]
fn a_role_that_does_not_exist_is_named_and_keeps_nothing_back() {
    let platform = Running::start(&NEO);
    let batch = [
        user("P2", None, member_role("Developer")),
        user("P2", None, member_role("NoSuchThing")),
        user("P3", None, member_role("Developer")),
    ];
    let results = outcomes(&platform, &batch);
    assert!(results[0].is_ok() && results[2].is_ok());
    let error = results[1].as_ref().expect_err("there is no such platform role");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains("`NoSuchThing`"), "{error}");

    let unknown = user("P2", None, application_role("NoSuchThing"));
    let error = outcomes(&platform, std::slice::from_ref(&unknown)).remove(0).expect_err("no such application role");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("`NoSuchThing`") && error.to_string().contains("`abciflmap`"), "{error}");
    assert!(held(&platform, std::slice::from_ref(&unknown)).is_empty(), "and nobody holds it");
    assert!(confirmed(&platform, std::slice::from_ref(&unknown)).is_empty(), "which the user itself shows");
    revoke_grants(&platform, &[unknown]);
}

#[test]
fn a_404_proves_nothing_where_the_user_shows_the_role() {
    let platform = Running::start(&NEO);
    let sender = [user("P2", None, application_role("ESBMessaging.send"))];
    grant(&platform, &sender);
    for route in ["neo.list-role-users", "neo.remove-role-users"] {
        platform.simulator.fault(route, &json!({"kind": "html", "status": 404}));
    }
    assert_eq!(confirmed(&platform, &sender), sender);
    let refused = runtime().block_on(grants_of(&platform).revoke(&sender)).remove(0);
    assert_eq!(refused.map_err(|error| error.kind()), Err(Kind::NotFound));
    platform.simulator.heal();
    revoke_grants(&platform, &sender);
    assert_eq!(confirmed(&platform, &sender), []);
}

/// Somebody else, with an API client of their own, gives a member these roles.
fn change_member(platform: &Running, name: &str, roles: &[&str]) {
    let key = platform.simulator.credential("neo", "secret");
    let text = |name: &str| key[name].as_str().expect("an admin credential's field").to_owned();
    let base = platform.simulator.url().to_owned();
    runtime().block_on(async {
        let http = reqwest::Client::new();
        let token_url = format!("{base}/neo/oauth2/apitoken/v1?grant_type=client_credentials");
        let asked = http.post(token_url).basic_auth(text("clientid"), Some(text("clientsecret"))).send().await;
        let token: Value = asked.expect("a token").json().await.expect("a token");
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": name, "userName": name,
            "roles": roles.iter().map(|role| json!({"value": role})).collect::<Vec<_>>(),
        });
        let url = format!("{base}/neo/authorization/v1/platform/accounts/acme/Users/{name}");
        let bearer = token["access_token"].as_str().expect("a token");
        let changed = http
            .put(url)
            .bearer_auth(bearer)
            .header("content-type", "application/scim+json")
            .body(body.to_string())
            .send()
            .await
            .expect("a member");
        assert_eq!(changed.status(), 200);
    });
}

#[test]
fn a_role_that_a_person_gives_while_a_batch_is_under_way_survives() {
    let platform = Running::start(&NEO);
    grant(&platform, &[user("P9", None, member_role("Developer"))]);
    let mut batch: Vec<Grant> =
        (1..=8).map(|number| user(&format!("P{number}"), None, member_role("ReadOnly"))).collect();
    batch.push(user("P9", None, member_role("ReadOnly")));
    // Eight members are written at once; the ninth's turn comes when the first of them is done.
    platform.simulator.fault("neo.add-member", &json!({"kind": "latency", "latencyMs": 2000, "times": 8}));
    let grants = platform.driver.grants[&RoleKind::MemberRole].clone();
    let under_way = runtime().spawn(async move { grants.grant(&batch).await });
    let begun = || (calls(&platform, "neo.list-members") > 1).then_some(());
    eventually("members are being read", Duration::from_secs(10), begun);
    change_member(&platform, "P9", &["Developer", "IntegrationAuditor"]);
    assert!(runtime().block_on(under_way).expect("a batch").iter().all(Result::is_ok));
    let roles = member(&platform, "P9").expect("a member")["roles"].clone();
    assert_eq!(roles, json!(["Developer", "IntegrationAuditor", "ReadOnly"]));
}

#[test]
fn groups_and_foreign_roles_are_refused_before_any_call() {
    let platform = Running::start(&NEO);
    let developers = Principal { name: "Developers".into(), origin: None };
    let of_group = Grant::new(rules(&environment()).holder(HolderKind::Group, &developers), member_role("Developer"));
    let foreign = user("P2", None, Role::RoleCollection(RoleName { name: "PI_Read_Only".into() }));
    for refused in [of_group, foreign] {
        let error = outcomes(&platform, &[refused]).remove(0).expect_err("Neo has no such thing");
        assert_eq!(error.kind(), Kind::Invalid);
    }
    assert!(platform.simulator.requests().is_empty());
}

#[test]
fn both_apis_share_one_token() {
    let platform = Running::start(&NEO);
    platform.converge("log on", async |driver| driver.log_on().await?.whole());
    for batch in platform.grants() {
        grant(&platform, &batch);
    }
    assert_eq!(calls(&platform, "neo.token"), 1);
    let routes: BTreeSet<_> =
        platform.simulator.requests().iter().map(|request| request["route"].to_string()).collect();
    assert!(routes.len() > 2, "both were used");
}
