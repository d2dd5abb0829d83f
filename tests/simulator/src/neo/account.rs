//! What a subaccount holds. It knows neither HTTP nor the rules of any one API.

use std::time::Duration;

use serde_json::{Value, json};

use super::names::Names;
use crate::frame::clock;

/// A client of the platform APIs, as *Security › OAuth › Platform API* makes them.
#[derive(Clone)]
pub(super) struct ApiClient {
    pub(super) id: String,
    pub(super) secret: String,
    /// Without the prefix `hcp.` that tokens show.
    pub(super) scopes: Vec<String>,
}

/// A member: a user of some user base with platform roles. The same name in two user bases is two members.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) user_name: String,
    pub(super) userbase: String,
    pub(super) roles: Vec<String>,
    pub(super) created: Duration,
    pub(super) last_modified: Duration,
}

/// A role of an application and who holds it.
#[derive(Clone)]
pub(super) struct ApplicationRole {
    pub(super) name: String,
    pub(super) custom: bool,
    pub(super) users: Names,
}

/// An application, the subaccount's own or subscribed from the account that provides it.
#[derive(Clone)]
pub(super) struct Application {
    pub(super) name: String,
    pub(super) provider: String,
    pub(super) roles: Vec<ApplicationRole>,
}

/// Names one role of one application.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RoleKey {
    pub(super) provider: String,
    pub(super) application: String,
    pub(super) role: String,
}

/// A group of users that roles are given to.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) users: Names,
    pub(super) roles: Vec<RoleKey>,
}

/// Everything in the subaccount.
pub(super) struct Account {
    pub(super) name: &'static str,
    pub(super) api_clients: Vec<ApiClient>,
    /// Platform roles that an administrator defined, beside those of the platform.
    pub(super) custom_platform_roles: Vec<String>,
    pub(super) members: Vec<Member>,
    pub(super) applications: Vec<Application>,
    pub(super) groups: Vec<Group>,
}

impl Account {
    /// A platform API client by its id.
    pub(super) fn api_client(&self, id: &str) -> Option<&ApiClient> {
        self.api_clients.iter().find(|client| client.id == id)
    }

    /// An application by name and provider; without a provider it is one of the subaccount's own.
    pub(super) fn application(&self, name: &str, provider: Option<&str>) -> Option<&Application> {
        let provider = provider.unwrap_or(self.name);
        self.applications.iter().find(|one| one.name == name && one.provider == provider)
    }

    /// The same, to be changed.
    pub(super) fn application_mut(&mut self, name: &str, provider: Option<&str>) -> Option<&mut Application> {
        let provider = provider.unwrap_or(self.name);
        self.applications.iter_mut().find(|one| one.name == name && one.provider == provider)
    }

    /// A group by its name, in whatever case.
    pub(super) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name.eq_ignore_ascii_case(name))
    }

    /// The same, to be changed.
    pub(super) fn group_mut(&mut self, name: &str) -> Option<&mut Group> {
        self.groups.iter_mut().find(|group| group.name.eq_ignore_ascii_case(name))
    }

    /// The roles of an application that a user holds, itself or through groups, under whichever of these names.
    pub(super) fn roles_of(&self, names: &[&str], application: &str) -> Vec<String> {
        let is_in = |users: &Names| names.iter().any(|name| users.contains(name));
        let roles = self.applications.iter().filter(|one| one.name == application).flat_map(|one| &one.roles);
        let own = roles.filter(|role| is_in(&role.users)).map(|role| role.name.clone());
        let groups = self.groups.iter().filter(|group| is_in(&group.users)).flat_map(|group| &group.roles);
        own.chain(groups.filter(|key| key.application == application).map(|key| key.role.clone())).collect()
    }

    /// The whole state for the control API.
    pub(super) fn snapshot(&self, secrets: bool) -> Value {
        json!({
            "subaccount": self.name,
            "apiClients": self.api_clients.iter().map(|one| one.snapshot(secrets)).collect::<Vec<_>>(),
            "members": self.members.iter().map(Member::snapshot).collect::<Vec<_>>(),
            "applications": self.applications.iter().map(Application::snapshot).collect::<Vec<_>>(),
            "groups": self.groups.iter().map(Group::snapshot).collect::<Vec<_>>(),
        })
    }
}

impl ApiClient {
    fn snapshot(&self, secrets: bool) -> Value {
        let mut shown = json!({"clientid": self.id, "scopes": self.scopes});
        if secrets {
            shown["clientsecret"] = json!(self.secret);
        }
        shown
    }
}

impl Member {
    fn snapshot(&self) -> Value {
        let since = clock::format(self.created, "%Y-%m-%dT%H:%M:%SZ");
        json!({"userName": self.user_name, "userbase": self.userbase, "roles": self.roles, "since": since})
    }
}

impl Application {
    /// A role by its name; case matters.
    pub(super) fn role(&self, name: &str) -> Option<&ApplicationRole> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The same, to be changed.
    pub(super) fn role_mut(&mut self, name: &str) -> Option<&mut ApplicationRole> {
        self.roles.iter_mut().find(|role| role.name == name)
    }

    fn snapshot(&self) -> Value {
        let role = |role: &ApplicationRole| json!({"name": role.name, "users": role.users.to_json(false)});
        let roles: Vec<Value> = self.roles.iter().map(role).collect();
        json!({"name": self.name, "providerAccount": self.provider, "roles": roles})
    }
}

impl RoleKey {
    /// As answers and requests about a user's or group's roles spell it.
    pub(super) fn to_json(&self) -> Value {
        json!({"name": self.role, "applicationName": self.application, "providerAccount": self.provider})
    }
}

impl Group {
    fn snapshot(&self) -> Value {
        let roles: Vec<Value> = self.roles.iter().map(RoleKey::to_json).collect();
        json!({"name": self.name, "users": self.users.to_json(false), "roles": roles})
    }
}
