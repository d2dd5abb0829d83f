//! A restart with everything Ready: it reads, in whole pages, and writes nothing anywhere. One over what an older version left,
//! or a time without an operator, replaces nothing.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use technical_user_operator::api::TechnicalUser;

use crate::harness::operator::Settings;
use crate::harness::{Call, PATIENCE, Proxy, Stage, Team, eventually, never, runtime};
use crate::lines::{self, Btp, Line, Neo, Uaa};

/// How many TechnicalUsers there are of each environment.
const COUNT: usize = 7;

/// A list of the platform may be read once by its Platform, and once by the object that asked for it first.
const READS: usize = 2;

#[test]
fn a_restart_writes_nothing_and_reads_each_list_for_all() {
    let stage = Stage::alone();
    let teams = [team::<Btp>(&stage), team::<Neo>(&stage), team::<Uaa>(&stage)];
    let operator = stage.start_operator(&[]);
    provision(&teams);
    operator.stop();

    let requests = requests_of_a_restart(&stage, &teams);

    assert_eq!(requests.iter().find(|request| writes(request)), None);
    let mut routes: BTreeMap<&str, usize> = BTreeMap::new();
    for request in &requests {
        *routes.entry(request["route"].as_str().expect("a route")).or_default() += 1;
    }
    assert!(routes.contains_key("service-manager.list-bindings"), "it is not looked at: {routes:?}");
    // A UAA's clients are read once for themselves and once for their secrets.
    let clients = routes.remove("uaa.list-clients").unwrap_or_default();
    assert!(clients <= 2 * READS, "reads of clients grow with the objects: {clients}");
    assert!(routes.values().all(|reads| *reads <= READS), "reads grow with the objects: {routes:?}");
    let operator = stage.start_operator(&[]);
    teams.iter().for_each(Team::delete_everything);
    operator.stop();
}

/// As the version wrote it that knew of no rotation; every other one as it stands after weeks without an operator.
async fn leave(users: &Api<TechnicalUser>, number: usize) {
    let mut user = users.get(&format!("user-{number}")).await.expect("a TechnicalUser");
    let now = Timestamp::try_from(SystemTime::now()).expect("a time of day");
    let ago = |days: usize| Some(Time(now - Duration::from_hours(24 * u64::try_from(days).expect("some days"))));
    let credential = user.status.as_mut().and_then(|status| status.credential.as_mut()).expect("a credential");
    credential.issued_at = ago(400).expect("a time");
    match number % 2 {
        0 => (credential.rotate_at, credential.rotate_every, credential.published_at) = (None, None, None),
        _ => credential.rotate_at = ago(number),
    }
    users.replace_status(&user.name_any(), &PostParams::default(), &user).await.expect("a status");
}

/// How many TechnicalUsers of a team are due in the future.
fn due_later(team: &Team<'_>) -> usize {
    let now = Timestamp::try_from(SystemTime::now()).expect("a time of day");
    let due = |number| team.get(&format!("technicalusers/user-{number}")).expect("it")["status"]["credential"].clone();
    let due = |number| due(number)["rotateAt"].as_str()?.parse::<Timestamp>().ok();
    (0..COUNT).filter_map(due).filter(|at| *at > now).count()
}

#[test]
fn what_an_older_version_or_weeks_without_an_operator_left_is_not_replaced() {
    let stage = Stage::alone();
    let teams = [team::<Btp>(&stage), team::<Uaa>(&stage)];
    let operator = stage.start_operator(&[]);
    provision(&teams);
    operator.stop();
    let client = stage.client(None);
    for team in &teams {
        let users = Api::namespaced(client.clone(), &team.name);
        (0..COUNT).for_each(|number| runtime().block_on(leave(&users, number)));
    }
    // Where nothing is changed nothing is put off either.
    teams[0].patch("technicalusers/user-1", &json!({ "spec": { "mode": "Observe" } }));
    let before = teams.each_ref().map(|team| team.simulator.requests().len());

    let operator = stage.start_operator(&[]);
    eventually("when each is due is on record", PATIENCE, || {
        (teams.each_ref().map(due_later) == [COUNT - 1, COUNT]).then_some(())
    });
    never("a write to a platform", Duration::from_secs(3), || {
        let all = teams.iter().zip(before).flat_map(|(team, before)| team.simulator.requests().split_off(before));
        all.into_iter().find(writes)
    });
    assert!(operator.metrics().contains("technical_user_rotations_overdue 1\n"), "{}", operator.metrics());
    teams.iter().for_each(Team::delete_everything);
    operator.stop();
}

