//! The product on a real node: the operator in a pod of its own image, as its chart installs it, and workloads that use a
//! credential without pause while it is replaced and revoked, its Secret is deleted, and the operator is killed. Not one of
//! their calls may fail.
//!
//! `make e2e` runs it, within what `tests/node/run.sh` prepares; by itself it has no node to run on.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod consumers;
mod forward;
mod node;
mod operator;

#[expect(dead_code, unused_imports, reason = "the stories use more of it")]
#[path = "../harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use btp_simulator::Options;
use consumers::{Consumers, SECRET};
use harness::simulator::Simulator;
use harness::{PATIENCE, Stage, Team, credential, eventually};
use node::Node;
use operator::Operator;
use serde_json::json;

/// The operator is installed as it ships: a container that has to be started anew is, four minutes after the publication.
const OVERLAP: Duration = Duration::from_mins(12);

type Secret = BTreeMap<String, String>;

#[test]
fn not_one_call_fails_while_credential_secret_and_operator_are_replaced() {
    let stage = Stage::own();
    let node = match Node::start(stage.plane()) {
        Ok(node) => node,
        Err(reason) => return say(&format!("not run: {reason}")),
    };
    node.load(&node::variable("OPERATOR_IMAGE"));
    let team = Team::with(&stage, "orders", Simulator::start_with(&reachable_by_pods()));
    let operator = Operator::install(&team);
    prepare(&team);
    let first = team.secret(SECRET).expect("the Secret");
    let consumers = Consumers::start(&team);

    team.delete(&format!("secrets/{SECRET}"));
    the_secret_is_written_again(&team, &first);
    consumers.go_on();

    operator.kill();
    team.delete(&format!("secrets/{SECRET}"));
    the_secret_is_written_again(&team, &first);
    consumers.go_on();

    let second = rotated(&team, &first);
    operator.kill();
    consumers.go_on();
    the_first_is_revoked(&team, &consumers, &first);
    consumers.go_on();
    assert_eq!((send(&team, &first), send(&team, &second)), (None, Some(200)));
    assert_eq!(consumers.restarted(), ["env", "sub-path"], "who follows a volume is left alone");
    operator.is_well();
    say(&format!("not one call failed: {}", consumers.stop()));
}

/// Said also where the test passes, of which nothing else is shown.
fn say(what: &str) {
    writeln!(std::io::stderr(), "e2e: {what}").expect("standard error");
}

/// At a port that the chart's NetworkPolicy leaves open.
fn reachable_by_pods() -> Options {
    let address: IpAddr = node::variable("NODE_ADDRESS").parse().expect("an address");
    Options { mtls_listen: SocketAddr::new(address, 443), ..Options::default() }
}

/// A TechnicalUser that is ready.
fn prepare(team: &Team<'_>) {
    team.btp_secrets();
    team.apply(&team.btp());
    let mut user = team.service_key("orders");
    let rotation = json!({ "minOverlap": "0s", "settling": "1s" });
    user["spec"]["credential"] = json!({ "secretName": SECRET, "rotation": rotation, "restart": "RolloutRestart" });
    team.apply(&user);
    team.apply(&team.may_send());
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send"]);
}

fn the_secret_is_written_again(team: &Team<'_>, content: &Secret) {
    eventually("the Secret is there again", PATIENCE, || team.secret(SECRET).filter(|now| now == content));
}

fn rotated(team: &Team<'_>, first: &Secret) -> Secret {
    let annotations = json!({ "technicaluser.dev/rotate": "now" });
    team.patch("technicalusers/orders", &json!({ "metadata": { "annotations": annotations } }));
    let second = eventually("another credential stands in the Secret", PATIENCE, || {
        team.secret(SECRET).filter(|now| now != first)
    });
    assert_eq!((send(team, first), send(team, &second)), (Some(200), Some(200)), "both are in force");
    second
}

fn the_first_is_revoked(team: &Team<'_>, consumers: &Consumers<'_>, first: &Secret) {
    eventually("the first credential is revoked", OVERLAP, || {
        consumers.have_not_failed();
        send(team, first).is_none().then_some(())
    });
    team.until("technicalusers/orders", "nothing overlaps any more", |user| user["status"]["superseded"].is_null());
    assert_eq!(team.instances_and_keys(), (1, 1));
}

/// The status of a message sent with what stood in a Secret, by the platform's other door; `None` where there is no token for it
/// any more.
fn send(team: &Team<'_>, secret: &Secret) -> Option<u16> {
    let (public, local) = (team.simulator.mtls_url(), team.simulator.url());
    let secret = secret.iter().map(|(key, value)| (key.clone(), value.replace(public, local))).collect();
    Some(credential::send(&secret, &credential::token(&secret).ok()?))
}
