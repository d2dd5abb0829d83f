//! Switches of the platforms' behaviour that a test can turn while the simulator runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::guarded::Guarded;

/// What `idpDisplayName` of an attribute mapping carries; real tenants have shown both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IdpDisplayName {
    /// The origin key.
    #[default]
    Origin,
    /// The host of the identity provider's tenant.
    Host,
}

/// All switches. `PUT /_simulator/settings` takes any part of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Plans whose broker is asynchronous: their creates, updates and deletes always answer 202.
    pub(crate) async_plans: BTreeSet<String>,
    /// How long an asynchronous operation takes.
    pub(crate) operation_millis: u64,
    /// Plans whose next operations fail at the broker (an operation that ends `failed`, or 502 when synchronous).
    pub(crate) failing_plans: BTreeSet<String>,
    /// Whether Cloud Integration's capability is activated: only then are the `it-rt` plans visible.
    pub(crate) it_rt_activated: bool,
    /// What the display name of an identity provider is.
    pub(crate) idp_display_name: IdpDisplayName,
    /// How long after a role change new tokens still carry the old roles.
    pub(crate) propagation_seconds: u64,
    /// Requests a minute that Neo answers at once, per subaccount and API; `null` takes the limit away.
    pub(crate) neo_requests_per_minute: Option<u32>,
    /// Whether Neo's Authorization Management API shows user names in lower case.
    pub(crate) neo_lower_case_users: bool,
    /// Whether Neo shows members with the older schema extension.
    pub(crate) neo_older_user_extension: bool,
    /// Roles any one of which opens a path of the sender, instead of `ESBMessaging.send`.
    pub(crate) sender_roles: std::collections::BTreeMap<String, BTreeSet<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            async_plans: BTreeSet::new(),
            operation_millis: 200,
            failing_plans: BTreeSet::new(),
            it_rt_activated: true,
            idp_display_name: IdpDisplayName::default(),
            propagation_seconds: 0,
            neo_requests_per_minute: Some(100),
            neo_lower_case_users: false,
            neo_older_user_extension: false,
            sender_roles: std::collections::BTreeMap::new(),
        }
    }
}

/// The settings in force.
#[derive(Default)]
pub(crate) struct Switches {
    current: Guarded<Arc<Settings>>,
    at_start: Guarded<Arc<Settings>>,
}

impl Switches {
    /// The settings as they are now.
    pub(crate) fn current(&self) -> Arc<Settings> {
        self.current.read(Arc::clone)
    }

    /// Lays the given fields over the current ones.
    pub(crate) fn change(&self, part: &Value) -> Result<Arc<Settings>, serde_json::Error> {
        self.current.write(|current| {
            let mut whole = serde_json::to_value(&**current)?;
            for (name, value) in part.as_object().into_iter().flatten() {
                whole[name] = value.clone();
            }
            *current = Arc::new(serde_json::from_value(whole)?);
            Ok(Arc::clone(current))
        })
    }

    /// Lays fields over the defaults, to be in force from the start and again after every reset.
    pub(crate) fn start_with(&self, part: &Value) -> Result<(), serde_json::Error> {
        let settings = self.change(part)?;
        self.at_start.write(|at_start| *at_start = settings);
        Ok(())
    }

    /// Back to the settings at start.
    pub(crate) fn reset(&self) {
        let settings = self.at_start.read(Arc::clone);
        self.current.write(|current| *current = settings);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_changes_only_itself_and_unknown_names_are_refused() {
        let switches = Switches::default();
        switches.change(&json!({"itRtActivated": false})).unwrap();
        assert!(!switches.current().it_rt_activated);
        assert_eq!(switches.current().operation_millis, 200);
        assert!(switches.change(&json!({"noSuch": 1})).is_err());
        assert!(!switches.current().it_rt_activated);
    }
}
