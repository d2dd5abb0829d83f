//! A certificate that is mapped to a user of Neo, and replaced by another.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Act, Line, leading_to};
use crate::crash::crash_everywhere;
use crate::harness::Team;
use crate::harness::certificate::{self, Pair};
use crate::harness::simulator::ca_file;
use crate::neo::{application_role, mappings, tenant};

/// The name that certificates are mapped to.
const USER: &str = "tu-intake";
/// The one that somebody keeps, and the one that takes its place.
static PAIRS: LazyLock<[Pair; 2]> = LazyLock::new(|| [Pair::new(), Pair::new()]);
const SOURCES: [&str; 2] = ["first-tls", "second-tls"];

/// Cloud Integration on Neo.
struct Certificates;

impl Line for Certificates {
    const NAME: &str = "certificates";
    const ACTS: &[Act] = &[Act::Apply, Act::Change, Act::Delete];

    fn environment(team: &Team<'_>, url: &str) -> Value {
        team.admin_secret("neo", &leading_to(url, team, "neo"));
        team.admin_secret("tenant", &leading_to(url, team, "cloud-integration"));
        for (pair, source) in PAIRS.iter().zip(SOURCES) {
            team.apply(&pair.secret(&team.name, source));
        }
        tenant(team, url)
    }

    fn objects(team: &Team<'_>, act: Act) -> Vec<Value> {
        let source = json!({ "sourceSecretRef": { "name": SOURCES[which(act)] } });
        let rotation = json!({ "minOverlap": "0s" });
        let credential = json!({ "secretName": "intake-credentials", "certificate": source, "rotation": rotation });
        let subject = json!({ "technicalUser": { "name": "intake" } });
        vec![
            team.technical_user("intake", &json!({ "certificateUser": { "userName": USER } }), &credential),
            team.role_binding("intake", &subject, &[application_role("abciflmap", "ESBMessaging.send")]),
        ]
    }

    fn world(team: &Team<'_>) -> Value {
        let secret = team.secret("intake-credentials").filter(|secret| secret.contains_key("tls.key"));
        let sends = secret.as_ref().map(|secret| certificate::send(secret, ca_file()));
        let mapped: Vec<Value> = mappings(team).into_iter().map(|one| one["User"].clone()).collect();
        json!({ "mapped": mapped, "holds": secret.as_ref().map(holds), "sends": sends })
    }

    fn wanted(act: Act) -> Value {
        match act {
            Act::Apply | Act::Change | Act::Rotate => json!({ "mapped": [USER], "holds": which(act), "sends": 200 }),
            Act::Delete => json!({ "mapped": [], "holds": null, "sends": null }),
        }
    }
}

const fn which(act: Act) -> usize {
    match act {
        Act::Apply => 0,
        Act::Change | Act::Rotate | Act::Delete => 1,
    }
}

/// Which of the two a Secret holds.
fn holds(secret: &BTreeMap<String, String>) -> Option<usize> {
    PAIRS.iter().position(|pair| pair.certificate == secret["tls.crt"])
}

#[test]
fn a_certificate_and_its_renewal_survive_a_crash_at_every_effect() {
    crash_everywhere::<Certificates>();
}
