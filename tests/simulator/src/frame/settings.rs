//! Switches of the platforms' behaviour that a test can turn while the simulator runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::guarded::Guarded;
use super::readings::{
    BrokerErrorMember, CloudFoundryRetryAfter, CloudIntegrationCsrf, EmptyRoles, IdentityDelete,
    IdentityPasswordPolicy, IdpDisplayName, MissingGrantTypes, NeoGrantType, NeoMemberBodies, OperationErrors, Rates,
    ScimCredential, ScimFilter, Support, UnknownFields, UnknownUsers,
};

/// All switches. `PUT /_simulator/settings` takes any part of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Plans whose broker is asynchronous: it answers 202 and is not done.
    pub(crate) async_plans: BTreeSet<String>,
    /// How long an asynchronous broker takes after its 202.
    pub(crate) operation_millis: u64,
    /// How long any broker takes to answer: a synchronous one with what it has done, an asynchronous one with its 202.
    pub(crate) broker_millis: u64,
    /// How long the Service Manager lets a request wait before it cuts it off with 503.
    pub(crate) timeout_millis: u64,
    /// Plans whose next operations fail at the broker (an operation that ends `failed`, or 502 when synchronous).
    pub(crate) failing_plans: BTreeSet<String>,
    /// What becomes of unknown fields of a request to the Service Manager.
    pub(crate) unknown_fields: UnknownFields,
    /// How `errors` of an operation is written.
    pub(crate) operation_errors: OperationErrors,
    /// Whether a broker's refusal carries `broker_error`.
    pub(crate) broker_error_member: BrokerErrorMember,
    /// Most items of a page of the Service Manager, whatever the client asks for; fewer than 50 also without asking.
    pub(crate) service_manager_page: usize,
    /// Most role collections of a page of XSUAA.
    pub(crate) xsuaa_page: usize,
    /// Most clients of a page of the UAA.
    pub(crate) uaa_page: usize,
    /// How long the subaccount's lists (not what is asked for by name or id) do not show what is new.
    pub(crate) list_delay_millis: u64,
    /// How long the subaccount's token service does not know a new client.
    pub(crate) client_delay_millis: u64,
    /// How long APIs refuse a token that has just been issued.
    pub(crate) fresh_token_millis: u64,
    /// Whether the platforms keep to their documented rates.
    pub(crate) rates: Rates,
    /// What no `grant-types` mean for Cloud Integration.
    pub(crate) missing_grant_types: MissingGrantTypes,
    /// What no roles mean for Cloud Integration.
    pub(crate) empty_roles: EmptyRoles,
    /// Where Neo reads the grant type.
    pub(crate) neo_grant_type: NeoGrantType,
    /// Which bodies Neo's members API reads.
    pub(crate) neo_member_bodies: NeoMemberBodies,
    /// Whether Cloud Integration's capability is activated: only then are the `it-rt` plans visible.
    pub(crate) it_rt_activated: bool,
    /// What the display name of an identity provider is.
    pub(crate) idp_display_name: IdpDisplayName,
    /// How long after a role change new tokens still carry the old roles.
    pub(crate) propagation_seconds: u64,
    /// How long the tokens of a new client of the subaccount carry no roles.
    pub(crate) new_client_seconds: u64,
    /// Requests a minute that Neo answers at once, per subaccount and API; `null` takes the limit away.
    pub(crate) neo_requests_per_minute: Option<u32>,
    /// Whether Neo's Authorization Management API shows user names in lower case.
    pub(crate) neo_lower_case_users: bool,
    /// Whether Neo shows members with the older schema extension.
    pub(crate) neo_older_user_extension: bool,
    /// How long a job of Cloud Foundry waits until it is taken up.
    pub(crate) job_millis: u64,
    /// Most items of a page of Cloud Foundry, whatever the client asks for.
    pub(crate) cloud_foundry_page: usize,
    /// Requests an hour that Cloud Foundry answers to one user; `null` takes the limit away.
    pub(crate) cloud_foundry_requests_per_hour: Option<u32>,
    /// How its `Retry-After` is written.
    pub(crate) cloud_foundry_retry_after: CloudFoundryRetryAfter,
    /// What becomes of names that the UAA of Cloud Foundry does not know.
    pub(crate) cloud_foundry_unknown_users: UnknownUsers,
    /// Roles any one of which opens a path of the sender, instead of `ESBMessaging.send`.
    pub(crate) sender_roles: std::collections::BTreeMap<String, BTreeSet<String>>,
    /// How the SCIM directory's administrator proves who it is.
    pub(crate) scim_credential: ScimCredential,
    /// Whether the SCIM directory changes parts of resources.
    pub(crate) scim_patch: Support,
    /// What the SCIM directory does with filters.
    pub(crate) scim_filter: ScimFilter,
    /// Whether the SCIM directory has entity tags.
    pub(crate) scim_etag: Support,
    /// Most resources of a page of the SCIM directory.
    pub(crate) scim_page: usize,
    /// What passwords of the identity service have to be.
    pub(crate) identity_password_policy: IdentityPasswordPolicy,
    /// What deleting a user of the identity service means.
    pub(crate) identity_delete: IdentityDelete,
    /// Whether the identity service locks an administrator's client after five wrong secrets.
    pub(crate) identity_client_lock: Support,
    /// Which changes need a token against forged requests at Cloud Integration.
    pub(crate) cloud_integration_csrf: CloudIntegrationCsrf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            async_plans: BTreeSet::new(),
            operation_millis: 200,
            broker_millis: 0,
            timeout_millis: 60_000,
            failing_plans: BTreeSet::new(),
            unknown_fields: UnknownFields::default(),
            operation_errors: OperationErrors::default(),
            broker_error_member: BrokerErrorMember::default(),
            service_manager_page: 200,
            xsuaa_page: 500,
            uaa_page: 500,
            list_delay_millis: 0,
            client_delay_millis: 0,
            fresh_token_millis: 0,
            rates: Rates::default(),
            missing_grant_types: MissingGrantTypes::default(),
            empty_roles: EmptyRoles::default(),
            neo_grant_type: NeoGrantType::default(),
            neo_member_bodies: NeoMemberBodies::default(),
            it_rt_activated: true,
            idp_display_name: IdpDisplayName::default(),
            propagation_seconds: 0,
            new_client_seconds: 0,
            neo_requests_per_minute: Some(100),
            neo_lower_case_users: false,
            neo_older_user_extension: false,
            job_millis: 50,
            cloud_foundry_page: 5000,
            cloud_foundry_requests_per_hour: Some(20_000),
            cloud_foundry_retry_after: CloudFoundryRetryAfter::default(),
            cloud_foundry_unknown_users: UnknownUsers::default(),
            sender_roles: std::collections::BTreeMap::new(),
            scim_credential: ScimCredential::default(),
            scim_patch: Support::default(),
            scim_filter: ScimFilter::default(),
            scim_etag: Support::default(),
            scim_page: 100,
            identity_password_policy: IdentityPasswordPolicy::default(),
            identity_delete: IdentityDelete::default(),
            identity_client_lock: Support::Unsupported,
            cloud_integration_csrf: CloudIntegrationCsrf::default(),
        }
    }
}

impl Settings {
    /// Whether the documented rates hold.
    pub(crate) fn rates_hold(&self) -> bool {
        self.rates == Rates::Documented
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
        let part: serde_json::Map<String, Value> = serde::Deserialize::deserialize(part)?;
        self.current.write(|current| {
            let mut whole = serde_json::to_value(&**current)?;
            for (name, value) in part {
                whole[name] = value;
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
        assert!(switches.change(&json!("itRtActivated")).is_err());
        assert!(!switches.current().it_rt_activated);
    }
}
