//! Kills the children of a test process that ends without running its destructors: by SIGKILL, by an abort, by the
//! `exit` at the end of a test run that no static survives.
//!
//! A shell is told every child's process id and waits for the end of its standard input, which the kernel closes for us.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Keeps the set of living children; at the end of its input, ends what is left: politely first, for the control plane has
/// files to remove. Ctrl-C reaches the test process, whose end is then seen like any other.
const SCRIPT: &str = r#"
trap '' INT HUP TERM
living=' '
while read -r change pid; do
    case $change in
    started) living="$living$pid " ;;
    ended)
        # A process that is not there is not taken out: both halves would be the whole, and the list would double.
        case $living in *" $pid "*) living="${living%% $pid *} ${living#* $pid }" ;; esac
        ;;
    esac
done
for pid in $living; do kill -TERM "$pid"; done
[ "$living" = ' ' ] || sleep 5
for pid in $living; do kill -KILL "$pid"; done
"#;

static WATCHDOG: LazyLock<Mutex<Child>> = LazyLock::new(|| {
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    Mutex::new(shell.spawn().expect("a shell that watches over the children"))
});

/// The process is to die with us.
pub(crate) fn started(pid: u32) {
    tell("started", pid);
}

/// The process has been waited for: its id may soon be another's, which must not be killed.
pub(crate) fn ended(pid: u32) {
    tell("ended", pid);
}

fn tell(change: &str, pid: u32) {
    let mut watchdog = WATCHDOG.lock().unwrap_or_else(PoisonError::into_inner);
    let input = watchdog.stdin.as_mut().expect("the watchdog's input");
    writeln!(input, "{change} {pid}").expect("the watchdog listens");
}
