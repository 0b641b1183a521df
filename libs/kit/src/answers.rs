//! What gRPC answers have in common: pages, and errors that say whose fault it is.

use muster_store::StoreError;
use tonic::Status;

/// The page when none is asked for.
const PAGE_DEFAULT: u32 = 100;

/// The largest page, in rows: a bound on one answer's memory.
const PAGE_MAX: u32 = 1_000;

/// The page size of a request: 0 stands for 100, more than 1,000 or less than 0 is refused.
pub fn page_size(asked: i32) -> Result<u32, Status> {
    match u32::try_from(asked) {
        Ok(0) => Ok(PAGE_DEFAULT),
        Ok(size @ 1..=PAGE_MAX) => Ok(size),
        _ => Err(refused(format!("page_size {asked} is not 1 to {PAGE_MAX}"))),
    }
}

/// The request is wrong.
pub fn refused(message: impl Into<String>) -> Status {
    Status::invalid_argument(message)
}

/// The store did not answer. The cause goes to the log: it may name what a client must not see.
pub fn status(error: StoreError) -> Status {
    match error {
        StoreError::Missing { .. } => Status::not_found(error.to_string()),
        StoreError::ForeignCursor => refused(error.to_string()),
        _ => failed(error.into()),
    }
}

/// We failed. The cause goes to the log.
pub fn failed(error: anyhow::Error) -> Status {
    tracing::error!(error = format!("{error:#}"), "question not answered");
    Status::unavailable("the question could not be answered, the service's log says why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bounded() {
        let check = |asked, expected: Option<u32>| assert_eq!(page_size(asked).ok(), expected, "{asked}");
        check(0, Some(100));
        check(1, Some(1));
        check(1000, Some(1000));
        check(1001, None);
        check(-1, None);
    }
}
