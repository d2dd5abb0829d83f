//! Brokers of services whose keys are flat, in the dialect of XSUAA: client secret by default, `"credential-type":
//! "x509"` for a certificate (SAP Help Portal, "Parameters for X.509 Certificates Managed by SAP Authorization and
//! Trust Management Service"). None of them takes roles as a parameter.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::certificates::{self, Details, KeyKind};
use crate::clients::{Client, Opened, Proof, Rights};
use crate::frame::{Settings, random};
use crate::subaccount::Subaccount;

use super::broker::{Broker, BrokerRefusal, Key, KeyOrder, Parameters};

const DAY: Duration = Duration::from_hours(24);
const TOKEN_VALIDITY: Duration = Duration::from_hours(1);

/// Whether each binding has a secret of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretKind {
    /// A new secret with every binding.
    PerBinding,
    /// One secret for all bindings of an instance, which a new binding does not change.
    PerInstance,
}

/// What the field `url` of its keys is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// The token service.
    TokenService,
    /// An API of the service's own; its keys do not say where tokens are to be had.
    OwnApi,
}

/// The broker of one such service.
pub(crate) struct ManagedClient {
    /// Name of the service's application.
    pub(crate) xsappname: &'static str,
    /// What its tokens carry.
    pub(crate) scopes: &'static [&'static str],
    /// Where its secrets belong.
    pub(crate) secret: SecretKind,
    /// Where its keys point.
    pub(crate) address: Address,
}

/// Parameters of a binding.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KeyParameters {
    #[serde(default)]
    credential_type: CredentialType,
    #[serde(default)]
    x509: X509,
}

/// `instance-secret` cannot be asked for: it is refused for new bindings, and the services that still have it do not
/// offer a choice.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CredentialType {
    #[default]
    BindingSecret,
    X509,
}

/// The certificate: to be generated, or one of the client's own.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct X509 {
    key_length: u32,
    validity: u32,
    validity_type: String,
    certificate: Option<String>,
    certificate_pinning: bool,
    #[serde(rename = "ensure-uniqueness")]
    _ensure_uniqueness: bool,
    hide_certificate: bool,
}

impl Default for X509 {
    fn default() -> Self {
        Self {
            key_length: 2048,
            validity: 7,
            validity_type: "DAYS".to_owned(),
            certificate: None,
            certificate_pinning: true,
            _ensure_uniqueness: false,
            hide_certificate: false,
        }
    }
}

impl X509 {
    fn validity(&self) -> Result<Duration, BrokerRefusal> {
        let days = 1..=30;
        if self.validity_type != "DAYS" || !days.contains(&self.validity) {
            return Err(BrokerRefusal::parameters("The validity of a certificate must be between 1 and 30 DAYS."));
        }
        Ok(DAY * self.validity)
    }

    fn key_kind(&self) -> Result<KeyKind, BrokerRefusal> {
        match self.key_length {
            2048 => Ok(KeyKind::Rsa2048),
            4096 => Ok(KeyKind::Rsa4096),
            _ => Err(BrokerRefusal::parameters("The key length must be 2048 or 4096.")),
        }
    }
}

impl Broker for ManagedClient {
    fn read(&self, _parameters: &Parameters, _settings: &Settings) -> Result<Opened, BrokerRefusal> {
        let scopes = self.scopes.iter().map(|&scope| scope.to_owned()).collect();
        Ok(Opened { scopes, token_validity: TOKEN_VALIDITY, by_client_credentials: true })
    }

    fn make_key(&self, order: &KeyOrder<'_>) -> Result<Key, BrokerRefusal> {
        let parameters: KeyParameters = serde_json::from_value(Value::Object(order.parameters.clone()))
            .map_err(|wrong| BrokerRefusal::parameters(format!("Invalid parameters: {wrong}")))?;
        match (self.secret, parameters.credential_type) {
            (SecretKind::PerInstance, CredentialType::BindingSecret) => Ok(self.instance_secret(order)),
            (SecretKind::PerInstance, CredentialType::X509) => {
                Err(BrokerRefusal::parameters("The credential-type x509 is not allowed for this instance."))
            }
            (SecretKind::PerBinding, CredentialType::BindingSecret) => self.binding_secret(order),
            (SecretKind::PerBinding, CredentialType::X509) => self.certificate(order, &parameters.x509),
        }
    }

    fn deprovision(&self, subaccount: &Subaccount, instance_id: &str) {
        subaccount.clients.remove(&self.instance_client_id(instance_id));
    }
}

impl ManagedClient {
    fn instance_client_id(&self, instance_id: &str) -> String {
        format!("sb-{instance_id}!b157978|{}", self.xsappname)
    }

