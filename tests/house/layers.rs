//! Layers only look down: `api` ← `plan` ← `platform` and `controller`; the simulator stands apart.

use std::collections::BTreeSet;
use std::path::Path;

use technical_user_operator::plan::environment::TABLES;

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
    ("src/controller", &["reqwest"], "a driver asks; its module is none that a controller could name"),
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
const LISTS: [&str; 4] =
    ["src/api/environment/mod.rs", "src/plan/environment/mod.rs", "src/platform/connect.rs", "src/platform/mod.rs"];

/// The name of an environment's type, and of its modules.
fn names(field: &str) -> [String; 2] {
    let mut module = String::new();
    for letter in field.chars() {
        module.extend(letter.is_uppercase().then_some('_'));
        module.extend(letter.to_lowercase());
    }
    [format!("{}{}", field[..1].to_uppercase(), &field[1..]), module]
}

/// Whether a line of code speaks of an environment: by its type, by its modules, or by comparing with its name.
fn speaks_of(line: &str, field: &str) -> bool {
    let without_texts: String = line.split('"').step_by(2).collect();
    let [variant, module] = names(field);
    let words = [variant, format!("mod {module}"), format!("{module}::"), format!("::{module}")];
    let text = format!("\"{field}\"");
    let compared =
        [format!("== {text}"), format!("!= {text}"), format!("{text} =>"), format!("{text} |"), format!("| {text}")];
    words.iter().any(|word| has_name(&without_texts, word)) || compared.iter().any(|asked| line.contains(asked))
}

/// Whether a file is of this environment alone: its type, its rules, its driver.
fn is_own(path: &Path, field: &str) -> bool {
    let [_, module] = names(field);
    let folders = ["src/api/environment", "src/plan/environment", "src/platform"];
    folders.iter().any(|folder| {
        let own = Path::new(folder).join(&module);
        path.starts_with(&own) || path == own.with_extension("rs")
    })
}

#[test]
fn whoever_asks_which_environment_it_is_is_seen() {
    let asks = [
        "matches!(environment, Environment::CloudFoundry(_))",
        "use crate::api::environment::{Btp, CloudFoundry};",
        "use crate::plan::environment::cloud_foundry;",
        "cloud_foundry::TABLE.recall(kind)",
        "if environment.name() == \"cloudFoundry\" {",
        "\"neo\" | \"cloudFoundry\" => true,",
    ];
    asks.iter().for_each(|line| assert!(speaks_of(line, "cloudFoundry"), "{line}"));
    let others = ["let said = \"a CloudFoundry\";", "CloudFoundryOfOthers::new()", "not_cloud_foundry::TABLE"];
    others.iter().for_each(|line| assert!(!speaks_of(line, "cloudFoundry"), "{line}"));
}

#[test]
fn nobody_asks_which_environment_it_is_but_the_lists() {
    let mut asks = vec![];
    for (path, text) in below("src").into_iter().filter(|(path, _)| !is_test(path)) {
        let code = || without_tests(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        for (field, _) in TABLES.iter().filter(|(field, _)| !is_own(&path, field)) {
            let asking = code().filter(|line| speaks_of(line, field));
            asks.extend(asking.map(|line| (path.clone(), format!("{}: `{}`", path.display(), line.trim()))));
        }
    }
    let (listed, others): (Vec<_>, Vec<_>) =
        asks.into_iter().partition(|(path, _)| LISTS.iter().any(|list| path == Path::new(list)));
    let others: Vec<String> = others.into_iter().map(|(_, ask)| ask).collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
    let lists: BTreeSet<_> = listed.into_iter().map(|(path, _)| path).collect();
    assert_eq!(lists.len(), LISTS.len(), "the lists are elsewhere now: {lists:?}");
}

#[test]
fn nobody_asks_how_a_credential_can_be_had_again_but_by_the_questions_of_recall() {
    let mut named = BTreeSet::new();
    for (path, text) in below("src").into_iter().filter(|(path, _)| !is_test(path)) {
        let code = without_tests(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        if code.into_iter().any(|line| line.contains("Recall::")) {
            named.insert(path);
        }
    }
    assert!(!named.is_empty(), "the tables name them");
    let others: Vec<_> = named.iter().filter(|path| !path.starts_with("src/plan/environment")).collect();
    assert!(others.is_empty(), "{others:?}");
}

/// Whether a file of `src` is tests and nothing else.
fn is_test(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.ends_with("tests.rs") || path.contains("/tests/")
}

/// Whether a line has this name as a whole.
fn has_name(line: &str, name: &str) -> bool {
    let is_part = |one: char| one.is_alphanumeric() || one == '_';
    line.match_indices(name).any(|(at, _)| {
        let begins = !name.starts_with(is_part) || !line[..at].ends_with(is_part);
        let ends = !name.ends_with(is_part) || !line[at + name.len()..].starts_with(is_part);
        begins && ends
    })
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
