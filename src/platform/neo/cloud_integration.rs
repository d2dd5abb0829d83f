//! The way to a tenant of Cloud Integration.

use std::sync::Arc;

use super::certificates::Certificates;
use crate::api::IdentityKind;
use crate::api::environment::CloudIntegration;
use crate::plan::environment::neo::TABLE;
use crate::platform::accounts::Credential;
use crate::platform::admin_secret::AdminSecret;
use crate::platform::budget::{Limit, Limits, Pace};
use crate::platform::connect::{Api, Connecting, at, in_spec};
use crate::platform::error::Result;
use crate::platform::http::address;
use crate::platform::http::dialect::PLAIN;
use crate::platform::session::Probe;
use crate::platform::whereabouts::Whereabouts;
use crate::platform::{Driver, Maker};

/// What we allow ourselves of the 10 calls a second that SAP documents for each user of Security Content: in any second the burst
/// and the pace together stay below.
const API: Api = Api {
    name: "cloud-integration",
    limits: Limits::one(Limit::Kept(Pace { per_second: 4.5, burst: 5.0 })),
    dialect: &PLAIN,
    probe: Some(Probe {
        path: &["api", "v1", "CertificateUserMappings"],
        query: &[("$filter", "User eq 'tuo'"), ("$select", "Id,User")],
    }),
};

/// Gives a driver what a tenant can do. Tells what the tenant is.
pub fn join(driver: &mut Driver, tenant: &CloudIntegration, with: &Connecting<'_>) -> Result<Whereabouts> {
    let address = |url: &str, what| address::base(url, what).map_err(|error| in_spec(&error));
    let base = address(&tenant.url, "cloudIntegration.url")?;
    let runtime = tenant.runtime_url.as_deref().map(|url| address(url, "cloudIntegration.runtimeUrl")).transpose()?;
    let reference = &tenant.credentials_secret_ref;
    let account = credential(with.secret(reference)?).and_then(|credential| with.account(credential));
    let session = at(&base, &account.map_err(|error| error.about(format!("Secret {}", reference.name)))?, &API);
    let certificates = Arc::new(Certificates::new(session.clone(), runtime));
    let kind = IdentityKind::CertificateUser;
    driver.makers.insert(kind, Maker::of_names(certificates, TABLE.recall(kind)));
    driver.sessions.push(session);
    Ok(Whereabouts::at(format!("cloud integration {base}")))
}

/// Neo's OAuth takes the grant type in the query. Without a token endpoint the credential is shown with every call.
fn credential(secret: &AdminSecret) -> Result<Credential> {
    if secret.has("tokenurl") {
        Ok(secret.client_at_its_token_url()?.in_query().into())
    } else {
        Ok(secret.shown()?.into())
    }
}
