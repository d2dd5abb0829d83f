//! The admin credentials in use: whoever has the same one shares its token, its budgets, and what is known of its refusal.
//!
//! A credential is known by a digest; its values are not kept here. It is forgotten when nobody uses it any more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use secrecy::SecretString;
use tokio::sync::OwnedMutexGuard;

use super::budget::{Budget, CallObserver, Limits, MAX_IN_FLIGHT};
use super::error::Result;
use super::http::{Authorization, Http};
use super::shown::{Fixed, Shown};
use super::token::{Client, TokenSource};

/// Every credential that any Platform uses. Cheap to clone.
#[derive(Clone, Default)]
pub struct Accounts {
    known: Arc<Mutex<HashMap<String, Weak<Account>>>>,
}

impl Accounts {
    /// The account of a credential: the one there is, or a new one that has not logged on yet.
    pub fn of(&self, credential: impl Into<Credential>, observer: &Arc<dyn CallObserver>) -> Result<Arc<Account>> {
        let credential = credential.into();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, account| account.strong_count() > 0);
        let digest = credential.digest();
        if let Some(account) = known.get(&digest).and_then(Weak::upgrade) {
            return Ok(account);
        }
        let account = Arc::new(Account::new(credential, observer)?);
        known.insert(digest, Arc::downgrade(&account));
        Ok(account)
    }
}

/// An admin credential, by how it logs on.
#[derive(Clone)]
pub enum Credential {
    /// It fetches tokens.
    Client(Client),
    /// It is shown with every call.
    Shown(Shown),
}

impl From<Client> for Credential {
    fn from(client: Client) -> Self {
        Self::Client(client)
    }
}

impl From<Shown> for Credential {
    fn from(shown: Shown) -> Self {
        Self::Shown(shown)
    }
}

impl Credential {
    fn digest(&self) -> String {
        match self {
            Self::Client(client) => client.digest(),
            Self::Shown(shown) => shown.digest(),
        }
    }
}

/// One admin credential: what it sends with, what it shows, and a budget for each API that it is used at.
pub struct Account {
    http: Http,
    proves: Proves,
    observer: Arc<dyn CallObserver>,
    budgets: Mutex<BTreeMap<(&'static str, String), Budget>>,
}

enum Proves {
    ByToken(TokenSource),
    ByItself(Fixed),
}

/// What a call is sent with.
pub enum Pass<'a> {
    /// A token.
    Token(Arc<SecretString>),
    /// The credential itself; while nobody knows whether it is good, with the one turn to try it.
    Itself(&'a Fixed, Option<OwnedMutexGuard<()>>),
}

impl Pass<'_> {
    /// How a request shows it.
    pub fn authorization(&self) -> Authorization<'_> {
        match self {
            Self::Token(token) => Authorization::Bearer(token),
            Self::Itself(fixed, _) => fixed.shown().authorization(),
        }
    }
}

impl Account {
    fn new(credential: Credential, observer: &Arc<dyn CallObserver>) -> Result<Self> {
        let (http, proves) = match credential {
            Credential::Client(client) => {
                let http = client.http()?;
                let tokens = TokenSource::new(client, http.clone(), Arc::clone(observer));
                (http, Proves::ByToken(tokens))
            }
            Credential::Shown(shown) => (shown.http()?, Proves::ByItself(Fixed::new(shown))),
        };
        Ok(Self { http, proves, observer: Arc::clone(observer), budgets: Mutex::default() })
    }

    /// The budget of this credential at an API below this address. Its limits are those it was first asked for with.
    pub fn budget(&self, api: &'static str, base: &str, limits: &Limits) -> Budget {
        let new = || Budget::new(api, limits, MAX_IN_FLIGHT, Arc::clone(&self.observer));
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.entry((api, base.to_owned())).or_insert_with(new).clone()
    }

    /// What it sends with: it shows the certificate where the credential is one.
    pub const fn http(&self) -> &Http {
        &self.http
    }

    /// What the next call is sent with.
    pub async fn pass(&self, deadline: Instant) -> Result<Pass<'_>> {
        match &self.proves {
            Proves::ByToken(tokens) => tokens.get(deadline).await.map(Pass::Token),
            Proves::ByItself(fixed) => Ok(Pass::Itself(fixed, fixed.turn(deadline).await?)),
        }
    }

    /// A token that is good for a while; `None` for a credential that fetches none.
    pub async fn token(&self, deadline: Instant) -> Result<Option<Arc<SecretString>>> {
        match &self.proves {
            Proves::ByToken(tokens) => tokens.get(deadline).await.map(Some),
            Proves::ByItself(_) => Ok(None),
        }
    }

    /// What its token is good for; `None` where nobody says so.
    pub fn scopes(&self) -> Option<BTreeSet<String>> {
        match &self.proves {
            Proves::ByToken(tokens) => tokens.scopes(),
            Proves::ByItself(_) => None,
        }
    }

    /// The tokens themselves, for tests that put one in its place.
    #[cfg(test)]
    pub fn token_source(&self) -> &TokenSource {
        match &self.proves {
            Proves::ByToken(tokens) => tokens,
            Proves::ByItself(_) => panic!("it fetches no tokens"),
        }
    }

    /// Whether another try may fare better: not with a token that was issued just now, since there is no better one.
    pub fn is_replaceable(&self, pass: &Pass<'_>) -> bool {
        match (&self.proves, pass) {
            (Proves::ByToken(tokens), Pass::Token(token)) => !tokens.is_fresh(token),
            _ => true,
        }
    }

    /// An API took this.
    pub fn accepted(&self, pass: &Pass<'_>) {
        if let Pass::Itself(fixed, _) = pass {
            fixed.accepted();
        }
    }

    /// An API refused this: the next caller gets another token, or the one second try.
    pub fn refused(&self, pass: &Pass<'_>) {
        match (&self.proves, pass) {
            (Proves::ByToken(tokens), Pass::Token(token)) => tokens.discard(token),
            (_, Pass::Itself(fixed, _)) => fixed.refused(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::budget::{Limit, Unobserved};
    use crate::platform::token::ClientProof;
    use reqwest::Url;

    fn client(secret: &str) -> Client {
        let token_url = Url::parse("https://uaa.example/oauth/token").unwrap();
        Client::new(token_url, "sb-1", ClientProof::Body(secret.into()))
    }

    fn observer() -> Arc<dyn CallObserver> {
        Arc::new(Unobserved)
    }

    #[test]
    fn the_same_credential_is_one_account_as_long_as_anybody_has_it() {
        let accounts = Accounts::default();
        let one = accounts.of(client("a"), &observer()).unwrap();
        assert!(Arc::ptr_eq(&one, &accounts.of(client("a"), &observer()).unwrap()));
        assert!(!Arc::ptr_eq(&one, &accounts.of(client("b"), &observer()).unwrap()), "another secret");
        let gone = Arc::downgrade(&one);
        drop(one);
        assert!(gone.upgrade().is_none(), "nobody uses it any more");
        accounts.of(client("c"), &observer()).unwrap();
        assert!(accounts.known.lock().unwrap().keys().all(|key| *key == client("c").digest()), "nor is it remembered");
    }

    #[test]
    fn a_budget_is_shared_by_api_and_address() {
        let account = Accounts::default().of(client("a"), &observer()).unwrap();
        let limits = Limits::one(Limit::Unknown);
        let budget = |api, base| account.budget(api, base, &limits);
        assert!(budget("x", "https://a").is(&budget("x", "https://a")));
        assert!(!budget("x", "https://a").is(&budget("x", "https://b")));
        assert!(!budget("x", "https://a").is(&budget("y", "https://a")));
    }
}
