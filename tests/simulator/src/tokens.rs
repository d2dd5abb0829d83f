//! The subaccount's token service, `POST /auth/oauth/token`, as XSUAA answers it (UAA API documentation, "Client
//! Credentials Grant"; SAP Help Portal, "Token Retrieval Fails with Status Code 401").
//!
//! It knows nothing of service keys: a client is known by its id and proves itself by secret or certificate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::certificates::inspect_der;
use crate::clients::{Client, Proof};
use crate::frame::client_credentials::{self, Place, Presented, certificate};
use crate::frame::rates::Queue;
use crate::frame::{Asked, Grant, Mounted, Platform, Routes, Shape, answer};
use crate::subaccount::{OTHER, OWN, Subaccount};

/// Grants that the service knows but these clients may not use.
const OTHER_GRANTS: [&str; 5] = [
    "password",
    "refresh_token",
    "authorization_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
];

/// Tokens a second that a subaccount issues at once (SAP Help Portal, "Rate Limiting").
const PER_SECOND: u32 = 60;

/// Mounts the token services, each below its subaccount's path.
pub(crate) fn mount(subaccount: &Arc<Subaccount>, other: &Arc<Subaccount>) -> Mounted {
    let (router, mut names) =
        Routes::below(OWN.token_path, "auth").post("token", "/oauth/token", token).with_state(Arc::clone(subaccount));
    let (others, more) = Routes::below(OTHER.token_path, "other-auth")
        .post("token", "/oauth/token", token)
        .with_state(Arc::clone(other));
    names.extend(more);
    let service = |of: &Arc<Subaccount>| Arc::new(TokenService { subaccount: Arc::clone(of), rate: Queue::default() });
    Mounted { platform: service(subaccount), other: Some(service(other)), router: router.merge(others), names }
}

struct TokenService {
    subaccount: Arc<Subaccount>,
    rate: Queue,
}

impl Platform for TokenService {
    fn name(&self) -> &'static str {
        "auth"
    }

    fn admit(&self, _request: &Asked<'_>) -> Result<Duration, Duration> {
        let frame = &self.subaccount.frame;
        let per_second = if frame.settings.current().rates_hold() { PER_SECOND } else { return Ok(Duration::ZERO) };
        self.rate.admit(per_second, frame.clock.now())
    }

    fn snapshot(&self, secrets: bool) -> Value {
        json!({"clients": self.subaccount.clients.snapshot(secrets)})
    }

    /// Forgets all clients. Mounted first, it is reset first; the others then register their administrators anew.
    fn reset(&self) {
        self.subaccount.clients.clear();
        self.rate.reset();
    }

    fn admin_credential(&self, _x509: bool) -> Option<Value> {
        None
    }
}

async fn token(
    State(subaccount): State<Arc<Subaccount>>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        let text = format!("Content-Type '{content_type}' is not supported");
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", &text);
    }
    let form = client_credentials::form(&body);
    let answer = match authenticated(&subaccount, &extensions, &headers, &form) {
        Ok(client) => granted(&subaccount, &client, &form),
        Err((error, description)) => refused(StatusCode::UNAUTHORIZED, error, description),
    };
    answer::with_header(answer, header::CACHE_CONTROL, "no-store")
}

/// The client that has proved itself, or error and description.
fn authenticated(
    subaccount: &Subaccount,
    extensions: &Extensions,
    headers: &HeaderMap,
    form: &HashMap<String, String>,
) -> Result<Arc<Client>, (&'static str, &'static str)> {
    let Some(presented) = client_credentials::presented(headers, form) else {
        return Err(("unauthorized", "Full authentication is required"));
    };
    let client = subaccount.clients.by_id(&presented.client_id).filter(|client| subaccount.knows(client));
    let proved = client.filter(|client| match &client.proof {
        Proof::Secret(secret) => presented_rightly(&presented, headers) && presented.secret.as_ref() == Some(secret),
        Proof::Certificate { fingerprint, valid_until } => {
            let shown = certificate(extensions).and_then(inspect_der);
            let same = shown.is_some_and(|shown| shown.fingerprint == *fingerprint);
            presented.secret.is_none() && same && *valid_until > subaccount.frame.clock.now()
        }
    });
    proved.ok_or(("invalid_client", "Bad credentials"))
}

/// A secret with `+` fails in a plain Basic header: it belongs in the body, or URL-encoded in the header together
/// with `X-CF-ENCODED-CREDENTIALS: true`.
fn presented_rightly(presented: &Presented, headers: &HeaderMap) -> bool {
    let encoded = headers.get("x-cf-encoded-credentials").is_some_and(|value| value == "true");
    let plus = presented.secret.as_ref().is_some_and(|secret| secret.contains('+'));
    presented.place == Place::Body || encoded || !plus
}

