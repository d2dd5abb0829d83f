//! Certificates that the subaccount makes: good from now on, for as long as was asked for.

use std::sync::OnceLock;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use technical_user_operator::platform::Making;

use crate::clock;

/// How long one is good if nobody says how long.
const USUAL: u64 = 7;

/// The certificate of a credential that is made so, in PEM; none where it is not one.
pub fn made(making: &Making) -> Option<String> {
    let Making::Generated(asked) = making else { return None };
    let now = Duration::from_secs(clock::true_now().as_second().unsigned_abs());
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(1970, 1, 1) + now;
    params.not_after = params.not_before + Duration::from_hours(24 * asked.days.unwrap_or(USUAL));
    Some(params.self_signed(key()).unwrap().pem())
}

/// One for all: nobody looks at it.
fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate().unwrap())
}
