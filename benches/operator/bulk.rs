//! Bulk work stays bulk: many grants on Neo, which takes a hundred calls a minute. Counts the calls that grant, and those
//! of a look at all of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};
use technical_user_operator::api::RoleBinding;

use crate::Size;
use crate::calls::{Asked, Platform};
use crate::harness::operator::Operator;
use crate::harness::runtime;
use crate::objects::{self, watched};
use crate::report::{Report, Target};
use crate::stage::Stage;

const NAMESPACE: &str = "bench-bulk";
const PLATFORM: &str = "neo";
/// Users of one RoleBinding.
const USERS: usize = 20;
/// Roles of one RoleBinding, all of one application.
const ROLES: [&str; 5] = [
    "AuthGroup.BusinessExpert",
    "AuthGroup.ContentPublisher",
    "AuthGroup.IntegrationDeveloper",
    "AuthGroup.ReadOnly",
    "AuthGroup.SystemDeveloper",
];

/// Gives `size.grants` roles to users at once, and has a new operator look at them.
#[expect(clippy::cast_precision_loss, reason = "a thousand grants")]
pub(crate) fn measure(size: &Size, report: &mut Report) {
    let stage = Stage::start();
    let operator = stage.operator();
    stage.connect_neo(PLATFORM, &operator);
    stage.namespace(NAMESPACE);
    let name = |what: &str| format!("{} Neo grants over {} roles: {what}", size.grants, ROLES.len());

    let platform = Platform::from_now(&stage.simulator);
    let bindings = (0..size.grants / (USERS * ROLES.len())).map(binding).collect();
    let took = runtime().block_on(grant(&stage.client, NAMESPACE, bindings));
    std::thread::sleep(size.rest);
    let asked = platform.asked(&stage.simulator);
    let granting = calls(&asked, "neo.add-role-users");
    report.row(&name("until all are Ready"), took.as_secs_f64(), "s", None);
    report.row(&name("calls that grant"), granting as f64, "", Some(Target::AtMost(10.0)));
    report.row(&name("all calls, tokens apart"), asked.others() as f64, "", None);

    let again = looked_at_again(&stage, operator, size);
    report.row(&name("calls of a look at all"), again.others() as f64, "", Some(Target::AtMost(10.0)));
    report.detail("platform calls of the bulk", json!({ "granting": asked.routes, "looking": again.routes }));
}

/// Writes these RoleBindings at once, and waits until all are Ready.
pub(crate) async fn grant(client: &Client, namespace: &str, bindings: Vec<RoleBinding>) -> Duration {
    let changes = watched(client, namespace).await;
    let began = Instant::now();
    let api: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
    let written = bindings.iter().map(|binding| {
        let api = &api;
        async move { api.create(&PostParams::default(), binding).await.expect("a RoleBinding") }
    });
    futures::future::join_all(written).await;
    objects::ready(changes, bindings.len(), began).await.last().copied().unwrap_or_default()
}

fn binding(number: usize) -> RoleBinding {
    let user = |index| json!({ "user": { "name": format!("user-{number}-{index}@acme.example") } });
    let role = |name: &&str| json!({ "applicationRole": { "application": "abctmn", "provider": "sapprovider", "name": name } });
    let manifest = json!({
        "metadata": { "name": format!("team-{number}") },
        "spec": {
            "platformRef": { "name": PLATFORM },
            "subjects": (0..USERS).map(user).collect::<Vec<Value>>(),
            "roles": ROLES.iter().map(role).collect::<Vec<Value>>(),
        },
    });
    objects::of_kind("RoleBinding", manifest)
}

/// What a new operator asks until it has nothing more to ask.
fn looked_at_again(stage: &Stage, operator: Operator, size: &Size) -> Asked {
    drop(operator.stop());
    let platform = Platform::from_now(&stage.simulator);
    let _operator = stage.operator();
    let (mut seen, mut asked) = (None, platform.asked(&stage.simulator));
    while asked.others() == 0 || seen != Some(asked.others()) {
        seen = Some(asked.others());
        std::thread::sleep(size.rest);
        asked = platform.asked(&stage.simulator);
    }
    asked
}

/// How often routes whose name begins so were called.
pub(crate) fn calls(asked: &Asked, route: &str) -> u64 {
    let of: BTreeMap<_, _> = asked.routes.iter().filter(|(name, _)| name.starts_with(route)).collect();
    of.into_values().sum()
}
