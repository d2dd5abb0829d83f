//! What every driver promises, on a platform that is well. Each test is one promise of a capability's documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use secrecy::ExposeSecret as _;
use technical_user_operator::api::Identity;
use technical_user_operator::plan::grant::Grant;
use technical_user_operator::platform::{
    Credentials, Driver, Error, Field, Grants, Health, Identities, Issued, KeyPair, Kind, Maker, Making, NewCredential,
    NewIdentity, ObservedCredential, ObservedIdentity, Ordered, Proof,
};

use crate::description::{Description, Running, owner};

/// All of it. The platform is handed on, for whoever wants to see what was asked of it.
pub(crate) fn run(description: &'static Description) -> Running {
    let platform = Running::start(description);
    platform.converge("log on", async |driver| driver.log_on().await?.whole());
    if !platform.driver.makers.is_empty() {
        if maker(&platform.driver).identities.is_some() {
            identities(&platform);
        }
        credentials(&platform);
    }
    if !platform.driver.grants.is_empty() {
        platform.grants().iter().for_each(|batch| grants(&platform, batch));
    }
    for request in platform.asked() {
        let is_listed = description.routes.iter().any(|route| request["route"] == *route);
        assert!(is_listed, "faults must disturb every route that a driver uses: {}", request["route"]);
    }
    platform
}

/// Made once however often it is asked for, found by its cluster alone, gone once and for all.
fn identities(platform: &Running) {
    let sample = platform.sample(&owner("identities")).expect("a sample");
    let made = create(platform, "identities");
    assert_eq!((made.name.as_str(), made.health), (sample.owner.identity_name().as_str(), Health::Usable));
    let again = platform.converge("create", async |driver| identities_of(driver).create(&sample).await);
    assert_eq!(again, Ordered::Found, "the second order finds what the first made, and makes nothing");
    assert_eq!(found(platform, "identities"), listed(platform, "cluster-1"), "a look at one shows what the list does");
    assert_eq!(found(platform, "somebody else"), []);
    assert_eq!(listed(platform, "cluster-1").len(), 1);
    assert_eq!(listed(platform, "cluster-1")[0].id, made.id);
    assert!(listed(platform, "cluster-2").is_empty(), "another cluster's are not shown");

    let other = platform.with_other_roles(&sample);
    set_roles(platform, &made, &other);
    for _ in 0..2 {
        delete(platform, &made);
        assert!(listed(platform, "cluster-1").is_empty());
        assert_eq!(found(platform, "identities"), []);
    }
    assert_eq!(platform.count(), (0, 0));
}

/// Issued, shown again where the platform can, proven, revoked, and dead then.
fn credentials(platform: &Running) {
    let identity = create(platform, "credentials");
    let name = owner("credentials").credential_name(1);
    let issued = issue(platform, &identity, "credentials", 1);
    assert_eq!((&issued.credential.name, &issued.credential.identity), (&name, &identity.id));
    assert_eq!(issued.provenance.instance_name, identity.name);
    let [_, secret] = platform.fields();
    assert!(platform.fields().iter().all(|field| issued.fields.contains_key(*field)), "the payload is flat");
    assert_ne!(works(platform, &issued), Some(false));

    if let Some(shown) = reveal(platform, &issued.credential) {
        let shown = complete(platform, "credentials", 1, shown);
        assert_eq!(texts(&shown), texts(&issued), "the platform's own copy is the same");
        let again = order_credential(platform, &identity, "credentials", 1);
        assert!(matches!(again, Ordered::Found) && platform.count() == (1, 1), "a second order finds the first");
        let found = platform.converge("find", async |driver| credentials_of(driver).find(&identity).await);
        assert_eq!(
            found.into_iter().map(|one| one.id).collect::<Vec<_>>(),
            std::slice::from_ref(&issued.credential.id)
        );
    }
    let second = issue(platform, &identity, "credentials", 2);
    assert_ne!(texts(&second).get(secret), texts(&issued).get(secret), "a rotation changes the secret");
    if maker(&platform.driver).recall.is_listed() {
        assert_ne!(works(platform, &issued), Some(false), "the one before works until it is revoked");
    }

    for _ in 0..2 {
        revoke(platform, &issued.credential);
    }
    assert_ne!(works(platform, &issued), Some(true), "a revoked credential must not work");
    assert_ne!(works(platform, &second), Some(false));

    delete(platform, &identity);
    assert_eq!(platform.count(), (0, 0), "an identity takes its credentials along");
}

/// Whether a credential works, where anybody can tell.
pub(crate) fn works(platform: &Running, issued: &Issued) -> Option<bool> {
    let proof = platform.converge("prove", async |driver| match credentials_of(driver).prove(issued).await {
        Err(error) if error.kind() == Kind::ProofRefused => {
            platform.check(&error);
            Ok(None)
        }
        proof => proof.map(Some),
    });
    match proof {
        None => Some(false),
        Some(Proof::Works(_)) => Some(true),
        Some(Proof::NotTestable) => {
            let texts = texts(issued);
            let [name, secret] = platform.fields();
            platform.logs_on(texts.get(name)?, texts.get(secret)?)
        }
    }
}

