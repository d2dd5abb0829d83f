//! A development tool that speaks the APIs of SAP BTP as far as the operator uses them, on the loopback interface.
//!
//! It shares no code with the operator, so that a misreading of a document in one is not repeated in the other.
//! `frame` is what all platforms share; every other module is one platform, mounted below a prefix of its own.

mod frame;
mod uaa;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use frame::{Frame, Mounted};
use serde_json::json;
use tokio::net::TcpListener;

/// Simulates SAP BTP for development and tests.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Address of the plain HTTP listener; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Milliseconds added to every request.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
}

/// Every platform of the simulator.
fn mount(frame: &Arc<Frame>) -> Vec<Mounted> {
    vec![uaa::mount(frame)]
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let listener = TcpListener::bind(options.listen).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let frame = Frame::new(url.clone(), url.clone(), Duration::from_millis(options.latency));
    println!("{}", json!({"url": url}));
    axum::serve(listener, frame::assemble(&frame, mount(&frame))).await?;
    Ok(())
}
