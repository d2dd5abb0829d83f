//! TechnicalUser: may it be, what is there, what does the plan say, carry it out, say so.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{Resource, ResourceExt};

use super::Context;
use super::error::{Error, Result};
use super::live::Live;
use super::report::{Journal, Outcome};
use super::runner::{Applied, Reconcile};
use crate::api::conditions::{self, DISCOURAGED, Verdict};
use crate::api::{DeletionPolicy, Identity, IdentityStatus, Mode, Platform, TechnicalUser};
use crate::plan::access::{self, Withdrawal};
use crate::plan::capability::{self, OwnRoles};
use crate::plan::discouraged;
use crate::plan::owner::Owner;
use crate::plan::technical_user::{self as planning, Hold, Plan, Want};

mod execute;
mod observe;
mod roles;

impl Reconcile for TechnicalUser {
    async fn apply(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<Applied> {
        let platform = platform_of(live.object(), context)?;
        capability::identity(&platform.spec.environment, &live.object().spec.identity)?;
        if !is_allowed(live.object(), &platform, context) {
            return denied(live, journal, &platform, context).await;
        }
        live.status.denied_since = None;
        match &live.object().spec.identity {
            Identity::Existing(existing) => {
                let identity = IdentityStatus { name: existing.user_name.clone(), ..IdentityStatus::default() };
                let advice = discouraged::advice(existing);
                live.status.identity = Some(identity);
                discourage(live, journal, context, advice);
                Ok(Outcome::Ready("the user exists; its roles come from RoleBindings".into()).into())
            }
            Identity::ServiceKey(_) | Identity::OauthClient(_) => provision(live, journal, &platform, context).await,
        }
    }

    async fn cleanup(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<()> {
        let spec = &live.object().spec;
        if spec.deletion_policy == DeletionPolicy::Orphan {
            journal.note("Orphaned", "left on the platform, as deletionPolicy Orphan asks");
            return Ok(());
        }
        let platform = platform_of(live.object(), context)?;
        if mode(live.object(), &platform) == Mode::Observe {
            return Ok(());
        }
        withdraw(live, journal, &platform, context).await
    }
}

/// Makes identity and credential what they shall be.
async fn provision(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    context: &Context,
) -> Result<Applied> {
    let connection = context.connections.wait_for(&platform.name_any()).await?;
    let own_roles = capability::own_roles(&live.object().spec.identity);
    let (roles, again) = match &own_roles {
        OwnRoles::None => (None, None),
        _ => roles::wanted(live.object(), platform, context).await?.into_parts(),
    };
    let waits_for_roles = matches!(own_roles, OwnRoles::Parameter(_));
    let want = Want { owner: owner(live.object(), context), roles, waits_for_roles };
    let mut seen = observe::observe(live, &want.owner, &connection, context).await?;
    let plan = planning::plan(&want, &seen.have);
    if mode(live.object(), platform) == Mode::Observe {
        return Ok(observed(live, &plan).into());
    }
    live.status.plan.clear();
    if !plan.steps.is_empty() {
        let carried_out =
            execute::Execution { live, journal, context, connection: &connection, want: &want, seen: &mut seen }
                .carry_out(&plan.steps)
                .await;
        carried_out.map_err(|error| if plan.restores_service() { Error::Unserved(Box::new(error)) } else { error })?;
    }
    let outcome = outcome(live, &plan)?;
    execute::record(live, &want, &seen, (context.now)());
    Ok(Applied { outcome, again })
}

fn outcome(live: &Live<TechnicalUser>, plan: &Plan) -> Result<Outcome> {
    let name = secret_name(live.object());
    match plan.hold {
        None => Ok(Outcome::Ready(format!("the credential is in Secret {name}"))),
        Some(Hold::NoRoles) => Ok(Outcome::Holding("NoRoles", "no RoleBinding gives it a role yet".into())),
        Some(Hold::InProgress) => {
            Err(crate::platform::Error::new(crate::platform::Kind::InProgress, "provision").into())
        }
        Some(Hold::SecretNotOurs) => Err(Error::NotOurs(format!(
            "Secret {name} exists and is not this TechnicalUser's; it is left alone. Remove it, or name another in credential.secretName"
        ))),
    }
}

fn observed(live: &mut Live<TechnicalUser>, plan: &Plan) -> Outcome {
    live.status.plan = plan.steps.iter().map(ToString::to_string).collect();
    Outcome::Observed(format!("mode Observe: {} steps would be taken; see status.plan", plan.steps.len()))
}

/// What the access rules no longer allow is announced at once and withdrawn after the grace.
async fn denied(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    context: &Context,
) -> Result<Applied> {
    let (namespace, name) = (live.object().namespace().unwrap_or_default(), platform.name_any());
    let refusal =
        format!("Platform {name} does not allow namespace {namespace} this identity; its spec.access must list it");
    if !live.is_held() {
        return Ok(Outcome::Stalled("AccessDenied", refusal).into());
    }
    let now = (context.now)();
    let since = live.status.denied_since.get_or_insert(Time(now)).0;
    match access::withdrawal(since, platform.spec.withdrawal_grace.duration(), now) {
        Withdrawal::Due(at) => {
            let outcome = Outcome::Stalled("AccessDenied", format!("{refusal}. It is withdrawn at {at}"));
            Ok(Applied { outcome, again: std::time::Duration::try_from(at.duration_since(now)).ok() })
        }
        Withdrawal::Now if mode(live.object(), platform) == Mode::Observe => {
            Ok(Outcome::Observed("mode Observe: it would be withdrawn".into()).into())
        }
        Withdrawal::Now => {
            withdraw(live, journal, platform, context).await?;
            live.status.credential = None;
            live.status.identity = None;
            live.status.binding = None;
            Ok(Outcome::Stalled("AccessDenied", format!("{refusal}. It was withdrawn")).into())
        }
    }
}

/// Removes everything of it from the platform, and its Secret.
async fn withdraw(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    context: &Context,
) -> Result<()> {
    if matches!(live.object().spec.identity, Identity::Existing(_)) {
        return Ok(());
    }
    let connection = context.connections.wait_for(&platform.name_any()).await?;
    let want = Want { owner: owner(live.object(), context), roles: None, waits_for_roles: false };
    let mut seen = observe::observe_to_remove(live, &want.owner, &connection, context).await?;
    let steps = planning::farewell(&seen.have);
    execute::Execution { live, journal, context, connection: &connection, want: &want, seen: &mut seen }
        .carry_out(&steps)
        .await
}

fn platform_of(user: &TechnicalUser, context: &Context) -> Result<std::sync::Arc<Platform>> {
    let name = &user.spec.platform_ref.name;
    let found = context.stores.platform(name);
    found.ok_or_else(|| Error::waiting("PlatformNotFound", format!("there is no Platform {name}")))
}

fn is_allowed(user: &TechnicalUser, platform: &Platform, context: &Context) -> bool {
    let namespace = context.stores.namespace(&user.namespace().unwrap_or_default());
    access::allows_identity(&platform.spec.access, &namespace, user.spec.identity.kind())
}

/// `Observe` on either of the two is enough.
fn mode(user: &TechnicalUser, platform: &Platform) -> Mode {
    if user.spec.mode == Mode::Observe { Mode::Observe } else { platform.spec.mode }
}

fn owner(user: &TechnicalUser, context: &Context) -> Owner {
    Owner {
        cluster: context.cluster.clone(),
        uid: user.uid().unwrap_or_default(),
        namespace: user.namespace().unwrap_or_default(),
        name: user.name_any(),
    }
}

fn secret_name(user: &TechnicalUser) -> &str {
    user.spec.credential.as_ref().map_or("", |credential| &credential.secret_name)
}

/// Sets or clears `Discouraged`, with an event when it is new.
fn discourage(live: &mut Live<TechnicalUser>, journal: &mut Journal, context: &Context, advice: Option<String>) {
    let Some(advice) = advice else {
        return conditions::clear(&mut live.status.conditions, DISCOURAGED);
    };
    if conditions::find(&live.status.conditions, DISCOURAGED).is_none() {
        journal.warn(DISCOURAGED, advice.clone());
    }
    let verdict = Verdict { status: "True", reason: "PersonalAccount", message: advice };
    let generation = live.object().meta().generation;
    conditions::set(&mut live.status.conditions, DISCOURAGED, verdict, generation, &Time((context.now)()));
}
