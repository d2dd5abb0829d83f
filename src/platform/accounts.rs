//! The admin credentials in use: whoever has the same one shares its token, its budgets, and what is known of its refusal.
//!
//! A credential is known by a digest; its values are not kept here. It is forgotten when nobody uses it any more.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use secrecy::SecretString;

use super::budget::{Budget, CallObserver, Limits, MAX_IN_FLIGHT};
use super::error::Result;
use super::http::Http;
use super::token::{Client, TokenSource};

/// Every credential that any Platform uses. Cheap to clone.
#[derive(Clone, Default)]
pub struct Accounts {
    known: Arc<Mutex<HashMap<String, Weak<Account>>>>,
}

impl Accounts {
    /// The account of a client: the one there is, or a new one that has not logged on yet.
    pub fn of(&self, client: Client, observer: &Arc<dyn CallObserver>) -> Result<Arc<Account>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, account| account.strong_count() > 0);
        let digest = client.digest();
        if let Some(account) = known.get(&digest).and_then(Weak::upgrade) {
            return Ok(account);
        }
        let account = Arc::new(Account::new(client, observer)?);
        known.insert(digest, Arc::downgrade(&account));
        Ok(account)
    }
}

/// One admin credential: what it sends with, its token, and a budget for each API that it is used at.
pub struct Account {
    http: Http,
    token: TokenSource,
    observer: Arc<dyn CallObserver>,
    budgets: Mutex<BTreeMap<(&'static str, String), Budget>>,
}

impl Account {
    fn new(client: Client, observer: &Arc<dyn CallObserver>) -> Result<Self> {
        let http = client.http()?;
        let token = TokenSource::new(client, http.clone(), Arc::clone(observer));
        Ok(Self { http, token, observer: Arc::clone(observer), budgets: Mutex::default() })
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

    /// A token that is good for a while.
    pub async fn token(&self, deadline: Instant) -> Result<Arc<SecretString>> {
        self.token.get(deadline).await
    }

    /// The token itself, for tests that put one in its place.
    #[cfg(test)]
    pub const fn token_source(&self) -> &TokenSource {
        &self.token
    }

    /// Whether this token was issued just now, so that there is no better one.
    pub fn is_fresh(&self, token: &Arc<SecretString>) -> bool {
        self.token.is_fresh(token)
    }

    /// An API refused this token: the next caller gets another.
    pub fn discard(&self, refused: &Arc<SecretString>) {
        self.token.discard(refused);
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
        Client { token_url, id: "sb-1".into(), proof: ClientProof::Body(secret.into()) }
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
