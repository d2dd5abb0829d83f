//! Requests whose token is good for what they are about: what nearly every handler of the API begins with.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::CloudFoundry;
use super::access::{Caller, Need};
use super::refusal::Refusal;

/// The Cloud Controller, for somebody who may read.
pub(super) struct Reader {
    pub(super) cloud: Arc<CloudFoundry>,
    pub(super) caller: Caller,
}

/// The same for somebody who may write.
pub(super) struct Writer {
    pub(super) cloud: Arc<CloudFoundry>,
    pub(super) caller: Caller,
}

impl FromRequestParts<Arc<CloudFoundry>> for Reader {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cloud: &Arc<CloudFoundry>) -> Result<Self, Refusal> {
        let caller = cloud.permit(&parts.headers, Need::Read)?;
        Ok(Self { cloud: Arc::clone(cloud), caller })
    }
}

impl FromRequestParts<Arc<CloudFoundry>> for Writer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cloud: &Arc<CloudFoundry>) -> Result<Self, Refusal> {
        let caller = cloud.permit(&parts.headers, Need::Write)?;
        Ok(Self { cloud: Arc::clone(cloud), caller })
    }
}
