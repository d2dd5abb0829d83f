//! The connection to each Platform: made by the Platform's own reconcile, waited for by everybody else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::error::{Error, Result};
use crate::api::Environment;
use crate::plan::admin_credential::expiry::Ends;
use crate::platform::budget::CallObserver;
use crate::platform::connect::connect;
use crate::platform::mirror::Mirror;
use crate::platform::{self, Accounts, AdminSecret, Driver};

/// How long an object waits for a connection that is being made. Longer only wastes the object's turn: it is woken
/// when the connection stands.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way from a Platform's spec to the outside.
pub trait Connect: Send + Sync {
    /// The driver for an environment. `secrets` holds the admin Secrets that it names, by name.
    fn connect(&self, environment: &Environment, secrets: &BTreeMap<String, AdminSecret>) -> platform::Result<Driver>;
}

/// Connects to real platforms.
pub struct Outside {
    /// What all Platforms with the same admin credential share.
    pub accounts: Accounts,
    /// Is told of every call.
    pub observer: Arc<dyn CallObserver>,
}

impl Connect for Outside {
    fn connect(&self, environment: &Environment, secrets: &BTreeMap<String, AdminSecret>) -> platform::Result<Driver> {
        connect(environment, secrets, &self.accounts, &self.observer)
    }
}

/// A connection that stands.
pub struct Connection {
    /// What it was made for.
    pub environment: Environment,
    /// Fingerprint of the admin Secrets it was made with.
    pub secrets: String,
    /// The platform itself, to log on to.
    pub driver: Driver,
    /// The platform through its mirror.
    pub mirror: Mirror,
    /// When the credential ends. People may learn that later than they put it into the Secret.
    ends: Mutex<Ends>,
}

impl Connection {
    /// One that has not logged on yet.
    pub const fn new(environment: Environment, secrets: String, driver: Driver, mirror: Mirror, ends: Ends) -> Self {
        Self { environment, secrets, driver, mirror, ends: Mutex::new(ends) }
    }

    /// Whether it was made for this, with Secrets of this fingerprint.
    pub fn is_for(&self, environment: &Environment, secrets: &str) -> bool {
        self.environment == *environment && self.secrets == secrets
    }

    /// When its credential ends.
    pub fn ends(&self) -> Ends {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its credential ends then, as is known now.
    pub fn end_at(&self, ends: Ends) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }
}

/// What is known of the connection to one Platform.
#[derive(Clone, Default)]
pub enum State {
    /// Nobody has tried yet.
    #[default]
    Unknown,
    /// It stands.
    Up(Arc<Connection>),
    /// It was made and the platform did not let it log on; the sentence says why. It is kept, because it remembers
    /// that the admin credential was refused: another connection would try that again and could lock the account.
    Refused(Arc<Connection>, String),
    /// It could not be made; the sentence says why.
    Down(String),
}

/// The connections by name of the Platform.
#[derive(Default)]
pub struct Connections {
    states: Mutex<HashMap<String, watch::Sender<State>>>,
    /// What changed Secrets hold and what has not proven itself yet, while something else is in use. It is kept because
    /// it remembers that it was refused.
    successors: Mutex<HashMap<String, Arc<Connection>>>,
}

impl Connections {
    /// The connection to a Platform, waiting a little for one that is being made.
    pub async fn wait_for(&self, platform: &str) -> Result<Arc<Connection>> {
        let mut receiver = self.with(platform, watch::Sender::subscribe);
        let known = receiver.wait_for(|state| !matches!(state, State::Unknown));
        let state = match tokio::time::timeout(PATIENCE, known).await {
            Ok(Ok(state)) => state.clone(),
            _ => State::Unknown,
        };
        match state {
            State::Up(connection) => Ok(connection),
            State::Refused(_, why) | State::Down(why) => {
                Err(Error::waiting("PlatformNotReady", format!("Platform {platform}: {why}")))
            }
            State::Unknown => {
                Err(Error::waiting("PlatformNotReady", format!("Platform {platform} is not connected yet")))
            }
        }
    }

    /// The connection as it stands, without waiting.
    pub fn get(&self, platform: &str) -> State {
        self.with(platform, |sender| sender.borrow().clone())
    }

    /// Says how it stands now. True if that lets others go on: a connection that was not there before.
    pub fn set(&self, platform: &str, state: State) -> bool {
        self.with(platform, |sender| {
            let news = match (&*sender.borrow(), &state) {
                (State::Up(old), State::Up(new)) => !Arc::ptr_eq(old, new),
                (_, State::Up(_)) => true,
                _ => false,
            };
            sender.send_replace(state);
            news
        })
    }

    /// Says that it could not be made, and why.
    pub fn down(&self, platform: &str, why: &impl ToString) {
        self.set(platform, State::Down(why.to_string()));
    }

    /// The connection that was made of what the Secrets of a Platform hold now, while another is in use.
    pub fn successor(&self, platform: &str) -> Option<Arc<Connection>> {
        self.successors().get(platform).cloned()
    }

    /// There is one, or none any more.
    pub fn set_successor(&self, platform: &str, successor: Option<Arc<Connection>>) {
        match successor {
            Some(successor) => self.successors().insert(platform.to_owned(), successor),
            None => self.successors().remove(platform),
        };
    }

    /// The Platform is gone.
    pub fn forget(&self, platform: &str) {
        self.set_successor(platform, None);
        self.states.lock().unwrap_or_else(PoisonError::into_inner).remove(platform);
    }

    fn successors(&self) -> MutexGuard<'_, HashMap<String, Arc<Connection>>> {
        self.successors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, platform: &str, look: impl FnOnce(&watch::Sender<State>) -> T) -> T {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        look(states.entry(platform.to_owned()).or_default())
    }
}
