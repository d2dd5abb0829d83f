//! A plain-HTTP proxy before the API server or the simulator. It counts, and it can lose a request or its answer at an
//! exact place: that is how a story kills the operator after each of its effects in turn.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::task;

use super::{Call, ControlPlane, http, runtime};

/// No request of the operator is larger; one that is should be seen.
const LARGEST_REQUEST: usize = 16 << 20;

/// Headers that belong to one connection (RFC 9110, 7.6.1) or follow from the new one.
const PER_CONNECTION: [HeaderName; 6] =
    [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::TE, header::UPGRADE];

/// Where in a request's life a trap springs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before it is passed on: the effect never happens.
    Before,
    /// After the other side has answered: the effect has happened, the answer is lost.
    After,
}

struct Trap {
    calls_left: usize,
    moment: Moment,
    counts: fn(&Call) -> bool,
    spring: Box<dyn FnOnce() + Send>,
}

#[derive(Default)]
struct Record {
    calls: Vec<Call>,
    answers: Vec<(Call, StatusCode)>,
    trap: Option<Trap>,
}

struct Shared {
    upstream: String,
    token: Option<String>,
    client: Client,
    record: Arc<Mutex<Record>>,
}

/// A running proxy; it serves until the test process ends.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Before the API server, for clients that send their own bearer token, as the operator does.
    pub(crate) fn before_api_server(plane: &ControlPlane) -> Self {
        Self::start(plane.server(), Some(plane.ca_file()), None, Arc::default())
    }

    /// Before another server; the two count as one, so that a trap waits for the calls of both. `upstream` is a URL
    /// without a path.
    pub(crate) fn beside(&self, upstream: &str) -> Self {
        Self::start(upstream, None, None, Arc::clone(&self.shared.record))
    }

    /// Before the API server, for kubectl, which sends no token over plain HTTP: who comes without one is the administrator.
    pub(crate) fn for_the_administrator(plane: &ControlPlane) -> Self {
        Self::start(plane.server(), Some(plane.ca_file()), Some(plane.admin_token().to_owned()), Arc::default())
    }

    fn start(upstream: &str, ca_file: Option<&Path>, token: Option<String>, record: Arc<Mutex<Record>>) -> Self {
        let shared = Arc::new(Shared {
            upstream: upstream.trim_end_matches('/').to_owned(),
            token,
            client: http::client(ca_file),
            record,
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("the port that was free");
        runtime().spawn(async move { axum::serve(listener, router).await });
        Self { address, shared }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls it has seen, oldest first, since the last [`Proxy::forget`].
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.record().calls.clone()
    }

    /// How many of them were effects.
    pub(crate) fn effects(&self) -> usize {
        self.shared.record().calls.iter().filter(|call| call.is_effect()).count()
    }

    /// The calls that were answered, each with its status.
    pub(crate) fn answers(&self) -> Vec<(Call, StatusCode)> {
        self.shared.record().answers.clone()
    }

    /// Counts from nothing again.
    pub(crate) fn forget(&self) {
        self.shared.record().calls.clear();
    }

    /// Runs `spring` at the `nth` (from 1) call from now on that `counts`; that call is never answered. One trap at a time.
    pub(crate) fn trap(
        &self,
        nth: usize,
        moment: Moment,
        counts: fn(&Call) -> bool,
        spring: impl FnOnce() + Send + 'static,
    ) {
        self.shared.record().trap = Some(Trap { calls_left: nth, moment, counts, spring: Box::new(spring) });
    }

    /// Takes the trap away; says whether it was still waiting.
    pub(crate) fn disarm(&self) -> bool {
        self.shared.record().trap.take().is_some()
    }
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call and hands out the trap if this is the one it waits for.
    fn note(&self, call: &Call) -> Option<Trap> {
        let mut record = self.record();
        record.calls.push(call.clone());
        let trap = record.trap.as_mut().filter(|trap| (trap.counts)(call))?;
        trap.calls_left -= 1;
        if trap.calls_left == 0 { record.trap.take() } else { None }
    }

    /// Sends a request on. Its body is read first (strict servers want a length); the answer's is passed on as it comes,
    /// for a watch never ends.
    async fn forward(&self, request: Request) -> Result<reqwest::Response, StatusCode> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LARGEST_REQUEST).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = format!("{}{path}", self.upstream);
        let mut request = self.client.request(parts.method, url).body(body);
        if let Some(token) = self.token.as_ref().filter(|_| !parts.headers.contains_key(header::AUTHORIZATION)) {
            request = request.bearer_auth(token);
        }
        request.headers(without_connection(parts.headers)).send().await.map_err(|_| StatusCode::BAD_GATEWAY)
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let uri = request.uri();
    let query = uri.query().unwrap_or_default().to_owned();
    let call = Call { method: request.method().clone(), path: uri.path().to_owned(), query };
    let Some(trap) = shared.note(&call) else {
        let response = shared.forward(request).await.map_or_else(refused, streamed);
        shared.record().answers.push((call, response.status()));
        return response;
    };
    if trap.moment == Moment::After
        && let Ok(answer) = shared.forward(request).await
    {
        // Read to its end: only then is the effect certain to have happened.
        let _ = answer.bytes().await;
    }
    // It may block, as killing a process does.
    let sprung = task::spawn_blocking(trap.spring).await;
    sprung.expect("a trap that springs without a panic");
    std::future::pending().await
}

fn streamed(answer: reqwest::Response) -> Response<Body> {
    let (status, headers) = (answer.status(), without_connection(answer.headers().clone()));
    let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn refused(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn without_connection(mut headers: HeaderMap) -> HeaderMap {
    for name in PER_CONNECTION {
        headers.remove(name);
    }
    headers
}
