//! [`guarded`]: a plugin that panics takes nobody with it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::ScheduleError;

/// Calls a plugin. Where it panics, that is an error of the pod's which names plugin and extension
/// point.
///
/// What the call was about to change may be half changed afterwards: the caller forgets it.
///
/// # Errors
/// [`ScheduleError::Plugin`] with the panic's message.
pub(crate) fn guarded<T>(
    point: &'static str,
    plugin: &str,
    call: impl FnOnce() -> T,
) -> Result<T, ScheduleError> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| ScheduleError::Plugin {
        point,
        plugin: plugin.into(),
        message: panic_message(&*panic),
    })
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let said =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", said.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_names_its_place() {
        assert_eq!(guarded("Filter", "Mine", || 7), Ok(7));
        let error = guarded("Filter", "Mine", || -> i32 { panic!("no {}", "way") }).unwrap_err();
        assert_eq!(error.to_string(), "running Filter plugin \"Mine\": panicked: no way");
        let error = guarded("Score", "Mine", || -> i32 { std::panic::panic_any(3) }).unwrap_err();
        assert!(error.to_string().ends_with("panicked: without a message"));
    }
}
