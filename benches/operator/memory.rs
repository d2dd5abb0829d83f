//! Resident memory of the operator, and the foreign Secrets that must not show in it.

use std::fs;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::core::ObjectMeta;
use kube::{Api, Client};

/// What one foreign Secret holds.
const FOREIGN_BYTES: usize = 700_000;

/// Resident memory of a process, in MB.
pub(crate) fn resident(process: u32) -> f64 {
    megabytes(process, "VmRSS:")
}

/// The most that was resident since the start, or since [`forget_peak`].
pub(crate) fn peak(process: u32) -> f64 {
    megabytes(process, "VmHWM:")
}

/// Lets the peak begin anew from what is resident now (proc(5), `clear_refs`).
pub(crate) fn forget_peak(process: u32) {
    fs::write(format!("/proc/{process}/clear_refs"), "5").expect("a child of ours");
}

fn megabytes(process: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the state of a child of ours");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("a line of proc(5)");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<f64>().expect("kilobytes");
    kilobytes / 1024.0
}

/// Fills a namespace with large Secrets that are none of the operator's business.
pub(crate) async fn fill(client: &Client, namespace: &str, count: usize) {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let (secrets, parameters) = (&secrets, &PostParams::default());
    let writes = (0..count).map(|number| async move { secrets.create(parameters, &foreign(number)).await.map(drop) });
    stream::iter(writes).buffer_unordered(4).try_collect::<()>().await.expect("write the foreign Secrets");
}

fn foreign(number: usize) -> Secret {
    Secret {
        metadata: ObjectMeta { name: Some(format!("foreign-{number}")), ..ObjectMeta::default() },
        data: Some([("blob".to_owned(), ByteString(vec![b'x'; FOREIGN_BYTES]))].into()),
        ..Secret::default()
    }
}
