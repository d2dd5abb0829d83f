//! How a credential stands in its Secret: in which form, under which keys, and what is on the Secret beside it.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The form of the credential in the Secret. Which reader takes which is told in `docs/consuming.md`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A key for each field, and `.metadata`, which names them: what SAP's libraries read below `SERVICE_BINDING_ROOT`.
    #[default]
    Descriptor,
    /// A key for each field, without `.metadata`.
    Flat,
    /// The whole credential as JSON in the key `credentials`, and `.metadata`.
    Json,
}

/// What is on a Secret we write, and what is in it beside the credential.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.rename) || !has(self.data) || self.rename.all(key, !(self.rename[key] in self.data))").message("a key of data is the new name of another key; choose another"),
    validation = Rule::new("!has(self.rename) || !has(self.omit) || self.omit.all(key, !(key in self.rename))").message("a key is either renamed or omitted"),
    validation = Rule::new("!has(self.type) || self.type != 'kubernetes.io/tls' || ((!has(self.omit) || !self.omit.exists(key, key in ['tls.crt', 'tls.key'])) && (!has(self.rename) || !self.rename.exists(key, key in ['tls.crt', 'tls.key'])))").message("a Secret of type kubernetes.io/tls needs tls.crt and tls.key; leave them"),
    validation = Rule::new("!has(self.type) || self.type != 'kubernetes.io/basic-auth' || ((!has(self.omit) || !self.omit.exists(key, key in ['username', 'password'])) && (!has(self.rename) || !self.rename.exists(key, key in ['username', 'password'])))").message("a Secret of type kubernetes.io/basic-auth needs username and password; leave them"),
    validation = Rule::new("!has(self.type) || !self.type.startsWith('servicebinding.io/') || ((!has(self.omit) || !self.omit.exists(key, key == 'type')) && (!has(self.rename) || !('type' in self.rename)))").message("a Secret of type servicebinding.io/... has that type in its key type too; leave it")
)]
pub struct SecretTemplate {
    /// Labels for the Secret. Keys under `technicaluser.dev/` are ours and refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 63}))]
    #[x_kube(validation = Rule::new("self.all(key, !key.startsWith('technicaluser.dev/') && key != 'app.kubernetes.io/managed-by')").message("labels under technicaluser.dev/ and app.kubernetes.io/managed-by are the operator's own"))]
    pub labels: BTreeMap<String, String>,
    /// Annotations for the Secret. Keys under `technicaluser.dev/` are ours and refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 4096}))]
    #[x_kube(validation = Rule::new("self.all(key, !key.startsWith('technicaluser.dev/'))").message("annotations under technicaluser.dev/ are the operator's own"))]
    pub annotations: BTreeMap<String, String>,
    /// The Secret's type: `Opaque` (the default), `kubernetes.io/tls`, `kubernetes.io/basic-auth` or `servicebinding.io/<type>`.
    /// `tls.crt` and `tls.key` are taken from the fields of these names, or from `certificate` and `key`; `username` and
    /// `password` from the fields of these names, or from `clientid` and `clientsecret`. Cannot be changed.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(
        pattern = r"^(Opaque|kubernetes\.io/(tls|basic-auth)|servicebinding\.io/[-._a-zA-Z0-9]{1,100})$"
    ))]
    pub type_: Option<String>,
    /// Further keys, each a text with expressions of Jinja: `jdbc:sap://{{ host }}/?user={{ username | urlencode }}`. They
    /// know the credential's fields by their names and all of them as `credential`, and `technicalUser.name`,
    /// `technicalUser.namespace` and `secret.name`. Filters: `urlencode`, `tojson` and `b64encode` for what needs encoding;
    /// `default`, `lower`, `upper`, `trim` and `replace`. There are no statements, and nothing is multiplied.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16, "additionalProperties" = {"type": "string", "maxLength": 4096}))]
    #[x_kube(
        validation = Rule::new("self.all(key, key.matches('^[-._a-zA-Z0-9]+$') && size(key) <= 253 && !key.startsWith('..'))").message("a key of data consists of letters, digits, '-', '_' and '.'"),
        validation = Rule::new("!('.metadata' in self)").message("the operator writes .metadata; form: Flat leaves it out"),
        validation = Rule::new("self.all(key, !self[key].contains('{{') || self[key].contains('}}'))").message("a template opens {{ and does not close it"),
        validation = Rule::new("self.all(key, !self[key].contains('{%'))").message("there are no statements {% %} in a template; write {{ a if b else c }}")
    )]
    pub data: BTreeMap<String, String>,
    /// Keys of the Secret that get another name, such as `clientsecret: password`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 253, "pattern": r"^(\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*)$"}))]
    #[x_kube(
        validation = Rule::new("self.all(one, self.all(other, one == other || self[one] != self[other]))").message("two keys cannot have one name"),
        validation = Rule::new("self.all(key, key != '.metadata' && self[key] != '.metadata')").message("the operator writes .metadata; form: Flat leaves it out")
    )]
    pub rename: BTreeMap<String, String>,
    /// Keys that are left out of the Secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("maxItems" = 32, "x-kubernetes-list-type" = "set", "items" = {"type": "string", "minLength": 1, "maxLength": 253}))]
    #[x_kube(validation = Rule::new("!('.metadata' in self)").message("form: Flat leaves .metadata out"))]
    pub omit: Vec<String>,
}

impl SecretTemplate {
    /// The Secret's type.
    pub fn kind(&self) -> &str {
        self.type_.as_deref().unwrap_or("Opaque")
    }
}

/// How the content of the Secret was made, so that it can be told from how it shall be made, and be read again.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LayoutStatus {
    /// Digest of form and template.
    pub digest: String,
    /// The form.
    pub form: Form,
    /// The keys that had another name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rename: BTreeMap<String, String>,
    /// The keys that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omit: Vec<String>,
}
