//! The SCIM directory before a judge that is not ours: the compliance check of `scim2`, which `tests/scim/build.sh`
//! installs. Where Python is missing the test says that it did not run.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::say;
use crate::simulator::Simulator;

/// Exit code of the script where a tool is missing (`sysexits.h`).
const UNAVAILABLE: i32 = 69;

/// The program; nothing where it cannot be had.
fn scim2() -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scim/build.sh");
    let built = Command::new(script).output().expect("bash");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if built.status.code() == Some(UNAVAILABLE) {
        say(&format!("NOT RUN: {}\n", text(&built.stderr)));
        return None;
    }
    assert!(built.status.success(), "{}", text(&built.stderr));
    Some(format!("{}/bin/scim2", text(&built.stdout)))
}

/// What the judge says about the directory as it is switched.
async fn judged(program: &str, simulator: &Simulator) -> Output {
    let key = simulator.control("credentials/scim").await;
    let text = |name: &str| key[name].as_str().expect("a credential").to_owned();
    let mut command = Command::new(program);
    command.args(["--url", &text("url"), "test"]);
    command.env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {}", text("token")));
    tokio::task::spawn_blocking(move || command.output().expect("the compliance check")).await.expect("its end")
}

/// What it said, line by line; fails if something was found.
fn findings(verdict: &Output) -> String {
    let said = String::from_utf8_lossy(&verdict.stdout).into_owned();
    let told = String::from_utf8_lossy(&verdict.stderr);
    assert!(said.contains("SUCCESS object_creation") && !said.contains("ERROR "), "{said}{told}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scim_directory_passes_a_compliance_check() {
    let Some(program) = scim2() else { return };
    let simulator = Simulator::start().await;
    let verdict = judged(&program, &simulator).await;
    let said = findings(&verdict);
    assert!(verdict.status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_cannot_do_it_says_and_the_check_goes_on_without() {
    let Some(program) = scim2() else { return };
    let simulator = Simulator::start().await;
    let less = json!({"scimPatch": "unsupported", "scimEtag": "unsupported", "scimFilter": "refused"});
    simulator.set("settings", &less).await;
    // What is left out counts as a failure in its exit code.
    let said = findings(&judged(&program, &simulator).await);
    let left_out = said.lines().filter(|line| line.starts_with("SKIPPED"));
    assert!(said.contains("PATCH operations not supported"), "{said}");
    assert!(left_out.into_iter().all(|line| line.contains("_attribute")), "{said}");
}
