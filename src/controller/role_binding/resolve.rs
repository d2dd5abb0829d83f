//! What each line of a RoleBinding means on the platform: who the subject is, whether the role can be and may be.

use std::sync::Arc;

use kube::{Api, ResourceExt};

use crate::api::{Environment, Platform, Principal, Role, RoleBinding, Subject, TechnicalUser};
use crate::controller::Context;
use crate::controller::error::{Error, Result};
use crate::plan::access::{self, Asks, Namespace, Request, To};
use crate::plan::capability;
use crate::plan::environment::rules;
use crate::plan::grant::{Grant, Holder, HolderKind};

/// One subject, one role, and what the line means.
pub struct Draft {
    pub subject: Subject,
    pub role: Role,
    pub meaning: Meaning,
}

/// What a line means.
pub enum Meaning {
    /// A grant to a user or group, and whether the access rules allow it.
    Grant { grant: Grant, allowed: bool },
    /// A role that the technical user itself carries, or does not carry yet, and whether the access rules allow it.
    OwnRole { carried: bool, allowed: bool },
    /// Something else must come first.
    Waiting(String),
    /// It can never be.
    Impossible(String),
}

/// Every subject with every role, in the order of the spec.
pub async fn drafts(binding: &RoleBinding, platform: &Platform, context: &Context) -> Result<Vec<Draft>> {
    let namespace = context.stores.namespace(&binding.namespace().unwrap_or_default())?;
    let mut drafts = vec![];
    for subject in &binding.spec.subjects {
        let user = technical_user(binding, subject, context).await?;
        for role in &binding.spec.roles {
            let meaning = meaning(platform, &namespace, subject, user.as_ref(), role);
            drafts.push(Draft { subject: subject.clone(), role: role.clone(), meaning });
        }
    }
    Ok(drafts)
}

/// What is known of a technical user that a subject names.
enum Named {
    Found(Arc<TechnicalUser>),
    Missing(String),
}

/// The cache may lag behind; that a technical user is missing takes grants away, so it is believed of a live read only.
async fn technical_user(binding: &RoleBinding, subject: &Subject, context: &Context) -> Result<Option<Named>> {
    let Subject::TechnicalUser(reference) = subject else {
        return Ok(None);
    };
    let (namespace, name) = (binding.namespace().unwrap_or_default(), &reference.name);
    if let Some(user) = context.stores.technical_user(&namespace, name) {
        return Ok(Some(Named::Found(user)));
    }
    let api: Api<TechnicalUser> = Api::namespaced(context.client.clone(), &namespace);
    let found = api.get_opt(name).await.map_err(Error::Kubernetes)?;
    let missing = || Named::Missing(format!("there is no TechnicalUser {name} in this namespace"));
    Ok(Some(found.map_or_else(missing, |user| Named::Found(Arc::new(user)))))
}

fn meaning(
    platform: &Platform,
    namespace: &Namespace,
    subject: &Subject,
    named: Option<&Named>,
    role: &Role,
) -> Meaning {
    let user = match named {
        Some(Named::Missing(message)) => return Meaning::Waiting(message.clone()),
        Some(Named::Found(user)) => Some(user),
        None => None,
    };
    if let Some(user) = user.filter(|user| user.spec.platform_ref.name != platform.name_any()) {
        let message = format!("TechnicalUser {} is on Platform {}", user.name_any(), user.spec.platform_ref.name);
        return Meaning::Impossible(message);
    }
    let identity = user.map(|user| &user.spec.identity);
    if let Err(refusal) = capability::role(&platform.spec, subject, identity, role) {
        return Meaning::Impossible(refusal.0);
    }
    let environment = &platform.spec.environment;
    let reached = reached(subject, user, role, environment);
    let to = match (&reached, identity) {
        (_, Some(identity)) => To::TechnicalUser(identity),
        (Reached::Holder(holder), None) => To::Holder(holder),
        // Every subject is either a technical user or somebody on the platform.
        (_, None) => return Meaning::Impossible("nobody is named".into()),
    };
    let asks = Asks::ToGrant(role, to);
    let allowed = access::permit(&platform.spec.access, &Request { namespace, environment, asks });
    match (reached, user) {
        (Reached::Holder(holder), _) => Meaning::Grant { grant: Grant::new(holder, role.clone()), allowed },
        (Reached::NobodyYet, Some(user)) => {
            Meaning::Waiting(format!("TechnicalUser {} is not made yet", user.name_any()))
        }
        _ => Meaning::OwnRole { carried: user.is_some_and(|user| carries(user, role)), allowed },
    }
}

/// Who gets a role.
enum Reached {
    /// The technical user carries it itself.
    Itself,
    /// A user or group.
    Holder(Holder),
    /// A user that is yet to be made.
    NobodyYet,
}

fn reached(subject: &Subject, user: Option<&Arc<TechnicalUser>>, role: &Role, environment: &Environment) -> Reached {
    let holder = |kind, principal| Reached::Holder(rules(environment).holder(kind, principal));
    let named = user.and_then(|user| access::user(&user.spec.identity, environment));
    match (subject, named) {
        (Subject::User(user), _) => holder(HolderKind::User, user),
        (Subject::Group(group), _) => holder(HolderKind::Group, group),
        (Subject::TechnicalUser(_), _) if capability::is_carried(environment, role) => Reached::Itself,
        (Subject::TechnicalUser(_), Some(named)) => Reached::Holder(named),
        (Subject::TechnicalUser(_), None) => {
            made(user).map_or(Reached::NobodyYet, |user| holder(HolderKind::User, user))
        }
    }
}

/// The user that a technical user is, once it is made.
fn made(user: Option<&Arc<TechnicalUser>>) -> Option<&Principal> {
    user?.status.as_ref()?.identity.as_ref()?.user.as_ref()
}

fn carries(user: &TechnicalUser, role: &Role) -> bool {
    let identity = user.status.as_ref().and_then(|status| status.identity.as_ref());
    let settled = identity.filter(|identity| identity.roles_asked_for.is_none());
    settled.and_then(|identity| identity.roles.as_ref()).is_some_and(|roles| roles.iter().any(|one| one == role.name()))
}
