//! Judges every effect on a subaccount at the moment it happens, by what is true then. It never asks the plan.
//!
//! What an operator may do it may do by what was so at some moment since its reconcile began.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use technical_user_operator::api::SEQUENCE_ANNOTATION;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::plan::owner::Owner;

use crate::claims::{Span, all, lives};
use crate::kubernetes::{Address, Kind};
use crate::operator::CLUSTER;
use crate::outside::Outside;
use crate::subaccount::credentials::VALUE;
use crate::subaccount::{Credential, Identity, Shape};

impl Outside {
    /// An identity is about to be made with these roles, or to be given them.
    pub fn judge_identity(&mut self, at: usize, owner: &Owner, roles: &BTreeSet<String>, id: Option<&str>) {
        let span = Span::since(&self.kubernetes, self.since);
        if !span.allows(self, at, owner, None) && id.is_none() {
            self.breaks("law 11: an identity was made and is not allowed");
        }
        let carried = id.and_then(|id| self.subaccounts[at].now.identities.iter().find(|one| one.id == id));
        let carried = carried.map(|one| one.roles.clone()).unwrap_or_default();
        for role in roles.difference(&carried) {
            if !span.allows(self, at, owner, Some(role)) {
                self.breaks(&format!("law 11: an identity was given {role} and that is not allowed"));
            }
        }
    }

    /// A credential is about to be issued; where few are kept it takes the place of the older ones.
    pub fn judge_issue(&mut self, at: usize, id: &str, owner: &Owner, shape: Shape) {
        if !Span::since(&self.kubernetes, self.since).allows(self, at, owner, None) {
            self.breaks("law 11: a credential was issued and that is not allowed");
        }
        let Some(identity) = self.subaccounts[at].now.identities.iter().find(|one| one.id == id) else { return };
        let sound = |one: &Credential| self.is_served(at, identity, one) && self.is_described(identity, one);
        let ended = shape.ended_by_issue(identity.credentials.len());
        if identity.credentials.iter().take(ended).any(sound) {
            self.breaks("law 5: the sound credential of the Secret was replaced");
        }
    }

    /// A credential is about to be revoked.
    pub fn judge_revocation(&mut self, at: usize, id: &str) {
        let mut all = self.subaccounts[at].now.identities.iter();
        let found = all.find_map(|one| Some((one, one.credentials.iter().find(|credential| credential.id == id)?)));
        let Some((identity, credential)) = found else { return };
        let place = identity.credentials.iter().position(|one| one.id == id).unwrap_or_default();
        let all_end = self.subaccounts[at].shape.ends_all(place, identity.credentials.len());
        let mut ended = identity.credentials.iter().filter(|one| all_end || one.id == credential.id);
        let lives = identity.owner.as_ref().is_some_and(|owner| self.secret(at, owner).is_some());
        let used = ended.clone().any(|one| self.used.contains(&one.value));
        let (served, strange) = (ended.any(|one| self.is_served(at, identity, one)), identity.owner.is_none());
        if served {
            self.breaks("law 5: a credential was revoked although the Secret holds it");
        }
        if used && lives {
            self.breaks("law 5: a credential was revoked that a pod still uses");
        }
        if strange {
            self.breaks("law 3: the credential of a stranger's identity was revoked");
        }
    }

    /// An identity is about to be deleted.
    pub fn judge_deletion(&mut self, at: usize, id: &str) {
        let Some(identity) = self.subaccounts[at].now.identities.iter().find(|one| one.id == id) else { return };
        let served = identity.credentials.iter().any(|one| self.is_served(at, identity, one));
        let strange = identity.owner.as_ref().is_none_or(|owner| owner.cluster != CLUSTER);
        if served {
            self.breaks("law 5: the identity of the credential that the Secret holds was deleted");
        }
        if strange {
            self.breaks("law 3: an identity of strangers was deleted");
        }
    }

