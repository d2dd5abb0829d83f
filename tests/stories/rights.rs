//! The chart's RBAC is what the operator uses: it never asks for more, and nothing in it is idle.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use kube::Client;
use serde_json::{Value, json};
use technical_user_operator::controller::workloads::Workloads;

use crate::harness::operator::Settings;
use crate::harness::stage::{OPERATOR_NAMESPACE, RELEASE};
use crate::harness::{Call, PATIENCE, Proxy, Stage, Team, eventually, kubelet, runtime};

/// What the chart grants and no call of the operator's ever asks for.
const NEVER_CALLED: [(&str, &str, &str); 1] = [
    // Checked of whoever sets an owner reference that blocks deletion, by an admission plugin that is off here and on
    // in OpenShift (Kubernetes, "Admission Control", OwnerReferencesPermissionEnforcement).
    ("update", "technicaluser.dev", "technicalusers/finalizers"),
];

/// One right, as RBAC spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Right {
    verb: String,
    group: String,
    /// With its subresource, such as `platforms/status`.
    resource: String,
}

impl Right {
    fn new(verb: &str, group: &str, resource: &str) -> Self {
        Self { verb: verb.to_owned(), group: group.to_owned(), resource: resource.to_owned() }
    }

    /// What RBAC is asked about a call (Kubernetes, "Authorization", request verbs); `None` for what is no resource,
    /// such as discovery, which everybody may read.
    pub(crate) fn of(call: &Call) -> Option<Self> {
        let parts: Vec<&str> = call.path.trim_matches('/').split('/').collect();
        let (group, rest) = match parts.as_slice() {
            ["api", "v1", rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => return None,
        };
        let (resource, rest) = match rest {
            ["namespaces", _, resource, rest @ ..] | [resource, rest @ ..] => (*resource, rest),
            [] => return None,
        };
        let subresource = rest.get(1).map(|name| format!("/{name}")).unwrap_or_default();
        Some(Self::new(verb(call, !rest.is_empty()), group, &format!("{resource}{subresource}")))
    }
}

fn verb(call: &Call, named: bool) -> &'static str {
    let watches = call.query.split('&').any(|pair| ["watch=true", "watch=1"].contains(&pair));
    match (&call.method, named) {
        (&Method::GET, true) => "get",
        (&Method::GET, false) if watches => "watch",
        (&Method::GET, false) => "list",
        (&Method::POST, _) => "create",
        (&Method::PUT, _) => "update",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, true) => "delete",
        (&Method::DELETE, false) => "deletecollection",
        other => panic!("RBAC has no verb for {other:?}"),
    }
}

/// Every right that these installed roles grant.
pub(crate) fn granted(stage: &Stage, roles: &[&str]) -> BTreeSet<Right> {
    let read = |role: &&str| stage.kubectl().get(OPERATOR_NAMESPACE, role).expect("a role of the chart");
    let installed: Vec<Value> = roles.iter().map(read).collect();
    installed.iter().flat_map(|role| role["rules"].as_array().expect("rules")).flat_map(rights).collect()
}

fn rights(rule: &Value) -> Vec<Right> {
    let texts = |key: &str| -> Vec<String> { serde_json::from_value(rule[key].clone()).expect("a list of texts") };
    let (groups, resources, verbs) = (texts("apiGroups"), texts("resources"), texts("verbs"));
    let mut found = vec![];
    for group in &groups {
        for resource in &resources {
            found.extend(verbs.iter().map(|verb| Right::new(verb, group, resource)));
        }
    }
    found
}

/// The life of a technical user on the multi-environment, with a Secret that is altered and one that is lost.
fn a_life_on_btp(stage: &Stage) {
    let team = Team::on_btp(stage, "rights-btp");
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"]);
    let secret = team.secret("orders-credentials").expect("the Secret");
    let right = || (team.secret("orders-credentials").as_ref() == Some(&secret)).then_some(());
    team.patch("secrets/orders-credentials", &json!({ "stringData": { "clientsecret": "altered" } }));
    eventually("the altered Secret is right", PATIENCE, right);
    team.delete("secrets/orders-credentials");
    eventually("the lost Secret is back", PATIENCE, right);
    everything_goes(&team, &["rolebindings/orders-may-send", "rolebindings/jane-reads", "technicalusers/orders"]);
}

