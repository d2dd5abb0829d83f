//! What each environment can do: which identities, and which roles for which holders. The rest is refused before any call.

use crate::api::technical_user::ServiceKey;
use crate::api::{Environment, Identity, PlatformSpec, Role, Subject};

/// Why a request can never be carried out as it is written. The text says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported(pub String);

/// How the roles of an identity reach the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnRoles {
    /// As an instance parameter of this name. Without any role there is nothing to make yet.
    Parameter(String),
    /// As authorities of the client, which can be none.
    Authorities,
    /// Not at all.
    None,
}

/// Whether a Platform can have such an identity.
pub fn identity(platform: &PlatformSpec, identity: &Identity) -> Result<(), Unsupported> {
    let environment = &platform.environment;
    match (environment, identity) {
        (Environment::Btp(btp), Identity::ServiceKey(_)) if btp.service_manager.is_none() => Err(Unsupported(
            "the Platform names no serviceManager, which service keys are made with; add environment.btp.serviceManager".into(),
        )),
        (Environment::Btp(_), Identity::ServiceKey(key)) => carries_no_roles(platform, key),
        (Environment::Btp(_) | Environment::Neo(_), Identity::Existing(_))
        | (Environment::Uaa(_), Identity::OauthClient(_)) => Ok(()),
        (Environment::Btp(_), _) => refused(environment, "serviceKey or existing"),
        (Environment::Neo(_), _) => refused(environment, "existing"),
        (Environment::Uaa(_), _) => refused(environment, "oauthClient"),
    }
}

