//! The simulator as a program: it says where it is in one line of JSON, and serves until it is asked to stop.

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use btp_simulator::{Options, Simulator};
use clap::Parser;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Simulates SAP BTP for development and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address of the plain HTTP listener; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address of the TLS listener, which asks for client certificates; port 0 takes a free one. If it is not of the loopback
    /// interface, every URL that a platform hands out leads to it.
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { listen, mtls_listen, latency, ca_file, settings, exit_with_stdin } = Arguments::parse();
    let options = Options { listen, mtls_listen, latency: Duration::from_millis(latency), settings };
    let simulator = Simulator::bind(&options).await?;
    let ca_file = CaFile::write(ca_file, simulator.authority())?;
    let stop = stop_signal(exit_with_stdin)?;
    announce(&simulator, ca_file.path())?;
    simulator.serve(stop).await?;
    Ok(())
}

/// One line on standard output tells whoever started the simulator that it is ready and where.
fn announce(simulator: &Simulator, ca_file: &Path) -> io::Result<()> {
    let line = json!({"url": simulator.url(), "mtlsUrl": simulator.mtls_url(), "caFile": ca_file});
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
