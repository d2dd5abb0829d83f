//! A child process whose output can be read and which does not outlive its owner.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{patience, watchdog};

/// What is shared between the owner, the threads that read the output, and every [`Killer`].
struct Shared {
    name: String,
    child: Mutex<Child>,
    output: Mutex<Output>,
    grown: Condvar,
}

#[derive(Default)]
struct Output {
    lines: Vec<String>,
    open_streams: u8,
}

/// A running child. Killed when dropped.
pub(crate) struct Process {
    shared: Arc<Shared>,
    stdin: Option<ChildStdin>,
}

/// Kills a child from another thread, such as a proxy's. Outliving the child does no harm.
#[derive(Clone)]
pub(crate) struct Killer(Arc<Shared>);

impl Process {
    /// Starts the command. Both output streams are collected, in the order of their lines.
    pub(crate) fn start(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("start {name} ({command:?}): {error}"));
        watchdog::started(child.id());
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            child: Mutex::new(child),
            output: Mutex::new(Output { lines: Vec::new(), open_streams: 2 }),
            grown: Condvar::new(),
        });
        collect(&shared, stdout.expect("piped"));
        collect(&shared, stderr.expect("piped"));
        Self { shared, stdin }
    }

    /// The first line, past or future, that contains `part`.
    pub(crate) fn wait_for_line(&self, part: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        let mut output = lock(&self.shared.output);
        loop {
            if let Some(line) = output.lines.iter().find(|line| line.contains(part)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let over = left.is_zero() || output.open_streams == 0;
            assert!(!over, "{} never said {part:?}; it said:\n{}", self.shared.name, output.lines.join("\n"));
            output = self.shared.grown.wait_timeout(output, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Everything it has said so far.
    pub(crate) fn log(&self) -> String {
        lock(&self.shared.output).lines.join("\n")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        lock(&self.shared.child).id()
    }

    /// Asks it to end, by SIGTERM, and waits for that.
    pub(crate) fn stop(&mut self, limit: Duration) -> ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().expect("kill");
        assert!(asked.success(), "{} had ended before it was asked to:\n{}", self.shared.name, self.log());
        self.wait(limit)
    }

    /// Closes its standard input, for those that end with it.
    pub(crate) fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Waits for its end.
    pub(crate) fn wait(&self, limit: Duration) -> ExitStatus {
        let what = format!("{} ends", self.shared.name);
        patience::eventually(&what, limit, || self.shared.reap())
    }

    /// Ends it at once, by SIGKILL.
    pub(crate) fn kill(&self) {
        self.shared.kill();
    }

    /// A handle that another thread can kill it with.
    pub(crate) fn killer(&self) -> Killer {
        Killer(Arc::clone(&self.shared))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.shared.kill();
    }
}

impl Killer {
    /// Ends the process at once, by SIGKILL. When this returns it is gone and can have no further effect.
    pub(crate) fn kill(&self) {
        self.0.kill();
    }
}

impl Shared {
    fn kill(&self) {
        let mut child = lock(&self.child);
        if matches!(child.try_wait(), Ok(None)) {
            // It may end by itself in between; then there is nothing left to do.
            let _ = child.kill();
            let _ = child.wait();
        }
        watchdog::ended(child.id());
    }

    fn reap(&self) -> Option<ExitStatus> {
        lock(&self.child).try_wait().expect("the state of a child of ours")
    }
}

/// Reads one stream to its end on a thread of its own; a reader that stopped would block the child.
fn collect(shared: &Arc<Shared>, stream: impl Read + Send + 'static) {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            lock(&shared.output).lines.push(String::from_utf8_lossy(&line).into_owned());
            shared.grown.notify_all();
        }
        lock(&shared.output).open_streams -= 1;
        shared.grown.notify_all();
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
