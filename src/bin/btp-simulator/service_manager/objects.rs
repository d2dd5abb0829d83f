//! Instances, bindings and operations: what they hold and how the API shows them.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::clients::Rights;
use crate::frame::random;
use crate::subaccount::{SUBDOMAIN, ZONE};

use super::broker::Parameters;
use super::catalogue::Plan;
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
            _ => None,
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
        (name == "service_instance_id").then(|| self.instance_id.clone())
    }
}

impl Instance {
    /// The instance as the API shows it.
    pub(crate) fn shown(&self, last_operation: Option<Value>) -> Value {
        let mut shown = common(&self.base, last_operation);
        shown["service_plan_id"] = json!(self.plan.id);
        shown["platform_id"] = json!(self.parent());
        shown["context"] = context(&self.base.name);
        shown["usable"] = json!(self.base.ready);
        shown
    }
}

impl Binding {
    /// The binding as the API shows it, credentials included.
    pub(crate) fn shown(&self, last_operation: Option<Value>) -> Value {
        let mut shown = common(&self.base, last_operation);
        shown["service_instance_id"] = json!(self.instance_id);
        shown["context"] = context(&self.instance_name);
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

fn context(instance_name: &str) -> Value {
    json!({
        "origin": "sapcp", "platform": "sapcp", "env_type": "sapcp", "region": "cf-eu12", "zone_id": ZONE,
        "subdomain": SUBDOMAIN, "subaccount_id": ZONE, "license_type": "SAPDEV", "crm_customer_id": "",
        "instance_name": instance_name, "global_account_id": "03760ecf-9d89-4189-a92a-1c7efed09298",
    })
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
    pub(crate) fn shown(&self) -> Value {
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
            shown["errors"] = json!([error]);
        }
        shown
    }
}
