//! What somebody who keeps certificates does, as cert-manager would: pairs, and Secrets with them; and what whoever holds one
//! can do with it.

use std::collections::BTreeMap;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use reqwest::{Identity, Method};
use serde_json::{Value, json};

use super::{http, runtime};

/// A certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pair {
    /// A new one, good for long.
    pub(crate) fn new() -> Self {
        Self::ending_in(4000)
    }

    /// A new one that ends in this year.
    pub(crate) fn ending_in(year: i32) -> Self {
        let mut params = CertificateParams::new(vec!["intake.acme.example".to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// The Secret that it is kept in.
    pub(crate) fn secret(&self, namespace: &str, name: &str) -> Value {
        let metadata = json!({ "name": name, "namespace": namespace });
        let data = json!({ "tls.crt": self.certificate, "tls.key": self.key, "ca.crt": self.certificate });
        json!({ "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata, "stringData": data })
    }
}

/// The status with which the sender endpoint of Cloud Integration answers a message sent with a Secret's certificate.
pub(crate) fn send(secret: &BTreeMap<String, String>, authority: &Path) -> u16 {
    let identity = Identity::from_pem(format!("{}{}", secret["tls.crt"], secret["tls.key"]).as_bytes());
    let client = http::client_with(authority, identity.expect("a pair that fits"));
    let url = format!("{}/http/orders", secret["url"]);
    runtime().block_on(async {
        let request = client.post(url).json(&json!({ "order": 1 }));
        request.send().await.expect("an answer").status().as_u16()
    })
}

/// Removes a mapping past the operator, with the credential of the tenant's administrator.
pub(crate) fn unmap(administrator: &Value, id: &str) {
    let text = |name: &str| administrator[name].as_str().expect("a field of an admin credential");
    let asked = |method, path: &str| {
        let request = http::client(None).request(method, format!("{}/api/v1/{path}", text("url")));
        request.basic_auth(text("clientid"), Some(text("clientsecret")))
    };
    runtime().block_on(async {
        let fetched = asked(Method::GET, "").header("x-csrf-token", "Fetch").send().await.expect("a token");
        let header = |name: &str| fetched.headers()[name].to_str().expect("text").to_owned();
        let removed = asked(Method::DELETE, &format!("CertificateUserMappings('{id}')"))
            .header("x-csrf-token", header("x-csrf-token"))
            .header("cookie", header("set-cookie").split(';').next().expect("a cookie"));
        assert_eq!(removed.send().await.expect("an answer").status(), 204);
    });
}