/// The token, for what the client may have: all of it, or what it asks for by `scope`.
fn granted(subaccount: &Subaccount, client: &Client, form: &HashMap<String, String>) -> Response {
    match form.get("grant_type").map(String::as_str) {
        Some("client_credentials") => {}
        None | Some("") => return refused(StatusCode::BAD_REQUEST, "invalid_request", "Missing grant type"),
        Some(other) if OTHER_GRANTS.contains(&other) => {
            let text = format!("Unauthorized grant type: {other}");
            return refused(StatusCode::UNAUTHORIZED, "unauthorized_client", &text);
        }
        Some(other) => {
            let text = format!("Unsupported grant type: {other}");
            return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", &text);
        }
    }
    let opened = subaccount.rights_of(client);
    if !opened.by_client_credentials {
        let text = "Unauthorized grant type: client_credentials";
        return refused(StatusCode::UNAUTHORIZED, "unauthorized_client", text);
    }
    let (held, lifetime) = (opened.scopes, opened.token_validity);
    let wanted: Vec<String> =
        form.get("scope").map(|list| list.split(' ').map(str::to_owned).collect()).unwrap_or_default();
    if let Some(missing) = wanted.iter().find(|wanted| !wanted.is_empty() && !held.contains(wanted)) {
        return refused(StatusCode::BAD_REQUEST, "invalid_scope", &format!("{missing} is invalid."));
    }
    let scopes = if wanted.iter().all(String::is_empty) { held } else { wanted };
    let place = subaccount.place;
    let claims = json!({"zid": place.zone,
                        "ext_attr": {"enhancer": "XSUAA", "subaccountid": place.zone, "zdn": place.subdomain},
                        "iss": format!("{}/oauth/token", subaccount.token_host())});
    let scope = scopes.join(" ");
    let grant = Grant { realm: place.realm, client_id: client.id.clone(), scopes, lifetime, claims };
    let token = subaccount.frame.tokens.issue(grant, Shape::Jwt, &subaccount.frame.clock);
    answer::json(
        StatusCode::OK,
        json!({"access_token": token, "token_type": "bearer", "expires_in": lifetime.as_secs(), "scope": scope}),
    )
}

/// An OAuth error (RFC 6749, section 5.2).
fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    let response = answer::json(status, json!({"error": error, "error_description": description}));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = format!("Basic realm=\"UAA/client\", error=\"{error}\", error_description=\"{description}\"");
        return answer::with_header(response, header::WWW_AUTHENTICATE, &challenge);
    }
    response
}

#[cfg(test)]
mod tests {
    use crate::testing::{World, read};

    /// A token request of the Service Manager's administrator, with these form fields and this Basic password.
    async fn ask(world: &World, form: &[(&str, &str)], password: Option<&str>) -> crate::testing::Answer {
        let key = world.get("", "/_simulator/credentials/service-manager").await.body;
        let mut request = world.http.post(format!("{}/auth/oauth/token", world.frame.url)).form(form);
        if let Some(password) = password {
            request = request.basic_auth(key["clientid"].as_str().unwrap(), Some(password));
        }
        read(request.send().await.unwrap()).await
    }

    const GRANT: (&str, &str) = ("grant_type", "client_credentials");
    const SECRET: &str = "planted-service-manager-$Ab3+xYz_9-Q==";

    #[tokio::test]
    async fn a_plus_in_the_secret_fails_in_a_plain_basic_header() {
        let world = World::start().await;
        let refused = ask(&world, &[GRANT], Some(SECRET)).await;
        assert_eq!((refused.status, refused.body["error"].as_str()), (401, Some("invalid_client")));
        let id = world.get("", "/_simulator/credentials/service-manager").await.body;
        let id = id["clientid"].as_str().unwrap();
        let body = ask(&world, &[GRANT, ("client_id", id), ("client_secret", SECRET)], None).await;
        assert_eq!((body.status, body.body["expires_in"].as_u64()), (200, Some(3600)));
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let request = world.http.post(format!("{}/auth/oauth/token", world.frame.url)).form(&[GRANT]);
        let encoded = request.basic_auth(encode(id), Some(encode(SECRET))).header("X-CF-ENCODED-CREDENTIALS", "true");
        assert_eq!(encoded.send().await.unwrap().status(), 200);
    }

    #[tokio::test]
    async fn what_is_asked_wrongly_is_refused_by_its_name() {
        let world = World::start().await;
        let id = world.get("", "/_simulator/credentials/service-manager").await.body;
        let who = [("client_id", id["clientid"].as_str().unwrap()), ("client_secret", SECRET)];
        for (status, error, field) in [
            (400, "invalid_request", ("colour", "red")),
            (400, "unsupported_grant_type", ("grant_type", "magic")),
            (401, "unauthorized_client", ("grant_type", "password")),
        ] {
            let answer = ask(&world, &[who[0], who[1], field], None).await;
            assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(error)));
        }
        let scope = ask(&world, &[who[0], who[1], GRANT, ("scope", "all.of.it")], None).await;
        assert_eq!((scope.status, scope.body["error"].as_str()), (400, Some("invalid_scope")));
        assert_eq!(ask(&world, &[GRANT], None).await.status, 401);
        let json = world.http.post(format!("{}/auth/oauth/token", world.frame.url)).json(&who);
        assert_eq!(json.send().await.unwrap().status(), 415);
    }
}
