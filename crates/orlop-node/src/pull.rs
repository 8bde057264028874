//! Whether an image is to be pulled.

use orlop_model::Str;
use orlop_model::core::v1::PullPolicy;
use orlop_model::quote::quoted;

/// Why a container's image is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PullCheckError {
    /// Whether it is there cannot be told.
    // The name of the image is empty in this text, as people know it from kubelet.
    #[error("Failed to inspect image \"\": {0}")]
    Inspect(String),
    /// It is not there, and must not be pulled.
    #[error("Container image {} is not present with pull policy of Never", quoted(.0))]
    NeverPull(Str),
}

impl PullCheckError {
    /// Why the container waits.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Inspect(_) => "ImageInspectError",
            Self::NeverPull(_) => "ErrImageNeverPull",
        }
    }

    /// The reason of the event that tells of it.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Inspect(_) => "InspectFailed",
            Self::NeverPull(_) => "ErrImageNeverPull",
        }
    }
}

/// Whether the policy asks first what is there. `Always` pulls without asking, and so does a policy that nobody knows.
pub fn inspects(policy: &PullPolicy) -> bool {
    matches!(policy, PullPolicy::IfNotPresent | PullPolicy::Never)
}

/// The image to use by what was found of it; `None`: it is to be pulled. Where the policy does not ask
/// ([`inspects`]), nothing was found.
///
/// # Errors
/// It could not be looked for, or is missing with policy `Never`.
pub fn pull_check<T>(
    image: &Str,
    policy: &PullPolicy,
    found: Result<Option<T>, String>,
) -> Result<Option<T>, PullCheckError> {
    if !inspects(policy) {
        return Ok(None);
    }
    let found = found.map_err(PullCheckError::Inspect)?;
    if found.is_none() && *policy == PullPolicy::Never {
        return Err(PullCheckError::NeverPull(image.clone()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies() {
        let image = Str::from("web:1");
        let check = |policy: &str, found: Result<Option<i32>, String>| {
            pull_check(&image, &PullPolicy::from(policy), found).map_err(|error| error.reason())
        };
        assert_eq!(check("Always", Ok(Some(1))), Ok(None));
        assert_eq!(check("", Ok(Some(1))), Ok(None));
        assert_eq!(check("IfNotPresent", Ok(Some(1))), Ok(Some(1)));
        assert_eq!(check("IfNotPresent", Ok(None)), Ok(None));
        assert_eq!(check("Never", Ok(None)), Err("ErrImageNeverPull"));
        assert_eq!(check("Never", Err("broken".to_owned())), Err("ImageInspectError"));
    }
}
