//! Laws 3, 4 and 13 where several lay hands on one place, or a Platform's place changes.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use technical_user_operator::api::ACCEPT_PLACE_ANNOTATION;

use crate::cases;
use crate::history::{Scene, Wildness, of_grants};
use crate::hostile::Act;
use crate::identities::shapes;
use crate::kubernetes::{Address, Kind};
use crate::landscape::{Landscape, case};
use crate::manifests::{
    ADMIN, OTHER, OTHER_ADMIN, TEAM, a_platform, a_technical_user, admin_secret, an_admin_secret, everything,
    of_the_user, platform, role_binding, secret, technical_user,
};
use crate::silence::at_rest;
use crate::subaccount::Shape;

impl Landscape {
    /// The admin credential of the Platform leads there from now on.
    fn lead_to(&self, place: usize) {
        let data = json!({"data": an_admin_secret(place)["data"]});
        self.outside().kubernetes.merge(&admin_secret(ADMIN), &data, false).unwrap();
    }

    /// What operators did on each subaccount, as numbers that grow.
    fn touched(&self) -> [usize; 2] {
        let outside = self.outside();
        [0, 1].map(|at| outside.subaccounts[at].effects)
    }

    /// Another Platform at the same place.
    async fn join(&mut self) {
        let other = Address::new(Kind::Platform, "", OTHER);
        self.outside().kubernetes.create(&admin_secret(OTHER_ADMIN), an_admin_secret(0)).unwrap();
        let spec = a_platform(self.shape, OTHER_ADMIN, &[everything()]);
        self.outside().kubernetes.create(&other, spec).unwrap();
        self.crash(0).await;
    }
}

proptest! {
    #![proptest_config(cases(30))]

    #[test]
    fn law_13_a_platform_whose_place_changed_is_touched_by_nobody(
        shape in shapes(), restarts in any::<bool>(), acts in vec(Act::any(), 0..4),
    ) {
        let (touched, held) = case(async {
            let mut landscape = at_rest(shape).await;
            landscape.lead_to(1);
            if restarts {
                landscape.crash(0).await;
            }
            // What is not known to be elsewhere yet is learnt with the next look at the Platform.
            landscape.go(0, &platform(), 0, crate::leash::FREE).await;
            let before = landscape.touched();
            let held = landscape.outside().kubernetes.get(&secret()).cloned();
            landscape.round().await;
            let untouched = held == landscape.outside().kubernetes.get(&secret()).cloned();
            for act in &acts {
                act.strike(&landscape);
                landscape.round().await;
            }
            let after = landscape.touched();
            ([0, 1].map(|at| after[at] - before[at]), untouched)
        });
        // An operator that knows what the Secret held before goes on with that, where the Platform is.
        prop_assert_eq!((touched[1], held), (0, true));
        prop_assert!(!restarts || touched[0] == 0, "{} effects without a credential", touched[0]);
    }

    #[test]
    fn law_12_what_must_go_goes_with_what_the_secret_held_before(shape in shapes()) {
        let (gone, touched) = case(async {
            let mut landscape = at_rest(shape).await;
            landscape.lead_to(1);
            landscape.round().await;
            landscape.delete(&role_binding(1));
            landscape.delete(&technical_user());
            landscape.settle().await;
            let gone = landscape.outside().kubernetes.get(&technical_user()).is_none();
            (gone, landscape.touched())
        });
        prop_assert!(gone && touched[1] == 0, "{touched:?}");
    }

    #[test]
    fn law_13_the_right_credential_put_back_costs_nothing(shape in shapes(), restarts in any::<bool>()) {
        let touched = case(async {
            let mut landscape = at_rest(shape).await;
            let before = landscape.touched();
            landscape.lead_to(1);
            landscape.round().await;
            if restarts {
                landscape.crash(0).await;
            }
            landscape.lead_to(0);
            landscape.settle().await;
            let after = landscape.touched();
            [0, 1].map(|at| after[at] - before[at])
        });
        prop_assert_eq!(touched, [0, 0]);
    }

    #[test]
    fn law_2_an_accepted_place_is_brought_to_what_the_manifests_say(shape in shapes(), restarts in any::<bool>()) {
        let works = case(async {
            let mut landscape = at_rest(shape).await;
            landscape.lead_to(1);
            landscape.round().await;
            if restarts {
                landscape.crash(0).await;
            }
            let accepted = json!({"metadata": {"annotations": {ACCEPT_PLACE_ANNOTATION: "subaccount 1"}}});
            landscape.outside().kubernetes.merge(&platform(), &accepted, false).unwrap();
            landscape.settle().await;
            let outside = landscape.outside();
            let value = outside.kubernetes.get(&secret()).and_then(crate::judge::value_of).unwrap_or_default();
            (outside.subaccounts[1].accepts(&value), outside.broken.clone())
        });
        prop_assert_eq!(works, (true, vec![]));
    }

    #[test]
    fn law_7_a_platform_that_is_being_deleted_makes_nothing_new(shape in shapes(), restarts in any::<bool>()) {
        let (made, said) = case(async {
            let mut landscape = at_rest(shape).await;
            landscape.delete(&platform());
            let late = Address::new(Kind::TechnicalUser, TEAM, "late");
            let mut user = a_technical_user(shape);
            user["spec"]["credential"]["secretName"] = json!("late-credentials");
            landscape.apply(&late, &user);
            let mut roles = of_the_user(shape, &[0].into());
            roles["spec"]["subjects"] = json!([{"technicalUser": {"name": "late"}}]);
            landscape.apply(&role_binding(3), &roles);
            if restarts {
                landscape.crash(0).await;
            }
            landscape.settle().await;
            let outside = landscape.outside();
            (outside.subaccounts[0].made, outside.kubernetes.get(&late).map(|one| one["status"].to_string()))
        });
        prop_assert_eq!(made, 1, "the one that was there");
        prop_assert!(said.is_some_and(|said| said.contains("PlatformLeaving")));
    }

    #[test]
    fn law_4_holds_across_two_platforms_at_one_place(
        history in of_grants(Wildness { lag: 0, pauses: false, operators: 1 }),
    ) {
        let broken = case(async {
            let mut landscape = Landscape::new(Shape::ServiceManager, 1).await;
            landscape.join().await;
            for one in &history {
                one.strike(Scene::TwoPlatforms, &mut landscape).await;
            }
            landscape.settle().await;
            let mut broken = landscape.outside().broken.clone();
            broken.extend(landscape.unsettled_grants());
            broken
        });
        prop_assert_eq!(broken, Vec::<String>::new());
    }
}
