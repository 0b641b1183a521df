//! PostgreSQL keeps the promises: a real server, started here on a free port.

mod conformance;
mod server;

use muster_store::Store;
use server::Server;

/// Nothing here has to outlive a power cut.
const FAST: &str = "-c fsync=off";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_every_promise() {
    let server = Server::start(FAST);
    conformance::suite(Store::open(&server.url).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn services_that_start_together_make_one_schema() {
    let server = Server::start(FAST);
    let opening = (0..6).map(|_| {
        let url = server.url.clone();
        tokio::spawn(async move { Store::open(&url).await.map(|_| ()) })
    });
    for opened in opening.collect::<Vec<_>>() {
        opened.await.unwrap().unwrap();
    }
}