/// Granted and revoked any number of times, seen by the bulk read and by a look at each in between.
fn grants(platform: &Running, batch: &[Grant]) {
    let in_force = |expected: &[Grant], why: &str| {
        assert_eq!(held(platform, batch), expected, "{why}");
        assert_eq!(confirmed(platform, batch), expected, "{why}");
    };
    in_force(&[], "the samples are not held before");
    for _ in 0..2 {
        grant(platform, batch);
        in_force(batch, "all are in force");
    }
    revoke_grants(platform, &batch[..1]);
    in_force(&batch[1..], "only what was taken away is gone");
    for _ in 0..2 {
        revoke_grants(platform, batch);
        in_force(&[], "nothing is left");
    }
}

/// The one that makes identities: a description is of an environment that has one.
pub(crate) fn maker(driver: &Driver) -> &Maker {
    driver.makers.values().next().expect("a maker of identities")
}

/// Who grants roles of the kind of these.
pub(crate) fn granting(driver: &Driver, batch: &[Grant]) -> Arc<dyn Grants> {
    let kind = batch.first().expect("a grant").role.kind();
    Arc::clone(driver.grants.get(&kind).expect("grants of this kind"))
}

/// The capability of a driver that has it.
pub(crate) fn identities_of(driver: &Driver) -> &dyn Identities {
    maker(driver).identities.as_deref().expect("identities that are made")
}

/// The capability of a driver that has it.
pub(crate) fn credentials_of(driver: &Driver) -> &dyn Credentials {
    maker(driver).credentials.as_ref()
}

/// Makes the sample identity of an owner, as a controller would: what is found, or was begun, is looked at.
pub(crate) fn create(platform: &Running, uid: &str) -> ObservedIdentity {
    let owner = owner(uid);
    let sample = platform.sample(&owner).expect("a sample");
    if let Some(named) = named(platform) {
        platform.names.store(1, Relaxed);
        return named;
    }
    platform.converge("create", async |driver| {
        let identities = identities_of(driver);
        if let Some(found) = identities.find(&owner).await?.into_iter().next() {
            return if found.health == Health::InProgress { Err(not_yet()) } else { Ok(found) };
        }
        match identities.create(&sample).await? {
            Ordered::Done(made) => Ok(made),
            Ordered::Found | Ordered::Begun(_) => Err(not_yet()),
        }
    })
}

/// The sample identity, where it is but a name and nothing is made for it.
fn named(platform: &Running) -> Option<ObservedIdentity> {
    let sample = platform.sample(&owner("nobody"))?;
    match &sample.identity {
        Identity::CertificateUser(user) => Some(ObservedIdentity::named(&user.user_name)),
        _ => None,
    }
}

/// Everybody's credentials of a name: with them it ends.
fn brought(platform: &Running, identity: &ObservedIdentity) -> Vec<ObservedCredential> {
    platform.converge("find", async |driver| credentials_of(driver).find(identity).await)
}

/// Removes it.
pub(crate) fn delete(platform: &Running, identity: &ObservedIdentity) {
    if named(platform).is_some() {
        platform.names.store(0, Relaxed);
        return brought(platform, identity).iter().for_each(|one| revoke(platform, one));
    }
    platform.converge("delete", async |driver| done(identities_of(driver).delete(identity).await?));
}

/// Gives it roles, where it is made to carry them.
pub(crate) fn set_roles(platform: &Running, identity: &ObservedIdentity, wanted: &NewIdentity) -> ObservedIdentity {
    if named(platform).is_some() {
        return identity.clone();
    }
    platform.converge("set roles", async |driver| done(identities_of(driver).set_roles(identity, wanted).await?))
}

/// What is not done yet is tried again.
fn done<T>(ordered: Ordered<T>) -> Result<T, Error> {
    match ordered {
        Ordered::Done(what) => Ok(what),
        Ordered::Found | Ordered::Begun(_) => Err(not_yet()),
    }
}

fn not_yet() -> Error {
    Error::new(Kind::InProgress, "wait")
}

/// Everything of an owner, as a look at it alone shows.
pub(crate) fn found(platform: &Running, uid: &str) -> Vec<ObservedIdentity> {
    let owner = owner(uid);
    if let Some(named) = named(platform) {
        return brought(platform, &named).is_empty().then(Vec::new).unwrap_or_else(|| vec![named]);
    }
    platform.converge("find", async |driver| identities_of(driver).find(&owner).await)
}

/// Everything of a cluster.
pub(crate) fn listed(platform: &Running, cluster: &str) -> Vec<ObservedIdentity> {
    if named(platform).is_some() {
        let shown = platform.converge("list", async |driver| credentials_of(driver).list(cluster).await);
        let names: BTreeSet<String> = shown.into_iter().map(|one| one.identity).collect();
        return names.iter().map(|name| ObservedIdentity::named(name)).collect();
    }
    platform.converge("list", async |driver| identities_of(driver).list(cluster).await)
}

