//! The objects of a case as people would apply them.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use technical_user_operator::api::Role;
use technical_user_operator::api::role::RoleName;
use technical_user_operator::plan::grant::{Grant, Holder, HolderKind};

use crate::kubernetes::{Address, Kind};
use crate::subaccount::Shape;

/// The namespace of those who use a Platform.
pub const TEAM: &str = "team";
/// The Platform.
pub const PLATFORM: &str = "main";
/// The namespace of the operator.
pub const OPERATOR_NAMESPACE: &str = "operator";
/// The admin Secret of the Platform.
pub const ADMIN: &str = "admin-secret";
/// The admin Secret of another Platform.
pub const OTHER_ADMIN: &str = "other-secret";
/// Another Platform.
pub const OTHER: &str = "other";
/// The TechnicalUser.
pub const USER: &str = "orders";
/// Its Secret.
pub const SECRET: &str = "orders-credentials";
/// A user that strangers made.
pub const JANE: &str = "jane@acme.example";

pub fn platform() -> Address {
    Address::new(Kind::Platform, "", PLATFORM)
}

pub fn admin_secret(name: &str) -> Address {
    Address::new(Kind::Secret, OPERATOR_NAMESPACE, name)
}

pub fn technical_user() -> Address {
    Address::new(Kind::TechnicalUser, TEAM, USER)
}

pub fn secret() -> Address {
    Address::new(Kind::Secret, TEAM, SECRET)
}

pub fn role_binding(number: usize) -> Address {
    Address::new(Kind::RoleBinding, TEAM, &format!("binding-{number}"))
}

/// A rule that allows the namespace all that cases here do, except for what administers the platform.
pub fn everything() -> Value {
    json!({
        "namespaces": {"names": [TEAM]},
        "identities": [
            {"serviceKey": {"offering": "*", "plan": "*"}},
            {"oauthClient": {}},
            {"existing": {"userName": "*", "origin": "*"}},
        ],
        "grants": [{
            "roles": [
                {"roleCollection": {"name": "*"}},
                {"instanceRole": {"offering": "*", "name": "*"}},
                {"authority": {"name": "*"}},
            ],
            "to": [{"technicalUser": {}}, {"user": {"name": "*", "origin": "*"}}, {"group": {"name": "*", "origin": "*"}}],
        }],
    })
}

/// A Platform with this admin Secret and these rules.
pub fn a_platform(shape: Shape, admin: &str, access: &[Value]) -> Value {
    let reference = json!({"credentialsSecretRef": {"name": admin}});
    let environment = match shape {
        Shape::ServiceManager => json!({"btp": {"authorization": reference, "serviceManager": reference}}),
        Shape::Uaa | Shape::Directory => {
            json!({"uaa": {"url": "https://uaa.example", "credentialsSecretRef": {"name": admin}}})
        }
    };
    json!({"metadata": {}, "spec": {"environment": environment, "access": access, "withdrawalGrace": "10m"}})
}

/// An admin Secret that leads to the subaccount of this number.
pub fn an_admin_secret(place: usize) -> Value {
    let url = BASE64_STANDARD.encode(format!("https://place-{place}.example"));
    let text = BASE64_STANDARD.encode("x");
    json!({"metadata": {}, "data": {"clientid": text, "clientsecret": text, "url": url}})
}

/// A TechnicalUser with an identity of its own.
pub fn a_technical_user(shape: Shape) -> Value {
    let identity = match shape {
        Shape::ServiceManager => json!({"serviceKey": {"offering": "it-rt", "plan": "integration-flow"}}),
        Shape::Uaa | Shape::Directory => json!({"oauthClient": {"grantTypes": ["client_credentials"]}}),
    };
    let credential = json!({"secretName": SECRET});
    json!({"metadata": {}, "spec": {"platformRef": {"name": PLATFORM}, "identity": identity, "credential": credential}})
}

/// The role of this number that the technical user itself carries.
pub fn own_role(shape: Shape, number: usize) -> Value {
    match shape {
        Shape::ServiceManager => json!({"instanceRole": {"name": role_name(number)}}),
        Shape::Uaa | Shape::Directory => json!({"authority": {"name": role_name(number)}}),
    }
}

pub fn role_name(number: usize) -> String {
    format!("role-{number}")
}

/// What gives the technical user roles of its own.
pub fn of_the_user(shape: Shape, roles: &BTreeSet<usize>) -> Value {
    let roles: Vec<Value> = roles.iter().map(|number| own_role(shape, *number)).collect();
    binding(&json!({"technicalUser": {"name": USER}}), &roles)
}

/// What gives Jane role collections.
pub fn of_jane(roles: &BTreeSet<usize>) -> Value {
    let roles: Vec<Value> =
        roles.iter().map(|number| json!({"roleCollection": {"name": role_name(*number)}})).collect();
    binding(&json!({"user": {"name": JANE, "origin": "sap.custom"}}), &roles)
}

/// The same on the other Platform.
pub fn of_jane_elsewhere(roles: &BTreeSet<usize>) -> Value {
    let mut binding = of_jane(roles);
    binding["spec"]["platformRef"]["name"] = json!(OTHER);
    binding
}

/// The grant that [`of_jane`] asks for.
pub fn grant(number: usize) -> Grant {
    let holder = Holder::named(HolderKind::User, JANE, "sap.custom");
    Grant::new(holder, Role::RoleCollection(RoleName { name: role_name(number) }))
}

fn binding(subject: &Value, roles: &[Value]) -> Value {
    json!({"metadata": {}, "spec": {"platformRef": {"name": PLATFORM}, "subjects": [subject], "roles": roles}})
}
