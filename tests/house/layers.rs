//! Layers only look down: `api` ← `plan` ← `platform` and `controller`; the simulator stands apart.

use super::sources::{below, without_tests};

/// What the files of a folder must not name, and why.
const FORBIDDEN: [(&str, &[&str], &str); 5] = [
    (
        "src/api",
        &["crate::plan", "crate::platform", "crate::controller", "crate::metrics", "async fn", "reqwest"],
        "the contract is types only",
    ),
    (
        "src/plan",
        &[
            "crate::platform",
            "crate::controller",
            "crate::metrics",
            "kube::",
            "reqwest",
            "async fn",
            "tokio",
            ".await",
            "::now()",
            "rand::",
        ],
        "the plan is pure: no effects, no clock, no chance",
    ),
    ("src/platform", &["crate::controller", "crate::metrics", "kube::"], "drivers do not know Kubernetes"),
    (
        "src/controller",
        &[
            "reqwest",
            "crate::platform::xsuaa",
            "crate::platform::neo",
            "crate::platform::uaa",
            "crate::platform::scim",
            "crate::platform::service_manager",
            "crate::platform::cloud_foundry",
            "crate::platform::broker",
        ],
        "controllers know drivers by their capabilities only",
    ),
    (
        "tests/simulator/src",
        &["technical_user_operator", "crate::api::"],
        "the simulator follows the platform, not the operator",
    ),
];

/// Whether a line has this word, and not only at the end of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let begins = |at: usize| !line[..at].ends_with(|last: char| last.is_alphanumeric() || last == '_');
    let is_name = word.starts_with(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| !is_name || begins(at))
}

#[test]
fn layers_only_look_down() {
    let mut broken = vec![];
    for (folder, words, why) in FORBIDDEN {
        for (path, text) in below(folder) {
            let code = without_tests(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
            for (line, word) in code.flat_map(|line| words.iter().map(move |word| (line, word))) {
                if has_word(line, word) && !line.contains("k8s_openapi") {
                    broken.push(format!("{}: `{}` ({why})", path.display(), line.trim()));
                }
            }
        }
    }
    // The derives of the contract are kube's.
    broken.retain(|line| !line.starts_with("src/api") || !line.contains("use kube"));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The lists in which every environment has a line. Nobody else asks which one it is.
const LISTS: [&str; 3] = ["src/api/environment/mod.rs", "src/plan/environment/mod.rs", "src/platform/connect.rs"];

#[test]
fn nobody_asks_which_environment_it_is_but_the_lists() {
    let of_environments = ["Btp", "Neo", "Uaa", "CloudFoundry", "Scim"].map(|name| format!("Environment::{name}("));
    let mut seen = 0;
    for (path, text) in below("src").into_iter().filter(|(path, _)| !path.to_string_lossy().ends_with("_tests.rs")) {
        let asks = without_tests(&text).lines().find(|line| of_environments.iter().any(|one| line.contains(one)));
        let is_list = LISTS.iter().any(|list| path.ends_with(list));
        seen += usize::from(is_list && asks.is_some());
        assert!(is_list || asks.is_none(), "{} asks: `{}`", path.display(), asks.unwrap_or_default().trim());
    }
    // The third matches by `Self`.
    assert_eq!(seen, LISTS.len() - 1, "the lists are elsewhere now");
}

#[test]
fn one_place_waits() {
    for (path, text) in
        ["src/api", "src/plan", "src/platform", "src/controller"].iter().flat_map(|folder| below(folder))
    {
        let in_tests = path.components().any(|part| part.as_os_str() == "tests");
        let waits = without_tests(&text).contains("sleep(");
        assert!(
            !waits || in_tests || path.ends_with("platform/pause.rs"),
            "{} waits; use platform::pause",
            path.display()
        );
    }
}

#[test]
fn secrets_are_written_in_one_place() {
    for (path, text) in below("src/controller") {
        let writes = without_tests(&text).contains("Api<Secret>");
        let may = ["src/controller/secret/mod.rs", "src/controller/platform/secrets.rs"]
            .iter()
            .any(|one| path.ends_with(one));
        assert!(!writes || may, "{} reaches for Secrets", path.display());
    }
}
