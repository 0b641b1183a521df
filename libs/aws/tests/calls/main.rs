//! The clients against answers: recorded ones (`answers`, for what a server does only on a bad day) and those of the
//! project's emulated AWS (`organization`), which is started when `MUSTER_MOTO_SERVER` names a `moto_server`.
//! One binary, since linking the EC2 SDK takes longer than all of these tests.

mod answers;
mod emulator;
mod organization;

use muster_aws::{Aws, AwsError, AwsOptions, RegionClient};
use muster_cache::MemoryCache;
use muster_domain::{AccountId, Region};
use std::sync::Arc;

/// Connects with keys of the emulator's kind, in `us-east-1`.
async fn connect(endpoint: &str, change: impl FnOnce(&mut AwsOptions)) -> Result<Aws, AwsError> {
    let mut options = AwsOptions {
        regions: vec!["us-east-1".to_owned()],
        endpoint_url: Some(endpoint.to_owned()),
        ..AwsOptions::default()
    };
    change(&mut options);
    let cache = Arc::new(MemoryCache::new(1 << 20));
    let secret = "muster-demo-secret-access-key".into();
    Aws::connect_with_keys(&options, cache, "AKIAMUSTERDEMO000001", &secret).await
}

/// Services run the clients in spawned tasks, so every future must be `Send`: the compiler checks it here.
#[allow(dead_code)] // compiled, never run
fn every_future_can_be_spawned(aws: &Aws, client: &RegionClient, account: &AccountId, region: &Region) {
    fn spawned(_: impl Future + Send) {}
    spawned(aws.accounts());
    spawned(aws.in_region(account, region));
    spawned(client.instances());
    spawned(client.inventory_entries("", ""));
    spawned(client.images());
    spawned(client.registry_credentials());
    spawned(client.functions());
    spawned(client.function_code(""));
    spawned(client.layer(""));
    spawned(client.topology());
    spawned(client.import_findings(Vec::new()));
    spawned(client.put_events(Vec::new()));
}
