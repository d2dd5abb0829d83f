//! A UAA that one runs oneself: OAuth clients with authorities and tokens for them, users and groups. Mounted below
//! `/uaa`.
//!
//! It answers as UAA 4.30.0 was seen to answer, its oddities included; where the UAA's documentation says something
//! else, the observation wins. Users get no tokens here.

mod access;
mod batch;
mod client;
mod clients;
mod filter;
mod groups;
mod input;
mod introspection;
mod kinds;
mod listing;
mod people;
mod refusal;
mod routes;
mod search;
mod secrets;
mod token;
mod users;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::directory::collection::{Groups, Users};
use crate::directory::shelf::{Directory, Which};
use crate::frame::{Frame, Guarded, Mounted, Platform, Routes, random};
use client::Client;

const PREFIX: &str = "/uaa";
const REALM: &str = "uaa";
/// The client an administrator works with.
const ADMIN: &str = "admin";

/// Clients by their id, in the order in which lists show them. Ids are case-sensitive.
type Clients = BTreeMap<String, Client>;

/// The state behind the routes.
struct Uaa {
    frame: Arc<Frame>,
    clients: Guarded<Clients>,
    people: Guarded<Directory>,
}

/// The UAA's routes below `/uaa`.
pub(crate) fn mount(frame: &Arc<Frame>) -> Mounted {
    let uaa = Arc::new(Uaa::new(Arc::clone(frame)));
    let api = Routes::below(PREFIX, "uaa")
        .post("token", "/oauth/token", token::issue)
        .post("check-token", "/check_token", introspection::check_token)
        .post("introspect", "/introspect", introspection::introspect)
        .get("list-clients", "/oauth/clients", listing::list)
        .post("create-client", "/oauth/clients", clients::create)
        .get("get-client", "/oauth/clients/{id}", clients::get)
        .put("update-client", "/oauth/clients/{id}", clients::update)
        .delete("delete-client", "/oauth/clients/{id}", clients::delete)
        .put("change-secret", "/oauth/clients/{id}/secret", secrets::change)
        .post("create-clients", "/oauth/clients/tx", batch::create)
        .put("update-clients", "/oauth/clients/tx", batch::update)
        .post("delete-clients", "/oauth/clients/tx/delete", batch::delete)
        .get("list-users", "/Users", routes::list::<Users>)
        .post("create-user", "/Users", users::create)
        .get("get-user", "/Users/{id}", routes::get::<Users>)
        .put("replace-user", "/Users/{id}", users::replace)
        .delete("delete-user", "/Users/{id}", routes::delete::<Users>)
        .put("change-password", "/Users/{id}/password", users::change_password)
        .get("list-groups", "/Groups", routes::list::<Groups>)
        .post("create-group", "/Groups", groups::create)
        .get("get-group", "/Groups/{id}", routes::get::<Groups>)
        .put("replace-group", "/Groups/{id}", groups::replace)
        .delete("delete-group", "/Groups/{id}", routes::delete::<Groups>)
        .get("list-members", "/Groups/{id}/members", groups::members)
        .post("add-member", "/Groups/{id}/members", groups::add_member)
        .delete("remove-member", "/Groups/{id}/members/{member}", groups::remove_member);
    let (router, names) = api.with_state(Arc::clone(&uaa));
    Mounted { platform: uaa, other: None, router, names }
}

impl Uaa {
    fn new(frame: Arc<Frame>) -> Self {
        let clients = seed(frame.clock.now().as_millis());
        let people = people::first(frame.clock.now());
        Self { frame, clients: Guarded::new(clients), people: Guarded::new(people) }
    }

    /// Base URL as clients see it: what the `iss` claim starts with.
    fn url(&self) -> String {
        format!("{}{PREFIX}", self.frame.url)
    }

    /// Milliseconds since the Unix epoch, for `lastModified`.
    fn millis(&self) -> u128 {
        self.frame.clock.now().as_millis()
    }
}

/// The administrator as `oauth.clients.admin` of a `uaa.yml` declares it, with a fresh secret.
fn seed(now: u128) -> Clients {
    let authorities =
        ["clients.read", "clients.write", "clients.secret", "uaa.admin", "uaa.resource", "password.write"];
    let admin = Client::for_credentials(ADMIN, format!("planted-{}", random::opaque()), &authorities, now);
    Clients::from([(ADMIN.to_owned(), admin)])
}

impl Platform for Uaa {
    fn name(&self) -> &'static str {
        "uaa"
    }

    fn snapshot(&self, secrets: bool) -> Value {
        let shown = |client: &Client| {
            let mut shown = client.to_json();
            if secrets {
                shown["secrets"] = json!(client.secrets);
            }
            shown
        };
        let people = |which| self.people.read(|all| all.shelf(which).snapshot(secrets));
        let clients = self.clients.read(|clients| clients.values().map(shown).collect::<Vec<_>>());
        json!({"clients": clients, "users": people(Which::Users), "groups": people(Which::Groups)})
    }

    fn reset(&self) {
        self.clients.write(|clients| *clients = seed(self.millis()));
        self.people.write(|all| *all = people::first(self.frame.clock.now()));
    }

    fn admin_credential(&self, x509: bool) -> Option<Value> {
        let secret = self.clients.read(|clients| clients.get(ADMIN)?.secrets.last().cloned());
        let credential = json!({"url": self.url(), "clientid": ADMIN, "clientsecret": secret?});
        (!x509).then_some(credential)
    }
}

#[cfg(test)]
mod people_tests;
#[cfg(test)]
mod tests;
