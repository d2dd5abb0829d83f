//! Certificates and the users they stand for. Mapping a certificate again changes its user, and is no error.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{Extensions, HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::{Value, json};
use x509_parser::pem::parse_x509_pem;

use super::CloudIntegration;
use super::access::{ADMINISTRATOR, Proof};
use super::odata::{Refusal, equals, error, key, moment, selected};
use crate::certificates::inspect_der;
use crate::frame::{CloudIntegrationCsrf, answer, random};

const SET: &str = "CertificateUserMappings";
const LONGEST_USER: usize = 150;
const LONGEST_CERTIFICATE: usize = 8192;
/// The store holds 2 MB.
const STORE: usize = 2 << 20;

/// A certificate that stands for a user.
pub(super) struct Mapping {
    pub(super) id: String,
    pub(super) user: String,
    certificate: String,
    valid_until: Duration,
    created: Duration,
    modified: Duration,
}

/// The id of a certificate.
pub(super) fn id(der: &[u8]) -> String {
    random::hex(&Md5::digest(der))
}

impl Mapping {
    /// As answers show it.
    pub(super) fn shown(&self) -> Value {
        json!({
            "Id": self.id, "User": self.user, "Certificate": self.certificate,
            "LastModifiedBy": ADMINISTRATOR, "LastModifiedTime": moment(self.modified),
            "CreatedBy": ADMINISTRATOR, "CreatedTime": moment(self.created),
            "ValidUntil": self.valid_until.as_millis().to_string(),
        })
    }
}

/// The query of a list.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(rename = "$filter")]
    filter: Option<String>,
    #[serde(rename = "$select")]
    select: Option<String>,
    #[serde(rename = "$orderby")]
    order: Option<String>,
}

impl CloudIntegration {
    fn enter(&self, headers: &HeaderMap, extensions: &Extensions) -> Result<Proof, Refusal> {
        self.proof(headers, extensions).ok_or(Refusal::Unauthorized)
    }

    /// Lets a request in that changes something.
    fn enter_to_write(&self, headers: &HeaderMap, extensions: &Extensions) -> Result<(), Refusal> {
        let proof = self.enter(headers, extensions)?;
        let spared = self.frame.settings.current().cloud_integration_csrf == CloudIntegrationCsrf::NotForBearer;
        if spared && proof == Proof::Bearer || self.sessions.knows(headers, self.frame.clock.now()) {
            Ok(())
        } else {
            Err(Refusal::Forged)
        }
    }

    /// Gives a reader the token it fetches.
    fn with_token(&self, headers: &HeaderMap, response: Response) -> Response {
        let name = HeaderName::from_static("x-csrf-token");
        let fetches = headers.get(&name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"fetch"));
        if !fetches {
            return response;
        }
        let (token, cookie) = self.sessions.token(headers, self.frame.clock.now());
        let response = answer::with_header(response, name, &token);
        match cookie {
            Some(cookie) => answer::with_header(response, header::SET_COOKIE, &cookie),
            None => response,
        }
    }
}

/// `GET /api/v1/`
pub(super) async fn service_document(
    State(tenant): State<Arc<CloudIntegration>>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    tenant.enter(&headers, &extensions)?;
    Ok(tenant.with_token(&headers, answer::json(StatusCode::OK, json!({"d": {"EntitySets": [SET]}}))))
}

