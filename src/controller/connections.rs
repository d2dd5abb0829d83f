//! The connection to each Platform: made by the Platform's own reconcile, waited for by everybody else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::error::{Error, Result};
use crate::api::Environment;
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

    /// The Platform is gone.
    pub fn forget(&self, platform: &str) {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).remove(platform);
    }

    fn with<T>(&self, platform: &str, look: impl FnOnce(&watch::Sender<State>) -> T) -> T {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        look(states.entry(platform.to_owned()).or_default())
    }
}
