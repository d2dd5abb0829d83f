//! A restart with everything Ready: it reads, in whole pages, and writes nothing anywhere.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::operator::Settings;
use crate::harness::{Call, PATIENCE, Proxy, Stage, Team, eventually, never};
use crate::lines::{self, Btp, Line, Neo, Uaa};

/// How many TechnicalUsers there are of each environment at first, and later.
const FEW: usize = 2;
const MANY: usize = 7;

#[test]
fn a_restart_writes_nothing_and_reads_no_more_when_there_is_more() {
    let stage = Stage::alone();
    let teams = [team::<Btp>(&stage), team::<Neo>(&stage), team::<Uaa>(&stage)];
    provision(&stage, &teams, 0..FEW);
    let with_few = reads_of_a_restart(&stage, &teams, FEW);
    provision(&stage, &teams, FEW..MANY);
    let with_many = reads_of_a_restart(&stage, &teams, MANY);

    assert_eq!(with_many, with_few, "reads of the platforms grow with the objects");

    let operator = stage.start_operator(&[]);
    teams.iter().for_each(Team::delete_everything);
    operator.stop();
}

fn team<L: Line>(stage: &Stage) -> Team<'_> {
    let team = Team::new(stage, &format!("restart-{}", L::NAME));
    team.apply(&lines::platform::<L>(&team, team.simulator.url()));
    team
}

/// Makes TechnicalUsers with a role each, on every Platform.
fn provision(stage: &Stage, teams: &[Team<'_>], numbers: Range<usize>) {
    let operator = stage.start_operator(&[]);
    for team in teams {
        numbers.clone().flat_map(|number| user(team, number)).for_each(|object| team.apply(&object));
    }
    for team in teams {
        let names = numbers
            .clone()
            .map(|number| [format!("technicalusers/user-{number}"), format!("rolebindings/user-{number}")]);
        names.for_each(|[user, binding]| team.ready(&[&user, &binding]));
    }
    operator.stop();
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

/// Starts the operator as it runs in a cluster, and ends it when it has looked at everything. What it asked of the
/// platforms meanwhile, by route.
fn reads_of_a_restart(stage: &Stage, teams: &[Team<'_>], count: usize) -> BTreeMap<String, usize> {
    let proxy = Proxy::before_api_server(stage.plane());
    let before: Vec<usize> = teams.iter().map(|team| team.simulator.requests().len()).collect();
    let settings = Settings { through: Some(&proxy.url()), leader_elect: true, ..Stage::settings() };
    let operator = stage.start_operator_with(&settings);
    let everything =
        [("Platform", teams.len()), ("TechnicalUser", count * teams.len()), ("RoleBinding", count * teams.len())];
    eventually("everything is looked at", PATIENCE, || {
        let metrics = operator.metrics();
        everything.iter().all(|(kind, count)| done(&metrics, kind) >= *count).then_some(())
    });
    never("a write", Duration::from_secs(1), || proxy.calls().into_iter().find(Call::is_effect));
    operator.stop();
    let asked = teams.iter().zip(before).flat_map(|(team, before)| team.simulator.requests().split_off(before));
    let mut routes = BTreeMap::new();
    for request in asked {
        let route = request["route"].as_str().unwrap_or("no route").to_owned();
        let writes = request["method"] != "GET" && !route.ends_with("token");
        assert!(!writes, "a restart writes: {request}");
        *routes.entry(route).or_default() += 1;
    }
    routes
}

/// How many reconciles of a kind have ended well.
fn done(metrics: &str, kind: &str) -> usize {
    let counter = format!("technical_user_reconciles_total{{kind=\"{kind}\",outcome=\"Done\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&counter)?.parse().ok()).unwrap_or_default()
}
