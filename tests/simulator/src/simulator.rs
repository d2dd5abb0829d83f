//! The simulator as a whole: its listeners, and every platform behind them.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::certificates::Authority;
use crate::cloud_integration::CloudIntegration;
use crate::frame::{self, Frame, Mounted};
use crate::identity_service::IdentityService;
use crate::listeners::{self, TlsListener};
use crate::neo::Neo;
use crate::people::People;
use crate::subaccount::{self, Subaccount};
use crate::xsuaa::Xsuaa;
use crate::{
    cloud_foundry, cloud_integration, identity_service, neo, scim, sender, service_manager, tokens, uaa, xsuaa,
};

/// How it starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address of the plain HTTP listener; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the TLS listener, which asks for client certificates; port 0 takes a free one. If it is not of the loopback
    /// interface, every URL handed out leads to it: who is not on this machine sends no secret in the clear.
    pub mtls_listen: SocketAddr,
    /// Added to every request.
    pub latency: Duration,
    /// What `PUT /_simulator/settings` takes, in force from the start.
    pub settings: Option<Value>,
}

/// The certificate, in PEM, that clients of the TLS listeners have to trust: one for all simulators of a process.
pub fn authority() -> Result<String, Box<dyn Error>> {
    Ok(Authority::of_this_process()?.pem().to_owned())
}

impl Default for Options {
    /// On free ports, as the platforms are documented.
    fn default() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen: free, mtls_listen: free, latency: Duration::ZERO, settings: None }
    }
}

/// One that listens, and serves as soon as it is told to.
pub struct Simulator {
    frame: Arc<Frame>,
    authority: Arc<Authority>,
    url: String,
    plain: TcpListener,
    tls: TlsListener,
    router: Router,
}

impl Simulator {
    /// Takes its ports, and lays out the platforms.
    pub async fn bind(options: &Options) -> Result<Self, Box<dyn Error>> {
        let authority = Authority::of_this_process()?;
        let (certificate, key) = authority.for_listener(options.mtls_listen.ip())?;
        let plain = TcpListener::bind(options.listen).await?;
        let tls = TcpListener::bind(options.mtls_listen).await?;
        let (url, mtls_url) = (format!("http://{}", plain.local_addr()?), format!("https://{}", tls.local_addr()?));
        let handed_out = if options.mtls_listen.ip().is_loopback() { &url } else { &mtls_url }.clone();
        let frame = Frame::new(handed_out, mtls_url, options.latency);
        if let Some(settings) = &options.settings {
            frame.settings.start_with(settings)?;
        }
        let router = frame::assemble(&frame, mount(&frame, &authority));
        let tls = TlsListener::start(tls, certificate, key)?;
        Ok(Self { frame, authority, url, plain, tls, router })
    }

    /// Base URL of all platforms.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Base URL of the token services that ask for a client certificate.
    pub fn mtls_url(&self) -> &str {
        &self.frame.mtls_url
    }

    /// The certificate, in PEM, that clients of the latter have to trust.
    pub fn authority(&self) -> &str {
        self.authority.pem()
    }

    /// Serves until `stop` turns true, or nobody is left who could turn it.
    pub async fn serve(self, stop: watch::Receiver<bool>) -> io::Result<()> {
        listeners::serve(self.plain, self.tls, self.router, stop).await
    }

    /// What is behind the listeners, for the simulator's own tests.
    #[cfg(test)]
    pub(crate) const fn frame(&self) -> &Arc<Frame> {
        &self.frame
    }
}

/// Every platform of the simulator.
fn mount(frame: &Arc<Frame>, authority: &Arc<Authority>) -> Vec<Mounted> {
    let first = Subaccount::new(frame, authority, &subaccount::OWN);
    let other = Subaccount::new(frame, authority, &subaccount::OTHER);
    let (xsuaa, other_xsuaa) = (Xsuaa::of(&first), Xsuaa::of(&other));
    let neo = Neo::new(frame);
    let identity = IdentityService::new(frame, authority);
    let cloud_integration = CloudIntegration::new(frame, authority);
    let people = People::new(&identity, &xsuaa, &neo, &cloud_integration);
    vec![
        tokens::mount(&first, &other),
        sender::mount(&first, &other, people),
        service_manager::mount(&first, &other),
        xsuaa::mount(&xsuaa, &other_xsuaa),
        neo::mount(&neo),
        uaa::mount(frame),
        cloud_foundry::mount(&first),
        scim::mount(frame),
        identity_service::mount(&identity),
        cloud_integration::mount(&cloud_integration),
    ]
}
