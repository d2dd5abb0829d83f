//! What the tenant holds: users, groups, passwords, deleted users that can be brought back, and mails nobody has read.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::kinds::{GROUP, SAP, USER, primary_mail, sap, sap_mut};
use super::passwords::Password;
use super::resources::missing;
use super::rules;
use crate::directory::fault::Fault;
use crate::directory::input::Body;
use crate::directory::resource::Resource;
use crate::directory::shelf::{Directory, Which};
use crate::frame::{IdentityPasswordPolicy, random};

/// A mail that asks to follow a link.
pub(super) struct Mail {
    user: String,
    to: String,
    token: String,
}

/// Everything in the tenant. Has no `Debug`: it holds secrets.
pub(super) struct Store {
    /// Users and groups.
    pub(super) directory: Directory,
    passwords: BTreeMap<String, Password>,
    deleted: Vec<Resource>,
    mails: Vec<Mail>,
    users_so_far: u32,
}

/// Who has logged on.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// Its id in the directory.
    pub(crate) id: String,
    /// Its name.
    pub(crate) user_name: String,
    /// `P000000`, which Neo knows it by.
    pub(crate) user_id: String,
    /// Its mail address, which XSUAA knows it by.
    pub(crate) mail: String,
}

impl Store {
    /// An empty tenant.
    pub(super) fn new() -> Self {
        Self {
            directory: Directory::new(&USER, &GROUP),
            passwords: BTreeMap::new(),
            deleted: Vec::new(),
            mails: Vec::new(),
            users_so_far: 0,
        }
    }

    /// Makes a user, or brings back the deleted one with the same `userUuid`; its id.
    pub(super) fn add_user(
        &mut self,
        body: Body,
        policy: IdentityPasswordPolicy,
        now: Duration,
    ) -> Result<String, Fault> {
        let mut body = rules::whole(body)?;
        rules::unique(&self.directory.users, &body, None)?;
        let secret = Secret::taken_from(&mut body);
        let mut password = Password::default();
        secret.set(&mut password, policy, now)?;
        rules::without_momentary(&mut body);
        let wanted = sap(&body, "userUuid").cloned();
        let known = |one: &Resource| wanted.is_some() && sap(&one.body, "userUuid").cloned() == wanted;
        if let Some(at) = self.deleted.iter().position(known) {
            let mut back = self.deleted.remove(at);
            let id = back.id.clone();
            let kept = sap(&back.body, "userId").cloned();
            sap_mut(&mut body)["userId"] = json!(kept);
            back.become_other(body, now);
            self.directory.users.all.push(back);
            self.passwords.insert(id.clone(), password);
            return Ok(id);
        }
        let id = self.directory.users.add(body, now).id;
        self.passwords.insert(id.clone(), password);
        self.name(&id)?;
        self.send_mail(&id);
        Ok(id)
    }

    /// Gives a new user the names that only the directory gives.
    fn name(&mut self, id: &str) -> Result<(), Fault> {
        self.users_so_far += 1;
        let number = format!("P{:06}", self.users_so_far);
        let extension = sap_mut(&mut self.directory.users.get_mut(id)?.body);
        extension["userId"] = json!(number);
        if extension["userUuid"].is_null() {
            extension["userUuid"] = json!(id);
        }
        Ok(())
    }

    fn send_mail(&mut self, id: &str) {
        let Ok(user) = self.directory.users.get(id) else { return };
        if sap(&user.body, "sendMail").is_some_and(|wanted| wanted == true) {
            let to = primary_mail(&user.body).unwrap_or_default().to_owned();
            self.mails.push(Mail { user: id.to_owned(), to, token: random::opaque() });
        }
    }

    /// Somebody follows the link of a mail; says whether there was such a mail.
    pub(super) fn follow(&mut self, token: &str) -> bool {
        let Some(at) = self.mails.iter().position(|mail| mail.token == token) else { return false };
        let mail = self.mails.remove(at);
        let user = self.directory.users.get_mut(&mail.user);
        user.map(|user| sap_mut(&mut user.body)["mailVerified"] = json!(true)).is_ok()
    }

    /// Changes a user, whole or in parts.
    pub(super) fn change_user(
        &mut self,
        id: &str,
        old: &Body,
        mut new: Body,
        whole: bool,
        policy: IdentityPasswordPolicy,
        now: Duration,
    ) -> Result<(), Fault> {
        if sap(&new, "mailVerified").is_none() {
            sap_mut(&mut new)["mailVerified"] = sap(old, "mailVerified").cloned().unwrap_or_default();
        }
        let mut new = if whole { rules::whole(new)? } else { rules::in_step(old, new)? };
        rules::unique(&self.directory.users, &new, Some(id))?;
        Secret::taken_from(&mut new).set(self.passwords.entry(id.to_owned()).or_default(), policy, now)?;
        rules::without_momentary(&mut new);
        for kept in ["userId", "userUuid"] {
            let field = &mut sap_mut(&mut new)[kept];
            if field.is_null() {
                *field = sap(old, kept).cloned().unwrap_or_default();
            }
        }
        self.directory.users.get_mut(id)?.become_other(new, now);
        Ok(())
    }

    /// Makes a group; its id.
    pub(super) fn add_group(&mut self, mut body: Body, now: Duration) -> Result<String, Fault> {
        self.directory.check_members(&body)?;
        let extension = body.entry(GROUP.extensions[0].name).or_insert_with(|| json!({}));
        if extension["name"].is_null() {
            extension["name"] = json!(random::uuid());
        }
        extension["additionalId"] = json!(random::uuid().replace('-', "")[..24]);
        Ok(self.directory.groups.add(body, now).id)
    }

