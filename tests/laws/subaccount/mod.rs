//! A platform in memory, of one of three shapes: like the Service Manager, like the clients of a UAA, or like a directory's
//! users; and grants like XSUAA's.
//!
//! Like the platforms' own sources say, not like a driver would wish: names are not unique, lists are old or miss
//! something, answers are lost, work goes on after the answer, an order comes about when nobody waits for it any more.
//! Only a targeted read tells the truth. The drivers over it are in [`identities`], [`credentials`] and [`grants`];
//! [`weather`] says what goes wrong, [`operations`] what is under way.

use std::collections::BTreeSet;

use technical_user_operator::plan::capability::Recall;
use technical_user_operator::plan::grant::Grant;
use technical_user_operator::plan::owner::Owner;
use technical_user_operator::platform::Health;

use self::operations::{Change, Operation};
use self::weather::{Listing, Weather};

mod certificate;
pub mod credentials;
pub mod driver;
pub mod grants;
pub mod identities;
pub mod operations;
pub mod weather;

/// What kind of platform it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Keeps credentials under their names and shows them again; works on after it has answered; never tells roles; a
    /// name can be given twice.
    ServiceManager,
    /// Keeps up to two secrets of each client under their names, shows each once, and ends none but the older alone; done
    /// when it answers; tells the client's authorities.
    Uaa,
    /// One password for each user, shown once; done when it answers.
    Directory,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::ServiceManager, Self::Uaa, Self::Directory];

    /// Whether it keeps credentials under their names.
    pub fn keeps(self) -> bool {
        self != Self::Directory
    }

    /// Whether it is done when it answers, and tells what an identity carries.
    pub fn is_plain(self) -> bool {
        self != Self::ServiceManager
    }

    /// How a credential can be had again.
    pub fn recall(self) -> Recall {
        match self {
            Self::ServiceManager => Recall::Revealed,
            Self::Uaa => Recall::Listed,
            Self::Directory => Recall::LastOnly,
        }
    }

    /// How many of so many credentials, the oldest first, end when another is issued.
    pub fn ended_by_issue(self, credentials: usize) -> usize {
        match self {
            Self::ServiceManager => 0,
            Self::Uaa => credentials.saturating_sub(1),
            Self::Directory => credentials,
        }
    }

    /// Whether all end with the credential at this place of so many.
    pub fn ends_all(self, place: usize, credentials: usize) -> bool {
        self == Self::Uaa && place + 1 == credentials
    }
}

/// An identity that somebody made.
#[derive(Clone, Debug)]
pub struct Identity {
    pub id: String,
    pub name: String,
    /// Its mark; strangers have none.
    pub owner: Option<Owner>,
    pub health: Health,
    /// Whether a change of it is under way: it goes on serving, and takes no order.
    pub busy: bool,
    pub roles: BTreeSet<String>,
    /// Where credentials are kept: all of them. Elsewhere the one there is, under the number of its issue.
    pub credentials: Vec<Credential>,
}

/// A credential of an identity.
#[derive(Clone, Debug)]
pub struct Credential {
    pub id: String,
    pub name: String,
    pub health: Health,
    /// Whether it is being revoked.
    pub busy: bool,
    pub value: String,
    /// What its mark says of what it was made of.
    pub material: Option<String>,
    /// The certificate, where it is one.
    pub certificate: Option<String>,
}

/// What a list would show at some moment.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    pub identities: Vec<Identity>,
    pub grants: BTreeSet<Grant>,
}

/// The platform.
#[derive(Debug)]
pub struct Subaccount {
    pub shape: Shape,
    pub now: Picture,
    /// What others granted before we recorded it as ours.
    pub strangers: BTreeSet<Grant>,
    /// Every picture there ever was.
    past: Vec<Picture>,
    pub weather: Weather,
    pub listing: Listing,
    operations: Vec<Operation>,
    /// How many effects operators had, or tried to have.
    pub effects: usize,
    /// How many identities were made here by operators.
    pub made: usize,
    serial: usize,
}

