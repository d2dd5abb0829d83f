//! Who may ask: the directory's one administrator, by the credential that a switch names.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::{REALM, Scim};
use crate::directory::fault::Fault;
use crate::frame::{Grant, ScimCredential, Shape, answer, client_credentials, random};

const LIFETIME: Duration = Duration::from_hours(1);

/// The administrator. Has no `Debug`: it holds secrets.
pub(super) struct Admin {
    /// A token that lasts.
    pub(super) token: String,
    /// Name of a user, or id of a client.
    pub(super) name: &'static str,
    /// Password of the one, secret of the other.
    pub(super) secret: String,
}

impl Admin {
    /// One with fresh secrets.
    pub(super) fn fresh() -> Self {
        let planted = || format!("planted-{}", random::opaque());
        Self { token: planted(), name: "directory-administrator", secret: planted() }
    }
}

impl Scim {
    /// Lets the administrator in.
    pub(super) fn enter(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let proved = match self.frame.settings.current().scim_credential {
            ScimCredential::Bearer => self.admin.read(|admin| bearer(headers) == Some(&admin.token)),
            ScimCredential::Basic => self.knows(client_credentials::basic(headers)),
            ScimCredential::ClientCredentials => self.frame.grant(headers, REALM).is_ok(),
        };
        if proved { Ok(()) } else { Err(Fault::new(StatusCode::UNAUTHORIZED, None, "Authorization failure")) }
    }

    fn knows(&self, presented: Option<client_credentials::Presented>) -> bool {
        let is_admin = |one: client_credentials::Presented| {
            self.admin.read(|admin| one.client_id == admin.name && one.secret.as_ref() == Some(&admin.secret))
        };
        presented.is_some_and(is_admin)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// `POST /oauth/token`, for the client credentials grant (RFC 6749, section 4.4).
pub(super) async fn token(State(scim): State<Arc<Scim>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = client_credentials::form(&body);
    let refused = |status, error: &str| answer::json(status, json!({"error": error}));
    if !scim.knows(client_credentials::presented(&headers, &form)) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let client_id = scim.admin.read(|admin| admin.name.to_owned());
    let grant = Grant { realm: REALM, client_id, scopes: Vec::new(), lifetime: LIFETIME, claims: json!({}) };
    let token = scim.frame.tokens.issue(grant, Shape::Opaque, &scim.frame.clock);
    let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME.as_secs()});
    answer::json(StatusCode::OK, body)
}
