//! The custom resource definitions, as they are written to `crds`: `kubectl explain` says of each identity and each role
//! where it works, which the tables know.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use super::capability::all;
use super::capability_page::needs;
use super::environment::TABLES;
use crate::api::{IdentityKind, RoleKind, definitions};

/// Where the spec of an object is.
const SPEC: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";

/// Each definition under the plural of its kind.
pub fn definitions() -> serde_json::Result<Vec<(&'static str, CustomResourceDefinition)>> {
    let told = definitions::definitions()?;
    told.into_iter().map(|(plural, definition)| Ok((plural, explained(definition)?))).collect()
}

fn explained(definition: CustomResourceDefinition) -> serde_json::Result<CustomResourceDefinition> {
    let mut value = serde_json::to_value(definition)?;
    for kind in IdentityKind::ALL {
        add(&mut value, &format!("identity/properties/{}", kind.name()), &of_identity(kind));
    }
    for kind in RoleKind::ALL {
        add(&mut value, &format!("roles/items/properties/{}", kind.name()), &of_role(kind));
    }
    serde_json::from_value(value)
}

/// A definition that has no such field is left as it is.
fn add(definition: &mut Value, field: &str, more: &str) {
    if let Some(Value::String(text)) = definition.pointer_mut(&format!("{SPEC}/{field}/description")) {
        text.push_str(more);
    }
}

fn of_identity(kind: IdentityKind) -> String {
    let cells = TABLES.iter().filter_map(|(name, table)| Some((name, table.identity(kind)?)));
    on(&cells.map(|(name, cell)| format!("`{name}`{}", needs(cell.api))).collect::<Vec<_>>(), "")
}

/// Environments in which the same holders can have it are named together.
fn of_role(kind: RoleKind) -> String {
    let mut places: Vec<(String, Vec<String>)> = Vec::new();
    for (name, cell) in TABLES.iter().filter_map(|(name, table)| Some((name, table.role(kind)?))) {
        let (place, holders) = (format!("`{name}`{}", needs(cell.api)), cell.held.holders());
        match places.iter_mut().find(|(known, _)| *known == holders) {
            Some((_, names)) => names.push(place),
            None => places.push((holders, vec![place])),
        }
    }
    places.iter().map(|(holders, names)| on(names, &format!(" for {holders}"))).collect()
}

fn on(places: &[String], whom: &str) -> String {
    format!(" On {}{whom}.", all(places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_works_where_is_said_of_every_identity_and_every_role() {
        assert_eq!(of_identity(IdentityKind::OauthClient), " On `uaa`.");
        assert_eq!(of_role(RoleKind::Authority), " On `uaa` for a technicalUser whose identity is oauthClient.");
        let definitions = definitions().unwrap();
        let text = |plural: &str| {
            let (_, definition) = definitions.iter().find(|(name, _)| *name == plural).unwrap();
            serde_json::to_string(definition).unwrap()
        };
        let (users, bindings) = (text("technicalusers"), text("rolebindings"));
        assert!(IdentityKind::ALL.iter().all(|kind| users.contains(&of_identity(*kind))), "{users}");
        assert!(RoleKind::ALL.iter().all(|kind| bindings.contains(&of_role(*kind))), "{bindings}");
    }
}
