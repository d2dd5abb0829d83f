//! Our mark on a user: its `externalId`, which every directory keeps for its clients. It names the cluster, the
//! TechnicalUser, and the issue of the credential that the user's password is: `<cluster>/<uid>/<sequence>`. Pure.

use crate::plan::owner::Owner;

/// What an `externalId` of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalId {
    /// The cluster.
    pub cluster: String,
    /// The uid of the TechnicalUser.
    pub uid: String,
    /// The number of the issue that the password is; `None` where nobody holds it.
    pub sequence: Option<i64>,
}

/// How every mark of a cluster begins.
pub fn beginning(cluster: &str) -> String {
    format!("{cluster}/")
}

impl ExternalId {
    /// The mark of an owner whose credential nobody holds.
    pub fn of(owner: &Owner) -> Self {
        Self { cluster: owner.cluster.clone(), uid: owner.uid.clone(), sequence: None }
    }

    /// Reads one; `None` where it is somebody else's.
    pub fn read(text: &str) -> Option<Self> {
        let (cluster, rest) = text.split_once('/')?;
        let numbered = rest.rsplit_once('/').and_then(|(uid, number)| Some((uid, number.parse().ok()?)));
        let (uid, sequence) = numbered.map_or((rest, None), |(uid, number)| (uid, Some(number)));
        let is_whole = !cluster.is_empty() && !uid.is_empty();
        is_whole.then(|| Self { cluster: cluster.to_owned(), uid: uid.to_owned(), sequence })
    }

    /// Whether it is this owner's.
    pub fn is_of(&self, owner: &Owner) -> bool {
        self.cluster == owner.cluster && self.uid == owner.uid
    }

    /// The name of the credential that the password is.
    pub fn credential(&self) -> Option<String> {
        self.sequence.map(|sequence| self.owner().credential_name(sequence))
    }

    /// The name of the identity.
    pub fn identity_name(&self) -> String {
        self.owner().identity_name()
    }

    fn owner(&self) -> Owner {
        Owner { cluster: self.cluster.clone(), uid: self.uid.clone(), ..Owner::default() }
    }

    /// As it is written.
    pub fn text(&self) -> String {
        let Self { cluster, uid, sequence } = self;
        sequence.map_or_else(|| format!("{cluster}/{uid}"), |sequence| format!("{cluster}/{uid}/{sequence}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_whose_the_user_is_and_what_its_password_is() {
        let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "n".into(), name: "x".into() };
        let bare = ExternalId::of(&owner);
        assert_eq!((bare.text().as_str(), bare.credential()), ("c/u", None));
        let issued = ExternalId { sequence: owner.sequence_of(&owner.credential_name(7)), ..bare.clone() };
        assert_eq!(issued.text(), "c/u/7");
        for mark in [bare, issued] {
            let read = ExternalId::read(&mark.text()).unwrap();
            assert!(read == mark && read.is_of(&owner) && read.identity_name() == owner.identity_name());
        }
        assert_eq!(ExternalId::read("c/u/7").unwrap().credential(), Some(owner.credential_name(7)));
    }

    #[test]
    fn what_somebody_else_wrote_is_no_mark() {
        for text in ["", "4711", "/u", "c/", "/"] {
            assert_eq!(ExternalId::read(text), None, "{text}");
        }
        let other = ExternalId::read("c/u/x").unwrap();
        assert_eq!((other.uid.as_str(), other.sequence), ("u/x", None), "no number");
    }
}
