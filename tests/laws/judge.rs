//! Judges every effect on a subaccount at the moment it happens, by what is true then. It never asks the plan.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use technical_user_operator::api::{RoleBinding, SEQUENCE_ANNOTATION, Subject};
use technical_user_operator::controller::index::grant_of;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::plan::owner::Owner;

use crate::kubernetes::{Address, Kind};
use crate::outside::Outside;
use crate::subaccount::credentials::VALUE;
use crate::subaccount::{Credential, Identity};

impl Outside {
    /// A credential is about to be revoked.
    pub fn judge_revocation(&mut self, at: usize, id: &str) {
        let found = self.subaccounts[at].now.identities.iter().find_map(|identity| {
            let credential = identity.credentials.iter().find(|one| one.id == id)?;
            Some((identity, credential))
        });
        let Some((identity, credential)) = found else { return };
        if self.is_served(identity, credential) {
            let name = credential.name.clone();
            self.broken.push(format!("law 5: {name} was revoked although the Secret holds it"));
        }
        if self.subaccounts[at].now.identities.iter().any(|one| one.owner.is_none() && has(one, id)) {
            self.broken.push("law 3: the credential of a stranger's identity was revoked".to_owned());
        }
    }

    /// An identity is about to be deleted.
    pub fn judge_deletion(&mut self, at: usize, id: &str) {
        let Some(identity) = self.subaccounts[at].now.identities.iter().find(|one| one.id == id) else { return };
        let served = identity.credentials.iter().any(|one| self.is_served(identity, one));
        let strange = identity.owner.is_none();
        if served {
            self.broken.push("law 5: the identity of the credential that the Secret holds was deleted".to_owned());
        }
        if strange {
            self.broken.push("law 3: an identity of strangers was deleted".to_owned());
        }
    }

    /// A credential is about to take the place of the only one there can be.
    pub fn judge_succession(&mut self, at: usize, id: &str) {
        let Some(identity) = self.subaccounts[at].now.identities.iter().find(|one| one.id == id) else { return };
        if identity.credentials.iter().any(|one| self.is_served(identity, one) && self.is_described(identity, one)) {
            self.broken.push("law 5: the sound credential of the Secret was replaced".to_owned());
        }
    }

    /// A grant is about to be made.
    pub fn judge_grant(&mut self, _: usize, grant: &Grant) {
        if !self.is_recorded(grant) {
            self.broken.push(format!("law 3: {} was granted before it was recorded", grant.role.name()));
        }
    }

    /// A grant is about to be taken away.
    pub fn judge_withdrawal(&mut self, at: usize, grant: &Grant) {
        let role = grant.role.name();
        if self.subaccounts[at].strangers.contains(grant) {
            self.broken.push(format!("law 3: {role} was revoked and was there before"));
        }
        if !self.is_recorded(grant) {
            self.broken.push(format!("law 3: {role} was revoked and is not recorded as ours"));
        }
        if self.bindings().iter().any(|binding| asks(binding, grant)) {
            self.broken.push(format!("law 4: {role} was revoked and is wanted"));
        }
    }

    /// All RoleBindings.
    pub fn bindings(&self) -> Vec<RoleBinding> {
        let all = self.kubernetes.all(Kind::RoleBinding);
        all.iter().filter_map(|address| self.kubernetes.read(address)).collect()
    }

    /// Whether some RoleBinding's record says that the grant is ours.
    pub fn is_recorded(&self, grant: &Grant) -> bool {
        self.bindings().iter().any(|binding| {
            let lines = binding.status.iter().flat_map(|status| &status.roles);
            lines.filter(|line| line.owned).any(|line| grant_of(line).as_ref() == Some(grant))
        })
    }

    /// The TechnicalUser of an owner, if it lives and nobody takes it away.
    fn living(&self, owner: &Owner) -> Option<&Value> {
        let user = self.kubernetes.get(&Address::new(Kind::TechnicalUser, &owner.namespace, &owner.name))?;
        let lives = user["metadata"]["uid"] == owner.uid && user["metadata"]["deletionTimestamp"].is_null();
        (lives && user["status"]["deniedSince"].is_null()).then_some(user)
    }

    /// The Secret of an owner.
    fn secret(&self, owner: &Owner) -> Option<&Value> {
        let user = self.living(owner)?;
        let name = user["spec"]["credential"]["secretName"].as_str()?;
        self.kubernetes.get(&Address::new(Kind::Secret, &owner.namespace, name))
    }

    /// Whether the Secret of a living TechnicalUser holds this credential.
    fn is_served(&self, identity: &Identity, credential: &Credential) -> bool {
        let secret = identity.owner.as_ref().and_then(|owner| self.secret(owner));
        secret.is_some_and(|secret| value_of(secret).as_deref() == Some(credential.value.as_str()))
    }

    /// Whether the Secret says truly which issue it holds, and the status casts no doubt on it.
    fn is_described(&self, identity: &Identity, credential: &Credential) -> bool {
        let Some(owner) = &identity.owner else { return false };
        let sequence = owner.sequence_of(&credential.name);
        let annotations = self.secret(owner).map(|secret| &secret["metadata"]["annotations"]);
        let said = annotations.and_then(|all| all[SEQUENCE_ANNOTATION].as_str()?.parse::<i64>().ok());
        let intent = self.living(owner).and_then(|user| user["status"]["intent"].as_i64());
        said == sequence && intent.is_none()
    }
}

/// The value that a Secret holds.
pub fn value_of(secret: &Value) -> Option<String> {
    let encoded = secret["data"][VALUE].as_str()?;
    BASE64_STANDARD.decode(encoded).ok().and_then(|value| String::from_utf8(value).ok())
}

/// Whether a living RoleBinding's spec asks for a grant to a user or group.
pub fn asks(binding: &RoleBinding, grant: &Grant) -> bool {
    let is_holder = |subject: &Subject| match (subject, grant.holder.kind) {
        (Subject::User(user), HolderKind::User) => user.name.eq_ignore_ascii_case(&grant.holder.name),
        (Subject::Group(group), HolderKind::Group) => group.name == grant.holder.name,
        _ => false,
    };
    binding.metadata.deletion_timestamp.is_none()
        && binding.spec.roles.contains(&grant.role)
        && binding.spec.subjects.iter().any(is_holder)
}

fn has(identity: &Identity, credential: &str) -> bool {
    identity.credentials.iter().any(|one| one.id == credential)
}
