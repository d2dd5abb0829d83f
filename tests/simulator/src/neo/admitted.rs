//! Requests that were let in: what each handler of Neo's two APIs begins with.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::Neo;
use super::budget::Api;
use super::refusal::Refusal;

/// What a request needs: the API whose budget it counts for, and scopes any one of which will do.
pub(super) trait Right {
    const API: Api;
    const SCOPES: &'static [&'static str];
}

/// Reading members.
pub(super) struct ReadMembers;
/// Changing members.
pub(super) struct ManageMembers;
/// Reading who holds what.
pub(super) struct ReadSettings;
/// Changing who holds what.
pub(super) struct ManageSettings;
/// Reading an application's roles.
pub(super) struct ReadRoles;
/// Making and deleting an application's own roles.
pub(super) struct ManageRoles;

impl Right for ReadMembers {
    const API: Api = Api::Members;
    const SCOPES: &'static [&'static str] = &["readAccountMembers"];
}

impl Right for ManageMembers {
    const API: Api = Api::Members;
    const SCOPES: &'static [&'static str] = &["manageAccountMembers"];
}

impl Right for ReadSettings {
    const API: Api = Api::Authorization;
    const SCOPES: &'static [&'static str] = &["readAuthorizationSettings"];
}

impl Right for ManageSettings {
    const API: Api = Api::Authorization;
    const SCOPES: &'static [&'static str] = &["manageAuthorizationSettings"];
}

impl Right for ReadRoles {
    const API: Api = Api::Authorization;
    const SCOPES: &'static [&'static str] = &["readApplicationRoles", "readAuthorizationSettings"];
}

impl Right for ManageRoles {
    const API: Api = Api::Authorization;
    const SCOPES: &'static [&'static str] = &["manageApplicationRoles", "manageAuthorizationSettings"];
}

/// Neo, for a request with this right to the subaccount of its path.
pub(super) struct Admitted<R> {
    neo: Arc<Neo>,
    right: PhantomData<R>,
}

impl<R: Right> FromRequestParts<Arc<Neo>> for Admitted<R> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, neo: &Arc<Neo>) -> Result<Self, Refusal> {
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, neo).await;
        let subaccount = path.ok().and_then(|Path(mut path)| path.remove("subaccount")).unwrap_or_default();
        neo.enter(&parts.headers, &subaccount, R::API, R::SCOPES).await?;
        Ok(Self { neo: Arc::clone(neo), right: PhantomData })
    }
}

impl<R> Deref for Admitted<R> {
    type Target = Neo;

    fn deref(&self) -> &Neo {
        &self.neo
    }
}
