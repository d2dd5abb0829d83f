//! What the mirror promises, on a platform in memory and a clock that waits for nobody.

use std::time::Duration;

use super::Mirror;
use crate::api::IdentityKind;
use crate::plan::grant::Grant;
use crate::platform::Driver;

pub mod fake;
mod grants;
mod identities;
mod interleavings;
mod scopes;

const LONG: Duration = Duration::from_hours(1);

fn mirror(fake: &fake::Fake) -> Mirror {
    Mirror::new(fake.driver(), "c")
}

/// What the picture shows of these, which can be read.
async fn shown(mirror: &Mirror, grants: &[Grant], max_age: Duration) -> Vec<bool> {
    mirror.holds(grants, max_age).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn what_the_driver_lacks_is_refused_in_clear_words() {
    let mirror = Mirror::new(Driver::default(), "c");
    let identity = mirror.of(IdentityKind::ServiceKey).err().unwrap();
    let grants = mirror.grant(vec![fake::grant(1, 1), fake::grant(2, 1)]).await;
    assert_eq!(identity.kind(), crate::platform::Kind::Invalid);
    assert!(identity.to_string().contains("this platform makes no serviceKey"), "{identity}");
    assert_eq!(grants.len(), 2);
    assert!(grants.iter().all(|outcome| outcome.as_ref().is_err_and(|error| error.kind() == identity.kind())));
}
