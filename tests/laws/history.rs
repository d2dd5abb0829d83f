//! What happens in a case, and how random histories are made. It must not call the plan.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use crate::kubernetes::Address;
use crate::landscape::Landscape;
use crate::leash::FREE;
use crate::manifests::{
    grant, of_jane, of_jane_elsewhere, of_the_user, platform, role_binding, role_name, technical_user,
};
use crate::meddling::Meddling;
use crate::operator::Came;
use crate::subaccount::weather::{Listing, Weather};

/// A piece of a history.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A RoleBinding wishes these roles from now on. With none it is deleted.
    Wish(usize, BTreeSet<usize>),
    /// Somebody meddles with the Secret.
    Meddle(Meddling),
    /// Strangers act on the platform.
    Stranger(Deed),
    /// The next order fares like this.
    Weather(Weather),
    /// Lists are like this from now on.
    Listing(Listing),
    /// What the platform was at work on ends.
    Finish(bool),
    /// An operator takes the reconcile of one object further, with caches that miss so many changes.
    Go { operator: usize, who: usize, lag: usize, steps: usize, dies: bool },
    /// An operator reads the platform again.
    Refresh(usize),
    /// An operator's watches missed what happened and begin again.
    ListAgain(usize),
    /// Time passes.
    Pass(u64),
}

/// What strangers do on a platform.
#[derive(Clone, Debug)]
pub enum Deed {
    Grant(usize),
    Revoke(usize),
    /// Deletes our identity.
    DeleteIdentity,
    /// Deletes the first credential.
    DeleteCredential,
    /// Sets another secret, as an old leader does: where there is one only, it ends the one before.
    Supersede,
    /// Gives our identity other roles.
    ChangeRoles(BTreeSet<usize>),
}

/// What a history is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// A TechnicalUser with an identity of its own, and RoleBindings that give it roles.
    Identity,
    /// RoleBindings that give a user role collections.
    Grants,
    /// The same, of which one binding is on another Platform at the same place.
    TwoPlatforms,
}

impl Scene {
    /// The object of this number: the TechnicalUser is the first, where there is one.
    fn object(self, who: usize) -> Address {
        match (self, who) {
            (Self::Identity, 0) => technical_user(),
            _ => role_binding(who),
        }
    }
}

impl Happening {
    pub async fn strike(&self, scene: Scene, landscape: &mut Landscape) {
        match self {
            Self::Wish(who, roles) => wish(scene, landscape, *who, roles),
            Self::Meddle(meddling) => meddling.strike(landscape),
            Self::Stranger(deed) => deed.strike(landscape),
            Self::Weather(weather) => landscape.outside().subaccounts[0].weather = *weather,
            Self::Listing(listing) => landscape.outside().subaccounts[0].listing = *listing,
            Self::Finish(well) => {
                landscape.outside().subaccounts[0].finish(*well);
            }
            Self::Go { operator, who, lag, steps, dies } => {
                let came = landscape.go(*operator, &scene.object(*who), *lag, *steps).await;
                if *dies && came == Came::ToTheLeash {
                    landscape.crash(*operator).await;
                }
            }
            Self::Refresh(operator) => drop(landscape.go(*operator, &platform(), 0, FREE).await),
            Self::ListAgain(operator) => landscape.list_again(*operator),
            Self::Pass(seconds) => tokio::time::advance(Duration::from_secs(*seconds)).await,
        }
    }
}

fn wish(scene: Scene, landscape: &Landscape, who: usize, roles: &BTreeSet<usize>) {
    let address = role_binding(who);
    if roles.is_empty() {
        return landscape.delete(&address);
    }
    let object = match scene {
        Scene::Identity => of_the_user(landscape.shape, roles),
        Scene::TwoPlatforms if who == 0 => of_jane_elsewhere(roles),
        Scene::Grants | Scene::TwoPlatforms => of_jane(roles),
    };
    landscape.apply(&address, &object);
}

