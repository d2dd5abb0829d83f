//! What a technical user is on a platform.
//!
//! Another identity is another type and a line in each list here.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Principal;

/// Names exactly one of these.
// Where each can be is added to what is said of it here, by `plan::definitions`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Identity {
    /// A service key: an OAuth client that belongs to a service instance of its own.
    ServiceKey(ServiceKey),
    /// A client of a UAA that one runs oneself.
    OauthClient(OauthClient),
    /// A user of a directory, with a password that the operator makes.
    DirectoryUser(DirectoryUser),
    /// Whoever shows a client certificate: the certificate is mapped to a user name.
    CertificateUser(CertificateUser),
    /// A user that somebody else made: a P-user, an S-user, a user of a custom identity provider, or an
    /// `oauth_client_<id>` of Neo. It gets roles and nothing else.
    Existing(Existing),
}

impl Identity {
    /// Which of the kinds it is.
    pub const fn kind(&self) -> IdentityKind {
        match self {
            Self::ServiceKey(_) => IdentityKind::ServiceKey,
            Self::OauthClient(_) => IdentityKind::OauthClient,
            Self::DirectoryUser(_) => IdentityKind::DirectoryUser,
            Self::CertificateUser(_) => IdentityKind::CertificateUser,
            Self::Existing(_) => IdentityKind::Existing,
        }
    }

    /// The user that it is by its own word, whoever made it: one that is `existing`, or one that a certificate is mapped to.
    pub fn user(&self) -> Option<Principal> {
        let (name, origin) = match self {
            Self::Existing(user) => (&user.user_name, &user.origin),
            Self::CertificateUser(user) => (&user.user_name, &None),
            Self::ServiceKey(_) | Self::OauthClient(_) | Self::DirectoryUser(_) => return None,
        };
        Some(Principal { name: name.clone(), origin: origin.clone() })
    }
}

/// The kinds of identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// [`ServiceKey`].
    ServiceKey,
    /// [`OauthClient`].
    OauthClient,
    /// [`DirectoryUser`].
    DirectoryUser,
    /// [`CertificateUser`].
    CertificateUser,
    /// [`Existing`].
    Existing,
}

impl IdentityKind {
    /// Every kind, in the order in which documents name them.
    pub const ALL: [Self; 5] =
        [Self::ServiceKey, Self::OauthClient, Self::DirectoryUser, Self::CertificateUser, Self::Existing];

    /// The field's own name, as messages print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServiceKey => "serviceKey",
            Self::OauthClient => "oauthClient",
            Self::DirectoryUser => "directoryUser",
            Self::CertificateUser => "certificateUser",
            Self::Existing => "existing",
        }
    }
}

/// A service key of a service instance that is made for this TechnicalUser alone.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceKey {
    /// The service offering, for example `it-rt` (Process Integration Runtime).
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[a-zA-Z0-9._-]+$"))]
    pub offering: String,
    /// The service plan, for example `integration-flow`.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[a-zA-Z0-9._-]+$"))]
    pub plan: String,
    /// The space of Cloud Foundry that the instance is made in. Needed on `cloudFoundry`; there is none on `btp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<Space>,
    /// Parameters of the instance. The parameter that takes the offering's roles is refused here: RoleBindings with
    /// `instanceRole` fill it in. Offerings that have one: `it-rt` (`roles`), and those that the Platform lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_form_object")]
    pub parameters: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A space of Cloud Foundry, by name.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct Space {
    /// The organization's name, exactly as the platform spells it.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s](?:.*[^\s])?$"))]
    pub organization: String,
    /// The space's name, exactly as the platform spells it.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s](?:.*[^\s])?$"))]
    pub name: String,
}

fn free_form_object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// A client of a UAA.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OauthClient {
    /// The grant types the client may use.
    #[serde(default = "client_credentials")]
    #[schemars(length(min = 1, max = 4))]
    pub grant_types: Vec<GrantType>,
}

fn client_credentials() -> Vec<GrantType> {
    vec![GrantType::ClientCredentials]
}

/// Grant types for machines (RFC 6749 §4.4, RFC 7523 §2.1).
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// The client acts for itself.
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// The client exchanges a signed assertion.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

/// A user of a directory that is made for this TechnicalUser. No mail is sent, and no person has to confirm it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryUser {
    /// The name that it logs on with, for example `tu-orders`. It must not be taken.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s<>:/;](?:[^<>:/;]*[^\s<>:/;])?$"))]
    pub user_name: String,
    /// Its e-mail address, where the directory wants one; nothing is ever sent there. Left out: one that nobody has, below
    /// `invalid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 255), regex(pattern = r"^[^@\s]+@[^@\s]+$"))]
    pub email: Option<String>,
    /// When the directory shall stop accepting it, where the directory knows such a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Time>,
}

/// A user that is whoever shows a certificate. It need not exist anywhere else; where it does, the certificate is as good as
/// its password.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CertificateUser {
    /// The name that roles are granted to, for example `tu-orders`.
    #[schemars(length(min = 1, max = 150), regex(pattern = r"^[^\s<>:/;](?:[^<>:/;]*[^\s<>:/;])?$"))]
    pub user_name: String,
}

/// A user that exists already.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Existing {
    /// The user's name as the platform knows it, for example `P1234567`, `oauth_client_<id>` or an e-mail address.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s<>:/;](?:[^<>:/;]*[^\s<>:/;])?$"))]
    pub user_name: String,
    /// The identity provider that the name belongs to. On `btp` an origin key, `sap.default` where left out; on `neo`
    /// the user base, `accounts.sap.com` where left out; on `cloudFoundry` an origin key, `sap.ids` where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-zA-Z0-9._-]+$"))]
    pub origin: Option<String>,
}