/// Issues the credential of this number.
pub(crate) fn issue(platform: &Running, identity: &ObservedIdentity, uid: &str, sequence: i64) -> Issued {
    let wanted = wanted(platform, uid, sequence);
    let issued = platform.converge("issue", async |driver| {
        let credentials = credentials_of(driver);
        let found = credentials.find(identity).await?;
        let brought = match &wanted.making {
            Making::Brought(certificate) => Some(credentials.id_of(certificate)?),
            Making::Usual | Making::Generated(_) => None,
        };
        let is_it = |one: &&ObservedCredential| one.name == wanted.name || Some(&one.id) == brought.as_ref();
        if let Some(found) = found.iter().find(|one| is_it(one) && one.health == Health::Usable) {
            let found = &ObservedCredential { name: wanted.name.clone(), ..found.clone() };
            let shown = credentials.reveal(found).await?;
            if shown.is_none() {
                // Nobody holds it, and nobody ever will.
                done(credentials.revoke(found).await?)?;
            }
            return shown.ok_or_else(not_yet);
        }
        done(credentials.issue(identity, &wanted).await?)
    });
    complete(platform, uid, sequence, issued)
}

/// The credential of this number, with what is brought along for it where the platform makes none.
fn wanted(platform: &Running, uid: &str, sequence: i64) -> NewCredential {
    let owner = owner(uid);
    let pair = named(platform).map(|_| platform.pair(uid, sequence));
    let making = pair.map_or(Making::Usual, |pair| Making::Brought(pair.certificate().clone()));
    NewCredential { making, ..NewCredential::made(&owner, &owner.credential_name(sequence)) }
}

/// With what was brought along.
fn complete(platform: &Running, uid: &str, sequence: i64, issued: Issued) -> Issued {
    let pair: Option<KeyPair> = named(platform).map(|_| platform.pair(uid, sequence));
    match pair {
        Some(pair) => pair.complete(issued),
        None => issued,
    }
}

/// Orders the credential of this number, whatever is there.
fn order_credential(platform: &Running, identity: &ObservedIdentity, uid: &str, sequence: i64) -> Ordered<Issued> {
    let wanted = wanted(platform, uid, sequence);
    platform.converge("order", async |driver| credentials_of(driver).issue(identity, &wanted).await)
}

/// The platform's own copy.
pub(crate) fn reveal(platform: &Running, credential: &ObservedCredential) -> Option<Issued> {
    platform.converge("reveal", async |driver| credentials_of(driver).reveal(credential).await)
}

/// Ends it.
pub(crate) fn revoke(platform: &Running, credential: &ObservedCredential) {
    platform.converge("revoke", async |driver| done(credentials_of(driver).revoke(credential).await?));
}

/// The text fields of a credential.
pub(crate) fn texts(issued: &Issued) -> BTreeMap<String, String> {
    let text = |field: &'_ Field| match field {
        Field::Text(text) => Some(text.expose_secret().to_owned()),
        Field::Json(_) => None,
    };
    issued.fields.iter().filter_map(|(name, field)| Some((name.clone(), text(field)?))).collect()
}

/// Grants all, each until it succeeds.
pub(crate) fn grant(platform: &Running, batch: &[Grant]) {
    platform.converge("grant", async |driver| {
        let results = granting(driver, batch).grant(batch).await;
        assert_eq!(results.len(), batch.len(), "one result for each");
        results.into_iter().collect::<Result<(), _>>()
    });
}

/// Takes all away.
pub(crate) fn revoke_grants(platform: &Running, batch: &[Grant]) {
    platform.converge("revoke", async |driver| {
        let results = granting(driver, batch).revoke(batch).await;
        assert_eq!(results.len(), batch.len(), "one result for each");
        results.into_iter().collect::<Result<(), _>>()
    });
}

/// Those of the batch that the bulk reads of their scopes show, in the batch's order.
pub(crate) fn held(platform: &Running, batch: &[Grant]) -> Vec<Grant> {
    let seen = platform.converge("read", async |driver| {
        let grants = granting(driver, batch);
        let scopes: BTreeSet<_> = batch.iter().map(|grant| grants.scope(grant)).collect();
        let mut seen = BTreeSet::new();
        for scope in scopes {
            let of = batch.iter().filter(|grant| grants.scope(grant) == scope).cloned().collect();
            seen.extend(grants.read(&scope, &of).await?);
        }
        Ok(seen)
    });
    batch.iter().filter(|grant| seen.contains(grant)).cloned().collect()
}

/// Those of the batch that a look at each shows, in the batch's order.
pub(crate) fn confirmed(platform: &Running, batch: &[Grant]) -> Vec<Grant> {
    let held = platform.converge("look up", async |driver| {
        let held = granting(driver, batch).holds(batch).await;
        assert_eq!(held.len(), batch.len(), "one answer for each");
        held.into_iter().collect::<Result<Vec<bool>, _>>()
    });
    batch.iter().zip(held).filter(|(_, held)| *held).map(|(grant, _)| grant.clone()).collect()
}