/// `GET CertificateUserMappings`
pub(super) async fn list(
    State(tenant): State<Arc<CloudIntegration>>,
    Query(wanted): Query<Wanted>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    tenant.enter(&headers, &extensions)?;
    let unknown = || error(StatusCode::BAD_REQUEST, "Filter items only by user is supported.");
    let user = wanted.filter.as_deref().map(|filter| equals(filter, "User").ok_or_else(unknown)).transpose()?;
    let mut found: Vec<Value> = tenant.mappings.read(|all| {
        let wanted = all.iter().filter(|one| user.as_ref().is_none_or(|user| one.user == *user));
        wanted.map(Mapping::shown).collect()
    });
    if let Some(order) = &wanted.order {
        let (name, descending) =
            order.split_once(' ').map_or((order.as_str(), false), |(name, way)| (name, way == "desc"));
        found.sort_by_key(|one| one[name].to_string());
        if descending {
            found.reverse();
        }
    }
    let results: Vec<Value> = found.into_iter().map(|one| selected(one, wanted.select.as_deref())).collect();
    Ok(tenant.with_token(&headers, answer::json(StatusCode::OK, json!({"d": {"results": results}}))))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct NewMapping {
    user: String,
    certificate: String,
    /// A wrong one is put right in the answer.
    #[serde(rename = "Id")]
    _id: Option<String>,
}

impl NewMapping {
    fn der(&self) -> Result<Vec<u8>, Refusal> {
        let too_long = self.user.chars().count() > LONGEST_USER || self.certificate.len() > LONGEST_CERTIFICATE;
        if self.user.is_empty() || too_long {
            return Err(error(StatusCode::BAD_REQUEST, "The user or the certificate has a wrong length."));
        }
        let pem = STANDARD.decode(&self.certificate).ok();
        let der = pem.and_then(|pem| parse_x509_pem(&pem).ok().map(|(_, pem)| pem.contents));
        der.ok_or_else(|| {
            let text = format!("The certificate for the user {} is not a X.509 certificate", self.user);
            error(StatusCode::INTERNAL_SERVER_ERROR, text)
        })
    }
}

/// `POST CertificateUserMappings`
pub(super) async fn map(
    State(tenant): State<Arc<CloudIntegration>>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    tenant.enter_to_write(&headers, &extensions)?;
    let new: NewMapping = serde_json::from_slice(&body)
        .map_err(|_| error(StatusCode::BAD_REQUEST, "The request body is not a CertificateUserMapping."))?;
    let der = new.der()?;
    let no_certificate = || error(StatusCode::INTERNAL_SERVER_ERROR, "Could not parse certificate");
    let valid_until = inspect_der(&der).ok_or_else(no_certificate)?.valid_until;
    let (id, now) = (id(&der), tenant.frame.clock.now());
    let shown = tenant.mappings.write(|all| {
        if let Some(known) = all.iter_mut().find(|one| one.id == id) {
            (known.user, known.modified) = (new.user, now);
            return Ok(known.shown());
        }
        let stored: usize = all.iter().map(|one| one.certificate.len()).sum();
        if stored + new.certificate.len() > STORE {
            return Err(error(StatusCode::INTERNAL_SERVER_ERROR, "Cannot save certificate-user mappings"));
        }
        let (user, certificate) = (new.user, new.certificate);
        all.push(Mapping { id, user, certificate, valid_until, created: now, modified: now });
        Ok(all.last().map(Mapping::shown).unwrap_or_default())
    })?;
    Ok(answer::json(StatusCode::CREATED, json!({"d": shown})))
}

fn position(all: &[Mapping], entity: &str) -> Result<usize, Refusal> {
    let missing = || error(StatusCode::NOT_FOUND, format!("{entity} is not found"));
    let id = key(entity, SET).ok_or_else(missing)?;
    all.iter().position(|one| one.id == id).ok_or_else(missing)
}

/// `GET CertificateUserMappings('id')`
pub(super) async fn get(
    State(tenant): State<Arc<CloudIntegration>>,
    Path(entity): Path<String>,
    Query(wanted): Query<Wanted>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    tenant.enter(&headers, &extensions)?;
    let shown = tenant.mappings.read(|all| position(all, &entity).map(|at| all[at].shown()))?;
    let body = json!({"d": selected(shown, wanted.select.as_deref())});
    Ok(tenant.with_token(&headers, answer::json(StatusCode::OK, body)))
}

/// `DELETE CertificateUserMappings('id')`
pub(super) async fn delete(
    State(tenant): State<Arc<CloudIntegration>>,
    Path(entity): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    tenant.enter_to_write(&headers, &extensions)?;
    tenant.mappings.write(|all| position(all, &entity).map(|at| all.remove(at)))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
