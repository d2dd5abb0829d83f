//! People that call Cloud Integration: who they are is the identity service's word or a mapped certificate's, what they
//! may is XSUAA's and Neo's.

use std::sync::Arc;

use axum::http::{Extensions, HeaderMap, header};

use crate::cloud_integration::CloudIntegration;
use crate::frame::client_credentials;
use crate::identity_service::IdentityService;
use crate::neo::Neo;
use crate::xsuaa::Xsuaa;

/// The template whose roles let a person of the multi-environment send messages, and what it is called at the runtime
/// (SAP Help Portal, "Basic Authentication with User").
const SEND_TEMPLATE: &str = "MessagingSend";
const SEND: &str = "ESBMessaging.send";

/// Everything that is asked about a person.
pub(crate) struct People {
    identity: Arc<IdentityService>,
    xsuaa: Arc<Xsuaa>,
    neo: Arc<Neo>,
    cloud_integration: Arc<CloudIntegration>,
}

impl People {
    /// Asks these.
    pub(crate) fn new(
        identity: &Arc<IdentityService>,
        xsuaa: &Arc<Xsuaa>,
        neo: &Arc<Neo>,
        cloud_integration: &Arc<CloudIntegration>,
    ) -> Self {
        Self {
            identity: Arc::clone(identity),
            xsuaa: Arc::clone(xsuaa),
            neo: Arc::clone(neo),
            cloud_integration: Arc::clone(cloud_integration),
        }
    }

    /// Who calls, and with which roles: by password, or by a certificate that stands for a user in Neo.
    pub(crate) fn caller(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<(String, Vec<String>)> {
        if !headers.contains_key(header::AUTHORIZATION) {
            let user = self.cloud_integration.user_by_certificate(extensions)?;
            let roles = self.neo.runtime_roles_of(&[&user]);
            return Some((user, roles));
        }
        let presented = client_credentials::basic(headers)?;
        let person = self.identity.logon(&presented.client_id, presented.secret.as_deref()?)?;
        let names = [person.user_id.as_str(), person.user_name.as_str(), person.mail.as_str()];
        let mut roles = self.neo.runtime_roles_of(&names);
        let templates = self.xsuaa.role_templates_of(&names);
        roles.extend(templates.iter().map(|one| if one == SEND_TEMPLATE { SEND.to_owned() } else { one.clone() }));
        Some((person.user_name, roles))
    }
}
