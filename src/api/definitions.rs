//! The custom resource definitions, as the types tell them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::Value;

use super::{Platform, RoleBinding, TechnicalUser};

/// Each definition under the plural of its kind.
///
/// Doc comments are broken into lines for those who read the code; `kubectl explain` breaks lines itself, so a line
/// break within a paragraph becomes a space.
pub fn definitions() -> serde_json::Result<[(&'static str, CustomResourceDefinition); 3]> {
    Ok([
        ("platforms", explained(Platform::crd())?),
        ("technicalusers", explained(TechnicalUser::crd())?),
        ("rolebindings", explained(RoleBinding::crd())?),
    ])
}

fn explained(definition: CustomResourceDefinition) -> serde_json::Result<CustomResourceDefinition> {
    let mut value = serde_json::to_value(definition)?;
    join_lines(&mut value);
    serde_json::from_value(value)
}

fn join_lines(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
                *text = paragraphs.collect::<Vec<_>>().join("\n\n");
            }
            fields.values_mut().for_each(join_lines);
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}
