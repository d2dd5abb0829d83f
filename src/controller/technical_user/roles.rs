//! The roles that a TechnicalUser itself shall carry: the union of what its live RoleBindings say.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use crate::api::{Platform, Role, RoleBinding, Subject, TechnicalUser};
use crate::controller::Context;
use crate::controller::error::{Error, Result};
use crate::plan::access::{self, Withdrawal};
use crate::plan::capability;

/// The roles, and when the first of them is withdrawn by itself.
#[derive(Default)]
pub struct Wanted {
    roles: BTreeSet<String>,
    until: Option<Timestamp>,
    now: Timestamp,
}

impl Wanted {
    /// The roles, and after how long to look again.
    pub fn into_parts(self) -> (Option<BTreeSet<String>>, Option<Duration>) {
        let again = self.until.and_then(|until| Duration::try_from(until.duration_since(self.now)).ok());
        (Some(self.roles), again)
    }
}

/// The union over the RoleBindings that the cache knows. Before a role is dropped they are read live: a stale cache
/// must not take away what a binding gives.
pub async fn wanted(user: &TechnicalUser, platform: &Platform, context: &Context) -> Result<Wanted> {
    let namespace = user.namespace().unwrap_or_default();
    let named = context.index.naming(&namespace, &user.name_any());
    let cached: Vec<_> = named.iter().filter_map(|reference| context.stores.role_bindings.get(reference)).collect();
    let wanted = union(user, platform, context, &cached);
    if carried(user).iter().all(|role| wanted.roles.contains(*role)) {
        return Ok(wanted);
    }
    let api: Api<RoleBinding> = Api::namespaced(context.client.clone(), &namespace);
    let all = api.list(&ListParams::default()).await.map_err(Error::Kubernetes)?;
    Ok(union(user, platform, context, &all.items.into_iter().map(Arc::new).collect::<Vec<_>>()))
}

fn carried(user: &TechnicalUser) -> Vec<&String> {
    user.status.iter().flat_map(|status| &status.identity).flat_map(|identity| &identity.roles).flatten().collect()
}

fn union(user: &TechnicalUser, platform: &Platform, context: &Context, bindings: &[Arc<RoleBinding>]) -> Wanted {
    let mut wanted = Wanted { now: (context.now)(), ..Wanted::default() };
    for binding in bindings.iter().filter(|binding| speaks_of(binding, user)) {
        for role in binding.spec.roles.iter().filter(|role| role.belongs_to_identity()) {
            add(&mut wanted, user, platform, context, binding, role);
        }
    }
    wanted
}

fn speaks_of(binding: &RoleBinding, user: &TechnicalUser) -> bool {
    let named = |subject: &Subject| matches!(subject, Subject::TechnicalUser(one) if one.name == user.name_any());
    binding.metadata.deletion_timestamp.is_none()
        && binding.spec.platform_ref == user.spec.platform_ref
        && binding.spec.subjects.iter().any(named)
}

/// A role counts if it can be and may be; one that may no longer be counts until its grace has passed, if it is carried.
fn add(
    wanted: &mut Wanted,
    user: &TechnicalUser,
    platform: &Platform,
    context: &Context,
    binding: &RoleBinding,
    role: &Role,
) {
    let subject = Subject::TechnicalUser(crate::api::TechnicalUserRef { name: user.name_any() });
    if capability::role(&platform.spec.environment, &subject, Some(&user.spec.identity), role).is_err() {
        return;
    }
    let namespace = context.stores.namespace(&binding.namespace().unwrap_or_default());
    if access::allows_grant(&platform.spec.access, &namespace, subject.kind(), role) {
        wanted.roles.insert(role.name().to_owned());
    } else if carried(user).into_iter().any(|carried| carried == role.name()) {
        let line = binding.status.iter().flat_map(|status| &status.roles);
        let line = line
            .filter(|line| line.subject == subject && &line.role == role)
            .find_map(|line| line.denied_since.as_ref());
        let since = line.map_or(wanted.now, |since| since.0);
        if let Withdrawal::Due(at) = access::withdrawal(since, platform.spec.withdrawal_grace.duration(), wanted.now) {
            wanted.roles.insert(role.name().to_owned());
            wanted.until = Some(wanted.until.map_or(at, |until| until.min(at)));
        }
    }
}