impl Subaccount {
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            now: Picture::default(),
            strangers: BTreeSet::new(),
            past: vec![Picture::default()],
            weather: Weather::Fair,
            listing: Listing::True,
            operations: vec![],
            effects: 0,
            made: 0,
            serial: 0,
        }
    }

    /// A new id, and by it a new value.
    pub fn next(&mut self) -> String {
        self.serial += 1;
        format!("id-{}", self.serial)
    }

    /// What is now joins the past.
    pub fn seen(&mut self) {
        self.past.push(self.now.clone());
    }

    pub fn identity(&mut self, id: &str) -> Option<&mut Identity> {
        self.now.identities.iter_mut().find(|one| one.id == id)
    }

    /// Everything that carries this owner's mark.
    pub fn of<'a>(&'a self, uid: &'a str) -> impl Iterator<Item = &'a Identity> {
        self.now.identities.iter().filter(move |one| one.owner.as_ref().is_some_and(|owner| owner.uid == uid))
    }

    /// Whether software that holds this value can log on.
    pub fn accepts(&self, value: &str) -> bool {
        let usable = self.now.identities.iter().filter(|one| one.health == Health::Usable);
        usable.flat_map(|one| &one.credentials).any(|one| one.health == Health::Usable && one.value == value)
    }

    /// Whatever is changed by a change that is under way takes no other order.
    pub fn occupy(&mut self, change: &Change, busy: bool) {
        match change {
            Change::SetRoles(id, _) | Change::Delete(id) => {
                self.identity(id).into_iter().for_each(|one| one.busy = busy);
            }
            Change::Revoke(id) => {
                let all = self.now.identities.iter_mut().flat_map(|one| &mut one.credentials);
                all.filter(|one| one.id == *id).for_each(|one| one.busy = busy);
            }
            Change::Create(_) | Change::Issue(..) => {}
        }
    }

    /// A change comes about.
    pub fn happen(&mut self, change: Change) {
        match change {
            Change::Create(identity) => {
                self.made += 1;
                self.now.identities.push(identity);
            }
            Change::SetRoles(id, roles) => {
                if let Some(identity) = self.identity(&id) {
                    identity.roles = roles;
                }
            }
            Change::Delete(id) => self.now.identities.retain(|one| one.id != id),
            Change::Issue(id, credential) => {
                let shape = self.shape;
                let Some(identity) = self.identity(&id) else { return };
                identity.credentials.drain(..shape.ended_by_issue(identity.credentials.len()));
                identity.credentials.push(credential);
            }
            Change::Revoke(id) => {
                let shape = self.shape;
                for identity in &mut self.now.identities {
                    let all = &mut identity.credentials;
                    match all.iter().position(|one| one.id == id) {
                        Some(place) if shape.ends_all(place, all.len()) => all.clear(),
                        Some(place) => drop(all.remove(place)),
                        None => {}
                    }
                }
            }
        }
    }

    /// Somebody sets another secret of the one identity there is in place of all it had, under the number of the next issue.
    pub fn supersede(&mut self) {
        let id = self.next();
        let Some(identity) = self.now.identities.first_mut() else { return };
        identity.credentials.drain(..identity.credentials.len().saturating_sub(1));
        let Some((owner, credential)) = identity.owner.as_ref().zip(identity.credentials.last_mut()) else { return };
        let sequence = owner.sequence_of(&credential.name).unwrap_or_default();
        credential.name = owner.credential_name(sequence + 1);
        credential.value = format!("planted-{id}");
        credential.id = id;
    }

    /// Somebody else grants. It is theirs unless we hold it, or have said that we are about to.
    pub fn grant_by_strangers(&mut self, grant: &Grant, ours: bool) {
        if !ours && !self.now.grants.contains(grant) {
            self.strangers.insert(grant.clone());
        }
        self.now.grants.insert(grant.clone());
        self.seen();
    }

    /// Somebody else takes a grant away.
    pub fn revoke_by_strangers(&mut self, grant: &Grant) {
        self.now.grants.remove(grant);
        self.strangers.remove(grant);
        self.seen();
    }
}
