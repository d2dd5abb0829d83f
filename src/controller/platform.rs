//! Platform: connect, make sure that it is the place it was, read it in whole, and wake whom a change concerns.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};

use super::connections::{Connection, State};
use super::error::{Class, Error, Result};
use super::live::Live;
use super::report::{Journal, Outcome};
use super::retry::jittered;
use super::runner::{Applied, Reconcile};
use super::watches::wake;
use super::{Context, unclaimed};
use crate::api::{ACCEPT_PLACE_ANNOTATION, Environment, Platform};
use crate::plan::digest;
use crate::plan::owner::Owner;
use crate::platform::admin_secret::AdminSecret;
use crate::platform::mirror::{Changes, Mirror};
use crate::platform::{self, LoggedOn, Whereabouts};

impl Reconcile for Platform {
    fn platform(&self) -> Option<&str> {
        // It waits for nobody: everybody waits for it.
        None
    }

    async fn apply(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<Applied> {
        live.hold().await?;
        let (name, environment) = (live.object().name_any(), live.object().spec.environment.name());
        live.status.environment = Some(environment.to_owned());
        let connected = connected(live, journal, context).await;
        announce(&name, &connected, context);
        let (connection, refused) = connected?;
        let changes = connection.mirror.refresh().await;
        wake_concerned(&name, &changes, context);
        let again = unclaimed::tend(live, journal, &connection, context).await?;
        let interval = live.object().spec.resync_interval.duration().map(jittered);
        let failures = refused.into_iter().map(|(api, error)| (api.to_owned(), error)).chain(changes.failures);
        let result = match failures.into_iter().next() {
            Some((what, error)) => Err(error.about(format!("{what}, while the rest goes on")).into()),
            None => Ok(Outcome::Ready(format!("logged on to {environment}"))),
        };
        Ok(Applied { result, again: again.or(interval) })
    }

    /// A Platform in use stays until its last user is gone, and stays connected: its users need that to clean up, and
    /// after a restart nobody but the Platform connects.
    async fn cleanup(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<()> {
        let name = live.object().name_any();
        let users = users(&name, context);
        if let Some(first) = users.first() {
            let connected = connected(live, journal, context).await;
            announce(&name, &connected, context);
            if let Err(error) = connected
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

/// The APIs of a connection whose admin credential did not work while another's did.
type Refused = Vec<(&'static str, platform::Error)>;

/// A connection that is logged on, to the place that this Platform is.
async fn connected(
    live: &mut Live<Platform>,
    journal: &mut Journal,
    context: &Context,
) -> Result<(Arc<Connection>, Refused)> {
    let (connection, LoggedOn { whereabouts, failures }) = connection(live.object(), context).await?;
    pin(live, journal, &whereabouts).await?;
    context.index.place(&live.object().name_any(), whereabouts.place());
    Ok((connection, failures))
}

/// Pins what the platform is when it first connects. A credential that leads elsewhere stops everything: nothing there
/// is known to be gone, and nothing is made anew, until somebody who may edit the Platform accepts the new place.
async fn pin(live: &mut Live<Platform>, journal: &mut Journal, whereabouts: &Whereabouts) -> Result<()> {
    let Some(pinned) = live.status.place.clone() else { return record(live, whereabouts.to_string()).await };
    if let Some(known) = whereabouts.pinned(&pinned) {
        return if known == pinned { Ok(()) } else { record(live, known).await };
    }
    let place = whereabouts.to_string();
    if live.object().annotations().get(ACCEPT_PLACE_ANNOTATION) != Some(&place) {
        return Err(Error::Elsewhere(format!(
            "this Platform is {pinned}, and its admin credential leads to {place}; nothing is touched. Put the right credential back, or accept the new place with the annotation {ACCEPT_PLACE_ANNOTATION}: {place}"
        )));
    }
    journal.warn("PlaceAccepted", format!("the Platform was {pinned} and is {place} from now on"));
    record(live, place).await
}

async fn record(live: &mut Live<Platform>, place: String) -> Result<()> {
    live.status.place = Some(place);
    live.record().await
}

/// The one there is is kept as long as it was made for the same environment and Secrets, above all when the platform has
/// refused it: it remembers that, and does not try the credential again.
async fn connection(platform: &Platform, context: &Context) -> Result<(Arc<Connection>, LoggedOn)> {
    let (secrets, fingerprint) = admin_secrets(platform, context).await?;
    let (name, environment) = (platform.name_any(), &platform.spec.environment);
    let known = context.connections.get(&name);
    let standing = match &known {
        State::Up(connection) | State::Refused(connection, _) => Some(connection),
        State::Unknown | State::Down(_) => None,
    };
    let fits = standing.filter(|one| one.environment == *environment && one.secrets == fingerprint);
    let connection = if let Some(connection) = fits {
        Arc::clone(connection)
    } else {
        let made = made(environment, &secrets, fingerprint, context);
        let made = made.inspect_err(|error| context.connections.down(&name, error))?;
        // All who come now ask about what they record: one read of each scope answers for them.
        made.mirror.expect(&context.index.recorded(&name));
        Arc::new(made)
    };
    match connection.driver.log_on().await {
        Ok(logged_on) => Ok((connection, logged_on)),
        Err(error) => {
            let error = Error::from(error);
            if error.class() == Class::Person || fits.is_none() {
                context.connections.set(&name, State::Refused(connection, error.to_string()));
            }
            Err(error)
        }
    }
}

fn made(
    environment: &Environment,
    secrets: &BTreeMap<String, AdminSecret>,
    fingerprint: String,
    context: &Context,
) -> Result<Connection> {
    let driver = context.outside.connect(environment, secrets)?;
    let mirror = Mirror::new(driver.clone(), &context.cluster);
    Ok(Connection { environment: environment.clone(), secrets: fingerprint, driver, mirror })
}

/// The admin Secrets, and a fingerprint by which a change of any of them is seen.
async fn admin_secrets(platform: &Platform, context: &Context) -> Result<(BTreeMap<String, AdminSecret>, String)> {
    let api: Api<Secret> = Api::namespaced(context.client.clone(), &context.namespace);
    let mut parsed = BTreeMap::new();
    let mut parts: Vec<Vec<u8>> = vec![];
    for reference in platform.spec.environment.secrets() {
        let name = &reference.name;
        let missing =
            || Error::AdminSecretMissing(format!("there is no Secret {name} in namespace {}", context.namespace));
        let secret = api.get_opt(name).await.map_err(Error::Kubernetes)?.ok_or_else(missing)?;
        let data: BTreeMap<String, Vec<u8>> =
            secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
        parts.extend(data.iter().flat_map(|(key, value)| [key.clone().into_bytes(), value.clone()]));
        let secret = AdminSecret::parse(&data).map_err(|error| error.about(format!("Secret {name}")))?;
        parsed.insert(name.clone(), secret);
    }
    let fingerprint = digest::of(parts.iter().map(Vec::as_slice), 32);
    Ok((parsed, fingerprint))
}

/// Tells everybody who waits how the connection stands. What the platform itself refused has been told already, and
/// a connection that stood goes on standing while only time is needed.
fn announce(name: &str, connected: &Result<(Arc<Connection>, Refused)>, context: &Context) {
    match connected {
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
