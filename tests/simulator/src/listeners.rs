//! The two listeners: plain HTTP, and TLS that asks for a client certificate. Both stop together, gracefully.
//!
//! TLS checks that the client holds the key of its certificate and nothing more: whose certificate it is, and whether
//! it is accepted, is the business of the token service and of the sender.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener, ListenerExt};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::frame::client_credentials::Peer;

/// Handshakes that take longer are given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Requests still running this long after the stop are cut off.
const GRACE: Duration = Duration::from_secs(2);

/// Serves the router on both listeners until `stop` turns true.
pub(crate) async fn serve(
    plain: TcpListener,
    tls: TlsListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let plain = plain.tap_io(|stream| drop(stream.set_nodelay(true)));
    let over_http = axum::serve(plain, router.clone()).with_graceful_shutdown(stopped(stop.clone()));
    let with_peer = router.into_make_service_with_connect_info::<Peer>();
    let over_tls = axum::serve(tls, with_peer).with_graceful_shutdown(stopped(stop.clone()));
    let both = async { tokio::try_join!(over_http.into_future(), over_tls.into_future()).map(drop) };
    tokio::select! {
        ended = both => ended,
        () = async { drop(stop.wait_for(|stop| *stop).await); tokio::time::sleep(GRACE).await } => Ok(()),
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Accepts TLS connections; handshakes run side by side, so that a slow one holds up nobody.
pub(crate) struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    local: SocketAddr,
}

impl TlsListener {
    /// Starts to accept, with this certificate and private key (both DER).
    pub(crate) fn start(
        tcp: TcpListener,
        certificate: Vec<u8>,
        key: Vec<u8>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let acceptor = TlsAcceptor::from(Arc::new(configuration(certificate, key)?));
        let local = tcp.local_addr()?;
        let (done, ready) = mpsc::channel(64);
        tokio::spawn(accept_all(tcp, acceptor, done));
        Ok(Self { ready, local })
    }
}

/// Until nobody wants connections any more. A handshake that fails is the client's trouble alone.
async fn accept_all(tcp: TcpListener, acceptor: TlsAcceptor, done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>) {
    while !done.is_closed() {
        let Ok((stream, address)) = tcp.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            drop(stream.set_nodelay(true));
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                drop(done.send((stream, address)).await);
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let (_, connection) = stream.io().get_ref();
        let first = connection.peer_certificates().and_then(<[_]>::first);
        Self { certificate: first.map(|certificate| Arc::new(certificate.to_vec())) }
    }
}

/// TLS 1.2 and 1.3, HTTP/1.1.
fn configuration(certificate: Vec<u8>, key: Vec<u8>) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(AnyCertificate(provider.signature_verification_algorithms));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let mut configuration = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![CertificateDer::from(certificate)], key)?;
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(configuration)
}

/// Asks for a certificate, does not insist, and accepts any whose key the client holds.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
