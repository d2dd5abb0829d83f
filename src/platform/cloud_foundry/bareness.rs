//! Whether an instance that was given no roles has none, as a token for one of its keys shows.

use super::CloudFoundry;
use crate::platform::broker::bareness::shows_role;
use crate::platform::error::Result;

impl CloudFoundry {
    /// Whether a token for one of the instance's keys is good for nothing. Without a key that logs on, or where nobody
    /// tells, there is nothing to see.
    pub(super) async fn is_bare(&self, instance: &str) -> Result<bool> {
        for key in self.keys_of(instance).await? {
            let payload = self.details(&key.guid).await?.credentials;
            if let Some(shows) = shows_role(&self.prover, payload).await? {
                return Ok(!shows);
            }
        }
        Ok(true)
    }
}
