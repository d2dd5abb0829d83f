//! What each environment can do: which identities, and which roles for which holders. The rest is refused before any call.

use crate::api::{Environment, Identity, Role, Subject};

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

/// Whether a platform of this environment can have such an identity.
pub fn identity(environment: &Environment, identity: &Identity) -> Result<(), Unsupported> {
    match (environment, identity) {
        (Environment::Btp(btp), Identity::ServiceKey(_)) if btp.service_manager.is_none() => Err(Unsupported(
            "the Platform names no serviceManager, which service keys are made with; add environment.btp.serviceManager".into(),
        )),
        (Environment::Btp(_), Identity::ServiceKey(_) | Identity::Existing(_))
        | (Environment::Neo(_), Identity::Existing(_))
        | (Environment::Uaa(_), Identity::OauthClient(_)) => Ok(()),
        (Environment::Btp(_), _) => refused(environment, "serviceKey or existing"),
        (Environment::Neo(_), _) => refused(environment, "existing"),
        (Environment::Uaa(_), _) => refused(environment, "oauthClient"),
    }
}

fn refused(environment: &Environment, instead: &str) -> Result<(), Unsupported> {
    let name = environment.name();
    Err(Unsupported(format!("environment {name} has no such identity; use {instead}, or another Platform")))
}

/// How roles of this identity reach the platform. The table of offerings that take roles as an instance parameter is
/// short; `serviceKey.rolesParameter` extends it.
pub fn own_roles(identity: &Identity) -> OwnRoles {
    match identity {
        Identity::ServiceKey(key) => match (&key.roles_parameter, key.offering.as_str()) {
            (Some(parameter), _) => OwnRoles::Parameter(parameter.clone()),
            // SAP Cloud Integration documentation, "Specifying Service Instance and Service Key Parameters in JSON Format".
            (None, "it-rt") => OwnRoles::Parameter("roles".into()),
            (None, _) => OwnRoles::None,
        },
        Identity::OauthClient(_) => OwnRoles::Authorities,
        Identity::Existing(_) => OwnRoles::None,
    }
}

/// Whether this role can be given to this subject. `technical_user` is the identity of a TechnicalUser subject.
pub fn role(
    environment: &Environment,
    subject: &Subject,
    technical_user: Option<&Identity>,
    role: &Role,
) -> Result<(), Unsupported> {
    environment_has(environment, role)?;
    match (role, subject, technical_user) {
        (Role::InstanceRole(_), Subject::TechnicalUser(_), Some(Identity::ServiceKey(key))) => {
            has_roles_parameter(&key.offering, technical_user)
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

fn has_roles_parameter(offering: &str, identity: Option<&Identity>) -> Result<(), Unsupported> {
    match identity.map(own_roles) {
        Some(OwnRoles::None) => Err(Unsupported(format!(
            "offering {offering} is not known to take roles; name its parameter in identity.serviceKey.rolesParameter"
        ))),
        _ => Ok(()),
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
    use super::*;
    use crate::api::platform::{ApiAccess, Btp, Uaa};
    use crate::api::role_binding::{AuthorityName, RoleName};
    use crate::api::technical_user::{Existing, OauthClient, ServiceKey};
    use crate::api::{Principal, SecretRef, TechnicalUserRef};

    fn btp() -> Environment {
        let access = Some(ApiAccess { credentials_secret_ref: SecretRef { name: "s".into() } });
        Environment::Btp(Btp { authorization: access.clone(), service_manager: access })
    }

    fn uaa() -> Environment {
        Environment::Uaa(Uaa { url: "https://uaa".into(), credentials_secret_ref: SecretRef { name: "s".into() } })
    }

    fn key(offering: &str, roles_parameter: Option<&str>) -> Identity {
        Identity::ServiceKey(ServiceKey {
            offering: offering.into(),
            plan: "p".into(),
            parameters: None,
            roles_parameter: roles_parameter.map(str::to_owned),
        })
    }

    fn client() -> Identity {
        Identity::OauthClient(OauthClient { grant_types: vec![] })
    }

    fn existing() -> Identity {
        Identity::Existing(Existing { user_name: "P1234567".into(), origin: None })
    }

    #[test]
    fn identities_follow_the_table() {
        assert!(identity(&btp(), &key("it-rt", None)).is_ok());
        assert!(identity(&btp(), &client()).unwrap_err().0.contains("serviceKey or existing"));
        assert!(identity(&uaa(), &client()).is_ok());
        assert!(identity(&uaa(), &existing()).is_err());
        let without = Environment::Btp(Btp { authorization: None, service_manager: None });
        assert!(identity(&without, &key("it-rt", None)).unwrap_err().0.contains("serviceManager"));
    }

    #[test]
    fn roles_follow_the_table() {
        let orders = Subject::TechnicalUser(TechnicalUserRef { name: "orders".into() });
        let jane = Subject::User(Principal { name: "jane".into(), origin: None });
        let named = |make: fn(RoleName) -> Role| make(RoleName { name: "r".into() });
        let authority = Role::Authority(AuthorityName { name: "r".into() });
        let (collection, instance) = (named(Role::RoleCollection), named(Role::InstanceRole));
        assert!(role(&btp(), &orders, Some(&key("it-rt", None)), &instance).is_ok());
        assert!(role(&btp(), &orders, Some(&key("x", None)), &instance).unwrap_err().0.contains("rolesParameter"));
        assert!(role(&btp(), &orders, Some(&key("x", Some("roles"))), &instance).is_ok());
        assert!(role(&btp(), &orders, Some(&key("it-rt", None)), &collection).is_err());
        assert!(role(&btp(), &orders, Some(&existing()), &collection).is_ok());
        assert!(role(&btp(), &jane, None, &collection).is_ok());
        assert!(role(&btp(), &jane, None, &instance).is_err());
        assert!(role(&btp(), &jane, None, &authority).unwrap_err().0.contains("has no authority"));
        assert!(role(&uaa(), &orders, Some(&client()), &authority).is_ok());
    }
}
