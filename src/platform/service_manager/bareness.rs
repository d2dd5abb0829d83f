//! Whether an instance that was given no roles has none.
//!
//! What a broker makes of an empty list is not documented: it may read it as "the usual ones", and taking away the last
//! role would give others. The parameters of an instance cannot be read back, so a token shows it.

use super::ServiceManager;
use super::payload::fields;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};

const OPERATION: &str = "take the last role away";
/// Authorities of the token service itself (`uaa.resource`, `uaa.none`), and that of OpenID Connect.
const OF_TOKEN_SERVICE: &str = "uaa.";
const OPEN_ID: &str = "openid";

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

/// The error of an instance that was given no roles and has some.
pub fn not_bare() -> Error {
    let detail = "its tokens still carry roles although it was given none; remove the TechnicalUser to end them";
    Error::new(Kind::UnexpectedAnswer, OPERATION).detail(detail)
}

fn is_of_application(scope: &str) -> bool {
    !scope.starts_with(OF_TOKEN_SERVICE) && scope != OPEN_ID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_token_service_gives_to_everybody_is_no_role() {
        assert!(is_of_application("ESBMessaging.send"));
        assert!(is_of_application("it!b117912.ESBMessaging.send"));
        assert!(!is_of_application("uaa.resource") && !is_of_application("openid"));
    }
}
