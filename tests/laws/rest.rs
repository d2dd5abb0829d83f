//! What must be true of a landscape at rest, by the manifests alone.

use std::collections::BTreeSet;

use serde_json::Value;
use technical_user_operator::api::{FINGERPRINT_ANNOTATION, MANAGED_BY_LABEL, OPERATOR};

use crate::claims::{Span, all, lives};
use crate::judge::value_of;
use crate::kubernetes::{Address, Kind};
use crate::landscape::Landscape;
use crate::manifests::{TEAM, grant, secret, technical_user};
use crate::outside::Outside;
use crate::subaccount::{Identity, Shape};

impl Landscape {
    /// Everything that still separates a TechnicalUser from what is wanted.
    pub fn unsettled_identity(&self) -> Vec<String> {
        let outside = self.outside();
        let user = outside.kubernetes.get(&technical_user()).cloned().unwrap_or_default();
        let uid = user["metadata"]["uid"].as_str().unwrap_or_default();
        let identities: Vec<&Identity> = outside.subaccounts[0].of(uid).collect();
        let wished = wished(&outside);
        let (identity, secret) = match (identities.as_slice(), outside.kubernetes.get(&secret())) {
            ([], _) if self.shape == Shape::ServiceManager && wished.is_empty() => return vec![],
            ([identity], Some(secret)) => (identity, secret),
            (all, secret) => return vec![format!("law 2: {} identities, Secret {}", all.len(), secret.is_some())],
        };
        let value = value_of(secret).unwrap_or_default();
        let held = identity.credentials.iter().find(|one| one.value == value);
        let credential = &user["status"]["credential"];
        let fingerprint = &secret["metadata"]["annotations"][FINGERPRINT_ANNOTATION];
        let checks = [
            (identity.roles == wished, "the identity carries the wished roles"),
            (outside.subaccounts[0].accepts(&value), "the Secret's credential works"),
            (
                others_are_superseded(identity, &value, &user),
                "no other credential lives but what software may still use",
            ),
            (held.is_some_and(|one| credential["name"] == one.name), "the status names what the Secret holds"),
            (credential["fingerprint"] == *fingerprint, "the status knows the Secret's content"),
            (user["status"]["intent"].is_null(), "no intent is left"),
            (secret["metadata"]["ownerReferences"][0]["uid"] == uid, "the Secret has its owner"),
            (secret["metadata"]["labels"][MANAGED_BY_LABEL] == OPERATOR, "the Secret has its label"),
        ];
        let broken = checks.iter().filter(|(held, _)| !held);
        broken.map(|(_, law)| format!("law 2: not so: {law}: {}", user["status"])).collect()
    }

    /// Everything that still separates the grants from what is wanted.
    pub fn unsettled_grants(&self) -> Vec<String> {
        let outside = self.outside();
        let now = Span::now(&outside.kubernetes);
        let held = &outside.subaccounts[0].now.grants;
        let strangers = &outside.subaccounts[0].strangers;
        let mut left = vec![];
        for number in 0..3 {
            let grant = grant(number);
            let is_wanted = !now.wanting(&outside, 0, &grant).is_empty();
            match (is_wanted, held.contains(&grant)) {
                (true, false) => left.push(format!("law 2: role {number} is wanted and not in force")),
                (false, true) if !strangers.contains(&grant) => {
                    left.push(format!("law 2: role {number} is in force and nobody wants it"));
                }
                _ => {}
            }
        }
        left
    }

    /// Everything of ours that is still there although every object is deleted.
    pub fn left_behind(&self) -> Vec<String> {
        let outside = self.outside();
        let (now, strangers) = (&outside.subaccounts[0].now, &outside.subaccounts[0].strangers);
        let identities = now.identities.iter().filter(|one| one.owner.is_some()).map(|one| one.name.clone());
        let grants = now.grants.difference(strangers).map(|grant| grant.role.name().to_owned());
        let objects = [Kind::TechnicalUser, Kind::RoleBinding, Kind::Secret].into_iter();
        let objects = objects.flat_map(|kind| outside.kubernetes.all(kind)).filter(|one| one.namespace == TEAM);
        let objects = objects.map(|one| format!("{one:?}"));
        identities.chain(grants).chain(objects).map(|what| format!("law 2: left behind: {what}")).collect()
    }

    /// The objects whose reconcile panicked.
    pub fn panics(&self) -> Vec<String> {
        let outside = self.outside();
        let news = outside.kubernetes.news.iter().map(|news| news.object["status"].to_string());
        news.filter(|status| status.contains("InternalError")).map(|status| format!("panic: {status}")).collect()
    }

    /// The places, outside the one Secret, in which a credential's value stands.
    pub fn leaks(&self) -> Vec<String> {
        let outside = self.outside();
        let news = outside.kubernetes.news.iter().filter(|news| news.address.kind != Kind::Secret);
        let texts = news.map(|news| news.object.to_string()).chain(outside.kubernetes.events.iter().cloned());
        texts.filter(|text| text.contains("planted-")).map(|text| format!("law 6: {text}")).collect()
    }
}

/// Whether every credential but that of this value stands on record as one that was replaced.
fn others_are_superseded(identity: &Identity, value: &str, user: &Value) -> bool {
    let superseded = |name: &str| all(&user["status"]["superseded"]).any(|one| one["name"] == name);
    identity.credentials.iter().filter(|one| one.value != value).all(|one| superseded(&one.name))
}

/// The roles that living RoleBindings give to the technical user itself.
fn wished(outside: &Outside) -> BTreeSet<String> {
    let bindings = Address::new(Kind::RoleBinding, "", "");
    let living = outside.kubernetes.list(&bindings).filter(|(_, binding)| lives(binding));
    let roles = living.flat_map(|(_, binding)| all(&binding["spec"]["roles"]));
    let own = roles.filter_map(|role| role.get("instanceRole").or(role.get("authority")));
    own.filter_map(|role| role["name"].as_str()).map(str::to_owned).collect()
}
