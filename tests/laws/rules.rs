//! The access rules once more, stated independently and decided the slow way, over the objects as JSON. It must not call
//! the plan.
//!
//! A request is allowed if a rule that speaks of the namespace allows it. An identity: by its offering and plan, or by
//! user name and origin, or as a client. A grant: by a role of that kind at that place, to that holder; to a made
//! identity only if the identity is allowed too; to one that is `existing`, or whose certificate is mapped to a user, as to a
//! user of that name, and the identity too.
//! What administers a platform is meant by no star.

use serde_json::Value;

/// Offerings whose keys administer a subaccount, as far as cases here use them.
pub const ADMINISTERING_OFFERINGS: [&str; 2] = ["xsuaa", "service-manager"];
/// Role collections that administer a subaccount, as far as cases here use them.
pub const ADMINISTERING_COLLECTIONS: [&str; 1] = ["Subaccount Administrator"];
/// Types of roles of Cloud Foundry whose holders can give themselves others, or read everybody's credentials.
pub const ADMINISTERING_TYPES: [&str; 3] = ["organization_manager", "space_manager", "space_developer"];

/// Authorities and groups that administer a UAA, as far as cases here use them.
pub const ADMINISTERING_A_UAA: [&str; 1] = ["uaa.admin"];

/// A user or group, with its origin resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub is_group: bool,
    pub name: String,
    pub origin: String,
}

/// Whom a role is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Whom<'a> {
    /// A TechnicalUser of this identity.
    TechnicalUser(&'a Value),
    Principal(&'a Principal),
}

/// The rules of a Platform for one namespace.
pub struct Rules<'a> {
    environment: &'a str,
    speaking: Vec<&'a Value>,
}

impl<'a> Rules<'a> {
    /// Of a Platform's spec, for a namespace.
    pub fn of(platform: &'a Value, namespace: &Value) -> Self {
        let environment = platform["environment"].as_object().and_then(|one| one.keys().next());
        let all = platform["access"].as_array().into_iter().flatten();
        Self {
            environment: environment.map_or("", String::as_str),
            speaking: all.filter(|rule| speaks_of(&rule["namespaces"], namespace)).collect(),
        }
    }

    /// A user or group as a subject names it.
    pub fn principal(&self, is_group: bool, named: &Value) -> Principal {
        let name = named["name"].as_str().or(named["userName"].as_str()).unwrap_or_default().to_owned();
        let origin = match (self.environment, named["origin"].as_str()) {
            ("btp", None | Some("ldap")) => "sap.default".to_owned(),
            ("neo", origin) => origin.unwrap_or("accounts.sap.com").to_lowercase(),
            ("uaa", None) => "uaa".to_owned(),
            ("cloudFoundry", None) => "sap.ids".to_owned(),
            // A directory has users of its own alone.
            ("scim", _) => "scim".to_owned(),
            (_, origin) => origin.unwrap_or_default().to_owned(),
        };
        Principal { is_group, name, origin }
    }

    /// Whether a TechnicalUser may be this.
    pub fn may_be(&self, identity: &Value) -> bool {
        let mut patterns = self.speaking.iter().filter_map(|rule| rule["identities"].as_array()).flatten();
        patterns.any(|pattern| {
            if let (Some(pattern), Some(key)) = (pattern.get("serviceKey"), identity.get("serviceKey")) {
                let (offering, plan) = (text(&pattern["offering"]), text(&pattern["plan"]));
                let spelled_out = !offering.contains('*') && !plan.contains('*');
                let in_space = match (pattern.get("space"), key.get("space")) {
                    (Some(pattern), Some(space)) => {
                        let same = |field: &str| means(text(&pattern[field]), text(&space[field]));
                        same("organization") && same("name")
                    }
                    (limited, _) => limited.is_none(),
                };
                let administers = ADMINISTERING_OFFERINGS.contains(&text(&key["offering"]));
                return means(offering, text(&key["offering"]))
                    && means(plan, text(&key["plan"]))
                    && in_space
                    && (spelled_out || !administers);
            }
            if let (Some(pattern), Some(user)) = (pattern.get("existing"), identity.get("existing")) {
                return self.names(pattern, &self.principal(false, user));
            }
            if let (Some(pattern), Some(user)) = (pattern.get("certificateUser"), identity.get("certificateUser")) {
                return self.names(pattern, &self.principal(false, user));
            }
            if let (Some(pattern), Some(user)) = (pattern.get("directoryUser"), identity.get("directoryUser")) {
                let same = |field: &str| {
                    let [pattern, name] = [pattern, user].map(|one| text(&one[field]).to_lowercase());
                    means(&pattern, &name)
                };
                // A namespace chooses no address that no rule speaks of.
                let addressed = user.get("email").is_none() || (pattern.get("email").is_some() && same("email"));
                return addressed && same("userName");
            }
            pattern.get("oauthClient").is_some() && identity.get("oauthClient").is_some()
        })
    }

