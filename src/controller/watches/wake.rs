//! Wakes objects by name: everything that one kind has to tell another goes through here, and the object then looks for
//! itself.

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::api::{Platform, RoleBinding, TechnicalUser};
use crate::controller::Context;
use crate::controller::index::{Concerned, Key};

/// The sending ends.
#[derive(Clone)]
pub struct Wake {
    platforms: UnboundedSender<ObjectRef<Platform>>,
    users: UnboundedSender<ObjectRef<TechnicalUser>>,
    bindings: UnboundedSender<ObjectRef<RoleBinding>>,
    in_the_way: UnboundedSender<Key>,
}

/// The receiving ends.
pub struct Woken {
    pub(super) platforms: UnboundedReceiver<ObjectRef<Platform>>,
    pub(super) users: UnboundedReceiver<ObjectRef<TechnicalUser>>,
    pub(super) bindings: UnboundedReceiver<ObjectRef<RoleBinding>>,
    pub(super) in_the_way: UnboundedReceiver<Key>,
}

/// Both ends.
pub(super) fn wake() -> (Wake, Woken) {
    let (platforms, woken_platforms) = unbounded();
    let (users, woken_users) = unbounded();
    let (bindings, woken_bindings) = unbounded();
    let (in_the_way, gone) = unbounded();
    let woken = Woken { platforms: woken_platforms, users: woken_users, bindings: woken_bindings, in_the_way: gone };
    (Wake { platforms, users, bindings, in_the_way }, woken)
}

impl Wake {
    /// Wakes a Platform. When the controllers are gone there is nobody to wake, which is no error.
    pub fn platform(&self, name: &str) {
        let _ = self.platforms.unbounded_send(ObjectRef::new(name));
    }

    /// Wakes a TechnicalUser.
    pub fn user(&self, user: ObjectRef<TechnicalUser>) {
        let _ = self.users.unbounded_send(user);
    }

    /// Wakes a RoleBinding.
    pub fn binding(&self, binding: ObjectRef<RoleBinding>) {
        let _ = self.bindings.unbounded_send(binding);
    }

    /// Wakes whoever publishes in a Secret once the one of somebody else's that stands there is gone.
    pub fn when_gone(&self, secret: Key) {
        let _ = self.in_the_way.unbounded_send(secret);
    }
}

/// Wakes a Platform for which something may have been mended: it is tried at once.
pub fn mended_platform(context: &Context, platform: &Platform) {
    context.retries.pardon(&platform.uid().unwrap_or_default());
    context.wake.platform(&platform.name_any());
}

/// Wakes a TechnicalUser for which something may have been mended, or which is needed: it is tried at once.
pub fn mended_user(context: &Context, user: ObjectRef<TechnicalUser>) {
    if let Some(uid) = context.stores.technical_users.get(&user).and_then(|user| user.uid()) {
        context.retries.pardon(&uid);
    }
    context.wake.user(user);
}

/// Wakes a RoleBinding for which something may have been mended.
pub fn mended_binding(context: &Context, binding: ObjectRef<RoleBinding>) {
    if let Some(uid) = context.stores.role_bindings.get(&binding).and_then(|binding| binding.uid()) {
        context.retries.pardon(&uid);
    }
    context.wake.binding(binding);
}

/// Wakes everything that names a Platform.
pub fn dependents(context: &Context, platform: &str) {
    all(context, |_, named| named == platform);
}

/// Wakes everything in a namespace.
pub(super) fn namespace(context: &Context, namespace: &str) {
    all(context, |within, _| within == namespace);
}

fn all(context: &Context, concerned: impl Fn(&str, &str) -> bool) {
    for user in context.stores.technical_users.state() {
        if concerned(&user.namespace().unwrap_or_default(), &user.spec.platform_ref.name) {
            mended_user(context, ObjectRef::from_obj(&*user));
        }
    }
    for binding in context.stores.role_bindings.state() {
        if concerned(&binding.namespace().unwrap_or_default(), &binding.spec.platform_ref.name) {
            mended_binding(context, ObjectRef::from_obj(&*binding));
        }
    }
}

/// Wakes whom a RoleBinding's change concerns. Those who share a grant with it have mended nothing.
pub(super) fn concerned(context: &Context, concerned: Concerned) {
    for (namespace, name) in concerned.users {
        mended_user(context, ObjectRef::new(&name).within(&namespace));
    }
    for (namespace, name) in concerned.bindings {
        context.wake.binding(ObjectRef::new(&name).within(&namespace));
    }
}

/// Wakes the Platforms that wait for their last user to go.
pub(super) fn leaving_platforms(context: &Context) {
    for platform in context.stores.platforms.state() {
        if platform.metadata.deletion_timestamp.is_some() {
            context.wake.platform(&platform.name_any());
        }
    }
}
