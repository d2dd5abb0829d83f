//! The parameters that a broker is told when an instance is ordered or changed. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::api::identity::ServiceKey;
use crate::plan::capability::OwnRoles;
use crate::platform::NewIdentity;
use crate::platform::error::{Error, Kind, Result};

/// Parameters of an instance.
pub type Parameters = Map<String, Value>;

/// The offering of Process Integration Runtime, and its parameter for how its clients may ask for tokens. Its broker has
/// no default that the documents name.
const INTEGRATION_RUNTIME: (&str, &str) = ("it-rt", "grant-types");

/// What a broker is told of a new instance.
pub fn of_new(operation: &'static str, service_key: &ServiceKey, wanted: &NewIdentity) -> Result<Parameters> {
    if wanted.own_roles != OwnRoles::None && wanted.roles.is_empty() {
        let detail = "an instance without a role is not made: its broker might give it roles of its own choice";
        return Err(Error::new(Kind::Invalid, operation).detail(detail));
    }
    Ok(parameters(service_key, parameter(wanted), &wanted.roles))
}

/// What it is told when the roles of an instance change.
pub fn of_changed(operation: &'static str, service_key: &ServiceKey, wanted: &NewIdentity) -> Result<Parameters> {
    if wanted.own_roles == OwnRoles::None {
        return Err(Error::new(Kind::Invalid, operation).detail("the offering has no parameter that takes roles"));
    }
    Ok(parameters(service_key, parameter(wanted), &wanted.roles))
}

fn parameter(wanted: &NewIdentity) -> Option<&str> {
    match &wanted.own_roles {
        OwnRoles::Parameter(name) => Some(name),
        OwnRoles::Authorities | OwnRoles::None => None,
    }
}

/// Instance parameters with the roles in the place that the offering wants them.
fn parameters(service_key: &ServiceKey, roles_parameter: Option<&str>, roles: &BTreeSet<String>) -> Parameters {
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