fn team<L: Line>(stage: &Stage) -> Team<'_> {
    let team = Team::new(stage, &format!("restart-{}", L::NAME));
    team.apply(&lines::platform::<L>(&team, team.simulator.url()));
    team
}

/// Makes TechnicalUsers with a role each, on every Platform.
fn provision(teams: &[Team<'_>]) {
    for team in teams {
        (0..COUNT).flat_map(|number| user(team, number)).for_each(|object| team.apply(&object));
    }
    for team in teams {
        for number in 0..COUNT {
            team.ready(&[&format!("technicalusers/user-{number}"), &format!("rolebindings/user-{number}")]);
        }
    }
}

/// A TechnicalUser of the kind that the team's environment has, and its RoleBinding.
fn user(team: &Team<'_>, number: usize) -> [Value; 2] {
    let name = format!("user-{number}");
    let secret = json!({ "secretName": name });
    let (identity, credential, role) = match team.name.as_str() {
        "restart-btp" => (
            json!({ "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } }),
            secret,
            json!({ "instanceRole": { "name": "ESBMessaging.send" } }),
        ),
        "restart-neo" => (
            json!({ "existing": { "userName": format!("P123456{number}") } }),
            Value::Null,
            json!({ "memberRole": { "name": "Developer" } }),
        ),
        _ => (json!({ "oauthClient": {} }), secret, json!({ "authority": { "name": "scim.read" } })),
    };
    let subject = json!({ "technicalUser": { "name": name } });
    [team.technical_user(&name, &identity, &credential), team.role_binding(&name, &subject, &[role])]
}

/// Starts the operator as it runs in a cluster, and ends it when it has looked at everything and written nothing to
/// Kubernetes. What it asked of the platforms meanwhile.
fn requests_of_a_restart(stage: &Stage, teams: &[Team<'_>]) -> Vec<Value> {
    let proxy = Proxy::before_api_server(stage.plane());
    let before: Vec<usize> = teams.iter().map(|team| team.simulator.requests().len()).collect();
    let settings = Settings { through: Some(&proxy.url()), leader_elect: true, ..Stage::settings() };
    let operator = stage.start_operator_with(&settings);
    let objects = COUNT * teams.len();
    let everything = [("Platform", teams.len()), ("TechnicalUser", objects), ("RoleBinding", objects)];
    eventually("everything is looked at", PATIENCE, || {
        let metrics = operator.metrics();
        everything.iter().all(|(kind, count)| done(&metrics, kind) >= *count).then_some(())
    });
    never("a write", Duration::from_secs(1), || proxy.calls().into_iter().find(Call::is_effect));
    operator.stop();
    teams.iter().zip(before).flat_map(|(team, before)| team.simulator.requests().split_off(before)).collect()
}

/// Whether a request to a platform is more than a look.
fn writes(request: &Value) -> bool {
    request["method"] != "GET" && !request["route"].as_str().is_some_and(|route| route.ends_with(".token"))
}

/// How many reconciles of a kind have ended well.
fn done(metrics: &str, kind: &str) -> usize {
    let counter = format!("technical_user_reconciles_total{{kind=\"{kind}\",outcome=\"Done\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&counter)?.parse().ok()).unwrap_or_default()
}
