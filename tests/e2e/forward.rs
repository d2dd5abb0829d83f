//! What kube-proxy does for the one Service that pods need here, `kubernetes`: its address leads to the API server.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Passes on every connection to an address, until the process ends.
pub(crate) fn forward(from: SocketAddr, to: SocketAddr) {
    let listener = TcpListener::bind(from).unwrap_or_else(|error| panic!("listen on {from}: {error}"));
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            if let Ok(onward) = TcpStream::connect(to) {
                pass_on(&connection, &onward);
                pass_on(&onward, &connection);
            }
        }
    });
}

/// One direction of a connection; its end is passed on too.
fn pass_on(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
    thread::spawn(move || {
        // Either side may break it off; the other one is told in the same way.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
