//! Whether an instance that was given no roles has none, as a token for one of its keys shows.

use super::ServiceManager;
use crate::platform::broker::bareness::is_of_application;
use crate::platform::broker::payload::fields;
use crate::platform::budget::Urgency;
use crate::platform::error::{Kind, Result};

impl ServiceManager {
    /// Whether a token for one of the instance's keys is good for nothing. Without a key that logs on, or where nobody
    /// tells, there is nothing to see.
    pub(super) async fn is_bare(&self, instance: &str) -> Result<bool> {
        for binding in self.bindings_of(instance, Urgency::Normal).await? {
            let Some(payload) = self.read_binding(&binding.id).await?.credentials else { continue };
            match self.prover.scopes(&fields(payload)).await {
                Ok(Some(scopes)) => return Ok(!scopes.iter().any(|scope| is_of_application(scope))),
                Ok(None) => {}
                Err(error) if error.kind() == Kind::ProofRefused => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
