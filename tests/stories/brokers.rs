//! Brokers that are slow, refuse, or fail: one of each is made however long it takes and whoever dies meanwhile, what is
//! refused is not ordered again and again, and no role that cannot be holds anything else up.

use std::thread;
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::conditions::condition;
use crate::harness::{Call, PATIENCE, Proxy, Stage, Team, credential, eventually, never};
use crate::lines::leading_to;

const SECRET: &str = "orders-credentials";
const OBJECTS: [&str; 2] = ["technicalusers/orders", "rolebindings/orders-may-send"];

/// The service key of the quick start, and its role.
fn apply_key(team: &Team<'_>) {
    team.apply(&team.service_key("orders"));
    team.apply(&team.may_send());
}

/// Another role for it.
fn apply_role(team: &Team<'_>, name: &str, role: &str) {
    let role = json!({ "instanceRole": { "name": role } });
    team.apply(&team.role_binding(name, &json!({ "technicalUser": { "name": "orders" } }), &[role]));
}

fn roles_of_a_token(team: &Team<'_>) -> Vec<String> {
    let token = credential::token(&team.secret(SECRET).expect("the Secret"));
    token.unwrap_or_else(|status| panic!("a token: {status}")).roles
}

#[test]
fn an_instance_that_takes_its_time_is_ready_soon_after_it_is_done() {
    let team = Team::new(Stage::shared(), "slow");
    team.simulator.settings(&json!({ "asyncPlans": ["integration-flow"], "operationMillis": 8000 }));
    team.btp_secrets();
    // As it is where people do not think of it: a quarter of an hour.
    let mut platform = team.btp();
    platform["spec"].as_object_mut().expect("a spec").remove("resyncInterval");
    team.apply(&platform);
    let begun = Instant::now();
    apply_key(&team);

    team.not_ready("technicalusers/orders", "InProgress", "the platform is still at work");
    team.simulator.settings(&json!({ "operationMillis": 200 }));
    team.ready(&OBJECTS);

    let took = begun.elapsed();
    assert!(took > Duration::from_secs(8) && took < Duration::from_secs(25), "{took:?}");
    assert_eq!(team.instances_and_keys(), (1, 1));
    assert_eq!(team.requests_of("service-manager.create-instance").len(), 1);
    team.delete_everything();
    assert!(team.platform_is_empty());
}

/// A team on a stage of its own behind a proxy, so that it is known when an order was sent.
fn behind_a_proxy<'a>(stage: &'a Stage, name: &str) -> (Team<'a>, Proxy) {
    let team = Team::new(stage, name);
    let proxy = Proxy::before_api_server(stage.plane()).beside(team.simulator.url());
    for api in ["xsuaa", "service-manager"] {
        team.admin_secret(api, &leading_to(&proxy.url(), &team, api));
    }
    team.apply(&team.btp());
    (team, proxy)
}

/// Waits until an instance was ordered, and a moment longer, so that its broker is at work on it.
fn ordered(proxy: &Proxy) {
    let orders = |call: &Call| call.method == Method::POST && call.path.ends_with("/v1/service_instances");
    eventually("an instance is ordered", PATIENCE, || proxy.calls().iter().any(orders).then_some(()));
    thread::sleep(Duration::from_millis(300));
}

#[test]
fn an_order_whose_process_died_comes_to_one_instance_and_none_in_the_end() {
    let stage = Stage::alone();
    // Sooner, and later, than a process gives up looking for what another one may have ordered: 3 seconds here.
    for (name, millis) in [("died-early", 2000), ("died-late", 6000)] {
        let (team, proxy) = behind_a_proxy(&stage, name);
        let dying = stage.start_operator(&[]);
        team.ready(&[&format!("platforms/{name}")]);
        team.simulator.settings(&json!({ "brokerMillis": millis }));
        apply_key(&team);
        ordered(&proxy);
        dying.kill();
        drop(dying);
        team.simulator.settings(&json!({ "brokerMillis": 0 }));
        let operator = stage.start_operator(&[]);

        team.ready(&OBJECTS);
        thread::sleep(Duration::from_millis(millis));
        eventually("one of each", PATIENCE, || (team.instances_and_keys() == (1, 1)).then_some(()));
        never("another one", Duration::from_secs(1), || (team.instances_and_keys() != (1, 1)).then_some(()));
        assert!(
            roles_of_a_token(&team).contains(&"ESBMessaging.send".to_owned()),
            "the Secret is of the one that stays"
        );
        team.delete_everything();
        assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
        operator.stop();
    }
}

