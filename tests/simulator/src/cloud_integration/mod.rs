//! The Security Content API of a Cloud Integration tenant in the Neo environment, `/cloud-integration/api/v1`: which
//! client certificate stands for which user. Only that entity set is here.
//!
//! It follows the API's document; how a session protects itself against forged requests is SAP's documentation.

mod access;
mod mappings;
mod odata;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::http::Extensions;
use serde_json::{Value, json};

use crate::certificates::{Authority, inspect_der};
use crate::frame::client_credentials::certificate;
use crate::frame::{Frame, Guarded, Mounted, Platform, Routes};
use access::Admin;
use mappings::Mapping;
use session::Sessions;

const PREFIX: &str = "/cloud-integration";
const REALM: &str = "cloud-integration";

/// The tenant.
pub(crate) struct CloudIntegration {
    frame: Arc<Frame>,
    authority: Arc<Authority>,
    admin: Guarded<Admin>,
    sessions: Sessions,
    mappings: Guarded<Vec<Mapping>>,
}

/// The tenant's routes below `/cloud-integration`.
pub(crate) fn mount(tenant: &Arc<CloudIntegration>) -> Mounted {
    let api = Routes::below(PREFIX, "cloud-integration")
        .post("token", "/oauth/token", access::token)
        .get("service-document", "/api/v1/", mappings::service_document)
        .get("list-certificate-mappings", "/api/v1/CertificateUserMappings", mappings::list)
        .post("map-certificate", "/api/v1/CertificateUserMappings", mappings::map)
        .get("get-certificate-mapping", "/api/v1/{entity}", mappings::get)
        .delete("delete-certificate-mapping", "/api/v1/{entity}", mappings::delete);
    let (router, names) = api.with_state(Arc::clone(tenant));
    let platform: Arc<CloudIntegration> = Arc::clone(tenant);
    Mounted { platform, other: None, router, names }
}

impl CloudIntegration {
    /// A tenant without mappings.
    pub(crate) fn new(frame: &Arc<Frame>, authority: &Arc<Authority>) -> Arc<Self> {
        Arc::new(Self {
            frame: Arc::clone(frame),
            authority: Arc::clone(authority),
            admin: Guarded::new(Admin::fresh(authority, frame.clock.now())),
            sessions: Sessions::default(),
            mappings: Guarded::default(),
        })
    }

    /// The user that the certificate of the connection stands for, while it is valid.
    pub(crate) fn user_by_certificate(&self, extensions: &Extensions) -> Option<String> {
        let der = certificate(extensions)?;
        let in_time = inspect_der(der)?.valid_until > self.frame.clock.now();
        let id = mappings::id(der);
        let found = self.mappings.read(|all| all.iter().find(|one| one.id == id).map(|one| one.user.clone()));
        found.filter(|_| in_time)
    }
}

impl Platform for CloudIntegration {
    fn name(&self) -> &'static str {
        "cloud-integration"
    }

    fn snapshot(&self, _secrets: bool) -> Value {
        self.mappings.read(|all| json!({"certificateUserMappings": all.iter().map(Mapping::shown).collect::<Vec<_>>()}))
    }

    fn reset(&self) {
        self.mappings.write(Vec::clear);
        self.sessions.reset();
        self.admin.write(|admin| *admin = Admin::fresh(&self.authority, self.frame.clock.now()));
    }

    fn admin_credential(&self, x509: bool) -> Option<Value> {
        self.admin.read(|admin| admin.credential(&self.frame.url, &self.frame.mtls_url, x509))
    }
}