/// The parameter that takes an offering's roles is filled from RoleBindings, which access rules judge, and from nowhere
/// else. A broker may read its name without regard to case.
fn carries_no_roles(platform: &PlatformSpec, key: &ServiceKey) -> Result<(), Unsupported> {
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

fn refused(environment: &Environment, instead: &str) -> Result<(), Unsupported> {
    let name = environment.name();
    Err(Unsupported(format!("environment {name} has no such identity; use {instead}, or another Platform")))
}

/// How roles of this identity reach the platform.
pub fn own_roles(platform: &PlatformSpec, identity: &Identity) -> OwnRoles {
    match identity {
        Identity::ServiceKey(key) => roles_parameter(platform, &key.offering)
            .map_or(OwnRoles::None, |parameter| OwnRoles::Parameter(parameter.to_owned())),
        Identity::OauthClient(_) => OwnRoles::Authorities,
        Identity::Existing(_) => OwnRoles::None,
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

/// Whether this role can be given to this subject. `technical_user` is the identity of a TechnicalUser subject.
pub fn role(
    platform: &PlatformSpec,
    subject: &Subject,
    technical_user: Option<&Identity>,
    role: &Role,
) -> Result<(), Unsupported> {
    environment_has(&platform.environment, role)?;
    match (role, subject, technical_user) {
        (Role::InstanceRole(_), Subject::TechnicalUser(_), Some(Identity::ServiceKey(key))) => {
            takes_roles(platform, &key.offering)
        }
        (Role::Authority(_), Subject::TechnicalUser(_), Some(Identity::OauthClient(_)))
        | (Role::RoleCollection(_), Subject::Group(_), _) => Ok(()),
        (Role::InstanceRole(_), ..) => unsuited(role, "a technicalUser whose identity is a serviceKey"),
        (Role::Authority(_), ..) => unsuited(role, "a technicalUser whose identity is an oauthClient"),
        (_, Subject::TechnicalUser(_), Some(Identity::Existing(_))) | (_, Subject::User(_), _) => Ok(()),
        (Role::RoleCollection(_), ..) => {
            unsuited(role, "a user, a group, or a technicalUser whose identity is existing")
        }
        (Role::MemberRole(_) | Role::ApplicationRole(_), ..) => {
            unsuited(role, "a user, or a technicalUser whose identity is existing")
        }
    }
}

fn takes_roles(platform: &PlatformSpec, offering: &str) -> Result<(), Unsupported> {
    match roles_parameter(platform, offering) {
        Some(_) => Ok(()),
        None => Err(Unsupported(format!(
            "offering {offering} is not known to take roles; the Platform's spec.offerings must name the parameter that takes them"
        ))),
    }
}

fn unsuited(role: &Role, holder: &str) -> Result<(), Unsupported> {
    Err(Unsupported(format!("{} can only be given to {holder}", role.kind())))
}

fn environment_has(environment: &Environment, role: &Role) -> Result<(), Unsupported> {
    let possible = match environment {
        Environment::Btp(btp) => match role {
            Role::RoleCollection(_) if btp.authorization.is_none() => {
                return Err(Unsupported(
                    "the Platform names no authorization, which role collections are assigned with; add environment.btp.authorization".into(),
                ));
            }
            Role::RoleCollection(_) | Role::InstanceRole(_) => return Ok(()),
            _ => "roleCollection and instanceRole",
        },
        Environment::Neo(_) => match role {
            Role::MemberRole(_) | Role::ApplicationRole(_) => return Ok(()),
            _ => "memberRole and applicationRole",
        },
        Environment::Uaa(_) => match role {
            Role::Authority(_) => return Ok(()),
            _ => "authority",
        },
    };
    Err(Unsupported(format!("environment {} has no {}; it has {possible}", environment.name(), role.kind())))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::role_binding::{AuthorityName, RoleName};
    use crate::api::{Principal, TechnicalUserRef};

    fn platform(environment: Value) -> PlatformSpec {
        let offerings = json!({"x": {"rolesParameter": "scopes"}});
        serde_json::from_value(json!({"environment": environment, "offerings": offerings})).unwrap()
    }

    fn btp() -> PlatformSpec {
        let access = json!({"credentialsSecretRef": {"name": "s"}});
        platform(json!({"btp": {"authorization": access, "serviceManager": access}}))
    }

    fn uaa() -> PlatformSpec {
        platform(json!({"uaa": {"url": "https://uaa", "credentialsSecretRef": {"name": "s"}}}))
    }

    fn read(identity: Value) -> Identity {
        serde_json::from_value(identity).unwrap()
    }

    fn key(offering: &str, parameters: Value) -> Identity {
        read(json!({"serviceKey": {"offering": offering, "plan": "p", "parameters": parameters}}))
    }

    fn client() -> Identity {
        read(json!({"oauthClient": {}}))
    }

    fn existing() -> Identity {
        read(json!({"existing": {"userName": "P1234567"}}))
    }

    #[test]
    fn identities_follow_the_table() {
        assert!(identity(&btp(), &key("it-rt", json!({}))).is_ok());
        assert!(identity(&btp(), &client()).unwrap_err().0.contains("serviceKey or existing"));
        assert!(identity(&uaa(), &client()).is_ok());
        assert!(identity(&uaa(), &existing()).is_err());
        let without = platform(json!({"btp": {}}));
        assert!(identity(&without, &key("it-rt", json!({}))).unwrap_err().0.contains("serviceManager"));
    }

    #[test]
    fn parameters_cannot_carry_roles() {
        let refusal = |offering, parameters| identity(&btp(), &key(offering, parameters)).err();
        assert!(refusal("it-rt", json!({"roles": ["Secret.Admin"]})).unwrap().0.contains("cannot carry roles"));
        assert!(refusal("it-rt", json!({"Roles": []})).is_some() && refusal("x", json!({"scopes": []})).is_some());
        assert_eq!(refusal("it-rt", json!({"redirect-uris": []})), None);
        assert_eq!(refusal("other", json!({"roles": []})), None);
    }

    #[test]
    fn the_platform_extends_the_table_and_does_not_change_it() {
        let mut platform = btp();
        let overriding = serde_json::from_value(json!({"rolesParameter": "redirect-uris"})).unwrap();
        platform.offerings.insert("it-rt".into(), overriding);
        assert_eq!(own_roles(&platform, &key("it-rt", json!({}))), OwnRoles::Parameter("roles".into()));
        assert_eq!(own_roles(&platform, &key("x", json!({}))), OwnRoles::Parameter("scopes".into()));
        assert_eq!(own_roles(&platform, &key("y", json!({}))), OwnRoles::None);
    }

    #[test]
    fn roles_follow_the_table() {
        let orders = Subject::TechnicalUser(TechnicalUserRef { name: "orders".into() });
        let jane = Subject::User(Principal { name: "jane".into(), origin: None });
        let named = |make: fn(RoleName) -> Role| make(RoleName { name: "r".into() });
        let authority = Role::Authority(AuthorityName { name: "r".into() });
        let (collection, instance) = (named(Role::RoleCollection), named(Role::InstanceRole));
        let of = |offering: &str| key(offering, json!({}));
        assert!(role(&btp(), &orders, Some(&of("it-rt")), &instance).is_ok());
        assert!(role(&btp(), &orders, Some(&of("y")), &instance).unwrap_err().0.contains("spec.offerings"));
        assert!(role(&btp(), &orders, Some(&of("x")), &instance).is_ok());
        assert!(role(&btp(), &orders, Some(&of("it-rt")), &collection).is_err());
        assert!(role(&btp(), &orders, Some(&existing()), &collection).is_ok());
        assert!(role(&btp(), &jane, None, &collection).is_ok());
        assert!(role(&btp(), &jane, None, &instance).is_err());
        assert!(role(&btp(), &jane, None, &authority).unwrap_err().0.contains("has no authority"));
        assert!(role(&uaa(), &orders, Some(&client()), &authority).is_ok());
    }
}
