//! Errors in the shape of the inspector2 API: the type in `x-amzn-ErrorType`, the rest in the body.

use axum::{
    Json,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An error as AWS clients parse it.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    kind: &'static str,
    body: serde_json::Value,
}

/// 400. `reason` is CANNOT_PARSE, FIELD_VALIDATION_FAILED or OTHER (`ValidationExceptionReason`).
pub fn validation(reason: &'static str, message: impl Into<String>) -> ApiError {
    let message = message.into();
    ApiError {
        status: StatusCode::BAD_REQUEST,
        kind: "ValidationException",
        body: json!({ "message": message, "reason": reason }),
    }
}

/// 400, with the field at fault.
pub fn field(name: &str, message: impl Into<String>) -> ApiError {
    let message = message.into();
    ApiError {
        status: StatusCode::BAD_REQUEST,
        kind: "ValidationException",
        body: json!({
            "message": format!("{name}: {message}"),
            "reason": "FIELD_VALIDATION_FAILED",
            "fields": [{ "name": name, "message": message }],
        }),
    }
}

/// 403.
pub fn access_denied(message: &str) -> ApiError {
    ApiError { status: StatusCode::FORBIDDEN, kind: "AccessDeniedException", body: json!({ "message": message }) }
}

/// Whether a client speaks gRPC and is to be refused in its way.
pub fn speaks_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// 500. The cause goes to the log: it may name what a client must not see.
pub fn internal(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(%error, "request failed");
    ApiError {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        kind: "InternalServerException",
        body: json!({ "message": "the store did not answer" }),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, [("x-amzn-ErrorType", self.kind)], Json(self.body)).into_response()
    }
}
