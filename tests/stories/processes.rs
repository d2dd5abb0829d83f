//! What the stories take for granted of the processes they start.

use std::process::Command;
use std::time::Duration;

use crate::harness::{Process, eventually};

const PATIENCE: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Process {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Process::start("a shell", command)
}

fn is_alive(pid: u32) -> bool {
    Command::new("kill").args(["-0", &pid.to_string()]).output().expect("kill").status.success()
}

#[test]
fn lines_of_both_streams_are_read_and_a_polite_end_is_waited_for() {
    let mut process = shell("trap 'echo bye; exit 3' TERM; echo ready >&2; while :; do sleep 0.1; done");
    assert_eq!(process.wait_for_line("ready", PATIENCE), "ready");

    assert_eq!(process.stop(PATIENCE).code(), Some(3));

    process.wait_for_line("bye", PATIENCE);
    assert_eq!(process.log(), "ready\nbye");
}

#[test]
fn a_process_ends_with_its_owner_or_at_a_killers_hand() {
    let process = shell("exec sleep 1000");
    let pid = process.id();
    drop(process);
    assert!(!is_alive(pid));

    let process = shell("exec sleep 1000");
    process.killer().kill();
    assert!(!is_alive(process.id()));
}

#[test]
fn a_process_does_not_outlive_a_test_run_that_aborts() {
    let mut run = Command::new(std::env::current_exe().expect("this test's own binary"));
    run.args(["--ignored", "--nocapture", "--exact", "processes::abort_with_a_child"]);
    let run = Process::start("a test run", run);
    let line = run.wait_for_line("left behind: ", PATIENCE);
    let pid = line.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("a process id");

    assert!(!run.wait(PATIENCE).success());

    eventually("the child is killed", PATIENCE, || (!is_alive(pid)).then_some(()));
}

#[test]
#[ignore = "aborts: it is the test run of the story above"]
fn abort_with_a_child() {
    let child = shell("exec sleep 1000");
    println!("\nleft behind: {}", child.id());
    std::process::abort();
}
