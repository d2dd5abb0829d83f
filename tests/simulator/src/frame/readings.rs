//! The ways in which one behaviour of a platform can be read: what its documents leave open, or what differs from tenant to
//! tenant. Each is a type of [`super::settings`]; the usual one is the default.

use serde::{Deserialize, Serialize};

/// What `idpDisplayName` of an attribute mapping carries; real tenants have shown both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IdpDisplayName {
    /// The origin key.
    #[default]
    Origin,
    /// The host of the identity provider's tenant.
    Host,
}

/// What becomes of fields of a Service Manager's request that nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnknownFields {
    /// 400, so that a client that misspells a field finds out here.
    #[default]
    Refused,
    /// Read over, as the real service does.
    Ignored,
}

/// How `errors` of an operation is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OperationErrors {
    /// One object: the open core.
    #[default]
    Object,
    /// A list of them: the OpenAPI document.
    List,
}

/// Whether the answer to a broker's refusal has a member with what the broker said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BrokerErrorMember {
    /// It has not: the open core.
    #[default]
    Absent,
    /// It has: recorded answers of SAP's service.
    Present,
}

/// What an instance of Cloud Integration may do whose parameters name no `grant-types`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MissingGrantTypes {
    /// Its clients get no token.
    #[default]
    None,
    /// As if `client_credentials` had been named.
    ClientCredentials,
}

/// What an instance of Cloud Integration without roles may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EmptyRoles {
    /// Nothing.
    #[default]
    Nothing,
    /// What the broker thinks usual: `ESBMessaging.send`, `MonitoringDataRead`.
    Default,
}

/// Where Neo's token endpoint looks for the grant type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NeoGrantType {
    /// In the query, as documented.
    #[default]
    Query,
    /// In the query or in the form.
    QueryOrForm,
}

/// What Neo's members API reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NeoMemberBodies {
    /// `application/scim+json` only (RFC 7644, section 3.1: what clients should send).
    #[default]
    Scim,
    /// `application/json` too (the same section: what servers may accept).
    ScimOrJson,
}

/// What becomes of a role for a name that the UAA of Cloud Foundry does not know, in an origin other than its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnknownUsers {
    /// The role is refused.
    #[default]
    Refused,
    /// Managers of organizations make the user on the way.
    Created,
}

/// What `Retry-After` of Cloud Foundry's own rate says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CloudFoundryRetryAfter {
    /// Seconds until the hour ends.
    #[default]
    Seconds,
    /// When the hour ends, in seconds since 1970, as older Cloud Controllers do.
    Epoch,
}

/// Whether the platforms keep to the rates they document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rates {
    /// They do.
    #[default]
    Documented,
    /// They answer everything: for tests and measurements of other things.
    Lifted,
}

/// Whether a directory can do something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Support {
    /// It can.
    #[default]
    Supported,
    /// It cannot, and says so.
    Unsupported,
}

/// What the SCIM directory does with filters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ScimFilter {
    /// It filters.
    #[default]
    Supported,
    /// 400.
    Refused,
    /// It lists everything.
    Ignored,
}

/// How the SCIM directory's administrator proves who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ScimCredential {
    /// A token that lasts.
    #[default]
    Bearer,
    /// Name and password.
    Basic,
    /// A token from the directory's token endpoint.
    ClientCredentials,
}

/// What passwords of the identity service have to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IdentityPasswordPolicy {
    /// Strong enough.
    #[default]
    Standard,
    /// And not changed too often, not too old, and none of the last five.
    Enterprise,
}

/// What deleting a user of the identity service means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IdentityDelete {
    /// It is gone.
    #[default]
    Final,
    /// It is blocked, and comes back with its `userUuid`.
    Blocks,
}

/// Which requests that change something need a token against forged requests at Cloud Integration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CloudIntegrationCsrf {
    /// All of them.
    #[default]
    Required,
    /// Those that carry no access token.
    NotForBearer,
}
