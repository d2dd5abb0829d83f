//! Whether an instance that was given no roles has none, as a token for one of its keys shows.

use super::ServiceManager;
use crate::platform::broker::bareness::shows_role;
use crate::platform::budget::Urgency;
use crate::platform::error::Result;

impl ServiceManager {
    /// Whether a token for one of the instance's keys is good for nothing. Without a key that logs on, or where nobody
    /// tells, there is nothing to see.
    pub(super) async fn is_bare(&self, instance: &str) -> Result<bool> {
        for binding in self.bindings_of(instance, Urgency::Normal).await? {
            let Some(payload) = self.read_binding(&binding.id).await?.credentials else { continue };
            if let Some(shows) = shows_role(&self.prover, payload).await? {
                return Ok(!shows);
            }
        }
        Ok(true)
    }
}
