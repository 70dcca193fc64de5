//! The names that Astro has for the statuses of errors.

use std::fmt;

use http::StatusCode;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($variant:ident = $name:literal, $status:ident;)*) => {
        /// What kind of error an action ends with: the names of HTTP's statuses, as Astro's client knows them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(
                #[doc = concat!("`", $name, "`")]
                #[serde(rename = $name)]
                $variant,
            )*
        }

        impl ErrorCode {
            /// The name on the wire, such as `NOT_FOUND`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $name,)*
                }
            }

            /// The response's status.
            pub const fn status(self) -> StatusCode {
                match self {
                    $(ErrorCode::$variant => StatusCode::$status,)*
                }
            }

            /// The code for a status; as in Astro, [`ErrorCode::InternalServerError`] for one that is no error.
            pub const fn from_status(status: StatusCode) -> ErrorCode {
                match status {
                    $(StatusCode::$status => ErrorCode::$variant,)*
                    _ => ErrorCode::InternalServerError,
                }
            }
        }
    };
}

codes! {
    BadRequest = "BAD_REQUEST", BAD_REQUEST;
    Unauthorized = "UNAUTHORIZED", UNAUTHORIZED;
    PaymentRequired = "PAYMENT_REQUIRED", PAYMENT_REQUIRED;
    Forbidden = "FORBIDDEN", FORBIDDEN;
    NotFound = "NOT_FOUND", NOT_FOUND;
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
    NotAcceptable = "NOT_ACCEPTABLE", NOT_ACCEPTABLE;
    ProxyAuthenticationRequired = "PROXY_AUTHENTICATION_REQUIRED", PROXY_AUTHENTICATION_REQUIRED;
    RequestTimeout = "REQUEST_TIMEOUT", REQUEST_TIMEOUT;
    Conflict = "CONFLICT", CONFLICT;
    Gone = "GONE", GONE;
    LengthRequired = "LENGTH_REQUIRED", LENGTH_REQUIRED;
    PreconditionFailed = "PRECONDITION_FAILED", PRECONDITION_FAILED;
    ContentTooLarge = "CONTENT_TOO_LARGE", PAYLOAD_TOO_LARGE;
    UriTooLong = "URI_TOO_LONG", URI_TOO_LONG;
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
    RangeNotSatisfiable = "RANGE_NOT_SATISFIABLE", RANGE_NOT_SATISFIABLE;
    ExpectationFailed = "EXPECTATION_FAILED", EXPECTATION_FAILED;
    MisdirectedRequest = "MISDIRECTED_REQUEST", MISDIRECTED_REQUEST;
    UnprocessableContent = "UNPROCESSABLE_CONTENT", UNPROCESSABLE_ENTITY;
    Locked = "LOCKED", LOCKED;
    FailedDependency = "FAILED_DEPENDENCY", FAILED_DEPENDENCY;
    TooEarly = "TOO_EARLY", TOO_EARLY;
    UpgradeRequired = "UPGRADE_REQUIRED", UPGRADE_REQUIRED;
    PreconditionRequired = "PRECONDITION_REQUIRED", PRECONDITION_REQUIRED;
    TooManyRequests = "TOO_MANY_REQUESTS", TOO_MANY_REQUESTS;
    RequestHeaderFieldsTooLarge = "REQUEST_HEADER_FIELDS_TOO_LARGE", REQUEST_HEADER_FIELDS_TOO_LARGE;
    UnavailableForLegalReasons = "UNAVAILABLE_FOR_LEGAL_REASONS", UNAVAILABLE_FOR_LEGAL_REASONS;
    InternalServerError = "INTERNAL_SERVER_ERROR", INTERNAL_SERVER_ERROR;
    NotImplemented = "NOT_IMPLEMENTED", NOT_IMPLEMENTED;
    BadGateway = "BAD_GATEWAY", BAD_GATEWAY;
    ServiceUnavailable = "SERVICE_UNAVAILABLE", SERVICE_UNAVAILABLE;
    GatewayTimeout = "GATEWAY_TIMEOUT", GATEWAY_TIMEOUT;
    HttpVersionNotSupported = "HTTP_VERSION_NOT_SUPPORTED", HTTP_VERSION_NOT_SUPPORTED;
    VariantAlsoNegotiates = "VARIANT_ALSO_NEGOTIATES", VARIANT_ALSO_NEGOTIATES;
    InsufficientStorage = "INSUFFICIENT_STORAGE", INSUFFICIENT_STORAGE;
    LoopDetected = "LOOP_DETECTED", LOOP_DETECTED;
    NetworkAuthenticationRequired = "NETWORK_AUTHENTICATION_REQUIRED", NETWORK_AUTHENTICATION_REQUIRED;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
