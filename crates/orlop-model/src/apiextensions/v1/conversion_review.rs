//! Parts of apiextensions/v1.

use crate::{Extra, List, Message, RawJson, Str};

/// Question to a conversion webhook: objects and the version that they shall get.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ConversionRequest {
    /// Identifier of this call, which the response has to repeat.
    #[wire(pb = 1, required, needless)]
    pub uid: Str,
    /// Group and version to convert to, such as `example.com/v1`.
    #[wire(name = "desiredAPIVersion", pb = 2, required, needless)]
    pub desired_api_version: Str,
    /// Custom resources to convert, possibly in different source versions.
    #[wire(pb = 3, required, needless)]
    pub objects: List<RawJson>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Answer of a conversion webhook.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ConversionResponse {
    /// Identifier copied from the request.
    #[wire(pb = 1, required, needless)]
    pub uid: Str,
    /// Converted objects in the order of the request; empty on failure, metadata changes count only for
    /// labels and annotations.
    #[wire(pb = 2, required, needless)]
    pub converted_objects: List<RawJson>,
    /// Outcome; its `status` is `Success` or `Failure`, its `message` is shown to the user on failure.
    #[wire(pb = 3)]
    pub result: crate::meta::v1::Status,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Envelope that the API server exchanges with a conversion webhook.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "apiextensions.k8s.io/v1")]
pub struct ConversionReview {
    /// Set by the API server: what is to be converted.
    #[wire(pb = 1)]
    pub request: Option<Box<ConversionRequest>>,
    /// Set by the webhook: the converted objects or the error.
    #[wire(pb = 2)]
    pub response: Option<Box<ConversionResponse>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
