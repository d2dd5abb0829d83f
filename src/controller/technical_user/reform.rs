//! Writes the Secret in another form from its own content: where the platform shows a value once, that is all there is.

use super::execute::Execution;
use crate::controller::error::{Error, Result};
use crate::controller::secret::form::Shape;
use crate::controller::secret::recover::Held;
use crate::plan::fields;
use crate::plan::technical_user::{SecretFact, form};
use crate::platform::Issued;

impl Execution<'_> {
    /// Writes the Secret anew. The credential in it stays the same.
    pub(super) async fn reform(&mut self, sequence: i64) -> Result<()> {
        let held = self.held(sequence)?;
        self.publish(&held, sequence).await?;
        self.journal
            .note("SecretRewritten", "wrote the Secret in the form that is asked for; the credential is the same");
        Ok(())
    }

    fn held(&self, sequence: i64) -> Result<Issued> {
        let user = self.live.object();
        let content = self.seen.secret.as_ref().and_then(|secret| secret.content()).ok_or(Error::LostRace)?;
        let known = self.live.status.credential.as_ref().filter(|known| known.sequence == sequence);
        let known = known.ok_or(Error::LostRace)?;
        let fields = fields::known(user.spec.identity.kind()).ok_or(Error::LostRace)?;
        let held = Held { content, layout: known.layout.as_ref() };
        let mut issued = held.credential(&known.name, fields, &Shape::of(user))?;
        let there = self.seen.credentials.iter().find(|one| one.name == known.name);
        issued.credential = there.cloned().unwrap_or(issued.credential);
        Ok(issued)
    }

    /// Whether the Secret is as it was written, and another form is asked for by now.
    pub(super) fn is_of_another_form(&self) -> bool {
        let SecretFact::Ours { fingerprint, .. } = &self.seen.have.secret else { return false };
        let published = self.seen.have.recorded.credential.as_ref();
        published.is_some_and(|published| published.fingerprint == *fingerprint)
            && form::is_another(self.want, &self.seen.have)
    }
}
