//! The parameters that a broker is told when an instance is ordered or changed. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::api::identity::ServiceKey;

/// The offering of Process Integration Runtime, and its parameter for how its clients may ask for tokens. Its broker has
/// no default that the documents name.
const INTEGRATION_RUNTIME: (&str, &str) = ("it-rt", "grant-types");

/// Instance parameters with the roles in the place that the offering wants them.
pub fn parameters(
    service_key: &ServiceKey,
    roles_parameter: Option<&str>,
    roles: &BTreeSet<String>,
) -> Map<String, Value> {
    let mut parameters = service_key.parameters.clone().unwrap_or_default();
    if service_key.offering == INTEGRATION_RUNTIME.0 {
        parameters.entry(INTEGRATION_RUNTIME.1).or_insert_with(|| json!(["client_credentials"]));
    }
    if let Some(name) = roles_parameter {
        parameters.insert(name.to_owned(), roles.iter().cloned().collect());
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service_key(offering: &str, parameters: Value) -> ServiceKey {
        serde_json::from_value(json!({"offering": offering, "plan": "p", "parameters": parameters})).unwrap()
    }

    #[test]
    fn roles_join_the_other_parameters() {
        let key = service_key("x", json!({"token-validity": 3600, "roles": ["x"]}));
        let merged = parameters(&key, Some("roles"), &BTreeSet::from(["b".to_owned(), "a".to_owned()]));
        assert_eq!(Value::from(merged), json!({"token-validity": 3600, "roles": ["a", "b"]}));
        assert_eq!(parameters(&key, None, &BTreeSet::new()), key.parameters.clone().unwrap());
        let none = parameters(&key, Some("roles"), &BTreeSet::new());
        assert_eq!(none["roles"], json!([]), "none is said, or the broker might keep the old ones");
    }

    #[test]
    fn the_integration_runtime_is_told_its_grant_types_unless_the_team_does() {
        let none = parameters(&service_key("it-rt", json!({})), None, &BTreeSet::new());
        assert_eq!(Value::from(none), json!({"grant-types": ["client_credentials"]}));
        let others = json!({"grant-types": ["authorization_code"]});
        assert_eq!(Value::from(parameters(&service_key("it-rt", others.clone()), None, &BTreeSet::new())), others);
    }
}
