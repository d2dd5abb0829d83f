//! A hostile namespace: somebody with every right in it throws whatever the API server takes at the operator, under narrow
//! rules and beside a neighbour on the same subaccount. What the rules do not allow never reaches the platform.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::api::path;
use crate::harness::conditions::condition;
use crate::harness::stage::OPERATOR_NAMESPACE;
use crate::harness::team::everything;
use crate::harness::{PATIENCE, Stage, Team, credential, eventually};

mod acts;
mod rules;

use acts::Mallory;
use rules::Before;

/// For how long the platform must be asked for no change before the world is believed to have come to rest.
const CALM: Duration = Duration::from_secs(3);
const NEIGHBOUR: &str = "hostile-neighbour";

/// A number that the environment may set, so that a run can be repeated, or made longer.
fn given(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

#[test]
fn whatever_a_namespace_throws_the_platform_holds_what_the_rules_allow() {
    let seed = given("HOSTILE_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!("HOSTILE_SEED={seed}");
    let team = Team::on_btp(Stage::shared(), "hostile");
    let mut platform = team.btp();
    platform["spec"]["access"] = rules::access(&team.name);
    team.apply(&platform);
    neighbour_moves_in(&team);
    let (before, elsewhere) = (Before::of(&team.simulator.state()), secrets_elsewhere(&team));
    let asked_before = team.simulator.requests().len();

    let mut mallory = Mallory::new(&team, NEIGHBOUR, seed);
    for number in 0..given("HOSTILE_ACTS").unwrap_or(100) {
        println!("{number}: {}", mallory.act());
        thread::sleep(Duration::from_millis(mallory.pause()));
    }
    println!("the platform was asked for {} changes", comes_to_rest(&team, asked_before));

    let nothing_wrong = |when: &str| {
        let asked = team.simulator.requests();
        let wrong: Vec<String> = asked[asked_before..].iter().filter_map(|request| before.breach(request)).collect();
        assert!(wrong.is_empty(), "{when}, HOSTILE_SEED={seed}: the platform was asked: {wrong:#?}");
        let wrong = before.breaches(&team.simulator.state());
        assert!(wrong.is_empty(), "{when}, HOSTILE_SEED={seed}: {wrong:#?}");
        assert_eq!(secrets_elsewhere(&team), elsewhere, "{when}, HOSTILE_SEED={seed}");
    };
    nothing_wrong("at rest");
    no_token_carries_more(&team);
    mallory.lets_go();
    team.delete(&format!("namespaces/{}", team.name));
    team.gone(&format!("namespaces/{}", team.name));
    nothing_wrong("gone");
    assert_eq!(team.instances_and_keys(), (1, 1), "HOSTILE_SEED={seed}: nothing stays but the neighbour's");
    neighbour_moves_out(&team);
}

/// Another namespace, with a Platform of its own for the same subaccount, that may do everything.
fn neighbour_moves_in(team: &Team<'_>) {
    team.apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NEIGHBOUR } }));
    let mut platform = team.btp();
    platform["metadata"]["name"] = json!(NEIGHBOUR);
    platform["spec"]["access"] = json!([everything(&json!({ "names": [NEIGHBOUR] }))]);
    let boss = json!({ "user": { "name": "boss@acme.example" } });
    let administers = team.role_binding("boss", &boss, &[json!({ "roleCollection": { "name": "PI_Administrator" } })]);
    let objects = [platform, team.service_key("orders"), team.may_send(), team.jane_reads(), administers];
    for mut object in objects {
        if object["kind"] != "Platform" {
            object["metadata"]["namespace"] = json!(NEIGHBOUR);
            object["spec"]["platformRef"]["name"] = json!(NEIGHBOUR);
        }
        team.apply(&object);
    }
    for (kind, name) in [
        ("technicalusers", "orders"),
        ("rolebindings", "orders-may-send"),
        ("rolebindings", "jane-reads"),
        ("rolebindings", "boss"),
    ] {
        eventually(&format!("the neighbour's {name} is Ready"), PATIENCE, || {
            let object = team.stage.api().get(&path(kind, NEIGHBOUR, name))?;
            condition(&object, "Ready").filter(|ready| ready.status == "True")
        });
    }
}

fn neighbour_moves_out(team: &Team<'_>) {
    let everything = [path("namespaces", "", NEIGHBOUR), path("platforms", "", NEIGHBOUR)];
    everything.iter().for_each(|one| team.stage.api().delete(one));
    for one in &everything {
        eventually("the neighbour is gone", PATIENCE, || team.stage.api().get(one).is_none().then_some(()));
    }
    team.platform_is_emptied();
    team.delete_everything();
}

/// The neighbour's Secret and the admin Secrets, each with its version.
fn secrets_elsewhere(team: &Team<'_>) -> Vec<Value> {
    let names = [
        (NEIGHBOUR, "orders-credentials".to_owned()),
        (OPERATOR_NAMESPACE, format!("{}-xsuaa", team.name)),
        (OPERATOR_NAMESPACE, format!("{}-service-manager", team.name)),
    ];
    let read = |(namespace, name): &(&str, String)| team.stage.api().get(&path("secrets", namespace, name));
    names.iter().map(|name| read(name).expect("a Secret")["metadata"]["resourceVersion"].clone()).collect()
}

/// Waits until the platform has not been asked for a change for a while. How many it was asked for in all.
fn comes_to_rest(team: &Team<'_>, asked_before: usize) -> usize {
    let changes = || {
        let asked = team.simulator.requests();
        asked[asked_before..].iter().filter(|one| one["method"] != "GET" && one["route"] != "auth.token").count()
    };
    let mut last = (changes(), std::time::Instant::now());
    eventually("the world comes to rest", PATIENCE, || {
        let now = changes();
        if now != last.0 {
            last = (now, std::time::Instant::now());
        }
        (last.1.elapsed() > CALM).then_some(now)
    })
}

/// Whatever stands in the Secrets of the namespace: a token that one can get with it carries what the rules allow.
fn no_token_carries_more(team: &Team<'_>) {
    let secrets = team.stage.api().list(&path("secrets", &team.name, ""));
    let names = secrets.iter().filter_map(|one| one["metadata"]["name"].as_str());
    for data in names.filter_map(|name| team.secret(name)).filter(|data| data.contains_key("tokenurl")) {
        let roles = credential::token(&data).map(|token| token.roles).unwrap_or_default();
        assert!(rules::may_be_told(&roles), "{roles:?}");
    }
}