    /// Changes a group.
    pub(super) fn change_group(&mut self, id: &str, mut new: Body, now: Duration) -> Result<(), Fault> {
        self.directory.check_members(&new)?;
        let group = self.directory.groups.get_mut(id)?;
        if let Some(extension) = group.body.get(GROUP.extensions[0].name) {
            let kept = extension["additionalId"].clone();
            new.entry(GROUP.extensions[0].name).or_insert_with(|| extension.clone())["additionalId"] = kept;
        }
        group.become_other(new, now);
        Ok(())
    }

    /// Takes a resource out; a user perhaps only out of sight.
    pub(super) fn remove(&mut self, which: Which, id: &str, blocks: bool, now: Duration) -> Result<(), Fault> {
        let gone = self.directory.remove(which, id, now).map_err(|_| missing(which, id))?;
        self.passwords.remove(id);
        self.mails.retain(|mail| mail.user != id);
        if which == Which::Users && blocks {
            self.deleted.push(gone);
        }
        Ok(())
    }

    /// Ends a deleted user for good.
    pub(super) fn purge(&mut self, id: &str) -> Result<(), Fault> {
        let at = self.deleted.iter().position(|one| one.id == id).ok_or_else(|| missing(Which::Users, id))?;
        self.deleted.remove(at);
        Ok(())
    }

    /// A deleted user.
    pub(super) fn blocked(&self, id: &str, url: &str) -> Result<Body, Fault> {
        let found = self.deleted.iter().find(|one| one.id == id).ok_or_else(|| missing(Which::Users, id))?;
        Ok(found.shown(&USER, url))
    }

    /// A resource as answers show it.
    pub(super) fn shown(
        &self,
        which: Which,
        id: &str,
        url: &str,
        policy: IdentityPasswordPolicy,
    ) -> Result<Body, Fault> {
        let resource = self.directory.shelf(which).get(id).map_err(|_| missing(which, id))?;
        let mut shown = self.directory.shown(which, resource, url);
        if which == Which::Users {
            let details = self.passwords.get(id).map(|password| password.details(policy));
            shown[SAP]["passwordDetails"] = json!(details);
            for group in shown.get_mut("groups").and_then(Value::as_array_mut).into_iter().flatten() {
                group.as_object_mut().map(|group| group.remove("$ref"));
            }
        }
        Ok(shown)
    }

    /// Whether somebody with this name and password is let in, and who it is.
    pub(super) fn logon(
        &mut self,
        name: &str,
        password: &str,
        policy: IdentityPasswordPolicy,
        now: Duration,
        stamp: &str,
    ) -> Option<Person> {
        let user = self.directory.users.all.iter().find(|user| is_called(user, name))?;
        if !self.passwords.get_mut(&user.id)?.accepts(password, policy, now) {
            return None;
        }
        let verified = sap(&user.body, "mailVerified").is_some_and(|verified| verified == true);
        let text = |field: &str| sap(&user.body, field).and_then(Value::as_str).unwrap_or_default();
        let since = text("validFrom") <= stamp;
        let until = text("validTo").is_empty() || stamp < text("validTo");
        (text("status") == "active" && verified && since && until).then(|| Person {
            id: user.id.clone(),
            user_name: user.text("userName").unwrap_or_default().to_owned(),
            user_id: text("userId").to_owned(),
            mail: primary_mail(&user.body).unwrap_or_default().to_owned(),
        })
    }

    /// Everything for the control API.
    pub(super) fn snapshot(&self, secrets: bool, link: &str, policy: IdentityPasswordPolicy) -> Value {
        let user = |user: &Resource| {
            let mut shown = json!(self.shown(Which::Users, &user.id, "", policy).unwrap_or_default());
            if secrets {
                shown["password"] = json!(self.passwords.get(&user.id).and_then(|password| password.value.clone()));
            }
            shown
        };
        let mail = |mail: &Mail| json!({"to": mail.to, "link": format!("{link}?token={}", mail.token)});
        json!({
            "users": self.directory.users.all.iter().map(user).collect::<Vec<_>>(),
            "groups": self.directory.groups.all.iter().map(|group| json!(group.body)).collect::<Vec<_>>(),
            "deletedUsers": self.deleted.iter().map(|one| json!(one.body)).collect::<Vec<_>>(),
            "mails": self.mails.iter().map(mail).collect::<Vec<_>>(),
        })
    }
}

fn is_called(user: &Resource, name: &str) -> bool {
    let names = [user.text("userName"), primary_mail(&user.body), sap(&user.body, "userId").and_then(Value::as_str)];
    names.into_iter().flatten().any(|one| one.eq_ignore_ascii_case(name))
}

/// The password of a request, with what it is to be.
struct Secret {
    value: Option<String>,
    status: Option<String>,
}

impl Secret {
    fn taken_from(body: &mut Body) -> Self {
        let value = body.remove("password").and_then(|password| password.as_str().map(str::to_owned));
        let status = sap(body, "passwordDetails").and_then(|details| details["status"].as_str()).map(str::to_owned);
        Self { value, status }
    }

    fn set(self, password: &mut Password, policy: IdentityPasswordPolicy, now: Duration) -> Result<(), Fault> {
        match (self.value, self.status) {
            (Some(value), status) => password.set(&value, status.as_deref(), policy, now),
            (None, Some(status)) => {
                password.status = status;
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }
}
