//! HTTP requests of the stories themselves, to the simulator's control API and the operator's endpoints.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use reqwest::{Certificate, Client, ClientBuilder, Identity, Method};
use serde_json::Value;

use super::runtime;

/// A client that follows no redirect; with a CA file it trusts that authority too. Without one it is always the same:
/// to make one is to read every authority that the machine trusts, and a story that polls would do little else.
pub(crate) fn client(ca_file: Option<&Path>) -> Client {
    static PLAIN: LazyLock<Client> = LazyLock::new(|| built(Client::builder()));
    let Some(path) = ca_file else {
        return PLAIN.clone();
    };
    let pem = fs::read(path).expect("read a CA file");
    built(Client::builder().add_root_certificate(Certificate::from_pem(&pem).expect("a CA certificate")))
}

/// A client that shows a certificate to whoever has one of this authority.
pub(crate) fn client_with(authority: &Path, identity: Identity) -> Client {
    let pem = fs::read(authority).expect("read a CA file");
    let authority = Certificate::from_pem(&pem).expect("a CA certificate");
    built(Client::builder().add_root_certificate(authority).identity(identity))
}

fn built(builder: ClientBuilder) -> Client {
    builder.redirect(reqwest::redirect::Policy::none()).build().expect("an HTTP client")
}

/// One request that has to succeed; the answer's text.
pub(crate) fn call(method: Method, url: &str, body: Option<&Value>) -> String {
    runtime().block_on(async {
        let request = client(None).request(method, url);
        let request = if let Some(body) = body { request.json(body) } else { request };
        let answer = request.send().await.unwrap_or_else(|error| panic!("{url}: {error}"));
        let status = answer.status();
        let text = answer.text().await.unwrap_or_else(|error| panic!("{url}: {error}"));
        assert!(status.is_success(), "{url}: {status} {text}");
        text
    })
}

/// A GET whose answer is JSON.
pub(crate) fn get_json(url: &str) -> Value {
    serde_json::from_str(&call(Method::GET, url, None)).unwrap_or_else(|error| panic!("{url}: {error}"))
}
