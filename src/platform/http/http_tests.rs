//! Exchanges with servers of a few lines, which say exactly these bytes.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::platform::pause::pause;

/// A server that gives each connection to this, one after the other. Returns its address.
async fn serving<F: Future<Output = ()> + Send>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            serve(stream).await;
        }
    });
    address
}

/// A server that answers every request with this text.
pub(super) async fn answering(text: &'static str) -> String {
    serving(move |mut stream| async move {
        read_until(&mut stream, b"\r\n\r\n").await;
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", text.len());
        let _ = stream.write_all(format!("{head}{text}").as_bytes()).await;
    })
    .await
}

async fn read_until(stream: &mut TcpStream, end: &[u8]) {
    let (mut seen, mut part) = (Vec::new(), [0; 4096]);
    while !seen.windows(end.len()).any(|window| window == end) {
        match stream.read(&mut part).await {
            Ok(length @ 1..) => seen.extend_from_slice(&part[..length]),
            _ => return,
        }
    }
}

fn get(url: &str) -> Request {
    let url = Url::parse(url).unwrap();
    Request { method: Method::GET, url, headers: HeaderMap::new(), body: Body::Empty }
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn frame(kind: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, 0, 0, 0, 0, stream], payload].concat()
}

/// How a request ends that a server of HTTP/2 answers with these bytes.
async fn ended(answer: Vec<u8>) -> Lost {
    let url = serving(move |mut stream| {
        let answer = [frame(4, 0, &[]), answer.clone()].concat();
        async move {
            // The request's header frame is the first of kind 1 on stream 1.
            read_until(&mut stream, &[1, 5, 0, 0, 0, 1]).await;
            let _ = stream.write_all(&answer).await;
            pause(Duration::from_millis(100)).await;
        }
    })
    .await;
    let client = settings().http2_prior_knowledge().build().unwrap();
    Http { client }.exchange(get(&url), Authorization::None).await.err().unwrap()
}

#[tokio::test]
async fn a_request_that_the_server_has_not_begun_with_was_never_sent() {
    let refused_stream = frame(3, 1, &[0, 0, 0, 7]);
    let gone_away_before = frame(7, 0, &[0, 0, 0, 0, 0, 0, 0, 0]);
    for answer in [refused_stream, gone_away_before] {
        let lost = ended(answer.clone()).await;
        assert!(matches!(lost, Lost::NeverSent(_)), "{answer:?}: {lost:?}");
    }
}

#[tokio::test]
async fn a_request_that_the_server_may_have_begun_with_is_unanswered() {
    let gone_away_after = frame(7, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    let internal_error = frame(3, 1, &[0, 0, 0, 2]);
    for answer in [gone_away_after, internal_error, vec![]] {
        let lost = ended(answer.clone()).await;
        assert!(matches!(lost, Lost::Unanswered(_)), "{answer:?}: {lost:?}");
    }
}

#[tokio::test]
async fn large_answers_wait_for_room_and_small_ones_do_not() {
    let small = answering("small").await;
    let large = answering(Box::leak("x".repeat(SMALL_BODY + 1).into_boxed_str())).await;
    let http = Http { client: settings().build().unwrap() };
    let taken = LARGE_BODIES.acquire_many(4).await.unwrap();
    let exchange = http.exchange(get(&large), Authorization::None);
    tokio::pin!(exchange);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut exchange).await;
    assert!(early.is_err(), "there is no room");
    assert_eq!(http.exchange(get(&small), Authorization::None).await.unwrap().body(), b"small");
    drop(taken);
    let answer = exchange.await.unwrap();
    assert_eq!((answer.body().len(), LARGE_BODIES.available_permits()), (SMALL_BODY + 1, 3));
    drop(answer);
    assert_eq!(LARGE_BODIES.available_permits(), 4, "the room is free when the answer is gone");
}