/// A P-user becomes a member of a Neo subaccount, and stops being one.
fn a_life_on_neo(stage: &Stage) {
    let team = Team::new(stage, "rights-neo");
    team.simulator.settings(&json!({ "neoRequestsPerMinute": null }));
    team.admin_secret("neo", &team.simulator.credential("neo", "secret"));
    let secret = json!({ "name": "rights-neo-neo" });
    let neo = json!({ "host": "hana.ondemand.com", "subaccount": "acme", "credentialsSecretRef": secret });
    team.apply(&team.platform(&json!({ "neo": neo })));
    team.apply(&team.technical_user("legacy", &json!({ "existing": { "userName": "P1234567" } }), &Value::Null));
    let role = json!({ "memberRole": { "name": "Developer" } });
    team.apply(&team.role_binding("member", &json!({ "technicalUser": { "name": "legacy" } }), &[role]));
    team.ready(&["technicalusers/legacy", "rolebindings/member"]);
    everything_goes(&team, &["rolebindings/member", "technicalusers/legacy"]);
}

/// Somebody still uses a credential that is to be revoked: a Deployment, and the Job of a CronJob.
fn an_overlap(stage: &Stage, client: &Client) {
    const LONG_AGO: std::time::Duration = std::time::Duration::MAX;
    let namespace = "rights-overlap";
    let pod = kubelet::pod(&[kubelet::container(json!({ "envFrom": [{ "secretRef": { "name": "orders" } }] }))]);
    stage
        .api()
        .apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }))
        .expect("it");
    stage.kubelet().applied(&kubelet::deployment(namespace, "orders", 1, &pod));
    stage.api().apply(&kubelet::cron_job(namespace, "nightly", &pod)).expect("a CronJob");
    stage.kubectl().ok(&["create", "job", "nightly-1", "--from=cronjob/nightly", "--namespace", namespace]);
    let workloads = Workloads::default();
    let names = eventually("both are seen", PATIENCE, || {
        let pods = runtime().block_on(workloads.pods_using(client, namespace, "orders", LONG_AGO)).expect("an answer");
        let names = pods.expect("a right").into_iter().filter_map(|pod| pod.workload);
        Some(names.map(|workload| workload.name).collect::<BTreeSet<_>>()).filter(|names| names.len() == 2)
    });
    assert_eq!(names, BTreeSet::from(["nightly".to_owned(), "orders".to_owned()]));
}

/// The namespace last: one that is being deleted refuses new events, with the very status that RBAC refuses with.
fn everything_goes(team: &Team<'_>, objects: &[&str]) {
    for object in objects {
        team.delete(object);
        team.gone(object);
    }
    team.delete_everything();
}

#[test]
fn every_right_of_the_chart_is_used_and_none_is_missing() {
    let stage = Stage::own();
    let proxy = Proxy::before_api_server(stage.plane());
    let url = proxy.url();
    let settings = Settings { through: Some(&url), leader_elect: true, ..Stage::settings() };
    let operator = stage.start_operator_with(&settings);

    a_life_on_btp(&stage);
    a_life_on_neo(&stage);
    an_overlap(&stage, &stage.client(Some(&url)));

    let (status, log) = operator.stop();
    assert!(status.success(), "{log}");
    let answers = proxy.answers();
    let refused: Vec<_> = answers.iter().filter(|(_, status)| *status == StatusCode::FORBIDDEN).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let used: BTreeSet<Right> = answers.iter().filter_map(|(call, _)| Right::of(call)).collect();
    let granted = granted(&stage, &[&format!("clusterrole/{RELEASE}"), &format!("role/{RELEASE}")]);
    assert!(granted.iter().all(|right| !format!("{right:?}").contains('*')), "{granted:#?}");
    let excused = NEVER_CALLED.map(|(verb, group, resource)| Right::new(verb, group, resource)).into();
    let idle: BTreeSet<_> = granted.difference(&used).cloned().collect();
    assert_eq!(idle, excused, "granted and never used");
    assert!(used.is_subset(&granted), "used and not granted by the chart: {:#?}", used.difference(&granted));
}

#[test]
fn calls_are_told_apart_as_rbac_does() {
    let right =
        |method, path: &str, query: &str| Right::of(&Call { method, path: path.to_owned(), query: query.to_owned() });
    let secrets = "/api/v1/namespaces/orders/secrets";
    assert_eq!(right(Method::GET, "/api/v1/namespaces/kube-system", ""), Some(Right::new("get", "", "namespaces")));
    assert_eq!(right(Method::GET, secrets, "labelSelector=a&watch=true"), Some(Right::new("watch", "", "secrets")));
    assert_eq!(right(Method::POST, secrets, ""), Some(Right::new("create", "", "secrets")));
    let status = "/apis/technicaluser.dev/v1alpha1/namespaces/orders/technicalusers/orders/status";
    let update = Right::new("update", "technicaluser.dev", "technicalusers/status");
    assert_eq!(right(Method::PUT, status, ""), Some(update));
    assert_eq!(right(Method::GET, "/apis/technicaluser.dev/v1alpha1", ""), None);
}
