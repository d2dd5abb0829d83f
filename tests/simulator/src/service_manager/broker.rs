//! What the Service Manager asks of a service's broker: read the parameters of an instance, make a key.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::clients::{Opened, Rights};
use crate::frame::Settings;
use crate::subaccount::Subaccount;

/// JSON parameters of an instance or a binding.
pub(crate) type Parameters = Map<String, Value>;

/// A broker's own error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokerRefusal {
    /// Its HTTP status.
    pub(crate) status: u16,
    /// Its text.
    pub(crate) text: String,
}

impl BrokerRefusal {
    /// 400: the parameters are wrong.
    pub(crate) fn parameters(text: impl Into<String>) -> Self {
        Self { status: 400, text: text.into() }
    }
}

/// What a key is made for.
pub(crate) struct KeyOrder<'a> {
    /// The subaccount whose token service the key is for.
    pub(crate) subaccount: &'a Subaccount,
    /// The instance it belongs to.
    pub(crate) instance_id: &'a str,
    /// The parameters of that instance.
    pub(crate) instance_parameters: &'a Parameters,
    /// The rights it shares with the other keys of the instance.
    pub(crate) rights: Arc<Rights>,
    /// The parameters of the key itself.
    pub(crate) parameters: &'a Parameters,
}

/// A finished key. Has no `Debug`: it holds secrets.
#[derive(Default)]
pub(crate) struct Key {
    /// What the binding returns.
    pub(crate) credentials: Value,
    /// The OAuth client that ends with the binding; absent when it belongs to the whole instance.
    pub(crate) client_id: Option<String>,
}

/// A service's broker.
pub(crate) trait Broker: Send + Sync {
    /// Checks the parameters of an instance and says what they ask for.
    fn read(&self, parameters: &Parameters, settings: &Settings) -> Result<Opened, BrokerRefusal>;

    /// Makes a key. May take a while (key pairs), so it is not called on an async thread.
    fn make_key(&self, order: &KeyOrder<'_>) -> Result<Key, BrokerRefusal>;

    /// Ends what belongs to the instance as a whole.
    fn deprovision(&self, _subaccount: &Subaccount, _instance_id: &str) {}

    /// The longest name of a key.
    fn longest_key_name(&self) -> usize {
        255
    }
}
