//! What each line of a RoleBinding means on the platform: who the subject is, whether the role can be and may be.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::{Api, ResourceExt};

use crate::api::{Identity, Platform, Principal, Role, RoleBinding, Subject, TechnicalUser};
use crate::controller::Context;
use crate::controller::error::{Error, Result};
use crate::controller::live::Live;
use crate::plan::access::{self, Withdrawal};
use crate::plan::capability;
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::plan::role_binding::Stance;

/// One subject, one role, and what the line means.
pub struct Draft {
    pub subject: Subject,
    pub role: Role,
    pub meaning: Meaning,
}

/// What a line means.
pub enum Meaning {
    /// A grant to a user or group.
    Grant(Grant),
    /// A role that the technical user itself carries, or does not carry yet.
    OwnRole { carried: bool },
    /// Something else must come first.
    Waiting(String),
    /// It can never be.
    Impossible(String),
    /// The access rules do not allow it. What was granted before stays until then.
    Denied { since: Time, grant: Option<(Grant, Stance)>, until: Option<Timestamp>, message: String },
}

/// Every subject with every role, in the order of the spec.
pub async fn drafts(live: &Live<RoleBinding>, platform: &Platform, context: &Context) -> Result<Vec<Draft>> {
    let binding = live.object();
    let mut drafts = vec![];
    for subject in &binding.spec.subjects {
        let user = technical_user(binding, subject, context).await?;
        for role in &binding.spec.roles {
            let meaning = meaning(live, platform, context, subject, user.as_ref(), role);
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
    live: &Live<RoleBinding>,
    platform: &Platform,
    context: &Context,
    subject: &Subject,
    named: Option<&Named>,
    role: &Role,
) -> Meaning {
    let user = match named {
        Some(Named::Missing(message)) => return Meaning::Waiting(message.clone()),
        Some(Named::Found(user)) => Some(user),
        None => None,
    };
    if let Some(user) = user.filter(|user| user.spec.platform_ref != live.object().spec.platform_ref) {
        let message = format!("TechnicalUser {} is on Platform {}", user.name_any(), user.spec.platform_ref.name);
        return Meaning::Impossible(message);
    }
    let environment = &platform.spec.environment;
    if let Err(refusal) = capability::role(environment, subject, user.map(|user| &user.spec.identity), role) {
        return Meaning::Impossible(refusal.0);
    }
    let grant = holder(subject, user, platform).map(|holder| Grant::new(holder, role.clone()));
    let namespace = context.stores.namespace(&live.object().namespace().unwrap_or_default());
    if !access::allows_grant(&platform.spec.access, &namespace, subject.kind(), role) {
        return denied(live, platform, (context.now)(), subject, role, grant);
    }
    match grant {
        Some(grant) => Meaning::Grant(grant),
        None => Meaning::OwnRole { carried: user.is_some_and(|user| carries(user, role)) },
    }
}

/// The user or group that holds a grant; `None` for roles that a technical user itself carries.
fn holder(subject: &Subject, user: Option<&Arc<TechnicalUser>>, platform: &Platform) -> Option<Holder> {
    let environment = &platform.spec.environment;
    match (subject, user.map(|user| &user.spec.identity)) {
        (Subject::User(user), _) => Some(Holder::new(HolderKind::User, user, environment)),
        (Subject::Group(group), _) => Some(Holder::new(HolderKind::Group, group, environment)),
        (Subject::TechnicalUser(_), Some(Identity::Existing(existing))) => {
            let principal = Principal { name: existing.user_name.clone(), origin: existing.origin.clone() };
            Some(Holder::new(HolderKind::User, &principal, environment))
        }
        (Subject::TechnicalUser(_), _) => None,
    }
}

fn carries(user: &TechnicalUser, role: &Role) -> bool {
    let identity = user.status.as_ref().and_then(|status| status.identity.as_ref());
    identity
        .and_then(|identity| identity.roles.as_ref())
        .is_some_and(|roles| roles.iter().any(|one| one == role.name()))
}

fn denied(
    live: &Live<RoleBinding>,
    platform: &Platform,
    now: Timestamp,
    subject: &Subject,
    role: &Role,
    grant: Option<Grant>,
) -> Meaning {
    let before = live.status.roles.iter().find(|line| &line.subject == subject && &line.role == role);
    let since = before.and_then(|line| line.denied_since.clone()).unwrap_or(Time(now));
    let withdrawal = access::withdrawal(since.0, platform.spec.withdrawal_grace.duration(), now);
    let (until, grant) = match withdrawal {
        // Nothing is looked up for what was never granted.
        Withdrawal::Due(at) if before.is_some_and(|line| line.principal.is_some()) => {
            (Some(at), grant.map(|grant| (grant, Stance::Keep)))
        }
        Withdrawal::Due(at) => (Some(at), None),
        Withdrawal::Now => (None, None),
    };
    let message = format!("Platform {} does not allow this; its spec.access must list it", platform.name_any());
    Meaning::Denied { since, grant, until, message }
}
