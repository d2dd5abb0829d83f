//! The broker of `it-rt`, SAP Process Integration Runtime: the service whose keys call Cloud Integration.
//!
//! Its roles are a parameter of the *instance*: they decide what the tokens of all its keys carry, and cannot be read
//! back. Its keys are wrapped in `oauth` and speak a dialect of their own (SAP Help Portal, "Specifying Service
//! Instance and Service Key Parameters in JSON Format", "Service Key Types").

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::certificates::{self, Details, KeyKind};
use crate::clients::{Opened, Proof};
use crate::frame::{EmptyRoles, MissingGrantTypes, Settings, random};
use crate::service_manager::{Broker, BrokerRefusal, Key, KeyOrder, Parameters, register};

const DAY: Duration = Duration::from_hours(24);
/// Names of service keys are at most this long (SAP Help Portal, "Creating Service Instance and Service Key").
const LONGEST_KEY_NAME: usize = 32;
/// Seconds a token may last.
const TOKEN_VALIDITY: std::ops::RangeInclusive<u64> = 3600..=86_400;
/// Days a certificate may last.
const CERTIFICATE_DAYS: std::ops::RangeInclusive<u32> = 1..=365;

/// The plans of the offering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuntimePlan {
    /// Senders of messages.
    IntegrationFlow,
    /// Callers of the `OData` APIs.
    Api,
}

/// The broker for one of the plans.
pub(crate) struct ProcessIntegrationRuntime(pub(crate) RuntimePlan);

/// Parameters of an instance. Roles are free text: those of a tenant's own user roles are not known to the broker.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct InstanceParameters {
    grant_types: Option<Vec<String>>,
    #[serde(default, rename = "redirect-uris")]
    _redirect_uris: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    token_validity: Option<u64>,
}

impl InstanceParameters {
    /// Whether clients of the instance get tokens by the only grant there is here. Every example of SAP's names it; what
    /// comes of naming none is a switch.
    fn by_client_credentials(&self, settings: &Settings) -> bool {
        self.grant_types.as_ref().map_or_else(
            || settings.missing_grant_types == MissingGrantTypes::ClientCredentials,
            |named| named.iter().any(|grant| grant == "client_credentials"),
        )
    }
}

/// Parameters of a key. Without `key-type` it is a client id with its secret.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KeyParameters {
    key_type: Option<KeyType>,
    #[serde(default = "longest_validity")]
    validity: u32,
    #[serde(default = "usual_length")]
    key_length: u32,
    #[serde(rename = "X.509")]
    x509: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyType {
    Certificate,
    CertificateExternal,
}

fn longest_validity() -> u32 {
    *CERTIFICATE_DAYS.end()
}

fn usual_length() -> u32 {
    2048
}

impl Broker for ProcessIntegrationRuntime {
    fn read(&self, parameters: &Parameters, settings: &Settings) -> Result<Opened, BrokerRefusal> {
        let mut parameters = instance_parameters(parameters)?;
        let usual = if self.0 == RuntimePlan::Api { 43_200 } else { 3600 };
        let seconds = parameters.token_validity.unwrap_or(usual);
        if !TOKEN_VALIDITY.contains(&seconds) {
            return Err(BrokerRefusal::parameters("token-validity must be between 3600 and 86400 seconds"));
        }
        if let Some(wrong) = parameters.roles.iter().find(|role| !is_role_name(role)) {
            return Err(BrokerRefusal::parameters(format!("role {wrong} is not a valid role name")));
        }
        if parameters.roles.is_empty() && settings.empty_roles == EmptyRoles::Default {
            parameters.roles.push(self.usual_role().to_owned());
        }
        let by_client_credentials = parameters.by_client_credentials(settings);
        let token_validity = Duration::from_secs(seconds);
        Ok(Opened { scopes: parameters.roles, token_validity, by_client_credentials })
    }

    fn make_key(&self, order: &KeyOrder<'_>) -> Result<Key, BrokerRefusal> {
        let parameters: KeyParameters = serde_json::from_value(Value::Object(order.parameters.clone()))
            .map_err(|wrong| BrokerRefusal::parameters(format!("invalid parameters: {wrong}")))?;
        let id = format!("sb-{}!b157978|{}", random::uuid(), self.application());
        match parameters.key_type {
            None => self.secret_key(order, id),
            Some(kind) => {
                let settings = order.subaccount.frame.settings.current();
                if !instance_parameters(order.instance_parameters)?.by_client_credentials(&settings) {
                    return Err(BrokerRefusal::parameters("key-type needs the grant type client_credentials"));
                }
                self.certificate_key(order, id, kind, &parameters)
            }
        }
    }

    fn longest_key_name(&self) -> usize {
        LONGEST_KEY_NAME
    }
}