#[test]
fn an_object_that_is_deleted_while_its_order_is_in_the_dark_leaves_nothing() {
    let stage = Stage::alone();
    let (team, proxy) = behind_a_proxy(&stage, "died-and-deleted");
    let dying = stage.start_operator(&[]);
    team.ready(&["platforms/died-and-deleted"]);
    team.simulator.settings(&json!({ "brokerMillis": 2500 }));
    apply_key(&team);
    ordered(&proxy);
    dying.kill();
    drop(dying);
    team.delete("technicalusers/orders");
    let operator = stage.start_operator(&[]);

    team.gone("technicalusers/orders");
    team.platform_is_emptied();
    never("it appears after all", Duration::from_secs(3), || (!team.platform_is_empty()).then_some(()));
    team.delete_everything();
    operator.stop();
}

#[test]
fn what_a_broker_refuses_is_said_and_not_ordered_again_and_again() {
    let team = Team::on_btp(Stage::shared(), "broker-refuses");
    let refusal = json!({ "kind": "broker-error", "status": 400 });
    team.simulator.fault("service-manager.create-instance", &refusal);
    apply_key(&team);

    team.not_ready("technicalusers/orders", "PlatformRefused", "create service instance");
    thread::sleep(Duration::from_secs(8));

    let orders = team.requests_of("service-manager.create-instance").len();
    assert!(orders <= 2, "{orders} orders");
    let stalled = team.get("technicalusers/orders").expect("the user");
    assert_eq!(condition(&stalled, "Stalled").expect("kstatus").status, "True");
    for what in OBJECTS {
        team.delete(what);
        team.gone(what);
    }
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
    team.delete_everything();
}

#[test]
fn a_broker_that_is_out_of_order_is_waited_for_and_what_it_left_is_removed() {
    for (name, asynchronous) in [("broker-fails", json!([])), ("broker-fails-later", json!(["integration-flow"]))] {
        let team = Team::on_btp(Stage::shared(), name);
        let settings = json!({ "failingPlans": ["integration-flow"], "asyncPlans": asynchronous });
        team.simulator.settings(&settings);
        apply_key(&team);
        thread::sleep(Duration::from_secs(6));

        let orders = team.requests_of("service-manager.create-instance").len();
        assert!((1..=5).contains(&orders), "{name}: {orders} orders");
        let user = team.get("technicalusers/orders").expect("the user");
        assert_eq!(condition(&user, "Ready").expect("Ready").status, "False", "{user:#}");
        team.simulator.settings(&json!({ "failingPlans": [] }));
        team.ready(&OBJECTS);
        eventually("one of each", PATIENCE, || (team.instances_and_keys() == (1, 1)).then_some(()));
        team.delete_everything();
        assert!(team.platform_is_empty(), "{name}: {:#}", team.simulator.state());
    }
}

#[test]
fn a_change_of_roles_that_takes_its_time_is_sent_once() {
    let team = Team::on_btp(Stage::shared(), "slow-change");
    apply_key(&team);
    team.ready(&OBJECTS);
    team.simulator.settings(&json!({ "asyncPlans": ["integration-flow"], "operationMillis": 7000 }));
    apply_role(&team, "more", "ESBMessaging.receive");

    team.ready(&["rolebindings/more", "technicalusers/orders"]);

    let sent = team.requests_of("service-manager.update-instance");
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let user = team.get("technicalusers/orders").expect("the user");
    assert_eq!(user["status"]["identity"]["roles"], json!(["ESBMessaging.receive", "ESBMessaging.send"]));
    assert!(user["status"]["operation"].is_null() && user["status"]["identity"]["rolesAskedFor"].is_null(), "{user:#}");
    assert!(roles_of_a_token(&team).contains(&"ESBMessaging.receive".to_owned()));
    team.simulator.settings(&json!({ "operationMillis": 200 }));
    team.delete_everything();
    assert!(team.platform_is_empty());
}

#[test]
fn a_role_that_the_broker_refuses_holds_up_neither_heal_nor_removal() {
    let team = Team::on_btp(Stage::shared(), "refused-role");
    apply_key(&team);
    apply_role(&team, "more", "ESBMessaging.receive");
    team.ready(&OBJECTS);
    team.ready(&["rolebindings/more"]);
    let before = team.secret(SECRET).expect("the Secret");
    apply_role(&team, "refused", "no-such-role");
    team.not_ready("technicalusers/orders", "PlatformRefused", "set roles of service instance");

    for part in [Value::Null, json!({ "stringData": { "clientsecret": "altered" } })] {
        let what = format!("secrets/{SECRET}");
        if part.is_null() {
            team.delete(&what);
        } else {
            team.patch(&what, &part);
        }
        let right = || (team.secret(SECRET).as_ref() == Some(&before)).then_some(());
        eventually("the Secret is right again", Duration::from_secs(6), right);
    }
    team.delete("rolebindings/more");
    eventually("the other role is taken away", Duration::from_secs(10), || {
        let roles = roles_of_a_token(&team);
        let gone = !roles.contains(&"ESBMessaging.receive".to_owned());
        (gone && roles.contains(&"ESBMessaging.send".to_owned())).then_some(())
    });
    team.delete("rolebindings/refused");
    team.ready(&OBJECTS);
    team.delete_everything();
    assert!(team.platform_is_empty());
}
