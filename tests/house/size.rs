//! How large things may grow. Functions are held by clippy; files and their first lines are held here.

use super::sources::below;

const LINES: usize = 400;

#[test]
fn files_stay_small_and_say_what_they_are_for() {
    for (path, text) in ["src", "tests", "benches"].iter().flat_map(|folder| below(folder)) {
        let lines = text.lines().count();
        assert!(lines <= LINES, "{} has {lines} lines; which noun in it deserves a file of its own?", path.display());
        assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
    }
}

#[test]
fn nothing_is_switched_off() {
    for (path, text) in ["src", "tests/simulator"].iter().flat_map(|folder| below(folder)) {
        // Tests that are left out, code that is not written, lints that are silenced: none of them is in what ships.
        let attributes = ["ignore", "allow"].into_iter().flat_map(|name| [format!("#[{name}"), format!("#![{name}")]);
        let macros = ["todo", "unimplemented"].into_iter().map(|name| format!("{name}!("));
        for word in attributes.chain(macros) {
            assert!(!text.contains(&word), "{} has {word}", path.display());
        }
    }
}
