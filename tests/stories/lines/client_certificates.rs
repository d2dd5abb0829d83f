//! A service key that is a client certificate: somebody else's, then the next of theirs, then one that the platform makes.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Act, Btp, Line};
use crate::crash::crash_everywhere;
use crate::harness::Team;
use crate::harness::certificate::{Pair, send};
use crate::harness::simulator::ca_file;

/// The one that somebody keeps, and the one that takes its place.
static PAIRS: LazyLock<[Pair; 2]> = LazyLock::new(|| [Pair::new(), Pair::new()]);
const SOURCES: [&str; 2] = ["first-tls", "second-tls"];

/// The multi-environment.
struct ClientCertificates;

impl Line for ClientCertificates {
    const NAME: &str = "client-certificates";

    fn environment(team: &Team<'_>, url: &str) -> Value {
        for (pair, source) in PAIRS.iter().zip(SOURCES) {
            team.apply(&pair.secret(&team.name, source));
        }
        Btp::environment(team, url)
    }

    fn objects(team: &Team<'_>, act: Act) -> Vec<Value> {
        let source = |number: usize| json!({ "sourceSecretRef": { "name": SOURCES[number] } });
        let certificate = match act {
            Act::Apply => source(0),
            Act::Change => source(1),
            Act::Rotate | Act::Delete => json!({ "validity": "30d" }),
        };
        let mut user = team.service_key("orders");
        user["spec"]["credential"]["type"] = "ClientCertificate".into();
        user["spec"]["credential"]["certificate"] = certificate;
        user["spec"]["credential"]["rotation"] = json!({ "overlap": "Fixed", "minOverlap": "0s" });
        let own = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
        vec![user, team.role_binding("orders", &json!({ "technicalUser": { "name": "orders" } }), &[own])]
    }

    fn world(team: &Team<'_>) -> Value {
        let state = team.simulator.state();
        let count = |kind: &str| state["service-manager"][kind].as_array().map(Vec::len);
        let secret = team.secret("orders-credentials").filter(|secret| secret.contains_key("tls.key"));
        let sent = secret.as_ref().map(|secret| send(secret, ca_file()));
        let brought =
            secret.as_ref().and_then(|secret| PAIRS.iter().position(|pair| pair.certificate == secret["tls.crt"]));
        json!({ "instances": count("instances"), "bindings": count("bindings"), "sent": sent, "brought": brought })
    }

    fn wanted(act: Act) -> Value {
        let holding =
            |brought: Option<usize>| json!({ "instances": 1, "bindings": 1, "sent": 200, "brought": brought });
        match act {
            Act::Apply => holding(Some(0)),
            Act::Change => holding(Some(1)),
            Act::Rotate => holding(None),
            Act::Delete => json!({ "instances": 0, "bindings": 0, "sent": null, "brought": null }),
        }
    }
}

#[test]
fn a_client_certificate_and_what_takes_its_place_survive_a_crash_at_every_effect() {
    crash_everywhere::<ClientCertificates>();
}
