//! What the tests of this crate have in common.

use crate::Netns;

/// A namespace of the test's own; none where the kernel or the user does not allow it.
pub(crate) fn namespace() -> Option<Netns> {
    match Netns::create() {
        Ok(netns) => Some(netns),
        Err(error) => {
            let why = format!("needs network namespaces: {error}");
            assert!(std::env::var("ORLOP_REQUIRE").as_deref() != Ok("all"), "{why}");
            #[expect(clippy::print_stderr, reason = "a test says why it is left out")]
            {
                eprintln!("skipped: {why}");
            }
            None
        }
    }
}
