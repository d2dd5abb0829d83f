//! Members of one group of a directory that speaks SCIM: counts the calls that change the group, and those that look its
//! users up.

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use technical_user_operator::api::RoleBinding;

use crate::Size;
use crate::bulk::{calls, grant};
use crate::calls::Platform;
use crate::harness::operator::Operator;
use crate::harness::runtime;
use crate::harness::simulator::Simulator;
use crate::objects;
use crate::report::{Report, Target};
use crate::stage::{Stage, platform, secret};

const NAMESPACE: &str = "bench-members";
const PLATFORM: &str = "directory";
const GROUP: &str = "Orders";
/// Users of one RoleBinding.
const USERS: usize = 20;
/// Users that are made at once before anything is measured.
const SIDE_BY_SIDE: usize = 64;

/// Makes `size.members` users members of a group at once.
#[expect(clippy::cast_precision_loss, reason = "a thousand members")]
pub(crate) fn measure(size: &Size, report: &mut Report) {
    let stage = Stage::start();
    let operator = stage.operator();
    make_people(&stage.simulator, size.members);
    connect(&stage, &operator);
    stage.namespace(NAMESPACE);
    let name = |what: &str| format!("{} members of a group: {what}", size.members);

    let platform = Platform::from_now(&stage.simulator);
    let bindings = (0..size.members / USERS).map(binding).collect();
    let took = runtime().block_on(grant(&stage.client, NAMESPACE, bindings));
    let asked = platform.asked(&stage.simulator);
    report.row(&name("until all are Ready"), took.as_secs_f64(), "s", None);
    let changes = calls(&asked, "scim.change-group");
    report.row(&name("PATCHes"), changes as f64, "", Some(Target::AtMost(10.0)));
    report.row(&name("calls that look users up"), calls(&asked, "scim.list-users") as f64, "", None);
    report.row(&name("all calls"), asked.others() as f64, "", None);
    report.detail("platform calls of the members", json!(asked.routes));
    assert_eq!(in_group(&stage.simulator), size.members, "Ready says that they are in it");
}

/// The directory as a Platform, whose groups anybody may be in.
fn connect(stage: &Stage, operator: &Operator) {
    stage.admin_secret(PLATFORM, &stage.simulator, "scim");
    let mut scim = secret(PLATFORM, "scim");
    scim["url"] = json!(format!("{}/scim/v2", stage.simulator.url()));
    let role = json!({ "groupMembership": { "group": "*" } });
    let rights = json!({ "grants": [{ "roles": [role], "to": [{ "user": { "name": "*" } }] }] });
    stage.reach(PLATFORM, &platform(PLATFORM, &json!({ "scim": scim }), &rights), operator);
}

/// What somebody else has made in the directory: the users, and the group.
fn make_people(simulator: &Simulator, count: usize) {
    let token = simulator.credential("scim", "secret")["token"].as_str().expect("a token").to_owned();
    let schema = |kind: &str| json!([format!("urn:ietf:params:scim:schemas:core:2.0:{kind}")]);
    let group = ("Groups", json!({ "schemas": schema("Group"), "displayName": GROUP }));
    let user = |index| ("Users", json!({ "schemas": schema("User"), "userName": user_name(index) }));
    let http = reqwest::Client::new();
    let made = (0..count).map(user).chain([group]).map(|(path, body)| {
        let request = http.post(format!("{}/scim/v2/{path}", simulator.url())).bearer_auth(&token).json(&body);
        async move { assert_eq!(request.send().await.expect("an answer").status(), 201, "{body}") }
    });
    let made = stream::iter(made.collect::<Vec<_>>()).buffer_unordered(SIDE_BY_SIDE);
    runtime().block_on(made.collect::<Vec<()>>());
}

fn user_name(index: usize) -> String {
    format!("user-{index}@acme.example")
}

fn binding(number: usize) -> RoleBinding {
    let user = |index| json!({ "user": { "name": user_name(number * USERS + index) } });
    let manifest = json!({
        "metadata": { "name": format!("team-{number}") },
        "spec": {
            "platformRef": { "name": PLATFORM },
            "subjects": (0..USERS).map(user).collect::<Vec<Value>>(),
            "roles": [{ "groupMembership": { "group": GROUP } }],
        },
    });
    objects::of_kind("RoleBinding", manifest)
}

fn in_group(simulator: &Simulator) -> usize {
    simulator.state()["scim"]["groups"][0]["members"].as_array().map_or(0, Vec::len)
}
