//! Certificates that are mapped to users of Cloud Integration on Neo: their description, and what only they have.

use serde_json::{Value, json};
use technical_user_operator::api::environment::{CloudIntegration, Neo};
use technical_user_operator::api::{Environment, Identity, SecretRef};
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::platform::{KeyPair, Kind, NewCredential, ObservedIdentity, Ordered};

use crate::description::{Description, Running, SampleIdentity, owner};
use crate::harness::runtime;
use crate::harness::simulator::Simulator;
use crate::suite::{create, credentials_of, found, issue, listed, revoke};
use crate::{faults, suite};

/// With a quote in it, which OData doubles.
const USER: &str = "tu-o'rders";

/// An OAuth client maps them.
static BY_TOKEN: Description = Description {
    environment: |simulator| environment(simulator.url()),
    credentials: |simulator| admins(simulator, "secret"),
    identity: Some(SAMPLE),
    grants: |_| vec![],
    prepare: |_| {},
    count: |simulator| (1, mappings(simulator).len()),
    routes: &[
        "neo.token",
        "cloud-integration.token",
        "cloud-integration.service-document",
        "cloud-integration.list-certificate-mappings",
        "cloud-integration.map-certificate",
        "cloud-integration.get-certificate-mapping",
        "cloud-integration.delete-certificate-mapping",
    ],
};

/// A certificate maps them.
static BY_CERTIFICATE: Description = Description {
    environment: |simulator| environment(simulator.mtls_url()),
    credentials: |simulator| admins(simulator, "x509"),
    ..BY_TOKEN
};

/// A user with a password maps them.
static BY_PASSWORD: Description = Description {
    credentials: |simulator| {
        let key = simulator.credential("cloud-integration", "secret");
        let user = json!({"username": key["clientid"], "password": key["clientsecret"]});
        vec![("neo", simulator.credential("neo", "secret")), ("tenant", user)]
    },
    ..BY_TOKEN
};

const SAMPLE: SampleIdentity = SampleIdentity {
    identity: || {
        serde_json::from_value::<Identity>(json!({"certificateUser": {"userName": USER}})).expect("an identity")
    },
    roles: &[],
    own_roles: || OwnRoles::None,
    fields: ["tls.crt", "tls.key"],
    logs_on: None,
};

fn environment(url: &str) -> Environment {
    let secret = |name: &str| SecretRef { name: name.into() };
    let cloud_integration = Some(CloudIntegration {
        url: format!("{url}/cloud-integration"),
        runtime_url: Some(format!("{url}/runtime")),
        credentials_secret_ref: secret("tenant"),
    });
    let (host, subaccount) = ("hana.ondemand.com".into(), "acme".into());
    Environment::Neo(Neo { host, subaccount, credentials_secret_ref: secret("neo"), cloud_integration })
}

fn admins(simulator: &Simulator, variant: &str) -> Vec<(&'static str, Value)> {
    let tenant = simulator.credential("cloud-integration", variant);
    vec![("neo", simulator.credential("neo", "secret")), ("tenant", tenant)]
}

fn mappings(simulator: &Simulator) -> Vec<Value> {
    simulator.state()["cloud-integration"]["certificateUserMappings"].as_array().cloned().unwrap_or_default()
}

/// An order for somebody, made of this pair.
fn order(platform: &Running, user: &str, pair: &KeyPair) -> Result<(), Kind> {
    let owner = owner(user);
    let certificate = Some(pair.certificate().clone());
    let wanted = NewCredential { certificate, ..NewCredential::made(&owner, &owner.credential_name(1)) };
    let ordered = credentials_of(&platform.driver).issue(&ObservedIdentity::named(user), &wanted);
    match runtime().block_on(ordered) {
        Ok(Ordered::Done(_)) => Ok(()),
        Ok(_) => Err(Kind::InProgress),
        Err(error) => {
            platform.check(&error);
            Err(error.kind())
        }
    }
}

#[test]
fn the_suite_with_tokens() {
    suite::run(&BY_TOKEN);
}
