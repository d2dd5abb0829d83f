//! Identities that SAP advises against in production, and what to use instead.

use crate::api::identity::Existing;

/// Identity providers that P- and S-users log on with: SAP ID service under each of its names.
const SAP_ID_SERVICE: [&str; 5] = ["sap.default", "ldap", "sap.ids", "accounts.sap.com", "accounts400.sap.com"];

/// The advice for this user, or `None` where there is nothing to say against it.
///
/// SAP BTP documentation, "Create SAP User Accounts": the default identity provider is meant for human users;
/// technical users belong into a custom one. P-users (self-registered) and S-users (of the support portal) are a
/// letter and digits.
pub fn advice(user: &Existing) -> Option<String> {
    let at_sap = user.origin.as_ref().is_none_or(|origin| SAP_ID_SERVICE.contains(&origin.to_lowercase().as_str()));
    let (letter, digits) = (user.user_name.chars().next()?.to_ascii_uppercase(), user.user_name.get(1..)?);
    let personal = matches!(letter, 'P' | 'S') && digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    (at_sap && personal).then(|| {
        format!(
            "{} is a {letter}-user: a person's account, which SAP advises against for software in production. \
             Use an OAuth client or a client certificate instead: identity serviceKey; or where there is none, \
             certificateUser, directoryUser, or existing with an oauth_client_<id>",
            user.user_name
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_accounts_of_sap_are_discouraged_and_nothing_else_is() {
        let advised = |name: &str, origin: Option<&str>| {
            advice(&Existing { user_name: name.into(), origin: origin.map(str::to_owned) }).is_some()
        };
        assert!(advised("P1234567", None) && advised("s0012345678", Some("ldap")));
        assert!(advised("p000001", Some("ACCOUNTS.SAP.COM")));
        assert!(!advised("P1234567", Some("acme.accounts.ondemand.com")));
        assert!(!advised("oauth_client_1234567", None) && !advised("P12", None) && !advised("Paul123456", None));
        assert!(!advised("É123456", None));
    }
}
