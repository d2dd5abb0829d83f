//! kubectl and helm against one API server: the tools a user has, so a story does what a user does.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Process;

/// The two tools with their kubeconfig.
#[derive(Clone)]
pub(crate) struct Kubectl {
    assets: PathBuf,
    kubeconfig: PathBuf,
    server: Option<String>,
    /// On whose behalf, if it is not the owner of the kubeconfig.
    user: Option<String>,
}

impl Kubectl {
    pub(crate) fn new(assets: &Path, kubeconfig: &Path) -> Self {
        Self { assets: assets.to_owned(), kubeconfig: kubeconfig.to_owned(), server: None, user: None }
    }

    /// The same tools with another kubeconfig: as somebody else, or another way.
    pub(crate) fn with_kubeconfig(&self, kubeconfig: &Path) -> Self {
        Self::new(&self.assets, kubeconfig)
    }

    /// The same kubectl on its way through a proxy.
    pub(crate) fn through(&self, server: &str) -> Self {
        Self { server: Some(server.to_owned()), ..self.clone() }
    }

    /// The same tools in the hands of this user, whom the administrator impersonates.
    pub(crate) fn acting_as(&self, user: &str) -> Self {
        Self { user: Some(user.to_owned()), ..self.clone() }
    }

    /// Starts a kubectl that goes on until it is dropped, such as a watch.
    pub(crate) fn start(&self, name: &str, arguments: &[&str]) -> Process {
        Process::start(name, self.command("kubectl", arguments))
    }

    /// Runs kubectl: its output, or what it complained of.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String, String> {
        self.tool("kubectl", arguments, "")
    }

    /// Runs kubectl where a failure is a failure of the test.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.run(arguments).unwrap_or_else(|error| panic!("kubectl {}: {error}", arguments.join(" ")))
    }

    /// Runs helm: its output, or what it complained of.
    pub(crate) fn helm(&self, arguments: &[&str]) -> Result<String, String> {
        self.tool("helm", arguments, "")
    }

    /// `kubectl apply` of manifests: what it did, or why the API server refused.
    pub(crate) fn apply(&self, manifests: &str) -> Result<String, String> {
        self.tool("kubectl", &["apply", "-f", "-"], manifests)
    }

    /// Runs a kubectl that reads manifests from its standard input.
    pub(crate) fn with_input(&self, arguments: &[&str], manifests: &str) -> Result<String, String> {
        self.tool("kubectl", arguments, manifests)
    }

    /// Runs `kubectl edit`, with a command as the editor.
    pub(crate) fn edit(&self, arguments: &[&str], editor: &str) -> Result<String, String> {
        let mut command = self.command("kubectl", arguments);
        command.env("KUBE_EDITOR", editor);
        finished(command, "")
    }

    /// One object, or `None` when there is no such object. `what` is `kind/name`.
    pub(crate) fn get(&self, namespace: &str, what: &str) -> Option<Value> {
        let answer = self.ok(&["get", what, "--namespace", namespace, "--ignore-not-found", "--output", "json"]);
        (!answer.trim().is_empty()).then(|| serde_json::from_str(&answer).expect("JSON of kubectl"))
    }

    /// All objects of a kind in a namespace.
    pub(crate) fn list(&self, namespace: &str, kind: &str) -> Vec<Value> {
        let answer = self.ok(&["get", kind, "--namespace", namespace, "--output", "json"]);
        let mut list: Value = serde_json::from_str(&answer).expect("JSON of kubectl");
        serde_json::from_value(list["items"].take()).expect("a list of kubectl")
    }

    /// `kubectl wait`; `condition` is what follows `--for=`, such as `condition=Ready` or `delete`.
    pub(crate) fn wait(&self, namespace: &str, what: &str, condition: &str, seconds: u32) -> Result<String, String> {
        let (condition, timeout) = (format!("--for={condition}"), format!("--timeout={seconds}s"));
        self.run(&["wait", what, "--namespace", namespace, &condition, &timeout])
    }

    /// A token of a `ServiceAccount`, from the `TokenRequest` API.
    pub(crate) fn token(&self, namespace: &str, service_account: &str) -> String {
        self.ok(&["create", "token", service_account, "--namespace", namespace, "--duration", "2h"]).trim().to_owned()
    }

    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.assets.join(name));
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig);
        if let Some(server) = &self.server {
            command.args(["--server", server]);
        }
        if let Some(user) = &self.user {
            command.args([if name == "helm" { "--kube-as-user" } else { "--as" }, user]);
        }
        command
    }

    fn tool(&self, name: &str, arguments: &[&str], input: &str) -> Result<String, String> {
        finished(self.command(name, arguments), input)
    }
}

/// Runs a tool to its end: its output, or what it complained of.
fn finished(mut command: Command, input: &str) -> Result<String, String> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start a tool");
    // A tool that refuses its arguments ends without reading; its complaint says more than the broken pipe.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("wait for a tool");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
