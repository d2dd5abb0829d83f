//! Two subaccounts behind one address, as in a region of the platform: the Service Manager and the XSUAA API have one
//! host for all, and the token tells whose objects a request is about.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::frame::Frame;
use crate::subaccount::OTHER;

/// One platform of both subaccounts: the state behind its routes.
pub(crate) struct Both<T> {
    /// Knows whose token a request carries.
    pub(crate) frame: Arc<Frame>,
    /// Of the subaccount that everything is about.
    pub(crate) first: Arc<T>,
    /// Of the other one.
    pub(crate) other: Arc<T>,
}

/// The platform in the subaccount whose token the request carries; the first one's without a token that is known.
pub(crate) struct Here<T>(pub(crate) Arc<T>);

impl<T: Send + Sync> FromRequestParts<Arc<Both<T>>> for Here<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, both: &Arc<Both<T>>) -> Result<Self, Infallible> {
        let elsewhere = both.frame.tokens.realm_of(&parts.headers) == Some(OTHER.realm);
        Ok(Self(Arc::clone(if elsewhere { &both.other } else { &both.first })))
    }
}
