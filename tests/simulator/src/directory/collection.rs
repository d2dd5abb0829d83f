//! Users and groups as routes name them.

use super::shelf::Which;

/// One of the two.
pub(crate) trait Collection: Send + Sync + 'static {
    /// Which.
    const WHICH: Which;
}

/// `/Users`
pub(crate) struct Users;
/// `/Groups`
pub(crate) struct Groups;

impl Collection for Users {
    const WHICH: Which = Which::Users;
}

impl Collection for Groups {
    const WHICH: Which = Which::Groups;
}
