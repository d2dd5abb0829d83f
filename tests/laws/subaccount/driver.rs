//! The driver of a subaccount in memory: an operator's reach to it, through its leash.

use std::sync::Arc;

use technical_user_operator::api::{IdentityKind, RoleKind};
use technical_user_operator::platform::{Driver, Grants, Landing, Maker, Whereabouts};

use super::weather::Weather;
use super::{Picture, Shape, Subaccount};
use crate::leash::Leash;
use crate::outside::{Outside, Shared};

/// One operator's reach to one subaccount.
#[derive(Clone)]
pub struct Reach {
    outside: Shared,
    leash: Arc<Leash>,
    pub at: usize,
    pub shape: Shape,
}

impl Reach {
    /// One bulk read.
    pub async fn picture(&self) -> Picture {
        self.read(|subaccount| subaccount.listed()).await
    }

    /// One read.
    pub async fn read<T>(&self, look: impl FnOnce(&mut Subaccount) -> T) -> T {
        self.leash.step().await;
        let subaccount = &mut self.outside.lock().unwrap().subaccounts[self.at];
        subaccount.tide();
        look(subaccount)
    }

    /// One order, which fares as the weather is.
    pub async fn order<T>(&self, happens: impl FnOnce(&mut Outside, Weather) -> T) -> T {
        self.leash.step().await;
        let result = {
            let mut outside = self.outside.lock().unwrap();
            outside.since = self.leash.since();
            let subaccount = &mut outside.subaccounts[self.at];
            subaccount.tide();
            subaccount.effects += 1;
            let weather = std::mem::take(&mut subaccount.weather);
            let result = happens(&mut outside, weather);
            outside.subaccounts[self.at].seen();
            result
        };
        self.leash.step().await;
        result
    }
}

/// A driver of the subaccount `at` whose calls pass this leash.
pub fn driver(outside: &Shared, leash: &Arc<Leash>, at: usize) -> Driver {
    let shape = outside.lock().unwrap().subaccounts[at].shape;
    let reach = Arc::new(Reach { outside: Arc::clone(outside), leash: Arc::clone(leash), at, shape });
    // The same hand does for every kind what the shape of the subaccount has.
    let maker = Maker::of(Arc::clone(&reach), shape.recall());
    let grants: Arc<dyn Grants> = reach;
    Driver {
        makers: IdentityKind::ALL.map(|kind| (kind, maker.clone())).into(),
        grants: RoleKind::ALL.map(|kind| (kind, Arc::clone(&grants))).into(),
        sessions: vec![],
        landing: Landing::Address(Whereabouts::at(format!("subaccount {at}"))),
    }
}
