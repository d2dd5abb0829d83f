//! What is known of service keys, wherever a broker makes them: which parameter takes an offering's roles, and which
//! plans administer.

use super::capability::{OwnRoles, Unsupported};
use crate::api::identity::ServiceKey;
use crate::api::{Identity, PlatformSpec};

/// Offerings and plans whose keys administer a subaccount. No plan: every plan of the offering.
///
/// SAP BTP documentation: "Get Access to the APIs" (`xsuaa`, plan `apiaccess`; an `xsuaa` instance of any plan brings
/// scopes of its own making), "Access the Service Manager" (every plan of `service-manager`), "Account Administration
/// Using APIs" (`cis`), "Reference Information for the Identity Service" (applications of an identity tenant).
const ADMINISTERING: [(&str, Option<&str>); 6] = [
    ("xsuaa", None),
    ("service-manager", None),
    ("cis", None),
    ("cis-central", None),
    ("identity", None),
    ("authorization", Some("apiaccess")),
];

/// Whether a key of this plan administers a platform.
pub fn is_administering(identity: &Identity) -> bool {
    let Identity::ServiceKey(ServiceKey { offering, plan, .. }) = identity else { return false };
    let is_plan = |only: &&str| only.eq_ignore_ascii_case(plan);
    ADMINISTERING.iter().any(|(name, only)| name.eq_ignore_ascii_case(offering) && only.as_ref().is_none_or(is_plan))
}

/// How roles of a service key reach the platform.
pub fn own_roles(platform: &PlatformSpec, identity: &Identity) -> OwnRoles {
    let Identity::ServiceKey(key) = identity else { return OwnRoles::None };
    let parameter = roles_parameter(platform, &key.offering);
    parameter.map_or(OwnRoles::None, |parameter| OwnRoles::Parameter(parameter.to_owned()))
}

/// The parameter that takes an offering's roles is filled from RoleBindings, which access rules judge, and from nowhere
/// else. A broker may read its name without regard to case.
pub fn carries_no_roles(platform: &PlatformSpec, identity: &Identity) -> Result<(), Unsupported> {
    let Identity::ServiceKey(key) = identity else { return Ok(()) };
    let Some(takes_roles) = roles_parameter(platform, &key.offering) else { return Ok(()) };
    let given = key.parameters.iter().flat_map(serde_json::Map::keys).find(|one| one.eq_ignore_ascii_case(takes_roles));
    match given {
        None => Ok(()),
        Some(given) => Err(Unsupported(format!(
            "identity.serviceKey.parameters cannot carry {given}, which takes the roles of {}; remove it and give roles by a RoleBinding with instanceRole",
            key.offering
        ))),
    }
}

/// Where there are no spaces a key is in none.
pub fn is_in_no_space(environment: &str, identity: &Identity) -> Result<(), Unsupported> {
    match identity {
        Identity::ServiceKey(ServiceKey { space: Some(_), .. }) => Err(Unsupported(format!(
            "environment {environment} has no spaces; remove identity.serviceKey.space, or use a Platform whose environment has some"
        ))),
        _ => Ok(()),
    }
}

/// Where there are spaces a key is in one.
pub fn is_in_a_space(environment: &str, identity: &Identity) -> Result<(), Unsupported> {
    match identity {
        Identity::ServiceKey(ServiceKey { space: None, .. }) => Err(Unsupported(format!(
            "on environment {environment} a service instance is made in a space; name it in identity.serviceKey.space, with its organization"
        ))),
        _ => Ok(()),
    }
}

/// The instance parameter that takes the roles of an offering. The table of those that are known is short; the
/// Platform's `offerings` extend it and cannot change it.
fn roles_parameter<'a>(platform: &'a PlatformSpec, offering: &str) -> Option<&'a str> {
    match offering {
        // SAP Cloud Integration documentation, "Specifying Service Instance and Service Key Parameters in JSON Format".
        "it-rt" => Some("roles"),
        _ => platform.offerings.get(offering).map(|offering| offering.roles_parameter.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn platform(offerings: Value) -> PlatformSpec {
        serde_json::from_value(json!({"environment": {"btp": {}}, "offerings": offerings})).unwrap()
    }

    fn key(offering: &str, plan: &str, parameters: Value) -> Identity {
        let key = json!({"serviceKey": {"offering": offering, "plan": plan, "parameters": parameters}});
        serde_json::from_value(key).unwrap()
    }

    #[test]
    fn parameters_cannot_carry_roles() {
        let platform = platform(json!({"x": {"rolesParameter": "scopes"}}));
        let refusal = |offering, parameters| carries_no_roles(&platform, &key(offering, "p", parameters)).err();
        assert!(refusal("it-rt", json!({"roles": ["Secret.Admin"]})).unwrap().0.contains("cannot carry roles"));
        assert!(refusal("it-rt", json!({"Roles": []})).is_some() && refusal("x", json!({"scopes": []})).is_some());
        assert_eq!(refusal("it-rt", json!({"redirect-uris": []})), None);
        assert_eq!(refusal("other", json!({"roles": []})), None);
    }

    #[test]
    fn a_key_is_in_a_space_where_there_are_spaces_and_nowhere_else() {
        let outside = key("x", "p", json!({}));
        let mut inside = outside.clone();
        if let Identity::ServiceKey(key) = &mut inside {
            key.space = Some(crate::api::identity::Space { organization: "acme".into(), name: "dev".into() });
        }
        assert!(is_in_no_space("btp", &inside).unwrap_err().0.contains("btp has no spaces"));
        assert!(is_in_a_space("cloudFoundry", &outside).unwrap_err().0.contains("identity.serviceKey.space"));
        assert_eq!((is_in_no_space("btp", &outside), is_in_a_space("cloudFoundry", &inside)), (Ok(()), Ok(())));
    }

    #[test]
    fn the_platform_extends_the_table_and_does_not_change_it() {
        let offerings = json!({"x": {"rolesParameter": "scopes"}, "it-rt": {"rolesParameter": "redirect-uris"}});
        let platform = platform(offerings);
        let parameter = |offering| own_roles(&platform, &key(offering, "p", json!({})));
        assert_eq!(parameter("it-rt"), OwnRoles::Parameter("roles".into()));
        assert_eq!(parameter("x"), OwnRoles::Parameter("scopes".into()));
        assert_eq!(parameter("y"), OwnRoles::None);
    }

    #[test]
    fn whoever_can_give_itself_the_rest_administers() {
        let administers = |offering, plan| is_administering(&key(offering, plan, json!({})));
        assert!(administers("xsuaa", "apiaccess") && administers("Service-Manager", "container"));
        assert!(!administers("it-rt", "integration-flow") && !administers("authorization", "standard"));
    }
}
