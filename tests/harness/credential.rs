//! What anybody can do who holds the Secret: fetch a token, and call with it.

use std::collections::BTreeMap;

use super::{http, runtime};

/// A token and the roles in it.
pub(crate) struct Token {
    value: String,
    /// Its scopes.
    pub(crate) roles: Vec<String>,
}

/// Fetches a token with a Secret's values, as a workload would; the status where it is refused.
pub(crate) fn token(secret: &BTreeMap<String, String>) -> Result<Token, u16> {
    runtime().block_on(fetched(secret)).expect("an answer")
}

/// The status with which the sender endpoint of Cloud Integration answers a message sent with a token.
pub(crate) fn send(secret: &BTreeMap<String, String>, token: &Token) -> u16 {
    runtime().block_on(sent(secret, token)).expect("an answer")
}

/// One call of software that holds these values: a token, and a message sent with it. What went wrong, in words.
pub(crate) async fn used(secret: &BTreeMap<String, String>) -> Result<(), String> {
    let token = fetched(secret).await.map_err(|error| format!("token: {error:?}"))?;
    let token = token.map_err(|status| format!("token: {status}"))?;
    let status = sent(secret, &token).await.map_err(|error| format!("message: {error:?}"))?;
    if status == 200 { Ok(()) } else { Err(format!("message: {status}")) }
}

async fn fetched(secret: &BTreeMap<String, String>) -> reqwest::Result<Result<Token, u16>> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &secret["clientid"]),
        ("client_secret", &secret["clientsecret"]),
    ];
    let answer = http::client(None).post(&secret["tokenurl"]).form(&form).send().await?;
    let status = answer.status();
    if !status.is_success() {
        return Ok(Err(status.as_u16()));
    }
    let body: serde_json::Value = answer.json().await?;
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let roles = text("scope").split_whitespace().map(str::to_owned).collect();
    Ok(Ok(Token { value: text("access_token"), roles }))
}

async fn sent(secret: &BTreeMap<String, String>, token: &Token) -> reqwest::Result<u16> {
    let url = format!("{}/http/orders", secret["url"]);
    let request = http::client(None).post(url).bearer_auth(&token.value).json(&serde_json::json!({ "order": 1 }));
    Ok(request.send().await?.status().as_u16())
}

/// The status with which a DELETE is answered.
pub(crate) fn delete(url: &str, token: &Token) -> u16 {
    runtime().block_on(async {
        http::client(None).delete(url).bearer_auth(&token.value).send().await.expect("an answer").status().as_u16()
    })
}