impl Deed {
    fn strike(&self, landscape: &Landscape) {
        let mut outside = landscape.outside();
        let tells_roles = landscape.shape.is_plain();
        let ours = matches!(self, Self::Grant(number) if outside.is_recorded(&grant(*number)));
        let subaccount = &mut outside.subaccounts[0];
        match self {
            Self::Grant(number) => subaccount.grant_by_strangers(&grant(*number), ours),
            Self::Revoke(number) => subaccount.revoke_by_strangers(&grant(*number)),
            Self::DeleteIdentity => drop(subaccount.now.identities.pop()),
            Self::DeleteCredential => {
                subaccount.now.identities.iter_mut().for_each(|one| one.credentials.truncate(1));
                subaccount.now.identities.iter_mut().for_each(|one| drop(one.credentials.pop()));
            }
            Self::Supersede if landscape.shape.is_plain() => subaccount.supersede(),
            // Where the platform does not tell, nobody could see it.
            Self::ChangeRoles(roles) if tells_roles => {
                let roles: BTreeSet<String> = roles.iter().copied().map(role_name).collect();
                subaccount.now.identities.iter_mut().for_each(|one| one.roles.clone_from(&roles));
            }
            Self::Supersede | Self::ChangeRoles(_) => {}
        }
        subaccount.seen();
    }
}

/// How wild a history is.
#[derive(Clone, Copy, Debug)]
pub struct Wildness {
    /// By how many changes caches may lag.
    pub lag: usize,
    /// Whether reconciles stop in their middle while other things happen.
    pub pauses: bool,
    pub operators: usize,
}

fn goings(wild: Wildness, objects: usize) -> impl Strategy<Value = Happening> {
    let steps = prop_oneof![2 => Just(FREE), 3 => 0..24_usize];
    (0..wild.operators, 0..objects, 0..=wild.lag, steps, any::<bool>()).prop_map(
        move |(operator, who, lag, steps, dies)| Happening::Go {
            operator,
            who,
            lag,
            steps,
            dies: dies || !wild.pauses,
        },
    )
}

fn roles() -> impl Strategy<Value = BTreeSet<usize>> {
    btree_set(0..2_usize, 0..=2)
}

fn weathers() -> impl Strategy<Value = Happening> {
    prop_oneof![
        Just(Weather::Slow),
        Just(Weather::Refuses),
        Just(Weather::Away),
        Just(Weather::LosesOrder),
        Just(Weather::LosesAnswer),
        Just(Weather::Delays),
    ]
    .prop_map(Happening::Weather)
}

pub fn listings() -> impl Strategy<Value = Listing> {
    prop_oneof![
        Just(Listing::True),
        (1..8_usize).prop_map(Listing::Old),
        (1..3_usize).prop_map(Listing::Incomplete),
        Just(Listing::Doubled),
    ]
}

/// Histories of a TechnicalUser and the RoleBindings 1 and 2.
pub fn of_identities(wild: Wildness) -> impl Strategy<Value = Vec<Happening>> {
    let deeds = prop_oneof![
        Just(Deed::DeleteIdentity),
        Just(Deed::DeleteCredential),
        Just(Deed::Supersede),
        roles().prop_map(Deed::ChangeRoles),
    ];
    vec(
        prop_oneof![
            2 => (1..3_usize, roles()).prop_map(|(who, roles)| Happening::Wish(who, roles)),
            2 => Meddling::any().prop_map(Happening::Meddle),
            1 => deeds.prop_map(Happening::Stranger),
            2 => weathers(),
            2 => any::<bool>().prop_map(Happening::Finish),
            1 => listings().prop_map(Happening::Listing),
            1 => (0..wild.operators).prop_map(Happening::Refresh),
            1 => (0..wild.operators).prop_map(Happening::ListAgain),
            1 => (0..120_u64).prop_map(Happening::Pass),
            6 => goings(wild, 3),
        ],
        0..14,
    )
}

/// Histories of the RoleBindings 0 to 2.
pub fn of_grants(wild: Wildness) -> impl Strategy<Value = Vec<Happening>> {
    let deeds = prop_oneof![(0..3_usize).prop_map(Deed::Grant), (0..3_usize).prop_map(Deed::Revoke)];
    let roles = btree_set(0..3_usize, 0..=2);
    vec(
        prop_oneof![
            3 => (0..3_usize, roles).prop_map(|(who, roles)| Happening::Wish(who, roles)),
            2 => deeds.prop_map(Happening::Stranger),
            1 => weathers().prop_filter("grants are done when they are answered", |one| {
                !matches!(one, Happening::Weather(Weather::Delays))
            }),
            1 => listings().prop_map(Happening::Listing),
            1 => (0..wild.operators).prop_map(Happening::Refresh),
            1 => (0..wild.operators).prop_map(Happening::ListAgain),
            1 => (0..120_u64).prop_map(Happening::Pass),
            6 => goings(wild, 3),
        ],
        0..16,
    )
}

/// Only crashes: nothing else disturbs.
pub fn crashes(objects: usize) -> impl Strategy<Value = Vec<Happening>> {
    vec(goings(Wildness { lag: 0, pauses: false, operators: 1 }, objects), 0..6)
}
