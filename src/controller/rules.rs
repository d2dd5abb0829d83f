//! Whether a Platform's rules are as the cache has them: asked before something new is made, and not more often than
//! every few seconds. Whoever works for hours on a watch that has stopped telling would go by rules that are gone.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::{Api, ResourceExt};
use tokio::time::Instant;

use super::Context;
use super::error::{Error, Result};
use crate::api::Platform;

/// How long an answer counts.
const FRESH: Duration = Duration::from_secs(5);

/// When each Platform was last seen to be as the cache has it, with the version that it had.
#[derive(Default)]
pub struct Rules(Mutex<HashMap<String, (Instant, Option<i64>)>>);

impl Rules {
    /// Fails while the cache has another version of this Platform than the API server.
    pub async fn confirm(&self, name: &str, context: &Context) -> Result<()> {
        let Some(cached) = context.stores.platform(name) else { return Err(changing(name)) };
        let known = self.seen().get(name).copied();
        if known.is_some_and(|(at, generation)| at.elapsed() < FRESH && generation == cached.metadata.generation) {
            return Ok(());
        }
        let api: Api<Platform> = Api::all(context.client.clone());
        let live = api.get_opt(name).await.map_err(Error::Kubernetes)?.ok_or_else(|| changing(name))?;
        let same = (live.uid(), live.metadata.generation) == (cached.uid(), cached.metadata.generation);
        if !same || live.metadata.deletion_timestamp.is_some() {
            return Err(changing(name));
        }
        self.seen().insert(name.to_owned(), (Instant::now(), live.metadata.generation));
        Ok(())
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn seen(&self) -> MutexGuard<'_, HashMap<String, (Instant, Option<i64>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn changing(name: &str) -> Error {
    Error::waiting("PlatformChanging", format!("Platform {name} has changed, and the change has not arrived here yet"))
}
