//! The roles that a TechnicalUser itself shall carry: what its live RoleBindings ask for, judged by the plan.
//!
//! The cache is enough to take a role away: one stream of one kind keeps its order, so whoever has seen that a
//! RoleBinding went has seen every other that came before.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use crate::api::technical_user::DeniedRole;
use crate::api::{Platform, Role, RoleBinding, Subject, TechnicalUser, TechnicalUserRef};
use crate::controller::Context;
use crate::controller::error::Result;
use crate::plan::access::{self, Asks, Namespace, Request, To};
use crate::plan::capability;
use crate::plan::own_roles::{Wanted, World, wanted};

/// The roles it shall carry, given those that it may carry now.
pub fn own(user: &TechnicalUser, platform: &Platform, carried: BTreeSet<String>, context: &Context) -> Result<Wanted> {
    let namespace = context.stores.namespace(&user.namespace().unwrap_or_default())?;
    let recorded = user.status.iter().flat_map(|status| &status.denied_roles);
    Ok(wanted(&World {
        asked: asked(user, platform, &namespace, context),
        carried,
        denied: recorded.map(|denied| (denied.name.clone(), denied.since.0)).collect(),
        grace: platform.spec.withdrawal_grace.duration(),
        now: (context.now)(),
    }))
}

/// The clocks of what is not allowed any more, as the status keeps them.
pub fn denied(wanted: &Wanted) -> Vec<DeniedRole> {
    wanted.denied.iter().map(|(name, since)| DeniedRole { name: name.clone(), since: Time(*since) }).collect()
}

/// What the RoleBindings ask for and can be, and whether the access rules allow it.
fn asked(
    user: &TechnicalUser,
    platform: &Platform,
    namespace: &Namespace,
    context: &Context,
) -> BTreeMap<String, bool> {
    let subject = Subject::TechnicalUser(TechnicalUserRef { name: user.name_any() });
    let identity = &user.spec.identity;
    let named = context.index.naming(&namespace.name, &user.name_any());
    let bindings = named.iter().filter_map(|reference| context.stores.role_bindings.get(reference));
    let carried = |role: &&Role| capability::is_carried(&platform.spec.environment, role);
    let mut asked = BTreeMap::new();
    for binding in bindings.filter(|binding| speaks_of(binding, user, &subject)) {
        let possible = |role: &&Role| capability::role(&platform.spec, &subject, Some(identity), role).is_ok();
        for role in binding.spec.roles.iter().filter(carried).filter(possible) {
            let asks = Asks::ToGrant(role, To::TechnicalUser(identity));
            let request = Request { namespace, environment: &platform.spec.environment, asks };
            asked.insert(role.name().to_owned(), access::permit(&platform.spec.access, &request));
        }
    }
    asked
}

fn speaks_of(binding: &RoleBinding, user: &TechnicalUser, subject: &Subject) -> bool {
    binding.metadata.deletion_timestamp.is_none()
        && binding.spec.platform_ref == user.spec.platform_ref
        && binding.spec.subjects.contains(subject)
}
