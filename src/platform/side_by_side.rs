//! Calls about many grants: those that one hand must do are done by one, several hands at once.
//!
//! Knows no platform. Every grant gets its own result: one hand that fails spoils no other's.

use std::collections::BTreeMap;
use std::future::Future;

use futures::{StreamExt, stream};

use super::error::Result;
use crate::plan::grant::Grant;

/// One result for each grant, in their order. All grants of one `key` go to one call of `work`, which answers for each
/// of them in their order; at most `at_once` such calls are under way.
pub async fn side_by_side<'a, K, T, F>(
    grants: &'a [Grant],
    at_once: usize,
    key: impl Fn(&'a Grant) -> K,
    work: impl Fn(Vec<&'a Grant>) -> F,
) -> Vec<Result<T>>
where
    K: Ord,
    F: Future<Output = Vec<Result<T>>>,
{
    let mut hands: BTreeMap<K, Vec<(usize, &'a Grant)>> = BTreeMap::new();
    for (place, grant) in grants.iter().enumerate() {
        hands.entry(key(grant)).or_default().push((place, grant));
    }
    let hands = hands.into_values().map(|hand| {
        let (places, of_one): (Vec<usize>, Vec<&Grant>) = hand.into_iter().unzip();
        let results = work(of_one);
        async move { places.into_iter().zip(results.await).collect::<Vec<_>>() }
    });
    let hands: Vec<_> = hands.collect();
    let mut results: Vec<_> = stream::iter(hands).buffer_unordered(at_once).flat_map(stream::iter).collect().await;
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Role;
    use crate::api::role::RoleName;
    use crate::plan::grant::{Holder, HolderKind};
    use crate::platform::error::{Error, Kind};

    #[tokio::test]
    async fn results_come_in_the_order_of_the_grants_and_one_hand_spoils_no_other() {
        let grant = |user: &str, role: &str| {
            let role = Role::RoleCollection(RoleName { name: role.into() });
            Grant::new(Holder::named(HolderKind::User, user, "sap.default"), role)
        };
        let grants = [grant("b", "1"), grant("a", "2"), grant("b", "3"), grant("c", "4")];
        let work = |of_one: Vec<&Grant>| {
            let said = of_one.iter().map(|grant| match grant.holder.name() {
                "c" => Err(Error::new(Kind::Unavailable, "test")),
                name => Ok(format!("{name}{}", grant.role.name())),
            });
            std::future::ready(said.collect())
        };
        let results = side_by_side(&grants, 2, |grant| &grant.holder, work).await;
        let results: Vec<Option<String>> = results.into_iter().map(Result::ok).collect();
        assert_eq!(results, [Some("b1".into()), Some("a2".into()), Some("b3".into()), None]);
    }
}
