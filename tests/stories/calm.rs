//! What does not grow with the number of objects, or with time: what is refused is not tried again and again, and objects
//! that go at once are not looked for one by one.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::operator::Settings;
use crate::harness::{Call, Proxy, Stage, Team};

/// How long a refusal is watched.
const WATCHED: Duration = Duration::from_secs(12);
/// How often a grant that is refused may be tried meanwhile, by all who want it. It is a minute before it is due again.
const TRIES: usize = 6;
/// Versions of an object from its creation on: held, recorded, refused, and what the other one's news may add.
const VERSIONS: usize = 8;

#[test]
fn two_who_want_what_the_platform_refuses_do_not_keep_each_other_awake() {
    let team = Team::on_btp(Stage::shared(), "both-refused");
    team.ready(&["platforms/both-refused"]);
    let nobody = [json!({ "roleCollection": { "name": "There Is None" } })];
    let bindings = ["rolebindings/one", "rolebindings/other"];
    for binding in bindings {
        let name = binding.rsplit('/').next().expect("a name");
        team.apply(&team.role_binding(name, &json!({ "user": { "name": "jane@acme.example" } }), &nobody));
    }
    let mut versions = [(); 2].map(|()| BTreeSet::new());
    let begun = Instant::now();
    while begun.elapsed() < WATCHED {
        for (binding, seen) in bindings.iter().zip(&mut versions) {
            let version = team.get(binding).expect("the RoleBinding")["metadata"]["resourceVersion"].clone();
            seen.insert(version.to_string());
        }
        thread::sleep(Duration::from_millis(20));
    }

    for binding in bindings {
        team.not_ready(binding, "NotFoundOnPlatform", "There Is None");
    }
    let tries = team.requests_of("xsuaa.assign").len();
    assert!((1..=TRIES).contains(&tries), "{tries} tries");
    assert!(versions.iter().all(|seen| seen.len() <= VERSIONS), "{versions:?}");
    team.delete_everything();
}

/// TechnicalUsers, and RoleBindings of each.
const USERS: usize = 10;
const ROLES: usize = 6;

#[test]
fn role_bindings_that_go_at_once_are_not_listed_for_each_of_them() {
    let stage = Stage::alone();
    let proxy = Proxy::before_api_server(stage.plane());
    let team = Team::on_btp(&stage, "many-go");
    let operator = stage.start_operator_with(&Settings { through: Some(&proxy.url()), ..Stage::settings() });
    let (users, bindings) = many(&team);
    team.ready(&users.iter().map(String::as_str).collect::<Vec<_>>());
    proxy.forget();

    bindings.iter().for_each(|binding| team.delete(binding));
    bindings.iter().for_each(|binding| team.gone(binding));
    users.iter().for_each(|user| team.not_ready(user, "NoRoles", ""));

    let lists = |call: &Call| {
        let watches = call.query.contains("watch=");
        call.method == Method::GET && call.path.ends_with("/rolebindings") && !watches
    };
    let listed: Vec<Call> = proxy.calls().into_iter().filter(lists).collect();
    assert!(listed.len() <= 1, "{} lists for {} RoleBindings: {listed:?}", listed.len(), bindings.len());
    let roles = |instance: &Value| instance["parameters"]["roles"].clone();
    let instances = team.simulator.state()["service-manager"]["instances"].clone();
    assert!(instances.as_array().expect("instances").iter().all(|one| roles(one) == json!([])), "{instances:#}");
    team.delete_everything();
    operator.stop();
}

/// Makes them. Each RoleBinding gives a role of its own to one TechnicalUser.
fn many(team: &Team<'_>) -> (Vec<String>, Vec<String>) {
    let (mut users, mut bindings) = (vec![], vec![]);
    for user in (0..USERS).map(|number| format!("user-{number}")) {
        for number in 0..ROLES {
            let name = format!("{user}-{number}");
            let role = json!({ "instanceRole": { "name": format!("ESBMessaging.role_{number}") } });
            team.apply(&team.role_binding(&name, &json!({ "technicalUser": { "name": user } }), &[role]));
            bindings.push(format!("rolebindings/{name}"));
        }
        team.apply(&team.service_key(&user));
        users.push(format!("technicalusers/{user}"));
    }
    (users, bindings)
}
