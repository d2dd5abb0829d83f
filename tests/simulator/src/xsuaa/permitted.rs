//! Requests whose token has the scope that they need: what every handler of the API begins with.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::landscape::{Both, Here};

use super::Xsuaa;
use super::refusal::Refusal;

/// A scope of the API.
pub(crate) trait Scope {
    /// As tokens name it.
    const NAME: &str;
}

/// Looks at role collections and mappings.
pub(crate) struct ReadAuthorizations;
/// Changes them, and who has them.
pub(crate) struct WriteAuthorizations;
/// Looks at users.
pub(crate) struct ReadUsers;
/// Changes users.
pub(crate) struct WriteUsers;
/// Looks at identity providers.
pub(crate) struct ReadProviders;

impl Scope for ReadAuthorizations {
    const NAME: &str = "xs_authorization.read";
}

impl Scope for WriteAuthorizations {
    const NAME: &str = "xs_authorization.write";
}

impl Scope for ReadUsers {
    const NAME: &str = "xs_user.read";
}

impl Scope for WriteUsers {
    const NAME: &str = "xs_user.write";
}

impl Scope for ReadProviders {
    const NAME: &str = "xs_idp.read";
}

/// The API in the caller's subaccount, for somebody whose token has this scope.
pub(crate) struct May<S> {
    pub(crate) xsuaa: Arc<Xsuaa>,
    scope: PhantomData<S>,
}

impl<S: Scope> FromRequestParts<Arc<Both<Xsuaa>>> for May<S> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, both: &Arc<Both<Xsuaa>>) -> Result<Self, Refusal> {
        let Ok(Here(xsuaa)) = Here::from_request_parts(parts, both).await;
        xsuaa.subaccount.authorize(&parts.headers, S::NAME).map_err(Refusal::Token)?;
        Ok(Self { xsuaa, scope: PhantomData })
    }
}
