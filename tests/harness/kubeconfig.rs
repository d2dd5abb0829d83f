//! A kubeconfig file with one bearer token, for clients that are not the administrator or that go through a proxy.

use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use tempfile::NamedTempFile;

/// The file; removed when dropped, so it must live as long as who reads it.
pub(crate) struct Kubeconfig(NamedTempFile);

impl Kubeconfig {
    /// Without a CA file `server` is to be an `http://` URL, a proxy's.
    pub(crate) fn new(server: &str, ca_file: Option<&Path>, token: &str) -> Self {
        let mut cluster = json!({ "server": server });
        if let Some(ca_file) = ca_file {
            cluster["certificate-authority"] = json!(ca_file);
        }
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{ "name": "test", "cluster": cluster }],
            "users": [{ "name": "test", "user": { "token": token } }],
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        });
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(config.to_string().as_bytes()).expect("write the kubeconfig");
        Self(file)
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}
