//! The fields of a credential, where they are known before it is issued.

use crate::api::IdentityKind;

/// The names of the fields that a credential of such an identity has, or may have; `None` where the platform decides.
pub const fn known(kind: IdentityKind) -> Option<&'static [&'static str]> {
    match kind {
        IdentityKind::OauthClient => Some(&["clientid", "clientsecret", "tokenurl", "url"]),
        IdentityKind::DirectoryUser => Some(&["username", "password", "url"]),
        IdentityKind::CertificateUser => Some(&["tls.crt", "tls.key", "ca.crt", "username", "url"]),
        IdentityKind::ServiceKey | IdentityKind::Existing => None,
    }
}
