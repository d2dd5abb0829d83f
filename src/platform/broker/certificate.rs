//! Keys that are certificates, in the dialects in which brokers are asked for them and give them. Pure.

use serde_json::{Map, Value, json};

use super::parameters::Parameters;
use crate::platform::{Asked, Certificate, Making};

/// The offering of Process Integration Runtime, and that of Cloud Identity Services.
const INTEGRATION_RUNTIME: &str = "it-rt";
const IDENTITY: &str = "identity";

/// What a broker is told of a new key; nothing, where it is to make what it usually makes.
///
/// SAP BTP documentation, "Parameters for X.509 Certificates Managed by SAP Authorization and Trust Management Service" and
/// "… Self-Managed X.509 Certificates", which the Service Manager and others follow; SAP Cloud Integration documentation,
/// "Specifying Service Instance and Service Key Parameters in JSON Format"; SAP Cloud Identity Services documentation,
/// "Reference Information for the Identity Service of SAP BTP".
pub fn parameters(offering: &str, making: &Making) -> Option<Parameters> {
    let parameters = match (offering, making) {
        (_, Making::Usual) => return None,
        (INTEGRATION_RUNTIME, Making::Generated(asked)) => {
            with(json!({"key-type": "certificate"}), length(asked), days(asked))
        }
        (INTEGRATION_RUNTIME, Making::Brought(certificate)) => {
            object(json!({"key-type": "certificate_external", "X.509": leaf(certificate)}))
        }
        (IDENTITY, Making::Generated(asked)) => {
            with(json!({"credential-type": "X509_GENERATED"}), length(asked), days_with_their_unit(asked))
        }
        (IDENTITY, Making::Brought(certificate)) => {
            object(json!({"credential-type": "X509_PROVIDED", "certificate": leaf(certificate)}))
        }
        (_, Making::Generated(asked)) => {
            let x509 = with(json!({}), length(asked), days_with_their_unit(asked));
            object(json!({"credential-type": "x509", "x509": x509}))
        }
        (_, Making::Brought(certificate)) => {
            let x509 = json!({"certificate": leaf(certificate), "certificate-pinning": true});
            object(json!({"credential-type": "x509", "x509": x509}))
        }
    };
    Some(parameters)
}

/// `it-rt` takes no chain, and the others need none: each pins the certificate itself.
fn leaf(certificate: &Certificate) -> String {
    certificate.pem()
}

fn length(asked: &Asked) -> Value {
    asked.key_length.map_or(json!({}), |length| json!({"key-length": length}))
}

fn days(asked: &Asked) -> Value {
    asked.days.map_or(json!({}), |days| json!({"validity": days}))
}

fn days_with_their_unit(asked: &Asked) -> Value {
    asked.days.map_or(json!({}), |days| json!({"validity": days, "validity-type": "DAYS"}))
}

fn with(first: Value, second: Value, third: Value) -> Parameters {
    [first, second, third].into_iter().flat_map(object).collect()
}

fn object(value: Value) -> Parameters {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked = Asked { days: Some(30), key_length: Some(4096) };
    const NOTHING: Asked = Asked { days: None, key_length: None };

    fn told(offering: &str, making: &Making) -> Value {
        parameters(offering, making).map(Value::from).unwrap_or_default()
    }

    #[test]
    fn each_broker_is_asked_in_its_own_dialect() {
        let asked = |offering| told(offering, &Making::Generated(ASKED));
        assert_eq!(asked("it-rt"), json!({"key-type": "certificate", "validity": 30, "key-length": 4096}));
        let unit = json!({"validity": 30, "validity-type": "DAYS", "key-length": 4096});
        assert_eq!(asked("xsuaa"), json!({"credential-type": "x509", "x509": unit}));
        let flat = json!({
            "credential-type": "X509_GENERATED", "validity": 30, "validity-type": "DAYS", "key-length": 4096,
        });
        assert_eq!(asked("identity"), flat);
    }

    #[test]
    fn what_nobody_asks_for_is_left_to_the_broker() {
        let asked = |offering| told(offering, &Making::Generated(NOTHING));
        assert_eq!(asked("it-rt"), json!({"key-type": "certificate"}));
        assert_eq!(asked("xsuaa"), json!({"credential-type": "x509", "x509": {}}));
        assert_eq!(parameters("it-rt", &Making::Usual), None);
    }

    #[test]
    fn of_a_certificate_that_is_brought_along_the_leaf_alone_is_sent() {
        let made = |_| rcgen::generate_simple_self_signed(vec!["tu".to_owned()]).unwrap().cert.pem();
        let [leaf, authority] = [0, 1].map(made);
        let brought = Making::Brought(Certificate::read(format!("{leaf}{authority}").as_bytes()).unwrap());
        let leaf = leaf.replace("\r\n", "\n");
        assert_eq!(told("it-rt", &brought), json!({"key-type": "certificate_external", "X.509": leaf}));
        assert_eq!(told("identity", &brought), json!({"credential-type": "X509_PROVIDED", "certificate": leaf}));
        let pinned = json!({"certificate": leaf, "certificate-pinning": true});
        assert_eq!(told("xsuaa", &brought), json!({"credential-type": "x509", "x509": pinned}));
    }
}
