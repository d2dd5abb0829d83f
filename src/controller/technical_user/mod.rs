//! TechnicalUser: may it be, what is there, what does the plan say, carry it out, say so.
//!
//! - [`withdraw`]: what becomes of one that is deleted or not allowed. [`roles`]: the roles that it carries itself.
//! - [`observe`], [`execute`], [`publish`], [`operation`], [`record`]: the facts, the effects, and what is noted of them.
//!   [`restore`], [`reform`]: a Secret that is written again.
//! - [`rotation`], [`overlap`], [`users`]: when a credential is replaced, what the one before waits for, and for whom.
//! - [`source`]: a certificate that is brought along. [`ledger`]: what is ours where the platform keeps no mark.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{Resource, ResourceExt};

use super::Context;
use super::error::{Error, Result};
use super::live::Live;
use super::report::{Journal, Outcome};
use super::runner::{Applied, Reconcile};
use super::secret::form::{self, Shape};
use super::turns::Turn;
use crate::api::conditions::{self, DISCOURAGED, Verdict};
use crate::api::{Identity, IdentityStatus, Mode, Platform, ROTATE_ANNOTATION, TechnicalUser};
use crate::plan::access::{self, Asks, Request};
use crate::plan::capability::{self, OwnRoles};
use crate::plan::discouraged;
use crate::plan::own_roles::Wanted;
use crate::plan::owner::Owner;
use crate::plan::technical_user::{self as planning, Hold, Plan, Want};
use crate::platform::mirror::Mirrored;

mod execute;
pub mod ledger;
pub mod moment;
mod observe;
mod operation;
mod overlap;
mod publish;
mod record;
mod reform;
mod restore;
mod roles;
mod rotation;
pub mod source;
mod users;
mod withdraw;

use observe::Seen;
use source::Source;

impl Reconcile for TechnicalUser {
    fn platform(&self) -> Option<&str> {
        Some(&self.spec.platform_ref.name)
    }