    /// A grant is about to be made.
    pub fn judge_grant(&mut self, at: usize, grant: &Grant) {
        let role = grant.role.name();
        if !self.is_recorded(grant) {
            self.breaks(&format!("law 3: {role} was granted before it was recorded"));
        }
        if Span::since(&self.kubernetes, self.since).wanting(self, at, grant).is_empty() {
            self.breaks(&format!("law 11: {role} was granted to {} and that is not allowed", grant.holder.name()));
        }
    }

    /// A grant is about to be taken away.
    pub fn judge_withdrawal(&mut self, at: usize, grant: &Grant) {
        let role = grant.role.name();
        if self.subaccounts[at].strangers.contains(grant) {
            self.breaks(&format!("law 3: {role} was revoked and was there before"));
        }
        if !self.is_recorded(grant) {
            self.breaks(&format!("law 3: {role} was revoked and is not recorded as ours"));
        }
        let before = Span::at(&self.kubernetes, self.since).wanting(self, at, grant);
        if !before.is_disjoint(&Span::now(&self.kubernetes).wanting(self, at, grant)) {
            self.breaks(&format!("law 4: {role} was revoked and is wanted"));
        }
    }

    /// Whether some RoleBinding's record says that the grant is ours.
    pub fn is_recorded(&self, grant: &Grant) -> bool {
        let kind = if grant.holder.kind() == HolderKind::Group { "Group" } else { "User" };
        let role = json!(grant.role);
        let ours = |entry: &Value| {
            let holder = &entry["holder"];
            let name = holder["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(grant.holder.name()));
            let holds = name && holder["kind"] == kind && holder["origin"] == grant.holder.origin();
            holds && entry["role"] == role && entry["owned"] == true
        };
        let bindings = Address::new(Kind::RoleBinding, "", "");
        self.kubernetes.list(&bindings).any(|(_, binding)| all(&binding["status"]["ledger"]).any(ours))
    }

    /// The Secret of an owner whose TechnicalUser lives and may be.
    fn secret(&self, at: usize, owner: &Owner) -> Option<&Value> {
        let user = self.kubernetes.get(&Address::new(Kind::TechnicalUser, &owner.namespace, &owner.name))?;
        let living = user["metadata"]["uid"] == owner.uid && lives(user);
        if !living || !Span::now(&self.kubernetes).allows(self, at, owner, None) {
            return None;
        }
        let name = user["spec"]["credential"]["secretName"].as_str()?;
        self.kubernetes.get(&Address::new(Kind::Secret, &owner.namespace, name))
    }

    /// Whether the Secret of a living TechnicalUser holds this credential.
    fn is_served(&self, at: usize, identity: &Identity, credential: &Credential) -> bool {
        let secret = identity.owner.as_ref().and_then(|owner| self.secret(at, owner));
        secret.is_some_and(|secret| value_of(secret).as_deref() == Some(credential.value.as_str()))
    }

    /// Whether the Secret says truly which issue it holds, and the status casts no doubt on it.
    fn is_described(&self, identity: &Identity, credential: &Credential) -> bool {
        let Some(owner) = &identity.owner else { return false };
        let user = self.kubernetes.get(&Address::new(Kind::TechnicalUser, &owner.namespace, &owner.name));
        let recorded = user.is_some_and(|user| {
            user["status"]["credential"]["name"] == credential.name.as_str() && user["status"]["intent"].is_null()
        });
        let secret = user.and_then(|user| {
            let name = user["spec"]["credential"]["secretName"].as_str()?;
            self.kubernetes.get(&Address::new(Kind::Secret, &owner.namespace, name))
        });
        let said = secret.and_then(|one| one["metadata"]["annotations"][SEQUENCE_ANNOTATION].as_str()?.parse().ok());
        recorded && said == owner.sequence_of(&credential.name)
    }

    fn breaks(&mut self, law: &str) {
        self.broken.push(law.to_owned());
    }
}

/// The value that a Secret holds.
pub fn value_of(secret: &Value) -> Option<String> {
    field(secret, VALUE)
}

/// A field of a Secret.
pub fn field(secret: &Value, name: &str) -> Option<String> {
    BASE64_STANDARD.decode(secret["data"][name].as_str()?).ok().and_then(|value| String::from_utf8(value).ok())
}
