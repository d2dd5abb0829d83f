//! What to do for a TechnicalUser: make the identity, give it its roles, issue a credential, publish it, drop the rest.
//!
//! Where the platform keeps our names and shows values again, a lost answer is found by name and no intent needs to be
//! written: the finalizer on the object is the record. Where it shows a value once (a UAA client has just the secret that
//! was set last), the intent is written before the effect. The Secret is the commit record of which credential is live.
//!
//! - [`facts`]: what is wanted and what there is. [`steps`]: what can be done.
//! - [`identity`]: which of several is kept. [`roles`], [`credential`]: what each needs. [`form`]: that of the Secret.
//! - [`rotation`]: when a credential that works is replaced. [`life`]: when one ends by itself. [`overlap`]: how long the one
//!   before stays in force.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;

pub mod credential;
pub mod facts;
pub mod form;
pub mod identity;
pub mod life;
pub mod overlap;
pub mod roles;
pub mod rotation;
pub mod steps;
#[cfg(test)]
mod tests;

pub use facts::{
    Brought, CredentialFact, Entry, Have, Health, IdentityFact, Intent, Published, Recorded, Rotation, SecretFact, Want,
};
pub use life::Life;
pub use overlap::{Standing, Superseded, Terms, Users};
pub use steps::{Hold, Plan, Step, Strand};

/// The way from what there is to what is wanted. The plan of a converged world has no steps.
///
/// ```
/// use technical_user_operator::plan::owner::Owner;
/// use technical_user_operator::plan::technical_user::{Have, Step, Want, plan};
///
/// let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "orders".into(), name: "orders".into() };
/// let want = Want { owner, roles: Some(["send".to_owned()].into()), ..Want::default() };
/// let (nothing, now) = (Have::default(), k8s_openapi::jiff::Timestamp::now());
///
/// let plan = plan(&want, &nothing, now);
/// let steps: Vec<Step> = plan.steps().cloned().collect();
/// assert_eq!(steps, [Step::CreateIdentity(["send".to_owned()].into()), Step::Issue(1)]);
/// assert!(plan.rests_on_silence(), "that there is none must have been asked for");
/// ```
pub fn plan(want: &Want, have: &Have, now: Timestamp) -> Plan {
    let Some(kept) = identity::kept(have) else { return creation(want, have) };
    match kept.health {
        _ if have.under_way => Plan { strands: vec![credential::heal(want, have, kept)], hold: Some(Hold::InProgress) },
        Health::InProgress => Plan { strands: vec![credential::heal(want, have, kept)], hold: Some(Hold::InProgress) },
        // A creation that failed had no credential: whoever says so of one that had is not believed.
        Health::Failed if have.recorded.is_credential_of(kept) => Plan::hold(Hold::InProgress),
        Health::Failed => Plan {
            strands: vec![Strand::of([Step::DeleteIdentity(kept.id.clone())])],
            hold: Some(if lacks_roles(want) { Hold::NoRoles } else { Hold::InProgress }),
        },
        Health::Usable => upkeep(want, have, kept, now),
    }
}

/// The way to nothing: what a deleted object, or one that is no longer allowed, leaves behind on the platform.
pub fn farewell(have: &Have) -> Plan {
    let identities = have.identities.iter().map(|one| Strand::of(removal(one, have)));
    let secret = matches!(have.secret, SecretFact::Ours { .. }).then_some(Strand::of([Step::RemoveSecret]));
    let unsure = have.under_way || have.order_in_doubt;
    Plan { strands: identities.chain(secret).collect(), hold: unsure.then_some(Hold::InProgress) }
}

/// The end of an identity. One that is but a name, to which others may have brought credentials of their own, ends with
/// those that are ours.
fn removal(identity: &IdentityFact, have: &Have) -> Vec<Step> {
    if !have.recall.is_brought() {
        return vec![Step::DeleteIdentity(identity.id.clone())];
    }
    let ours = have.credentials.iter();
    ours.map(|one| Step::Revoke { id: one.id.clone(), name: one.name.clone() }).collect()
}

/// What must go although nothing else may be touched: roles whose grace has passed.
pub fn forbidden(want: &Want, have: &Have, forbidden: &BTreeSet<String>) -> Plan {
    let kept = identity::kept(have).filter(|kept| kept.health == Health::Usable && !have.under_way);
    let strands = kept.map(|kept| roles::without(want, kept, have, forbidden)).into_iter().collect();
    Plan { strands, hold: None }
}

fn creation(want: &Want, have: &Have) -> Plan {
    if lacks_roles(want) {
        return Plan::hold(Hold::NoRoles);
    }
    if have.secret == SecretFact::Foreign {
        return Plan::hold(Hold::SecretNotOurs);
    }
    // What was ordered may yet appear: a second order would be a second identity.
    if have.under_way || have.order_in_doubt {
        return Plan::hold(Hold::InProgress);
    }
    let sequence = credential::next_sequence(want, have);
    let create = Step::CreateIdentity(want.roles.clone().unwrap_or_default());
    let steps = [create].into_iter().chain(credential::intent(want, have, sequence)).chain([Step::Issue(sequence)]);
    Plan { strands: vec![Strand::of(steps)], hold: None }
}

/// Removals first; then the credential, which consumers need; then what else there is to give; last of all another
/// credential in the place of one that works. A step that fails ends its strand and no other.
fn upkeep(want: &Want, have: &Have, kept: &IdentityFact, now: Timestamp) -> Plan {
    let (taking, giving) = roles::correct(want, kept, have);
    let (mut tending, waits) = credential::tend(want, have, kept, now);
    let rotating = rotation::rotate(want, have, kept, now);
    tending.steps.extend(identity::superfluous(have, kept).map(|one| Step::DeleteIdentity(one.id.clone())));
    let hold = match (waits, lacks_roles(want)) {
        (Some(hold), _) => Some(hold),
        (None, true) => Some(Hold::NoRoles),
        (None, false) => None,
    };
    Plan { strands: vec![taking, tending, giving, rotating], hold }
}

fn lacks_roles(want: &Want) -> bool {
    want.waits_for_roles && want.roles.as_ref().is_none_or(BTreeSet::is_empty)
}
