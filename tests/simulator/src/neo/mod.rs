//! The Neo environment: one subaccount's members, application roles and groups. Mounted below `/neo`.
//!
//! It follows SAP's Neo documentation (Platform Authorization Management API, Authorization Management API) and, where
//! that is silent, what SAP's own published clients expect. What neither tells, it refuses rather than guesses.

mod access;
mod account;
mod admitted;
mod applications;
mod body;
mod budget;
mod groups;
mod members;
mod names;
mod refusal;
mod seed;
mod users;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::frame::{Frame, Guarded, Mounted, Platform, Routes};
use account::Account;
use budget::Budget;

const PREFIX: &str = "/neo";
const REALM: &str = "neo";

/// The state behind the routes.
pub(crate) struct Neo {
    frame: Arc<Frame>,
    account: Guarded<Account>,
    budget: Budget,
}

/// Neo's routes below `/neo`.
pub(crate) fn mount(neo: &Arc<Neo>) -> Mounted {
    let api = Routes::below(PREFIX, "neo").post("token", "/oauth2/apitoken/v1", access::token);
    let api = groups::routes(users::routes(applications::routes(members::routes(api))));
    let (router, names) = api.with_state(Arc::clone(neo));
    let platform: Arc<Neo> = Arc::clone(neo);
    Mounted { platform, other: None, router, names }
}

impl Neo {
    /// The subaccount as it is at start.
    pub(crate) fn new(frame: &Arc<Frame>) -> Arc<Self> {
        let account = Guarded::new(seed::account(&frame.clock));
        Arc::new(Self { frame: Arc::clone(frame), account, budget: Budget::default() })
    }

    /// The roles that a user holds on the runtime node of Cloud Integration, itself or through groups, under whichever
    /// of these names.
    pub(crate) fn runtime_roles_of(&self, names: &[&str]) -> Vec<String> {
        self.read(|account| account.roles_of(names, seed::RUNTIME))
    }

    /// Base URL as clients see it: the host of a region.
    fn url(&self) -> String {
        format!("{}{PREFIX}", self.frame.url)
    }

    /// Looks at the subaccount.
    fn read<R>(&self, look: impl FnOnce(&Account) -> R) -> R {
        self.account.read(look)
    }

    /// Changes the subaccount.
    fn write<R>(&self, change: impl FnOnce(&mut Account) -> R) -> R {
        self.account.write(change)
    }
}

impl Platform for Neo {
    fn name(&self) -> &'static str {
        "neo"
    }

    fn snapshot(&self, secrets: bool) -> Value {
        self.read(|account| account.snapshot(secrets))
    }

    fn reset(&self) {
        self.write(|account| *account = seed::account(&self.frame.clock));
        self.budget.reset();
    }

    /// Neo hands out no service key: a person copies id and secret from the cockpit. This is what they would note.
    fn admin_credential(&self, x509: bool) -> Option<Value> {
        let found = self.read(|account| account.api_client(seed::ADMINISTRATOR).map(|client| client.secret.clone()));
        let credential = json!({
            "url": self.url(),
            "tokenurl": format!("{}/oauth2/apitoken/v1", self.url()),
            "subaccount": seed::SUBACCOUNT,
            "clientid": seed::ADMINISTRATOR,
            "clientsecret": found?,
        });
        (!x509).then_some(credential)
    }

    /// Neo never says when to come back.
    fn throttled(&self, _retry_after: Option<String>) -> axum::response::Response {
        crate::frame::answer::throttled_plain(None)
    }
}

#[cfg(test)]
mod tests;
