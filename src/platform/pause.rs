//! The one place that waits. Everything else is woken, or asks to be called again.

use std::time::Duration;

/// Waits.
pub async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
