//! An instance's software, from SSM's inventory.

use crate::scan::Outcome;
use anyhow::Result;
use muster_aws::RegionClient;
use muster_domain::{InstanceDetails, ResourceId, ScanStatusReason};
use muster_packages::ssm;

/// `Custom:MusterPackages` when the instance has it, since it knows source packages; else `AWS:Application`.
pub async fn read(client: &RegionClient, id: &ResourceId, details: &InstanceDetails) -> Result<Outcome> {
    if details.ssm_ping_status.is_none() {
        let reason = ScanStatusReason::UnmanagedEc2Instance;
        return Ok(Outcome::None(reason, "SSM does not manage the instance".to_owned()));
    }
    let Some(type_name) = [ssm::CUSTOM_TYPE, ssm::APPLICATION_TYPE]
        .into_iter()
        .find(|type_name| details.inventory.contains_key(*type_name))
    else {
        let detail = format!("SSM holds neither {} nor {}", ssm::CUSTOM_TYPE, ssm::APPLICATION_TYPE);
        return Ok(Outcome::None(ScanStatusReason::NoInventory, detail));
    };
    let entries = match client.inventory_entries(id.as_str(), type_name).await {
        Ok(entries) => entries,
        Err(error) => return Outcome::of_aws(error),
    };
    let platform = details.platform.as_deref().and_then(ssm::operating_system);
    let (applications, custom) = if type_name == ssm::CUSTOM_TYPE {
        ([].as_slice(), entries.as_slice())
    } else {
        (entries.as_slice(), [].as_slice())
    };
    Ok(Outcome::Read(Box::new(ssm::inventory(platform, applications, custom))))
}
