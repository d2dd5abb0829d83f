//! What the simulated platforms of a team hold: the truth that stories compare with.

use std::time::Duration;

use serde_json::Value;

use super::team::Team;
use super::{PATIENCE, eventually};

impl Team<'_> {
    /// How many service instances and service keys there are.
    pub(crate) fn instances_and_keys(&self) -> (usize, usize) {
        let state = self.simulator.state();
        let count = |kind: &str| state["service-manager"][kind].as_array().expect("a list").len();
        (count("instances"), count("bindings"))
    }

    /// Whether a user of the subaccount has a role collection.
    pub(crate) fn holds(&self, user: &str, collection: &str) -> bool {
        let state = self.simulator.state();
        let users = state["xsuaa"]["users"].as_array().expect("users");
        users.iter().any(|one| one["username"] == user && one["roleCollections"].to_string().contains(collection))
    }

    /// Whether Jane has the role collection of the quick start.
    pub(crate) fn jane_holds_it(&self) -> bool {
        self.holds("jane@acme.example", "PI_Read_Only")
    }

    /// Whether the subaccount holds nothing that the operator could have made.
    pub(crate) fn platform_is_empty(&self) -> bool {
        let empty = |list: &Value| list.as_array().is_some_and(Vec::is_empty);
        let state = self.simulator.state();
        let mut collections = state["xsuaa"]["roleCollections"].as_array().expect("role collections").iter();
        self.instances_and_keys() == (0, 0) && collections.all(|one| empty(&one["members"]) && empty(&one["mappings"]))
    }

    /// Waits until it does not.
    pub(crate) fn platform_is_emptied(&self) {
        eventually("the platform is empty", PATIENCE, || self.platform_is_empty().then_some(()));
    }

    /// The requests of one route since the simulator's last reset, oldest first.
    pub(crate) fn requests_of(&self, route: &str) -> Vec<Value> {
        self.simulator.requests().into_iter().filter(|request| request["route"] == route).collect()
    }

    /// Whether the platforms have been asked to change anything.
    pub(crate) fn has_written(&self) -> bool {
        let writes = |request: &Value| request["method"] != "GET" && request["route"] != "auth.token";
        self.simulator.requests().iter().any(writes)
    }

    /// Waits until the platforms have been asked for nothing for a while.
    pub(crate) fn is_quiet(&self, route: &str, span: Duration) {
        let before = self.requests_of(route).len();
        super::never(&format!("{route} is called"), span, || {
            let now = self.requests_of(route).len();
            (now != before).then_some((before, now))
        });
    }
}
