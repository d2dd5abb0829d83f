//! A look into etcd itself, past the API server: what is really written down, encodings and old managed fields included.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::runtime;

/// One entry of the store.
pub(crate) struct Stored {
    /// Such as `/registry/secrets/orders/orders-credentials`.
    pub(crate) key: String,
    /// The object: JSON for custom resources, protobuf for the built-in ones.
    pub(crate) value: Vec<u8>,
}

#[derive(Deserialize)]
struct Range {
    kvs: Vec<KeyValue>,
}

#[derive(Deserialize)]
struct KeyValue {
    key: String,
    value: String,
}

/// All entries, over etcd's JSON gateway.
pub(crate) fn everything(socket: &Path) -> Vec<Stored> {
    // From the zero byte to the zero byte means every key (etcd API guarantees, "Range").
    let zero = BASE64_STANDARD.encode([0]);
    let range: Range = runtime().block_on(async {
        let client = reqwest::Client::builder().unix_socket(socket).build().expect("a client of etcd");
        let request = client.post("http://etcd/v3/kv/range").json(&json!({ "key": zero, "range_end": zero }));
        let answer = request.send().await.expect("an answer of etcd");
        answer.json().await.expect("entries of etcd")
    });
    let decode = |text: &str| BASE64_STANDARD.decode(text).expect("base64 of etcd");
    let stored = |entry: KeyValue| Stored {
        key: String::from_utf8_lossy(&decode(&entry.key)).into_owned(),
        value: decode(&entry.value),
    };
    range.kvs.into_iter().map(stored).collect()
}

impl Stored {
    /// Whether the bytes of `text` are anywhere in the value.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.value.windows(text.len()).any(|window| window == text.as_bytes())
    }
}
