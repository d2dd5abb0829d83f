//! All resources of a directory: users and groups, and who is a member of what.

use std::time::Duration;

use serde_json::{Value, json};

use super::fault::Fault;
use super::filter::Filter;
use super::input::Body;
use super::resource::Resource;
use super::schema::Kind;

/// Resources of one kind, the oldest first.
pub(crate) struct Shelf {
    /// What they are.
    pub(crate) kind: &'static Kind,
    /// The resources.
    pub(crate) all: Vec<Resource>,
}

/// Users and groups.
pub(crate) struct Directory {
    /// The users.
    pub(crate) users: Shelf,
    /// The groups.
    pub(crate) groups: Shelf,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Users.
    Users,
    /// Groups.
    Groups,
}

impl Shelf {
    /// An empty one.
    pub(crate) fn new(kind: &'static Kind) -> Self {
        Self { kind, all: Vec::new() }
    }

    /// A resource.
    pub(crate) fn get(&self, id: &str) -> Result<&Resource, Fault> {
        self.all.iter().find(|one| one.id == id).ok_or_else(|| Fault::missing(id))
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, id: &str) -> Result<&mut Resource, Fault> {
        self.all.iter_mut().find(|one| one.id == id).ok_or_else(|| Fault::missing(id))
    }

    /// Adds a resource, and tells what it is now.
    pub(crate) fn add(&mut self, body: Body, now: Duration) -> Resource {
        let resource = Resource::new(self.kind, body, now);
        self.all.push(resource.clone());
        resource
    }

    /// Takes a resource out.
    pub(crate) fn remove(&mut self, id: &str) -> Result<Resource, Fault> {
        let at = self.all.iter().position(|one| one.id == id).ok_or_else(|| Fault::missing(id))?;
        Ok(self.all.remove(at))
    }

    /// Those a filter wants.
    pub(crate) fn wanted<'a>(&'a self, filter: Option<&'a Filter>) -> impl Iterator<Item = &'a Resource> {
        self.all.iter().filter(move |one| filter.is_none_or(|filter| filter.holds(&one.body)))
    }

    /// Everything for the control API; passwords only if `secrets`.
    pub(crate) fn snapshot(&self, secrets: bool) -> Vec<Value> {
        let shown = |resource: &Resource| {
            let mut body = resource.body.clone();
            if !secrets {
                body.remove("password");
            }
            Value::Object(body)
        };
        self.all.iter().map(shown).collect()
    }

    /// Another resource than this one with the same text, in whatever case.
    pub(crate) fn same(&self, name: &str, body: &Body, except: Option<&str>) -> Option<&Resource> {
        let wanted = body.get(name)?.as_str()?.to_lowercase();
        let others = self.all.iter().filter(|one| Some(one.id.as_str()) != except);
        others.into_iter().find(|one| one.text(name).is_some_and(|text| text.to_lowercase() == wanted))
    }
}

impl Directory {
    /// Nobody.
    pub(crate) fn new(users: &'static Kind, groups: &'static Kind) -> Self {
        Self { users: Shelf::new(users), groups: Shelf::new(groups) }
    }

    /// One of the shelves.
    pub(crate) fn shelf(&self, which: Which) -> &Shelf {
        match which {
            Which::Users => &self.users,
            Which::Groups => &self.groups,
        }
    }

    /// The same, to be changed.
    pub(crate) fn shelf_mut(&mut self, which: Which) -> &mut Shelf {
        match which {
            Which::Users => &mut self.users,
            Which::Groups => &mut self.groups,
        }
    }

    /// Refuses members that nobody knows.
    pub(crate) fn check_members(&self, body: &Body) -> Result<(), Fault> {
        let stranger = values(body).find(|value| self.users.get(value).is_err() && self.groups.get(value).is_err());
        stranger.map_or(Ok(()), |one| Err(Fault::bad("invalidValue", format!("The member {one} is not known"))))
    }

    /// Takes a resource out, and out of all groups.
    pub(crate) fn remove(&mut self, which: Which, id: &str, now: Duration) -> Result<Resource, Fault> {
        let gone = self.shelf_mut(which).remove(id)?;
        for group in self.groups.all.iter_mut().filter(|group| values(&group.body).any(|value| value == id)) {
            leave(&mut group.body, id);
            group.touch(now);
        }
        Ok(gone)
    }

    /// The groups somebody is a direct member of.
    pub(crate) fn groups_of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.groups.all.iter().filter(move |group| values(&group.body).any(|value| value == id))
    }

    /// A resource as answers show it: a user with its groups, a group with the URLs of its members.
    pub(crate) fn shown(&self, which: Which, resource: &Resource, url: &str) -> Body {
        let mut shown = resource.shown(self.shelf(which).kind, url);
        let place = |kind: &Kind, id: &str| format!("{url}{}/{id}", kind.endpoint);
        let group = |one: &Resource| {
            json!({"value": one.id, "$ref": place(self.groups.kind, &one.id), "display": one.text("displayName"),
                   "type": "direct"})
        };
        let groups: Vec<Value> = self.groups_of(&resource.id).map(group).collect();
        if which == Which::Users && !groups.is_empty() {
            shown.insert("groups".to_owned(), json!(groups));
        }
        for member in shown.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten() {
            let id = member["value"].as_str().unwrap_or_default().to_owned();
            let kind = if self.groups.get(&id).is_ok() { self.groups.kind } else { self.users.kind };
            member["$ref"] = json!(place(kind, &id));
            member["type"] = json!(kind.name);
        }
        shown
    }
}

/// The ids of a group's members.
pub(crate) fn values(group: &Body) -> impl Iterator<Item = &str> {
    group.get("members").and_then(Value::as_array).into_iter().flatten().filter_map(|member| member["value"].as_str())
}

/// Takes a member out of a group; says whether it was one.
pub(crate) fn leave(group: &mut Body, id: &str) -> bool {
    let Some(Value::Array(members)) = group.get_mut("members") else { return false };
    let before = members.len();
    members.retain(|member| member["value"] != id);
    let left = members.len() < before;
    if members.is_empty() {
        group.remove("members");
    }
    left
}
