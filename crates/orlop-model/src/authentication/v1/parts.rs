//! What several kinds have in common.

use crate::{Extra, List, Map, Message, Str};

/// Identity of a user as established by authentication.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct UserInfo {
    /// Name that identifies the user among all active ones.
    #[wire(pb = 1)]
    pub username: Str,
    /// Identifier that stays distinct when a user name is used again after deletion.
    #[wire(pb = 2)]
    pub uid: Str,
    /// Groups to which the user belongs, such as `system:authenticated`.
    #[wire(pb = 3)]
    pub groups: List<Str>,
    /// Further attributes from the authenticator, each key with a list of values.
    #[wire(pb = 4)]
    pub extra: Map<List<Str>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub unknown: Extra,
}
