//! The page: what is open, by severity, from the same API that everybody uses.

use axum::{Router, http::header, response::IntoResponse, routing::get};

const PAGE: &str = include_str!("page.html");

/// `GET /`.
pub fn router() -> Router {
    Router::new().route("/", get(page))
}

/// Nothing from elsewhere is loaded, and nothing else may frame it.
async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
        ),
    ];
    (headers, PAGE)
}
