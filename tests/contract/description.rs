//! What the suite has to know of an environment, and a running platform of it.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use technical_user_operator::api::{Environment, Identity};
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::plan::grant::Grant;
use technical_user_operator::plan::owner::Owner;
use technical_user_operator::platform::budget::{CallObserver, Unobserved};
use technical_user_operator::platform::{Accounts, AdminSecret, Driver, Error, KeyPair, NewIdentity, connect};

use crate::harness::runtime;
use crate::harness::simulator::Simulator;

/// How often a call may fail before the suite says that it does not converge.
const MOST_TRIES: usize = 25;
/// The longest pause between two tries, whatever the platform asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// What is particular about an environment.
pub(crate) struct Description {
    /// The environment of the Platform.
    pub(crate) environment: fn(&Simulator) -> Environment,
    /// The admin credentials as the platform hands them out, by the name of their Secret.
    pub(crate) credentials: fn(&Simulator) -> Vec<(&'static str, Value)>,
    /// An identity that it can make, if it makes any.
    pub(crate) identity: Option<SampleIdentity>,
    /// Grants that it can make; each list shares a scope.
    pub(crate) grants: fn(&Environment) -> Vec<Vec<Grant>>,
    /// What the platform is made to be before anything is asked of it.
    pub(crate) prepare: fn(&Simulator),
    /// How many identities and credentials of ours the platform holds.
    pub(crate) count: fn(&Simulator) -> (usize, usize),
    /// The routes that its calls use, by the simulator's names.
    pub(crate) routes: &'static [&'static str],
}

/// An identity to try things with.
pub(crate) struct SampleIdentity {
    pub(crate) identity: fn() -> Identity,
    /// Roles that it can carry itself: two, or none.
    pub(crate) roles: &'static [&'static str],
    pub(crate) own_roles: fn() -> OwnRoles,
    /// The fields of a credential that name who logs on, and its secret.
    pub(crate) fields: [&'static str; 2],
    /// Whether such a name and secret log on, where the driver cannot tell but the platform can.
    pub(crate) logs_on: Option<fn(&Simulator, &str, &str) -> bool>,
}

/// A simulator of its own and a driver for it.
pub(crate) struct Running {
    pub(crate) simulator: Simulator,
    pub(crate) environment: Environment,
    pub(crate) driver: Driver,
    description: &'static Description,
    /// Values that must never be seen in an error.
    secrets: Vec<String>,
    /// How many requests it took to prepare the platform.
    prepared_by: usize,
    /// How many identities are in use that are but names: the platform knows none of them.
    pub(crate) names: AtomicUsize,
    /// Certificates and keys in PEM, by whose they are.
    pairs: Mutex<BTreeMap<(String, i64), [String; 2]>>,
}

impl Running {
    /// Starts a simulator and connects to it.
    pub(crate) fn start(description: &'static Description) -> Self {
        let simulator = Simulator::start();
        (description.prepare)(&simulator);
        let environment = (description.environment)(&simulator);
        let (driver, secrets) = connected(&simulator, description);
        let prepared_by = simulator.requests().len();
        Self {
            simulator,
            environment,
            driver,
            description,
            secrets,
            prepared_by,
            names: AtomicUsize::new(0),
            pairs: Mutex::default(),
        }
    }

    /// Back to how it was at the start, with these settings.
    pub(crate) fn reset(&self, settings: &Value) {
        self.names.store(0, Ordering::Relaxed);
        self.simulator.reset();
        self.simulator.settings(settings);
        (self.description.prepare)(&self.simulator);
    }

    /// What the driver has asked for: the suite itself asks whether a password logs on.
    pub(crate) fn asked(&self) -> Vec<Value> {
        let asked = self.simulator.requests().into_iter().skip(self.prepared_by);
        asked.filter(|request| request["route"] != "identity-service.logon").collect()
    }

    /// The certificate and key that is brought along for the credential of this number.
    pub(crate) fn pair(&self, uid: &str, sequence: i64) -> KeyPair {
        let mut pairs = self.pairs.lock().expect("no test has panicked");
        let [chain, key] = pairs.entry((uid.to_owned(), sequence)).or_insert_with(|| {
            let made = rcgen::generate_simple_self_signed(vec!["tu-orders".to_owned()]).expect("a certificate");
            [made.cert.pem(), made.signing_key.serialize_pem()]
        });
        KeyPair::read(chain.as_bytes(), key.as_bytes(), None).expect("a pair that fits")
    }