impl ProcessIntegrationRuntime {
    /// The application that the client id names after its `|`.
    fn application(&self) -> &'static str {
        match self.0 {
            RuntimePlan::IntegrationFlow => "it-rt-simulated-subaccount-8ptbr820!b117912",
            RuntimePlan::Api => "it!b117912",
        }
    }

    fn usual_role(&self) -> &'static str {
        match self.0 {
            RuntimePlan::IntegrationFlow => "ESBMessaging.send",
            RuntimePlan::Api => "MonitoringDataRead",
        }
    }

    fn path(&self) -> &'static str {
        match self.0 {
            RuntimePlan::IntegrationFlow => "/runtime",
            RuntimePlan::Api => "/tenant",
        }
    }

    /// A key with a secret: `$`, `=`, `-` and `_` are in it as in real ones, and the mark for leak scans.
    fn secret_key(&self, order: &KeyOrder<'_>, id: String) -> Result<Key, BrokerRefusal> {
        let secret = format!("{}$planted_{}-=", random::uuid(), random::opaque());
        register(order.subaccount, &id, Proof::Secret(secret.clone()), &order.rights)?;
        let credentials = json!({"oauth": {
            "createdate": order.subaccount.frame.clock.stamp(),
            "clientid": id, "clientsecret": secret,
            "tokenurl": format!("{}/oauth/token", order.subaccount.token_host()),
            "url": format!("{}{}", order.subaccount.frame.url, self.path()),
        }});
        Ok(Key { credentials, client_id: Some(id) })
    }

    /// A key with a certificate: its URLs are those of the TLS listener, where the certificate can be shown.
    fn certificate_key(
        &self,
        order: &KeyOrder<'_>,
        id: String,
        kind: KeyType,
        parameters: &KeyParameters,
    ) -> Result<Key, BrokerRefusal> {
        let (details, mut oauth) = match kind {
            KeyType::Certificate => generated(order, &id, parameters)?,
            KeyType::CertificateExternal => external(parameters)?,
        };
        oauth["certificatedetails"] = details.as_service_key_field();
        let proof = Proof::Certificate { fingerprint: details.fingerprint, valid_until: details.valid_until };
        register(order.subaccount, &id, proof, &order.rights)?;
        oauth["createdate"] = json!(order.subaccount.frame.clock.stamp());
        oauth["clientid"] = json!(id);
        oauth["tokenurl"] = json!(format!("{}/oauth/token", order.subaccount.certificate_token_host()));
        oauth["url"] = json!(format!("{}{}", order.subaccount.frame.mtls_url, self.path()));
        Ok(Key { credentials: json!({"oauth": oauth}), client_id: Some(id) })
    }
}

fn instance_parameters(parameters: &Parameters) -> Result<InstanceParameters, BrokerRefusal> {
    serde_json::from_value(Value::Object(parameters.clone()))
        .map_err(|wrong| BrokerRefusal::parameters(format!("invalid parameters: {wrong}")))
}

fn is_role_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

/// A certificate of the platform's own authority.
fn generated(order: &KeyOrder<'_>, id: &str, parameters: &KeyParameters) -> Result<(Details, Value), BrokerRefusal> {
    if !CERTIFICATE_DAYS.contains(&parameters.validity) {
        return Err(BrokerRefusal::parameters("validity must be between 1 and 365 days"));
    }
    let kind = match parameters.key_length {
        2048 => KeyKind::Rsa2048,
        4096 => KeyKind::Rsa4096,
        _ => return Err(BrokerRefusal::parameters("key-length must be 2048 or 4096")),
    };
    let now = order.subaccount.frame.clock.now();
    let issued = order
        .subaccount
        .authority
        .for_client(id, kind, now, DAY * parameters.validity)
        .map_err(|_| BrokerRefusal { status: 500, text: "the certificate could not be issued".to_owned() })?;
    Ok((issued.details, json!({"certificate": issued.chain, "key": issued.key})))
}

/// A certificate of the client's own: the leaf alone, and whoever has signed it.
fn external(parameters: &KeyParameters) -> Result<(Details, Value), BrokerRefusal> {
    let pem = parameters.x509.as_deref().ok_or_else(|| BrokerRefusal::parameters("X.509 is missing"))?;
    if pem.matches("-----BEGIN CERTIFICATE-----").count() > 1 {
        return Err(BrokerRefusal::parameters("X.509 must be a single certificate without its chain"));
    }
    let details = certificates::inspect_pem(pem)
        .ok_or_else(|| BrokerRefusal::parameters("X.509 is not a certificate in PEM format"))?;
    Ok((details, json!({"certificate": pem})))
}

#[cfg(test)]
mod tests;
