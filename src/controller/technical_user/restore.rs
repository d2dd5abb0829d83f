//! The Secret written from the platform's own copy, and what people are told of it.

use super::execute::{Execution, in_progress};
use crate::controller::error::Result;
use crate::controller::secret::Found;
use crate::plan::technical_user::SecretFact;

impl Execution<'_> {
    /// The Secret from the platform's own copy: it was lost, or altered, or never written, or holds another credential.
    pub(super) async fn restore(&mut self, sequence: i64, id: &str) -> Result<()> {
        let credential = self.credential(id)?;
        let (reason, message) = self.occasion(sequence, &credential.name);
        let issued = self.mirrored.reveal(credential).await?.ok_or_else(|| in_progress("read credential"))?;
        let issued = self.completed(issued);
        self.publish(&issued, sequence).await?;
        if reason == "SecretRestored" {
            self.context.metrics.healed();
        }
        self.rest();
        self.journal.note(reason, message);
        Ok(())
    }

    /// Why the Secret is written, as an event.
    fn occasion(&self, sequence: i64, name: &str) -> (&'static str, String) {
        let again = |change: &str| format!("wrote the Secret again from the platform's copy: {change}");
        let before = self.live.status.credential.as_ref();
        match before {
            Some(before) if before.sequence != sequence => {
                ("Issued", format!("wrote credential {name} into the Secret, in the place of {}", before.name))
            }
            _ if self.is_of_another_form() => ("SecretRewritten", again("another form is asked for")),
            _ => ("SecretRestored", again(&self.change())),
        }
    }

    /// What happened to the Secret, and who did it, as far as the API server tells.
    fn change(&self) -> String {
        let meddler = self.seen.secret.as_ref().and_then(Found::meddler);
        match (&self.seen.have.secret, meddler) {
            (SecretFact::Ours { .. }, Some(manager)) => format!("it was altered by {manager}"),
            (SecretFact::Ours { .. }, None) => "it was altered".to_owned(),
            _ => "it was not there".to_owned(),
        }
    }
}
