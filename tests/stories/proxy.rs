//! What the crash stories take for granted of the proxy they lose calls in.

use std::sync::mpsc;
use std::time::Duration;

use crate::harness::{Call, ControlPlane, Kubectl, Moment, Proxy, never};

const PATIENCE: Duration = Duration::from_secs(20);

/// The administrator's kubectl, on its way through the proxy.
fn through(proxy: &Proxy) -> Kubectl {
    ControlPlane::shared().kubectl().through(&proxy.url())
}

/// A kubectl that gives up soon when it gets no answer.
fn create(kubectl: &Kubectl, name: &str) -> Result<String, String> {
    kubectl.run(&["create", "configmap", name, "--namespace", "default", "--request-timeout=2s"])
}

#[test]
fn the_effect_of_a_call_lost_before_it_never_happens() {
    let plane = ControlPlane::shared();
    let proxy = Proxy::for_the_administrator(plane);
    let (sprung, seen) = mpsc::channel();

    proxy.trap(2, Moment::Before, Call::is_effect, move || sprung.send(()).expect("the story waits"));
    create(&through(&proxy), "before-1").expect("the first is not the one");
    create(&through(&proxy), "before-2").expect_err("the second is lost");

    seen.recv_timeout(PATIENCE).expect("the trap has sprung");
    assert!(!proxy.disarm());
    never("it is made", Duration::from_secs(1), || plane.kubectl().get("default", "configmap/before-2"));
    assert_eq!(proxy.effects(), 2);
    proxy.forget();
    create(&through(&proxy), "before-3").expect("one trap, one loss");
    assert_eq!(proxy.effects(), 1);
}

#[test]
fn the_effect_of_a_call_lost_after_it_has_happened() {
    let plane = ControlPlane::shared();
    let proxy = Proxy::for_the_administrator(plane);

    proxy.trap(1, Moment::After, Call::is_effect, || ());
    create(&through(&proxy), "after").expect_err("its answer is lost");

    assert!(plane.kubectl().get("default", "configmap/after").is_some());
}

#[test]
fn a_watch_passes_as_it_comes() {
    let plane = ControlPlane::shared();
    let proxy = Proxy::for_the_administrator(plane);
    plane.kubectl().ok(&["create", "namespace", "watched"]);

    let watch =
        through(&proxy).start("watch", &["get", "configmaps", "--namespace", "watched", "--watch", "--output=name"]);
    watch.wait_for_line("configmap/kube-root-ca.crt", PATIENCE);
    plane.kubectl().ok(&["create", "configmap", "news", "--namespace", "watched"]);

    watch.wait_for_line("configmap/news", PATIENCE);
    let watches = |call: &Call| call.path.ends_with("/namespaces/watched/configmaps");
    assert!(proxy.calls().iter().filter(|call| watches(call)).count() >= 2, "{:?}", proxy.calls());
}
