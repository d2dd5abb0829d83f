//! Laws 2 and 3 of what has no object here: what another cluster made on the same subaccount, and what was left of our own.

use proptest::prelude::*;
use serde_json::{Value, json};
use technical_user_operator::api::REMOVE_UNCLAIMED_ANNOTATION;
use technical_user_operator::plan::owner::Owner;
use technical_user_operator::platform::Health;

use crate::cases;
use crate::claims::all;
use crate::history::listings;
use crate::identities::shapes;
use crate::landscape::{Landscape, case};
use crate::manifests::{TEAM, USER, platform, role_name, technical_user};
use crate::operator::CLUSTER;
use crate::silence::at_rest;
use crate::subaccount::{Credential, Identity};

impl Landscape {
    /// An identity with a credential that an operator of this cluster made for this TechnicalUser.
    fn plant(&self, cluster: &str, uid: &str) -> Identity {
        let mut outside = self.outside();
        let subaccount = &mut outside.subaccounts[0];
        let (id, owner) = (subaccount.next(), owner(cluster, uid));
        let value = format!("planted-{id}");
        let credential = Credential {
            id: format!("{id}-key"),
            name: owner.credential_name(1),
            health: Health::Usable,
            busy: false,
            value,
            material: None,
            certificate: None,
        };
        let identity = Identity {
            id,
            name: owner.identity_name(),
            owner: Some(owner),
            health: Health::Usable,
            busy: false,
            roles: [role_name(0)].into(),
            credentials: vec![credential],
        };
        subaccount.now.identities.push(identity.clone());
        subaccount.seen();
        identity
    }

    /// Whether it is there as it was made.
    fn still_has(&self, planted: &Identity) -> bool {
        let outside = self.outside();
        let values = |one: &Identity| one.credentials.iter().map(|it| it.value.clone()).collect::<Vec<_>>();
        let found = outside.subaccounts[0].now.identities.iter().find(|one| one.id == planted.id);
        found.is_some_and(|one| one.roles == planted.roles && values(one) == values(planted))
    }

    /// The names that the Platform's status lists as unclaimed.
    fn unclaimed(&self) -> Vec<String> {
        let outside = self.outside();
        let status = outside.kubernetes.get(&platform()).map(|one| one["status"]["unclaimed"].clone());
        let names = all(status.as_ref().unwrap_or(&Value::Null)).filter_map(|one| one["name"].as_str());
        names.map(str::to_owned).collect()
    }

    /// Somebody who may edit the Platform asks for these to be removed.
    fn ask_to_remove(&self, names: &[&str]) {
        let annotation = json!({"metadata": {"annotations": {REMOVE_UNCLAIMED_ANNOTATION: names.join(", ")}}});
        self.outside().kubernetes.merge(&platform(), &annotation, false).unwrap();
    }

    fn uid_of_the_user(&self) -> String {
        let outside = self.outside();
        let user = outside.kubernetes.get(&technical_user()).unwrap();
        user["metadata"]["uid"].as_str().unwrap().to_owned()
    }
}

fn owner(cluster: &str, uid: &str) -> Owner {
    let [cluster, uid, namespace, name] = [cluster, uid, TEAM, USER].map(str::to_owned);
    Owner { cluster, uid, namespace, name }
}

proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn law_3_marks_of_another_cluster_are_never_touched(
        shape in shapes(), listing in listings(), restarts in any::<bool>(), deletes in any::<bool>(),
    ) {
        let (untouched, told, broken) = case(async {
            let mut landscape = at_rest(shape).await;
            // The same uid, namespace and name, as where a cluster was restored from another's backup.
            let theirs = landscape.plant("another-cluster", &landscape.uid_of_the_user());
            landscape.ask_to_remove(&[&theirs.name]);
            landscape.outside().subaccounts[0].listing = listing;
            if restarts {
                landscape.crash(0).await;
            }
            landscape.round().await;
            if deletes {
                landscape.objects().iter().for_each(|address| landscape.delete(address));
            }
            landscape.settle().await;
            (landscape.still_has(&theirs), landscape.unclaimed(), landscape.outside().broken.clone())
        });
        prop_assert!(untouched);
        prop_assert_eq!(told, Vec::<String>::new(), "nor is it ours to tell of");
        prop_assert_eq!(broken, Vec::<String>::new());
    }

    #[test]
    fn law_3_of_what_nobody_claims_only_what_is_named_is_removed(shape in shapes(), restarts in any::<bool>()) {
        let (before, after, other, is_there, broken) = case(async {
            let mut landscape = at_rest(shape).await;
            let planted = ["gone-1", "gone-2"].map(|uid| landscape.plant(CLUSTER, uid));
            landscape.settle().await;
            let before = landscape.unclaimed().len();
            if restarts {
                landscape.crash(0).await;
            }
            let living = owner(CLUSTER, &landscape.uid_of_the_user()).identity_name();
            landscape.ask_to_remove(&[&living, &planted[0].name, "no-such-thing"]);
            landscape.settle().await;
            let mut broken = landscape.outside().broken.clone();
            broken.extend(landscape.unsettled_identity());
            let is_there = planted.each_ref().map(|one| landscape.still_has(one));
            (before, landscape.unclaimed(), planted[1].name.clone(), is_there, broken)
        });
        prop_assert_eq!((before, after, is_there), (2, vec![other], [false, true]));
        prop_assert_eq!(broken, Vec::<String>::new());
    }
}
