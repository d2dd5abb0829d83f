//! Platform: connect, make sure that it is the place it was, read it in whole, and wake whom a change concerns.

use std::sync::Arc;

use kube::ResourceExt;

use super::connections::State;
use super::error::{Class, Error, Result};
use super::live::Live;
use super::report::{Journal, Outcome};
use super::retry::jittered;
use super::runner::{Applied, Reconcile};
use super::watches::wake;
use super::{Context, unclaimed};
use crate::api::Platform;
use crate::plan::owner::Owner;
use crate::platform::mirror::Changes;
use crate::platform::{self, LoggedOn};
use connecting::InUse;

mod connecting;
mod credential;
mod secrets;

impl Reconcile for Platform {
    fn platform(&self) -> Option<&str> {
        // It waits for nobody: everybody waits for it.
        None
    }

    async fn apply(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<Applied> {
        live.hold().await?;
        let (name, environment) = (live.object().name_any(), live.object().spec.environment.name());
        live.status.environment = Some(environment.to_owned());
        let tried = connecting::connect(live, journal, context).await;
        announce(&name, &tried.outcome, context);
        let due = credential::say(live, journal, &tried, context);
        let kept = match tried.outcome {
            Ok(in_use) => keep_up(live, journal, in_use, context).await,
            Err(error) => Err(error),
        };
        let Applied { result, again } = kept.unwrap_or_else(|error| Applied { result: Err(error), again: None });
        Ok(Applied { result, again: again.into_iter().chain(due).min() })
    }

    /// A Platform in use stays until its last user is gone, and stays connected: its users need that to clean up, and
    /// after a restart nobody but the Platform connects.
    async fn cleanup(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<()> {
        let name = live.object().name_any();
        let users = users(&name, context);
        if let Some(first) = users.first() {
            let outcome = connecting::connect(live, journal, context).await.outcome;
            announce(&name, &outcome, context);
            if let Err(error) = outcome
                && error.class() == Class::Time
            {
                return Err(error);
            }
            let message = format!("in use by {} objects, {first} among them; delete those first", users.len());
            return Err(Error::InUse(message));
        }
        context.connections.forget(&name);
        context.metrics.forget(&name);
        Ok(())
    }
}

/// Reads the platform in whole, and wakes whom a change concerns.
async fn keep_up(
    live: &mut Live<Platform>,
    journal: &mut Journal,
    in_use: InUse,
    context: &Context,
) -> Result<Applied> {
    let name = live.object().name_any();
    let changes = in_use.0.mirror.refresh().await;
    wake_concerned(&name, &changes, context);
    credential::say_rights(live, journal, &in_use, context);
    let (connection, LoggedOn { failures, .. }) = in_use;
    let again = unclaimed::tend(live, journal, &connection, context).await?;
    let interval = live.object().spec.resync_interval.duration().map(jittered);
    let refused = failures.into_iter().map(|(api, error)| (api.to_owned(), error));
    let result = match refused.chain(changes.failures).next() {
        Some((what, error)) => Err(error.about(format!("{what}, while the rest goes on")).into()),
        None => Ok(Outcome::Ready(format!("logged on to {}", live.object().spec.environment.name()))),
    };
    Ok(Applied { result, again: again.or(interval) })
}

/// Tells everybody who waits how the connection stands. What the platform itself refused has been told already, and
/// a connection that stood goes on standing while only time is needed.
fn announce(name: &str, outcome: &Result<InUse>, context: &Context) {
    match outcome {
        Ok((connection, _)) => {
            if context.connections.set(name, State::Up(Arc::clone(connection))) {
                context.retries.forget_all();
                wake::dependents(context, name);
            }
        }
        Err(Error::Platform(error)) if error.kind() != platform::Kind::MalformedSecret => {}
        Err(error) if matches!(error.class(), Class::Time | Class::Race) => {}
        Err(error) => context.connections.down(name, error),
    }
}

/// Wakes the objects that a change made behind our back concerns, and no others.
fn wake_concerned(platform: &str, changes: &Changes, context: &Context) {
    for binding in changes.grants.iter().flat_map(|grant| context.index.holding(platform, grant)) {
        context.wake.binding(binding);
    }
    if changes.identities.is_empty() {
        return;
    }
    for user in context.stores.technical_users.state() {
        let uid = user.uid().unwrap_or_default();
        let owner = Owner { cluster: context.cluster.clone(), uid, ..Owner::default() };
        // One that is but a name changes under that name.
        let by_its_own_word = user.spec.identity.user().map(|user| user.name);
        if [owner.identity_name()].iter().chain(&by_its_own_word).any(|name| changes.identities.contains(name)) {
            context.wake.user(kube::runtime::reflector::ObjectRef::from_obj(&*user));
        }
    }
}

/// Everything that names this Platform.
fn users(platform: &str, context: &Context) -> Vec<String> {
    let named = |namespace: Option<String>, name: String| format!("{}/{name}", namespace.unwrap_or_default());
    let users = context.stores.technical_users.state();
    let users = users.iter().filter(|user| user.spec.platform_ref.name == platform);
    let users = users.map(|user| format!("technicaluser {}", named(user.namespace(), user.name_any())));
    let bindings = context.stores.role_bindings.state();
    let bindings = bindings.iter().filter(|binding| binding.spec.platform_ref.name == platform);
    let bindings = bindings.map(|binding| format!("rolebinding {}", named(binding.namespace(), binding.name_any())));
    users.chain(bindings).collect()
}
