//! Instances, bindings and operations: what they hold and how the API shows them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::{Opened, Rights};
use crate::frame::{OperationErrors, Settings, random};

use super::broker::Parameters;
use super::catalogue::Plan;
use super::course::InstanceChange;
use super::refusal::Refusal;
use super::shelf::{Base, Resource};

/// The time Go prints where there is none.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// A service instance.
pub(crate) struct Instance {
    /// The common part.
    pub(crate) base: Base,
    /// The plan it is an instance of.
    pub(crate) plan: &'static Plan,
    /// The parameters in force; no API returns them.
    pub(crate) parameters: Parameters,
    /// What tokens of its keys carry; absent until it has been provisioned.
    pub(crate) rights: Option<Arc<Rights>>,
}

/// A service binding. Has no `Debug`: it holds secrets.
pub(crate) struct Binding {
    /// The common part.
    pub(crate) base: Base,
    /// The instance it belongs to.
    pub(crate) instance_id: String,
    /// Name of that instance when the binding was made.
    pub(crate) instance_name: String,
    /// What it hands out, once it is ready.
    pub(crate) credentials: Value,
    /// The OAuth client that ends with it.
    pub(crate) client_id: Option<String>,
    /// As the client sent it.
    pub(crate) bind_resource: Option<Value>,
}

impl Resource for Instance {
    const TYPE: &'static str = "/v1/service_instances";
    const PARENT_FIELD: &'static str = "platform_id";

    fn base(&self) -> &Base {
        &self.base
    }

    fn parent(&self) -> &'static str {
        "service-manager"
    }

    fn field(&self, name: &str) -> Option<String> {
        match name {
            "service_plan_id" => Some(self.plan.id.to_owned()),
            "platform_id" => Some(self.parent().to_owned()),
            "usable" => Some(self.base.ready.to_string()),
            "shared" => Some("false".to_owned()),
            other => self.base.context_field(other),
        }
    }
}

impl Resource for Binding {
    const TYPE: &'static str = "/v1/service_bindings";
    const PARENT_FIELD: &'static str = "service_instance_id";

    fn base(&self) -> &Base {
        &self.base
    }

    fn parent(&self) -> &str {
        &self.instance_id
    }

    fn field(&self, name: &str) -> Option<String> {
        match name {
            "service_instance_id" => Some(self.instance_id.clone()),
            other => self.base.context_field(other),
        }
    }
}

impl Instance {
    /// The broker and the Service Manager have changed it.
    pub(crate) fn become_changed(&mut self, change: InstanceChange, opened: Opened, now: Duration) {
        self.base.name = change.name;
        self.base.labels = change.labels;
        self.parameters = change.parameters;
        if let Some(rights) = &self.rights {
            rights.change(opened, now);
        }
    }

    /// The instance as the API shows it.
    pub(crate) fn shown(&self, last_operation: Option<Value>) -> Value {
        let mut shown = common(&self.base, last_operation);
        shown["service_plan_id"] = json!(self.plan.id);
        shown["platform_id"] = json!(self.parent());
        shown["context"] = context(&self.base, &self.base.name);
        shown["usable"] = json!(self.base.ready);
        shown
    }
}

impl Binding {
    /// The binding as the API shows it, credentials included.
    pub(crate) fn shown(&self, last_operation: Option<Value>) -> Value {
        let mut shown = common(&self.base, last_operation);
        shown["service_instance_id"] = json!(self.instance_id);
        shown["context"] = context(&self.base, &self.instance_name);
        shown["context"]["service_instance_id"] = json!(self.instance_id);
        if let Some(bind_resource) = &self.bind_resource {
            shown["bind_resource"] = bind_resource.clone();
        }
        if self.base.ready {
            shown["credentials"] = self.credentials.clone();
        }
        shown
    }
}

