//! What the JSON of the UAA's client API looks like, as far as we read and write it. Types only.

use serde::{Deserialize, Serialize};

use crate::api::identity::GrantType;
use crate::plan::owner::Owner;
use crate::platform::Mark;

use crate::platform::reading::Listed;

/// The most secrets that a client has.
const MOST_SECRETS: usize = 2;

/// A client as the UAA shows it; never with a secret. Lists come in any order.
#[derive(Deserialize)]
pub struct Client {
    #[serde(rename = "client_id")]
    pub id: String,
    #[serde(default)]
    pub authorities: Vec<String>,
    #[serde(default)]
    pub authorized_grant_types: Vec<String>,
    tuo_cluster: Option<String>,
    tuo_owner: Option<String>,
    tuo_credential: Option<String>,
    /// For people, `namespace/name`: see [`NewClient::name`].
    #[serde(default)]
    name: Option<String>,
}

impl Listed for Client {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Client {
    /// Whether it carries the mark of a cluster.
    pub fn is_of_cluster(&self, cluster: &str) -> bool {
        self.tuo_cluster.as_deref() == Some(cluster)
    }

    /// Whether it was made for this owner.
    pub fn is_of(&self, owner: &Owner) -> bool {
        self.is_of_cluster(&owner.cluster) && self.tuo_owner.as_deref() == Some(&owner.uid)
    }

    /// For whom it was made.
    pub fn mark(&self) -> Option<Mark> {
        let uid = self.tuo_owner.clone()?;
        let (namespace, name) = self.name.as_deref().and_then(|name| name.split_once('/')).unwrap_or_default();
        Some(Mark { uid, namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// The names of the credentials that its secrets are, the older first. None where nobody holds the secret. A name
    /// may stand for the secret of the one before it, where its own was never added.
    pub fn credentials(&self) -> Vec<String> {
        let names: Vec<&str> = self.tuo_credential.iter().flat_map(|names| names.split_whitespace()).collect();
        names.iter().rev().take(MOST_SECRETS).rev().map(ToString::to_string).collect()
    }

    /// Whether a filter for this id would find it.
    pub fn is_called(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }
}

/// A client to be made, with our mark in fields that the UAA keeps for us.
#[derive(Serialize)]
pub struct NewClient<'a> {
    pub client_id: &'a str,
    pub client_secret: &'a str,
    pub authorized_grant_types: &'a [GrantType],
    pub authorities: &'a [String],
    /// For people who look at the UAA.
    pub name: String,
    pub tuo_cluster: &'a str,
    pub tuo_owner: &'a str,
}

/// The authorities that a client shall have.
#[derive(Serialize)]
pub struct RoleChange<'a> {
    pub client_id: &'a str,
    pub authorized_grant_types: &'a [GrantType],
    pub authorities: &'a [String],
}

/// Which credentials a client's secrets are, separated by spaces. Empty: none that anybody holds.
#[derive(Serialize)]
pub struct CredentialMark<'a> {
    pub client_id: &'a str,
    /// As read. A UAA has been seen to refuse clients whose grant types were left out.
    pub authorized_grant_types: &'a [String],
    pub tuo_credential: String,
}

/// A change of a client's secrets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretChange<'a> {
    pub client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<&'a str>,
    pub change_mode: ChangeMode,
}

/// How secrets change.
#[derive(Clone, Copy, Serialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeMode {
    /// The new one stands beside the one there is.
    Add,
    /// The older of two goes.
    Delete,
    /// The new one takes the place of all there are.
    Update,
}

/// What it says to that.
#[derive(Deserialize)]
pub struct SecretChanged {
    pub status: String,
}

/// Why it refuses that.
#[derive(Deserialize)]
pub struct Refusal {
    #[serde(default)]
    error_description: String,
}

impl Refusal {
    /// Whether there are two secrets, and no room for another.
    pub fn has_two(&self) -> bool {
        self.error_description.contains("already has two secrets")
    }

    /// Whether there is one secret, and so no older one.
    pub fn has_one(&self) -> bool {
        self.error_description.contains("has only one secret")
    }
}
