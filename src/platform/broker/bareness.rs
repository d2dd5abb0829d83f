//! Whether what a token is good for shows that an instance which was given no roles has none.
//!
//! What a broker makes of an empty list is not documented: it may read it as "the usual ones", and taking away the last
//! role would give others. The parameters of an instance cannot be read back, so a token shows it.

use serde_json::{Map, Value};

use super::payload::fields;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::proof::Prover;

const OPERATION: &str = "take the last role away";
/// Authorities of the token service itself (`uaa.resource`, `uaa.none`), and that of OpenID Connect.
const OF_TOKEN_SERVICE: &str = "uaa.";
const OPEN_ID: &str = "openid";

/// The error of an instance that was given no roles and has some.
pub fn not_bare() -> Error {
    let detail = "its tokens still carry roles although it was given none; remove the TechnicalUser to end them";
    Error::new(Kind::UnexpectedAnswer, OPERATION).detail(detail)
}

/// Whether a token for a key shows a role of its instance; `None` for a key that does not log on, or where nobody tells.
pub async fn shows_role(prover: &Prover, payload: Map<String, Value>) -> Result<Option<bool>> {
    match prover.scopes(&fields(payload)).await {
        Ok(scopes) => Ok(scopes.map(|scopes| scopes.iter().any(|scope| is_of_application(scope)))),
        Err(error) if error.kind() == Kind::ProofRefused => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a scope is one of an application, which a role gives.
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