    /// The same client and secret for every binding: making a new binding rotates nothing.
    fn instance_secret(&self, order: &KeyOrder<'_>) -> Key {
        let id = self.instance_client_id(order.instance_id);
        let existing = order.subaccount.clients.by_id(&id);
        let secret = match existing.as_ref().map(|client| &client.proof) {
            Some(Proof::Secret(secret)) => secret.clone(),
            _ => planted_secret(),
        };
        let (proof, rights) = (Proof::Secret(secret.clone()), Arc::clone(&order.rights));
        let since = existing.map_or_else(|| order.subaccount.frame.clock.now(), |client| client.since);
        drop(order.subaccount.clients.register(Client { id: id.clone(), proof, rights, since }));
        let credentials = self.flat(order.subaccount, &id, "instance-secret", &json!({"clientsecret": secret}));
        Key { credentials, client_id: None }
    }

    fn binding_secret(&self, order: &KeyOrder<'_>) -> Result<Key, BrokerRefusal> {
        let id = self.binding_client_id();
        let secret = planted_secret();
        register(order.subaccount, &id, Proof::Secret(secret.clone()), &order.rights)?;
        let credentials = self.flat(order.subaccount, &id, "binding-secret", &json!({"clientsecret": secret}));
        Ok(Key { credentials, client_id: Some(id) })
    }

    fn certificate(&self, order: &KeyOrder<'_>, x509: &X509) -> Result<Key, BrokerRefusal> {
        let id = self.binding_client_id();
        let (details, mut fields) = match &x509.certificate {
            Some(pem) => own_certificate(pem)?,
            None => generated(order.subaccount, &id, x509)?,
        };
        let proof = Proof::Certificate { fingerprint: details.fingerprint, valid_until: details.valid_until };
        register(order.subaccount, &id, proof, &order.rights)?;
        if x509.hide_certificate {
            fields["certificate"].take();
        }
        fields["certurl"] = json!(order.subaccount.certificate_token_host());
        fields["certificate-pinning"] = json!(x509.certificate_pinning);
        Ok(Key { credentials: self.flat(order.subaccount, &id, "x509", &fields), client_id: Some(id) })
    }

    fn binding_client_id(&self) -> String {
        format!("sb-{}!b157978|{}", random::uuid(), self.xsappname)
    }

    /// The fields every key of the dialect has, and those that prove the client.
    fn flat(&self, subaccount: &Subaccount, client_id: &str, credential_type: &str, proof: &Value) -> Value {
        let place = subaccount.place;
        let mut credentials = match self.address {
            Address::OwnApi => json!({
                "clientid": client_id, "credential-type": credential_type,
                "url": format!("{}/runtime/http/documents", subaccount.frame.url),
            }),
            Address::TokenService => json!({
            "clientid": client_id, "credential-type": credential_type, "xsappname": self.xsappname,
            "url": subaccount.token_host(), "apiurl": format!("{}/xsuaa", subaccount.frame.url),
            "uaadomain": "authentication.simulator.hana.ondemand.com", "tenantmode": "dedicated",
            "identityzone": place.subdomain, "identityzoneid": place.zone, "tenantid": place.zone,
            "zoneid": place.zone, "subaccountid": place.zone,
            }),
        };
        for (name, value) in proof.as_object().into_iter().flatten() {
            credentials[name] = value.clone();
        }
        credentials
    }
}

/// A secret in the shape of XSUAA, marked for leak scans, with the characters that spoil careless encoding.
fn planted_secret() -> String {
    format!("{}$planted-+{}=", random::uuid(), random::opaque())
}

fn own_certificate(pem: &str) -> Result<(Details, Value), BrokerRefusal> {
    let details = certificates::inspect_pem(pem)
        .ok_or_else(|| BrokerRefusal::parameters("The certificate is not valid PEM format."))?;
    Ok((details, json!({"certificate": pem})))
}

fn generated(subaccount: &Subaccount, client_id: &str, x509: &X509) -> Result<(Details, Value), BrokerRefusal> {
    let now = subaccount.frame.clock.now();
    let issued = subaccount
        .authority
        .for_client(client_id, x509.key_kind()?, now, x509.validity()?)
        .map_err(|_| BrokerRefusal { status: 500, text: "The certificate could not be issued.".to_owned() })?;
    Ok((issued.details, json!({"certificate": issued.chain, "key": issued.key})))
}

/// Registers the client of a key; a certificate that belongs to another client is a wrong parameter.
pub(crate) fn register(
    subaccount: &Subaccount,
    id: &str,
    proof: Proof,
    rights: &Arc<Rights>,
) -> Result<(), BrokerRefusal> {
    let since = subaccount.frame.clock.now();
    let client = Client { id: id.to_owned(), proof, rights: Arc::clone(rights), since };
    let taken = "The certificate is already used by another service key.";
    subaccount.clients.register(client).map_err(|_| BrokerRefusal::parameters(taken))
}
