//! Users as identities: they log on with a password. Their groups are granted to them as to any user.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use secrecy::ExposeSecret;

use super::another;
use super::pages::List;
use super::people::{Email, Name, OF_USER, Person, UserInput, mark};
use crate::api::identity::DirectoryUser;
use crate::api::{Identity, Principal};
use crate::plan::environment::uaa::ORIGIN;
use crate::plan::owner::Owner;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::password;
use crate::platform::reading::quoted;
use crate::platform::session::Session;
use crate::platform::{Health, Identities, NewIdentity, ObservedIdentity, Operation, Ordered, Progress};

const LIST: &str = "list users";
const FIND: &str = "find user";
const CREATE: &str = "create user";
const SET_ROLES: &str = "look up user";
const DELETE: &str = "delete user";

/// The beginning of every name that we give. The UAA cannot search by our mark, but by this.
const OURS: &str = "familyName sw \"tuo-\"";

/// The users of one UAA.
pub struct Users {
    pub(super) session: Session,
    pub(super) url: String,
    /// Whether the admin client has been let in here before.
    is_admitted: AtomicBool,
}

#[async_trait]
impl Identities for Users {
    fn guards_names(&self) -> bool {
        true
    }

    /// An admin client that may administer clients alone has made no user: what it was never let in to see is not listed.
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>> {
        let list = listing(LIST, OURS, Urgency::Last);
        let users: Vec<Person> = match list.all(&self.session).await {
            Err(error) if error.kind() == Kind::Forbidden && !self.is_admitted.load(Ordering::Relaxed) => {
                self.session.forbidden().taken(LIST);
                Vec::new()
            }
            outcome => outcome?,
        };
        Ok(users.into_iter().filter(|user| user.is_of_cluster(cluster)).map(observed).collect())
    }

    async fn find(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
        let name = owner.identity_name();
        let filter = format!("familyName eq {}", quoted(&name));
        let is_meant = |user: &Person| user.name.family_name.eq_ignore_ascii_case(&name);
        let users = listing(FIND, &filter, Urgency::Normal).few(&self.session, is_meant).await?;
        self.is_admitted.store(true, Ordering::Relaxed);
        Ok(users.into_iter().filter(|user| user.is_of(owner)).map(observed).collect())
    }

    /// A second try finds what the first made, so a lost answer costs nothing.
    async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let user = directory_user(wanted)?;
        let (owner, password) = (&wanted.owner, password::new());
        let input = UserInput {
            user_name: &user.user_name,
            external_id: mark(owner, 0),
            name: Name {
                family_name: owner.identity_name(),
                given_name: format!("{}/{}", owner.namespace, owner.name),
            },
            emails: vec![Email { value: user.email.clone().unwrap_or_else(|| owner.address_of_nobody()) }],
            password: Some(password.expose_secret()),
            origin: ORIGIN,
            active: true,
            verified: true,
        };
        let call = self.session.post(CREATE, &["Users"]).json(&input).repeatable();
        let answer = call.accept(&[409]).send().await?;
        if answer.status() == 409 {
            return self.taken(wanted, &user.user_name).await;
        }
        let unknown = || Error::new(Kind::OutcomeUnknown, CREATE);
        let made: Person = answer.json(CREATE).map_err(|_| unknown())?;
        if made.is_of(owner) { Ok(Ordered::Done(observed(made))) } else { Err(unknown()) }
    }

    /// A user carries no roles of its own: there is nothing to set.
    async fn set_roles(&self, identity: &ObservedIdentity, _: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let user = self.user(SET_ROLES, &identity.id, Urgency::Normal).await?;
        user.map(|user| Ordered::Done(observed(user))).ok_or_else(|| gone(SET_ROLES))
    }

    async fn delete(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
        let call = self.session.delete(DELETE, &["Users", &identity.id]).urgency(Urgency::First);
        let answer = call.accept(&[404]).send().await?;
        // The UAA shows what it has removed. A 404 may be anybody's, and so may an answer about something else.
        let says_gone =
            answer.status() != 404 && answer.json::<Person>(DELETE).is_ok_and(|gone| gone.id == identity.id);
        if !says_gone && self.user(DELETE, &identity.id, Urgency::First).await?.is_some() {
            return Err(another(DELETE));
        }
        Ok(Ordered::Done(()))
    }

    /// A UAA begins nothing that it does not end with its answer.
    async fn follow(&self, _: &Operation) -> Result<Progress> {
        Ok(Progress::Gone)
    }
}

impl Users {
    /// The users of the UAA that this session works with.
    pub fn new(session: Session, url: &str) -> Self {
        Self { session, url: url.trim_end_matches('/').to_owned(), is_admitted: AtomicBool::new(false) }
    }

    /// A user, if it is there. Asked of the list: a 404 may be anybody's, an empty list says that there is none.
    pub(super) async fn user(&self, operation: &'static str, id: &str, urgency: Urgency) -> Result<Option<Person>> {
        let filter = format!("id eq {}", quoted(id));
        let found = listing(operation, &filter, urgency).few(&self.session, |user: &Person| user.id == id).await?;
        Ok(found.into_iter().next())
    }

    /// The name is taken: by ours, by somebody else, or by what is not to be seen yet.
    async fn taken(&self, wanted: &NewIdentity, user_name: &str) -> Result<Ordered<ObservedIdentity>> {
        if !self.find(&wanted.owner).await?.is_empty() {
            return Ok(Ordered::Found);
        }
        let filter = format!("origin eq {} and userName eq {}", quoted(ORIGIN), quoted(user_name));
        let is_meant = |user: &Person| user.user_name.to_lowercase() == user_name.to_lowercase();
        let others = listing(CREATE, &filter, Urgency::Normal).few(&self.session, is_meant).await?;
        let kind = if others.is_empty() { Kind::OutcomeUnknown } else { Kind::Conflict };
        Err(Error::new(kind, CREATE).detail(format!("user `{user_name}`")))
    }
}

fn listing<'a>(operation: &'static str, filter: &'a str, urgency: Urgency) -> List<'a> {
    List { operation, path: &["Users"], filter, attributes: OF_USER, urgency }
}

fn directory_user(wanted: &NewIdentity) -> Result<&DirectoryUser> {
    match &wanted.identity {
        Identity::DirectoryUser(user) => Ok(user),
        _ => Err(Error::new(Kind::Invalid, CREATE).detail("a user is an identity of kind directoryUser")),
    }
}

/// It is not there any more.
pub(super) fn gone(operation: &'static str) -> Error {
    Error::new(Kind::NotFound, operation).detail("the user is gone")
}

fn observed(user: Person) -> ObservedIdentity {
    let (mark, credential) = (user.mark(), user.credential());
    ObservedIdentity {
        name: user.name.family_name,
        id: user.id,
        health: Health::Usable,
        roles: None,
        mark,
        user: Some(Principal { name: user.user_name, origin: Some(user.origin) }),
        credential,
    }
}
