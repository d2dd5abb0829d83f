//! What the JSON of the UAA's client API looks like, as far as we read and write it. Types only.

use serde::{Deserialize, Serialize};

use crate::api::identity::GrantType;
use crate::plan::owner::Owner;
use crate::platform::Mark;

/// A page of clients.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub resources: Vec<Client>,
    pub total_results: usize,
}

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

    /// The name of the credential that its secret is; `None` where nobody holds it.
    pub fn credential(&self) -> Option<&str> {
        self.tuo_credential.as_deref().filter(|name| !name.is_empty())
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

/// Which credential a client's secret is. Empty: none that anybody holds.
#[derive(Serialize)]
pub struct CredentialMark<'a> {
    pub client_id: &'a str,
    /// As read. A UAA has been seen to refuse clients whose grant types were left out.
    pub authorized_grant_types: &'a [String],
    pub tuo_credential: &'a str,
}

/// A change of a client's secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretChange<'a> {
    pub client_id: &'a str,
    pub secret: &'a str,
    /// `UPDATE` leaves exactly this one secret, however many there were.
    pub change_mode: &'static str,
}

/// What it says to that.
#[derive(Deserialize)]
pub struct SecretChanged {
    pub status: String,
}
