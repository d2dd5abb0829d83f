//! The token against forged requests that Cloud Integration asks of whoever changes something: fetched with a read, good for the
//! session whose cookies came with it, and shown again with them (SAP: "CSRF Token Handling").

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Answer;
use crate::platform::session::{Call, Session};

const FETCH: &str = "fetch CSRF token";
const HEADER: &str = "x-csrf-token";

/// Sends changes with the token of a session that it keeps.
pub struct Guarded {
    session: Session,
    known: Mutex<Option<Shown>>,
}

/// What a change shows.
#[derive(Clone)]
struct Shown {
    token: SecretString,
    cookies: SecretString,
}

impl Guarded {
    /// Without a token yet.
    pub fn new(session: Session) -> Self {
        Self { session, known: Mutex::default() }
    }

    /// Sends a change, which accepts 403 as an answer. A token that is refused is replaced once: such a request was not
    /// carried out.
    pub async fn send(&self, operation: &'static str, change: impl Fn() -> Call) -> Result<Answer> {
        let shown = self.shown(None).await?;
        let answer = with(change(), &shown).send().await?;
        if !is_refused(&answer) {
            return self.permitted(answer, operation);
        }
        let shown = self.shown(Some(&shown)).await?;
        self.permitted(with(change(), &shown).send().await?, operation)
    }

    /// What is known, or what is fetched: where nothing is known, or no more than what was refused.
    async fn shown(&self, refused: Option<&Shown>) -> Result<Shown> {
        let mut known = self.known.lock().await;
        let is_refused = |one: &Shown| refused.is_some_and(|refused| refused.is(one));
        if let Some(shown) = known.as_ref().filter(|one| !is_refused(one)) {
            return Ok(shown.clone());
        }
        let fetched = self.fetch().await?;
        Ok(known.insert(fetched).clone())
    }

    /// A 403 that is not about the token is one about rights.
    fn permitted(&self, answer: Answer, operation: &'static str) -> Result<Answer> {
        if answer.status() != 403 {
            return Ok(answer);
        }
        self.session.forbidden().refused(operation);
        let roles = "it needs NodeManager.deploysecuritycontent, NodeManager.read and IntegrationOperationServer.read";
        Err(Error::new(Kind::Forbidden, operation).detail(format!("status 403; {roles}")))
    }

    async fn fetch(&self) -> Result<Shown> {
        let call = self.session.get(FETCH, &["api", "v1"]).as_folder().header(HEADER, "Fetch");
        let answer = call.send().await?;
        let token = answer.header(HEADER).filter(|token| !token.is_empty());
        let missing = || Error::new(Kind::UnexpectedAnswer, FETCH).detail("the answer has no token");
        let token = token.ok_or_else(missing)?.into();
        Ok(Shown { token, cookies: answer.cookies().into() })
    }
}

impl Shown {
    fn is(&self, other: &Self) -> bool {
        self.token.expose_secret() == other.token.expose_secret()
            && self.cookies.expose_secret() == other.cookies.expose_secret()
    }
}

fn with(call: Call, shown: &Shown) -> Call {
    let call = call.header(HEADER, shown.token.expose_secret());
    let cookies = shown.cookies.expose_secret();
    if cookies.is_empty() { call } else { call.header("cookie", cookies) }
}

fn is_refused(answer: &Answer) -> bool {
    answer.status() == 403 && answer.header(HEADER).is_some_and(|value| value.eq_ignore_ascii_case("required"))
}
