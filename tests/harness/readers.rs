//! SAP's own libraries, reading a Secret from a volume as a workload would.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// What `build.sh` ends with where this machine has no tool for it.
const UNAVAILABLE: i32 = 69;

/// The libraries, installed.
pub(crate) struct Readers {
    home: PathBuf,
}

impl Readers {
    /// Installs them the first time; `None`, and a word about it, where Node.js or Java is missing.
    pub(crate) fn installed() -> Option<Self> {
        let built = Command::new(sources().join("build.sh")).output().expect("build.sh runs");
        if built.status.code() == Some(UNAVAILABLE) {
            println!("skipped: {}", String::from_utf8_lossy(&built.stderr));
            return None;
        }
        Some(Self { home: PathBuf::from(printed(&built)) })
    }

    /// What each library finds below `root`. Where a client of a UAA is read, `@sap/xssec` fetches a token with it.
    pub(crate) fn read(&self, layout: &str, root: &Path, label: &str, is_client: bool) -> BTreeMap<String, Value> {
        let arguments = [layout.as_ref(), root.as_os_str(), label.as_ref()];
        let mut node = Command::new("node");
        node.env("NODE_PATH", self.home.join("node_modules")).env_remove("VCAP_SERVICES");
        node.arg(sources().join("read.js")).args(arguments).args(is_client.then_some("token"));
        let mut java = Command::new("java");
        java.arg("-cp").arg(self.home.join("java/*")).arg(sources().join("Reader.java")).args(arguments);
        [node, java].into_iter().flat_map(report).collect()
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers")
}

/// Libraries log to the same place: the report is the last line.
fn report(mut command: Command) -> BTreeMap<String, Value> {
    let output = command.output().expect("the reader runs");
    let text = printed(&output);
    serde_json::from_str(text.lines().last().unwrap_or_default()).expect("a report")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text").trim().to_owned()
}

/// Lays a Secret out as the kubelet does: files in a hidden folder, links to them through `..data`.
pub(crate) fn mount(folder: &Path, secret: &BTreeMap<String, String>) {
    let version = "..2026_11_30_12_00_00.1";
    fs::create_dir_all(folder.join(version)).expect("a folder");
    symlink(version, folder.join("..data")).expect("a link");
    for (key, value) in secret {
        fs::write(folder.join(version).join(key), value).expect("a file");
        symlink(Path::new("..data").join(key), folder.join(key)).expect("a link");
    }
}
