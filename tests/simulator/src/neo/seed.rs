//! What the subaccount holds at start: a Cloud Integration tenant that is subscribed, one human administrator, and
//! three platform API clients, of which only the first can do everything.

use super::account::{Account, ApiClient, Application, ApplicationRole, Member};
use super::names::Names;
use crate::frame::{Clock, random};

/// Technical name of the subaccount.
pub(super) const SUBACCOUNT: &str = "acme";
/// The API client with every scope that the operator can use.
pub(super) const ADMINISTRATOR: &str = "platform-api-administrator";

/// The runtime node of Cloud Integration.
pub(super) const RUNTIME: &str = "abciflmap";

/// The account that provides Cloud Integration.
const PROVIDER: &str = "sapprovider";

const ALL_SCOPES: [&str; 6] = [
    "readAccountMembers",
    "manageAccountMembers",
    "readAuthorizationSettings",
    "manageAuthorizationSettings",
    "readApplicationRoles",
    "manageApplicationRoles",
];
const READ_SCOPES: [&str; 2] = ["readAccountMembers", "readAuthorizationSettings"];

/// Roles of the tenant management node: monitoring, design, operation.
const MANAGEMENT_ROLES: [&str; 7] = [
    "AuthGroup.Administrator",
    "AuthGroup.BusinessExpert",
    "AuthGroup.ContentPublisher",
    "AuthGroup.IntegrationDeveloper",
    "AuthGroup.ReadOnly",
    "AuthGroup.SystemDeveloper",
    "AuthGroup.TenantPartnerDirectoryConfigurator",
];
/// The role of the runtime node that lets a sender call an integration flow.
const RUNTIME_ROLES: [&str; 1] = ["ESBMessaging.send"];
/// Roles of an application that the subaccount provides itself.
const OWN_ROLES: [&str; 1] = ["Approver"];

/// The subaccount as it is at start, with fresh secrets.
pub(super) fn account(clock: &Clock) -> Account {
    Account {
        name: SUBACCOUNT,
        api_clients: vec![
            api_client(ADMINISTRATOR, &ALL_SCOPES),
            api_client("platform-api-reader", &READ_SCOPES),
            api_client("platform-api-without-scopes", &[]),
        ],
        custom_platform_roles: vec!["IntegrationAuditor".to_owned()],
        members: vec![administrator(clock)],
        applications: vec![
            application("abctmn", PROVIDER, &MANAGEMENT_ROLES),
            application(RUNTIME, PROVIDER, &RUNTIME_ROLES),
            application("approvals", SUBACCOUNT, &OWN_ROLES),
        ],
        groups: Vec::new(),
    }
}

fn api_client(id: &str, scopes: &[&str]) -> ApiClient {
    let scopes = scopes.iter().copied().map(str::to_owned).collect();
    ApiClient { id: id.to_owned(), secret: format!("planted-{}", random::opaque()), scopes }
}

fn administrator(clock: &Clock) -> Member {
    Member {
        user_name: "P0000001".to_owned(),
        userbase: "accounts.sap.com".to_owned(),
        roles: vec!["AccountAdministrator".to_owned()],
        created: clock.now(),
        last_modified: clock.now(),
    }
}

fn application(name: &str, provider: &str, roles: &[&str]) -> Application {
    let role = |name: &&str| ApplicationRole { name: (*name).to_owned(), custom: false, users: Names::default() };
    let roles = roles.iter().map(role).collect();
    Application { name: name.to_owned(), provider: provider.to_owned(), roles }
}
