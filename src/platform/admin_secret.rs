//! The admin Secret: what a platform handed out to log on with, read from a Kubernetes Secret's entries.
//!
//! Three forms are understood: the service key's own keys flat, the same with the `.metadata` that SAP's operator adds,
//! and the whole service key as one JSON value under any key. Errors name keys and never show values.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::certificate::Certificate;
use super::error::{Error, Kind, Result};
use super::http::address;
use super::shown::Shown;
use super::token::{Client, ClientProof};

/// Kubernetes keeps no larger Secret; who hands us more has mistaken something.
const LARGEST: usize = 1024 * 1024;
/// How SAP's own Secrets describe themselves; says nothing that the keys do not.
const DESCRIPTOR: &str = ".metadata";
/// Where command line tools wrap a service key's fields.
const WRAPPERS: [&str; 2] = ["credentials", "oauth"];
/// The keys by which a credential is known: each says who logs on.
const WHO: [&str; 4] = ["clientid", "token", "username", "certificate"];
const OPERATION: &str = "read admin Secret";

/// The fields of an admin credential. It has no `Debug`.
pub struct AdminSecret {
    fields: BTreeMap<String, Entry>,
}

enum Entry {
    Text(SecretString),
    /// Bytes that are no text. Only an error for whoever needs them.
    Binary,
}

impl AdminSecret {
    /// Reads the entries of a Secret.
    pub fn parse(entries: &BTreeMap<String, Vec<u8>>) -> Result<Self> {
        if entries.values().map(Vec::len).sum::<usize>() > LARGEST {
            return Err(malformed("it is larger than 1 MiB"));
        }
        if WHO.iter().any(|key| entries.contains_key(*key)) {
            let flat = entries.iter().filter(|(key, _)| *key != DESCRIPTOR);
            return Ok(Self { fields: flat.map(|(key, value)| (key.clone(), entry(value))).collect() });
        }
        let mut keys = entries.values().filter_map(|value| service_key(value));
        match (keys.next(), keys.next()) {
            (Some(fields), None) => Ok(Self { fields }),
            (Some(_), Some(_)) => Err(malformed("several of its keys hold a service key; leave one")),
            (None, _) => Err(malformed(
                "no key `clientid`, `token`, `username` or `certificate`, and no key that holds a service key as JSON",
            )),
        }
    }

    /// A field that must be there.
    pub fn text(&self, key: &str) -> Result<&SecretString> {
        match self.fields.get(key) {
            Some(Entry::Text(text)) if text.expose_secret().is_empty() => {
                Err(malformed(format!("key `{key}` is empty")))
            }
            Some(Entry::Text(text)) => Ok(text),
            Some(Entry::Binary) => Err(malformed(format!("key `{key}` is not text"))),
            None => Err(malformed(format!("no key `{key}`"))),
        }
    }

    /// Whether a field is there at all.
    pub fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// A field that must be there and be a base URL.
    pub fn address(&self, key: &'static str) -> Result<Url> {
        address::base(self.text(key)?.expose_secret(), key)
    }

    /// The client that this credential of XSUAA or the Service Manager is.
    pub fn client(&self) -> Result<Client> {
        let id = self.text("clientid")?.expose_secret().to_owned();
        if self.is_certificate() {
            let key = if self.has("certurl") { "certurl" } else { "tokenurl" };
            let proof = ClientProof::Certificate(self.pem("certificate")?, self.pem("key")?);
            return Ok(Client::new(self.token_url(key)?, id, proof));
        }
        if !self.has("clientsecret") {
            return Err(malformed("neither a key `clientsecret` nor keys `certificate` and `key`"));
        }
        let key = if self.has("tokenurl") { "tokenurl" } else { "url" };
        let proof = ClientProof::Body(self.text("clientsecret")?.clone());
        Ok(Client::new(self.token_url(key)?, id, proof))
    }

    fn is_certificate(&self) -> bool {
        self.has("certificate") && self.has("key") && !self.has("clientsecret")
    }

    /// From when to when the certificate is valid that it logs on with, if it is one that can be read.
    pub fn life(&self) -> Option<(Timestamp, Timestamp)> {
        let pem = self.is_certificate().then(|| self.pem("certificate").ok()).flatten()?;
        let certificate = Certificate::read(pem.expose_secret().as_bytes()).ok()?;
        Some((certificate.valid_from(), certificate.valid_until()))
    }

    /// `tokenurl` is the endpoint itself; `url` and `certurl` are the authorization server above it.
    pub fn token_url(&self, key: &'static str) -> Result<Url> {
        let url = self.address(key)?;
        if url.path().ends_with("/oauth/token") {
            Ok(url)
        } else {
            address::below(&url, &["oauth", "token"], OPERATION)
        }
    }