    async fn apply(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<Applied> {
        let platform = platform_of(live.object(), context)?;
        let allowed = permits(live.object(), &platform, context, Asks::ToBe(&live.object().spec.identity))?;
        if let Identity::Existing(_) = &live.object().spec.identity {
            return existing(live, journal, &platform, allowed, context);
        }
        if !allowed {
            return withdraw::denied(live, journal, &platform, context).await;
        }
        live.status.denied_since = None;
        match capability::identity(&platform.spec, &live.object().spec.identity) {
            Ok(()) if platform.metadata.deletion_timestamp.is_some() => {
                let leaving =
                    Error::waiting("PlatformLeaving", format!("Platform {} is being deleted", platform.name_any()));
                restrained(live, journal, &platform, context, Err(leaving)).await
            }
            Ok(()) => provision(live, journal, &platform, context).await,
            Err(refusal) => restrained(live, journal, &platform, context, Err(refusal.into())).await,
        }
    }

    async fn cleanup(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<()> {
        withdraw::cleanup(live, journal, context).await
    }
}

/// A user that somebody else made: nothing is made, and nothing is recorded that would have to be cleaned up.
fn existing(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    allowed: bool,
    context: &Context,
) -> Result<Applied> {
    capability::identity(&platform.spec, &live.object().spec.identity)?;
    let Identity::Existing(user) = &live.object().spec.identity else { return Err(Error::LostRace) };
    if !allowed {
        return Ok(Outcome::Stalled("AccessDenied", withdraw::refusal(live.object(), platform)).into());
    }
    let advice = discouraged::advice(user);
    live.status.identity = Some(IdentityStatus { name: user.user_name.clone(), ..IdentityStatus::default() });
    discourage(live, journal, context, advice);
    Ok(Outcome::Ready("the user exists; its roles come from RoleBindings".into()).into())
}

/// What a reconcile works with, once the platform was looked at.
struct Scene {
    want: Want,
    roles: Wanted,
    seen: Seen,
    /// Leave to order something new, where it was needed to begin with.
    turn: Option<Turn>,
    source: Option<Source>,
}

/// Makes identity and credential what they shall be. In mode Observe only what must go goes.
async fn provision(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    context: &Context,
) -> Result<Applied> {
    let connection = context.connections.wait_for(&platform.name_any()).await?;
    let mirrored = connection.mirror.of(live.object().spec.identity.kind())?;
    if let Err(unusable) = form::judge(live.object(), mirrored.recall()) {
        return restrained(live, journal, platform, context, Err(unusable)).await;
    }
    let source = match source::read(live.object(), mirrored, context).await {
        Ok(source) => source,
        // What stands in the Secret works on.
        Err(unusable) => return restrained(live, journal, platform, context, Err(unusable)).await,
    };
    let mut scene = match newcomer(live, platform, mirrored, context)? {
        Newcomer::Waits(scene) => *scene,
        Newcomer::Begins(turn) => Scene { turn, ..look(live, journal, platform, mirrored, context, source).await? },
    };
    let enforces = platform.spec.mode == Mode::Enforce && live.object().spec.mode == Mode::Enforce;
    if enforces {
        rotation::put_off(live, &mut scene.seen.have.recorded, context);
        scene.seen.have.users = users::of_superseded(live, journal, &scene, context).await;
    }
    let mut plan = planning::plan(&scene.want, &scene.seen.have, (context.now)());
    if enforces && plan.only_rotates() && scene.turn.is_none() {
        // Others are not kept waiting by looks at an object whose turn to order has not come.
        scene.turn = Some(context.turns.order(&platform.name_any(), live.object()).ok_or(Error::NotYet)?);
    }
    let may_have_ended = planning::overlap::may_have_ended(&scene.want, &scene.seen.have);
    if (plan.rests_on_silence() || may_have_ended) && !scene.seen.certain {
        scene = certain(scene, live, platform, mirrored, context).await?;
        plan = planning::plan(&scene.want, &scene.seen.have, (context.now)());
    }
    if platform.spec.mode == Mode::Observe {
        return Ok(observed(live, &plan).into());
    }
    if live.object().spec.mode == Mode::Observe {
        let outcome = observed(live, &plan);
        return restrained_here(live, journal, platform, mirrored, context, scene, Ok(outcome)).await;
    }
    live.status.plan.clear();
    let done = carry_out(live, journal, platform, mirrored, context, &mut scene, &plan).await;
    rotation::schedule(live, scene.seen.have.recall, context);
    let overlap = overlap::note(live, journal, &scene, context);
    let again = due(&scene, context).into_iter().chain(overlap);
    let result = match done {
        Ok(unrotated) => {
            let again = again.chain(rotation::note(live, unrotated, context)).min();
            return Ok(Applied { result: outcome(live, &plan, context), again });
        }
        Err(error) => Err(error),
    };
    Ok(Applied { result, again: again.min() })
}

/// What an object for which nothing was made yet needs first.
enum Newcomer {
    /// There is nothing to make, so there is nothing to look at either.
    Waits(Box<Scene>),
    /// There is something to make, and its turn has come. Others need no turn to begin with.
    Begins(Option<Turn>),
}

/// Nobody looks at anything for an object before there is something to make for it and its turn to order has come.
fn newcomer(
    live: &mut Live<TechnicalUser>,
    platform: &Platform,
    mirrored: &Mirrored,
    context: &Context,
) -> Result<Newcomer> {
    if !observe::has_nothing(live, context) {
        return Ok(Newcomer::Begins(None));
    }
    let (owner, seen) = (owner(live.object(), context), observe::nothing(live, mirrored, context));
    let scene = scene(live, platform, owner, seen, None, context)?;
    if planning::plan(&scene.want, &scene.seen.have, (context.now)()).is_quiet() {
        if context.orders.just_came(&scene.want.owner.uid)
            && live.status.observed_generation != live.object().metadata.generation
        {
            return Err(Error::JustCame);
        }
        return Ok(Newcomer::Waits(Box::new(scene)));
    }
    let turn = context.turns.order(&platform.name_any(), live.object()).ok_or(Error::NotYet)?;
    Ok(Newcomer::Begins(Some(turn)))
}

/// Carries out nothing but what must go, and then says what stands in the way of the rest.
async fn restrained(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    context: &Context,
    result: Result<Outcome>,
) -> Result<Applied> {
    if !is_begun(live) {
        return Ok(Applied { result, again: None });
    }
    let connection = context.connections.wait_for(&platform.name_any()).await?;
    let mirrored = connection.mirror.of(live.object().spec.identity.kind())?;
    let scene = look(live, journal, platform, mirrored, context, None).await?;
    restrained_here(live, journal, platform, mirrored, context, scene, result).await
}

async fn restrained_here(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    mirrored: &Mirrored,
    context: &Context,
    mut scene: Scene,
    result: Result<Outcome>,
) -> Result<Applied> {
    let plan = planning::forbidden(&scene.want, &scene.seen.have, &scene.roles.forbidden);
    let again = due(&scene, context);
    if platform.spec.mode == Mode::Enforce && is_begun(live) {
        carry_out(live, journal, platform, mirrored, context, &mut scene, &plan).await?;
    }
    Ok(Applied { result, again })
}

/// Looks at the platform and works out what is wanted of it.
async fn look(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    mirrored: &Mirrored,
    context: &Context,
    source: Option<Source>,
) -> Result<Scene> {
    let owner = owner(live.object(), context);
    operation::follow(live, &owner, journal, mirrored).await?;
    let brought = source.as_ref().map(|source| &source.brought);
    let seen = observe::observe(live, &owner, brought, mirrored, context).await?;
    scene(live, platform, owner, seen, source, context)
}

/// The same, with the platform asked for this very object.
async fn certain(
    scene: Scene,
    live: &mut Live<TechnicalUser>,
    platform: &Platform,
    mirrored: &Mirrored,
    context: &Context,
) -> Result<Scene> {
    let Scene { want, seen, source, turn, .. } = scene;
    let users = seen.have.users.clone();
    let mut seen = observe::make_certain(seen, live, &want.owner, want.brought.as_ref(), mirrored, context).await?;
    seen.have.users = users;
    Ok(Scene { turn, ..self::scene(live, platform, want.owner, seen, source, context)? })
}

fn scene(
    live: &mut Live<TechnicalUser>,
    platform: &Platform,
    owner: Owner,
    seen: Seen,
    source: Option<Source>,
    context: &Context,
) -> Result<Scene> {
    if seen.certain && !seen.have.order_in_doubt {
        ledger::strike(&mut live.status, &seen.credentials);
        record::strike(&mut live.status, &seen.credentials);
    }
    let kept = planning::identity::kept(&seen.have);
    let carried = kept.map(|kept| planning::roles::carried(kept, &seen.have).1).unwrap_or_default();
    let own_roles = capability::own_roles(&platform.spec, &live.object().spec.identity);
    let roles = match own_roles {
        OwnRoles::None => Wanted::default(),
        _ => roles::own(live.object(), platform, carried, context)?,
    };
    live.status.denied_roles = roles::denied(&roles);
    let wanted = (own_roles != OwnRoles::None).then(|| roles.roles.clone());
    let waits_for_roles = matches!(own_roles, OwnRoles::Parameter(_));
    let brought = source.as_ref().map(|source| source.brought.clone());
    let has_mark = !seen.have.recall.is_brought() && !seen.have.recall.is_shown_once();
    let making = source::making(live.object(), source.as_ref().map(|source| &source.pair));
    let material = making.material().filter(|_| has_mark);
    let rotation = rotation::wanted(live.object(), seen.have.recall);
    let blocks_on_loss = rotation::blocks_on_loss(live.object());
    let form = Shape::of(live.object()).layout().map(|layout| layout.digest);
    let want = Want { owner, roles: wanted, waits_for_roles, brought, material, rotation, blocks_on_loss, form };
    Ok(Scene { want, roles, seen, source, turn: None })
}

async fn carry_out(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    mirrored: &Mirrored,
    context: &Context,
    scene: &mut Scene,
    plan: &Plan,
) -> Result<Option<Error>> {
    let Scene { want, seen, source, turn, .. } = scene;
    let pair = source.as_ref().map(|source| &source.pair);
    let kept = planning::identity::kept(&seen.have).map(|kept| kept.id.clone());
    // Of a name to which nothing of ours was brought there is nothing to record.
    let is_there = ledger::named(live.object(), mirrored).is_none() || is_begun(live) || !plan.is_quiet();
    if let Some(identity) = seen.identities.iter().find(|one| is_there && Some(&one.id) == kept.as_ref()) {
        record::seen(&mut live.status, identity);
    }
    if plan.is_quiet() {
        return Ok(None);
    }
    let turn = turn.take();
    execute::Execution { live, journal, context, mirrored, platform, want, seen, turn, pair, at_work: false }
        .carry_out(&plan.strands)
        .await
}

fn outcome(live: &Live<TechnicalUser>, plan: &Plan, context: &Context) -> Result<Outcome> {
    let name = secret_name(live.object());
    match plan.hold {
        None => Ok(Outcome::Ready(format!("the credential is in Secret {name}"))),
        Some(Hold::NoRoles) => Ok(Outcome::Holding("NoRoles", "no RoleBinding gives it a role yet".into())),
        Some(Hold::InProgress) => Err(execute::in_progress("provision")),
        Some(Hold::Taken) => Err(execute::taken()),
        Some(Hold::Lost) => Ok(Outcome::Stalled(
            "CredentialLost",
            format!(
                "the value in Secret {name} is lost, the platform shows it only once, and onLoss is Block: annotate this object with {ROTATE_ANNOTATION} and any new value to have a new credential issued"
            ),
        )),
        Some(Hold::SecretNotOurs) => {
            context.wake.when_gone((live.object().namespace().unwrap_or_default(), name.to_owned()));
            Err(Error::NotOurs(format!(
                "Secret {name} exists and is not this TechnicalUser's; it is left alone. Remove it, or make the TechnicalUser anew and name another in credential.secretName"
            )))
        }
    }
}

fn observed(live: &mut Live<TechnicalUser>, plan: &Plan) -> Outcome {
    live.status.plan = plan.steps().map(ToString::to_string).collect();
    Outcome::Observed(format!("mode Observe: {} steps would be taken; see status.plan", live.status.plan.len()))
}

/// When the first role is withdrawn by itself, or the certificate ends.
fn due(scene: &Scene, context: &Context) -> Option<Duration> {
    let remaining = scene.source.as_ref().and_then(|source| source.remaining(context));
    let withdrawal = scene.roles.withdrawal.map(|at| at.duration_since((context.now)()));
    withdrawal.and_then(|left| Duration::try_from(left).ok()).into_iter().chain(remaining).min()
}

/// Whether anything of it may exist on the platform.
fn is_begun(live: &Live<TechnicalUser>) -> bool {
    use super::live::Kind;
    live.is_held() || live.object().holds_something()
}

fn platform_of(user: &TechnicalUser, context: &Context) -> Result<std::sync::Arc<Platform>> {
    let name = &user.spec.platform_ref.name;
    let found = context.stores.platform(name);
    found.ok_or_else(|| Error::waiting("PlatformNotFound", format!("there is no Platform {name}")))
}

fn permits(user: &TechnicalUser, platform: &Platform, context: &Context, asks: Asks<'_>) -> Result<bool> {
    let namespace = &context.stores.namespace(&user.namespace().unwrap_or_default())?;
    Ok(access::permit(&platform.spec.access, &Request { namespace, environment: &platform.spec.environment, asks }))
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
