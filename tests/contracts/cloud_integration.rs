//! A story that touches every route of Cloud Integration's Security Content that the simulator has.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::json;

use crate::recording::Recording;

const SET: &str = "/CertificateUserMappings";

/// Drives the tenant.
pub(crate) async fn story(recording: &mut Recording<'_>) {
    // Requests are recorded with a token, which spares the one against forged requests.
    recording.simulator.set("settings", &json!({"cloudIntegrationCsrf": "not-for-bearer"})).await;
    recording.get("/").await;
    recording.expect_status(200);
    let certificate = rcgen::generate_simple_self_signed(vec!["tu-1".to_owned()]).expect("a certificate").cert.pem();
    let mapping = json!({"User": "tu-1", "Certificate": BASE64_STANDARD.encode(certificate)});
    let made = recording.post(SET, mapping).await;
    recording.expect_status(201);
    let one = format!("{SET}('{}')", made["d"]["Id"].as_str().expect("an id"));
    recording.get(&format!("{SET}?$filter=User%20eq%20'tu-1'&$select=Id,User&$orderby=Id")).await;
    recording.expect_status(200);
    recording.get(&one).await;
    recording.expect_status(200);
    recording.wrong(Method::POST, SET, Some(json!({"User": "tu-1", "Certificate": "bm90aGluZw=="}))).await;
    recording.expect_status(500);
    recording.delete(&one, None).await;
    recording.expect_status(204);
    recording.get(&one).await;
    recording.expect_status(404);
    let own = recording.with_token("");
    recording.get(SET).await;
    recording.expect_status(401);
    recording.with_token(&own);
}
