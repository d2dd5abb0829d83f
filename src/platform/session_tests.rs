//! What a session does with answers, at a stand-in for a platform.

use super::super::accounts::Accounts;
use super::super::budget::{CallObserver, Limit, Limits, Unobserved};
use super::super::stand_in::{Answering, StandIn};
use super::*;

const WELL: Answering = Answering::Well;
const UNAUTHORIZED: Answering = Answering::With(401, "");
const BROKEN: Answering = Answering::With(500, "");
const BROKER: Answering = Answering::With(502, r#"{"error":"BrokerError","description":"Status: 500; hunter2"}"#);

fn session(platform: &StandIn, secret: &str) -> Session {
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    let account = Accounts::default().of(platform.client(secret), &observer).unwrap();
    let budget = account.budget("test", platform.url().as_str(), &Limits::one(Limit::Unknown));
    Session::new(platform.url(), account, budget, &crate::platform::service_manager::dialect::DIALECT)
}

async fn get(session: &Session) -> Result<()> {
    session.get("read", &["x"]).send().await.map(drop)
}

/// The same without another try.
async fn get_once(session: &Session) -> Result<()> {
    let mut call = session.get("read", &["x"]);
    let request = std::mem::replace(&mut call.request, Err(Error::new(Kind::Invalid, "read")))?;
    call.attempt(&request, Instant::now() + CALL_TIMEOUT).await.map(drop).map_err(|failed| failed.error)
}

async fn order(session: &Session, lane: Lane) -> Result<()> {
    session.post("order", &["x"]).lane(lane).json(&serde_json::json!({})).send().await.map(drop)
}

#[tokio::test]
async fn an_api_that_refuses_fresh_tokens_pauses_and_is_found_again() {
    let platform = StandIn::start().await;
    let session = session(&platform, "a");
    platform.api(UNAUTHORIZED);
    let error = get_once(&session).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "the token service has just accepted the credential: {error}");
    assert!(error.wait().is_some_and(|wait| wait > Duration::ZERO), "{error:?}");
    let refused = futures::future::join_all((0..20).map(|_| get_once(&session))).await;
    assert!(refused.iter().all(|one| one.as_ref().is_err_and(|error| error.kind() == Kind::Unavailable)));
    assert_eq!((platform.calls(), platform.log_ons()), (1, 1), "it is left alone");
    pause(error.wait().unwrap()).await;
    let again = get_once(&session).await.unwrap_err();
    assert!(again.wait() > error.wait(), "longer and longer");
    assert_eq!((platform.calls(), platform.log_ons()), (2, 1), "nobody logs on for nothing");
    platform.api(WELL);
    pause(again.wait().unwrap()).await;
    get_once(&session).await.unwrap();
    get_once(&session).await.unwrap();
}

#[tokio::test]
async fn an_old_token_that_is_refused_is_replaced_at_once() {
    let platform = StandIn::start().await;
    let session = session(&platform, "a");
    session.shared.account.token_source().hold("old", Duration::from_mins(2));
    platform.refuses("old");
    get_once(&session).await.unwrap();
    assert_eq!((platform.calls(), platform.log_ons()), (2, 1));
    assert_eq!(session.shared.budget.refused_for(), None, "that says nothing of the platform");
}

#[tokio::test]
async fn an_api_that_knows_a_token_only_after_a_moment_is_no_error() {
    let platform = StandIn::start().await;
    let session = session(&platform, "a");
    platform.api(UNAUTHORIZED);
    let (answer, ()) = tokio::join!(order(&session, Lane::Instances), async {
        pause(Duration::from_millis(600)).await;
        platform.api(WELL);
    });
    answer.unwrap();
}

#[tokio::test]
async fn a_401_of_one_credential_stops_no_other() {
    let platform = StandIn::start().await;
    let (one, other) = (session(&platform, "a"), session(&platform, "b"));
    platform.api(UNAUTHORIZED);
    get_once(&one).await.unwrap_err();
    platform.api(WELL);
    get(&other).await.unwrap();
}

#[tokio::test]
async fn a_throttled_lane_leaves_the_others() {
    let platform = StandIn::start().await;
    let session = session(&platform, "a");
    platform.api(Answering::With(429, ""));
    assert_eq!(order(&session, Lane::Instances).await.unwrap_err().kind(), Kind::Throttled);
    platform.api(WELL);
    let asked = Instant::now();
    session.get("heal", &["x"]).lane(Lane::Bindings).urgency(Urgency::First).send().await.unwrap();
    get(&session).await.unwrap();
    assert!(asked.elapsed() < Duration::from_millis(300), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_brokers_refusal_is_neither_in_doubt_nor_a_reason_to_stop() {
    let platform = StandIn::start().await;
    let session = session(&platform, "a");
    platform.api(BROKER);
    for _ in 0..10 {
        let error = order(&session, Lane::Instances).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains("hunter2")), (Kind::Unavailable, false));
    }
    assert_eq!(platform.calls(), 10, "none was stopped, and none repeated");
    platform.api(BROKEN);
    assert_eq!(order(&session, Lane::Instances).await.unwrap_err().kind(), Kind::OutcomeUnknown);
}

#[tokio::test]
async fn a_burst_of_failures_stops_nobody() {
    let platform = StandIn::start().await;
    let session = session(&platform, "a");
    platform.api(BROKEN);
    let orders = futures::future::join_all((0..30).map(|_| order(&session, Lane::Rest))).await;
    assert!(orders.iter().all(Result::is_err));
    platform.api(WELL);
    order(&session, Lane::Rest).await.unwrap();
}

/// A session whose credential is shown with every call.
fn showing(platform: &StandIn) -> Session {
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    let shown = crate::platform::shown::Shown::Basic("admin".into(), "hunter2".into());
    let account = Accounts::default().of(shown, &observer).unwrap();
    let budget = account.budget("test", platform.url().as_str(), &Limits::one(Limit::Unknown));
    let dialect = &crate::platform::http::dialect::PLAIN;
    Session::new(platform.url(), account, budget, dialect).probed_at(Some(Probe { path: &["probe"], query: &[] }))
}

#[tokio::test]
async fn a_credential_that_is_shown_is_tried_twice_by_whoever_comes_first_and_never_again() {
    let platform = StandIn::start().await;
    let session = showing(&platform);
    platform.api(UNAUTHORIZED);
    let all = futures::future::join_all((0..20).map(|_| get(&session))).await;
    assert!(all.iter().all(|one| one.as_ref().is_err_and(|error| error.kind() == Kind::CredentialsRefused)));
    assert_eq!(session.log_on().await.unwrap_err().kind(), Kind::CredentialsRefused);
    assert_eq!(platform.calls(), 2, "the third could lock the account");
}

#[tokio::test]
async fn a_credential_that_is_shown_is_good_once_it_was_taken() {
    let platform = StandIn::start().await;
    let session = showing(&platform);
    assert_eq!(session.log_on().await.unwrap(), None);
    platform.api(Answering::Slowly(Duration::from_millis(300)));
    let began = Instant::now();
    let all = futures::future::join_all((0..5).map(|_| get(&session))).await;
    assert!(all.iter().all(Result::is_ok) && began.elapsed() < Duration::from_secs(1), "side by side");
}