    /// The fields of a credential that name who logs on, and its secret.
    pub(crate) fn fields(&self) -> [&'static str; 2] {
        self.description.identity.as_ref().expect("an identity").fields
    }

    /// Whether a name and a secret log on, if the platform can tell.
    pub(crate) fn logs_on(&self, name: &str, secret: &str) -> Option<bool> {
        let logs_on = self.description.identity.as_ref()?.logs_on?;
        Some(logs_on(&self.simulator, name, secret))
    }

    /// A driver that has no token yet, no memory, and a fresh budget.
    pub(crate) fn reconnect(&mut self) {
        (self.driver, self.secrets) = connected(&self.simulator, self.description);
    }

    /// Makes the call until it succeeds, as a controller would; every failure must be safe to show.
    pub(crate) fn converge<T>(&self, what: &str, call: impl AsyncFn(&Driver) -> Result<T, Error>) -> T {
        let mut failures = Vec::new();
        for _ in 0..MOST_TRIES {
            match runtime().block_on(call(&self.driver)) {
                Ok(value) => return value,
                Err(error) => {
                    self.check(&error);
                    sleep(error.wait().unwrap_or(Duration::from_millis(50)).min(LONGEST_PAUSE));
                    failures.push(error.to_string());
                }
            }
        }
        panic!("{what} does not converge:\n{}", failures.join("\n"));
    }

    /// No secret and no address is in an error, nor in its causes.
    pub(crate) fn check(&self, error: &Error) {
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        let shown = causes.map(|cause| format!(" {cause} {cause:?}"));
        let text: String = std::iter::once(format!("{error} {error:?}")).chain(shown).collect();
        for secret in &self.secrets {
            assert!(!text.contains(secret.as_str()), "a secret is in an error: {error}");
        }
        assert!(!text.contains("http://"), "an address is in an error: {text}");
    }

    /// How many identities and credentials the platform holds for us.
    pub(crate) fn count(&self) -> (usize, usize) {
        let (identities, credentials) = (self.description.count)(&self.simulator);
        (identities + self.names.load(Ordering::Relaxed), credentials)
    }

    /// The sample identity for an owner.
    pub(crate) fn sample(&self, owner: &Owner) -> Option<NewIdentity> {
        let SampleIdentity { identity, roles, own_roles, .. } = self.description.identity.as_ref()?;
        let roles = roles.first().map(|role| (*role).to_owned()).into_iter().collect();
        Some(NewIdentity { owner: owner.clone(), identity: identity(), roles, own_roles: own_roles() })
    }

    /// The same identity with other roles.
    pub(crate) fn with_other_roles(&self, sample: &NewIdentity) -> NewIdentity {
        let roles = self.description.identity.as_ref().and_then(|identity| identity.roles.get(1));
        NewIdentity { roles: roles.iter().map(|role| (**role).to_owned()).collect(), ..sample.clone() }
    }

    /// The sample grants.
    pub(crate) fn grants(&self) -> Vec<Vec<Grant>> {
        (self.description.grants)(&self.environment)
    }
}

/// An owner of the test cluster.
pub(crate) fn owner(uid: &str) -> Owner {
    Owner { cluster: "cluster-1".into(), uid: uid.into(), namespace: "orders".into(), name: "intake".into() }
}

fn connected(simulator: &Simulator, description: &Description) -> (Driver, Vec<String>) {
    let credentials = (description.credentials)(simulator);
    let parse = |key: &Value| {
        let entries = BTreeMap::from([("credential".to_owned(), key.to_string().into_bytes())]);
        AdminSecret::parse(&entries).expect("what a platform hands out is a good Secret")
    };
    let secrets = credentials.iter().map(|(name, key)| ((*name).to_owned(), parse(key))).collect();
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    let environment = (description.environment)(simulator);
    let mut driver = connect(&environment, &secrets, &Accounts::default(), &observer).expect("a driver");
    let kind = description.identity.as_ref().map(|sample| (sample.identity)().kind());
    driver.makers.retain(|one, _| kind == Some(*one));
    let secrets = ["clientsecret", "password", "token"];
    let values = credentials.iter().flat_map(|(_, key)| secrets.iter().filter_map(|one| key[one].as_str()));
    (driver, values.map(str::to_owned).collect())
}
