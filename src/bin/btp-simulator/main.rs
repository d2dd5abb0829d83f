//! A development tool that speaks the APIs of SAP BTP as far as the operator uses them, on the loopback interface.
//!
//! It shares no code with the operator, so that a misreading of a document in one is not repeated in the other.
//! `frame` is what all platforms share; every other module is one platform, mounted below a prefix of its own, or
//! what the parts of the simulated subaccounts share (`subaccount`, `landscape`, `clients`, `certificates`, `admin`).

mod admin;
mod certificates;
mod clients;
mod frame;
mod it_rt;
mod landscape;
mod listeners;
mod neo;
mod sender;
mod service_manager;
mod subaccount;
#[cfg(test)]
mod testing;
mod tokens;
mod uaa;
mod xsuaa;

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use certificates::Authority;
use clap::Parser;
use frame::{Frame, Mounted};
use listeners::TlsListener;
use serde_json::json;
use subaccount::Subaccount;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Simulates SAP BTP for development and tests.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Address of the plain HTTP listener; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address of the TLS listener, which asks for client certificates; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    mtls_listen: SocketAddr,
    /// Milliseconds added to every request.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// File for the certificate that clients of the TLS listener have to trust; by default in the temporary folder.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Settings at start, as JSON: what `PUT /_simulator/settings` takes.
    #[arg(long, value_name = "JSON", value_parser = settings)]
    settings: Option<serde_json::Value>,
    /// Stop when standard input is closed, so that the simulator never outlives the one who started it.
    #[arg(long)]
    exit_with_stdin: bool,
}

/// The value of `--settings`. Spelled out because clap would take the text itself for a JSON string.
fn settings(text: &str) -> Result<serde_json::Value, serde_json::Error> {
    serde_json::from_str(text)
}

/// Every platform of the simulator.
fn mount(frame: &Arc<Frame>, authority: &Arc<Authority>) -> Vec<Mounted> {
    let first = Subaccount::new(frame, authority, &subaccount::OWN);
    let other = Subaccount::new(frame, authority, &subaccount::OTHER);
    vec![
        tokens::mount(&first, &other),
        sender::mount(&first, &other),
        service_manager::mount(&first, &other),
        xsuaa::mount(&first, &other),
        neo::mount(frame),
        uaa::mount(frame),
    ]
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let authority = Arc::new(Authority::new()?);
    let (certificate, key) = authority.for_listener()?;
    let ca_file = CaFile::write(options.ca_file, authority.pem())?;
    let plain = TcpListener::bind(options.listen).await?;
    let tls = TcpListener::bind(options.mtls_listen).await?;
    let (url, mtls_url) = (format!("http://{}", plain.local_addr()?), format!("https://{}", tls.local_addr()?));
    let frame = Frame::new(url, mtls_url, Duration::from_millis(options.latency));
    if let Some(settings) = options.settings {
        frame.settings.start_with(&settings)?;
    }
    let router = frame::assemble(&frame, mount(&frame, &authority));
    let tls = TlsListener::start(tls, certificate, key)?;
    let stop = stop_signal(options.exit_with_stdin)?;
    announce(&frame, ca_file.path())?;
    listeners::serve(plain, tls, router, stop).await?;
    Ok(())
}

/// One line on standard output tells whoever started the simulator that it is ready and where.
fn announce(frame: &Frame, ca_file: &Path) -> io::Result<()> {
    let line = json!({"url": frame.url, "mtlsUrl": frame.mtls_url, "caFile": ca_file});
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Turns true on SIGTERM, on SIGINT, and, if wanted, when standard input ends.
fn stop_signal(with_stdin: bool) -> io::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let on_signal = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        on_signal.send_replace(true);
    });
    if with_stdin {
        std::thread::spawn(move || {
            drop(io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink()));
            stop.send_replace(true);
        });
    }
    Ok(stopped)
}

/// The file with the certificate to trust. One in the temporary folder goes when the simulator goes.
enum CaFile {
    Given(PathBuf),
    Temporary(PathBuf),
}

impl CaFile {
    fn write(given: Option<PathBuf>, pem: &str) -> io::Result<Self> {
        let name = format!("btp-simulator-{}-ca.pem", std::process::id());
        let file = given.map_or_else(|| Self::Temporary(std::env::temp_dir().join(name)), Self::Given);
        std::fs::write(file.path(), pem)?;
        Ok(file)
    }

    fn path(&self) -> &Path {
        match self {
            Self::Given(path) | Self::Temporary(path) => path,
        }
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            drop(std::fs::remove_file(path));
        }
    }
}