    /// What is shown with every call, where that is how it logs on: a token that somebody handed out, a name and a
    /// password, a client's id and secret, or a certificate.
    pub fn shown(&self) -> Result<Shown> {
        if self.has("token") {
            return Ok(Shown::Bearer(self.text("token")?.clone()));
        }
        if self.is_certificate() {
            return Ok(Shown::Certificate(self.pem("certificate")?, self.pem("key")?));
        }
        let (name, secret) = if self.has("username") { ("username", "password") } else { ("clientid", "clientsecret") };
        Ok(Shown::Basic(self.text(name)?.expose_secret().to_owned(), self.text(secret)?.clone()))
    }

    /// The client that fetches tokens at the endpoint that the credential names (RFC 6749 §2.3.1: by HTTP Basic).
    pub fn client_at_its_token_url(&self) -> Result<Client> {
        let id = self.text("clientid")?.expose_secret().to_owned();
        let proof = if self.is_certificate() {
            ClientProof::Certificate(self.pem("certificate")?, self.pem("key")?)
        } else {
            ClientProof::Basic(self.text("clientsecret")?.clone())
        };
        Ok(Client::new(self.address("tokenurl")?, id, proof))
    }

    /// PEM text; line breaks that were escaped once too often are put right.
    fn pem(&self, key: &str) -> Result<SecretString> {
        let text = self.text(key)?;
        if text.expose_secret().contains('\n') {
            Ok(text.clone())
        } else {
            Ok(text.expose_secret().replace("\\n", "\n").into())
        }
    }
}

fn malformed(detail: impl Into<String>) -> Error {
    Error::new(Kind::MalformedSecret, OPERATION).detail(detail)
}

/// A text without the line break that `echo` leaves at its end.
fn entry(value: &[u8]) -> Entry {
    std::str::from_utf8(value).map_or(Entry::Binary, |text| Entry::Text(text.trim().into()))
}

/// The fields of a service key written as one JSON value, if this is one.
fn service_key(value: &[u8]) -> Option<BTreeMap<String, Entry>> {
    let Value::Object(mut object) = serde_json::from_slice(value).ok()? else { return None };
    while !WHO.iter().any(|key| object.contains_key(*key)) {
        object = WRAPPERS.iter().find_map(|wrapper| take_object(&mut object, wrapper))?;
    }
    Some(object.into_iter().map(|(key, value)| (key, Entry::Text(as_text(value).into()))).collect())
}

fn take_object(object: &mut Map<String, Value>, key: &str) -> Option<Map<String, Value>> {
    match object.remove(key)? {
        Value::Object(inner) => Some(inner),
        _ => None,
    }
}

fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect()
    }

    fn refusal(pairs: &[(&str, &[u8])]) -> String {
        let client = AdminSecret::parse(&entries(pairs)).and_then(|secret| secret.client());
        let error = client.and_then(|client| client.http().map(drop)).unwrap_err();
        assert_eq!(error.kind(), Kind::MalformedSecret);
        error.to_string()
    }

    const FLAT: [(&str, &[u8]); 3] =
        [("clientid", b"sb-x!b1\n"), ("clientsecret", b"a+b$c="), ("url", b"https://sub.example.com")];

    #[test]
    fn every_form_says_the_same() {
        let json = br#"{"clientid":"sb-x!b1","clientsecret":"a+b$c=","url":"https://sub.example.com","n":1}"#;
        let wrapped = br#"{"credentials":{"oauth":{"clientid":"sb-x!b1","clientsecret":"a+b$c=","tokenurl":"https://sub.example.com/oauth/token"}}}"#;
        let metadata: &[u8] = br#"{"credentialProperties":[{"name":"clientid","format":"text"}]}"#;
        let described = [FLAT.as_slice(), &[(".metadata", metadata), ("instance_name", b"x")]].concat();
        for form in [FLAT.as_slice(), &described, &[("key.json", json)], &[("other", b"{}"), ("any", wrapped)]] {
            let client = AdminSecret::parse(&entries(form)).unwrap().client().unwrap();
            assert_eq!(client.id, "sb-x!b1");
            assert_eq!(client.token_url.as_str(), "https://sub.example.com/oauth/token");
            assert!(matches!(client.proof, ClientProof::Body(secret) if secret.expose_secret() == "a+b$c="));
        }
    }

    #[test]
    fn a_user_is_read_like_a_client() {
        let json: &[u8] = br#"{"username":"u","password":"p","origin":"o"}"#;
        let flat: [(&str, &[u8]); 3] = [("username", b"u\n"), ("password", b"p"), ("origin", b"o")];
        for form in [entries(&[("any", json)]), entries(&flat)] {
            let secret = AdminSecret::parse(&form).unwrap();
            assert!(secret.has("origin") && !secret.has("clientid"));
            assert_eq!(secret.text("username").unwrap().expose_secret(), "u");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(refusal(&[]).contains("no key `clientid`"));
        assert!(refusal(&FLAT[..1]).contains("neither a key `clientsecret`"));
        assert!(refusal(&FLAT[..2]).contains("no key `url`"));
        assert!(refusal(&[("clientid", b""), FLAT[1], FLAT[2]]).contains("key `clientid` is empty"));
        assert!(refusal(&[("clientid", b"\xff\xfe"), FLAT[1], FLAT[2]]).contains("key `clientid` is not text"));
    }

    #[test]
    fn what_is_shown_with_every_call_is_told_by_its_keys() {
        let shown = |pairs: &[(&str, &[u8])]| AdminSecret::parse(&entries(pairs)).and_then(|secret| secret.shown());
        let is_token = |shown: Shown| matches!(shown, Shown::Bearer(token) if token.expose_secret() == "t");
        assert!(is_token(shown(&[("token", b"t\n")]).unwrap()));
        assert!(is_token(shown(&[("any", br#"{"token":"t","url":"https://x"}"#)]).unwrap()));
        for keys in [["username", "password"], ["clientid", "clientsecret"]] {
            let basic = shown(&[(keys[0], b"a"), (keys[1], b"b")]).unwrap();
            assert!(matches!(basic, Shown::Basic(name, secret) if name == "a" && secret.expose_secret() == "b"));
        }
        assert!(matches!(shown(&[("certificate", b"c"), ("key", b"k")]).unwrap(), Shown::Certificate(..)));
        assert!(shown(&[("username", b"a")]).err().unwrap().to_string().contains("no key `password`"));
    }

    #[test]
    fn only_what_logs_on_with_a_certificate_lives_as_long_as_that() {
        let made = rcgen::generate_simple_self_signed(vec!["sb-x".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let life = |pairs: &[(&str, &[u8])]| AdminSecret::parse(&entries(pairs)).unwrap().life();
        let pair = [("certificate", certificate.as_bytes()), ("key", key.as_bytes())];
        assert!(life(&pair).is_some());
        assert_eq!(life(&FLAT), None);
        assert_eq!(life(&[pair.as_slice(), &FLAT].concat()), None, "it logs on with its secret");
        assert_eq!(life(&[("certificate", b"hunter2"), ("key", key.as_bytes())]), None);
    }

    #[test]
    fn a_key_of_another_pair_is_refused() {
        let [one, other] = [(); 2].map(|()| rcgen::generate_simple_self_signed(vec!["sb-x".to_owned()]).unwrap());
        let (certificate, key) = (one.cert.pem(), other.signing_key.serialize_pem());
        let message = refusal(&[
            FLAT[0],
            ("certificate", certificate.as_bytes()),
            ("key", key.as_bytes()),
            ("certurl", b"https://sub.cert.example.com"),
        ]);
        assert!(message.contains("`certificate`"), "{message}");
    }

    #[test]
    fn values_are_never_shown() {
        for value in ["http://hunter2.example.com", "hunter2", "ftp://hunter2", "https://u:hunter2@example.com"] {
            let message = refusal(&[FLAT[0], FLAT[1], ("url", value.as_bytes())]);
            assert!(message.contains("`url`") && !message.contains("hunter2"), "{message}");
        }
        let pair: [(&str, &[u8]); 2] = [("certificate", b"hunter2"), ("key", b"hunter2")];
        let message = refusal(&[FLAT[0], pair[0], pair[1], ("certurl", b"https://sub.cert.example.com")]);
        assert!(message.contains("`certificate`") && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn nonsense_is_refused_in_peace() {
        let enormous = vec![b'x'; LARGEST + 1];
        assert!(refusal(&[("clientid", &enormous)]).contains("larger"));
        let deep = "[".repeat(100_000);
        for value in [deep.as_bytes(), b"null", b"[]", b"\"clientid\"", b"{\"oauth\":7}", b"\xff", b"{\"clientid\""] {
            assert!(refusal(&[("key.json", value)]).contains("no key `clientid`"));
        }
        let twice: &[u8] = br#"{"clientid":"x"}"#;
        assert!(refusal(&[("a", twice), ("b", twice)]).contains("several"));
    }

    #[test]
    fn a_certificate_logs_on_at_its_own_host() {
        let made = rcgen::generate_simple_self_signed(vec!["sb-x".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let escaped = certificate.replace('\n', "\\n");
        for certificate in [certificate, escaped] {
            let form = entries(&[
                FLAT[0],
                ("certificate", certificate.as_bytes()),
                ("key", key.as_bytes()),
                ("certurl", b"https://sub.cert.example.com"),
                ("url", b"https://sub.example.com"),
            ]);
            let client = AdminSecret::parse(&form).unwrap().client().unwrap();
            client.http().unwrap();
            assert_eq!(client.token_url.as_str(), "https://sub.cert.example.com/oauth/token");
            assert!(matches!(client.proof, ClientProof::Certificate(..)));
            let (since, until) = AdminSecret::parse(&form).unwrap().life().unwrap();
            assert!(since < until);
        }
    }
}