    /// Whether a RoleBinding may grant this.
    pub fn may_grant(&self, role: &Value, whom: Whom<'_>) -> bool {
        let mut principal = match whom {
            Whom::Principal(principal) => Some(principal.clone()),
            Whom::TechnicalUser(identity) => {
                let user = identity.get("existing").or(identity.get("certificateUser"));
                user.map(|user| self.principal(false, user))
            }
        };
        if role.get("applicationRole").is_some() {
            principal.iter_mut().for_each(|one| "accounts.sap.com".clone_into(&mut one.origin));
        }
        let identity = match whom {
            Whom::TechnicalUser(identity) if !self.may_be(identity) => return false,
            Whom::TechnicalUser(identity) => Some(identity),
            Whom::Principal(_) => None,
        };
        let mut grants = self.speaking.iter().filter_map(|rule| rule["grants"].as_array()).flatten();
        grants.any(|grant| {
            let (mut roles, mut to) = (all(&grant["roles"]), all(&grant["to"]));
            roles.any(|pattern| is_role(self.environment, pattern, role, identity))
                && to.any(|pattern| self.reaches(pattern, principal.as_ref()))
        })
    }

    /// Whether it may leave things on the platform.
    pub fn may_orphan(&self) -> bool {
        self.speaking.iter().any(|rule| rule["orphan"] == true)
    }

    fn reaches(&self, pattern: &Value, principal: Option<&Principal>) -> bool {
        let Some(principal) = principal else { return pattern.get("technicalUser").is_some() };
        let kind = if principal.is_group { "group" } else { "user" };
        pattern.get(kind).is_some_and(|pattern| self.names(pattern, principal))
    }

    fn names(&self, pattern: &Value, principal: &Principal) -> bool {
        let read = self.principal(principal.is_group, pattern);
        // Groups everywhere, and Neo's OAuth clients, are told apart by case.
        let exact = principal.is_group || (self.environment == "neo" && principal.name.starts_with("oauth_client_"));
        let fold = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
        means(&fold(&read.name), &fold(&principal.name)) && means(&read.origin, &principal.origin)
    }
}

fn speaks_of(choice: &Value, namespace: &Value) -> bool {
    let named = all(&choice["names"]).any(|name| *name == namespace["metadata"]["name"]);
    let labels = choice["selector"]["matchLabels"].as_object().filter(|labels| !labels.is_empty());
    let carries = |(key, value): (&String, &Value)| namespace["metadata"]["labels"].get(key) == Some(value);
    named || labels.is_some_and(|labels| labels.iter().all(carries))
}

fn is_role(environment: &str, pattern: &Value, role: &Value, identity: Option<&Value>) -> bool {
    let Some((kind, role)) = role.as_object().and_then(|role| role.iter().next()) else { return false };
    let Some(pattern) = pattern.get(kind) else { return false };
    let named = match kind.as_str() {
        "groupMembership" => "group",
        _ if role.get("type").is_some() => "type",
        _ => "name",
    };
    let (name, asked) = (text(&pattern[named]), text(&role[named]));
    let administers = match environment {
        "btp" => kind == "roleCollection" && ADMINISTERING_COLLECTIONS.contains(&asked),
        "cloudFoundry" => ADMINISTERING_TYPES.contains(&asked),
        "uaa" => matches!(kind.as_str(), "authority" | "groupMembership") && ADMINISTERING_A_UAA.contains(&asked),
        _ => false,
    };
    if !means(name, asked) || (administers && name.contains('*')) {
        return false;
    }
    match kind.as_str() {
        "instanceRole" => {
            let key = identity.and_then(|one| one.get("serviceKey"));
            key.is_some_and(|key| means(text(&pattern["offering"]), text(&key["offering"])))
        }
        "applicationRole" => {
            let provider = match (pattern["provider"].as_str(), role["provider"].as_str()) {
                (Some(pattern), Some(provider)) => means(pattern, provider),
                (pattern, provider) => pattern.is_none() && provider.is_none(),
            };
            provider && means(text(&pattern["application"]), text(&role["application"]))
        }
        "organizationRole" | "spaceRole" => {
            let same = |field: &str| means(text(&pattern[field]), text(&role[field]));
            same("organization") && same("space")
        }
        _ => true,
    }
}

/// Whether a pattern with stars means this text, decided the slow way: a star takes nothing, or one character and goes on.
pub fn means(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match (rest.next(), text.chars().next()) {
        (None, first) => first.is_none(),
        (Some('*'), None) => means(rest.as_str(), text),
        (Some('*'), Some(first)) => means(rest.as_str(), text) || means(pattern, &text[first.len_utf8()..]),
        (Some(wanted), Some(first)) => wanted == first && means(rest.as_str(), &text[first.len_utf8()..]),
        (Some(_), None) => false,
    }
}

fn all(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