fn common(base: &Base, last_operation: Option<Value>) -> Value {
    let mut shown = json!({
        "id": base.id, "ready": base.ready, "name": base.name, "labels": base.labels.0,
        "created_at": base.created_at, "updated_at": base.updated_at,
    });
    if let Some(last_operation) = last_operation {
        shown["last_operation"] = last_operation;
    }
    shown
}

fn context(base: &Base, instance_name: &str) -> Value {
    let (zone, subdomain) = (base.place.zone.as_str(), base.place.subdomain);
    let mut context = json!({
        "origin": "sapcp", "platform": "sapcp", "env_type": "sapcp", "region": "cf-eu12", "zone_id": zone,
        "subdomain": subdomain, "subaccount_id": zone, "license_type": "SAPDEV", "crm_customer_id": "",
        "instance_name": instance_name, "global_account_id": "03760ecf-9d89-4189-a92a-1c7efed09298",
    });
    for (field, label) in FROM_LABELS {
        if let Some(value) = base.labels.first(label) {
            context[field] = json!(value);
        }
    }
    context
}

/// Fields of the context that stand for labels of SAP's own Kubernetes operator, which looks its objects up by them.
const FROM_LABELS: [(&str, &str); 2] = [("clusterid", "_clusterid"), ("namespace", "_namespace")];

impl Base {
    /// A field `context/…` that queries may ask for.
    fn context_field(&self, name: &str) -> Option<String> {
        let name = name.strip_prefix("context/")?;
        let (_, label) = FROM_LABELS.iter().find(|(field, _)| *field == name)?;
        self.labels.first(label).map(str::to_owned)
    }
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperationKind {
    /// Makes the object.
    Create,
    /// Changes it.
    Update,
    /// Takes it away.
    Delete,
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Not ended yet.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended with this error.
    Failed(Refusal),
}

/// An operation on an object.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Id.
    pub(crate) id: String,
    /// What it does.
    pub(crate) kind: OperationKind,
    /// How far it is.
    pub(crate) progress: Progress,
    /// Whether its broker has answered 202.
    pub(crate) accepted: bool,
    /// The object.
    pub(crate) resource_id: String,
    /// Type of the object.
    pub(crate) resource_type: &'static str,
    /// When it started.
    pub(crate) created_at: String,
    /// When it last moved.
    pub(crate) updated_at: String,
}

impl Operation {
    /// A running operation.
    pub(crate) fn begun(kind: OperationKind, resource_type: &'static str, resource_id: &str, stamp: &str) -> Self {
        Self {
            id: random::uuid(),
            kind,
            progress: Progress::Running,
            accepted: false,
            resource_id: resource_id.to_owned(),
            resource_type,
            created_at: stamp.to_owned(),
            updated_at: stamp.to_owned(),
        }
    }

    /// Where its state can be asked for, relative to the Service Manager's URL.
    pub(crate) fn location(&self) -> String {
        format!("{}/{}/operations/{}", self.resource_type, self.resource_id, self.id)
    }

    /// The operation as the API shows it.
    pub(crate) fn shown(&self, settings: &Settings) -> Value {
        let (state, error) = match &self.progress {
            Progress::Running => ("in progress", None),
            Progress::Succeeded => ("succeeded", None),
            Progress::Failed(refusal) => ("failed", Some(refusal.body())),
        };
        let kind = match self.kind {
            OperationKind::Create => "create",
            OperationKind::Update => "update",
            OperationKind::Delete => "delete",
        };
        let mut shown = json!({
            "id": self.id, "ready": true, "type": kind, "state": state, "resource_id": self.resource_id,
            "resource_type": self.resource_type, "platform_id": "service-manager", "correlation_id": random::uuid(),
            "reschedule": false, "reschedule_timestamp": ZERO_TIME, "deletion_scheduled": ZERO_TIME,
            "created_at": self.created_at, "updated_at": self.updated_at,
        });
        if let Some(error) = error {
            shown["description"] = error["description"].clone();
            shown["errors"] = match settings.operation_errors {
                OperationErrors::Object => error,
                OperationErrors::List => json!([error]),
            };
        }
        shown
    }
}
